"""The CUDA backend: hand-written kernels, compiled by NVRTC and launched through CuPy.

Same names and signatures as backend/numpy. Importing it needs neither CuPy nor a GPU; the first
array does, and says what is missing. Beyond the interface: `warm_up`, and graph.py's `capture`.
"""

from __future__ import annotations

from typing import Any

from minitensor.backend.cuda.device import CudaDevice
from minitensor.backend.host import source
from minitensor.backend.host.interface import bound

name = "cuda"
device = CudaDevice()
_functions = bound(device)
globals().update(_functions)
__all__ = sorted([*_functions, "name", "xp"])


def __getattr__(attribute: str) -> Any:
    if attribute == "xp":  # CuPy, imported when it is first asked for
        return device.xp
    raise AttributeError(f"backend.cuda has no {attribute}")


def warm_up() -> None:
    """Compiles and loads every kernel now, so that no later call waits for the compiler."""
    for file in source.files():
        device.load(file)
