"""The one door that chooses where an op runs: by the type of its arrays.

Each backend is a module with the same names and signatures; `numpy` is the definition that the
others are compared with. A backend is imported when one of its arrays first comes, a library that
the user did not import never; arrays of two backends in one op are an error, never a silent copy.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from minitensor.backend import devices
from minitensor.backend import numpy as _numpy  # `host` is a package beside it
from minitensor.backend.protocol import Backend
from minitensor.backend.text import Text

# The package that defines an array's type -> the backend that computes on it.
_BACKENDS = {
    "numpy": "numpy",
    "ml_dtypes": "numpy",
    "minitensor.backend.text": "numpy",
    "cupy": "cuda",
    "minitensor.backend.emulator": "emulator",
}


def of(*arrays: Any) -> Backend:
    """The backend that all `arrays` belong to.

    Raises:
        TypeError: an array belongs to no backend, or two arrays belong to different ones.
    """
    found = {*map(_of_type, map(type, arrays))} or {_numpy}
    if len(found) > 1:
        raise TypeError(
            f"arrays of the backends {' and '.join(sorted(be.name for be in found))} meet in one "
            "op; move one of them with minitensor.to_device"
        )
    return found.pop()


def owner(value: Any) -> Backend | None:
    """The backend of an array that lies on a GPU or emulator; None for all else."""
    name = _backend_name(type(value).__module__)
    return None if name in (None, "numpy") else _load(name)


def current() -> Backend:
    """The backend that new tensors are made on: that of the innermost `device` block, or NumPy."""
    kind = devices.chosen()
    return _numpy if kind is None else devices.backend(kind)


def moved(array: Any, target: Backend) -> Any:
    """The same numbers as an array of the backend `target`; text stays where it is."""
    source = of(array)
    return (
        array if source is target or type(array) is Text else target.asarray(source.to_numpy(array))
    )


@cache
def _of_type(kind: type) -> Backend:
    name = _backend_name(kind.__module__)
    if name is None:
        raise TypeError(f"no backend computes on {kind.__name__}; legal: NumPy and CuPy arrays")
    return _load(name)


@cache
def _backend_name(module: str) -> str | None:
    named = (name for at, name in _BACKENDS.items() if f"{module}.".startswith(f"{at}."))
    return next(named, None)


@cache
def _load(name: str) -> Backend:
    return import_module(f"minitensor.backend.{name}")
