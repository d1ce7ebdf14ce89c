"""Who computes a call: plain NumPy, or the kernels of `compiled`, which numba compiles.

The choice depends on the size of the call, the dtype and what is installed, on no number: the same
call gives the same bits again. To load numba takes a moment, so small programs never do.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import numpy as np

from minitensor.backend.settings import pinned_algorithm
from minitensor.extras import install

LARGE = 2**20  # multiply-adds from which on a compiled kernel repays what its call costs
FEW_PLACES = 200  # fewer and tiles, for which a kernel is packed, read it too often
COMPILED = ("tile", "winograd")  # the algorithms that take numba


def compiled(work: int, dtype: Any) -> Any:
    """The room of compiled kernels for a call of so many multiply-adds; None: NumPy computes it.

    Raises:
        ValueError: one of `COMPILED` is pinned, and cannot be had here.
    """
    if not work or np.dtype(dtype).char not in "fd":
        return None
    pinned = pinned_algorithm()
    if pinned in COMPILED:
        room, lack = _room()
        if room is None:
            raise ValueError(f"algorithm({pinned!r}) was pinned, which numba compiles, and {lack}")
        return room
    return _room_by_default() if pinned is None and work >= LARGE else None


@cache
def _room_by_default() -> Any:
    """The room, unless somebody does not want it, or it is not to be had: then one line says so."""
    if os.environ.get("MINITENSOR_COMPILED") == "0" or os.environ.get("NUMBA_DISABLE_JIT") == "1":
        return None
    room, lack = _room()
    if room is None:
        import logging

        # With no logging set up it is one line on the standard error.
        logging.getLogger("minitensor").warning("minitensor computes with NumPy alone: %s", lack)
    return room


@cache
def _room() -> tuple[Any, str]:
    """The room of compiled kernels, seen to work; or None, and what is the matter."""
    from importlib.util import find_spec

    if find_spec("numba") is None:
        return None, f"there is no numba, which makes it several times as fast: {install('fast')}"
    try:
        from minitensor.backend.numpy import compiled as room

        room.probe()
    except Exception as problem:  # whatever a broken numba or LLVM raises
        return None, f"numba does not work here ({type(problem).__name__}: {problem})"
    return room, ""
