"""The four IDX files in which MNIST and its like come."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from minitensor.data.idx import read_idx_images

Part = tuple[np.ndarray, np.ndarray]
Parts = tuple[Part, Part]
FILES = tuple(
    f"{part}-{kind}-ubyte.gz"
    for part in ("train", "t10k")
    for kind in ("labels-idx1", "images-idx3")
)


def read_folder(folder: Path) -> Parts:
    """(images, labels) to learn from and to test on, from train-* and t10k-*, packed or not.

    Raises:
        ValueError: a file is missing, damaged, or does not belong to the other.
    """
    return _part(folder, "train"), _part(folder, "t10k")


def _part(folder: Path, part: str) -> Part:
    names = f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"
    return read_idx_images(*(_file(folder, name) for name in names))


def _file(folder: Path, name: str) -> Path:
    for file in (folder / f"{name}.gz", folder / name):
        if file.is_file():
            return file
    raise ValueError(f"{folder}: the file {name}.gz (or {name}) is missing in it")
