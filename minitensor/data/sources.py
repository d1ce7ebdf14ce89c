"""Readers of labelled images: the digits in this package, IDX pairs, folders of PNG files.

Data are untrusted: they are parsed, never executed; a damaged file is a ValueError that names it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from minitensor.data.idx import read_idx_images
from minitensor.data.labelled import LabelledImages, fingerprint, listed

if TYPE_CHECKING:
    from PIL import Image as PillowImage

_DIGITS = Path(__file__).parent / "uci_digits"
_BLACK_INK = 16  # the digits' darkest level
_PNG_MODES = ("1", "L", "P", "LA", "PA", "RGB", "RGBA")  # 8 bits a channel or less


def digits() -> tuple[np.ndarray, np.ndarray]:
    """The 1,797 handwritten digits that come with minitensor.

    Returns:
        images: (1797, 8, 8, 1) uint8, gray levels 0 (paper) to 16 (ink).
        labels: (1797,) uint8, 0 to 9.

    Example:
        >>> import minitensor as tf
        >>> images, labels = tf.data.digits()
        >>> images.shape, labels[:5].tolist()
        ((1797, 8, 8, 1), [0, 1, 2, 3, 4])

    Source: Optical Recognition of Handwritten Digits, UCI Machine Learning Repository,
        E. Alpaydin and C. Kaynak, CC BY 4.0 (uci_digits/README.md)
    """
    files = _DIGITS / "images-idx3-ubyte.gz", _DIGITS / "labels-idx1-ubyte.gz"
    images, labels = read_idx_images(*files)
    return images[..., np.newaxis], labels


def read_digits() -> LabelledImages:
    """The digits of this package, as labelled images."""
    return _from_bytes("UCI digits", *digits(), _BLACK_INK)


def read_idx_pair(images: str | Path, labels: str | Path) -> LabelledImages:
    """Images and labels from two IDX files, as MNIST and Fashion-MNIST come.

    The labels' names are the numbers that occur.

    Args:
        images: file of (N, H, W) unsigned bytes, 0 black to 255 white.
        labels: file of (N,) unsigned bytes.

    Raises:
        ValueError: a file is damaged, or they hold different numbers of examples.
        OSError: a file cannot be opened.
    """
    pixels, values = read_idx_images(images, labels)
    return _from_bytes(Path(images).name, pixels[..., np.newaxis], values, 255)


def _from_bytes(title: str, images: np.ndarray, labels: np.ndarray, full: int) -> LabelledImages:
    values, indices = np.unique(labels, return_inverse=True)
    return LabelledImages(
        title=title,
        images=images.astype(np.float32) / np.float32(full),
        labels=indices.astype(np.int64),
        names=tuple(str(value) for value in values),
        sources=tuple(f"{title}[{i}]" for i in range(len(labels))),
        fingerprint=fingerprint([images.tobytes(), labels.tobytes()]),
    )


def read_folder(folder: str | Path, size: tuple[int, int]) -> LabelledImages:
    """Images from `folder/<label>/*.png`, in gray, each resized to `size` = (height, width) pixels.

    Raises:
        ValueError: there are no such files, or one is no PNG or damaged.
        ImportError: Pillow is missing.
    """
    root = Path(folder)
    found = {
        entry.name: sorted(f for f in entry.iterdir() if f.suffix.lower() == ".png")
        for entry in sorted(root.iterdir())
        if entry.is_dir() and not entry.name.startswith(".")
    }
    if not found:
        raise ValueError(f"{root}: neither IDX files nor folders <label>/*.png are in it")
    empty = [name for name, files in found.items() if not files]
    if empty:
        raise ValueError(f"{root}: no .png file in {listed(empty)}; each label needs images")
    files = [file for files in found.values() for file in files]
    return LabelledImages(
        title=root.name,
        images=np.concatenate([_read_png(file, size) for file in files]),  # (N, *size, 1)
        labels=np.repeat(np.arange(len(found)), [len(files) for files in found.values()]),
        names=tuple(found),
        sources=tuple(str(file.relative_to(root)) for file in files),
        fingerprint=fingerprint(
            part for file in files for part in (file.parent.name.encode(), file.read_bytes())
        ),
    )


def _read_png(file: Path, size: tuple[int, int]) -> np.ndarray:
    """(1, *size, 1) float32, 0 black to 1 white."""
    from PIL import Image

    from minitensor import image

    try:
        with Image.open(file, formats=["PNG"]) as picture:
            pixels = np.asarray(_gray(picture), np.float32) / np.float32(255)  # (H, W)
    except Exception as problem:  # on damaged files Pillow raises many kinds, even AssertionError
        raise ValueError(f"{file}: not a readable PNG image: {problem}") from None
    return image.resize(pixels[np.newaxis, :, :, np.newaxis], size, antialias=True).numpy()


def _gray(picture: PillowImage.Image) -> PillowImage.Image:
    """In 8-bit gray; what is transparent shows white paper, as viewers show it."""
    from PIL import Image

    if picture.mode not in _PNG_MODES:
        raise ValueError(f"mode {picture.mode} is not read; save it with 8 bits a channel")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture.convert("L")


def open_data(
    path: str | Path, size: tuple[int, int]
) -> tuple[LabelledImages, LabelledImages | None]:
    """Whatever `path` holds: (all images, None), or (to learn from, to test on) if it says so.

    Args:
        path: a folder with `<label>/*.png`; a folder with an IDX pair, or with MNIST's two pairs
            `train-*` and `t10k-*`; or the beginning that the names of an IDX pair share.
        size: (height, width) in pixels of images from PNG files.
    """
    root = Path(path)
    pairs = _idx_pairs(root)
    if not pairs:
        if not root.is_dir():
            raise ValueError(f"{root}: no such folder, and no IDX file has a name that starts so")
        return read_folder(root, size), None
    if len(pairs) == 1:
        return read_idx_pair(*pairs[0]), None
    train = [pair for pair in pairs if pair[0].name.startswith("train")]
    test = [pair for pair in pairs if pair[0].name.startswith(("t10k", "test"))]
    if len(pairs) != 2 or len(train) != 1 or len(test) != 1:
        names = listed([images.name for images, _ in pairs])
        raise ValueError(f"{root}: which IDX pair of {names}? name one by its beginning")
    learnt = read_idx_pair(*train[0])
    return learnt, read_idx_pair(*test[0]).renamed(learnt.names)


def _idx_pairs(root: Path) -> list[tuple[Path, Path]]:
    """The image files, and the label file of each, in a folder or with names that start so."""
    folder, start = (root, "") if root.is_dir() else (root.parent, root.name)
    found = sorted(
        file
        for file in (folder.iterdir() if folder.is_dir() else ())
        if file.name.startswith(start) and "images" in file.name and "idx3" in file.name
    )
    return [(file, _labels_of(file)) for file in found]


def _labels_of(images: Path) -> Path:
    name = images.name.replace("images", "labels").replace("idx3", "idx1").removesuffix(".gz")
    for candidate in (images.with_name(name), images.with_name(f"{name}.gz")):
        if candidate.is_file():
            return candidate
    raise ValueError(f"{images}: its labels, {name} or {name}.gz, are missing beside it")
