"""tf.nn's convolutions: arguments in, errors out, then one call of `ops.conv`.

For all of them:
    Args: `filters`: their third last axis may hold fewer channels than the input: C/G of them make
        G groups. `name`: ignored.
    Raises: TypeError for an argument of the wrong kind or for tensors of two dtypes, ValueError for
        shapes, numbers and words that are not legal.
    Source: the function of tf.nn with the same name.
"""

from __future__ import annotations

import math
from typing import Any

from minitensor import backend
from minitensor.autograd import Tensor
from minitensor.nn import arguments as args
from minitensor.nn import checks
from minitensor.nn.ranks import of_rank
from minitensor.ops import array
from minitensor.ops import conv as ops

__all__ = ["atrous_conv2d", "conv1d", "conv2d", "conv2d_matrix", "conv3d", "convolution"]

_CONV = """Cross-correlates {images} with a filter bank.

y[n, {at}, o] = sum over {over}, c of
    input[n, {dilated}, c] filters[{over}, c, o]

Args:
    input: (..., {sizes}, C); floats or int32.
    filters: ({taps}, C/G, O).
    {strides}
    padding: {padding}.
    data_format: {layouts}.
    dilations: pixels between taps, in the same forms; together with strides as well.

Returns:
    (..., {outputs}, O)

Example:
    >>> import minitensor as tf
    {example}
"""


