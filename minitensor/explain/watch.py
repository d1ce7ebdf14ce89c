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
    with _watched(seen, wanted):
        run()
    return seen


def names(run: Callable[[], Any], wanted: str) -> list[str]:
    """The names alone: any build of the kernels will do."""
    seen: list[str] = []
    plain = device.launch

    def launch(kernel: str, *arguments: Any, **settings: Any) -> None:
        plain(kernel, *arguments, **settings)
        if kernel.startswith(wanted):
            seen.append(kernel)

    device.launch = launch  # type: ignore[method-assign]
    try:
        run()
    finally:
        del device.launch
    return seen


@contextmanager
def _watched(seen: list[Launch], wanted: str) -> Iterator[None]:
    plain = device.launch

    def launch(kernel: str, grid: Any, block: Any, *arguments: Any, shared: int = 0) -> None:
        accesses(device.function(kernel))  # what was left behind
        plain(kernel, grid, block, *arguments, shared=shared)
        if kernel.startswith(wanted):
            seen.append(_launch(kernel, grid, block, shared, arguments))

    device.launch = launch  # type: ignore[method-assign]
    try:
        yield
    finally:
        del device.launch  # the class's own again


def _launch(name: str, grid: Any, block: Any, shared: int, arguments: tuple[Any, ...]) -> Launch:
    kernel, function = source.kernel(name), device.function(name)
    spans = {span[0]: Span(*span) for span in function.spans}
    arrays = [
        Argument(spans[parameter.name], argument.shape, argument.dtype, parameter.const)
        for parameter, argument in zip(kernel.parameters, arguments, strict=True)
        if isinstance(argument, np.ndarray) and parameter.name in spans
    ]
    records = accesses(function)
    return Launch(kernel, _three(grid), _three(block), shared, tuple(arrays), records)


def _three(extent: Any) -> Index:
    numbers = (extent,) if isinstance(extent, int) else tuple(int(n) for n in extent)
    return (*numbers, 1, 1)[:3]
