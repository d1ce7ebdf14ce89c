"""A compiled kernel, called under CuPy's rules: f(grid, block, args, shared_mem=0).

CuPy passes what it is given, bit for bit. Here every argument is compared with the real C++
signature first, arrays travel through guarded memory (memory.py), and what the engine reports
becomes a KernelError.
"""

from __future__ import annotations

import ctypes
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import prod
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from minitensor.backend.emulator import memory, schedule
from minitensor.backend.host.conversion import DTYPES, VECTORS

_NAMES = {  # what runtime/registry.h calls a type -> its dtype
    **{f"int{8 * n}": np.dtype(f"i{n}") for n in (1, 2, 4, 8)},
    **{f"uint{8 * n}": np.dtype(f"u{n}") for n in (1, 2, 4, 8)},
    **{name: DTYPES[name] for name in ("float", "double", "half_t")},
    "bool": np.dtype(bool),
}
MOST_THREADS = 1024  # of a block
_launching = Lock()  # the engine of a library has one state


_FLAGS = ("failed", "line", "has_thread", "is_write", "interrupted")


class KernelError(RuntimeError):
    """A kernel misused the machine; the message names kernel, line, block and thread."""


class _Three(ctypes.Structure):
    _fields_ = [(axis, ctypes.c_uint) for axis in "xyz"]

    def __iter__(self) -> Any:
        return iter((self.x, self.y, self.z))


class Launch(ctypes.Structure):
    """runtime/launch.h, field by field."""

    _fields_ = [
        *[(name, _Three) for name in ("grid", "size")],
        ("shared", ctypes.c_ulonglong),
        ("arguments", ctypes.c_void_p),
        ("order", ctypes.c_int),
        ("seed", ctypes.c_uint),
        ("only", ctypes.POINTER(ctypes.c_longlong)),
        ("blocks", ctypes.c_longlong),
        ("entry", ctypes.c_void_p),
        *[(name, ctypes.c_int) for name in _FLAGS],
        ("file", ctypes.c_char_p),
        *[(name, _Three) for name in ("block", "thread")],
        *[(name, ctypes.c_void_p) for name in ("address", "instruction")],
        *[(name, ctypes.c_ulonglong) for name in ("barriers", "collectives", "done")],
        ("message", ctypes.c_char * 512),
    ]


