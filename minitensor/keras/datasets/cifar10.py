"""CIFAR-10: small colour photographs of ten kinds of things."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from minitensor.data.cifar import CIFAR10
from minitensor.data.download import Remote
from minitensor.keras.datasets.readers import Parts, load_cifar

_REMOTE = Remote(
    "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    "cifar-10-python.tar.gz",
)
_NAMES = (
    "cifar-10-batches-py",
    "cifar-10-batches-py-target/cifar-10-batches-py",  # as Keras 3 unpacks it
    "cifar-10-python.tar.gz",
    "cifar-10-batches-py.tar.gz",  # as Keras 2 calls it
    "cifar-10-batches-bin",
    "cifar-10-binary.tar.gz",
)


def load_data(path: str | Path | None = None) -> Parts:
    """Photographs of ten kinds of things: 50,000 to learn from and 10,000 to test on.

    Labels: 0 airplane, 1 automobile, 2 bird, 3 cat, 4 deer, 5 dog, 6 frog, 7 horse, 8 ship,
    9 truck.

    Args:
        path: the archive, or the folder with its files, of the Python or the binary version; None
            looks for it.

    Returns:
        (x_train, y_train), (x_test, y_test): images (N, 32, 32, 3) uint8 and labels (N, 1) uint8.

    Raises:
        ValueError: a file is damaged or missing; the message names it. Nothing in it is executed.
        OSError: there is none, and no network to bring it.

    Source: keras.datasets.cifar10.load_data; Krizhevsky, 2009
    """
    (x_train, y_train), (x_test, y_test) = load_cifar(path, CIFAR10, "labels", _NAMES, _REMOTE)
    return (x_train, y_train.astype(np.uint8)), (x_test, y_test.astype(np.uint8))
