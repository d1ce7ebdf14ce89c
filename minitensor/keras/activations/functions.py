"""The functions of keras.activations: each has its formula, an example, and who found it.

Args of all: x, floats of any shape. `example` writes the end of their docstrings.

Source of all: keras.activations, by the same names, and the papers named.
"""

from __future__ import annotations

from typing import Any

from minitensor import nn
from minitensor.array import cast, ones_like, reshape, split, where
from minitensor.autograd import Tensor, as_tensor
from minitensor.docstrings import examples_of
from minitensor.keras.engine.annotations import annotate
from minitensor.math import abs as magnitude
from minitensor.math import cumsum, exp, expm1, maximum, minimum, reduce_sum, sqrt, square
from minitensor.math import log_sigmoid as _log_sigmoid
from minitensor.math.clip import clip_by_value
from minitensor.math.order import sort

__all__ = [
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6",
    "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus",
    "sparse_sigmoid", "sparsemax", "squareplus", "tanh", "tanh_shrink", "threshold",
]  # fmt: skip

example = examples_of("tf.keras.activations")

# ----- made of pieces of lines and parabolas: cheap, with corners, often exactly 0 -----


@example("relu([-1.0, 2.0, 9.0], negative_slope=0.5, max_value=6)", "[-0.5,  2. ,  6. ]")
def relu(
    x: Any, negative_slope: float = 0.0, max_value: Any = None, threshold: float = 0.0
) -> Tensor:
    """y = x where x > threshold, at most max_value; else negative_slope * (x - threshold).

    Args:
        negative_slope: slope below the threshold.
        max_value: where y stops to grow; None is never.
        threshold: where x begins to count.
    """
    x = as_tensor(x)
    if negative_slope and max_value is None and not threshold:
        return nn.leaky_relu(x, negative_slope)
    if max_value == 6 and not threshold:
        y = nn.relu6(x)
    else:
        y = where(x > threshold, x, 0) if threshold else nn.relu(x)
        y = y if max_value is None else clip_by_value(y, 0, max_value)
    return y - nn.relu(threshold - x) * negative_slope if negative_slope else y


@example("leaky_relu([-1.0, 2.0])", "[-0.2,  2. ]")
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Tensor:
    """y = x where x > 0, else negative_slope * x."""
    return nn.leaky_relu(x, negative_slope)


@example("relu6([-1.0, 9.0])", "[0., 6.]")
def relu6(x: Any) -> Tensor:
    """y = min(max(x, 0), 6)."""
    return nn.relu6(x)


@example("hard_sigmoid([-4.0, 0.0, 4.0])", "[0. , 0.5, 1. ]")
def hard_sigmoid(x: Any) -> Tensor:
    """y = min(max(x + 3, 0), 6) / 6: a line from (-3, 0) to (3, 1)."""
    return nn.relu6(as_tensor(x) + 3.0) / 6.0


@example("hard_silu([-4.0, 1.5, 4.0])", "[-0.   ,  1.125,  4.   ]", "Howard et al. 2019")
def hard_silu(x: Any) -> Tensor:
    """y = x * hard_sigmoid(x); also called hard_swish."""
    x = as_tensor(x)
    return x * hard_sigmoid(x)


@example("hard_tanh([-4.0, 0.5])", "[-1. ,  0.5]")
def hard_tanh(x: Any) -> Tensor:
    """y = min(max(x, -1), 1)."""
    return clip_by_value(x, -1.0, 1.0)


@example("hard_shrink([-0.4, 0.6])", "[0. , 0.6]")
def hard_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """y = x where |x| > threshold, else 0."""
    x = as_tensor(x)
    return where(magnitude(x) > threshold, x, 0)


@example("soft_shrink([-0.4, 1.5])", "[0., 1.]")
def soft_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """y = x moved towards 0 by the threshold, and 0 where that would cross it."""
    x = as_tensor(x)
    return where(x > threshold, x - threshold, where(x < -threshold, x + threshold, 0))


@example("sparse_plus([-2.0, 0.0, 3.0])", "[0.  , 0.25, 3.  ]")
def sparse_plus(x: Any) -> Tensor:
    """y = 0 up to x = -1, (x + 1)^2 / 4 up to 1, then x."""
    x = as_tensor(x)
    return where(x <= -1.0, 0, where(x < 1.0, square(x + 1.0) * 0.25, x))


@example("sparse_sigmoid([-2.0, 0.0, 3.0])", "[0. , 0.5, 1. ]")
def sparse_sigmoid(x: Any) -> Tensor:
    """y = min(max((x + 1) / 2, 0), 1)."""
    x = as_tensor(x)
    return where(x <= -1.0, 0, where(x >= 1.0, 1, (x + 1.0) * 0.5))


@example("threshold([1.0, 3.0], 2.0, -1.0)", "[-1.,  3.]")
def threshold(x: Any, threshold: float, default_value: float) -> Tensor:
    """y = x where x > threshold, else default_value."""
    x = as_tensor(x)
    return where(x > threshold, x, default_value)


# ----- with a slope everywhere: into an interval, along an axis, or like relu but round -----


def linear(x: Any) -> Any:
    """y = x.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.activations.linear(3)
        3
    """
    return x


@example("sigmoid([0.0])", "[0.5]")
def sigmoid(x: Any) -> Tensor:
    """y = 1 / (1 + exp(-x))."""
    x = as_tensor(x)
    return annotate(nn.sigmoid(x), logits=x)  # cross entropies are exact from those


@example("log_sigmoid([-1000.0])", "[-1000.]")
def log_sigmoid(x: Any) -> Tensor:
    """y = log(1 / (1 + exp(-x)))."""
    return _log_sigmoid(x)


