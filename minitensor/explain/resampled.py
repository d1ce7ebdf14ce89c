"""The sums of resized images: every pixel of the output is a weighted mean of pixels near it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minitensor.explain.trace import Block, Factor, Index, Sum
from minitensor.explain.windowed import Side


@dataclass(frozen=True)
class Resampled:
    """y[n, i, j, c] = sum of rows[i, u] columns[j, v] x[n, u, v, c], and its gradient in x."""

    weights: tuple[np.ndarray, ...]  # of each spatial axis: (outputs, pixels)
    method: str  # "nearest" or "bilinear"
    source: Side  # what is read: the images, or the output gradient
    is_gradient: bool
    name: str
    numbers: np.ndarray

    def sum(self, at: Index) -> Sum:
        """Each pixel that is weighed, times its weight along each axis."""
        n, *place, channel = at
        axes = [w.T if self.is_gradient else w for w in self.weights]
        near = [np.flatnonzero(w[i]) for w, i in zip(axes, place, strict=True)]
        grid = np.stack([g.ravel() for g in np.meshgrid(*near, indexing="ij")], axis=1)
        index = np.insert(grid, [0, grid.shape[1]], [n, channel], axis=1)
        factors = [self.source.factor(index)]
        nearest = self.method == "nearest"  # keeps the dtype; all else is float32
        if not nearest:
            factors += [Factor(name, w[i, grid[:, axis]]) for axis, (name, w, i) in
                        enumerate(zip(AXES[-len(axes):], axes, place, strict=True))]  # fmt: skip
        block = Block(tuple(factors), None, grid)
        dtype = self.numbers.dtype if nearest else np.dtype(np.float32)
        slack = 4.0 + max(self.weights[0].shape)
        return Sum(self.name, at, (block,), float(self.numbers[at]), dtype, slack=slack)


AXES = ("depth weight", "row weight", "column weight")


def weights(old: int, new: int, method: str) -> np.ndarray:
    """(new, old): how much of each old pixel is in each new one, by TensorFlow 2's half pixels.

    The centre of new pixel i lies at (i + 1/2) old / new of the old image.
    """
    found = np.zeros((new, old))
    numbers = np.arange(new)
    if method == "nearest":  # in float32, as TensorFlow, where a centre lies on an edge
        centres = (numbers.astype(np.float32) + np.float32(0.5)) * np.float32(old / new)
        found[numbers, np.minimum(centres.astype(int), old - 1)] = 1
        return found
    places = (numbers + 0.5) * old / new - 0.5
    first = np.floor(places).astype(int)
    np.add.at(found, (numbers, first.clip(0, old - 1)), 1 - (places - first))
    np.add.at(found, (numbers, (first + 1).clip(0, old - 1)), places - first)
    return found
