"""A folder of images as a data set: one folder per class, one file per image.

Source: keras.utils and keras.preprocessing.image, under the same names.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minitensor import image as images
from minitensor.array import cast, expand_dims, one_hot, transpose
from minitensor.autograd import Tensor, as_tensor
from minitensor.data.dataset import Dataset
from minitensor.image import ResizeMethod
from minitensor.image.codec import read_image
from minitensor.keras.engine import defaults

_ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
_CHANNELS = {"rgb": 3, "rgba": 4, "grayscale": 1}


def image_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Any = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: Any = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """The images under a folder, in batches, with the number of their class.

    Args:
        directory: the folder; with inferred labels it has one folder for each class.
        labels: "inferred" from the folders, a list with one for each file in order, or None.
        label_mode: "int" (int32), "categorical" (one-hot), "binary" (float, for two classes), or
            None for no labels.
        class_names: the folders in another order than the alphabet's, or some of them.
        color_mode: "rgb", "rgba" or "grayscale".
        batch_size: None for single images.
        image_size: (height, width) in pixels.
        shuffle: mix the files; else they come in the alphabet's order.
        seed: of the mixing; the same files are held out as by Keras.
        validation_split: the part held out, in (0, 1).
        subset: "training", "validation" or "both".
        interpolation: a method of `image.resize`.
        follow_links: go into linked folders too.
        crop_to_aspect_ratio, pad_to_aspect_ratio: crop or frame instead of stretching.
        data_format: "channels_last" or "channels_first"; default that of keras.config.
        format: "tf".
        verbose: print how many files were found.

    Returns:
        A Dataset of images (B, H, W, C), values 0 to 255, float32 (uint8 for "nearest"), or of
        pairs (images, labels), with the attributes `class_names` and `file_paths`; for "both" a
        list of two.

    Raises:
        ValueError: an argument is illegal, or no images were found; while iterating: a file is
            damaged.
        OSError: there is no such folder.
    """
    _check(labels, label_mode, class_names, color_mode, interpolation, format)
    _check_split(validation_split, subset, shuffle, seed)
    size = _pair(image_size)
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError(
            "Only one of `pad_to_aspect_ratio`, `crop_to_aspect_ratio` can be set to `True`."
        )
    fit = "crop" if crop_to_aspect_ratio else "pad" if pad_to_aspect_ratio else "stretch"
    layout = defaults.layout(data_format)
    reader = _Reader(_CHANNELS[color_mode], size, interpolation.lower(), fit, layout)
    found = _find(directory, labels, label_mode, class_names, follow_links, verbose)
    if seed is None:
        seed = int(np.random.randint(10**6))  # noqa: NPY002  (as Keras: NumPy's seed decides)
    found = found.mixed(seed) if shuffle else found
    names = ("training", "validation") if subset == "both" else (subset,)
    parts = [found.part(validation_split, name, verbose) for name in names]
    datasets = [_dataset(part, label_mode, reader, batch_size) for part in parts]
    if shuffle:  # of both parts only the one to train on
        datasets[0] = _dataset(parts[0], label_mode, reader, batch_size, seed)
    return datasets if subset == "both" else datasets[0]


@dataclass(frozen=True)
class _Reader:
    """How a file becomes an image."""

    channels: int
    size: tuple[int, int]
    interpolation: str
    fit: str
    data_format: str

    def __call__(self, path: Tensor) -> Tensor:
        """(H, W, C) float32, or uint8 for "nearest"; or (C, H, W)."""
        x = read_image(path, self.channels)
        if self.fit == "crop":
            x = smart_resize(x, self.size, self.interpolation, "channels_last")
        elif self.fit == "pad":
            x = images.resize_with_pad(x, *self.size, self.interpolation)
        else:
            x = images.resize(x, self.size, self.interpolation)
        return transpose(x, [2, 0, 1]) if self.data_format == "channels_first" else x


def _dataset(
    found: ImageFiles,
    label_mode: str | None,
    reader: _Reader,
    batch_size: int | None,
    seed: int | None = None,
) -> Dataset:
    """Batches of images, or of images and labels; mixed if there is a seed."""
    count = len(found.names or ())

    def labelled(path: Tensor, number: Tensor) -> tuple[Tensor, Tensor]:
        if label_mode == "binary":
            return reader(path), expand_dims(cast(number, "float32"), -1)
        return reader(path), one_hot(number, count) if label_mode == "categorical" else number

    unlabelled = found.labels is None
    files = found.files if unlabelled else (found.files, np.array(found.labels, np.int32))
    dataset = Dataset.from_tensor_slices(files)
    if seed is not None:
        dataset = dataset.shuffle(8 * batch_size if batch_size else 1024, seed)
    dataset = dataset.map(reader if unlabelled else labelled)
    dataset = dataset.batch(batch_size) if batch_size else dataset
    dataset.class_names, dataset.file_paths = found.names, found.files  # type: ignore[attr-defined]
    return dataset


# ----- which files, of which class -----


@dataclass(frozen=True)
class ImageFiles:
    """Image files with the numbers of their classes, or without."""

    directory: Any
    files: list[str]
    labels: list[int] | None
    names: list[str] | None

    def mixed(self, seed: int) -> ImageFiles:
        """In another order: that of Keras for this seed."""
        order = list(range(len(self.files)))
        np.random.RandomState(seed).shuffle(order)
        return self.at(order)

    def at(self, order: Sequence[int]) -> ImageFiles:
        """The files with these numbers."""
        labels = None if self.labels is None else [self.labels[i] for i in order]
        return replace(self, files=[self.files[i] for i in order], labels=labels)

    def part(self, validation_split: float | None, subset: str | None, verbose: bool) -> ImageFiles:
        """Those to train on, the last ones to validate on, or all."""
        total = len(self.files)
        held = int((validation_split or 0) * total)
        here = range(total - held, total) if subset == "validation" else range(total - held)
        if not here:
            raise ValueError(
                f"No {subset or ''} images found in directory {self.directory}. "
                f"Allowed formats: {_ENDINGS}"
            )
        if verbose and subset:
            print(f"Using {len(here)} files for {subset}.")
        return self.at(here)


def _find(
    directory: Any,
    labels: Any,
    label_mode: str | None,
    class_names: Any,
    follow_links: bool,
    verbose: bool,
) -> ImageFiles:
    """The image files in the alphabet's order, class after class."""
    root, labels = os.fspath(directory), labels if label_mode else None
    if labels == "inferred":
        names = _classes(root, class_names)
        lists = [image_files(os.path.join(root, name), follow_links) for name in names]
        files = [file for part in lists for file in part]
        numbers: list[int] | None = [k for k, part in enumerate(lists) for _ in part]
    else:
        files, names, numbers = image_files(root, follow_links), None, None
        if labels is not None:
            if len(labels) != len(files):
                raise ValueError(
                    "Expected the lengths of `labels` to match the number of files in the target "
                    f"directory. len(labels) is {len(labels)} while we found {len(files)} files in "
                    f"directory {directory}."
                )
            numbers, names = [int(n) for n in labels], [str(n) for n in sorted(set(labels))]
    if verbose:
        classes = "" if names is None else f" belonging to {len(names)} classes"
        print(f"Found {len(files)} files{classes}.")
    if label_mode == "binary" and numbers is not None and len(names or ()) != 2:
        raise ValueError(
            'When passing `label_mode="binary"`, there must be exactly 2 class_names. '
            f"Received: class_names={names}"
        )
    return ImageFiles(directory, files, numbers, names)


