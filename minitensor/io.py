"""The mirror of tf.io: files as bytes, and the decoders of tf.image under their other names.

For all of them:
    Args: `filename`: the path, text or bytes. `name`: ignored.
    Source: tf.io, under the same name.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from minitensor.image.codec import decode_image, decode_jpeg, decode_png, encode_jpeg, encode_png

__all__ = [
    "decode_image", "decode_jpeg", "decode_png", "encode_jpeg", "encode_png", "read_file",
    "write_file",
]  # fmt: skip


def read_file(filename: Any, name: str | None = None) -> bytes:
    """A file's bytes.

    Returns:
        bytes; TensorFlow's are a string tensor.

    Raises:
        OSError: it cannot be opened.
    """
    return _path(filename).read_bytes()


def write_file(filename: Any, contents: Any, name: str | None = None) -> None:
    """Writes bytes into a file, in new folders if need be.

    Args:
        contents: bytes or text.

    Raises:
        OSError: it cannot be written.
    """
    path = _path(filename)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(contents.encode() if isinstance(contents, str) else contents)


def _path(filename: Any) -> Path:
    return Path(filename.decode() if isinstance(filename, bytes) else filename)
