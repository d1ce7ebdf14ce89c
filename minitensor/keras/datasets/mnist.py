"""MNIST: handwritten digits, 28 by 28 pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from minitensor.data import search_paths
from minitensor.data.download import Remote
from minitensor.data.npz import read_npz
from minitensor.keras.datasets.readers import Parts, read_folder

_REMOTE = Remote(
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
    "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
    "mnist.npz",
)
_BYTE = np.dtype(np.uint8)


def load_data(path: str = "mnist.npz") -> Parts:
    """Handwritten digits: 60,000 to learn from and 10,000 to test on.

    Args:
        path: a file like Keras' mnist.npz, or a folder with MNIST's four IDX files; or the name of
            one in the folders where data sets are looked for.

    Returns:
        (x_train, y_train), (x_test, y_test): images (N, 28, 28) uint8, 0 black to 255 white, and
        labels (N,) uint8, 0 to 9.

    Raises:
        ValueError: a file is damaged or of another kind; the message names it.
        OSError: there is none, and no network to bring it.

    Example:
        >>> import minitensor as tf
        >>> import numpy as np
        >>> import os, tempfile
        >>> file = os.path.join(tempfile.mkdtemp(), "small.npz")
        >>> x, y = np.zeros((5, 28, 28), np.uint8), np.arange(5, dtype=np.uint8)
        >>> np.savez(file, x_train=x, y_train=y, x_test=x[:2], y_test=y[:2])
        >>> (x_train, y_train), (x_test, y_test) = tf.keras.datasets.mnist.load_data(file)
        >>> x_train.shape, y_test
        ((5, 28, 28), array([0, 1], dtype=uint8))

    Source: keras.datasets.mnist.load_data; LeCun, Cortes and Burges
    """
    names = [str(path), "mnist"]
    source = Path(path) if Path(path).exists() else search_paths.find(names)
    if source is None and Path(path).name != str(path):
        raise FileNotFoundError(f"MNIST: there is no file or folder {path}")
    source = source or search_paths.fetch("MNIST", [_REMOTE], "", names)
    return read_folder(source) if source.is_dir() else _from_npz(source)


def _from_npz(file: Path) -> Parts:
    x_train, y_train, x_test, y_test = read_npz(file, ["x_train", "y_train", "x_test", "y_test"])
    for x, y in ((x_train, y_train), (x_test, y_test)):
        if x.ndim != 3 or y.ndim != 1 or len(x) != len(y) or {x.dtype, y.dtype} != {_BYTE}:
            raise ValueError(
                f"{file}: images (N, H, W) and labels (N,) of bytes are expected, not {x.dtype} "
                f"{x.shape} and {y.dtype} {y.shape}"
            )
    return (x_train, y_train), (x_test, y_test)
