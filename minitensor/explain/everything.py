"""Launches every kernel at least once, on small sizes: what sanitizers and coverage watch.

    python -m minitensor.explain.everything [EMULATOR | GPU]

Results are compared with the NumPy twin's, so that a run that computes nothing cannot pass.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from minitensor.backend import devices
from minitensor.backend import numpy as twin
from minitensor.explain.recipes import RECIPES, Recipe


def run(device_type: str) -> list[str]:
    """What went wrong, one line per recipe that differs from its twin."""
    be = devices.backend(device_type)
    return [wrong for recipe in RECIPES if (wrong := _difference(be, recipe))]


def _difference(be: Any, recipe: Recipe) -> str:
    """Empty where all numbers agree up to the rounding of float16 and TF32 factors."""
    found = _arrays(recipe(be))
    expected = _arrays(recipe.run(twin, recipe.problem))
    for got, want in zip(found, expected, strict=True):
        got, want = be.to_numpy(got).astype(np.float64), want.astype(np.float64)
        error = np.abs(got - want).max(initial=0) / np.abs(want).max(initial=1)
        if not error < 1e-2:
            return f"{recipe.kernel} ({recipe.problem}): off by {error:.1e}"
    return ""


def _arrays(result: Any) -> list[Any]:
    return list(result) if isinstance(result, list | tuple) else [result]


if __name__ == "__main__":
    complaints = run(sys.argv[1] if len(sys.argv) > 1 else "EMULATOR")
    print(*complaints, f"{len(RECIPES)} recipes, {len(complaints)} differ", sep="\n")
    sys.exit(bool(complaints))
