"""Kernels that overflow their stack above a canary: what a process of its own says of it.

    MINITENSOR_EMULATOR=debug python tests/support/stack_canary.py

Below the guard of a fiber's stack a mapping is laid, full of one byte. Then a kernel of each kind
overflows that stack. One line for each: its error, and how many bytes of the canary changed.
"""

import ctypes
import mmap
import resource
import sys
from pathlib import Path

import numpy as np

from minitensor.backend.emulator import KernelError, build, memory
from minitensor.backend.emulator.kernel import Library
from minitensor.backend.host import source

GUARD, STACK = 2**17, 2**18 if build.variant() == "asan" else 2**16  # runtime/engine.h
CANARY = 2**20
FIXED_NOREPLACE = 0x100000
THREADS = 32

# Each overflows in the one thread whose stack lies above the canary.
KERNELS = """
constexpr int count = 200000;  // 800 KB: more than stack and guard
struct Large { float at[count]; };
static Large large;
__device__ bool is_here(const long long* low) {
    char local;
    const long long here = reinterpret_cast<long long>(&local);
    return here >= low[0] && here < low[1];
}
__device__ __attribute__((noinline)) float last(Large taken) {
    asm volatile("" : : "r"(&taken) : "memory");
    return taken.at[count - 1];
}
__device__ __attribute__((noinline)) float sum(volatile int n) {
    return n ? sum(n + 1) + n : 0;
}
__device__ __attribute__((noinline)) float filled() {
    volatile float big[count];
    for (int i = 0; i < count; ++i) big[i] = i;
    return big[count - 1];
}
__device__ __attribute__((noinline)) float alloca_of(long long n) {
    volatile float* big = static_cast<float*>(__builtin_alloca(n * sizeof(float)));
    for (long long i = 0; i < n; ++i) big[i] = i;
    return big[n - 1];
}
__global__ void where(const long long* low, long long* y) {
    char local;
    y[threadIdx.x] = reinterpret_cast<long long>(&local);
    __syncthreads();  // else one stack would serve all
}
__global__ void a_large_array(const long long* low, long long* y) {
    if (is_here(low)) y[0] = filled();
}
__global__ void a_large_argument(const long long* low, long long* y) {
    if (is_here(low)) y[0] = last(large);
}
__global__ void as_long_as_it_says(const long long* low, long long* y) {
    if (is_here(low)) y[0] = alloca_of(low[1] - low[0] + count);
}
__global__ void deep_calls(const long long* low, long long* y) {
    if (is_here(low)) y[0] = sum(1);
}
KERNEL(where);
KERNEL(a_large_array);
KERNEL(a_large_argument);
KERNEL(as_long_as_it_says);
KERNEL(deep_calls);
"""


def stacks(functions, threads):
    """Where the stacks of so many fibers begin: they are used again and again."""
    low, inside = np.zeros(2, np.int64), np.zeros(threads, np.int64)
    functions["where"]((1,), (threads,), (low, inside))
    return [int(at) // mmap.PAGESIZE * mmap.PAGESIZE + mmap.PAGESIZE - STACK for at in inside]


def canary_below(stack):
    """CANARY bytes that end at the guard of `stack`, or None where something else lies."""
    place = stack - GUARD - CANARY
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | FIXED_NOREPLACE
    at = memory.libc().mmap(place, CANARY, mmap.PROT_READ | mmap.PROT_WRITE, flags, -1, 0)
    if at != place:
        return None
    canary = np.ctypeslib.as_array((ctypes.c_uint8 * CANARY).from_address(place))
    canary[:] = 0xC5
    return canary


def kernels():
    text = source.flat("reduce_splits.cu") + '\n#line 1 "written.cu"\n' + KERNELS
    return Library(build.library("written.cu", text)).functions


def with_little_memory():
    """1024 stacks where there is address space for some of them."""
    functions, low = kernels(), np.zeros(2, np.int64)
    stacks(functions, THREADS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * mmap.PAGESIZE
    most = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (used + 100 * 2**20, most))
    try:
        functions["where"]((1,), (1024,), (low, np.zeros(1024, np.int64)))
    except KernelError as error:
        print(error)
    assert len(stacks(functions, THREADS)) == THREADS


def main():
    functions = kernels()
    stack, canary = next(
        (stack, canary)
        for threads in (1, 8, THREADS)
        for stack in sorted(stacks(functions, threads))
        if (canary := canary_below(stack)) is not None
    )
    low, y = np.array([stack, stack + STACK]), np.zeros(THREADS, np.int64)
    for name in ("a_large_array", "a_large_argument", "as_long_as_it_says", "deep_calls"):
        try:
            functions[name]((1,), (THREADS,), (low, y))
        except KernelError as error:
            print(error, end=": ")
        print(f"{np.count_nonzero(canary != 0xC5)} bytes of the canary changed")
    assert len(stacks(functions, THREADS)) == THREADS  # the next launch is right


if __name__ == "__main__":
    with_little_memory() if "little memory" in sys.argv else main()
