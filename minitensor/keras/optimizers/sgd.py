"""Gradient descent: straight, with momentum, and by the sign alone.

learning_rate, "rate" in formulas, is a number, a schedule, or a function of no arguments; kwargs
are what all optimizers share, see `Optimizer`. Raises: ValueError, one of those is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from minitensor import backend, math
from minitensor.autograd import Tensor, Variable
from minitensor.autograd.variable import unshared
from minitensor.keras.engine.weight import Weight
from minitensor.keras.optimizers.hyperparameters import Shared
from minitensor.keras.optimizers.optimizer import Optimizer, one_step, put, rounded


class SGD(Optimizer):
    """Steps against the gradient, or with momentum along the sum of the past ones.

    m = momentum * m - rate * g,  x = x + m,  or with nesterov x = x + momentum * m - rate * g

    Args:
        momentum: how much of the last step goes on, in [0, 1].
        nesterov: whether the step is taken where the momentum leads.

    Raises:
        ValueError: momentum outside [0, 1].

    Example:
        >>> import minitensor as tf
        >>> x = tf.Variable([1.0, -2.0])
        >>> sgd = tf.keras.optimizers.SGD(0.1, momentum=0.9)
        >>> for _ in range(2):
        ...     sgd.apply([2.0 * x], [x])
        >>> x.numpy()
        array([ 0.46, -0.92], dtype=float32)

    Source: Sutskever et al. 2013
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **kwargs: Unpack[Shared],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        if not 0 <= momentum <= 1:
            raise ValueError(
                f"`momentum` must be a float between [0, 1]. Received: momentum={momentum}"
            )
        self.momentum, self.nesterov = momentum, nesterov
        self.momentums: list[Weight] = []

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes the momentums, if there is momentum."""
        super().build(variables)
        if self.momentum:
            self.momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: float) -> None:
        """Changes one variable and its momentum."""
        if not self.momentum:
            return put(variable, variable - gradient * learning_rate)
        m = self.momentums[self._get_variable_index(variable)]
        be = backend.of(variable.array, gradient.array)
        ours = unshared(variable, m)
        variable.array, m.array = map(
            be.asarray,
            be.sgd_momentum(
                *(variable.array, m.array, gradient.array),
                *(learning_rate, self.momentum, self.nesterov),
                in_place=ours,
            ),
        )
        return None


@one_step("Lion(0.1)", "[ 0.9, -1.9]", "Chen et al. 2023")
class Lion(Optimizer):
    """Steps of one size, along the sign of a mean of gradients.

    x = x - rate * sign(beta_1 m + (1 - beta_1) g),  m = beta_2 m + (1 - beta_2) g

    Args:
        beta_1, beta_2: how long the two means remember.

    Raises:
        ValueError: beta_1 outside (0, 1].
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        **kwargs: Unpack[Shared],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        if not 0 < beta_1 <= 1:
            raise ValueError(f"Argument `beta_1` must be in (0, 1]. Received: beta_1={beta_1}")
        self.beta_1, self.beta_2 = beta_1, beta_2

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes the means."""
        super().build(variables)
        self._momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: float) -> None:
        """Changes one variable and its mean."""
        m = self._momentums[self._get_variable_index(variable)]
        first, second = (rounded(beta, m) for beta in (self.beta_1, self.beta_2))
        direction = math.sign(m * first + gradient * (1 - first))
        put(variable, variable - learning_rate * direction)
        put(m, m * second + gradient * (1 - second))
