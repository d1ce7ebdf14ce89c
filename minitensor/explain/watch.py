"""Launches as they happened on the emulator: grid, arguments, and every load and store.

Threads are compared by what they did with arrays and with shared memory. Parameters and locals
are left out: a GPU keeps them in constant memory and registers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from minitensor.backend.emulator import device
from minitensor.backend.emulator.trace import Span, accesses, within
from minitensor.backend.host import source

Index = tuple[int, ...]


@dataclass(frozen=True)
class Argument:
    """An array that a kernel was given."""

    span: Span
    shape: Index
    dtype: np.dtype[Any]
    constant: bool

    def index(self, address: int) -> Index:
        """Which element lies at an address."""
        number = (int(address) - self.span.address) // self.dtype.itemsize
        return tuple(int(i) for i in np.unravel_index(number, self.shape))


@dataclass(frozen=True)
class Launch:
    """One launch and its accesses, in the order of the threads' work."""

    kernel: source.Kernel
    grid: Index
    block: Index
    shared: int  # bytes of dynamic shared memory
    arrays: tuple[Argument, ...]
    records: Any  # of trace.ACCESS

    def of(self, array: Argument) -> Any:
        """The records that touch one array."""
        return self.records[within(self.records, array.span)]

    def writers(self, array: Argument, element: Index) -> list[tuple[Index, Index]]:
        """(block, thread) of all that wrote an element."""
        number = int(np.ravel_multi_index(element, array.shape)) * array.dtype.itemsize
        records = self.of(array)
        start = records["address"].astype(np.int64) - array.span.address
        meets = (start <= number) & (number < start + records["bytes"])
        found = records[meets & (records["is_write"] == 1)]
        return sorted({(_three(r["block"]), _three(r["thread"])) for r in found})

    def doing(self, block: Index, thread: Index) -> Any:
        """The records of one thread."""
        records = self.records
        same = (records["block"] == block).all(-1) & (records["thread"] == thread).all(-1)
        return records[same]


def launches(run: Callable[[], Any], wanted: str) -> list[Launch]:
    """All launches of kernels whose name begins with `wanted` while `run` runs."""
    seen: list[Launch] = []

    def note(kernel: str, grid: Any, block: Any, shared: int, arguments: tuple[Any, ...]) -> None:
        records = accesses(device.function(kernel))  # taken from all, so that none is left behind
        if kernel.startswith(wanted):
            seen.append(_launch(kernel, grid, block, shared, arguments, records))

    with _noting(note):
        run()
    return seen


def names(run: Callable[[], Any], wanted: str) -> list[str]:
    """The names alone: any build of the kernels will do."""
    seen: list[str] = []
    with _noting(lambda kernel, *_: seen.append(kernel)):
        run()
    return [kernel for kernel in seen if kernel.startswith(wanted)]


@contextmanager
def _noting(note: Callable[..., None]) -> Iterator[None]:
    """Calls note(kernel, grid, block, shared, arguments) after each launch."""
    plain = device.launch

    def launch(kernel: str, grid: Any, block: Any, *arguments: Any, shared: int = 0) -> None:
        plain(kernel, grid, block, *arguments, shared=shared)
        note(kernel, grid, block, shared, arguments)

    device.launch = launch  # type: ignore[method-assign]
    try:
        yield
    finally:
        del device.launch  # the class's own again


def _launch(
    name: str, grid: Any, block: Any, shared: int, arguments: tuple[Any, ...], records: Any
) -> Launch:
    kernel, function = source.kernel(name), device.function(name)
    spans = {span[0]: Span(*span) for span in function.spans}
    arrays = [
        Argument(spans[parameter.name], argument.shape, argument.dtype, parameter.const)
        for parameter, argument in zip(kernel.parameters, arguments, strict=True)
        if isinstance(argument, np.ndarray) and parameter.name in spans
    ]
    return Launch(kernel, _three(grid), _three(block), shared, tuple(arrays), records)


def _three(extent: Any) -> Index:
    numbers = (extent,) if isinstance(extent, int) else tuple(int(n) for n in extent)
    return (*numbers, 1, 1)[:3]
