"""The mirror of keras.optimizers.schedules: learning rates that follow the number of steps.

They fall by a factor, like 1 / t, along a power, in steps, or along half a wave of the cosine.
Args of all: initial_learning_rate, at step 0; name, kept in the configuration. Raises: ValueError,
a number of steps that is not above 0.

Source of all: keras.optimizers.schedules, by the same names, and the papers named.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import pi
from typing import Any

from minitensor import math
from minitensor.array import cast, where
from minitensor.autograd import Tensor, as_tensor
from minitensor.keras.engine import defaults
from minitensor.keras.serialization.config import Configurable

__all__ = [
    "CosineDecay", "CosineDecayRestarts", "ExponentialDecay", "InverseTimeDecay",
    "LearningRateSchedule", "PiecewiseConstantDecay", "PolynomialDecay",
]  # fmt: skip


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


# ----- along a curve or a stair -----


class ExponentialDecay(LearningRateSchedule):
    """Falls by a factor per so many steps.

    rate = initial_learning_rate * decay_rate ^ (step / decay_steps)

    Args:
        decay_steps: steps after which it has fallen by `decay_rate`.
        decay_rate: the factor.
        staircase: whether step / decay_steps is rounded down.

    Example:
        >>> import minitensor as tf
        >>> rate = tf.keras.optimizers.schedules.ExponentialDecay(0.1, 100, decay_rate=0.5)
        >>> rate(200).numpy()
        np.float32(0.025)
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
        decay_steps: the unit in which steps are counted.
        decay_rate: how fast it falls.
        staircase: whether step / decay_steps is rounded down.

    Example:
        >>> import minitensor as tf
        >>> rate = tf.keras.optimizers.schedules.InverseTimeDecay(0.1, 1, decay_rate=0.5)
        >>> rate(2).numpy()
        np.float32(0.05)
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
        decay_steps: when it reaches the end.
        end_learning_rate: what it stays at.
        power: 1 is a straight line.
        cycle: whether it begins anew at the end, with 2, 3, ... times as many steps in all.

    Example:
        >>> import minitensor as tf
        >>> rate = tf.keras.optimizers.schedules.PolynomialDecay(0.1, 100, end_learning_rate=0.0)
        >>> rate(75).numpy()
        np.float32(0.025)
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

    Raises:
        ValueError: not one more value than boundaries.

    Example:
        >>> import minitensor as tf
        >>> schedules = tf.keras.optimizers.schedules
        >>> rate = schedules.PiecewiseConstantDecay([100, 200], [0.1, 0.01, 0.001])
        >>> [float(rate(step)) for step in (100, 101, 201)]
        [0.10000000149011612, 0.009999999776482582, 0.0010000000474974513]
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


# ----- along a wave -----


class CosineDecay(LearningRateSchedule):
    """Rises along a line, if there is a warm-up, then falls along half a wave.

    rate = top * ((1 - alpha) * (1 + cos(pi * t)) / 2 + alpha), t = (step - warmup_steps) /
    decay_steps <= 1; before it rises from initial_learning_rate to top = warmup_target

    Args:
        decay_steps: length of the fall.
        alpha: the end, as a part of the top.
        warmup_target: the top; None for no warm-up, where the top is initial_learning_rate.
        warmup_steps: length of the rise.

    Example:
        >>> import minitensor as tf
        >>> rate = tf.keras.optimizers.schedules.CosineDecay(0.1, decay_steps=100)
        >>> rate(50).numpy().round(6)
        np.float32(0.05)

    Source: Loshchilov and Hutter 2016
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        positive("decay_steps", decay_steps)
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.alpha, self.name = alpha, name
        self.warmup_target, self.warmup_steps = warmup_target, warmup_steps

    def __call__(self, step: Any) -> Tensor:
        now, start, top = numbered(step), self.initial_learning_rate, self.warmup_target
        if top is None:
            return self._fall(now, start)
        if float(now) >= self.warmup_steps:
            return self._fall(now - self.warmup_steps, top)
        rise = as_tensor(top, now.dtype, like=now) - start
        return rise * (now / self.warmup_steps) + start

    def _fall(self, now: Tensor, top: float) -> Tensor:
        t = math.minimum(now, self.decay_steps) / self.decay_steps
        return top * ((1 - self.alpha) * (0.5 * (1 + math.cos(pi * t))) + self.alpha)


class CosineDecayRestarts(LearningRateSchedule):
    """Falls along half a wave, again and again, each time longer and from another height.

    rate = initial_learning_rate * ((1 - alpha) * m_mul^i * (1 + cos(pi * t)) / 2 + alpha), with
    i the number of restarts so far, and t the part of the present wave that is over

    Args:
        first_decay_steps: length of the first fall.
        t_mul: how many times as long as the one before each fall is.
        m_mul: how many times as high.
        alpha: the end, as a part of the top.

    Example:
        >>> import minitensor as tf
        >>> rate = tf.keras.optimizers.schedules.CosineDecayRestarts(0.1, 100, m_mul=0.5)
        >>> rate(50).numpy().round(6), rate(100).numpy().round(6)
        (np.float32(0.05), np.float32(0.05))

    Source: Loshchilov and Hutter 2016
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        positive("first_decay_steps", first_decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self.t_mul, self.m_mul, self.alpha, self.name = t_mul, m_mul, alpha, name

    def __call__(self, step: Any) -> Tensor:
        restarts, t = self._phase(numbered(step) / self.first_decay_steps)
        factor = math.pow(as_tensor(self.m_mul, t.dtype, like=t), restarts)
        wave = 0.5 * factor * (1 + math.cos(pi * t))
        return self.initial_learning_rate * ((1 - self.alpha) * wave + self.alpha)

    def _phase(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """How many waves are over, and which part of the present one."""
        if self.t_mul == 1.0:
            restarts = math.floor(t)
            return restarts, t - restarts
        longer = as_tensor(self.t_mul, t.dtype, like=t)
        restarts = math.floor(math.log(1 - t * (1 - longer)) / math.log(longer))
        length = math.pow(longer, restarts)
        return restarts, (t - (1 - length) / (1 - longer)) / length
