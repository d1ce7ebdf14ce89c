"""CIFAR-100: small colour photographs of a hundred kinds of things."""

from __future__ import annotations

from pathlib import Path

from minitensor.data.cifar import CIFAR100
from minitensor.data.download import Remote
from minitensor.keras.datasets.readers import Parts, load_cifar

_REMOTE = Remote(
    "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
    "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
    "cifar-100-python.tar.gz",
)
_NAMES = (
    "cifar-100-python",
    "cifar-100-python-target/cifar-100-python",  # as Keras 3 unpacks it
    "cifar-100-python.tar.gz",
    "cifar-100-binary",
    "cifar-100-binary.tar.gz",
)


def load_data(label_mode: str = "fine", path: str | Path | None = None) -> Parts:
    """Photographs of a hundred kinds of things: 50,000 to learn from and 10,000 to test on.

    Args:
        label_mode: "fine" for the 100 kinds, "coarse" for the 20 families they belong to.
        path: the archive, or the folder with its files, of the Python or the binary version; None
            looks for it.

    Returns:
        (x_train, y_train), (x_test, y_test): images (N, 32, 32, 3) uint8 and labels (N, 1) int64.

    Raises:
        ValueError: the mode is unknown, or a file is damaged or missing; the message names it.
            Nothing in it is executed.
        OSError: there is none, and no network to bring it.

    Source: keras.datasets.cifar100.load_data; Krizhevsky, 2009
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(
            f'`label_mode` must be one of `"fine"`, `"coarse"`. Received: label_mode={label_mode}.'
        )
    return load_cifar(path, CIFAR100, f"{label_mode}_labels", _NAMES, _REMOTE)
