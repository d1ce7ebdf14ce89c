"""The one door that chooses where an op runs: by the type of its arrays.

Each backend is a module with the same names and signatures; `numpy` is the definition that the
others are compared with. A library that the user did not import is never imported here, and
arrays of two backends in one op are an error, never a silent copy.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from minitensor.backend import numpy as _numpy

# Root module of an array's type -> name of the backend module that computes on it.
_HOMES = {"numpy": _numpy.__name__, "ml_dtypes": _numpy.__name__}


def of(*arrays: Any) -> ModuleType:
    """The backend that all `arrays` belong to.

    Raises:
        TypeError: an array belongs to no backend, or two arrays belong to different ones.
    """
    homes = {_home(array) for array in arrays}
    if len(homes) > 1:
        raise TypeError(
            f"arrays of different backends meet in one op: {sorted(homes)}; "
            "move one of them with minitensor.to_device"
        )
    return sys.modules[homes.pop()] if homes else _numpy


def _home(array: Any) -> str:
    root = type(array).__module__.partition(".")[0]
    if root not in _HOMES:
        raise TypeError(f"no backend computes on {type(array).__name__}; legal: NumPy arrays")
    return _HOMES[root]