@example("tanh([0.0])", "[0.]")
def tanh(x: Any) -> Tensor:
    """y = (exp(x) - exp(-x)) / (exp(x) + exp(-x))."""
    return nn.tanh(x)


@example("tanh_shrink([0.0, 100.0])", "[ 0., 99.]")
def tanh_shrink(x: Any) -> Tensor:
    """y = x - tanh(x)."""
    x = as_tensor(x)
    return x - nn.tanh(x)


@example("softsign([-1.0, 3.0])", "[-0.5 ,  0.75]")
def softsign(x: Any) -> Tensor:
    """y = x / (1 + |x|)."""
    return nn.softsign(x)


@example("softplus([100.0])", "[100.]")
def softplus(x: Any) -> Tensor:
    """y = log(1 + exp(x))."""
    return nn.softplus(x)


@example("squareplus([0.0, 1.5])", "[1., 2.]", "Barron 2021")
def squareplus(x: Any, b: float = 4) -> Tensor:
    """y = (x + sqrt(x^2 + b)) / 2."""
    x = as_tensor(x)
    return (x + sqrt(square(x) + b)) / 2.0


@example("exponential([0.0])", "[1.]")
def exponential(x: Any) -> Tensor:
    """y = exp(x)."""
    return exp(x)


@example("elu([-100.0, 2.0], alpha=0.5)", "[-0.5,  2. ]", "Clevert et al. 2015")
def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """y = x where x > 0, else alpha * (exp(x) - 1)."""
    x = as_tensor(x)
    y = nn.elu(x)
    return y if alpha == 1 else where(x > 0.0, y, y * alpha)


@example("celu([-100.0, 2.0], alpha=0.5)", "[-0.5,  2. ]", "Barron 2017")
def celu(x: Any, alpha: float = 1.0) -> Tensor:
    """y = max(x, 0) + alpha * (exp(min(x, 0) / alpha) - 1): of slope 1 on both sides of 0."""
    x = as_tensor(x)
    return maximum(x, 0.0) + expm1(minimum(x, 0.0) / alpha) * alpha


@example("selu([2.0])", "[2.101402]", "Klambauer et al. 2017")
def selu(x: Any) -> Tensor:
    """y = s * elu(x, a), s = 1.0507, a = 1.6733: mean 0 and variance 1 stay so."""
    return nn.selu(x)


@example("silu([0.0, 100.0])", "[  0., 100.]", "Ramachandran et al. 2017")
def silu(x: Any) -> Tensor:
    """y = x * sigmoid(x); also called swish."""
    return nn.silu(x)


@example("gelu([0.0, 100.0])", "[  0., 100.]", "Hendrycks & Gimpel 2016")
def gelu(x: Any, approximate: bool = False) -> Tensor:
    """y = x * P(X <= x) for X ~ N(0, 1).

    Args:
        approximate: by a tanh instead of the error function.
    """
    return nn.gelu(x, approximate)


@example("mish([0.0, 100.0])", "[  0., 100.]", "Misra 2019")
def mish(x: Any) -> Tensor:
    """y = x * tanh(softplus(x))."""
    x = as_tensor(x)
    return x * nn.tanh(nn.softplus(x))


@example("glu([4.0, 0.0])", "[2.]", "Dauphin et al. 2016")
def glu(x: Any, axis: int = -1) -> Tensor:
    """y = a * sigmoid(b), for the halves a and b of x along an axis.

    Raises:
        ValueError: the axis is of odd size.
    """
    x = as_tensor(x)
    if x.shape[axis] % 2:
        raise ValueError(
            f"axis size must be divisible by 2. Received: x.shape={x.shape!s} with axis={axis}"
        )
    values, gates = split(x, 2, axis=axis)
    return values * nn.sigmoid(gates)


@example("softmax([[0.0, 0.0]])", "[[0.5, 0.5]]")
def softmax(x: Any, axis: int | None = -1) -> Tensor:
    """p_i = exp(x_i) / sum_j exp(x_j) along an axis; None is all of them."""
    x = as_tensor(x)
    return annotate(_along(nn.softmax, x, axis), logits=x)  # cross entropies are exact from those


@example("log_softmax([1000.0, 0.0])", "[    0., -1000.]")
def log_softmax(x: Any, axis: int | None = -1) -> Tensor:
    """The logarithm of `softmax`, without forming it."""
    return _along(nn.log_softmax, x, axis)


@example("sparsemax([2.0, 1.5, -1.0])", "[0.75, 0.25, 0.  ]", "Martins & Astudillo 2016")
def sparsemax(x: Any, axis: int = -1) -> Tensor:
    """The nearest point to x whose coordinates are positive and sum to 1: p = max(x - t, 0).

    t = (sum of the k largest x - 1) / k, for the greatest k at which the k-th of them exceeds it
    """
    x = as_tensor(x)
    ordered = sort(x, axis=axis, direction="DESCENDING")
    ranks = cumsum(ones_like(x), axis=axis)
    inside = ordered * ranks > cumsum(ordered, axis=axis) - 1.0
    k = reduce_sum(cast(inside, x.dtype), axis=axis, keepdims=True)
    total = reduce_sum(where(inside, ordered, 0), axis=axis, keepdims=True)
    return maximum(x - (total - 1.0) / k, 0.0)


def _along(function: Any, x: Any, axis: int | None) -> Tensor:
    """`function` along an axis; along all of them as one if it is None."""
    x = as_tensor(x)
    if axis is not None:
        return function(x, axis)
    return reshape(function(reshape(x, [-1]), 0), x.shape)