@of_rank(
    1,
    _CONV,
    strides="stride: pixels between output positions: a number, [s] or [1, s, 1].",
    padding='"SAME" or "VALID"',
)
def conv1d(
    input: Any,
    filters: Any,
    stride: Any,
    padding: Any,
    data_format: str | None = "NWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """
    >>> x = tf.constant([[[1.0], [2.0], [3.0]]])
    >>> tf.nn.conv1d(x, tf.ones([2, 1, 1]), 1, "VALID").numpy().ravel()
    array([3., 5.], dtype=float32)
    """
    return _conv(
        "conv1d", 1, input, filters, stride, padding, data_format, dilations, explicit=False
    )


@of_rank(
    2,
    _CONV,
    strides="strides: pixels between output positions: a number, [s], [sh, sw] or one per axis.",
    padding='"SAME", "VALID" or [[0, 0], [top, bottom], [left, right], [0, 0]], as the axes are',
)
def conv2d(
    input: Any,
    filters: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = "NHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """
    >>> x = tf.reshape(tf.range(1.0, 26.0), [1, 5, 5, 1])
    >>> w = tf.reshape(tf.constant([-1.0, 2, -3, 4, -5, 6, -7, 8, -9]), [3, 3, 1, 1])
    >>> tf.nn.conv2d(x, w, 2, "VALID")[0, :, :, 0].numpy()
    array([[ -67.,  -77.],
           [-117., -127.]], dtype=float32)
    """
    return _conv("conv2d", 2, input, filters, strides, padding, data_format, dilations)


@of_rank(
    3,
    _CONV,
    strides="strides: [1, sd, sh, sw, 1], in the order of `data_format`.",
    padding='"SAME" or "VALID"',
)
def conv3d(
    input: Any,
    filters: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = "NDHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """
    >>> x, w = tf.ones([1, 3, 3, 3, 1]), tf.ones([2, 2, 2, 1, 1])
    >>> tf.nn.conv3d(x, w, [1, 1, 1, 1, 1], "VALID").shape
    TensorShape([1, 2, 2, 2, 1])
    """
    return _conv("conv3d", 3, input, filters, strides, padding, data_format, dilations, (5,), False)


def convolution(
    input: Any,
    filters: Any,
    strides: Any = None,
    padding: Any = "VALID",
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """conv1d, conv2d or conv3d, by the number of axes of `filters`; strides default to 1.

    y = conv{filters.ndim - 2}d(input, filters, strides, padding, data_format, dilations)

    Args:
        input: (..., spatial axes, C).
        filters: (spatial taps, C/G, O) with one, two or three spatial axes.
        strides: a number, or one per spatial axis; together with dilations as well.
        padding: "VALID", "SAME" or explicit pairs over all axes.
        data_format: "NWC", "NHWC", "NDHWC" or their channels-first forms.
        dilations: like `strides`.

    Returns:
        (..., output sizes, O)

    Example:
        >>> import minitensor as tf
        >>> tf.nn.convolution(tf.ones([1, 5, 5, 1]), tf.ones([3, 3, 1, 2])).shape
        TensorShape([1, 3, 3, 2])
    """
    rank = len(getattr(filters, "shape", ())) - 2
    if rank not in (1, 2, 3):
        raise ValueError(
            "convolution: filters must have 3, 4 or 5 axes (spatial taps, C/G, O), got shape "
            f"{tuple(getattr(filters, 'shape', ()))}"
        )
    return _conv("convolution", rank, input, filters, strides, padding, data_format, dilations)


def atrous_conv2d(
    value: Any, filters: Any, rate: Any, padding: Any, name: str | None = None
) -> Tensor:
    """conv2d with taps `rate` pixels apart ("a trous": with holes) and stride 1.

    y = conv2d(value, filters, 1, padding, dilations=rate)

    Args:
        value: (N, H, W, C).
        filters: (kh, kw, C/G, O).
        rate: pixels between taps: a number or [rh, rw].
        padding: "SAME", "VALID" or explicit pairs.

    Returns:
        (N, h, w, O)

    Example:
        >>> import minitensor as tf
        >>> tf.nn.atrous_conv2d(tf.ones([1, 7, 7, 1]), tf.ones([3, 3, 1, 1]), 2, "VALID").shape
        TensorShape([1, 3, 3, 1])
    """
    args.spatial("atrous_conv2d", "rate", rate, 2, True, (0, 1, 2))
    return _conv("atrous_conv2d", 2, value, filters, 1, padding, None, rate, image="value")


def conv2d_matrix(
    filters: Any, input_shape: Any, strides: Any = 1, padding: Any = "VALID", dilations: Any = None
) -> Any:
    """The matrix that convolution is: conv2d(x, filters).ravel() = W' @ x.ravel() per image.

    W'[(i,j,o), (i*sh + u*dh - top, j*sw + v*dw - left, c)] = filters[u, v, c, o], zero elsewhere

    Args:
        filters: (kh, kw, C/G, O).
        input_shape: (H, W, C) of one image.
        strides: pixels between output positions: a number, [s], [sh, sw] or one per axis.
        padding: "SAME", "VALID" or explicit pairs over all axes.
        dilations: pixels between taps, in the forms of `strides`.

    Returns:
        (h*w*O, H*W*C): a `SparseMatrix`, which is printed as rows, with a dot for each zero. `@`
        multiplies, `.T` is conv2d_transpose, `.toarray()` the dense array, `.symbols()` the rows
        with the weights' names, `.to_scipy()` one of SciPy. Half precision comes as float32.

    Raises:
        ValueError: sizes that are not legal, or a dense matrix that would be too large.

    Example:
        >>> import minitensor as tf
        >>> matrix = tf.nn.conv2d_matrix(tf.ones([2, 2, 1, 1]), (2, 3, 1))
        >>> print(matrix.symbols())
        matrix (2, 6), 8 of 12 numbers stored
          w[0,0] w[0,1]      · w[1,0] w[1,1]      ·
               · w[0,0] w[0,1]      · w[1,0] w[1,1]
        >>> matrix @ [1, 2, 3, 4, 5, 6]
        array([12., 16.])

    Source: the sparse matrix of a convolution, as in the course's chapter on transposed
        convolution (tf.nn has no such function).
    """
    op = "conv2d_matrix"
    (kernel,) = args.tensors(op, filters=filters)
    args.rank_of(op, "filters", kernel, 4, "(kh, kw, C/G, O)")
    args.taps(op, kernel.shape[:2])
    shape = checks.numbers(op, "input_shape", input_shape)
    if len(shape) != 3:
        raise ValueError(f"{op}: input_shape must be (H, W, C), got {shape}")
    stride = args.spatial(op, "strides", strides, 2, True)
    dilation = args.spatial(op, "dilations", dilations, 2, True)
    pads = args.padding(op, padding, 2, True)
    groups = args.group_count(op, shape[2], kernel.shape, "input_shape")
    _, window = args.windows(op, shape[:2], kernel.shape[:2], stride, pads, dilation, groups)
    return backend.of(kernel.array).conv2d_matrix(kernel.array, window)


def _conv(
    op: str,
    rank: int,
    input: Any,
    filters: Any,
    strides: Any,
    padding: Any,
    data_format: str | None,
    dilations: Any,
    forms: tuple[int, ...] | None = None,
    explicit: bool = True,
    image: str = "input",
) -> Tensor:
    """Reads the arguments, folds leading axes into the batch and turns channels last."""
    last = args.channels_last(op, data_format, rank)
    stride = args.spatial(op, "strides" if rank > 1 else "stride", strides, rank, last, forms)
    dilation = args.spatial(op, "dilations", dilations, rank, last, forms)
    pads = args.padding(op, padding, rank, last, explicit)
    x, kernel = args.tensors(op, **{image: input, "filters": filters})
    args.rank_of(op, image, x, rank + 2, "(N, spatial axes and channels)", more=True)
    args.rank_of(op, "filters", kernel, rank + 2, "(spatial taps, C/G, O)")
    taps, shape = kernel.array.shape[:rank], x.array.shape
    args.taps(op, taps)
    lead = shape[: -(rank + 1)]
    if len(lead) != 1:
        x = array.reshape(x, shape=(math.prod(lead), *shape[len(lead) :]))  # (N, H, W, C)
    x = args.moved_last(x, last)
    size, channels = x.array.shape[1:-1], x.array.shape[-1]
    groups = args.group_count(op, channels, kernel.array.shape, image)
    depth, plane = args.windows(op, size, taps, stride, pads, dilation, groups)
    y = args.moved_back(ops.conv(x, kernel, depth=depth, plane=plane), last)
    return y if len(lead) == 1 else array.reshape(y, shape=(*lead, *y.shape[1:]))
