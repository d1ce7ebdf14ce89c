"""What TensorFlow answers to calls of tf.image: a table of calls, and their recorded answers.

`python tests/support/reference_image.py` asks TensorFlow and writes `recorded_image.npz`, so that
`test_image.py` can compare where TensorFlow is not installed; where it is, a live test asks again.
The gradient of a call is that of <y, c> with respect to its image, c drawn at random.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

RECORDED = Path(__file__).with_name("recorded_image.npz")
METHODS = [
    "bilinear",
    "nearest",
    "bicubic",
    "area",
    "lanczos3",
    "lanczos5",
    "gaussian",
    "mitchellcubic",
]
SIZES = ([3, 5], [7, 4], [9, 11], [1, 1], [5, 6])
DTYPES = ["uint8", "int8", "int16", "uint16", "int32", "float16", "float32", "float64"]
PATCH = {"strides": [1, 1, 1, 1], "rates": [1, 1, 1, 1], "padding": "VALID"}
COLORS = [[-0.2, -0.5, -0.9], [0, 0, 0], [0.5, 0.5, 0.5], [2, 1, 0.5], [1, 0.2, 0.2], [0.2, 1, 1]]


class Call(NamedTuple):
    """One call: the function's name, the image it is given first, and the other arguments."""

    function: str
    image: np.ndarray
    args: tuple[Any, ...] = ()
    settings: dict[str, Any] = {}  # noqa: RUF012

    @property
    def key(self) -> str:
        """Its name in the recording."""
        words = [*map(str, self.args), *(f"{k}={v}" for k, v in self.settings.items())]
        shape = "x".join(map(str, self.image.shape))
        return f"{self.function}({self.image.dtype} {shape} {' '.join(words)})"


