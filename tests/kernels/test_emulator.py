"""The emulator itself: what CUDA promises, it does, and what CUDA forbids, it reports.

Kernels are written here, as text; a report must name the line, the block and the thread.
"""

import mmap
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from sanitizing import ROOT, environment

from minitensor.backend import emulator
from minitensor.backend.emulator import KernelError, build, memory, order
from minitensor.backend.emulator.kernel import Library
from minitensor.backend.emulator.schedule import ORDERS, only_blocks
from minitensor.backend.errors import DeviceError
from minitensor.backend.host import source

KERNELS = """
__global__ void reversed(const float* x, float* y) {
    __shared__ float tile[256];
    tile[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    y[threadIdx.x] = tile[255 - threadIdx.x];
}
__global__ void neighbours(const float* x, float* y) {
    const float value = x[threadIdx.x];
    y[threadIdx.x] = __shfl_xor_sync(0xffffffffu, value, 1);
    y[threadIdx.x] += __shfl_down_sync(0xffffffffu, value, 4, 8);
}
__global__ void votes(const int* x, int* y) {
    const int odd = x[threadIdx.x] % 2;
    y[threadIdx.x * 4] = __ballot_sync(0xffffffffu, odd);
    y[threadIdx.x * 4 + 1] = __any_sync(0xffffffffu, x[threadIdx.x] == 5);
    y[threadIdx.x * 4 + 2] = __all_sync(0xffffffffu, x[threadIdx.x] < 64);
    y[threadIdx.x * 4 + 3] = __syncthreads_count(odd);
}
__global__ void half_a_warp(const float* x, float* y) {
    float value = x[threadIdx.x];
    if (threadIdx.x % 32 < 16) value = __shfl_xor_sync(0x0000ffffu, value, 1);
    else value = __shfl_xor_sync(0xffff0000u, value, 2);
    y[threadIdx.x] = value;
}
__global__ void counted(const int* bins, int* counts) { atomicAdd(&counts[bins[threadIdx.x]], 1); }
__global__ void halves(const half_t* x, half_t* y) {
    y[threadIdx.x] = half_t(float(x[threadIdx.x]) / 3);
}
__global__ void where_am_i(int* y) {
    const int block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    const int thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    y[block * blockDim.x * blockDim.y * blockDim.z + thread] = block * 1000 + thread;
}
__global__ void never_written(float* y) {
    __shared__ float tile[64];
    DYNAMIC_SHARED(float, more);
    if (blockIdx.x == 1) tile[threadIdx.x] = 1;  // else g++ takes it for a constant zero
    y[threadIdx.x] = tile[threadIdx.x];
    y[64 + threadIdx.x] = more[threadIdx.x];
}
__global__ void reads_past(const float* x, float* y) {
    y[threadIdx.x] = x[threadIdx.x + 1];  // reads_past
}
__global__ void writes_past(float* y) {
    y[threadIdx.x + 1] = 1;  // writes_past
}
__global__ void writes_before(float* y) {
    y[int(threadIdx.x) - 1] = 1;  // writes_before
}
__global__ void shared_past(float* y) {
    __shared__ float tile[64];
    tile[threadIdx.x] = 1;
    y[threadIdx.x] = tile[threadIdx.x + 1];  // shared_past
}
__global__ void dynamic_past(float* y) {
    DYNAMIC_SHARED(float, tile);
    tile[threadIdx.x] = 1;
    y[threadIdx.x] = tile[threadIdx.x + 4];  // dynamic_past
}
__global__ void shared_far_past(float* y) {
    __shared__ float tile[64];
    float* at = tile;
    asm volatile("" : "+r"(at));  // no array any more, whose bounds g++ knows
    at[1500] = 1;  // shared_far_past
    y[0] = tile[threadIdx.x];
}
__global__ void skips_barrier(float* y) {
    if (threadIdx.x >= 10) return;
    __syncthreads();  // skips_barrier
    y[threadIdx.x] = 1;
}
__global__ void wrong_mask(float* y) {
    y[threadIdx.x] = __shfl_xor_sync(0x0000ffffu, 1.0f, 16);  // wrong_mask
}
__global__ void not_in_mask(float* y) {
    y[threadIdx.x] = __shfl_xor_sync(0x0000fffeu, 1.0f, 1);  // not_in_mask
}
__global__ void alone_in_warp(float* y) {
    if (threadIdx.x % 32 < 16)
        y[threadIdx.x] = __shfl_xor_sync(0xffffffffu, 1.0f, 1);  // alone_in_warp
}
__global__ void misaligned(const float* x, float* y) {
    *reinterpret_cast<float4*>(y) = *reinterpret_cast<const float4*>(x + 1);  // misaligned
}
__global__ void misaligned_pack(const float* x, float* y) {
    store_pack(y, load_pack<4>(x + 1));  // misaligned_pack
}
__global__ void overflows(const int* x, int* y) {
    y[0] = x[0] * x[0];  // overflows
}
__global__ void divides(const int* x, int* y) {
    y[0] = x[0] / x[1];  // divides
}
__global__ void never_waits(const float* x, float* y) {
    __shared__ float tile[64];
    copy_async<4>(&tile[threadIdx.x], x + threadIdx.x, true);  // never_waits
    copy_async_commit();
    y[threadIdx.x] = 0;
}
__global__ void endless(float* y) {
    volatile int go = 1;
    while (go) y[threadIdx.x] += 1;
}
__global__ void two_barriers(float* y) {
    if (threadIdx.x < 32)
        __syncthreads();
    else
        __syncthreads();
    y[threadIdx.x] = 1;
}
__global__ void deep(float* y) {
    volatile float big[30000];
    for (int i = 0; i < 30000; ++i) big[i] = i;
    y[0] = big[29999];
}
"""
NAMES = re.findall(r"__global__ void (\w+)", KERNELS)


