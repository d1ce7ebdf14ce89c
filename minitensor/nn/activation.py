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
from minitensor.nn import checks
from minitensor.ops import activation as ops
from minitensor.ops import array, math
from minitensor.ops import softmax as softmaxes

__all__ = [
    "crelu", "elu", "gelu", "leaky_relu", "log_softmax", "relu", "relu6", "selu", "sigmoid", "silu",
    "softmax", "softplus", "softsign", "swish", "tanh",
]  # fmt: skip


def relu(features: Any, name: str | None = None) -> Tensor:
    """Rectified linear: y = max(x, 0), with slope 0 at x = 0.

    Example:
        >>> import minitensor as tf
        >>> tf.nn.relu([-1.0, 2.0]).numpy()
        array([0., 2.], dtype=float32)

    Source: Nair & Hinton 2010
    """
    return ops.relu(as_tensor(features, what="relu: features"))


def relu6(features: Any, name: str | None = None) -> Tensor:
    """y = min(max(x, 0), 6), with slope 0 at both corners.

    Example:
        >>> import minitensor as tf
        >>> tf.nn.relu6([-1.0, 2.0, 7.0]).numpy()
        array([0., 2., 6.], dtype=float32)
    """
    return ops.relu6(as_tensor(features, what="relu6: features"))


def leaky_relu(features: Any, alpha: float = 0.2, name: str | None = None) -> Tensor:
    """y = x where x > 0, else alpha * x; the slope at 0 is alpha.

    Args:
        features: floats of any shape; integers become float32.
        alpha: slope on the left.

    Example:
        >>> import minitensor as tf
        >>> tf.nn.leaky_relu([-1.0, 2.0]).numpy()
        array([-0.2,  2. ], dtype=float32)

    Source: Maas et al. 2013
    """
    x = as_tensor(features, what="leaky_relu: features")
    x = math.cast(x, dtype="float32") if x.dtype.kind in "iu" else x
    (x,) = checks.floats("leaky_relu", features=x)
    return ops.leaky_relu(x, alpha=float(alpha))


def crelu(features: Any, axis: int = -1, name: str | None = None) -> Tensor:
    """relu of x beside relu of -x: twice as many channels, and no sign is lost.

    Args:
        features: (..., C) numbers, if `axis` is -1.
        axis: the axis that doubles.

    Returns:
        (..., 2*C)

    Example:
        >>> import minitensor as tf
        >>> tf.nn.crelu([-1.0, 2.0]).numpy()
        array([0., 2., 1., 0.], dtype=float32)

    Source: Shang et al. 2016
    """
    x = as_tensor(features, what="crelu: features")
    return ops.relu(array.concat(x, -x, axis=checks.axis("crelu", axis, x.ndim)))


def elu(features: Any, name: str | None = None) -> Tensor:
    """Exponential linear: y = x where x >= 0, else exp(x) - 1.

    Example:
        >>> import minitensor as tf
        >>> tf.nn.elu([-1.0, 2.0]).numpy()
        array([-0.63212055,  2.        ], dtype=float32)

    Source: Clevert et al. 2015
    """
    return ops.elu(*checks.floats("elu", features=features))


def selu(features: Any, name: str | None = None) -> Tensor:
    """Scaled elu: y = s * (x where x >= 0, else a * (exp(x) - 1)), s = 1.0507, a = 1.6733.

    With these constants mean 0 and variance 1 stay so from layer to layer.

    Example:
        >>> import minitensor as tf
        >>> tf.nn.selu([-1.0, 2.0]).numpy()
        array([-1.1113307,  2.101402 ], dtype=float32)

    Source: Klambauer et al. 2017
    """
    return ops.selu(*checks.floats("selu", features=features))


def gelu(features: Any, approximate: bool = False, name: str | None = None) -> Tensor:
    """y = x * P(X <= x) for X ~ N(0, 1): x * (1 + erf(x / sqrt 2)) / 2.

    Args:
        approximate: 0.5 * x * (1 + tanh(sqrt(2/pi) * (x + 0.044715 * x^3))) instead.

    Example:
        >>> import minitensor as tf
        >>> tf.nn.gelu([-1.0, 2.0]).numpy()
        array([-0.15865526,  1.9544997 ], dtype=float32)

    Source: Hendrycks & Gimpel 2016
    """
    return ops.gelu(*checks.floats("gelu", features=features), approximate=bool(approximate))


def swish(features: Any, beta: Any = 1.0) -> Tensor:
    """y = x * sigmoid(beta * x); also called silu.

    Args:
        beta: a number, or a tensor that broadcasts against `features` and may be trained.

    Raises:
        TypeError: `features` are no floats, or `beta` has another dtype.

    Example:
        >>> import minitensor as tf
        >>> tf.nn.swish([0.0, 100.0]).numpy()
        array([  0., 100.], dtype=float32)

    Source: Ramachandran et al. 2017
    """
    return ops.swish(*checks.floats("swish", features=features, beta=beta))


silu = swish


def softplus(features: Any, name: str | None = None) -> Tensor:
    """y = log(1 + exp(x)): a relu without a corner.

    Example:
        >>> import minitensor as tf
        >>> tf.nn.softplus([0.0, 100.0]).numpy()
        array([  0.6931472, 100.       ], dtype=float32)
    """
    return math.softplus(*checks.floats("softplus", features=features))


def sigmoid(x: Any, name: str | None = None) -> Tensor:
    """y = 1 / (1 + exp(-x)).

    Example:
        >>> import minitensor as tf
        >>> tf.sigmoid([0.0, 100.0]).numpy()
        array([0.5, 1. ], dtype=float32)
    """
    return math.sigmoid(*checks.floats("sigmoid", x=x))


def tanh(x: Any, name: str | None = None) -> Tensor:
    """y = (exp(x) - exp(-x)) / (exp(x) + exp(-x)).

    Example:
        >>> import minitensor as tf
        >>> tf.tanh([0.0, 1.0]).numpy()
        array([0.       , 0.7615942], dtype=float32)
    """
    return math.tanh(*checks.floats("tanh", x=x))


def softsign(features: Any, name: str | None = None) -> Tensor:
    """y = x / (1 + |x|).

    Example:
        >>> import minitensor as tf
        >>> tf.nn.softsign([-1.0, 3.0]).numpy()
        array([-0.5 ,  0.75], dtype=float32)
    """
    return ops.softsign(*checks.floats("softsign", features=features))


def softmax(logits: Any, axis: int | None = None, name: str | None = None) -> Tensor:
    """p_i = exp(x_i) / sum_j exp(x_j) along one axis: positive numbers that sum to 1.

    Args:
        axis: along which they sum to 1; None is the last.

    Example:
        >>> import minitensor as tf
        >>> tf.nn.softmax([1000.0, 1000.0]).numpy()
        array([0.5, 0.5], dtype=float32)
    """
    (x,) = checks.floats("softmax", logits=logits)
    return softmaxes.softmax(x, axis=checks.axis("softmax", -1 if axis is None else axis, x.ndim))


def log_softmax(logits: Any, axis: int | None = None, name: str | None = None) -> Tensor:
    """log p_i = x_i - log sum_j exp(x_j) along one axis, without forming p.

    Args:
        axis: along which the p sum to 1; None is the last.

    Example:
        >>> import minitensor as tf
        >>> tf.nn.log_softmax([1000.0, 0.0]).numpy()
        array([    0., -1000.], dtype=float32)
    """
    (x,) = checks.floats("log_softmax", logits=logits)
    return softmaxes.log_softmax(
        x, axis=checks.axis("log_softmax", -1 if axis is None else axis, x.ndim)
    )