def drawn(shape: tuple[int, ...], dtype: str = "float32", seed: int = 0) -> np.ndarray:
    """Numbers from 0 to 1, or over the middle half of an integer type's positive range."""
    values = np.random.RandomState(seed).uniform(0, 1, shape)
    if np.dtype(dtype).kind == "f":
        return values.astype(dtype)
    return (values * (np.iinfo(dtype).max // 2)).astype(dtype)


def calls() -> Iterator[Call]:
    """The table."""
    yield from resizing()
    yield from moving()
    yield from coloring()


def resizing() -> Iterator[Call]:
    image = drawn((2, 5, 6, 2))
    for method in METHODS:
        for size in SIZES:
            for antialias in (False, True):
                yield Call("resize", image, (size, method), {"antialias": antialias})
        for dtype in DTYPES:
            yield Call("resize", drawn((4, 5, 1), dtype), ([3, 7], method))
    for size in ([13, 9], [3, 30], [12, 12]):
        yield Call("resize", image, (size,), {"preserve_aspect_ratio": True})
    yield Call("resize", image[:0], ([3, 5],))


def moving() -> Iterator[Call]:
    one, several = drawn((5, 8, 3)), drawn((2, 6, 7, 3))
    for image in (one, several, drawn((3, 3, 1), "uint8")):
        yield Call("flip_left_right", image)
        yield Call("flip_up_down", image)
        for fraction in (0.2, 0.5, 0.75, 1.0):
            yield Call("central_crop", image, (fraction,))
        for target in ((3, 3), (9, 9), (4, 11), (8, 2)):
            yield Call("resize_with_crop_or_pad", image, target)
        for quarters in (1, 2, -1, 4):
            yield Call("rot90", image, (quarters,))
        yield Call("transpose", image)
        for target in ((3, 3), (9, 20), (20, 4)):
            yield Call("resize_with_pad", image, target)
        if image.dtype != np.uint8:  # whose differences wrap around
            yield Call("total_variation", image)
        yield Call("crop_to_bounding_box", image, (1, 0, 2, 3))
        yield Call("pad_to_bounding_box", image, (1, 2, 9, 10))
    boxes = [[0.0, 0.0, 1.0, 1.0], [0.9, 0.2, 0.1, 0.7], [-0.3, 0.1, 0.5, 1.4]]
    for size in ([3, 4], [1, 5], [8, 1]):
        for method in ("bilinear", "nearest"):
            yield Call("crop_and_resize", several, (boxes, [0, 1, 1], size, method, -2.0))
    yield Call("resize_with_pad", several, (5, 9), {"method": "bicubic", "antialias": True})
    yield Call("sobel_edges", several)
    for dtype in DTYPES:
        yield Call("extract_patches", drawn((2, 5, 6, 2), dtype), ([1, 2, 3, 1],), PATCH)
    for padding in ("SAME", "VALID"):
        for stride, rate in ((1, 1), (2, 1), (1, 2), (3, 2)):
            settings = {"strides": [1, stride, 1, 1], "rates": [1, rate, 1, 1], "padding": padding}
            yield Call("extract_patches", several, ([1, 3, 2, 1],), settings)


def coloring() -> Iterator[Call]:
    for dtype in DTYPES:
        image = drawn((2, 2, 3, 3), dtype)
        yield Call("rgb_to_grayscale", image)
        yield Call("per_image_standardization", image)
        for delta in (-0.3, 0.1, 0.9):
            yield Call("adjust_brightness", image, (delta,))
        if dtype != "float16":  # no kernel in TensorFlow
            for factor in (0.0, 0.5, 3.0):
                yield Call("adjust_contrast", image, (factor,))
            for delta in (-0.7, 0.1, 1.0):
                yield Call("adjust_hue", image, (delta,))
            for factor in (0.0, 0.5, 3.0):
                yield Call("adjust_saturation", image, (factor,))
            for gamma, gain in ((0.5, 1.0), (2.0, 0.7), (1.0, 3.0)):
                yield Call("adjust_gamma", image, (gamma, gain))
        if dtype != "uint16":  # no kernel in TensorFlow
            yield Call("grayscale_to_rgb", image[..., :1])
        wide = ("uint16", "int32", "int64") if dtype == "float16" else ()  # beyond 65504
        for new in [t for t in (*DTYPES, "int64") if t not in wide]:
            for saturate in (False, True):
                yield Call("convert_image_dtype", image, (new,), {"saturate": saturate})
    wild = np.array([-1, -0.1, 0, 0.3, 0.5, 1, 1.5, 300], np.float32)
    for new in ("uint8", "int16", "uint16", "int32"):
        yield Call("convert_image_dtype", wild, (new,), {"saturate": True})
    for dtype in ("float32", "float64"):
        yield Call("rgb_to_hsv", drawn((4, 5, 3), dtype))
        yield Call("hsv_to_rgb", drawn((4, 5, 3), dtype))
    odd = np.array([COLORS], np.float32)
    yield Call("rgb_to_hsv", odd)
    yield Call("hsv_to_rgb", np.array([[1.2, 0.5, 0.9], [-0.3, 1, 1], [0.5, 1.5, 0.5]], np.float32))
    yield Call("adjust_hue", odd, (0.3,))
    yield Call("per_image_standardization", np.full((3, 3, 2), 7, np.uint8))


def cotangent(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """What gradients are asked with."""
    return np.random.RandomState(1).normal(size=shape).astype(dtype)


def ask() -> dict[str, np.ndarray]:
    """TensorFlow's answers: "<key>" the value, "<key> gradient" where it has one."""
    import tensorflow as tf

    answers: dict[str, np.ndarray] = {}
    for call in calls():
        x = tf.constant(call.image)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = getattr(tf.image, call.function)(x, *call.args, **call.settings)
        answers[call.key] = y.numpy()
        if not (x.dtype.is_floating and y.dtype.is_floating and x.dtype.size > 2):
            continue
        try:
            g = tape.gradient(y, x, tf.constant(cotangent(y.shape, y.dtype.name)))
        except (LookupError, tf.errors.InvalidArgumentError):  # no gradient, or one of float32 only
            g = None
        if g is not None:
            answers[f"{call.key} gradient"] = g.numpy()
    return answers


if __name__ == "__main__":
    np.savez_compressed(sys.argv[1] if sys.argv[1:] else RECORDED, **ask())