@pytest.fixture(scope="module")
def functions():
    listed = "".join(f"KERNEL({name});\n" for name in NAMES)
    text = f'{source.flat("reduce_splits.cu")}\n#line 1 "written.cu"\n{KERNELS}{listed}'
    return Library(build.library("written.cu", text)).functions


def zeros(*shape, dtype=np.float32):
    return np.zeros(shape, dtype)


ONES = np.ones(64, np.float32)


# ----- what CUDA promises -----


@pytest.mark.parametrize("name", ORDERS)
def test_a_barrier_separates_writes_from_reads_in_every_order(functions, name):
    x, y = np.arange(256, dtype=np.float32), zeros(256)
    with order(name):
        functions["reversed"]((1,), (256,), (x, y))
    np.testing.assert_array_equal(y, x[::-1])


@pytest.mark.parametrize("name", ORDERS)
def test_shuffles_read_the_other_lane_within_their_width(functions, name):
    x, y = np.arange(64, dtype=np.float32), zeros(64)
    with order(name):
        functions["neighbours"]((1,), (64,), (x, y))
    lane = np.arange(64)
    down = np.where(lane % 8 < 4, lane + 4, lane)  # out of the group of 8: one's own
    np.testing.assert_array_equal(y, (lane ^ 1) + down)


def test_votes_count_a_warp_or_a_block(functions):
    y = zeros(64, 4, dtype=np.int32)
    functions["votes"]((1,), (64,), (np.arange(64, dtype=np.int32), y))
    assert set(y[:, 0].view(np.uint32)) == {0xAAAAAAAA}  # the odd lanes
    assert y[:32, 1].all()  # lane 5 has the five
    assert not y[32:, 1].any()
    assert y[:, 2].all()
    assert set(y[:, 3]) == {32}


def test_two_halves_of_a_warp_may_shuffle_apart(functions):
    y = zeros(32)
    functions["half_a_warp"]((1,), (32,), (np.arange(32, dtype=np.float32), y))
    lane = np.arange(32)
    np.testing.assert_array_equal(y, np.where(lane < 16, lane ^ 1, lane ^ 2))


def test_atomic_adds_lose_nothing(functions):
    counts = zeros(3, dtype=np.int32)
    functions["counted"]((4,), (96,), (np.arange(96, dtype=np.int32) % 3, counts))
    assert counts.tolist() == [128, 128, 128]


def test_half_t_rounds_as_numpys_float16(functions):
    x = np.array([1, 65504, 1e-7, -0.1, np.inf, np.nan], np.float16)
    y = zeros(6, dtype=np.float16)
    functions["halves"]((1,), (6,), (x, y))
    np.testing.assert_array_equal(y, (x.astype(np.float32) / 3).astype(np.float16))


def test_blocks_and_threads_are_numbered_x_first(functions):
    y = zeros(24, 12, dtype=np.int32)
    functions["where_am_i"]((2, 3, 4), (3, 2, 2), (y,))
    np.testing.assert_array_equal(y, 1000 * np.arange(24)[:, None] + np.arange(12))


