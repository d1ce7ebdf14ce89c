"""Arrays from an .npz file, read strictly: numbers and no pickles, none larger than it says."""

from __future__ import annotations

import math
import tokenize
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minitensor.data.bounded import MOST, read_up_to

_DAMAGE = (ValueError, KeyError, OSError, EOFError, RuntimeError, NotImplementedError)
_SYNTAX = (zipfile.BadZipFile, zlib.error, SyntaxError, tokenize.TokenError, TypeError)


def read_npz(path: str | Path, names: Sequence[str]) -> list[np.ndarray]:
    """The arrays of these names.

    Raises:
        ValueError: it is no such file, damaged, an array is missing or holds no integers or floats.
        OSError: it cannot be opened.

    Example:
        >>> from pathlib import Path
        >>> import numpy as np
        >>> from minitensor.data.npz import read_npz
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "two.npz"
        >>> np.savez(file, x=np.arange(3), y=np.zeros(1))
        >>> read_npz(file, ["x"])
        [array([0, 1, 2])]

    Source: numpy.lib.format
    """
    file = Path(path)
    with file.open("rb") as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                return [_array(archive, name) for name in names]
        except (*_DAMAGE, *_SYNTAX) as problem:
            words = problem.args[0] if isinstance(problem, KeyError) else problem
            raise ValueError(f"{file}: no readable .npz file: {words}") from None


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    entry = archive.getinfo(f"{name}.npy")
    if entry.file_size > MOST:
        raise ValueError(f"{name} has {entry.file_size} bytes, more than the {MOST} that are read")
    with archive.open(entry) as stream:
        shape, fortran, dtype = header(stream)
        if dtype.kind not in "iuf" or not all(n >= 0 for n in shape):
            raise ValueError(f"{name} holds {dtype} in the shape {shape}; numbers are expected")
        promised = math.prod(shape) * dtype.itemsize
        body = read_up_to(stream, min(promised, MOST) + 1)
    if len(body) != promised:
        raise ValueError(f"{name} promises {promised} bytes, shape {shape}, and has {len(body)}")
    return np.frombuffer(body, dtype).reshape(shape, order="F" if fortran else "C")


def header(stream: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, order of the axes, and type; NumPy parses literals only, and no long ones."""
    version = np.lib.format.read_magic(stream)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in read:
        raise ValueError(f"version {version} of NumPy's format")
    return read[version](stream)