def _classes(root: str, wanted: Sequence[str] | None) -> list[str]:
    folders = sorted(
        entry.name for entry in os.scandir(root) if entry.is_dir() and entry.name[0] != "."
    )
    if wanted is not None and not set(wanted) <= set(folders):
        raise ValueError(
            "The `class_names` passed did not match the names of the subdirectories of the target "
            f"directory. Expected: {folders} (or a subset of it), but received: "
            f"class_names={wanted}"
        )
    return folders if wanted is None else list(wanted)


def image_files(folder: str, follow_links: bool, endings: tuple[str, ...] = _ENDINGS) -> list[str]:
    """Paths of the images in a folder and in the folders inside it."""
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"there is no folder {folder}")
    walk = sorted(os.walk(folder, followlinks=follow_links), key=lambda level: level[0])
    return [
        os.path.join(level, name)
        for level, _, names in walk
        for name in sorted(names)
        if name.lower().endswith(endings)
    ]


# ----- which arguments are legal -----


def _pair(image_size: Any) -> tuple[int, int]:
    """(height, width), from one number or two."""
    if isinstance(image_size, int):
        return image_size, image_size
    if not isinstance(image_size, list | tuple) or len(image_size) != 2:
        raise ValueError(
            "Invalid `image_size` value. Expected a tuple of 2 integers. "
            f"Received: image_size={image_size}"
        )
    return int(image_size[0]), int(image_size[1])


