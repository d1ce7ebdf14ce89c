"""Which devices there are, what they are called, and on which one new tensors are made.

    CPU        backend.numpy       always there, and where tensors are made if nothing is said
    GPU        backend.cuda        needs CuPy, NVIDIA's driver and a GPU
    EMULATOR   backend.emulator    the GPU's kernels run on the CPU; needs g++ and objcopy

Names are TensorFlow's: "/GPU:0", "/device:GPU:0", "gpu" all mean the one GPU that CuPy chose.
A backend is imported when a device is first asked for; looking for a GPU asks the driver alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import import_module

from minitensor.backend.protocol import Backend
from minitensor.extras import install

BACKENDS = {"CPU": "numpy", "GPU": "cuda", "EMULATOR": "emulator"}  # device type -> backend
_NAME = re.compile(r"(/job:localhost/replica:0/task:0)?/?(device:)?(\w+?)(:0)?", re.IGNORECASE)

_chosen: ContextVar[str | None] = ContextVar("device", default=None)


class DeviceError(RuntimeError):
    """A device was asked for that this machine does not have; says what is missing."""


@contextmanager
def device(device_name: str | None) -> Iterator[None]:
    """Makes new tensors, variables and random numbers of the `with` block on one device.

    Ops run where their tensors are: a tensor made elsewhere is not moved (see `to_device`), and
    numbers, lists and NumPy arrays go to the tensor beside them. Each thread has its own block.

    Args:
        device_name: "/CPU:0", "/GPU:0" or "/EMULATOR:0", in any of TensorFlow's spellings; None
            undoes the blocks around this one.

    Returns:
        A context manager; blocks may be nested.

    Raises:
        ValueError: there is no device of that name.
        DeviceError: this machine lacks what the device needs; says what, and how to get it.

    Example:
        >>> import minitensor as tf
        >>> with tf.device("/CPU:0"):
        ...     tf.constant(1.0).device
        '/job:localhost/replica:0/task:0/device:CPU:0'

    Source: tf.device
    """
    kind = None if device_name is None else kind_of(device_name)
    if kind is not None:
        backend(kind)
    token = _chosen.set(kind)
    try:
        yield
    finally:
        _chosen.reset(token)


def chosen() -> str | None:
    """The device type of the innermost `device` block, or None outside of any."""
    return _chosen.get()


def kind_of(name: str) -> str:
    """The device type that one of TensorFlow's spellings means: "CPU", "GPU" or "EMULATOR"."""
    found = _NAME.fullmatch(name) if isinstance(name, str) else None
    kind = found[3].upper() if found else ""
    if kind not in BACKENDS:
        legal = ", ".join(f'"/{kind}:0"' for kind in BACKENDS)
        raise ValueError(f"device: got {name!r}; legal names are {legal}")
    return kind


def full_name(backend_name: str) -> str:
    """TensorFlow's long name of the device that a backend computes on."""
    return f"/job:localhost/replica:0/task:0/device:{kind_of_backend(backend_name)}:0"


def kind_of_backend(backend_name: str) -> str:
    """The device type that a backend computes on."""
    return next(kind for kind, name in BACKENDS.items() if name == backend_name)


@cache
def backend(kind: str) -> Backend:
    """The backend module of a device type.

    Raises:
        DeviceError: this machine lacks what it needs.
    """
    lack = lack_of(kind)
    if lack:
        raise DeviceError(f"there is no {kind} to compute on: {lack}")
    return import_module(f"minitensor.backend.{BACKENDS[kind]}")


def lack_of(kind: str) -> str:
    """What this machine lacks to compute on a device type, and how to get it; empty if nothing."""
    return _LACKS[kind]()


# ----- what is missing -----


def _lack_of_gpu() -> str:
    return _lack_of_cupy() or _lack_of_driver() or _lack_of_compiler()


def _lack_of_cupy() -> str:
    import sys
    from importlib.util import find_spec

    if "cupy" in sys.modules or find_spec("cupy"):
        return ""
    return f"CuPy is not installed; {install('gpu')} brings it"


def _lack_of_driver() -> str:
    import ctypes
    import sys

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
    from minitensor.backend.cuda import nvrtc

    try:
        nvrtc.library()
    except DeviceError as lack:
        return str(lack)
    return ""


def _lack_of_toolchain() -> str:
    import sys
    from shutil import which

    if sys.platform != "linux":
        return f"the emulator runs on Linux, and this is {sys.platform}"
    lacking = [program for program in ("g++", "objcopy") if not which(program)]
    if not lacking:
        return ""
    return f"{' and '.join(lacking)} not found; Debian's build-essential brings g++ and objcopy"


_INSTEAD = 'without a GPU, "/EMULATOR:0" runs the same kernels on the CPU'
_LACKS: dict[str, Callable[[], str]] = {
    "CPU": str,
    "GPU": _lack_of_gpu,
    "EMULATOR": _lack_of_toolchain,
}
