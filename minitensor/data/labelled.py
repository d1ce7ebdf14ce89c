"""Labelled images: what a classifier learns from and is tested on.

Gray images of one size, 0 black to 1 white, each with the index of its label's name. Where they
come from is the business of the readers in this package.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

_EVERY = 5  # one image in five is kept for the test


@dataclass(frozen=True)
class LabelledImages:
    """Gray images with their labels.

    Attributes:
        title: what to call them.
        images: (N, H, W, 1) float32, 0 black to 1 white.
        labels: (N,) int64, indices into `names`.
        names: what the labels are called.
        sources: (N) where each image came from, for people.
        fingerprint: SHA-256 of the data as read, to recognise it again.
    """

    title: str
    images: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]
    sources: tuple[str, ...]
    fingerprint: str

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: np.ndarray) -> LabelledImages:
        """The images with these indices, in this order."""
        return replace(
            self,
            images=self.images[indices],
            labels=self.labels[indices],
            sources=tuple(self.sources[i] for i in indices),
        )

    def resized(self, size: tuple[int, int]) -> LabelledImages:
        """The same images in `size` = (height, width) pixels, bilinearly; averaged if smaller."""
        from minitensor import image

        if self.images.shape[1:3] == tuple(size):
            return self
        images = image.resize(self.images, size, antialias=True).numpy()  # (N, *size, 1)
        return replace(self, images=images)

    def renamed(self, names: Sequence[str]) -> LabelledImages:
        """The same images with labels that index `names`.

        Raises:
            ValueError: a label is not among `names`.
        """
        unknown = [name for name in self.names if name not in names]
        if unknown:
            raise ValueError(
                f"{self.title}: the labels {listed(unknown)} are unknown; known are {listed(names)}"
            )
        index = np.array([list(names).index(name) for name in self.names])
        return replace(self, labels=index[self.labels], names=tuple(names))


def split(data: LabelledImages, seed: int) -> tuple[LabelledImages, LabelledImages]:
    """Shuffles and parts the images: every fifth of each label to test, the others to learn from.

    Raises:
        ValueError: there is only one label, or a label has fewer than five images.
    """
    counts = np.bincount(data.labels, minlength=len(data.names))
    if len(counts) < 2:
        raise ValueError(f"{data.title}: there is one label, {data.names[0]!r}; at least 2 needed")
    if counts.min() < _EVERY:
        name, few = data.names[counts.argmin()], counts.min()
        raise ValueError(
            f"{data.title}: label {name!r} has {few} images; each needs at least {_EVERY}, "
            "because one image in five is kept for the test"
        )
    by_label = np.lexsort((np.random.default_rng(seed).random(len(data)), data.labels))
    tested = np.zeros(len(data), bool)
    tested[by_label[::_EVERY]] = True
    return data.take(np.flatnonzero(~tested)), data.take(np.flatnonzero(tested))


def fingerprint(parts: Iterable[bytes]) -> str:
    """SHA-256 of the parts, as hexadecimal digits."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def listed(names: Sequence[str], limit: int = 12) -> str:
    """The names between commas, the rest as a count."""
    rest = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(repr(name) for name in names[:limit]) + rest
