"""What the explorer's kernel panel shows: a convolution by three kernels, as the emulator ran it.

    python tests/support/record_launches.py     writes minitensor/explain/explorer/launches.json

(1, 8, 8, 8) convolved with 3 x 3 to 64 channels, SAME: one output by one thread; by a block that
shares tiles; by threads that keep 4 x 4 outputs in registers. Steps are those of one warp.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import Any

from minitensor.backend import emulator
from minitensor.explain import explore, launch_page, watch
from minitensor.explain.launch_cases import Problem, launch_cases

FILE = explore.PARTS / "launches.json"
KERNELS = ("conv_direct_forward", "conv_tiled<Forward", "conv_register<Forward")
PROBLEM = Problem(shape=(1, 8, 8, 8), filter=(3, 3, 64))
STEPS = 146  # all of the direct one


def launches() -> list[dict[str, Any]]:
    """What is shown of each."""
    os.environ["MINITENSOR_EMULATOR"] = "trace"
    return [_of(kernel) for kernel in KERNELS]


def _of(kernel: str) -> dict[str, Any]:
    case = replace(launch_cases(kernel)[0], problem=PROBLEM)
    (launch,) = watch.launches(lambda: case(emulator), kernel)
    found = launch_page.told(launch, warp=0)
    return {**found, "steps": found["steps"][:STEPS]}


if __name__ == "__main__":
    FILE.write_text(json.dumps(launches(), separators=(",", ":")) + "\n")
    print(f"wrote {FILE}")
