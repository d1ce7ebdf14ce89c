"""Moving pixels: mirror images, crops and borders. No pixel changes its value.

For all of them:
    Args: `image`: (H, W, C) or (N, H, W, C). `target_height`, `target_width`: the new size in
        pixels. `name`: ignored.
    Returns: the shape of `image`, or (target_height, target_width, C) with N in front if `image`
        has it.
    Raises: TypeError where a length or number is no integer; ValueError where a length is
        negative, a size below 1, or `image` has another number of axes or no pixels.
    Source: tf.image, under the same name.
"""

from __future__ import annotations

from typing import Any

from minitensor.autograd import Tensor
from minitensor.image.inputs import batched, example, picture, pixels, scalar, unbatched
from minitensor.nn import checks
from minitensor.ops import array


@example("flip_left_right([[[1], [2], [3]]]).numpy().ravel()", "array([3, 2, 1], dtype=int32)")
def flip_left_right(image: Any) -> Tensor:
    """Mirrors images: the first column becomes the last.

    y[n, i, j, c] = image[n, i, W - 1 - j, c]
    """
    return array.flip(picture("flip_left_right", "image", image), axes=(-2,))


@example("flip_up_down([[[1]], [[2]]]).numpy().ravel()", "array([2, 1], dtype=int32)")
def flip_up_down(image: Any) -> Tensor:
    """Turns images upside down: the first row becomes the last.

    y[n, i, j, c] = image[n, H - 1 - i, j, c]
    """
    return array.flip(picture("flip_up_down", "image", image), axes=(-3,))


@example("central_crop(tf.zeros([5, 8, 3]), 0.5).shape", "TensorShape([3, 4, 3])")
def central_crop(image: Any, central_fraction: Any) -> Tensor:
    """Keeps the middle of images.

    Along each axis of n pixels, floor((n - n * central_fraction) / 2) pixels go on each side.

    Args:
        central_fraction: of height and of width, greater than 0 and at most 1.

    Returns:
        (h, w, C) or (N, h, w, C)

    Raises:
        ValueError: the fraction is not in (0, 1], or the image has another number of axes.
    """
    x = picture("central_crop", "image", image)
    fraction = scalar("central_crop", "central_fraction", central_fraction)
    if not 0 < fraction <= 1:
        raise ValueError(
            "central_crop: central_fraction must be greater than 0 and at most 1, "
            f"got {central_fraction}"
        )
    top, left = (int((n - n * fraction) / 2) for n in x.shape[-3:-1])
    return _cut(x, top, left, x.shape[-3] - 2 * top, x.shape[-2] - 2 * left)


def crop_to_bounding_box(
    image: Any, offset_height: int, offset_width: int, target_height: int, target_width: int
) -> Tensor:
    """Cuts a box out of images.

    y[n, i, j, c] = image[n, i + offset_height, j + offset_width, c]

    Args:
        offset_height, offset_width: the box's first row and column.
        target_height, target_width: its size in pixels.

    Raises:
        ValueError: a length is negative, a size is 0, or the box leaves the image.

    Example:
        >>> import minitensor as tf
        >>> x = tf.reshape(tf.range(9), [3, 3, 1])
        >>> tf.image.crop_to_bounding_box(x, 1, 0, 2, 2).numpy().ravel().tolist()
        [3, 4, 6, 7]
    """
    op = "crop_to_bounding_box"
    x = picture(op, "image", image)
    top, left = pixels(op, offset_height=offset_height, offset_width=offset_width)
    h, w = pixels(op, 1, target_height=target_height, target_width=target_width)
    height, width = x.shape[-3:-1]
    if top + h > height or left + w > width:
        raise ValueError(
            f"{op}: rows {top} to {top + h} and columns {left} to {left + w} leave the image of "
            f"{(height, width)} pixels; offset plus target must fit"
        )
    return _cut(x, top, left, h, w)


