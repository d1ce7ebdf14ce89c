"""Networks: activations, convolutions, poolings, normalisations, losses of single samples.

Of all: `data_format` None is `keras.config.image_data_format()`; `padding` "valid" or "same";
strides, sizes and dilations are one number, or one for each spatial axis.
"""

from __future__ import annotations

import math as constants
from collections.abc import Callable
from typing import Any

import numpy as np

from minitensor import nn
from minitensor.array import cast as _cast
from minitensor.array import expand_dims, gather, pad, reshape, squeeze, transpose
from minitensor.autograd import Tensor, as_tensor
from minitensor.autograd.tensor import is_float
from minitensor.image import add_patches, extract_patches
from minitensor.keras import activations, losses
from minitensor.keras.engine import defaults
from minitensor.keras.ops.left_out import refusing
from minitensor.keras.ops.linalg import norm
from minitensor.keras.ops.numpy.elementwise import named
from minitensor.keras.ops.promotion import cast, floating, result_type, together
from minitensor.keras.ops.table import Operand, operation
from minitensor.linalg import einsum
from minitensor.nn import checks
from minitensor.ops import math, reduce

__all__ = [
    "adaptive_average_pool", "adaptive_max_pool", "average_pool", "batch_normalization",
    "binary_crossentropy", "categorical_crossentropy", "celu", "conv", "conv_transpose",
    "depth_to_space", "depthwise_conv", "dot_product_attention", "elu", "fold", "gelu", "glu",
    "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh",
    "layer_normalization", "leaky_relu", "log_sigmoid", "log_softmax", "max_pool", "moments",
    "multi_hot", "normalize", "one_hot", "psnr", "relu", "relu6", "rms_normalization", "selu",
    "separable_conv", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign",
    "space_to_depth", "sparse_categorical_crossentropy", "sparse_plus", "sparse_sigmoid",
    "sparsemax", "squareplus", "swish", "tanh_shrink", "threshold", "unfold",
]  # fmt: skip

__getattr__ = refusing("keras.ops.nn")


# ----- activations -----


def activation(name: str, says: str) -> Callable[[Any], Tensor]:
    """A function of keras.activations without settings."""
    known = getattr(activations, name)

    def function(x: Operand) -> Tensor:
        return known(as_tensor(x))

    return named(function, name, says)


# fmt: off
relu = activation("relu", "max(x, 0).")
relu6 = activation("relu6", "min(max(x, 0), 6).")
selu = activation("selu", "1.0507 elu(x, 1.6733).")
silu = activation("silu", "x sigmoid(x).")
swish = activation("swish", "x sigmoid(x).")
sigmoid = activation("sigmoid", "1 / (1 + e^-x).")
log_sigmoid = activation("log_sigmoid", "log(sigmoid(x)).")
softplus = activation("softplus", "log(1 + e^x).")
softsign = activation("softsign", "x / (1 + |x|).")
hard_sigmoid = activation("hard_sigmoid", "relu6(x + 3) / 6.")
hard_silu = activation("hard_silu", "x hard_sigmoid(x).")
hard_swish = activation("hard_swish", "x hard_sigmoid(x).")
hard_tanh = activation("hard_tanh", "x within [-1, 1].")
tanh_shrink = activation("tanh_shrink", "x - tanh(x).")
sparse_plus = activation("sparse_plus", "0 below -1, x above 1, (x + 1)^2 / 4 between.")
sparse_sigmoid = activation("sparse_sigmoid", "(x + 1) / 2 within [0, 1].")
# fmt: on


@operation
def elu(x: Operand, alpha: float = 1.0) -> Tensor:
    """x above 0, alpha (e^x - 1) below. Source: keras.ops.elu"""
    return activations.elu(as_tensor(x), alpha)


@operation
def celu(x: Operand, alpha: float = 1.0) -> Tensor:
    """x above 0, alpha (e^(x / alpha) - 1) below. Source: keras.ops.celu"""
    return activations.celu(as_tensor(x), alpha)


