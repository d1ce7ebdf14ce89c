"""What several data sets share: the four IDX files of MNIST and its like, the CIFAR archives."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from minitensor.data import search_paths
from minitensor.data.cifar import Kind, read_cifar
from minitensor.data.download import Remote
from minitensor.data.idx import read_idx_images
from minitensor.keras.engine import defaults

Part = tuple[np.ndarray, np.ndarray]
Parts = tuple[Part, Part]


def read_folder(folder: Path) -> Parts:
    """(images, labels) to learn from and to test on, from train-* and t10k-*, packed or not."""
    return _part(folder, "train"), _part(folder, "t10k")


def _part(folder: Path, part: str) -> Part:
    names = f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"
    return read_idx_images(*(_file(folder, name) for name in names))


def _file(folder: Path, name: str) -> Path:
    for file in (folder / f"{name}.gz", folder / name):
        if file.is_file():
            return file
    raise ValueError(f"{folder}: the file {name}.gz (or {name}) is missing in it")


def load_cifar(
    path: str | Path | None, kind: Kind, label: str, names: tuple[str, ...], remote: Remote
) -> Parts:
    """The images, with channels where `keras.config` wants them, and labels (N, 1)."""
    source = search_paths.find(names) if path is None else Path(path)
    source = source or search_paths.fetch(kind.title, [remote], "", names)
    (x_train, y_train), (x_test, y_test) = read_cifar(source, kind, label)
    y_train, y_test = y_train[:, np.newaxis], y_test[:, np.newaxis]  # (N, 1)
    if defaults.image_data_format() == "channels_first":
        x_train, x_test = (x.transpose(0, 3, 1, 2) for x in (x_train, x_test))  # (N, 3, 32, 32)
    return (x_train, y_train), (x_test, y_test)
