"""`minitensor trace FILE`: what `minitensor kernel ... --save FILE` wrote, shown again, anywhere.

The file holds the records, the lines that they stand in and the numbers of small arrays: neither
the kernel nor a compiler is needed to read it. It is a .npz without pickled objects.
"""

from __future__ import annotations

import argparse
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from minitensor.backend.emulator.trace import ACCESS, Span
from minitensor.backend.host import source
from minitensor.explain.watch import Argument, Launch
from minitensor.extras import require
from minitensor.files import atomic_write

MOST = 2**30  # bytes of all that is read into memory


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    from minitensor.explain import kernel

    parser.add_argument("file", type=Path, help="that `minitensor kernel ... --save` wrote")
    kernel.add_views(parser)


def run(args: argparse.Namespace) -> int:
    """Shows it."""
    from minitensor.explain import kernel

    require("minitensor trace", "rich", extra="parity")
    kernel.check_views(args)
    return kernel.show(load(args.file), args)


def save(launches: list[Launch], path: Path) -> None:
    """Writes launches to a file."""
    arrays: dict[str, Any] = {}
    told = []
    for number, launch in enumerate(launches):
        arrays[f"records{number}"] = launch.records
        for i, array in enumerate(launch.arrays):
            if array.values is not None:
                arrays[f"values{number}.{i}"] = array.values.view(np.uint8).reshape(-1)
        told.append(_told(launch))
    arrays["launches"] = np.frombuffer(json.dumps(told).encode(), np.uint8)
    with atomic_write(path) as fresh, fresh.open("wb") as file:
        np.savez_compressed(file, **arrays)


def load(path: Path) -> list[Launch]:
    """The launches of a file.

    Raises:
        ValueError: it is none that `save` wrote, or holds too much.
        OSError: it cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as packed:
            if (size := sum(entry.file_size for entry in packed.infolist())) > MOST:
                raise ValueError(f"{path}: {size} bytes, at most {MOST} are read")
        with np.load(path, allow_pickle=False) as arrays:
            told = json.loads(bytes(arrays["launches"]))
            return [_launch(one, number, arrays) for number, one in enumerate(told)]
    except (zipfile.BadZipFile, KeyError, TypeError, EOFError, json.JSONDecodeError) as problem:
        raise ValueError(f"{path}: no trace that `minitensor kernel ... --save` wrote") from problem


def _told(launch: Launch) -> dict[str, Any]:
    kernel = launch.kernel
    return {
        "kernel": kernel.name,
        "program": [kernel.file, kernel.program.text, kernel.program.instances],
        **{name: getattr(launch, name) for name in ("grid", "block", "shared", "traced")},
        "accesses": launch.accesses,
        "operations": launch.operations,
        "arrays": [
            [*vars(array.span).values(), array.shape, array.dtype.name, array.constant]
            for array in launch.arrays
        ],
        "places": list(launch.places.items()),
        "texts": dict(launch.texts),
    }


def _launch(told: dict[str, Any], number: int, arrays: Any) -> Launch:
    records = arrays[f"records{number}"]
    if records.dtype != ACCESS or records.ndim != 1:
        raise KeyError("records")
    file, text, instances = told["program"]
    program = source.Program(file, text, tuple(instances))
    of = []
    for i, (name, address, size, shape, dtype, constant) in enumerate(told["arrays"]):
        array = Argument(Span(name, address, size), tuple(shape), np.dtype(dtype), constant)
        if (key := f"values{number}.{i}") in arrays:
            array = replace(array, values=arrays[key].view(array.dtype).reshape(array.shape))
        of.append(array)
    return Launch(
        source.Kernel(told["kernel"], program, 0, ()),
        tuple(told["grid"]),
        tuple(told["block"]),
        told["shared"],
        tuple(of),
        records,
        told["traced"],
        told["accesses"],
        told["operations"],
        {instruction: (place[0], place[1]) for instruction, place in told["places"]},
        told["texts"],
    )
