"""Launches as they happened on the emulator: grid, arguments, and every load and store.

Threads are compared by what they did with arrays and with shared memory. Parameters and locals
are left out: a GPU keeps them in constant memory and registers.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np

from minitensor.backend.emulator import device
from minitensor.backend.emulator.arithmetic import operations
from minitensor.backend.emulator.kernel import Function, places
from minitensor.backend.emulator.schedule import only_blocks
from minitensor.backend.emulator.trace import Span, accesses, within
from minitensor.backend.host import source

Index = tuple[int, ...]
Place = tuple[str, int]  # file and line
MOST = 2 * 10**6  # accesses that are worth writing down: 100 MB
KEPT = 2**25  # bytes of an array whose numbers are kept


@dataclass(frozen=True)
class Argument:
    """An array that a kernel was given."""

    span: Span
    shape: Index
    dtype: np.dtype[Any]
    constant: bool
    values: Any = None  # what it held in the end; None of a large one

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
    traced: int  # blocks that ran, and whose accesses these are
    accesses: int  # of those blocks; more than there are records, if they were too many
    operations: Mapping[str, int] | None  # floating-point, of those blocks, by kind
    places: Mapping[int, Place]  # instruction of a record -> where it stands
    texts: Mapping[str, str]  # of the files of those places

    @property
    def scale(self) -> float:
        """How many times as much all blocks do as what the records tell."""
        told = max(len(self.records), 1) / max(self.accesses, 1)
        return prod(self.grid) / self.traced / told

    def place(self, record: Any) -> Place | None:
        """The line that an access stands in; None where the compiler tells none."""
        return self.places.get(int(record["instruction"]))

    def code(self, place: Place | None) -> str:
        """What stands there."""
        file, line = place or ("", 0)
        return [*self.texts.get(file, "").splitlines(), ""][line - 1].strip()

    def of(self, array: Argument) -> Any:
        """The records that touch one array."""
        return self.records[within(self.records, array.span)]

    def stores(self, array: Argument, element: Index) -> Any:
        """The records that write an element."""
        number = int(np.ravel_multi_index(element, array.shape)) * array.dtype.itemsize
        records = self.of(array)
        start = records["address"].astype(np.int64) - array.span.address
        meets = (start <= number) & (number < start + records["bytes"])
        return records[meets & (records["is_write"] == 1)]

    def writers(self, array: Argument, element: Index) -> list[tuple[Index, Index]]:
        """(block, thread) of all that wrote an element."""
        found = self.stores(array, element)
        return sorted({(_three(r["block"]), _three(r["thread"])) for r in found})

    def doing(self, block: Index, thread: Index) -> Any:
        """The records of one thread."""
        records = self.records
        same = (records["block"] == block).all(-1) & (records["thread"] == thread).all(-1)
        return records[same]


def launches(run: Callable[[], Any], wanted: str, blocks: int | None = None) -> list[Launch]:
    """All launches of kernels whose name begins with `wanted` while `run` runs.

    Of a grid that does more than is worth writing down only some blocks run, evenly spaced, after
    one that tells how much each does; of kernels that are not wanted one block does.

    Args:
        run: what launches them.
        wanted: the beginning of their names.
        blocks: how many are traced at most, however much they do.
    """
    seen: list[Launch] = []

    def traced(
        kernel: source.Kernel,
        launch: Callable[[], None],
        grid: Any,
        block: Any,
        shared: int,
        arguments: tuple[Any, ...],
    ) -> None:
        all_, function = prod(_three(grid)), device.function(kernel)
        ours = kernel.name.startswith(wanted)
        number = (all_ if blocks is None else min(blocks, all_)) if ours else 1
        if number > 1:
            with only_blocks(all_ // 2), _unchanged(arguments):
                launch()
            each = max(accesses(function)[1], 1)
            operations(function)  # of a trial
            if blocks is None:
                number = min(number, max(MOST // each, 1))
            if number < all_ or each * all_ > MOST:
                told = f"about {each * all_:,} accesses; tracing {number:,} of {all_:,} blocks"
                print(told + " (--blocks all for all)" * (number < all_), file=sys.stderr)
        chosen = _spread(all_, number)
        with only_blocks(*chosen), _progress(function, len(chosen)):
            launch()
        records, count = accesses(function)
        done = operations(function)
        if ours:
            how = kernel, grid, block, shared, arguments
            seen.append(_launch(*how, records, chosen, count, done))

    with _instead(traced):
        run()
    return seen


@contextmanager
def _progress(function: Function, blocks: int) -> Iterator[None]:
    """A bar on a terminal, after a second, that tells how many of the blocks have run."""
    from rich.console import Console
    from rich.progress import Progress

    console, over = Console(stderr=True), Event()

    def tell() -> None:
        if over.wait(1) or not console.is_terminal:
            return
        with Progress(console=console, transient=True) as bar:
            task = bar.add_task("tracing", total=blocks)
            while not over.wait(0.2):
                bar.update(task, completed=function.last.done if function.last else 0)

    teller = Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()


@contextmanager
def _unchanged(arguments: tuple[Any, ...]) -> Iterator[None]:
    """Puts back what arrays held: a kernel may add to them."""
    arrays = [value for value in arguments if isinstance(value, np.ndarray)]
    held = [array.copy() for array in arrays]
    yield
    for array, before in zip(arrays, held, strict=True):
        array[...] = before


def _spread(grid: int, number: int) -> tuple[int, ...]:
    """So many of the blocks of a grid, from the first to the last; one is the middle one."""
    if number == 1:
        return (grid // 2,)
    return tuple(sorted({round(i) for i in np.linspace(0, grid - 1, number)}))


def names(run: Callable[[], Any], wanted: str) -> list[str]:
    """The names alone: any build of the kernels will do."""
    seen: list[str] = []

    def noted(kernel: source.Kernel, launch: Callable[[], None], *_: Any) -> None:
        launch()
        seen.append(kernel.name)

    with _instead(noted):
        run()
    return [kernel for kernel in seen if kernel.startswith(wanted)]


@contextmanager
def _instead(act: Callable[..., None]) -> Iterator[None]:
    """Calls act(kernel, launch, grid, block, shared, arguments) instead of each launch."""
    plain = device.launch

    def launch(
        kernel: str | source.Kernel, grid: Any, block: Any, *arguments: Any, shared: int = 0
    ) -> None:
        declared = source.kernel(kernel) if isinstance(kernel, str) else kernel
        call = partial(plain, declared, grid, block, *arguments, shared=shared)
        act(declared, call, grid, block, shared, arguments)

    device.launch = launch  # type: ignore[method-assign]
    try:
        yield
    finally:
        del device.launch  # the class's own again


def _launch(
    kernel: source.Kernel,
    grid: Any,
    block: Any,
    shared: int,
    arguments: tuple[Any, ...],
    records: Any,
    chosen: tuple[int, ...],
    count: int,
    done: Mapping[str, int] | None,
) -> Launch:
    spans = {span[0]: Span(*span) for span in device.function(kernel).spans}
    arrays = [
        Argument(
            *(spans[parameter.name], argument.shape, argument.dtype, parameter.const),
            argument.copy() if argument.nbytes <= KEPT else None,  # a later launch may use it
        )
        for parameter, argument in zip(kernel.parameters, arguments, strict=True)
        if isinstance(argument, np.ndarray) and parameter.name in spans
    ]
    called = {int(n): int(n) - 1 for n in np.unique(records["instruction"])}  # before the return
    known = places(called.values())
    found = {after: known[call] for after, call in called.items() if call in known}
    texts = {file: Path(file).read_text() for file, _ in found.values()}
    how = kernel, _three(grid), _three(block), shared, tuple(arrays)
    return Launch(*how, records, len(chosen), count, done, found, texts)


def _three(extent: Any) -> Index:
    numbers = (extent,) if isinstance(extent, int) else tuple(int(n) for n in extent)
    return (*numbers, 1, 1)[:3]
