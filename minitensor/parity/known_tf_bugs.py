"""What is the matter where TensorFlow is wrong: one sentence per bug, found by the case's traits.

The verdict comes from numbers alone (`ledger.py`); this only names what the numbers show. A bug
that fits no rule is printed as "not explained yet", which is a reason to look.
"""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatch
from typing import Any

import numpy as np

from minitensor.parity.ledger import Row
from minitensor.parity.proofs.conv import spatial

UNKNOWN = "not explained yet"


def explain(row: Row) -> str:
    """The bug behind a row whose verdict is that TensorFlow is wrong."""
    for patterns, holds, sentence in BUGS:
        if any(fnmatch(row.case.op, pattern) for pattern in patterns.split()) and holds(row):
            return sentence
    return UNKNOWN


def _above_one(value: Any) -> bool:
    """Whether a stride or a dilation says anything."""
    return max([value] if isinstance(value, int) else value or [1]) > 1


def _strided_and_dilated(row: Row) -> bool:
    return all(_above_one(row.case.settings.get(name)) for name in ("strides", "dilations"))


def _holds(*wanted: float) -> Callable[[Row], bool]:
    """Whether one of these numbers is written into the arguments."""

    def found(row: Row) -> bool:
        numbers = [value for spec in row.case.tensors for value in spec.values]
        return any(w in numbers or (np.isnan(w) and np.isnan(numbers).any()) for w in wanted)

    return found


def _empty(row: Row) -> bool:
    return any(0 in spec.shape for spec in row.case.tensors)


def _ties(row: Row) -> bool:
    return any(
        spec.kind == "ties" or len(set(spec.values)) < len(spec.values) for spec in row.case.tensors
    )


def _strides_beyond_kernel(row: Row) -> bool:
    case = row.case
    windows = case.settings.get("ksize") or list(case.tensors[-1].shape[:-2])
    rank = len(case.tensors[0].shape) - 2
    axes = zip(spatial(case.settings["strides"], rank), spatial(windows, rank), strict=True)
    return any(stride > window for stride, window in axes)


def _in(*dtypes: str) -> Callable[[Row], bool]:
    return lambda row: row.dtype in dtypes


def _from_order(order: int) -> Callable[[Row], bool]:
    return lambda row: row.order >= order


def _of_keras(name: str) -> Callable[[Row], bool]:
    return lambda row: row.case.settings["name"] == name


def _always(_: Row) -> bool:
    return True


