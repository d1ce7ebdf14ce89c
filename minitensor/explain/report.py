"""What `minitensor kernel` prints of one launch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from minitensor.backend.emulator.trace import at, within
from minitensor.explain import metrics
from minitensor.explain.chip import Chip, chip
from minitensor.explain.gpus import GPUS, bounds, occupancy, waves
from minitensor.explain.watch import Argument, Index, Launch

MIX = 6  # opcodes that are named; the others are counted together
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
    """Every access of the thread that writes `output`, with the numbers where they are known.

    What two loads of a line that multiplies have brought is multiplied, and summed up.
    """
    block, thread = writer(launch, output)
    _print(_headline(launch))
    element, many = _element(_target(launch), output), len(launch.writers(_target(launch), output))
    _print(f"{element} is computed by block {block}, thread {thread}:")
    if many > 1:
        _print(f"  {many} threads write {element}; what follows is done by this one alone")
    table = _narrow("line", "access", "value", "product", "sum so far")
    before: tuple[Any, str, float] | None = None  # place, array and number of the last load
    total = 0.0
    for record in launch.doing(block, thread):
        place, (array, what) = launch.place(record), _what(launch, record)
        if not what:
            continue
        numbers = _numbers(array, record)
        product = ""
        one = (place, what.partition("[")[0], numbers[0]) if len(numbers) == 1 else None
        if before and one and before[0] == place and before[1] != one[1]:
            if "*" in launch.code(place):
                product = f"{before[2] * one[2]:.6g}"
                total += before[2] * one[2]
            one = None
        before = None if record["is_write"] else one
        value = ", ".join(f"{number:.6g}" for number in numbers)
        kind = "store" if record["is_write"] else "load"
        table.add_row(at(place), f"{kind} {what}", value, product, product and f"{total:.6g}")
    _print(table)


def show_metrics(launch: Launch, gpu: str) -> None:
    """What each line asks of memory; then the launch on a GPU, or on all that are known."""
    from rich.markup import escape

    _print(_headline(launch))
    lines = metrics.traffic(launch)
    table = _narrow("line", "access", "requests", "lanes", "sectors", "eff.", "wavefronts")
    for line in lines:
        table.add_row(
            at(line.place),
            f"{line.kind} {line.memory}",
            f"{line.requests * launch.scale:,.0f}",
            f"{line.lanes:.1f}",
            "" if line.is_shared else f"{line.sectors_per_request:.1f}",
            "" if line.is_shared else f"{line.efficiency:.0%}",
            f"{line.conflicts:.2f}" if line.is_shared else "",
        )
    _print(table)
    _print(
        "  In the mean of a warp's requests: its lanes at work, sectors of 32 bytes, the\n"
        "  part of them asked for; wavefronts for each that there were without conflicts."
    )
    for place in sorted({line.place for line in lines if line.place}):
        _print(f"  {at(place)}  {escape(launch.code(place))}", crop=True)
    _print("\n".join(_totals(launch, lines)))
    names = [gpu] if gpu else list(GPUS)
    chips = {name: chip(launch, lines, GPUS[name].arch) for name in names}
    _print("\n".join(_compiled(chips)))
    _print(_prediction(launch, lines, chips))
    _print(
        "  Registers; bytes spilled; blocks of an SM at once, theoretical occupancy, what\n"
        "  limits it; waves of the grid; microseconds, what binds, what is next."
    )


def _totals(launch: Launch, lines: list[metrics.Traffic]) -> Iterator[str]:
    """Operations for each byte, and how often each array is asked for."""
    work = metrics.work(launch, lines)
    kinds = {"single": "FP32", "double": "FP64", "half": "tensor FP16", "tf32": "tensor TF32"}
    done = {words: n for kind, words in kinds.items() if (n := getattr(work, kind))}
    if launch.operations is None:
        yield "  FLOPs are not counted on this processor: only x86-64's instructions are read"
    else:
        yield f"  FLOPs: {', '.join(f'{n:,.0f} {words}' for words, n in done.items()) or 0}"
        intensity = work.operations / max(work.arrays, 1)
        yield f"  arithmetic intensity: {intensity:.2f} FLOP/byte; arrays: {work.arrays:,} bytes"
    times = (f"{name} {n:.1f}" for name, n in metrics.reuse(launch, lines).items())
    yield f"  asked of L2 for each byte touched: {', '.join(times) or 'nothing'}"


def _compiled(chips: dict[str, Chip]) -> Iterator[str]:
    """The inner loop of each architecture, or what is lacking, once."""
    told = set()
    for name, found in chips.items():
        arch = GPUS[name].arch
        if found.lack and found.lack not in told:
            yield f"  {found.lack}"
        elif not found.lack and arch not in told:
            yield from _inner_loop(arch, found)
        told |= {found.lack or arch}


def _inner_loop(arch: str, found: Chip) -> Iterator[str]:
    """Where it stands, and its mix of instructions."""
    if not found.loop:
        yield f"  {arch}: no loop is left, all is unrolled"
        return
    most = found.mix.most_common(MIX)
    rest = len(found.loop) - sum(count for _, count in most)
    words = [f"{count} {code}" for code, count in most] + [f"{rest} others"] * bool(rest)
    yield f"  {arch}: inner loop, {at(found.place)}: {len(found.loop)} instructions"
    yield f"    {', '.join(words)}"


def _prediction(launch: Launch, lines: list[metrics.Traffic], chips: dict[str, Chip]) -> Any:
    """Occupancy, waves, and the time that what is done takes at least."""
    work = metrics.work(launch, lines)
    columns = ("regs", "spill", "blocks", "limited by", "waves", "us", "bound")
    title = f"{work.sectors:,.0f} sectors, {work.wavefronts:,.0f} wavefronts"
    table = _narrow("GPU", *columns, title=title)
    for name, built in chips.items():
        gpu = GPUS[name]
        found = occupancy(gpu, prod(launch.block), built.registers, built.shared + launch.shared)
        times = bounds(gpu, replace(work, instructions=built.instructions))
        (bound, most), (second, next_) = list(times.items())[:2]
        filled = waves(gpu, prod(launch.grid), max(found.blocks, 1))
        known = (str(built.registers), str(built.spilled)) if built.registers else ("?", "?")
        table.add_row(
            *(name, *known, f"{found.blocks}, {found.part:.0%}", found.limit, f"{filled:.2f}"),
            *(f"{most:.3g}", f"{bound}\n{second} {next_ / max(most, 1e-9):.0%}"),
        )
    return table


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
    file = kernel.file if kernel.file.startswith("/") else f"kernels/{kernel.file}"
    blocks = prod(launch.grid)
    told = ""
    if launch.scale > 1:
        told = (
            f"\n  about {launch.accesses * blocks // launch.traced:,} accesses; traced: "
            f"{len(launch.records):,}, of {launch.traced:,} of {blocks:,} blocks"
        )
    return (
        f"[bold]{kernel.name}[/bold]  {file}\n"
        f"  grid {launch.grid}, block {launch.block}, "
        f"{launch.shared} bytes of dynamic shared memory{told}"
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


def _what(launch: Launch, record: Any) -> tuple[Argument | None, str]:
    """The array that an access touches, and in words what of it."""
    for array in launch.arrays:
        if 0 <= int(record["address"]) - array.span.address < array.span.size:
            return array, _span(array, record)
    return None, f"shared memory, {record['bytes']} bytes" if record["is_shared"] else ""


def _numbers(array: Argument | None, record: Any) -> list[float]:
    """What an access brings or leaves; none where the array changes, or none were kept."""
    if array is None or array.values is None or not (array.constant or record["is_write"]):
        return []
    first = (int(record["address"]) - array.span.address) // array.dtype.itemsize
    count = int(record["bytes"]) // array.dtype.itemsize
    some = array.values.reshape(-1)[first : first + count]
    return [float(number) for number in some]


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


def _narrow(*columns: str, title: str = "") -> Any:
    """A table without lines between its columns, for 80 characters."""
    from rich import box

    table = _table(*columns, title=title)
    table.box, table.pad_edge, table.show_edge = box.SIMPLE_HEAD, False, False
    table.padding = 0, 1, 0, 0
    table.columns[0].no_wrap = True
    return table


def _print(*things: Any, crop: bool = False) -> None:
    """What does not fit a line goes on in the next, or is cut off."""
    from rich.console import Console

    console = Console(highlight=False)
    if crop:
        console.print(*things, no_wrap=True, overflow="crop")
    else:
        console.print(*things)
