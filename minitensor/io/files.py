"""Files as text tensors, and numbers that are bytes.

For all of them:
    Args: `filename`: the path, as text, bytes or a string tensor. `name`: ignored.
    Source: tf.io, under the same name.
"""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import Any

import numpy as np

from minitensor import strings
from minitensor.autograd import Tensor, to_device_of
from minitensor.backend import text
from minitensor.backend.errors import InvalidArgumentError
from minitensor.dtypes import as_dtype
from minitensor.nn import checks

__all__ = ["decode_raw", "matching_files", "read_file", "write_file"]


def read_file(filename: Any, name: str | None = None) -> Tensor:
    """A file's bytes.

    Returns:
        A string tensor without axes.

    Raises:
        OSError: it cannot be opened.
    """
    return Tensor(text.of(_path(filename).read_bytes()))


def write_file(filename: Any, contents: Any, name: str | None = None) -> None:
    """Writes bytes into a file, in new folders if need be.

    Args:
        contents: bytes, text or a string tensor.

    Raises:
        OSError: it cannot be written.
    """
    path = _path(filename)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(strings.word("write_file", "contents", contents))


def _path(filename: Any) -> Path:
    if isinstance(filename, os.PathLike):
        return Path(filename)
    return Path(os.fsdecode(strings.word("io", "filename", filename)))


def matching_files(pattern: Any, name: str | None = None) -> Tensor:
    """The files whose names a pattern, or one of several, matches.

    Args:
        pattern: names with *, ? and [abc], which do not match a slash.

    Returns:
        (files,) text, sorted.
    """
    patterns = strings.words("matching_files", "pattern", pattern).ravel()
    return Tensor(text.of(sorted(found for one in patterns for found in matched(one))))


def matched(pattern: bytes) -> list[bytes]:
    """The names that one pattern matches, sorted; hidden files too, as in TensorFlow."""
    names = glob.glob(os.fsdecode(pattern), include_hidden=True)
    return sorted(os.fsencode(name) for name in names)


def decode_raw(
    input_bytes: Any,
    out_type: Any,
    little_endian: bool = True,
    fixed_length: int | None = None,
    name: str | None = None,
) -> Tensor:
    """The numbers whose bytes are those of a text.

    Args:
        input_bytes: text of any shape, all of one length if `fixed_length` is None.
        out_type: their element type.
        little_endian: whether the lowest byte comes first.
        fixed_length: bytes that are read of each text; shorter ones end with zeros. None for all.

    Returns:
        The shape of `input_bytes` with one axis more.

    Raises:
        ValueError: lengths differ, or hold no whole number of elements; `fixed_length` is below 1.

    Example:
        >>> import minitensor as tf
        >>> tf.io.decode_raw(b"\\x01\\x00\\x02\\x00", "int16").numpy()
        array([1, 2], dtype=int16)
    """
    kind = as_dtype(out_type)
    words = strings.words("decode_raw", "input_bytes", input_bytes)
    texts = words.ravel().tolist()
    if fixed_length is not None:
        most = checks.number("decode_raw", "fixed_length", fixed_length, 1)
        texts = [word[:most].ljust(most, b"\0") for word in texts]
    sizes = {len(word) for word in texts}
    if len(sizes) > 1:
        raise InvalidArgumentError(
            f"decode_raw: texts must have one length, or fixed_length be given; got {sorted(sizes)}"
        )
    size = sizes.pop() if sizes else fixed_length or 0
    if size % kind.itemsize:
        raise InvalidArgumentError(
            f"Input to DecodeRaw has length {size} that is not a multiple of {kind.itemsize}, the "
            f"size of {kind.name}"
        )
    order = kind.newbyteorder("<" if little_endian else ">")
    numbers = np.frombuffer(b"".join(texts), order).astype(kind)
    return to_device_of(numbers.reshape(*words.shape, size // kind.itemsize))
