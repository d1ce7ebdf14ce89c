"""What images measure: how much they vary, their edges, and how alike two of them are.

For all of them:
    Args: `max_val`: the largest value a pixel can have, 255 for uint8, 1 for floats from 0 to 1.
        `name`: ignored.
    Raises: ValueError for another number of axes.
    Source: tf.image, under the same name.
"""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np

from minitensor.autograd import Tensor, first_tensor
from minitensor.image.color import convert_image_dtype
from minitensor.image.inputs import NUMBERS, example, picture, scalar
from minitensor.nn import checks
from minitensor.nn.depthwise import depthwise_conv2d
from minitensor.ops import array, math, reduce

_SOBEL = [
    [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],  # from top to bottom
    [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],  # from left to right
]


@example("total_variation(tf.constant([[[1.0], [4.0]]])).numpy()", "np.float32(3.0)")
def total_variation(images: Any, name: str | None = None) -> Tensor:
    """How much neighbouring pixels differ.

    y[n] = sum of |x[i + 1, j, c] - x[i, j, c]| + |x[i, j + 1, c] - x[i, j, c]|

    Args:
        images: (H, W, C) or (N, H, W, C).

    Returns:
        A scalar, or (N,).

    Raises:
        TypeError: unsigned integers, whose differences wrap around.
    """
    x = picture("total_variation", "images", images)
    if x.dtype.kind == "u":
        raise TypeError(
            f"total_variation: images are {x.dtype.name}; use image.convert_image_dtype"
        )
    sums = [
        reduce.sum(math.absolute(_difference(x, axis)), axis=(-3, -2, -1), keepdims=False)
        for axis in (-3, -2)
    ]
    return sums[0] + sums[1]


def image_gradients(image: Any) -> tuple[Tensor, Tensor]:
    """Differences to the next row and to the next column; 0 in the last one.

    dy[i, j] = x[i + 1, j] - x[i, j],  dx[i, j] = x[i, j + 1] - x[i, j]

    Args:
        image: (N, H, W, C).

    Returns:
        dy and dx, each of the shape of `image`.

    Example:
        >>> import minitensor as tf
        >>> dy, dx = tf.image.image_gradients(tf.constant([[[[1.0], [4.0]]]]))
        >>> dx.numpy().ravel()
        array([3., 0.], dtype=float32)
    """
    x = picture("image_gradients", "image", image, (4,))
    down = array.pad(_difference(x, -3), pads=((0, 0), (0, 1), (0, 0), (0, 0)))
    right = array.pad(_difference(x, -2), pads=((0, 0), (0, 0), (0, 1), (0, 0)))
    return down, right


def _difference(x: Tensor, axis: int) -> Tensor:
    """Each slice along an axis taken from the next."""
    axis = axis % x.ndim
    ahead, behind = (array.along(axis, part) for part in (slice(1, None), slice(None, -1)))
    return array.getitem(x, index=ahead) - array.getitem(x, index=behind)


