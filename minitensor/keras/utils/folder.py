"""What is in a folder of images, and which arguments of its readers are legal."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minitensor.image import ResizeMethod

ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
CHANNELS = {"rgb": 3, "rgba": 4, "grayscale": 1}


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
                f"Allowed formats: {ENDINGS}"
            )
        if verbose and subset:
            print(f"Using {len(here)} files for {subset}.")
        return self.at(here)


def found(
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
        lists = [_listed(os.path.join(root, name), follow_links) for name in names]
        files = [file for part in lists for file in part]
        numbers: list[int] | None = [k for k, part in enumerate(lists) for _ in part]
    else:
        files, names, numbers = _listed(root, follow_links), None, None
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


def _listed(folder: str, follow_links: bool) -> list[str]:
    """Paths of the images in a folder and in the folders inside it."""
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"there is no folder {folder}")
    walk = sorted(os.walk(folder, followlinks=follow_links), key=lambda level: level[0])
    return [
        os.path.join(place, name)
        for place, _, names in walk
        for name in sorted(names)
        if name.lower().endswith(ENDINGS)
    ]


def pair(image_size: Any) -> tuple[int, int]:
    """(height, width), from one number or two."""
    if isinstance(image_size, int):
        return image_size, image_size
    if not isinstance(image_size, list | tuple) or len(image_size) != 2:
        raise ValueError(
            "Invalid `image_size` value. Expected a tuple of 2 integers. "
            f"Received: image_size={image_size}"
        )
    return int(image_size[0]), int(image_size[1])


def check(
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
        ("color_mode", color_mode, tuple(CHANNELS)),
        ("interpolation", str(interpolation).lower(), tuple(map(str, ResizeMethod))),
        ("format", kind, ("tf",)),
    ):
        if value not in legal:
            raise ValueError(f"`{word}` must be one of {legal}. Received: {word}={value}")


def check_split(split: float | None, subset: str | None, shuffle: bool, seed: Any) -> None:
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