@operation
def gelu(x: Operand, approximate: bool = True) -> Tensor:
    """x times the normal distribution's Phi(x). Source: keras.ops.gelu"""
    return activations.gelu(as_tensor(x), approximate)


@operation
def glu(x: Operand, axis: int = -1) -> Tensor:
    """Half of x times sigmoid of the other half. Source: keras.ops.glu"""
    return activations.glu(as_tensor(x), axis)


@operation
def leaky_relu(x: Operand, negative_slope: float = 0.2) -> Tensor:
    """x above 0, negative_slope x below. Source: keras.ops.leaky_relu"""
    return activations.leaky_relu(as_tensor(x), negative_slope)


@operation
def hard_shrink(x: Operand, threshold: float = 0.5) -> Tensor:
    """x where |x| > threshold, else 0. Source: keras.ops.hard_shrink"""
    return activations.hard_shrink(as_tensor(x), threshold)


@operation
def soft_shrink(x: Operand, threshold: float = 0.5) -> Tensor:
    """x moved towards 0 by threshold. Source: keras.ops.soft_shrink"""
    return activations.soft_shrink(as_tensor(x), threshold)


@operation
def squareplus(x: Operand, b: float = 4) -> Tensor:
    """(x + sqrt(x^2 + b)) / 2. Source: keras.ops.squareplus"""
    return activations.squareplus(as_tensor(x), b)


@operation
def threshold(x: Operand, threshold: float, default_value: float) -> Tensor:
    """x where x > threshold, else default_value. Source: keras.ops.threshold"""
    return activations.threshold(as_tensor(x), threshold, default_value)


@operation
def sparsemax(x: Operand, axis: int = -1) -> Tensor:
    """The nearest point of the simplex. Source: keras.ops.sparsemax"""
    return activations.sparsemax(as_tensor(x), axis)


def _along(function: Any, x: Any, axis: Any) -> Tensor:
    """A function of one axis, for several axes taken as one."""
    x = as_tensor(x)
    if not isinstance(axis, list | tuple):
        return function(x, axis)
    over = checks.axes("softmax", axis, x.ndim)
    order = [*(k for k in range(x.ndim) if k not in over), *over]
    moved = transpose(x, order)
    y = function(reshape(moved, [*moved.shape[: x.ndim - len(over)], -1]), -1)
    return transpose(reshape(y, moved.shape), list(np.argsort(order)))


@operation
def softmax(x: Operand, axis: Any = -1) -> Tensor:
    """e^x / sum of e^x. Source: keras.ops.softmax"""
    return _along(activations.softmax, x, axis)


@operation
def log_softmax(x: Operand, axis: Any = -1) -> Tensor:
    """x - log(sum of e^x). Source: keras.ops.log_softmax"""
    return _along(activations.log_softmax, x, axis)


# ----- windows -----


def _layout(data_format: Any, rank: int) -> str:
    """TensorFlow's word: "NHWC"."""
    pixels = "DHW"[-rank:]
    return f"N{pixels}C" if defaults.layout(data_format) == "channels_last" else f"NC{pixels}"


def _pool(kind: str, inputs: Any, size: Any, strides: Any, padding: str, layout: Any) -> Tensor:
    x = as_tensor(inputs)
    rank = x.ndim - 2
    size = [size] * rank if isinstance(size, int) else size
    strides = size if strides is None else strides
    strides = [strides] * rank if isinstance(strides, int) else strides
    return nn.pool(x, size, kind, strides, padding.upper(), _layout(layout, rank))


