"""Learning rates that fall along half a wave of the cosine."""

from __future__ import annotations

from math import pi
from typing import Any

from minitensor import math
from minitensor.autograd import Tensor, as_tensor
from minitensor.keras.optimizers.schedules.schedule import (
    LearningRateSchedule,
    numbered,
    positive,
)


class CosineDecay(LearningRateSchedule):
    """Rises along a line, if there is a warm-up, then falls along half a wave.

    rate = top * ((1 - alpha) * (1 + cos(pi * t)) / 2 + alpha), t = (step - warmup_steps) /
    decay_steps <= 1; before it rises from initial_learning_rate to top = warmup_target

    Args:
        initial_learning_rate: at step 0.
        decay_steps: length of the fall.
        alpha: the end, as a part of the top.
        name: kept in the configuration.
        warmup_target: the top; None for no warm-up, where the top is initial_learning_rate.
        warmup_steps: length of the rise.

    Raises:
        ValueError: decay_steps is not above 0.

    Example:
        >>> import minitensor as tf
        >>> rate = tf.keras.optimizers.schedules.CosineDecay(0.1, decay_steps=100)
        >>> rate(50).numpy().round(6)
        np.float32(0.05)

    Source: keras.optimizers.schedules.CosineDecay; Loshchilov and Hutter 2016
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
        initial_learning_rate: at step 0.
        first_decay_steps: length of the first fall.
        t_mul: how many times as long as the one before each fall is.
        m_mul: how many times as high.
        alpha: the end, as a part of the top.
        name: kept in the configuration.

    Raises:
        ValueError: first_decay_steps is not above 0.

    Example:
        >>> import minitensor as tf
        >>> rate = tf.keras.optimizers.schedules.CosineDecayRestarts(0.1, 100, m_mul=0.5)
        >>> rate(50).numpy().round(6), rate(100).numpy().round(6)
        (np.float32(0.05), np.float32(0.05))

    Source: keras.optimizers.schedules.CosineDecayRestarts; Loshchilov and Hutter 2016
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
        restarts, t = self._place(numbered(step) / self.first_decay_steps)
        factor = math.pow(as_tensor(self.m_mul, t.dtype, like=t), restarts)
        wave = 0.5 * factor * (1 + math.cos(pi * t))
        return self.initial_learning_rate * ((1 - self.alpha) * wave + self.alpha)

    def _place(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """How many waves are over, and which part of the present one."""
        if self.t_mul == 1.0:
            restarts = math.floor(t)
            return restarts, t - restarts
        longer = as_tensor(self.t_mul, t.dtype, like=t)
        restarts = math.floor(math.log(1 - t * (1 - longer)) / math.log(longer))
        length = math.pow(longer, restarts)
        return restarts, (t - (1 - length) / (1 - longer)) / length
