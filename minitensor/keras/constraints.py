"""The mirror of keras.constraints: where weights are put back to after every update.

Args of those that look at the length |w| of a weight: axis, 0 for Dense, [0, 1, 2] for the filters
of Conv2D.

Source of all: keras.constraints, by the same names, and the papers named.
"""

from __future__ import annotations

from typing import Any

from minitensor.autograd import Tensor, as_tensor
from minitensor.docstrings import examples_of
from minitensor.keras.engine import defaults
from minitensor.keras.serialization import identifiers, objects
from minitensor.keras.serialization.config import Configurable
from minitensor.math import maximum, minimum, reduce_sum, sqrt, square

example = examples_of("tf.keras.constraints")


class Constraint(Configurable):
    """A function of a weight that gives the nearest legal one.

    A subclass writes `__call__(w)`.
    """

    def __call__(self, w: Any) -> Any:
        """The weight to go on with."""
        return w


@example("NonNeg()([-1.0, 2.0])", "[0., 2.]")
class NonNeg(Constraint):
    """max(w, 0)"""

    def __call__(self, w: Any) -> Tensor:
        return maximum(w, 0.0)


@example("MaxNorm(1.0, axis=1)([[3.0, 4.0]])", "[[0.6, 0.8]]", "Srivastava et al. 2014")
class MaxNorm(Constraint):
    """w * min(|w|, max_value) / |w|, with the length |w| along some axes.

    Args:
        max_value: the greatest length.
    """

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        self.max_value, self.axis = max_value, axis

    def __call__(self, w: Any) -> Tensor:
        w, length = _length(w, self.axis)
        return w * (minimum(length, float(self.max_value)) / (length + defaults.epsilon()))


@example("UnitNorm(axis=1)([[3.0, 4.0]])", "[[0.6, 0.8]]")
class UnitNorm(Constraint):
    """w / |w|, with the length |w| along some axes."""

    def __init__(self, axis: Any = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Tensor:
        w, length = _length(w, self.axis)
        return w / (length + defaults.epsilon())


@example("MinMaxNorm(10.0, 20.0, axis=1)([[3.0, 4.0]])", "[[6., 8.]]")
class MinMaxNorm(Constraint):
    """w * (rate * clip(|w|, min_value, max_value) + (1 - rate) * |w|) / |w|

    Args:
        min_value, max_value: the least and the greatest length.
        rate: how far to go towards it: 1 is all the way.
    """

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0
    ) -> None:
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w: Any) -> Tensor:
        w, length = _length(w, self.axis)
        target = minimum(maximum(length, float(self.min_value)), float(self.max_value))
        target = target * self.rate + length * (1 - self.rate)
        return w * (target / (length + defaults.epsilon()))


def _length(w: Any, axis: Any) -> tuple[Tensor, Tensor]:
    """w, and its length along the axes, which stay with size 1."""
    w = as_tensor(w)
    return w, sqrt(reduce_sum(square(w), axis=axis, keepdims=True))


max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm
_KNOWN = identifiers.table(Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm)


@example('get("non_neg")([-1.0])', "[0.]")
def get(identifier: Any) -> Any:
    """The constraint that a name, a config or a class stands for; None stays None.

    Raises:
        ValueError: there is none of this name.
    """
    return None if identifier is None else identifiers.resolve("constraint", _KNOWN, identifier)


def serialize(constraint: Any) -> Any:
    """What `deserialize` makes it of again."""
    return objects.serialize(constraint)


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """The constraint of a config."""
    return identifiers.resolve("constraint", _KNOWN | (custom_objects or {}), config)
