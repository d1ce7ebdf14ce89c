"""Pascal VOC 2007 where it was unpacked: photographs, and boxes around what is on them.

    VOCdevkit/VOC2007/ImageSets/Main/{train,val,test}.txt   names of images
    VOCdevkit/VOC2007/JPEGImages/000005.jpg
    VOCdevkit/VOC2007/Annotations/000005.xml

The annotations are parsed as XML without entities, and no larger than `_MOST` bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from minitensor.data.dataset import Dataset

LABELS = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa"),
    *("train", "tvmonitor"),
)
_FILES = {"train": "train", "validation": "val", "test": "test"}
_MOST = 2**20
_SIDES = ("ymin", "xmin", "ymax", "xmax")


def parts(folder: Path) -> dict[str, list[str]]:
    """Names of the images of each part that is there: "train", "validation", "test"."""
    lists = {part: folder / "ImageSets" / "Main" / f"{file}.txt" for part, file in _FILES.items()}
    found = {part: path.read_text().split() for part, path in lists.items() if path.is_file()}
    if not found:
        raise ValueError(f"{folder}: no ImageSets/Main/train.txt, val.txt or test.txt in it")
    return found


def dataset(folder: Path, names: list[str]) -> Dataset:
    """Elements {"image", "image/filename", "labels", "objects": {"bbox", "label", ...}}.

    Boxes are (ymin, xmin, ymax, xmax) as fractions of height and width, as tfds gives them.
    """
    return Dataset.from_generator(lambda: (_element(folder, name) for name in names))


def _element(folder: Path, name: str) -> dict[str, Any]:
    from minitensor.image.codec import read_image

    photo = folder / "JPEGImages" / f"{name}.jpg"
    image = read_image(photo, 3)
    objects = _objects(folder / "Annotations" / f"{name}.xml", image.shape[:2])
    return {
        "image": image,
        "image/filename": photo.name,
        "labels": np.unique(objects["label"]),
        "objects": objects,
    }


def _objects(path: Path, size: tuple[int, ...]) -> dict[str, np.ndarray]:
    text = path.read_bytes()
    if len(text) > _MOST or b"<!" in text:
        raise ValueError(f"{path}: an annotation is XML without <!...>, at most {_MOST} bytes")
    scale = np.array([*size, *size], np.float32)
    try:
        found = ElementTree.fromstring(text).findall("object")
        labels = [LABELS.index(str(item.findtext("name"))) for item in found]
        boxes = [[float(str(item.findtext(f"bndbox/{s}"))) for s in _SIDES] for item in found]
        difficult = [item.findtext("difficult") == "1" for item in found]
    except (ElementTree.ParseError, ValueError) as problem:
        raise ValueError(f"{path}: not an annotation of VOC: {problem}") from None
    return {
        "bbox": np.array(boxes, np.float32).reshape(-1, 4) / scale,
        "is_difficult": np.array(difficult, bool),
        "label": np.array(labels, np.int64),
    }
