"""im2col and its adjoint as functions of images: patches cut out, and patches added back.

For both:
    Args: `sizes`: [1, kh, kw, 1], the window in pixels. `strides`: [1, sh, sw, 1], pixels from one
        patch to the next. `rates`: [1, rh, rw, 1], pixels from one pixel of a patch to the next.
        `padding`: "VALID" or "SAME"; what lies outside is 0. `name`: ignored.
    Raises: TypeError for lists of something else than integers, ValueError for lists of another
        form, numbers below 1, or a window larger than the image.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minitensor.autograd import Tensor
from minitensor.image.inputs import picture
from minitensor.nn import arguments as args
from minitensor.nn import checks
from minitensor.ops import conv as ops
from minitensor.window import Window


def extract_patches(
    images: Any, sizes: Any, strides: Any, rates: Any, padding: Any, name: str | None = None
) -> Tensor:
    """Each output position's window as one row of pixels: what a convolution's kernel multiplies.

    y[n, i, j, (u kw + v) C + c] = images[n, i sh + u rh - top, j sw + v rw - left, c]

    Args:
        images: (N, H, W, C).

    Returns:
        (N, h, w, kh*kw*C)

    Example:
        >>> import minitensor as tf
        >>> x = tf.reshape(tf.range(9), [1, 3, 3, 1])
        >>> one = [1, 1, 1, 1]
        >>> tf.image.extract_patches(x, [1, 2, 2, 1], one, one, "VALID")[0, 0].numpy()
        array([[0, 1, 3, 4],
               [1, 2, 4, 5]], dtype=int32)

    Source: tf.image.extract_patches
    """
    op = "extract_patches"
    x = picture(op, "images", images, (4,))
    return ops.im2col(x, window=_window(op, x.shape[1:3], sizes, strides, rates, padding))


def add_patches(
    patches: Any, image_size: Any, sizes: Any, strides: Any, rates: Any, padding: Any
) -> Tensor:
    """The adjoint of extract_patches: each pixel is the sum of all patch entries read from it.

    sum(extract_patches(x) * y) = sum(x * add_patches(y))

    It restores an image only where each pixel was read once: add_patches(extract_patches(x)) is x
    times the number of patches that see the pixel.

    Args:
        patches: (N, h, w, kh*kw*C).
        image_size: [H, W] of the images to make.

    Returns:
        (N, H, W, C)

    Raises:
        ValueError: patches that no image of this size has, or what extract_patches refuses.

    Example:
        >>> import minitensor as tf
        >>> y = tf.ones([1, 2, 2, 4])
        >>> one = [1, 1, 1, 1]
        >>> tf.image.add_patches(y, [3, 3], [1, 2, 2, 1], one, one, "VALID")[0, :, :, 0].numpy()
        array([[1., 2., 1.],
               [2., 4., 2.],
               [1., 2., 1.]], dtype=float32)

    Source: col2im; the gradient of tf.image.extract_patches (tf.image has no such function).
    """
    op = "add_patches"
    y = picture(op, "patches", patches, (4,))
    size = checks.numbers(op, "image_size", image_size, 1)
    if len(size) != 2:
        raise ValueError(f"{op}: image_size must be [H, W], got {size}")
    window = _window(op, size, sizes, strides, rates, padding)
    if y.shape[1:3] != window.out or y.shape[3] % window.taps:
        raise ValueError(
            f"{op}: patches have shape {y.shape} but images of {size} have {window.out} patches of "
            f"{window.taps} pixels: (N, {window.out[0]}, {window.out[1]}, {window.taps}*C)"
        )
    return ops.col2im(y, window=window)


def _window(
    op: str, size: Sequence[int], sizes: Any, strides: Any, rates: Any, padding: Any
) -> Window:
    """The window that the user's lists describe, over images of `size` pixels."""
    kernel, stride, rate = (
        args.spatial(op, word, value, 2, True, (4,))
        for word, value in (("sizes", sizes), ("strides", strides), ("rates", rates))
    )
    pads = args.padding(op, padding, 2, True, explicit=False)
    return args.windows(op, size, kernel, stride, pads, rate)[1]