class Library:
    """One .cu, compiled: its kernels by name."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.c = ctypes.CDLL(str(path))
        self.c.emu_kernel_name.argtypes = self.c.emu_kernel_signature.argtypes = [ctypes.c_size_t]
        self.c.emu_kernel_name.restype = self.c.emu_kernel_signature.restype = ctypes.c_char_p
        self.c.emu_launch.argtypes = [ctypes.c_size_t, ctypes.POINTER(Launch)]
        self.functions: dict[str, Function] = {}
        while name := self.c.emu_kernel_name(len(self.functions)):
            number = len(self.functions)
            signature = self.c.emu_kernel_signature(number).decode().split(",")[:-1]
            self.functions[name.decode()] = Function(self, number, name.decode(), signature)


class Function:
    """One kernel of a library."""

    def __init__(self, library: Library, number: int, name: str, signature: list[str]) -> None:
        self.library, self.number, self.name, self.signature = library, number, name, signature
        self.max_dynamic_shared_size_bytes = 48 * 1024
        self.last: Launch | None = None  # which may be on its way: blocks done, barriers met
        self.names = [f"argument {i}" for i in range(len(signature))]
        self.spans: list[tuple[str, int, int]] = []  # its arrays: name, address, bytes

    def __call__(
        self, grid: Sequence[int], block: Sequence[int], args: Sequence[Any], shared_mem: int = 0
    ) -> None:
        if len(args) != len(self.signature):
            raise KernelError(
                f"{self.name}: got {len(args)} arguments; takes {len(self.signature)}"
            )
        if shared_mem > self.max_dynamic_shared_size_bytes:
            raise KernelError(
                f"{self.name}: {shared_mem} bytes of dynamic shared memory are over "
                f"max_dynamic_shared_size_bytes, {self.max_dynamic_shared_size_bytes}"
            )
        if (threads := prod(block)) > MOST_THREADS:
            raise KernelError(
                f"{self.name}: {threads} threads in a block; a GPU has at most {MOST_THREADS}"
            )
        self._run(grid, block, args, shared_mem, schedule.at_start())

    def _run(
        self,
        grid: Sequence[int],
        block: Sequence[int],
        args: Sequence[Any],
        shared: int,
        at_start: bool,
    ) -> None:
        """One launch; `at_start`: the arrays' starts, not their ends, lie at the guards."""
        with _GuardedArguments(at_start) as guarded:
            cells = [self._pass(i, value, guarded) for i, value in enumerate(args)]
            arrays = guarded.arrays()
            pointers = (ctypes.c_void_p * max(len(cells), 1))(*map(ctypes.addressof, cells))
            order, seed, only = schedule.now()
            launch = Launch(
                grid=_three(grid),
                size=_three(block),
                shared=shared,
                arguments=ctypes.addressof(pointers),
                order=order,
                seed=seed,
                only=(ctypes.c_longlong * len(only))(*only),
                blocks=len(only),
            )
            with _launching:
                self.last = launch
                self.library.c.emu_launch(self.number, launch)
            self.spans = [(array.name, array.address, array.size) for array in arrays]
            if launch.interrupted:
                raise KeyboardInterrupt(self._explain(launch, arrays))
            if launch.failed:
                raise KernelError(self._explain(launch, arrays))
            spoilt = next((array for array in arrays if not array.is_intact()), None)
            if spoilt is None:
                for array in arrays:
                    array.collect()
                return
        if at_start == schedule.at_start():  # the other way, to learn which thread it was
            self._run(grid, block, args, shared, not at_start)
        raise KernelError(f"{self.name}: wrote outside {spoilt.name} of {spoilt.size} bytes")

    def _pass(self, i: int, value: Any, guarded: _GuardedArguments) -> Any:
        """The cell that holds argument i while the kernel runs."""
        kind = self.signature[i]
        where = f"{self.name}: argument {i}"
        if isinstance(value, np.ndarray) and value.dtype.names is None:
            self._check_array(where, kind, value)
            constant = kind.startswith("const ")
            return ctypes.c_void_p(guarded.take(value, constant, self.names[i]).address)
        if isinstance(value, bool | int | float):  # what CuPy makes of Python's numbers
            value = np.asarray(value, np.int64 if isinstance(value, int) else np.float64)
        value = np.asarray(value)
        fits = (
            value.dtype == np.uintp  # a null pointer
            if kind.endswith("*")
            else f"struct{value.nbytes}" == kind or _NAMES.get(kind) == value.dtype
        )
        if not fits:
            raise KernelError(
                f"{where} is {value.dtype}, the kernel wants {kind}; on a GPU CuPy passes such "
                "bytes without a word"
            )
        return ctypes.create_string_buffer(value.tobytes(), max(value.nbytes, 8))

    def _check_array(self, where: str, kind: str, value: np.ndarray) -> None:
        target = kind.removeprefix("const ").removesuffix("*")
        numbers = VECTORS.values() if target.startswith("struct") else [_NAMES.get(target)]
        if not kind.endswith("*") or value.dtype not in numbers:
            raise KernelError(f"{where} is an array of {value.dtype}, the kernel wants {kind}")
        if not value.flags.c_contiguous:
            raise KernelError(
                f"{where} is a view with strides {value.strides}; on a GPU CuPy passes the "
                "pointer of its base without a word"
            )

    def _explain(self, launch: Launch, arrays: list[_GuardedArray]) -> str:
        """The engine's report in one sentence."""
        file, line = (launch.file or b"").decode(), launch.line
        message = launch.message.decode()
        if launch.instruction:
            file, line = places([launch.instruction]).get(launch.instruction, (file, line))
        if launch.address:
            message = _stray(launch, arrays)
            if message.endswith(_NOBODYS) and not launch.shared and _EXTERN in _text(file):
                message += (
                    f"; {_EXTERN} has 0 bytes in this launch: --shared BYTES, in Python shared="
                )
        place = f"{Path(file).name}:{line}, " if file else ""
        thread = f", thread {tuple(launch.thread)}" if launch.has_thread else ""
        return f"{self.name}: {place}block {tuple(launch.block)}{thread}: {message}"


