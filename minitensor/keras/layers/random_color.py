"""Layers that change colours by chance, in training only: each image by a number of its own.

Args of both: value_range, the darkest and the brightest value; seed, an integer makes the draws the
same in every run; kwargs, data_format and what every Layer takes. Raises of both: ValueError, a
factor out of range, or a range that is not two numbers. Source of all: keras.layers, by the same
names.
"""

from __future__ import annotations

from typing import Any

from minitensor.autograd import Tensor, as_tensor
from minitensor.docstrings import examples_of
from minitensor.keras.layers.images import Augmentation, interval
from minitensor.math import reduce_mean
from minitensor.math.clip import clip_by_value

example = examples_of("tf.keras.layers", ".numpy().ravel()")


class _Color(Augmentation):
    """What they share: a range of values, and a number for each image."""

    def __init__(self, factor: Any, value_range: Any, seed: Any, least: float, **kwargs: Any):
        super().__init__(seed, **kwargs)
        name = type(self).__name__
        self.factor = interval(name, "factor", factor, least)
        pair = tuple(value_range) if isinstance(value_range, list | tuple) else ()
        if len(pair) != 2:
            raise ValueError(
                "The `value_range` argument should be a list of two numbers. "
                f"Received: value_range={value_range}"
            )
        self.value_range = min(pair), max(pair)

    def get_config(self) -> dict[str, Any]:
        """Both limits, which mean the same to every version of Keras."""
        return super().get_config() | {"factor": self.factor}

    def _numbers(self, images: Tensor, low: float, high: float) -> Tensor:
        """One number for each image."""
        factors = self.seed_stream.generator().uniform(low, high, (images.shape[0], 1, 1, 1))
        return as_tensor(factors.astype(images.dtype), like=images)  # (N, 1, 1, 1)


@example("RandomBrightness((0.2, 0.2), (0, 1))([[[0.5]]], training=True)", "[0.7]")
class RandomBrightness(_Color):
    """Adds a number to each image in training.

    y = x + f * (the length of value_range), f uniform in `factor`; then within value_range

    Args:
        factor: two numbers in [-1, 1], or one: from minus it to plus it.
    """

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), seed: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(factor, value_range, seed, -1.0, **kwargs)

    def transformed(self, images: Tensor) -> Tensor:
        low, high = self.value_range
        f = self._numbers(images, *self.factor)
        return clip_by_value(images + f * (high - low), low, high)


@example("RandomContrast(0.0)([[[1.0], [3.0]]], training=True)", "[1., 3.]")
class RandomContrast(_Color):
    """Scales the distance of each pixel from the mean of its image and channel in training.

    y = (x - mean) * c + mean, c uniform in [1 - lower, 1 + upper]; then within value_range

    Args:
        factor: lower and upper, two numbers in [0, 1], or one for both. (Keras 3.15 takes one
            number for upper alone, against what it says.)
    """

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), seed: Any = None, **kwargs: Any
    ) -> None:
        both = factor if isinstance(factor, list | tuple) else (factor, factor)
        super().__init__(both, value_range, seed, 0.0, **kwargs)

    def transformed(self, images: Tensor) -> Tensor:
        c = self._numbers(images, 1 - self.factor[0], 1 + self.factor[1])
        return self.contrasted(images, c)

    def contrasted(self, images: Tensor, factors: Tensor) -> Tensor:
        """The contrast of each image times its factor."""
        mean = reduce_mean(images, axis=[1, 2], keepdims=True)  # (N, 1, 1, C)
        return clip_by_value((images - mean) * factors + mean, *self.value_range)
