"""A look-alike of tensorflow_datasets, for the few data sets that beginners' programs load with it.

    tf_flowers                          flower_photos/<class>/*.jpg in a folder of `search_paths.py`
    voc2007                             VOCdevkit/VOC2007, see `voc.py`
    mnist, fashion_mnist, cifar10, cifar100    as keras.datasets reads them

Nothing is converted or kept: files are read where they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from minitensor.data import search_paths, voc
from minitensor.data.dataset import Dataset

_FLOWERS = ["dandelion", "daisy", "tulips", "sunflowers", "roses"]  # the order of their labels
_URL = "https://storage.googleapis.com/download.tensorflow.org/example_images/flower_photos.tgz"
_VOC_URL = "http://host.robots.ox.ac.uk/pascal/VOC/voc2007/VOCtrainval_06-Nov-2007.tar"
_ARRAYS = ("mnist", "fashion_mnist", "cifar10", "cifar100")
_SLICE = re.compile(r"(\w+)(?:\[(?:(\d+)(%?))?:(?:(\d+)(%?))?\])?")


class Split:
    """Names of parts. Source: tfds.Split"""

    TRAIN = "train"
    TEST = "test"
    VALIDATION = "validation"


def load(
    name: str,
    *,
    split: Any = None,
    data_dir: Any = None,
    batch_size: int | None = None,
    shuffle_files: bool = False,
    download: bool = True,
    as_supervised: bool = False,
) -> Any:
    """A data set by its name.

    Args:
        name: "tf_flowers", "voc2007", "mnist", "fashion_mnist", "cifar10" or "cifar100".
        split: "train", "test", "train[:80%]", "train[100:]", or a list of them; None gives a
            dictionary of all.
        data_dir: a folder to look into first.
        batch_size: None for single elements.
        shuffle_files: mix the elements.
        download: ignored; what keras.datasets downloads is downloaded.
        as_supervised: elements (image, label) instead of {"image": ..., "label": ...}.

    Returns:
        A Dataset of uint8 images (H, W, C) and int64 labels, or a list or a dictionary of them.

    Raises:
        ValueError: another name or part.
        OSError: the files are nowhere.

    Source: tfds.load
    """
    kind = str(name).partition("/")[0].partition(":")[0]
    if kind not in (legal := [*_FOLDERS, *_ARRAYS]):
        raise ValueError(f"tfds.load: {name!r} is not read here; legal: {legal}")
    if kind == "voc2007" and as_supervised:
        raise ValueError("tfds.load: voc2007 has no one label for an image; as_supervised=False")
    parts = _FOLDERS[kind](data_dir) if kind in _FOLDERS else _arrays(kind)

    def one(part: str) -> Dataset:
        dataset = _chosen(part, parts)
        if shuffle_files:
            dataset = dataset.shuffle(len(dataset))
        if not as_supervised and kind != "voc2007":
            dataset = dataset.map(lambda image, label: {"image": image, "label": label})
        return dataset.batch(batch_size) if batch_size else dataset

    if split is None:
        return {part: one(part) for part in parts}
    return [one(part) for part in split] if isinstance(split, list | tuple) else one(split)


Parts = dict[str, tuple[int, Callable[[slice], Dataset]]]  # how many, and a function that cuts


def _chosen(split: Any, parts: Parts) -> Dataset:
    found = _SLICE.fullmatch(str(split))
    if not found or found[1] not in parts:
        raise ValueError(f"tfds.load: unknown split {split!r}; legal: {list(parts)}, 'train[:80%]'")
    total, cut = parts[found[1]]

    def position(number: str | None, percent: str | None, default: int) -> int:
        if number is None:
            return default
        return round(int(number) * total / 100) if percent else min(int(number), total)

    return cut(slice(position(found[2], found[3], 0), position(found[4], found[5], total)))


def _arrays(name: str) -> Parts:
    (x, y), (u, v) = import_module(f"minitensor.keras.datasets.{name}").load_data()

    def part(images: np.ndarray, labels: np.ndarray) -> tuple[int, Callable[[slice], Dataset]]:
        images = images if images.ndim == 4 else images[..., np.newaxis]  # (N, H, W, C)
        numbers = labels.reshape(-1).astype(np.int64)
        return len(images), lambda rows: Dataset.from_tensor_slices((images[rows], numbers[rows]))

    return {"train": part(x, y), "test": part(u, v)}


def _folder(name: str, url: str, data_dir: Any) -> Path:
    """The folder of this name, in `data_dir` or a folder of `search_paths.py`."""
    given = Path(data_dir) / name if data_dir else None
    folder = given if given and given.is_dir() else search_paths.find([name])
    if folder is None:
        looked = "\n  ".join(map(str, search_paths.folders()))
        raise OSError(
            f"the folder {name} is not on this machine. Unpack {url} into one of:\n  {looked}"
        )
    return folder


def _voc2007(data_dir: Any) -> Parts:
    folder = _folder("VOCdevkit", _VOC_URL, data_dir) / "VOC2007"

    def part(names: list[str]) -> tuple[int, Callable[[slice], Dataset]]:
        return len(names), lambda rows: voc.dataset(folder, names[rows])

    return {name: part(names) for name, names in voc.parts(folder).items()}


def _flowers(data_dir: Any) -> Parts:
    from minitensor.image.codec import read_image

    folder = _folder("flower_photos", _URL, data_dir)
    folders = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
    names = _FLOWERS if set(folders) <= set(_FLOWERS) else folders
    pairs = [
        (str(file), number)
        for number, name in enumerate(names)
        for file in sorted((folder / name).glob("*.jpg"))
    ]
    if not pairs:
        raise ValueError(f"{folder}: no <class>/*.jpg in it")
    order = np.random.default_rng(0).permutation(len(pairs))  # the classes mixed, always alike
    files, labels = [pairs[i][0] for i in order], np.array([pairs[i][1] for i in order], np.int64)

    def cut(rows: slice) -> Dataset:
        found = Dataset.from_tensor_slices((files[rows], labels[rows]))
        return found.map(lambda path, label: (read_image(path, 3), label))

    return {"train": (len(pairs), cut)}


_FOLDERS = {"tf_flowers": _flowers, "voc2007": _voc2007}
