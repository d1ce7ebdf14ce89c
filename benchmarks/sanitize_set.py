"""A small set of launches that reaches every kernel: what the sanitizers watch.

    compute-sanitizer --tool racecheck python -m benchmarks.sanitize_set [--device gpu|emulator]

The launches are those of minitensor/explain/launch_cases.py; each result is compared with the NumPy
backend's. It ends with status 1 if one differs or an instance of a kernel was not reached.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import numpy as np

import minitensor as mt
from minitensor.backend import cuda, emulator
from minitensor.backend import numpy as twin
from minitensor.backend.host import source
from minitensor.backend.protocol import Backend
from minitensor.explain.launch_cases import LAUNCH_CASES, LaunchCase

BACKENDS: dict[str, Backend] = {"gpu": cuda, "emulator": emulator}
LARGE_TILES = (", 128, 128, ", ", 128, 64, ")  # only arrays of megabytes are given such tiles


def main() -> None:
    """Launches the set."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sanitize_set", description=__doc__)
    parser.add_argument("--device", choices=("gpu", "emulator"), default="gpu")
    kind = parser.parse_args().device
    with mt.device(kind):  # says what is missing
        be: Any = BACKENDS[kind]
    if kind == "gpu":  # without a pool an array ends where its memory ends, and memcheck sees it
        be.xp.cuda.set_allocator(None)
    wrong, reached = check(be)
    missed = sorted(wanted() - reached)
    for word, names in (("differs from NumPy", wrong), ("not reached", missed)):
        print(f"{word}: {'; '.join(names) or 'nothing'}")
    sys.exit(bool(wrong or missed))


def wanted() -> set[str]:
    """The kernels that the set should reach; no op launches those of wrappers.cu."""
    return {
        name
        for name, file in source.catalogue().items()
        if file != "wrappers.cu" and not any(tile in name for tile in LARGE_TILES)
    }


def check(be: Any) -> tuple[list[str], set[str]]:
    """The cases whose results differ from NumPy's, and the kernels that were launched."""
    reached: set[str] = set()
    launch = be.device.launch

    def watched(kernel: str, *arguments: Any, **settings: Any) -> None:
        reached.add(kernel)
        launch(kernel, *arguments, **settings)

    be.device.launch = watched
    try:
        wrong = [f"{r.kernel} {r.problem}" for r in LAUNCH_CASES if not _agrees(be, r)]
    finally:
        del be.device.launch
    return wrong, reached


def _agrees(be: Any, case: LaunchCase) -> bool:
    """Whether the device and NumPy give the same, to the digits of the least exact of them."""
    found, expected = _parts(case(be)), _parts(case.run(twin, case.problem))
    error = max(
        _distance(be.to_numpy(a), np.asarray(b)) for a, b in zip(found, expected, strict=True)
    )
    # Six half units in the last of 11 bits: a product of two rounded factors, summed and rounded.
    short = case.problem.dtype == "float16" or case.algorithm == "tensor"
    return error < (6 * 2.0**-11 if short else 1e-5)


def _parts(result: Any) -> list[Any]:
    return list(result) if isinstance(result, tuple | list) else [result]


def _distance(found: np.ndarray, expected: np.ndarray) -> float:
    """||found - expected|| / ||expected||; inf for NaN or another shape."""
    if found.shape != expected.shape:
        return float("inf")
    expected = expected.astype("float64")  # the square of a float16 overflows
    away, size = found - expected, float(np.linalg.norm(expected))
    distance = float(np.linalg.norm(away)) / max(size, 1e-30)
    return distance if np.isfinite(distance) else float("inf")


if __name__ == "__main__":
    main()
