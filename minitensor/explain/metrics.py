"""How well a kernel uses memory: requests of warps, counted from the trace as the hardware would.

A request is one instruction of one warp: the accesses of up to 32 threads that do it the n-th time
since the block's last barrier.

    global memory   moves sectors of 32 bytes; efficiency = bytes asked for / (32 sectors)
    shared memory   has 32 banks of 4 bytes; a wavefront serves one word of each bank, to any number
                    of threads. 8 bytes a thread are served in two halves of the warp, 16 in four.

The names are Nsight Compute's. Arrays are taken to begin at multiples of 256 bytes, as cudaMalloc
has it. What this leaves out: caches, the write buffers, replays of atomics.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from minitensor.backend.emulator.trace import within
from minitensor.explain.gpus import Work
from minitensor.explain.watch import Launch, Place

WARP, SECTOR, BANKS, WORD, WIDEST = 32, 32, 32, 4, 16  # threads; bytes; banks; bytes; bytes
SHARED = "shared"
APART = 2**40  # between the arrays, in the addresses that are compared


@dataclass(frozen=True)
class Traffic:
    """What one source line does with global or with shared memory, in the blocks that were traced.

    Args:
        place: (file, line); None where the compiler tells none.
        kind: "load" or "store".
        memory: the array, or "shared".
        requests: instructions of warps.
        threads: accesses of threads.
        sectors: of 32 bytes, of all requests together; global memory.
        bytes: asked for, what several threads of a request ask for counted once; global memory.
        wavefronts, ideal: of all requests together, and without conflicts; shared memory.
    """

    place: Place | None
    kind: str
    memory: str
    requests: int
    threads: int
    sectors: int = 0
    bytes: int = 0
    wavefronts: int = 0
    ideal: int = 0

    @property
    def sectors_per_request(self) -> float:
        """32 threads that read neighbouring float32 ask for 4."""
        return self.sectors / self.requests

    @property
    def efficiency(self) -> float:
        """The part of what is moved that was asked for."""
        return self.bytes / (self.sectors * SECTOR) if self.sectors else 1.0

    @property
    def conflicts(self) -> float:
        """Wavefronts for each that there would be without conflicts."""
        return self.wavefronts / self.ideal if self.ideal else 1.0

    @property
    def lanes(self) -> float:
        """Threads of a warp that take part, in the mean."""
        return self.threads / self.requests

    @property
    def is_shared(self) -> bool:
        """Whether it is the block's own memory."""
        return self.memory == SHARED