def _check(
    labels: Any, label_mode: Any, names: Any, color_mode: Any, interpolation: Any, kind: Any
) -> None:
    """Refuses words that mean nothing here."""
    if labels not in ("inferred", None) and not isinstance(labels, list | tuple):
        raise ValueError(
            "`labels` argument should be a list/tuple of integer labels, one for each image file "
            f'in the directory; or "inferred", or None. Received: labels={labels}'
        )
    if names and labels != "inferred":
        raise ValueError(
            'You can only pass `class_names` if `labels="inferred"`. Received: '
            f"labels={labels}, and class_names={names}"
        )
    for word, value, legal in (
        ("label_mode", label_mode, ("int", "categorical", "binary", None)),
        ("color_mode", color_mode, tuple(_CHANNELS)),
        ("interpolation", str(interpolation).lower(), tuple(map(str, ResizeMethod))),
        ("format", kind, ("tf",)),
    ):
        if value not in legal:
            raise ValueError(f"`{word}` must be one of {legal}. Received: {word}={value}")


def _check_split(split: float | None, subset: str | None, shuffle: bool, seed: Any) -> None:
    """Refuses settings that leave open which files are in which part."""
    if split and not 0 < split < 1:
        raise ValueError(f"`validation_split` must be between 0 and 1, received: {split}")
    if bool(split) != bool(subset):
        raise ValueError("If `subset` is set, `validation_split` must be set, and inversely.")
    if subset not in ("training", "validation", "both", None):
        raise ValueError(
            f'`subset` must be either "training", "validation" or "both", received: {subset}'
        )
    if split and shuffle and seed is None:
        raise ValueError(
            "If using `validation_split` and shuffling the data, you must provide a `seed` "
            "argument, to make sure that there is no overlap between the training and validation "
            "subset."
        )


# ----- images of one shape -----


def smart_resize(
    x: Any, size: Any, interpolation: str = "bilinear", data_format: str = "channels_last"
) -> Any:
    """Resizes images without distorting them: the middle part of the right shape is taken.

    Args:
        x: (H, W, C) or (N, H, W, C); channels before H and W if data_format says so.
        size: (height, width) in pixels.
        interpolation: a method of `image.resize`.
        data_format: "channels_last" or "channels_first".

    Returns:
        The images in the new size; a NumPy array if `x` is one.

    Raises:
        ValueError: size is no pair, or x no image.
    """
    if len(size) != 2:
        raise ValueError(f"Expected `size` to be a tuple of 2 integers, but got: {size}.")
    tensor = as_tensor(x)
    rank = tensor.ndim
    if rank not in (3, 4):
        raise ValueError(f"Expected an image of 3 or 4 axes, but got shape {tensor.shape}.")
    if data_format == "channels_first":
        tensor = transpose(tensor, [*range(rank - 3), rank - 2, rank - 1, rank - 3])
    height, width = tensor.shape[-3:-1]
    h = max(min(height, int(width * size[0] / size[1])), 1)
    w = max(min(width, int(height * size[1] / size[0])), 1)
    middle = images.crop_to_bounding_box(tensor, (height - h) // 2, (width - w) // 2, h, w)
    resized = images.resize(middle, size, interpolation)
    if data_format == "channels_first":
        resized = transpose(resized, [*range(rank - 3), rank - 1, rank - 3, rank - 2])
    return resized.numpy() if isinstance(x, np.ndarray) else resized
