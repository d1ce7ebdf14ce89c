"""Layers that give images another size: scaled, or cut.

Args of all: height and width, in pixels; seed, an integer makes the draws the same in every run;
data_format, "channels_last" (default) or "channels_first"; name and kwargs, what every Layer takes.
Source of all: keras.layers, by the same names.
"""

from __future__ import annotations

from typing import Any, Unpack

from minitensor.array import cast, pad
from minitensor.autograd import Tensor
from minitensor.docstrings import examples_of
from minitensor.image import resize
from minitensor.keras.engine.layer import Common
from minitensor.keras.engine.seed_stream import SeedStream
from minitensor.keras.layers.geometry import choice, like
from minitensor.keras.layers.images import Sized

example = examples_of("tf.keras.layers", "")

_METHODS = ("bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5")


@example("Resizing(2, 3)(tf.zeros([1, 8, 8, 3])).shape", "TensorShape([1, 2, 3, 3])")
class Resizing(Sized):
    """Images in another size, by `tf.image.resize`; integers stay integers.

    Args:
        interpolation: "bilinear", "nearest", "bicubic", "area", "lanczos3" or "lanczos5".
        crop_to_aspect_ratio: cut away what does not fit, instead of distorting.
        pad_to_aspect_ratio: add a border instead.
        fill_mode: "constant", the only one.
        fill_value: what the border is made of.
        antialias: let every old pixel count when the image shrinks.

    Raises:
        ValueError: a setting that is not among these; both ratios.
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(height, width, data_format, **kwargs)
        if crop_to_aspect_ratio and pad_to_aspect_ratio:
            raise ValueError(
                "Only one of `pad_to_aspect_ratio` & `crop_to_aspect_ratio` can be `True`."
            )
        self.interpolation = choice("interpolation", interpolation, _METHODS)
        self.fill_mode = choice("fill_mode", fill_mode, ("constant",))
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self.pad_to_aspect_ratio = pad_to_aspect_ratio
        self.fill_value, self.antialias = fill_value, bool(antialias)

    def call(self, inputs: Any) -> Any:
        return self._apply(inputs)

    def transformed(self, images: Tensor) -> Tensor:
        x, size = images, (self.height, self.width)
        if self.crop_to_aspect_ratio:
            x = _cut_to_ratio(x, *size)
        if self.pad_to_aspect_ratio:
            x = _bordered_to_ratio(x, *size, self.fill_value)
        return like(resize(x, size, self.interpolation, antialias=self.antialias), images.dtype)


@example("CenterCrop(1, 2)(tf.reshape(tf.range(12.0), [3, 4, 1])).numpy().ravel()", "[5., 6.]")
class CenterCrop(Sized):
    """The middle of images; smaller images are cut to the ratio and resized."""

    def call(self, inputs: Any) -> Any:
        return self._apply(cast(inputs, self.compute_dtype))

    def transformed(self, images: Tensor) -> Tensor:
        h, w = self.height, self.width
        top, left = (images.shape[1] - h) // 2, (images.shape[2] - w) // 2
        if min(top, left) < 0:
            return like(resize(_cut_to_ratio(images, h, w), (h, w)), images.dtype)
        return images[:, top : top + h, left : left + w]


@example(
    "RandomCrop(2, 2)(tf.zeros([5, 8, 8, 3]), training=True).shape", "TensorShape([5, 2, 2, 3])"
)
class RandomCrop(Sized):
    """In training, a box of the images anywhere in them, the same for the whole batch.

    Images that are not larger than the box in both directions are cut in the middle and resized.
    Outside training images stay as they are.
    """

    def __init__(
        self,
        height: int,
        width: int,
        seed: Any = None,
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(height, width, data_format, name=name, **kwargs)
        self.seed_stream = SeedStream(seed)

    def call(self, inputs: Any, training: bool = True) -> Any:
        return self._apply(cast(inputs, self.compute_dtype)) if training else inputs

    def transformed(self, images: Tensor) -> Tensor:
        h, w = self.height, self.width
        height, width = images.shape[1:3]
        if height > h and width > w:
            rng = self.seed_stream.generator()
            top, left = (int(rng.integers(0, n + 1)) for n in (height - h, width - w))
        else:
            inner = _fitting(height, width, h, w)
            top, left = (height - inner[0]) // 2, (width - inner[1]) // 2
        box = images[:, top : top + h, left : left + w]
        return box if box.shape[1:3] == (h, w) else like(resize(box, (h, w)), images.dtype)


def _fitting(height: int, width: int, h: int, w: int) -> tuple[int, int]:
    """The largest box of the ratio h : w inside height x width."""
    tall, wide = int(width * h / w), int(height * w / h)
    return max(min(height, tall), 1), max(min(width, wide), 1)


def _cut_to_ratio(x: Tensor, h: int, w: int) -> Tensor:
    """The middle of the images, as much as has the ratio h : w."""
    height, width = x.shape[1:3]
    tall, wide = _fitting(height, width, h, w)
    top, left = (height - tall) // 2, (width - wide) // 2
    return x[:, top : top + tall, left : left + wide]  # (N, tall, wide, C)


def _bordered_to_ratio(x: Tensor, h: int, w: int, value: float) -> Tensor:
    """The images between two equal borders, so that they have the ratio h : w."""
    height, width = x.shape[1:3]
    top = (max(height, int(width * h / w)) - height) // 2
    left = (max(width, int(height * w / h)) - width) // 2
    return pad(x, [[0, 0], [top, top], [left, left], [0, 0]], constant_values=value)
