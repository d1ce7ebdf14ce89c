"""tf.nn's activations: arguments in, errors out, then one call of `ops`.

Values and slopes at corners, infinities and NaN are described in ops/activation.py.

For all of them:
    Args: `features`, `x`, `logits`: floats of any shape; relu, relu6 and crelu take integers too.
        `name`: ignored.
    Returns: floats of the same shape, if nothing else is said.
    Raises: TypeError for other elements, or an axis that is no integer; ValueError where the axis
        does not exist.
    Source: the function of tf.nn with the same name, and the papers named.
"""

from __future__ import annotations

from typing import Any

from minitensor.autograd import Tensor, as_tensor
from minitensor.docstrings import examples_of
from minitensor.nn import checks
from minitensor.ops import activation as ops
from minitensor.ops import array, math
from minitensor.ops import softmax as softmaxes

__all__ = [
    "crelu", "elu", "gelu", "leaky_relu", "log_softmax", "relu", "relu6", "selu", "sigmoid", "silu",
    "softmax", "softplus", "softsign", "swish", "tanh",
]  # fmt: skip
example = examples_of("tf.nn")


@example("relu([-1.0, 2.0])", "[0., 2.]", "Nair & Hinton 2010")
def relu(features: Any, name: str | None = None) -> Tensor:
    """Rectified linear: y = max(x, 0), with slope 0 at x = 0."""
    return ops.relu(as_tensor(features, what="relu: features"))


@example("relu6([-1.0, 2.0, 7.0])", "[0., 2., 6.]")
def relu6(features: Any, name: str | None = None) -> Tensor:
    """y = min(max(x, 0), 6), with slope 0 at both corners."""
    return ops.relu6(as_tensor(features, what="relu6: features"))


@example("leaky_relu([-1.0, 2.0])", "[-0.2,  2. ]", "Maas et al. 2013")
def leaky_relu(features: Any, alpha: float = 0.2, name: str | None = None) -> Tensor:
    """y = x where x > 0, else alpha * x; the slope at 0 is alpha.

    Args:
        features: floats of any shape; integers become float32.
        alpha: slope on the left.
    """
    x = as_tensor(features, what="leaky_relu: features")
    x = math.cast(x, dtype="float32") if x.dtype.kind in "iu" else x
    (x,) = checks.floats("leaky_relu", features=x)
    return ops.leaky_relu(x, alpha=float(alpha))


@example("crelu([-1.0, 2.0])", "[0., 2., 1., 0.]", "Shang et al. 2016")
def crelu(features: Any, axis: int = -1, name: str | None = None) -> Tensor:
    """relu of x beside relu of -x: twice as many channels, and no sign is lost.

    Args:
        features: (..., C) numbers, if `axis` is -1.
        axis: the axis that doubles.

    Returns:
        (..., 2*C)
    """
    x = as_tensor(features, what="crelu: features")
    return ops.relu(array.concat(x, -x, axis=checks.axis("crelu", axis, x.ndim)))


@example("elu([-1.0, 2.0])", "[-0.63212055,  2.        ]", "Clevert et al. 2015")
def elu(features: Any, name: str | None = None) -> Tensor:
    """Exponential linear: y = x where x >= 0, else exp(x) - 1."""
    return ops.elu(*checks.floats("elu", features=features))


@example("selu([-1.0, 2.0])", "[-1.1113307,  2.101402 ]", "Klambauer et al. 2017")
def selu(features: Any, name: str | None = None) -> Tensor:
    """Scaled elu: y = s * (x where x >= 0, else a * (exp(x) - 1)), s = 1.0507, a = 1.6733.

    With these constants mean 0 and variance 1 stay so from layer to layer.
    """
    return ops.selu(*checks.floats("selu", features=features))


@example("gelu([-1.0, 2.0])", "[-0.15865526,  1.9544997 ]", "Hendrycks & Gimpel 2016")
def gelu(features: Any, approximate: bool = False, name: str | None = None) -> Tensor:
    """y = x * P(X <= x) for X ~ N(0, 1): x * (1 + erf(x / sqrt 2)) / 2.

    Args:
        approximate: 0.5 * x * (1 + tanh(sqrt(2/pi) * (x + 0.044715 * x^3))) instead.
    """
    return ops.gelu(*checks.floats("gelu", features=features), approximate=bool(approximate))


@example("swish([0.0, 100.0])", "[  0., 100.]", "Ramachandran et al. 2017")
def swish(features: Any, beta: Any = 1.0) -> Tensor:
    """y = x * sigmoid(beta * x); also called silu.

    Args:
        beta: a number, or a tensor that broadcasts against `features` and may be trained.

    Raises:
        TypeError: `features` are no floats, or `beta` has another dtype.
    """
    return ops.swish(*checks.floats("swish", features=features, beta=beta))


silu = swish


@example("softplus([0.0, 100.0])", "[  0.6931472, 100.       ]")
def softplus(features: Any, name: str | None = None) -> Tensor:
    """y = log(1 + exp(x)): a relu without a corner."""
    return math.softplus(*checks.floats("softplus", features=features))


@example("sigmoid([0.0, 100.0])", "[0.5, 1. ]")
def sigmoid(x: Any, name: str | None = None) -> Tensor:
    """y = 1 / (1 + exp(-x))."""
    return math.sigmoid(*checks.floats("sigmoid", x=x))


@example("tanh([0.0, 1.0])", "[0.       , 0.7615942]")
def tanh(x: Any, name: str | None = None) -> Tensor:
    """y = (exp(x) - exp(-x)) / (exp(x) + exp(-x))."""
    return math.tanh(*checks.floats("tanh", x=x))


@example("softsign([-1.0, 3.0])", "[-0.5 ,  0.75]")
def softsign(features: Any, name: str | None = None) -> Tensor:
    """y = x / (1 + |x|)."""
    return ops.softsign(*checks.floats("softsign", features=features))


@example("softmax([1000.0, 1000.0])", "[0.5, 0.5]")
def softmax(logits: Any, axis: int | None = None, name: str | None = None) -> Tensor:
    """p_i = exp(x_i) / sum_j exp(x_j) along one axis: positive numbers that sum to 1.

    Args:
        axis: along which they sum to 1; None is the last.
    """
    (x,) = checks.floats("softmax", logits=logits)
    return softmaxes.softmax(x, axis=checks.axis("softmax", -1 if axis is None else axis, x.ndim))


@example("log_softmax([1000.0, 0.0])", "[    0., -1000.]")
def log_softmax(logits: Any, axis: int | None = None, name: str | None = None) -> Tensor:
    """log p_i = x_i - log sum_j exp(x_j) along one axis, without forming p.

    Args:
        axis: along which the p sum to 1; None is the last.
    """
    (x,) = checks.floats("log_softmax", logits=logits)
    return softmaxes.log_softmax(
        x, axis=checks.axis("log_softmax", -1 if axis is None else axis, x.ndim)
    )