def traffic(launch: Launch) -> list[Traffic]:
    """What the lines of a kernel do with each array and with shared memory, as the source goes."""
    records = located(launch)
    names = [SHARED, *(array.span.name for array in launch.arrays)]
    where = np.where(records["is_shared"] == 1, 0, records["address"] // APART)
    lines = []
    for number, memory in enumerate(names):
        for write, kind in enumerate(("load", "store")):
            some = records[(where == number) & (records["is_write"] == write)]
            for place, of in _by_place(launch, some):
                lines.append(_measured((place, kind, memory), some[of]))
    return sorted(lines, key=lambda line: line.place or ("", 0))


def moved(launch: Launch) -> dict[str, int]:
    """Bytes of each array that the launch touches, in whole sectors: once for loads and for stores.

    Where only some blocks were traced, as many more as there are blocks, up to the whole arrays.
    """
    total: dict[str, int] = {}
    for array in launch.arrays:
        some = launch.of(array)
        sectors = (
            np.unique(some["address"][some["is_write"] == write] // SECTOR) for write in (0, 1)
        )
        touched = sum(min(len(s) * SECTOR * launch.scale, array.span.size) for s in sectors)
        total[array.span.name] = round(touched)
    return total


def reuse(launch: Launch, lines: list[Traffic]) -> dict[str, float]:
    """How often a byte of an array that is touched is asked of L2: sectors of requests, of all."""
    asked: Counter[str] = Counter()
    for line in lines:
        asked[line.memory] += line.sectors * SECTOR
    return {
        name: asked[name] * launch.scale / touched
        for name, touched in moved(launch).items()
        if touched
    }


def work(launch: Launch, lines: list[Traffic], instructions: float = 0) -> Work:
    """What the whole launch does, by which `gpus.bounds` tells its time.

    Args:
        launch: it.
        lines: `traffic(launch)`.
        instructions: of its inner loop, counted by `chip.Chip`; 0 where they are not known.
    """
    blocks = prod(launch.grid) / launch.traced
    done = {kind: count * blocks for kind, count in (launch.operations or {}).items()}
    return Work(
        arrays=sum(moved(launch).values()),
        sectors=sum(line.sectors for line in lines) * launch.scale,
        wavefronts=sum(line.wavefronts for line in lines) * launch.scale,
        instructions=instructions,
        **done,
    )


def located(launch: Launch) -> Any:
    """The records of arrays and of shared memory; what an array is found at counts from its start.

    The fields: address, bytes, instruction, warp (over all blocks), lane, is_write, is_shared, and
    times: how often the thread has done the instruction since which barrier.
    """
    records = launch.records
    block = _linear(records["block"], launch.grid)
    thread = _linear(records["thread"], launch.block)
    address = records["address"].astype(np.int64)
    known = records["is_shared"] == 1
    for number, array in enumerate(launch.arrays, 1):
        inside = within(records, array.span)
        address[inside] += number * APART - array.span.address
        known |= inside
    warps = -(-int(np.prod(launch.block)) // WARP)
    fields = {
        "address": address,
        "bytes": records["bytes"].astype(np.int64),
        "instruction": records["instruction"].astype(np.int64),
        "warp": block * warps + thread // WARP,
        "lane": thread % WARP,
        "is_write": records["is_write"],
        "is_shared": records["is_shared"],
        # A copy's load and its store are one instruction.
        "times": _times(
            block * warps * WARP + thread,
            2 * records["instruction"] + records["is_write"],
            records["round"],
        ),
    }
    table = np.empty(len(records), [(name, np.int64) for name in fields])
    for name, values in fields.items():
        table[name] = values
    return _in_words(table[known])


def _linear(index: Any, extent: tuple[int, ...]) -> Any:
    x, y, z = index.astype(np.int64).T
    return x + extent[0] * (y + extent[1] * z)


def _times(thread: Any, instruction: Any, round: Any) -> Any:
    """For each record, its round, and how many before it are of the same thread and instruction.

    Lanes that join a loop late are so counted with those of the same round.
    """
    order = np.lexsort((np.arange(len(thread)), round, instruction, thread))
    same = np.zeros(len(thread), bool)
    if len(thread):
        keys = np.stack([key[order].astype(np.int64) for key in (thread, instruction, round)])
        same[1:] = (np.diff(keys, axis=1) == 0).all(0)
    place = np.arange(len(thread))
    start = np.maximum.accumulate(np.where(same, 0, place))
    times = np.empty(len(thread), np.int64)
    times[order] = place - start
    return (round.astype(np.int64) << 24) + times  # no more records than that are kept


def _in_words(records: Any) -> Any:
    """Accesses of more than 16 bytes as the several instructions that they are."""
    parts = -(-records["bytes"] // WIDEST)
    if not len(parts) or parts.max() == 1:
        return records
    which = np.repeat(np.arange(len(records)), parts)
    number = np.arange(len(which)) - np.repeat(np.cumsum(parts) - parts, parts)
    split = records[which].copy()
    split["address"] += number * WIDEST
    split["bytes"] = np.minimum(split["bytes"] - number * WIDEST, WIDEST)
    split["times"] = split["times"] * parts.max() + number
    return split


def _by_place(launch: Launch, records: Any) -> list[tuple[Place | None, Any]]:
    """The source lines, and which records are theirs."""
    of: defaultdict[Place | None, Any] = defaultdict(lambda: np.zeros(len(records), bool))
    for instruction in np.unique(records["instruction"]):
        of[launch.places.get(int(instruction))] |= records["instruction"] == instruction
    return list(of.items())


def _measured(what: tuple[Place | None, str, str], records: Any) -> Traffic:
    keys = np.stack([records["warp"], records["instruction"], records["times"]])
    requests, which = np.unique(keys, axis=1, return_inverse=True)
    which = which.reshape(-1)
    some = Traffic(*what, requests.shape[1], len(records))
    if some.is_shared:
        wavefronts, ideal = _wavefronts(which, records)
        return replace(some, wavefronts=wavefronts, ideal=ideal)
    sectors, asked = _sectors(which, records)
    return replace(some, sectors=sectors, bytes=asked)


def _sectors(request: Any, records: Any) -> tuple[int, int]:
    """How many, and the bytes that are asked for."""
    first = records["address"] // SECTOR
    last = (records["address"] + records["bytes"] - 1) // SECTOR
    both = np.concatenate([[request, first], [request, last]], axis=1)
    asked = np.unique(np.stack([request, records["address"], records["bytes"]]), axis=1)
    return int(np.unique(both, axis=1).shape[1]), int(asked[2].sum())


def _wavefronts(request: Any, records: Any) -> tuple[int, int]:
    """How many, and how many without conflicts, which is one for each phase of a request.

    A phase needs as many as its busiest bank has different words.
    """
    phase = records["lane"] * records["bytes"].clip(WORD) // (WARP * WORD)
    words = records["bytes"].clip(WORD) // WORD
    spread = np.repeat(np.arange(len(records)), words)
    number = np.arange(len(spread)) - np.repeat(np.cumsum(words) - words, words)
    word = records["address"][spread] // WORD + number
    different = np.unique(np.stack([request[spread], phase[spread], word]), axis=1)
    bank = different.copy()
    bank[2] %= BANKS
    banks, busy = np.unique(bank, axis=1, return_counts=True)
    phases, where = np.unique(banks[:2], axis=1, return_inverse=True)
    most = np.zeros(phases.shape[1], np.int64)
    np.maximum.at(most, where.reshape(-1), busy)
    return int(most.sum()), int(phases.shape[1])
