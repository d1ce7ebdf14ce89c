"""LearningRateSchedule: a learning rate as a function of the number of steps made."""

from __future__ import annotations

from typing import Any

from minitensor.array import cast
from minitensor.autograd import Tensor
from minitensor.keras.engine import defaults
from minitensor.keras.serialization.config import Configurable


class LearningRateSchedule(Configurable):
    """A learning rate as a function of the number of steps made: subclass it, write `__call__`.

    rate = schedule(step)

    Raises:
        NotImplementedError: it has no `__call__`.

    Example:
        >>> import minitensor as tf
        >>> class Halving(tf.keras.optimizers.schedules.LearningRateSchedule):
        ...     def __call__(self, step):
        ...         return 0.5 ** tf.cast(step, "float32")
        >>> Halving()(3).numpy()
        np.float32(0.125)

    Source: keras.optimizers.schedules.LearningRateSchedule
    """

    def __call__(self, step: Any) -> Any:
        """The learning rate after `step` steps."""
        raise NotImplementedError(
            f"Learning rate schedule '{type(self).__name__}' must override `__call__(self, step)`."
        )


def numbered(step: Any) -> Tensor:
    """The step as a float of the type in which rates are computed."""
    return cast(step, defaults.floatx())


def positive(name: str, value: Any) -> None:
    """Refuses a length in steps that is not above 0."""
    if value <= 0:
        raise ValueError(f"Argument `{name}` must be > 0. Received: {name}={value}")
