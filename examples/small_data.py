"""Small files in the formats of the real data sets, drawn from the handwritten digits inside.

    python examples/small_data.py FOLDER

The programs here and the course's own then run in seconds and without a network: what they read
are an MNIST file, two CIFAR archives, folders of flowers and of Pascal VOC, as downloaded, only
with a few hundred images. Their labels mean digits. Put MINITENSOR_HOME=FOLDER to use them.
"""

from __future__ import annotations

import io
import pickle
import sys
import tarfile
from pathlib import Path

import numpy as np

from minitensor.cli import stoppable
from minitensor.data import digits

TRAIN, TEST = 256, 64  # images in each set
FLOWERS = ("daisy", "dandelion", "roses", "sunflowers", "tulips")


def make_small_data(home: Path) -> None:
    """Writes every data set below `home`."""
    folder = home / "datasets"
    folder.mkdir(parents=True, exist_ok=True)
    images, labels = _pictures()
    train, test = slice(0, TRAIN), slice(TRAIN, TRAIN + TEST)
    gray = images[..., 0][:, 2:-2, 2:-2]
    np.savez_compressed(
        folder / "mnist.npz",
        x_train=gray[train], y_train=labels[train], x_test=gray[test], y_test=labels[test],
    )  # fmt: skip
    _cifar10(folder / "cifar-10-batches-py.tar.gz", images, labels)
    _cifar100(folder / "cifar-100-python.tar.gz", images, labels)
    _flowers(folder / "flower_photos", images, labels)
    _voc2007(folder / "VOCdevkit" / "VOC2007", images)


def _pictures() -> tuple[np.ndarray, np.ndarray]:
    """(N, 32, 32, 3) bytes: each digit three times as large, in a color of its own, and labels."""
    small, labels = digits()
    large = np.kron(small[..., 0], np.ones((1, 3, 3), np.uint8)) * 15  # (N, 24, 24)
    gray = np.pad(large, ((0, 0), (4, 4), (4, 4)))  # (N, 32, 32)
    tint = np.stack([labels * 25, 255 - labels * 20, np.full_like(labels, 200)], axis=-1)
    colors = gray[..., np.newaxis].astype(int) * tint[:, np.newaxis, np.newaxis] // 255
    colors[..., 0] = gray  # the first channel is the digit itself
    return colors.astype(np.uint8), labels


def _rows(images: np.ndarray) -> np.ndarray:
    """(N, 3072): the red, green and blue plane of each image, as CIFAR keeps them."""
    return images.transpose(0, 3, 1, 2).reshape(len(images), -1)


def _cifar10(path: Path, images: np.ndarray, labels: np.ndarray) -> None:
    """The archive of the Python version: five batches and a test batch, pickled dictionaries."""
    parts = np.array_split(np.arange(TRAIN), 5)
    batches = {f"data_batch_{i + 1}": part for i, part in enumerate(parts)}
    batches["test_batch"] = np.arange(TRAIN, TRAIN + TEST)
    _archive(
        path,
        "cifar-10-batches-py",
        {
            name: {b"data": _rows(images[part]), b"labels": [int(n) for n in labels[part]]}
            for name, part in batches.items()
        },
    )


def _cifar100(path: Path, images: np.ndarray, labels: np.ndarray) -> None:
    """The archive of the Python version: train and test, with fine and coarse labels."""
    parts = {"train": np.arange(TRAIN), "test": np.arange(TRAIN, TRAIN + TEST)}
    _archive(
        path,
        "cifar-100-python",
        {
            name: {
                b"data": _rows(images[part]),
                b"fine_labels": [int(n) for n in labels[part]],
                b"coarse_labels": [int(n) // 5 for n in labels[part]],
            }
            for name, part in parts.items()
        },
    )


def _archive(path: Path, folder: str, files: dict[str, dict[bytes, object]]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            data = pickle.dumps(content, protocol=2)
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))


def _flowers(folder: Path, images: np.ndarray, labels: np.ndarray) -> None:
    """A folder of JPEG files for each kind, 48 x 64 pixels."""
    from PIL import Image

    for kind, name in enumerate(FLOWERS):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in np.flatnonzero(labels == kind)[:16]:
            Image.fromarray(images[i]).resize((64, 48)).save(folder / name / f"{i:04}.jpg")


def _voc2007(folder: Path, images: np.ndarray) -> None:
    """Four photographs of 64 x 48 pixels with one box around a cat on each."""
    from PIL import Image

    for part in ("ImageSets/Main", "JPEGImages", "Annotations"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    names = [f"{i + 1:06}" for i in range(4)]
    (folder / "ImageSets" / "Main" / "train.txt").write_text("\n".join(names) + "\n")
    sides = {"xmin": 16, "ymin": 12, "xmax": 48, "ymax": 36}
    box = "".join(f"<{side}>{value}</{side}>" for side, value in sides.items())
    for name, image in zip(names, images, strict=False):
        Image.fromarray(image).resize((64, 48)).save(folder / "JPEGImages" / f"{name}.jpg")
        (folder / "Annotations" / f"{name}.xml").write_text(
            f"<annotation><filename>{name}.jpg</filename><object><name>cat</name>"
            f"<difficult>0</difficult><bndbox>{box}</bndbox></object></annotation>\n"
        )


def main() -> None:
    """The command."""
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    make_small_data(Path(sys.argv[1]))
    print(f"wrote {sys.argv[1]}/datasets; MINITENSOR_HOME={sys.argv[1]} uses it")


if __name__ == "__main__":
    stoppable(main)