def test_one_block_alone_can_be_run(functions):
    y = zeros(4, 2, dtype=np.int32)
    with only_blocks(2):
        functions["where_am_i"]((4,), (2,), (y,))
    assert y.tolist() == [[0, 0], [0, 0], [2000, 2001], [0, 0]]


def test_shared_memory_begins_as_nan(functions):
    y = zeros(128)
    functions["never_written"]((1,), (64,), (y,), shared_mem=256)
    assert np.isnan(y).all()


def test_an_array_that_is_passed_twice_is_one_array(functions):
    x = np.arange(256, dtype=np.float32)
    y = x.copy()
    functions["reversed"]((1,), (256,), (y, y))
    np.testing.assert_array_equal(y, x[::-1])


def test_inputs_are_not_copied_back():
    x = np.ones(256, np.float32)
    x.flags.writeable = False
    emulator.device.launch("reduce_splits<float>", 1, 256, x, zeros(256), 1, 256)
    assert (x == 1).all()


# ----- what CUDA forbids -----

MISUSES = {
    "reads_past": ("reads at byte 256 of argument 0, which has 256 bytes", (ONES, zeros(64))),
    "writes_past": ("writes at byte 256 of argument 0", (zeros(64),)),
    "writes_before": ("writes at byte -4 of argument 0", (zeros(64),)),
    "shared_past": ("index 64 is out of bounds", (zeros(64),)),
    "shared_far_past": ("touches shared memory past its end", (zeros(64),)),
    "dynamic_past": ("touches dynamic shared memory past its end", (zeros(64),)),
    "skips_barrier": ("10 of 64 threads wait at __syncthreads, which 54 others", (zeros(64),)),
    "wrong_mask": ("reads lane 16, which the mask 0000ffff leaves out", (zeros(16),)),
    "not_in_mask": ("the mask 0000fffe, which does not name it", (zeros(64),)),
    "alone_in_warp": (r"deadlock: 32 threads wait in a warp's __shfl_xor_sync", (zeros(64),)),
    "misaligned": ("no multiple of 16", (ONES, zeros(64))),
    "misaligned_pack": ("no multiple of 16", (ONES, zeros(64))),
    "overflows": ("a product overflows 'int'", (np.array([2**16], np.int32), zeros(1, dtype="i4"))),
    "divides": ("division by zero", (np.array([1, 0], np.int32), zeros(1, dtype=np.int32))),
    "never_waits": ("1 asynchronous copies were never waited for", (ONES, zeros(64))),
}


@pytest.mark.parametrize("name", MISUSES)
def test_a_misuse_is_told_with_line_block_and_thread(functions, name):
    words, arguments = MISUSES[name]
    threads = 16 if name == "wrong_mask" else 64
    with pytest.raises(KernelError, match=words) as caught:
        functions[name]((1,), (threads,), arguments, shared_mem=256 * (name == "dynamic_past"))
    marked = next(i for i, text in enumerate(KERNELS.split("\n"), 1) if f"// {name}" in text)
    assert f"{name}: written.cu:{marked}, block (0, 0, 0), thread (" in str(caught.value)


def test_ctrl_c_ends_a_kernel_that_does_not_end(functions):
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt, match=r"written\.cu:\d+, block .*interrupted"):
        functions["endless"]((1,), (32,), (zeros(64),))
    functions["reversed"]((1,), (256,), (np.ones(256, np.float32), zeros(256)))


def test_threads_at_two_barriers_are_told(functions):
    with pytest.raises(KernelError, match="waits at another __syncthreads, in line"):
        functions["two_barriers"]((1,), (64,), (zeros(64),))


def test_a_stack_that_overflows_is_told(functions):
    with pytest.raises(KernelError, match="overflows its stack"):
        functions["deep"]((1,), (1,), (zeros(1),))