@example("pad_to_bounding_box(tf.ones([1, 2, 1]), 0, 1, 1, 4).numpy().ravel()", "[0., 1., 1., 0.]")
def pad_to_bounding_box(
    image: Any, offset_height: int, offset_width: int, target_height: int, target_width: int
) -> Tensor:
    """Puts images into larger ones of zeros.

    y[n, i + offset_height, j + offset_width, c] = image[n, i, j, c], 0 elsewhere

    Args:
        offset_height, offset_width: rows and columns of zeros before the image.

    Raises:
        ValueError: a length is negative, or the image does not fit.
    """
    op = "pad_to_bounding_box"
    x = picture(op, "image", image)
    top, left = pixels(op, offset_height=offset_height, offset_width=offset_width)
    h, w = pixels(op, target_height=target_height, target_width=target_width)
    height, width = x.shape[-3:-1]
    if top + height > h or left + width > w:
        raise ValueError(
            f"{op}: an image of {(height, width)} pixels from {(top, left)} on does not fit into "
            f"{(h, w)}; target must be at least offset plus size"
        )
    return _framed(x, top, left, h, w)


def resize_with_crop_or_pad(image: Any, target_height: int, target_width: int) -> Tensor:
    """Crops the middle of images, or adds zeros around them, up to a size; nothing is stretched.

    Along each axis of n pixels, floor(|target - n| / 2) are cut or added before, the rest after.

    Example:
        >>> import minitensor as tf
        >>> x = tf.reshape(tf.range(1, 5), [1, 4, 1])
        >>> tf.image.resize_with_crop_or_pad(x, 1, 6).numpy().ravel().tolist()
        [0, 1, 2, 3, 4, 0]
        >>> tf.image.resize_with_crop_or_pad(x, 1, 2).numpy().ravel().tolist()
        [2, 3]
    """
    op = "resize_with_crop_or_pad"
    x = picture(op, "image", image)
    h, w = pixels(op, 1, target_height=target_height, target_width=target_width)
    height, width = x.shape[-3:-1]
    top, left = (max((old - new) // 2, 0) for old, new in ((height, h), (width, w)))
    cut = _cut(x, top, left, min(h, height), min(w, width))
    return _framed(cut, max((h - height) // 2, 0), max((w - width) // 2, 0), h, w)


def rot90(image: Any, k: Any = 1, name: str | None = None) -> Tensor:
    """Turns images by quarters, against the clock.

    y[n, i, j, c] = image[n, j, W - 1 - i, c] for k = 1

    Args:
        k: how many quarters; any integer.

    Returns:
        (H, W, C), or (W, H, C) if k is odd; with N in front if `image` has it.

    Example:
        >>> import minitensor as tf
        >>> tf.image.rot90(tf.reshape(tf.range(4), [2, 2, 1])).numpy()[..., 0]
        array([[1, 3],
               [0, 2]], dtype=int32)
    """
    x = picture("rot90", "image", image)
    quarters = checks.number("rot90", "k", k, -(2**31)) % 4
    if quarters % 2:
        x = transpose(x)
    flipped: tuple[int, ...] = {0: (), 1: (-3,), 2: (-3, -2), 3: (-2,)}[quarters]
    return array.flip(x, axes=flipped) if flipped else x


@example("transpose(tf.zeros([5, 8, 3])).shape", "TensorShape([8, 5, 3])")
def transpose(image: Any, name: str | None = None) -> Tensor:
    """Exchanges rows and columns of images.

    y[n, i, j, c] = image[n, j, i, c]

    Returns:
        (W, H, C) or (N, W, H, C)
    """
    x = picture("transpose", "image", image)
    axes = (*range(x.ndim - 3), x.ndim - 2, x.ndim - 3, x.ndim - 1)
    return array.transpose(x, axes=axes)  # (..., W, H, C)


def _cut(x: Tensor, top: int, left: int, h: int, w: int) -> Tensor:
    """The h by w pixels from (top, left) on."""
    box = (..., slice(top, top + h), slice(left, left + w), slice(None))
    return array.getitem(x, index=box)  # (..., h, w, C)


def _framed(x: Tensor, top: int, left: int, h: int, w: int) -> Tensor:
    """Zeros of h by w pixels with x from (top, left) on."""
    full = batched(x)
    height, width = full.shape[1:3]
    rows, columns = (top, h - top - height), (left, w - left - width)
    return unbatched(array.pad(full, pads=((0, 0), rows, columns, (0, 0))), x)