NAN, INF = float("nan"), float("inf")
BUGS: tuple[tuple[str, Callable[[Row], bool], str], ...] = (
    ("*conv*", _empty, "no images: the input's shape comes back, or memory nobody wrote"),
    (
        "nn.depthwise_conv2d nn.separable_conv2d",
        _strided_and_dilated,
        "strides and dilations together: a warning, then wrong numbers",
    ),
    ("nn.depthwise_conv2d_backprop*", _always, "dilations are ignored"),
    ("nn.conv3d", _holds(INF), "gradients multiply an infinite pixel by the zeros between strides"),
    (
        "nn.*pool3d nn.conv3d* nn.conv_transpose nn.convolution",
        _strides_beyond_kernel,
        "strides beyond the window: three-dimensional kernels (Eigen) read other pixels",
    ),
    ("nn.max_pool* nn.dilation2d nn.erosion2d", _holds(NAN), "NaN is dropped"),
    (
        "nn.max_pool* nn.dilation2d nn.erosion2d",
        _holds(-INF),
        "a window of -inf gives the lowest finite number",
    ),
    ("nn.max_pool3d", _ties, "each of several equal maxima gets the whole gradient"),
    ("nn.pool", _always, "explicit padding with dilations pads with 0, which can win"),
    (
        "nn.moments",
        _holds(INF, -INF),
        "the variance of an infinity is NaN, but its slopes, with the mean for a constant, are not",
    ),
    (
        "nn.moments nn.layer_norm* nn.group_norm* nn.instance_norm*",
        _from_order(2),
        "the variance takes the mean for a constant, so its second derivative is wrong",
    ),
    (
        "nn.fused_batch_norm",
        _from_order(1),
        "the returned mean and variance have a gradient of zero",
    ),
    (
        "nn.gelu nn.leaky_relu",
        _in("float64"),
        "a constant is kept in float32: float64 is right to 8 digits",
    ),
    (
        "nn.softmax_cross_entropy_with_logits",
        _from_order(1),
        "gradients take it that labels add up to one, whatever they are",
    ),
    (
        "parity.entropy_of_softmax",
        _from_order(2),
        "the gradient in the logits takes labels for constants, so its own lacks theirs",
    ),
    (
        "nn.weighted_cross_entropy_with_logits",
        _holds(0),
        "at logits of 0 the slopes of relu and |x| are both 0, and so is their sum",
    ),
    (
        "math.cumprod reduce_prod",
        _holds(0),
        "the gradient divides by the elements: wrong where one is 0",
    ),
    (
        "math.cumprod",
        _holds(NAN, INF, -INF),
        "the gradient divides by the elements: NaN where one is infinite or NaN",
    ),
    ("math.cumprod", _in("float16"), "the gradient sums what it divides later: it overflows"),
    (
        "nn.depthwise_conv2d nn.separable_conv2d",
        _holds(NAN, INF),
        "a NaN or infinity in a filter spoils gradients of pixels that it never meets",
    ),
    ("parity.root", _always, "0 times an infinite slope: NaN for what nothing depends on"),
    ("linalg.l2_normalize", _in("float16"), "epsilon, 1e-12, is 0 in float16: 0 / 0"),
    ("math.erf", _holds(INF), "NaN at the infinities, in float64 alone"),
    (
        "math.reduce_euclidean_norm",
        _in("uint8"),
        "squares of small integers are summed in their own type, and overflow",
    ),
    (
        "cast",
        _always,
        "negative floats become 0 in blocks of 16, and wrap in what is left (C++ leaves it open)",
    ),
    ("parity.sparsemax", _always, "Keras finds another threshold: its answer does not add up to 1"),
    ("parity.masked", _from_order(2), "SqrtGrad's own gradient is 0 / 0 where a mask hid the root"),
    ("saturate_cast", _always, "what rounds to 2^63 or 2^64 is beyond the limit and overflows"),
    *(
        ("parity.keras_ops", _of_keras(name), f"keras.ops.{name} {what}")
        for name, what in (
            ("eye", "of more rows than columns adds rows and columns below the diagonal"),
            ("isclose", "takes an infinity to be far from itself"),
            ("rot90", "turns twice by mirroring one axis"),
            ("vstack", "joins vectors end to end"),
            ("add", "takes a matrix of one row or column for a bias of channels"),
        )
    ),
    ("parity.keras_ops", _always, "a Python number goes by way of float32 to float64"),
    ("argsort searchsorted", _holds(NAN), "NaN compares with nothing, so nothing is ordered"),
    ("tensor_scatter_nd_*", _holds(NAN), "NaN is dropped where it is not the tensor's own"),
    ("math.bessel_i*", _from_order(0), "NaN at the infinities; the slope of I1 at 0 is 1, not 1/2"),
    ("nn.local_response*", _in("float16"), "squares are summed in float16, and overflow"),
    (
        "image.resize",
        _holds(INF),
        "y0 + (y1 - y0) t is NaN beside an infinite pixel",
    ),
    (
        "image.resize",
        _always,
        "cubic weights come from a table of 1024 distances; in float16 there is no gradient",
    ),
    (
        "parity.einsum_dense_shape",
        _always,
        "EinsumDense.compute_output_shape turns the axes of '...' around",
    ),
    (
        "parity.restored_from_a_list",
        _always,
        "Keras' layers in a plain list of a layer are not in its checkpoint, nor missed in it",
    ),
    ("image.hsv_to_rgb", _from_order(1), "it has no gradient, and a tape takes that for zeros"),
    ("sort math.top_k", _holds(NAN), "NaN compares with nothing, so nothing is sorted"),
    ("nn.softmax", _holds(NAN, INF), "oneDNN: 0 beside an inf or NaN, which owns the whole row"),
)
