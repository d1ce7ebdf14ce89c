"""`minitensor kernel ... --html FILE`: launches as one offline page, a request at a time.

Each shows the threads of a block beside the memory that a request of a warp touches, the sectors or
the banks, and the source with how many sectors and wavefronts each line asks for. The numbers are
those of `metrics.py`; the page only draws them.
"""

from __future__ import annotations

import json
from collections import Counter
from math import prod
from typing import Any

import numpy as np

from minitensor.backend.emulator.trace import at
from minitensor.explain import explore, metrics
from minitensor.explain.watch import Launch

STEPS = 400  # requests that one can step through; counts are of all


def page(launches: list[Launch]) -> str:
    """The page, one HTML text without a link to anywhere."""
    words = json.loads((explore.PARTS / "words.json").read_text(encoding="utf-8"))
    data = {
        "WORDS": {key: said for key, said in words.items() if key.startswith("launch_")},
        "LAUNCHES": [told(launch) for launch in launches],
        "state": {"lang": "en"},
    }
    return explore.joined("launch.html", data, ("tensor", "words", "launch"))


def told(launch: Launch, warp: int | None = None) -> dict[str, Any]:
    """What the page shows of a launch; of its steps all, or those of one warp of the grid."""
    lines = metrics.traffic(launch)
    loads = sum(line.threads for line in lines if line.kind == "load" and not line.is_shared)
    stores = sum(line.threads for line in lines if line.kind == "store" and not line.is_shared)
    return {
        "name": launch.kernel.name,
        "grid": launch.grid,
        "block": launch.block,
        "loads": f"{loads / max(stores, 1):.1f}",
        "traced": launch.traced,
        "blocks": prod(launch.grid),
        "arrays": [
            {"name": array.span.name, "itemsize": array.dtype.itemsize} for array in launch.arrays
        ],
        "source": _source(launch, lines),
        "steps": _steps(launch, warp),
    }


def _source(launch: Launch, lines: list[metrics.Traffic]) -> list[dict[str, Any]]:
    """The kernel's lines around those that touch memory, and what each asks for."""
    asked: Counter[tuple[str, int]] = Counter()
    for line in lines:
        if line.place:
            asked[line.place] += round((line.sectors + line.wavefronts) * launch.scale)
    shown = []
    for file in sorted({place[0] for place in asked}):
        numbers = [number for name, number in asked if name == file]
        text = launch.texts[file].splitlines()
        for number in range(max(min(numbers) - 12, 1), min(max(numbers) + 4, len(text)) + 1):
            place = file, number
            row = {"at": at(place), "text": text[number - 1], "asked": asked.get(place, 0)}
            shown.append(row)
    return shown


def _steps(launch: Launch, only: int | None) -> list[dict[str, Any]]:
    """The first requests of the traced blocks, in the order in which they began."""
    records = metrics.located(launch)
    records = records if only is None else records[records["warp"] == only]
    keys = np.stack([records[name] for name in ("warp", "instruction", "times")])
    _, first, which = np.unique(keys, axis=1, return_index=True, return_inverse=True)
    which = which.reshape(-1)
    order = np.argsort(first)[:STEPS]
    warps = -(-prod(launch.block) // metrics.WARP)
    start = np.argsort(which, kind="stable")
    ends = np.cumsum(np.bincount(which))
    shared_at = records["address"][records["is_shared"] == 1]
    base = int(shared_at.min()) // 4096 * 4096 if len(shared_at) else 0  # where it begins
    steps = []
    for number in order:
        some = records[start[ends[number - 1] if number else 0 : ends[number]]]
        one = some[0]
        shared = bool(one["is_shared"])
        address = some["address"] - base if shared else some["address"] % metrics.APART
        steps.append(
            {
                "at": at(launch.place(one)),
                "array": -1 if shared else int(one["address"] // metrics.APART) - 1,
                "block": int(one["warp"] // warps),
                "warp": int(one["warp"] % warps),
                "write": bool(one["is_write"]),
                "bytes": int(one["bytes"]),
                **({} if len(some) == metrics.WARP else {"lane": some["lane"].tolist()}),
                "address": _spaced(address.tolist()),
            }
        )
    return steps


def _spaced(numbers: list[int]) -> list[int] | dict[str, int]:
    """Numbers that are evenly spaced by their first and their distance."""
    step = numbers[1] - numbers[0] if len(numbers) > 1 else 0
    even = all(number == numbers[0] + i * step for i, number in enumerate(numbers))
    return {"first": numbers[0], "step": step} if even else numbers
