"""What the GPU backend needs of a machine: CuPy, NVIDIA's driver, a GPU, NVRTC."""

from __future__ import annotations

import ctypes
import importlib.util
import sys

from minitensor.backend.cuda import nvrtc
from minitensor.backend.errors import DeviceError
from minitensor.extras import install

_INSTEAD = 'without a GPU, "/EMULATOR:0" runs the same kernels on the CPU'


def lack() -> str:
    """What this machine lacks to compute on a GPU, and how to get it; empty if nothing."""
    return _lack_of_cupy() or _lack_of_driver() or _lack_of_compiler()


def _lack_of_cupy() -> str:
    if "cupy" in sys.modules or importlib.util.find_spec("cupy"):
        return ""
    return f"CuPy is not installed; {install('gpu')} brings it"


def _lack_of_driver() -> str:
    library = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        driver = ctypes.CDLL(library)
    except OSError:
        return f"NVIDIA's driver ({library}) is not installed; {_INSTEAD}"
    count = ctypes.c_int(0)
    failed = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    if failed or not count.value:
        return f"NVIDIA's driver finds no GPU (is CUDA_VISIBLE_DEVICES set?); {_INSTEAD}"
    return ""


def _lack_of_compiler() -> str:
    try:
        nvrtc.library()
    except DeviceError as lack:
        return str(lack)
    return ""
