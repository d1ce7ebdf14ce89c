"""Which devices there are, what they are called, and on which one new tensors are made.

    CPU        backend.numpy       always there, and where tensors are made if nothing is said
    GPU        backend.cuda        needs CuPy, NVIDIA's driver and a GPU
    EMULATOR   backend.emulator    the GPU's kernels run on the CPU; needs g++ and objcopy

Names are TensorFlow's: "/GPU:0", "/device:GPU:0", "gpu" all mean the one GPU that CuPy chose.
A backend is imported when its device is first asked for, and says itself what it lacks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import import_module
from typing import Any

from minitensor.backend.errors import DeviceError
from minitensor.backend.protocol import Backend

BACKENDS = {"CPU": "numpy", "GPU": "cuda", "EMULATOR": "emulator"}  # device type -> backend
_NAME = re.compile(r"(/job:localhost/replica:0/task:0)?/?(device:)?(\w+?)(:\d+)?", re.IGNORECASE)

logical = {"CPU": 1, "GPU": 1, "EMULATOR": 1}  # how many devices a program sees of each type

_chosen: ContextVar[str | None] = ContextVar("device", default=None)


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
    """The device type that one of TensorFlow's spellings means: "CPU", "GPU" or "EMULATOR".

    Raises:
        ValueError: there is no device of that name.
    """
    kind, number = kind_and_number(name)
    if number >= logical[kind]:
        raise _no_device(name)
    return kind


def kind_and_number(name: str) -> tuple[str, int]:
    """The device type and the number in one of TensorFlow's spellings, whether it is there or not.

    Raises:
        ValueError: there is no such type.
    """
    found = _NAME.fullmatch(name) if isinstance(name, str) else None
    kind = found[3].upper() if found else ""
    if found is None or kind not in BACKENDS:
        raise _no_device(name)
    return kind, int((found[4] or ":0")[1:])


def _no_device(name: Any) -> ValueError:
    legal = [f'"/{kind}:{n}"' for kind in BACKENDS for n in range(logical[kind])]
    return ValueError(f"device: got {name!r}; legal names are {', '.join(legal)}")


def full_name(backend_name: str) -> str:
    """TensorFlow's long name of the device that a backend computes on."""
    return full_name_of(kind_of_backend(backend_name))


def full_name_of(name: str) -> str:
    """TensorFlow's long name of a device in any spelling."""
    kind, number = kind_and_number(name)
    return f"/job:localhost/replica:0/task:0/device:{kind}:{number}"


def kind_of_backend(backend_name: str) -> str:
    """The device type that a backend computes on."""
    return next(kind for kind, name in BACKENDS.items() if name == backend_name)


@cache
def backend(kind: str) -> Backend:
    """The backend module of a device type.

    Raises:
        DeviceError: this machine lacks what it needs.
    """
    if lack := lack_of(kind):
        raise DeviceError(f"there is no {kind} to compute on: {lack}")
    return _module(kind)


def lack_of(kind: str) -> str:
    """What this machine lacks to compute on a device type, and how to get it; empty if nothing."""
    return _module(kind).lack()


@cache
def _module(kind: str) -> Backend:
    return import_module(f"minitensor.backend.{BACKENDS[kind]}")
