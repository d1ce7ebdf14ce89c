"""IDX, the file format of MNIST and Fashion-MNIST, read strictly.

    0 0 type axes | size of each axis, 4 bytes each, big-endian | the elements, row by row

Only unsigned bytes (type 8) are read, plain or packed by gzip, which is told by content and not
by name. A file must hold exactly what its header promises: nothing is guessed or repaired.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np

from minitensor.data.bounded import Readable, read_up_to, unpacked

_UNSIGNED_BYTE = 8
_MOST = 600 << 20  # bytes; EMNIST's largest file has 547 MB


def read_idx(path: str | Path, axes: int) -> np.ndarray:
    """The array in one IDX file of unsigned bytes.

    Args:
        path: the file, plain or packed by gzip.
        axes: how many axes it must have: 3 for images (N, H, W), 1 for labels (N,).

    Returns:
        uint8, shape as the file's header says.

    Raises:
        ValueError: it is no such file, is cut short, damaged, or has bytes left over.
        OSError: it cannot be opened.

    Example:
        >>> import minitensor as tf
        >>> from pathlib import Path
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "labels-idx1-ubyte"
        >>> _ = file.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]))
        >>> tf.data.read_idx(file, axes=1)
        array([7, 2, 1], dtype=uint8)

    Source: the description that comes with the MNIST database (LeCun, Cortes and Burges)
    """
    file = Path(path)
    with unpacked(file) as stream:
        return _read(stream, file, axes)


def read_idx_images(images: str | Path, labels: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, H, W) and their labels (N,) from two IDX files of unsigned bytes.

    Raises:
        ValueError: a file is damaged, or they hold different numbers of examples.
        OSError: a file cannot be opened.
    """
    pixels, values = read_idx(images, axes=3), read_idx(labels, axes=1)
    if len(pixels) != len(values):
        raise ValueError(
            f"{images} holds {len(pixels)} images but {labels} holds {len(values)} labels; "
            "they must be one for one"
        )
    return pixels, values


def _read(stream: Readable, file: Path, axes: int) -> np.ndarray:
    magic = stream.read(4)
    expected = bytes([0, 0, _UNSIGNED_BYTE, axes])
    if magic != expected:
        raise ValueError(
            f"{file}: not an IDX file of unsigned bytes with {axes} axes: it starts with "
            f"{magic.hex(' ') or 'nothing'} where {expected.hex(' ')} is expected"
        )
    header = stream.read(4 * axes)
    if len(header) < 4 * axes:
        raise ValueError(f"{file}: cut short in its header of {4 + 4 * axes} bytes")
    shape = struct.unpack(f">{axes}I", header)
    if 0 in shape:
        raise ValueError(f"{file}: its header promises the shape {shape}, which is empty")
    promised = math.prod(shape)
    body = read_up_to(stream, min(promised, _MOST) + 1)
    if len(body) > _MOST:
        raise ValueError(f"{file}: more than {_MOST} bytes, which no data set read here has")
    if len(body) != promised:
        what = "cut short" if len(body) < promised else "bytes left over"
        raise ValueError(
            f"{file}: {what}: its header promises {promised} bytes, shape {shape}; "
            f"it has {'more' if what == 'bytes left over' else len(body)}"
        )
    return np.frombuffer(bytes(body), np.uint8).reshape(shape)
