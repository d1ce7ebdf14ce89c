"""What CIFAR-10 and CIFAR-100 have in common: where they are, and how Keras lays them out."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from minitensor.data import places
from minitensor.data.cifar import Kind, read_cifar
from minitensor.data.download import Remote
from minitensor.keras.datasets.idx_folder import Parts
from minitensor.keras.engine import defaults


def load(
    path: str | Path | None, kind: Kind, label: str, names: tuple[str, ...], remote: Remote
) -> Parts:
    """The images, with channels where `keras.config` wants them, and labels (N, 1)."""
    place = places.found(names) if path is None else Path(path)
    if place is None:
        place = places.fetched(kind.title, [remote], "", names)
    (x_train, y_train), (x_test, y_test) = read_cifar(place, kind, label)
    y_train, y_test = y_train[:, np.newaxis], y_test[:, np.newaxis]  # (N, 1)
    if defaults.image_data_format() == "channels_first":
        x_train, x_test = (x.transpose(0, 3, 1, 2) for x in (x_train, x_test))  # (N, 3, 32, 32)
    return (x_train, y_train), (x_test, y_test)