@example("sobel_edges(tf.ones([1, 5, 4, 3])).shape", "TensorShape([1, 5, 4, 3, 2])")
def sobel_edges(image: Any) -> Tensor:
    """Sobel's edges: differences over two pixels, smoothed across; the border is mirrored.

    y[..., 0] = x * [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],  y[..., 1] with the transposed kernel

    Args:
        image: (N, H, W, C) floats, at least 2 by 2 pixels.

    Returns:
        (N, H, W, C, 2): from top to bottom, from left to right.

    Raises:
        TypeError: integers.
        ValueError: another number of axes, or too few pixels.
    """
    x = picture("sobel_edges", "image", image, (4,))
    if min(x.shape[1:3]) < 2:
        raise ValueError(f"sobel_edges: image must have 2 by 2 pixels or more, got {x.shape}")
    kernel = np.transpose(np.array(_SOBEL), (1, 2, 0))[:, :, None]  # (3, 3, 1, 2)
    filters = np.tile(kernel, (1, 1, x.shape[-1], 1)).astype(x.dtype)
    framed = array.pad(x, pads=((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
    edges = depthwise_conv2d(framed, filters, [1, 1, 1, 1], "VALID")  # (N, H, W, C·2)
    return array.reshape(edges, shape=(*x.shape, 2))


@example(
    "psnr(tf.zeros([2, 2, 1]), tf.fill([2, 2, 1], 0.1), 1.0).numpy().round(4)", "np.float32(20.0)"
)
def psnr(a: Any, b: Any, max_val: Any, name: str | None = None) -> Tensor:
    """Peak signal-to-noise ratio in decibels.

    y = 20 log10(max_val) - 10 log10(mean((a - b)^2))

    Args:
        a, b: (..., H, W, C).

    Returns:
        (...), float32; infinity for equal images.

    Raises:
        ValueError: the shapes differ, or there are fewer than 3 axes.
    """
    x, y, top = _pair("psnr", a, b, max_val)
    mean = reduce.mean(math.square(x - y), axis=(-3, -2, -1), keepdims=False)
    return 20 * log(top) / log(10) - 10 / log(10) * math.log(mean)


def ssim(
    img1: Any,
    img2: Any,
    max_val: Any,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    return_index_map: bool = False,
) -> Tensor:
    """Structural similarity: 1 for equal images.

    y = mean of (2 m1 m2 + c1) (2 s12 + c2) / ((m1^2 + m2^2 + c1) (s11 + s22 + c2)), where m and s
    are means and covariances under a Gaussian window, c1 = (k1 max_val)^2, c2 = (k2 max_val)^2

    Args:
        img1, img2: (..., H, W, C).
        filter_size, filter_sigma: of the window, in pixels.
        k1, k2: what keeps flat images from dividing by 0.
        return_index_map: leave the mean over pixels out.

    Returns:
        (...) or (..., h, w), float32.

    Raises:
        ValueError: the shapes differ, or the images are smaller than the window.

    Example:
        >>> import minitensor as tf
        >>> x = tf.random.uniform([1, 16, 16, 3])
        >>> tf.image.ssim(x, x, 1.0).numpy()
        array([1.], dtype=float32)

    Source: Wang, Bovik, Sheikh and Simoncelli, 2004
    """
    x, y, top = _pair("ssim", img1, img2, max_val)
    measure = _measure("ssim", x.shape[-1], top, filter_size, filter_sigma, k1, k2)
    axes = (-1,) if return_index_map else (-3, -2, -1)
    return reduce.mean(_likeness("ssim", x, y, *measure)[0], axis=axes, keepdims=False)


def ssim_multiscale(
    img1: Any,
    img2: Any,
    max_val: Any,
    power_factors: Any = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333),
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
) -> Tensor:
    """Structural similarity of images and of their halves, quarters, ...: 1 for equal images.

    y = mean over channels of ssim_K^p_K * product of contrast_k^p_k, k < K scales; what is negative
    counts as 0

    Args:
        img1, img2: (..., H, W, C).
        power_factors: p, one for each scale, the full size first.
        filter_size, filter_sigma: of the window, in pixels.
        k1, k2: what keeps flat images from dividing by 0.

    Returns:
        (...), float32.

    Raises:
        ValueError: the shapes differ, or the smallest images are smaller than the window.

    Example:
        >>> import minitensor as tf
        >>> x = tf.random.uniform([1, 32, 32, 3])
        >>> tf.image.ssim_multiscale(x, x, 1.0, [0.5, 0.5]).numpy()
        array([1.], dtype=float32)

    Source: Wang, Simoncelli and Bovik, 2003
    """
    op = "ssim_multiscale"
    x, y, top = _pair(op, img1, img2, max_val)
    powers = np.asarray(power_factors, np.float32)
    if powers.ndim != 1 or not powers.size:
        raise ValueError(f"{op}: power_factors must be a list of numbers, got {power_factors!r}")
    measure = _measure(op, x.shape[-1], top, filter_size, filter_sigma, k1, k2)
    result: Any = 1
    for scale, power in enumerate(powers):
        if scale:
            x, y = _halved(x), _halved(y)
        maps = _likeness(op, x, y, *measure)
        last = scale == len(powers) - 1
        means = reduce.mean(maps[0 if last else 1], axis=(-3, -2), keepdims=False)  # (..., C)
        result = math.maximum(means, 0) ** power * result
    return reduce.mean(result, axis=(-1,), keepdims=False)


def _halved(x: Tensor) -> Tensor:
    """Means of 2 by 2 pixels; an odd last row or column counts twice."""
    h, w = (size + size % 2 for size in x.shape[-3:-1])
    pads = (*((0, 0),) * (x.ndim - 3), (0, h - x.shape[-3]), (0, w - x.shape[-2]), (0, 0))
    even = array.pad(x, pads=pads, mode="symmetric")
    blocks = array.reshape(even, shape=(*x.shape[:-3], h // 2, 2, w // 2, 2, x.shape[-1]))
    return reduce.mean(blocks, axis=(-4, -2), keepdims=False)  # (..., h/2, w/2, C)


def _measure(
    op: str, channels: int, top: float, filter_size: Any, filter_sigma: Any, k1: Any, k2: Any
) -> tuple[np.ndarray, float, float]:
    """A window, and what is added to means and to covariances."""
    size = checks.number(op, "filter_size", filter_size, 1)
    window = _window(size, scalar(op, "filter_sigma", filter_sigma), channels)
    c1, c2 = (scalar(op, "k", k) ** 2 * top**2 for k in (k1, k2))
    return window, c1, c2


def _likeness(
    op: str, x: Tensor, y: Tensor, window: np.ndarray, c1: float, c2: float
) -> tuple[Tensor, Tensor]:
    """(..., h, w, C) twice: the likeness of each window, and that of its contrast alone."""
    if min(x.shape[-3:-1]) < len(window):
        raise ValueError(
            f"{op}: images of {x.shape[-3:-1]} pixels are smaller than the window {len(window)}"
        )
    m1, m2 = _windowed(x, window), _windowed(y, window)
    product, squares = m1 * m2 * 2, math.square(m1) + math.square(m2)
    both = _windowed(x * y, window) * 2
    each = _windowed(math.square(x) + math.square(y), window)
    contrast = (both - product + c2) / (each - squares + c2)
    return (product + c1) / (squares + c1) * contrast, contrast


def _pair(op: str, a: Any, b: Any, max_val: Any) -> tuple[Tensor, Tensor, float]:
    """Both images in float32 in the scale from 0 to 1, and the largest value in it."""
    like = first_tensor(a, b)
    x, y = (checks.tensor(op, word, v, NUMBERS, like) for word, v in (("a", a), ("b", b)))
    if x.ndim < 3 or y.ndim < 3 or x.shape[-3:] != y.shape[-3:]:
        raise ValueError(f"{op}: two images of one shape are needed, got {x.shape} and {y.shape}")
    checks.broadcast(op, a=x, b=y)
    top = scalar(op, "max_val", max_val)
    if x.dtype.kind in "iu":
        top /= np.iinfo(x.dtype).max
    return convert_image_dtype(x, np.float32), convert_image_dtype(y, np.float32), top


def _window(size: int, sigma: float, channels: int) -> np.ndarray:
    """(size, size, channels, 1): a Gaussian whose weights sum to 1."""
    line = np.exp(-0.5 * ((np.arange(size) - (size - 1) / 2) / sigma) ** 2)
    window = np.outer(line, line) / line.sum() ** 2
    return np.tile(window[:, :, None, None], (1, 1, channels, 1)).astype(np.float32)


def _windowed(x: Tensor, window: np.ndarray) -> Tensor:
    full = array.reshape(x, shape=(-1, *x.shape[-3:]))
    y = depthwise_conv2d(full, window, [1, 1, 1, 1], "VALID")
    return array.reshape(y, shape=(*x.shape[:-3], *y.shape[1:]))  # (..., h, w, C)