class _GuardedArray:
    """An array on its way through guarded memory; sanitizers get the array itself."""

    def __init__(self, value: np.ndarray, name: str, at_start: bool) -> None:
        self.value, self.name, self.size = value, name, value.nbytes
        self.constant = True
        self._region = memory.take(value.nbytes) if memory.is_guarded() else None
        flat = value.reshape(-1).view(np.uint8)
        self.address = self._region.put(flat, at_start) if self._region else value.ctypes.data

    def is_intact(self) -> bool:
        """Whether nobody wrote around it."""
        return self._region is None or self._region.is_intact()

    def collect(self) -> None:
        """Copies the results back."""
        if self._region and not self.constant:
            self.value.reshape(-1).view(np.uint8)[:] = self._region.data()

    def release(self) -> None:
        """Lets the next launch have the memory."""
        if self._region:
            memory.give(self._region)


class _GuardedArguments:
    """The arrays of one launch; one that is passed twice is one."""

    def __init__(self, at_start: bool) -> None:
        self._at_start = at_start
        self._arrays: dict[tuple[int, int], _GuardedArray] = {}

    def __enter__(self) -> _GuardedArguments:
        return self

    def __exit__(self, *_: object) -> None:
        for array in self._arrays.values():
            array.release()

    def take(self, value: np.ndarray, constant: bool, name: str) -> _GuardedArray:
        """`value` in guarded memory."""
        key = value.ctypes.data, value.nbytes
        if key not in self._arrays:
            self._arrays[key] = _GuardedArray(value, name, self._at_start)
        self._arrays[key].constant &= constant
        return self._arrays[key]

    def arrays(self) -> list[_GuardedArray]:
        """All that were taken."""
        return list(self._arrays.values())


def _three(extent: Sequence[int]) -> _Three:
    return _Three(*(*extent, 1, 1, 1)[:3])


_NOBODYS, _EXTERN = "memory that is no argument's", "extern __shared__"


def _text(file: str) -> str:
    try:
        return Path(file).read_text()
    except OSError:
        return ""


def _stray(launch: Launch, arrays: list[_GuardedArray]) -> str:
    """Which array an access missed, and by how much."""
    verb = "writes" if launch.is_write else "reads"

    def distance(array: _GuardedArray) -> int:
        before = array.address - launch.address
        return int(max(before, launch.address - array.address - array.size + 1))

    if not arrays or distance(nearest := min(arrays, key=distance)) > 2**24:
        return f"{verb} {_NOBODYS}"
    at = launch.address - nearest.address
    return f"{verb} {beyond(at, nearest.name, nearest.size, nearest.value.itemsize)}"


def beyond(at: int, name: str, size: int, each: int) -> str:
    """Where an access outside of an array was: by bytes, and by elements of `each` bytes."""
    end = f"{size // each - 1} is the last" if at >= 0 else "0 is the first"
    element = f": element {at // each}, where {end}" * (size > 0)
    return f"at byte {at} of {name}, which has {size} bytes{element}"


def places(instructions: Iterable[int]) -> dict[int, tuple[str, int]]:
    """The kernels' lines, (file, line), that instructions belong to, of those that belong to any.

    addr2line reads the debug information, once for each library.
    """
    spans = []
    for mapping in Path("/proc/self/maps").read_text().splitlines():
        span, _, start, *_, path = [*mapping.split(maxsplit=5), ""][:6]
        if path.endswith(".so"):
            first, last = (int(end, 16) for end in span.split("-"))
            spans.append((first, last, int(start, 16), path))
    found: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for instruction in instructions:
        for first, last, offset, path in spans:
            if first <= instruction < last:
                found[path][instruction] = offset + instruction - first
    return {
        instruction: place
        for path, offsets in found.items()
        for instruction, place in zip(offsets, _addr2line(path, offsets.values()), strict=True)
        if place is not None
    }


def _addr2line(library: str, offsets: Iterable[int]) -> list[tuple[str, int] | None]:
    """Of each the innermost place in a .cu: what it was inlined into comes after it."""
    addresses = [hex(offset) for offset in offsets]
    command = ["addr2line", "-a", "-i", "-e", library, *addresses]
    try:
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return [None] * len(addresses)
    found: list[tuple[str, int] | None] = []
    for line in text.splitlines():
        file, _, number = line.split(" ")[0].rpartition(":")
        if line.startswith("0x"):
            found.append(None)
        elif found[-1] is None and number.isdigit() and "/runtime/" not in file:
            found[-1] = (file, int(number)) if file.endswith((".cu", ".cuh")) else None
    return found