@pytest.mark.parametrize("kind", build.VARIANTS)
def test_an_overflow_steps_over_no_guard(kind):
    """In a process of its own: without -fstack-clash-protection it would write anywhere."""
    child = [sys.executable, str(ROOT / "tests" / "support" / "stack_canary.py")]
    done = subprocess.run(child, env=environment(kind), capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    for kernel in ("a_large_array", "a_large_argument", "as_long_as_it_says", "deep_calls"):
        said = next(line for line in done.stdout.splitlines() if line.startswith(f"{kernel}: "))
        assert "thread (" in said, said
        assert said.endswith("overflows its stack: 0 bytes of the canary changed"), said


def test_without_memory_for_stacks_the_launch_fails_and_the_process_goes_on():
    child = [sys.executable, str(ROOT / "tests" / "support" / "stack_canary.py"), "little memory"]
    done = subprocess.run(child, env=environment("debug"), capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    assert "the system has no 65536 bytes for the stack of a thread: Cannot allocate" in done.stdout


def test_a_block_that_no_gpu_starts_is_refused(functions):
    with pytest.raises(KernelError, match="2048 threads in a block; a GPU has at most 1024"):
        functions["where_am_i"]((1,), (2048,), (zeros(2048, dtype=np.int32),))


def test_after_a_misuse_the_next_launch_is_right(functions):
    with pytest.raises(KernelError):
        functions["alone_in_warp"]((1,), (64,), (zeros(64),))
    x, y = np.arange(256, dtype=np.float32), zeros(256)
    functions["reversed"]((1,), (256,), (x, y))
    np.testing.assert_array_equal(y, x[::-1])


def test_a_failed_launch_changes_no_array(functions):
    y = zeros(64)
    with pytest.raises(KernelError):
        functions["writes_past"]((1,), (64,), (y,))
    assert not y.any()


def test_a_wrong_dtype_is_refused(functions):
    with pytest.raises(KernelError, match="argument 0 is an array of float64"):
        functions["reversed"]((1,), (256,), (np.zeros(256), zeros(256)))


def test_a_missing_argument_is_refused(functions):
    with pytest.raises(KernelError, match="got 1 arguments; takes 2"):
        functions["reversed"]((1,), (256,), (zeros(256),))


def test_more_shared_memory_than_was_asked_for_is_refused(functions):
    with pytest.raises(KernelError, match="max_dynamic_shared_size_bytes, 49152"):
        functions["never_written"]((1,), (64,), (zeros(128),), shared_mem=50000)


def test_an_unknown_order_is_refused():
    with pytest.raises(ValueError, match="got 'sideways'; legal: forward, reverse, random"):
        order("sideways").__enter__()


# ----- memory -----


def test_a_view_that_begins_between_packs_is_misaligned_as_on_a_gpu():
    x = np.zeros(261, np.float32)
    for first in (1, 2, 3):
        with pytest.raises(KernelError, match="no multiple of 16"):
            emulator.device.launch(
                "bias_activation<Linear, float, 4>",
                *(1, 256, x[first : first + 256], zeros(4), zeros(256), 1, 64),
            )


def test_a_small_region_is_used_again_and_a_large_one_goes_back_to_the_system():
    small, large = memory.take(100), memory.take(memory.KEPT + 1)
    mapped = Path("/proc/self/maps").read_text
    start = f"{large.start:x}-"
    assert start in mapped()
    memory.give(small)
    memory.give(large)
    assert memory.take(50) is small
    assert start not in mapped()


def test_an_argument_that_fits_nowhere_is_told():
    with pytest.raises(MemoryError, match=f"no {2**50 + mmap.PAGESIZE} bytes.*Cannot allocate"):
        memory.take(2**50)


# ----- building -----


def test_what_python_reads_of_a_declaration_is_what_the_compiler_reads():
    c_names = {"int": "int32", "long long": "int64", "unsigned char": "uint8", "Window": "struct48"}
    for file in source.files():
        compiled = Library(build.library(file, source.flat(file))).functions
        assert set(compiled) == set(source.instances(file))
        for name, function in compiled.items():
            read = [
                ("const " if p.const and p.pointer else "")
                + c_names.get(p.type, p.type)
                + ("*" if p.pointer else "")
                for p in source.kernel(name).parameters
            ]
            assert read == function.signature, name


def test_a_kernel_that_does_not_compile_shows_the_compilers_words():
    with pytest.raises(RuntimeError, match=r"broken\.cu:1"):
        build.library("broken.cu", '#line 1 "broken.cu"\n__global__ void k() { nonsense; }\n')


def test_without_a_compiler_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(DeviceError, match=r"g\+\+ and objcopy not found.*build-essential"):
        build.library("other.cu", "// not built yet\n")


def test_an_unknown_build_is_refused(monkeypatch):
    monkeypatch.setenv("MINITENSOR_EMULATOR", "fast")
    with pytest.raises(ValueError, match="MINITENSOR_EMULATOR=fast; legal: checked, debug"):
        build.variant()
