"""Learning rates that fall: by a factor, like 1/t, along a power, in steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minitensor import math
from minitensor.array import cast, where
from minitensor.autograd import Tensor, as_tensor
from minitensor.keras.optimizers.schedules.schedule import (
    LearningRateSchedule,
    numbered,
    positive,
)


class ExponentialDecay(LearningRateSchedule):
    """Falls by a factor per so many steps.

    rate = initial_learning_rate * decay_rate ^ (step / decay_steps)

    Args:
        initial_learning_rate: at step 0.
        decay_steps: steps after which it has fallen by `decay_rate`.
        decay_rate: the factor.
        staircase: whether step / decay_steps is rounded down.
        name: kept in the configuration.

    Raises:
        ValueError: decay_steps is not above 0.

    Example:
        >>> import minitensor as tf
        >>> rate = tf.keras.optimizers.schedules.ExponentialDecay(0.1, 100, decay_rate=0.5)
        >>> rate(200).numpy()
        np.float32(0.025)

    Source: keras.optimizers.schedules.ExponentialDecay
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        positive("decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps, self.decay_rate = decay_steps, decay_rate
        self.staircase, self.name = staircase, name

    def __call__(self, step: Any) -> Tensor:
        p = numbered(step) / self.decay_steps
        p = math.floor(p) if self.staircase else p
        base = as_tensor(self.decay_rate, p.dtype, like=p)
        return self.initial_learning_rate * math.pow(base, p)


class InverseTimeDecay(LearningRateSchedule):
    """Falls like 1 / t.

    rate = initial_learning_rate / (1 + decay_rate * step / decay_steps)

    Args:
        initial_learning_rate: at step 0.
        decay_steps: the unit in which steps are counted.
        decay_rate: how fast it falls.
        staircase: whether step / decay_steps is rounded down.
        name: kept in the configuration.

    Raises:
        ValueError: decay_steps is not above 0.

    Example:
        >>> import minitensor as tf
        >>> rate = tf.keras.optimizers.schedules.InverseTimeDecay(0.1, 1, decay_rate=0.5)
        >>> rate(2).numpy()
        np.float32(0.05)

    Source: keras.optimizers.schedules.InverseTimeDecay
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        positive("decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps, self.decay_rate = decay_steps, decay_rate
        self.staircase, self.name = staircase, name

    def __call__(self, step: Any) -> Tensor:
        p = numbered(step) / self.decay_steps
        p = math.floor(p) if self.staircase else p
        return self.initial_learning_rate / (1 + self.decay_rate * p)


class PolynomialDecay(LearningRateSchedule):
    """Falls to an end along a power of the steps that are left.

    rate = (initial_learning_rate - end_learning_rate) * (1 - step / decay_steps) ^ power
    + end_learning_rate, with at most `decay_steps` steps

    Args:
        initial_learning_rate: at step 0.
        decay_steps: when it reaches the end.
        end_learning_rate: what it stays at.
        power: 1 is a straight line.
        cycle: whether it begins anew at the end, with 2, 3, ... times as many steps in all.
        name: kept in the configuration.

    Raises:
        ValueError: decay_steps is not above 0.

    Example:
        >>> import minitensor as tf
        >>> rate = tf.keras.optimizers.schedules.PolynomialDecay(0.1, 100, end_learning_rate=0.0)
        >>> rate(75).numpy()
        np.float32(0.025)

    Source: keras.optimizers.schedules.PolynomialDecay
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        positive("decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps, self.end_learning_rate = decay_steps, end_learning_rate
        self.power, self.cycle, self.name = power, cycle, name

    def __call__(self, step: Any) -> Tensor:
        now = numbered(step)
        if self.cycle:
            rounds = where(math.equal(now, 0.0), 1.0, math.ceil(now / self.decay_steps))
            p = now / (self.decay_steps * rounds)
        else:
            p = math.minimum(now, self.decay_steps) / self.decay_steps
        start = as_tensor(self.initial_learning_rate, now.dtype, like=now)
        drop = start - self.end_learning_rate
        return drop * math.pow(1 - p, float(self.power)) + self.end_learning_rate


class PiecewiseConstantDecay(LearningRateSchedule):
    """One rate up to a step, another up to the next: the steps of a stair.

    rate = values[i] for boundaries[i - 1] < step <= boundaries[i]

    Args:
        boundaries: the last step of each rate but the last.
        values: the rates, one more than boundaries.
        name: kept in the configuration.

    Raises:
        ValueError: not one more value than boundaries.

    Example:
        >>> import minitensor as tf
        >>> schedules = tf.keras.optimizers.schedules
        >>> rate = schedules.PiecewiseConstantDecay([100, 200], [0.1, 0.01, 0.001])
        >>> [float(rate(step)) for step in (100, 101, 201)]
        [0.10000000149011612, 0.009999999776482582, 0.0010000000474974513]

    Source: keras.optimizers.schedules.PiecewiseConstantDecay
    """

    def __init__(
        self, boundaries: Sequence[Any], values: Sequence[float], name: str = "PiecewiseConstant"
    ) -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "The length of boundaries should be 1 less than the length of values. Received: "
                f"boundaries={boundaries} of length {len(boundaries)}, and values={values} of "
                f"length {len(values)}."
            )
        self.boundaries, self.values, self.name = boundaries, values, name

    def __call__(self, step: Any) -> Tensor:
        now = numbered(step)
        rates = as_tensor(list(self.values), now.dtype, like=now)
        if not self.boundaries:
            return rates[0]
        passed = now > as_tensor(list(self.boundaries), now.dtype, like=now)
        return rates[int(math.reduce_sum(cast(passed, "int32")))]
