"""The mirror of keras.regularizers: what keeping weights small costs.

Args: the factors l1 and l2 are at least 0. Raises: ValueError, a factor that is negative or no
number.

A penalty is added to the loss, so its gradient joins that of the data. Mind the factor: Keras'
L2 is l2 * sum w^2, of gradient 2 * l2 * w; `tf.nn.l2_loss` and slim's are half of it.

Source of all: keras.regularizers, by the same names.
"""

from __future__ import annotations

import math
from typing import Any

from minitensor.array import eye
from minitensor.autograd import as_tensor
from minitensor.docstrings import examples_of
from minitensor.keras.engine import defaults
from minitensor.keras.serialization import identifiers, objects
from minitensor.keras.serialization.config import Configurable
from minitensor.linalg import matmul, matrix_transpose
from minitensor.math import abs as magnitude
from minitensor.math import reduce_sum, square
from minitensor.nn import l2_normalize

_example = examples_of("tf.keras.regularizers")


class Regularizer(Configurable):
    """A penalty: a function of a weight, or of a layer's output, that gives a number.

    A subclass writes `__call__(x)`.
    """

    def __call__(self, x: Any) -> Any:
        """The penalty for `x`."""
        return 0.0


@_example("L1L2(l1=0.5, l2=2.0)([1.0, -2.0])", "np.float32(11.5)")
class L1L2(Regularizer):
    """l1 * sum |x| + l2 * sum x^2

    Args:
        l1, l2: factors.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1, self.l2 = _factor("l1", l1 or 0.0), _factor("l2", l2 or 0.0)

    def __call__(self, x: Any) -> Any:
        x = as_tensor(x)
        return reduce_sum(magnitude(x) * self.l1 + square(x) * self.l2)


@_example("L1(0.5)([1.0, -2.0])", "np.float32(1.5)")
class L1(Regularizer):
    """l1 * sum |x|: drives many weights to 0 exactly."""

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = _factor("l1", 0.01 if l1 is None else l1)

    def __call__(self, x: Any) -> Any:
        return reduce_sum(magnitude(x)) * self.l1


@_example("L2(0.5)([1.0, -2.0])", "np.float32(2.5)")
class L2(Regularizer):
    """l2 * sum x^2, of gradient 2 * l2 * x."""

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = _factor("l2", 0.01 if l2 is None else l2)

    def __call__(self, x: Any) -> Any:
        return reduce_sum(square(x)) * self.l2


@_example("OrthogonalRegularizer(1.0)([[1.0, 0.0], [0.0, 5.0]])", "np.float32(0.0)")
class OrthogonalRegularizer(Regularizer):
    """factor / n * sum over the n pairs of rows i < j of |cos(angle between x_i and x_j)|

    Args:
        factor: of the mean.
        mode: "rows" or "columns".

    Raises:
        ValueError: another mode, or an `x` that is no matrix.
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        if mode not in ("rows", "columns"):
            raise ValueError(
                "Invalid value for argument `mode`. Expected one of "
                f'{{"rows", "columns"}}. Received: mode={mode}'
            )
        self.factor, self.mode = _factor("factor", factor), mode

    def __call__(self, x: Any) -> Any:
        x = as_tensor(x)
        if x.ndim != 2:
            raise ValueError(
                f"Inputs to OrthogonalRegularizer must have rank 2. Received: shape={x.shape!s}"
            )
        rows = x if self.mode == "rows" else matrix_transpose(x)  # (n, d)
        unit = l2_normalize(rows, axis=1, epsilon=defaults.epsilon() ** 2)
        n = unit.shape[0]
        cosines = matmul(unit, matrix_transpose(unit)) * (1 - eye(n, dtype=x.dtype))  # (n, n)
        pairs = max(n * (n - 1) / 2, 1)
        return reduce_sum(magnitude(cosines)) * (self.factor * 0.5 / pairs)


def _factor(name: str, value: Any) -> float:
    legal = isinstance(value, int | float) and math.isfinite(value) and value >= 0
    if not legal:
        raise ValueError(
            f"Invalid value for argument {name}: expected a non-negative float. "
            f"Received: {name}={value}"
        )
    return float(value)


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer
_KNOWN = identifiers.table(Regularizer, L1, L2, L1L2, OrthogonalRegularizer, l1_l2=L1L2)


@_example('get("l2")([1.0])', "np.float32(0.01)")
def get(identifier: Any) -> Any:
    """The regularizer that a name, a config or a class stands for; None stays None.

    Raises:
        ValueError: there is none of this name.
    """
    return None if identifier is None else identifiers.resolve("regularizer", _KNOWN, identifier)


def serialize(regularizer: Any) -> Any:
    """What `deserialize` makes it of again."""
    return objects.serialize(regularizer)


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """The regularizer of a config."""
    return identifiers.resolve("regularizer", _KNOWN | (custom_objects or {}), config)
