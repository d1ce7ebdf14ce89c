"""What `minitensor kernel` prints of one launch."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from minitensor.backend.emulator.kernel import line_of
from minitensor.backend.emulator.trace import within
from minitensor.explain.watch import Argument, Index, Launch

_COLUMNS = ("loads", "bytes", "shared loads", "shared stores", "stores")


def show(launch: Launch, rows: int, budget: dict[str, Any]) -> None:
    """The launch, its cost per thread, and the first rows of the thread -> output map."""
    _print(_headline(launch))
    for arch, figures in budget.items():
        _print(
            f"  {arch}: {figures['registers']} registers, {figures['shared']} bytes of static "
            f"shared memory, {figures['spill']} bytes spilled"
        )
    _print(_costs(launch))
    for array in launch.arrays:
        if not array.constant:
            _print(_map(launch, array, rows))


def show_output(launch: Launch, output: Index) -> None:
    """Every access of the thread that writes `output`."""
    block, thread = writer(launch, output)
    _print(_headline(launch))
    _print(f"{_element(_target(launch), output)} is computed by block {block}, thread {thread}:")
    table = _table("line", "access", "element")
    for record in launch.doing(block, thread):
        place = line_of(int(record["instruction"]) - 1)  # the call before the return
        where = f"{place[0].rpartition('/')[2]}:{place[1]}" if place else ""
        what = _what(launch, record)
        if what:
            table.add_row(where, "store" if record["is_write"] else "load", what)
    _print(table)


def has(launch: Launch, output: Index) -> bool:
    """Whether the launch writes an array that has such an element."""
    shape = _target(launch).shape
    return len(output) == len(shape) and all(0 <= i < n for i, n in zip(output, shape, strict=True))


def writer(launch: Launch, output: Index) -> tuple[Index, Index]:
    """(block, thread) of the last thread to write an output; a ValueError if none does."""
    array = _target(launch)
    if not has(launch, output):
        raise ValueError(f"--output {output}: {array.span.name} has the shape {array.shape}")
    found = launch.writers(array, output)
    if not found:
        raise ValueError(f"no thread of {launch.kernel.name} writes {_element(array, output)}")
    return found[-1]


def _target(launch: Launch) -> Argument:
    """The array that the kernel writes; the first if there are several."""
    return next(array for array in launch.arrays if not array.constant)


def _headline(launch: Launch) -> str:
    kernel = launch.kernel
    return (
        f"[bold]{kernel.name}[/bold]  kernels/{kernel.file}\n"
        f"  grid {launch.grid}, block {launch.block}, "
        f"{launch.shared} bytes of dynamic shared memory"
    )


def _costs(launch: Launch) -> Any:
    """Loads and stores per thread: least, mean, most over the threads that touched anything."""
    counts = _counts(launch)
    title = f"{len(counts)} threads at work"
    table = _table("per thread", "least", "mean", "most", title=title)
    for column, name in enumerate(_COLUMNS):
        numbers = counts[:, column]
        table.add_row(name, f"{numbers.min()}", f"{numbers.mean():.1f}", f"{numbers.max()}")
    return table


def _counts(launch: Launch) -> np.ndarray:
    """One row per thread, one column per entry of _COLUMNS."""
    records = launch.records
    ours = np.zeros(len(records), bool)
    for array in launch.arrays:
        ours |= within(records, array.span)
    records, ours = (v[ours | (records["is_shared"] == 1)] for v in (records, ours))
    write, shared = records["is_write"] == 1, records["is_shared"] == 1
    keys = np.concatenate([records["block"], records["thread"]], axis=1)
    threads, which = np.unique(keys, axis=0, return_inverse=True)
    which = which.reshape(-1)

    def total(mask: Any, weight: Any = None) -> Any:
        values = None if weight is None else weight[mask]
        return np.bincount(which[mask], values, len(threads)).astype(int)

    loads = ours & ~write
    columns = (
        *(total(loads), total(loads, records["bytes"])),
        *(total(shared & ~write), total(shared & write), total(ours & write)),
    )
    return np.stack(columns, axis=1)


def _map(launch: Launch, array: Argument, rows: int) -> Any:
    """Thread -> the elements of one array that it wrote."""
    written: dict[tuple[Index, Index], list[str]] = defaultdict(list)
    records = launch.of(array)
    for record in records[records["is_write"] == 1]:
        key = tuple(map(int, record["block"])), tuple(map(int, record["thread"]))
        written[key].append(_span(array, record))
    table = _table("block", "thread", f"writes {array.span.name} {array.shape}")
    for (block, thread), elements in sorted(written.items())[:rows]:
        shown = ", ".join(elements[:6]) + (f" and {len(elements) - 6} more" * (len(elements) > 6))
        table.add_row(str(block), str(thread), shown)
    table.caption = f"{min(rows, len(written))} of {len(written)} threads that write"
    return table


def _what(launch: Launch, record: Any) -> str:
    for array in launch.arrays:
        if 0 <= int(record["address"]) - array.span.address < array.span.size:
            return _span(array, record)
    return f"shared memory, {record['bytes']} bytes" if record["is_shared"] else ""


def _span(array: Argument, record: Any) -> str:
    """The elements that one access moves."""
    first = _element(array, array.index(record["address"]))
    count = int(record["bytes"]) // array.dtype.itemsize
    return first if count <= 1 else f"{first} and the next {count - 1}"


def _element(array: Argument, index: Index) -> str:
    return f"{array.span.name}[{', '.join(map(str, index))}]"


def _table(*columns: str, title: str = "") -> Any:
    from rich.table import Table

    return Table(*columns, title=title or None)


def _print(*things: Any) -> None:
    from rich.console import Console

    Console(highlight=False).print(*things)
