"""Layers that move pixels by chance, in training only: each image in its own way.

RandomFlip mirrors. The others see each image through an affine transform: where each new pixel
looks, and what it finds there. The transforms are few numbers, so the coordinates are computed by
NumPy, in float32 as in TensorFlow; the pixels are fetched and mixed by ops, on any device and with
derivatives.

Args of all: seed, an integer makes the draws the same in every run; data_format, "channels_last"
(default) or "channels_first"; kwargs, what every Layer takes. Of those with a transform: fill_mode,
what is seen beyond the edge, "reflect", "wrap", "constant" or "nearest"; fill_value, that constant;
interpolation, "bilinear" or "nearest". Raises of all: ValueError, a setting that is none of these.
Source of all: keras.layers, by the same names.
"""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np

from minitensor.array import reverse, where
from minitensor.autograd import Tensor
from minitensor.docstrings import examples_of
from minitensor.keras.engine.layer import Common
from minitensor.keras.layers.geometry import choice
from minitensor.keras.layers.images import Augmentation, interval
from minitensor.keras.ops.projection import affine

example = examples_of("tf.keras.layers", ".numpy().ravel().round(3)")

FILL_MODES = ("reflect", "wrap", "constant", "nearest")
INTERPOLATIONS = ("nearest", "bilinear")
_AXES = {"horizontal": [2], "vertical": [1], "horizontal_and_vertical": [1, 2]}


class RandomFlip(Augmentation):
    """Mirrors half of the images in training; one coin for both axes, as in Keras.

    Args:
        mode: "horizontal" (left and right are swapped), "vertical" or
            "horizontal_and_vertical".

    Raises:
        ValueError: another mode.

    Example:
        >>> import minitensor as tf
        >>> y = tf.keras.layers.RandomFlip("horizontal")([[[1.0], [2.0]]], training=True)
        >>> y.numpy().ravel().tolist() in ([1.0, 2.0], [2.0, 1.0])
        True
    """

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: Any = None,
        data_format: str | None = None,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.mode = choice("mode", mode, _AXES)

    def transformed(self, images: Tensor) -> Tensor:
        coins = self.seed_stream.generator().random((images.shape[0], 1, 1, 1)) <= 0.5
        return where(coins, reverse(images, _AXES[self.mode]), images)


class _Affine(Augmentation):
    """What the others share: an affine transform for each image, and what is beyond the edge."""

    def __init__(
        self,
        fill_mode: str,
        interpolation: str,
        seed: Any,
        fill_value: float,
        data_format: str | None,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.fill_mode = choice("fill_mode", fill_mode, FILL_MODES)
        self.interpolation = choice("interpolation", interpolation, INTERPOLATIONS)
        self.fill_value = fill_value

    def maps(self, n: int, height: int, width: int) -> np.ndarray:
        """(n, 6): a transform for each image, as `affine` takes them; what a subclass writes."""
        raise NotImplementedError

    def transformed(self, images: Tensor) -> Tensor:
        maps = self.maps(*images.shape[:3])
        return affine(images, maps, self.interpolation, self.fill_mode, self.fill_value)


@example("RandomRotation((0.5, 0.5))([[[1.0], [2.0]]], training=True)", "[2., 1.]")
class RandomRotation(_Affine):
    """Turns images around their middle in training.

    Args:
        factor: the angle in turns: two numbers in [-1, 1], or one: from minus it to plus it.
            A positive angle turns counter-clockwise.
    """

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: Any = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.factor = interval("RandomRotation", "factor", factor)

    def maps(self, n: int, height: int, width: int) -> np.ndarray:
        """A rotation that leaves the middle where it is."""
        turns = np.float32(360) * _numbers(self, self.factor, n)
        cos, sin = (f(turns * np.float32(np.pi / 180)) for f in (np.cos, np.sin))
        x, y = (np.float32(0.5) * (size - 1) for size in (width, height))
        return np.stack([cos, -sin, x - x * cos + y * sin, sin, cos, y - x * sin - y * cos], 1)


@example("RandomZoom((-0.5, -0.5))([[[1.0], [2.0]]], training=True)", "[1.25, 1.75]")
class RandomZoom(_Affine):
    """Shows more of images, or less, in training; the middle stays where it is.

    Args:
        height_factor: two numbers in (-1, 1], or one: from minus it to plus it. +0.2 zooms out:
            6/5 of the height is seen.
        width_factor: likewise; None is the random number of the height, which keeps the ratio.
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: Any = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        least = float(np.nextafter(-1.0, 0.0))  # at -1 nothing would be seen
        self.height_factor = interval("RandomZoom", "height_factor", height_factor, least)
        self.width_factor = width_factor
        if width_factor is not None:
            self.width_factor = interval("RandomZoom", "width_factor", width_factor, least)

    def maps(self, n: int, height: int, width: int) -> np.ndarray:
        """A scaling that leaves the middle where it is."""
        tall = 1 + _numbers(self, self.height_factor, n)
        wide = tall if self.width_factor is None else 1 + _numbers(self, self.width_factor, n)
        x, y = (np.float32((size - 1) / 2) for size in (width, height))
        zero = np.zeros_like(tall)
        return np.stack([wide, zero, x * (1 - wide), zero, tall, y * (1 - tall)], 1)


@example(
    'RandomTranslation((0, 0), (0.5, 0.5), "constant")([[[1.0], [2.0]]], training=True)', "[0., 1.]"
)
class RandomTranslation(_Affine):
    """Moves images in training.

    Args:
        height_factor: how far down, in heights: two numbers in [-1, 1], or one: from minus it to
            plus it.
        width_factor: how far to the right, in widths; likewise.
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: Any = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.height_factor = interval("RandomTranslation", "height_factor", height_factor)
        self.width_factor = interval("RandomTranslation", "width_factor", width_factor)

    def maps(self, n: int, height: int, width: int) -> np.ndarray:
        """A pixel looks where it came from."""
        down = _numbers(self, self.height_factor, n) * height
        right = _numbers(self, self.width_factor, n) * width
        zero, one = np.zeros_like(down), np.ones_like(down)
        return np.stack([one, zero, -right, zero, one, -down], 1)


def _numbers(layer: Augmentation, limits: tuple[float, float], n: int) -> np.ndarray:
    """n numbers in the interval, one for each image."""
    return layer.seed_stream.generator().uniform(*limits, n).astype(np.float32)