@operation
def max_pool(
    inputs: Operand,
    pool_size: Any,
    strides: Any = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The largest of each window. Source: keras.ops.max_pool"""
    return _pool("MAX", inputs, pool_size, strides, padding, data_format)


@operation
def average_pool(
    inputs: Operand,
    pool_size: Any,
    strides: Any = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The mean of each window. Source: keras.ops.average_pool"""
    return _pool("AVG", inputs, pool_size, strides, padding, data_format)


def _windows(n: int, o: int) -> tuple[np.ndarray, np.ndarray]:
    """(pixels that each window sees, whether they count): (o, longest window) each."""
    at = np.arange(o)
    start, end = at * n // o, -(-(at + 1) * n // o)
    taps = start[:, None] + np.arange((end - start).max())  # (o, longest)
    return np.minimum(taps, end[:, None] - 1), taps < end[:, None]


def _adaptive(inputs: Any, output_size: Any, data_format: Any, mean: bool) -> Tensor:
    """One axis after the other: taps that do not count come twice."""
    x = as_tensor(inputs)
    rank = x.ndim - 2
    sizes = [output_size] * rank if isinstance(output_size, int) else list(output_size)
    first = 1 if defaults.layout(data_format) == "channels_last" else 2
    for axis, size in enumerate(sizes, start=first):
        taps, counted = _windows(x.shape[axis], size)
        x = gather(x, taps, axis=axis)
        if mean:
            weights = counted / counted.sum(axis=1, keepdims=True)
            weights = weights.reshape(*counted.shape, *[1] * (x.ndim - axis - 2))
            x = reduce.sum(x * weights.astype(x.dtype), axis=axis + 1)
        else:
            x = reduce.max(x, axis=axis + 1)
    return x


@operation
def adaptive_average_pool(
    inputs: Operand, output_size: Any, data_format: str | None = None
) -> Tensor:
    """The mean of as many windows as are wanted. Source: keras.ops.adaptive_average_pool"""
    return _adaptive(inputs, output_size, data_format, True)


@operation
def adaptive_max_pool(inputs: Operand, output_size: Any, data_format: str | None = None) -> Tensor:
    """The largest of as many windows as are wanted. Source: keras.ops.adaptive_max_pool"""
    return _adaptive(inputs, output_size, data_format, False)


def _each(value: Any, rank: int) -> list[int]:
    return [value] * rank if isinstance(value, int) else list(value)


@operation
def conv(
    inputs: Operand,
    kernel: Operand,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """A convolution of one, two or three axes, in groups too. Source: keras.ops.conv"""
    x, k = together(inputs, kernel)
    rank = x.ndim - 2
    steps, rates = _each(strides, rank), _each(dilation_rate, rank)
    return nn.convolution(x, k, steps, padding.upper(), _layout(data_format, rank), rates)


@operation
def depthwise_conv(
    inputs: Operand,
    kernel: Operand,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """Filters of each channel alone. Source: keras.ops.depthwise_conv"""
    k = as_tensor(kernel)
    grouped = reshape(k, [*k.shape[:-2], 1, -1])  # (..., 1, C * multiplier)
    return conv(inputs, grouped, strides, padding, data_format, dilation_rate)


@operation
def separable_conv(
    inputs: Operand,
    depthwise_kernel: Operand,
    pointwise_kernel: Operand,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """Filters of each channel, then of all. Source: keras.ops.separable_conv"""
    y = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(y, pointwise_kernel, 1, "valid", data_format)


@operation
def conv_transpose(
    inputs: Operand,
    kernel: Operand,
    strides: Any = 1,
    padding: str = "valid",
    output_padding: Any = None,
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """The transposed convolution. Source: keras.ops.conv_transpose"""
    x, k = together(inputs, kernel)
    rank = x.ndim - 2
    steps, rates = _each(strides, rank), _each(dilation_rate, rank)
    more = [None] * rank if output_padding is None else _each(output_padding, rank)
    last = defaults.layout(data_format) == "channels_last"
    same = padding.lower() == "same"
    sizes = []
    pixels = x.shape[1:-1] if last else x.shape[2:]
    for n, taps, step, rate, extra in zip(pixels, k.shape, steps, rates, more, strict=False):
        span = (taps - 1) * rate + 1
        if extra is None:
            sizes.append(n * step + (0 if same else max(span - step, 0)))
        else:
            sizes.append((n - 1) * step + (span % 2 if same else span) + extra)
    channels = k.shape[-2]
    shape = [x.shape[0], *sizes, channels] if last else [x.shape[0], channels, *sizes]
    word = _layout(data_format, rank)
    return nn.conv_transpose(x, k, shape, steps, padding.upper(), word, rates)


# ----- pixels moved -----


@operation
def depth_to_space(x: Operand, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Channels become blocks of pixels. Source: keras.ops.depth_to_space"""
    return nn.depth_to_space(as_tensor(x), block_size, _layout(data_format, 2))


@operation
def space_to_depth(x: Operand, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Blocks of pixels become channels. Source: keras.ops.space_to_depth"""
    return nn.space_to_depth(as_tensor(x), block_size, _layout(data_format, 2))


def _window(kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> Any:
    size, rate, around, step = (_each(v, 2) for v in (kernel_size, dilation, padding, stride))
    words = [[1, *size, 1], [1, *step, 1], [1, *rate, 1], "VALID"]
    return size, around, words


@operation
def unfold(
    x: Operand, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """im2col, channels first: (N, C kh kw, windows). Source: keras.ops.unfold"""
    size, around, words = _window(kernel_size, dilation, padding, stride)
    x = pad(as_tensor(x), [[0, 0], [0, 0], *([p, p] for p in around)])
    n, channels = x.shape[:2]
    y = extract_patches(transpose(x, [0, 2, 3, 1]), *words)  # (N, h, w, kh kw C)
    y = reshape(y, [n, -1, size[0] * size[1], channels])
    return reshape(transpose(y, [0, 3, 2, 1]), [n, channels * size[0] * size[1], -1])


@operation
def fold(
    x: Operand,
    output_size: Any,
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> Tensor:
    """col2im, channels first: the adjoint of unfold. Source: keras.ops.fold"""
    size, around, words = _window(kernel_size, dilation, padding, stride)
    x, pixels = as_tensor(x), _each(output_size, 2)
    whole = [n + 2 * p for n, p in zip(pixels, around, strict=True)]
    spans = [(k - 1) * r + 1 for k, r in zip(size, words[2][1:3], strict=True)]
    h, w = ((n - k) // s + 1 for n, k, s in zip(whole, spans, words[1][1:3], strict=True))
    taps = size[0] * size[1]
    y = transpose(reshape(x, [x.shape[0], -1, taps, h * w]), [0, 3, 2, 1])  # (N, hw, taps, C)
    y = add_patches(reshape(y, [x.shape[0], h, w, -1]), whole, *words)  # (N, H, W, C)
    (top, left), (height, width) = around, pixels
    return transpose(y, [0, 3, 1, 2])[:, :, top : top + height, left : left + width]


# ----- classes -----


@operation
def one_hot(
    x: Operand, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Tensor:
    """A row with a single 1 for each class number. Source: keras.ops.one_hot"""
    if sparse:
        raise ValueError("one_hot: sparse tensors are not there")
    at = cast(as_tensor(x), "int64")
    rank = at.ndim + 1
    place = checks.axis("one_hot", axis, rank)
    classes = np.arange(num_classes).reshape([-1 if k == place else 1 for k in range(rank)])
    return cast(math.equal(expand_dims(at, place), as_tensor(classes, like=at)), dtype or "float32")


@operation
def multi_hot(
    inputs: Operand,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: Any = None,
    sparse: bool = False,
    **kwargs: Any,
) -> Tensor:
    """A row with a 1 at each class number. Source: keras.ops.multi_hot"""
    count = kwargs.get("num_tokens", num_classes) if num_classes is None else num_classes
    if count is None:
        raise ValueError("Argument `num_classes` must be specified.")
    rows = one_hot(inputs, count, axis, "float32", sparse)
    y = reduce.max(rows, axis=1 if rows.ndim > 2 else 0)
    return cast(y, dtype or defaults.floatx())


def _target(target: Any, output: Tensor) -> Tensor:
    t = as_tensor(target, like=output)
    return cast(t, output.dtype) if t.dtype.kind in "iub" else t


@operation
def binary_crossentropy(target: Operand, output: Operand, from_logits: bool = False) -> Tensor:
    """-t log(p) - (1 - t) log(1 - p), of each element. Source: keras.ops.binary_crossentropy"""
    p = as_tensor(output)
    t = _target(target, p)
    if t.shape != p.shape:
        raise ValueError(f"binary_crossentropy: target {t.shape!s} must be as output {p.shape!s}")
    return losses.binary_crossentropy(expand_dims(t, -1), expand_dims(p, -1), from_logits)


@operation
def categorical_crossentropy(
    target: Operand, output: Operand, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """-sum of t log(p), of each sample. Source: keras.ops.categorical_crossentropy"""
    p = as_tensor(output)
    return losses.categorical_crossentropy(_target(target, p), p, from_logits, 0.0, axis)


@operation
def sparse_categorical_crossentropy(
    target: Operand, output: Operand, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """-log(p[t]), of each sample. Source: keras.ops.sparse_categorical_crossentropy"""
    p = as_tensor(output)
    return losses.sparse_categorical_crossentropy(target, p, from_logits, None, axis)


# ----- normalised -----


@operation
def moments(x: Operand, axes: Any, keepdims: bool = False, synchronized: bool = False) -> Any:
    """The mean and the variance. Source: keras.ops.moments"""
    x = as_tensor(x)
    over = checks.axes("moments", axes, x.ndim)
    wide = cast(x, result_type(x.dtype, "float32"))
    mean = reduce.mean(wide, axis=over, keepdims=True)
    var = reduce.mean(math.square(wide - mean), axis=over, keepdims=keepdims)
    mean = mean if keepdims else squeeze(mean, list(over))
    return tuple(cast(y, x.dtype if is_float(x.dtype) else y.dtype) for y in (mean, var))


@operation
def batch_normalization(
    x: Operand,
    mean: Operand,
    variance: Operand,
    axis: int,
    offset: Operand = None,
    scale: Operand = None,
    epsilon: float = 1e-3,
) -> Tensor:
    """(x - mean) / sqrt(variance + epsilon) scale + offset. Source: keras.ops"""
    x = as_tensor(x)
    axis = checks.axis("batch_normalization", axis, x.ndim)
    shape = [-1 if k == axis else 1 for k in range(x.ndim)]
    given = (mean, variance, offset, scale)
    m, var, shift, factor = (
        None if v is None else reshape(as_tensor(v, like=x), shape) for v in given
    )
    return nn.batch_normalization(x, m, var, shift, factor, epsilon)


@operation
def layer_normalization(
    x: Operand,
    gamma: Operand = None,
    beta: Operand = None,
    axis: Any = -1,
    epsilon: float | None = None,
    **kwargs: Any,
) -> Tensor:
    """(x - mean) / sqrt(variance + epsilon) gamma + beta. Source: keras.ops.layer_normalization"""
    x = as_tensor(x)
    over = checks.axes("layer_normalization", axis, x.ndim)
    wide = cast(x, result_type(x.dtype, "float32"))
    mean = reduce.mean(wide, axis=over, keepdims=True)
    variance = reduce.mean(math.square(wide - mean), axis=over, keepdims=True)
    away = wide if kwargs.get("rms_scaling") else wide - mean
    y = away * math.rsqrt(variance + _epsilon(epsilon))
    shape = [n if k in over else 1 for k, n in enumerate(x.shape)]
    for part, op in ((gamma, math.multiply), (beta, math.add)):
        if part is not None and not (kwargs.get("rms_scaling") and op is math.add):
            value = cast(as_tensor(part, like=x), y.dtype)
            y = op(y, value if value.ndim == x.ndim else reshape(value, shape))
    return cast(y, x.dtype)


def _epsilon(value: float | None) -> float:
    return defaults.epsilon() if value is None else value


@operation
def rms_normalization(
    x: Operand, scale: Operand = None, axis: Any = -1, epsilon: float | None = None
) -> Tensor:
    """x / sqrt(mean of x^2 + epsilon) scale. Source: keras.ops.rms_normalization"""
    x = as_tensor(x)
    wide = cast(x, result_type(x.dtype, "float32"))
    over = checks.axes("rms_normalization", axis, x.ndim)
    square = reduce.mean(math.square(wide), axis=over, keepdims=True)
    y = wide * math.rsqrt(square + _epsilon(epsilon))
    if scale is not None:
        y = y * cast(as_tensor(scale, like=x), y.dtype)
    return cast(y, x.dtype)


@operation
def normalize(x: Operand, axis: Any = -1, order: int = 2, epsilon: float | None = None) -> Tensor:
    """x / max(its norm, epsilon). Source: keras.ops.normalize"""
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"Argument `order` must be an int >= 1. Received: order={order}")
    x = floating(x)
    x = reshape(x, [1]) if not x.ndim else x
    if order != 2:
        return x / math.maximum(norm(x, order, axis, True), _epsilon(epsilon))
    over = checks.axes("normalize", axis, x.ndim)
    inverse = math.rsqrt(reduce.sum(math.square(x), axis=over, keepdims=True))
    return x * math.minimum(inverse, 1.0 / _epsilon(epsilon))


@operation
def psnr(x1: Operand, x2: Operand, max_val: Any) -> Tensor:
    """20 log10(max_val) - 10 log10(mean of (x1 - x2)^2). Source: keras.ops.psnr"""
    a, b = as_tensor(x1), as_tensor(x2)
    if a.shape != b.shape:
        raise ValueError(f"Input shapes {a.shape!s} and {b.shape!s} must match for PSNR")
    error = reduce.mean(math.square(a - b))
    return 20.0 * constants.log10(float(np.asarray(max_val))) - math.log(error) * (
        10 / constants.log(10)
    )


# ----- attention -----


@operation
def dot_product_attention(
    query: Operand,
    key: Operand,
    value: Operand,
    bias: Operand = None,
    mask: Operand = None,
    scale: Operand = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Tensor:
    """softmax(scale q k^T + bias) v, for (N, length, heads, size).

    Source: keras.ops.dot_product_attention
    """
    if flash_attention:
        raise ValueError("dot_product_attention: flash_attention is not there")
    q, k, v = together(query, key, value)
    if q.ndim != 4:
        raise ValueError(f"dot_product_attention: query {q.shape!s} must have 4 axes")
    groups = q.shape[2] // k.shape[2]
    if groups > 1:
        k, v = (gather(t, np.repeat(np.arange(t.shape[2]), groups), axis=2) for t in (k, v))
    scale = 1 / constants.sqrt(k.shape[-1]) if scale is None else scale
    logits = cast(einsum("bthd,bshd->bhts", q, k), result_type(q.dtype, "float32"))
    logits = logits * cast(as_tensor(scale, like=q), logits.dtype)
    if bias is not None:
        logits = logits + cast(as_tensor(bias, like=q), logits.dtype)
    if attn_logits_soft_cap is not None:
        logits = math.tanh(logits / attn_logits_soft_cap) * attn_logits_soft_cap
    allowed = _allowed(mask, is_causal, logits)
    if allowed is not None:
        least = -0.7 * float(np.finfo("float32").max)
        logits = math.where(allowed, logits, least)
    weights = cast(nn.softmax(logits, -1), k.dtype)
    return einsum("bhts,bshd->bthd", weights, v)


def _allowed(mask: Any, is_causal: bool, logits: Tensor) -> Tensor | None:
    """Which keys a query may see; None for all."""
    allowed = None if mask is None else _cast(as_tensor(mask, like=logits), bool)
    if is_causal:
        before = as_tensor(np.tri(*logits.shape[-2:])[None, None] > 0, like=logits)
        allowed = before if allowed is None else math.logical_and(allowed, before)
    return allowed
