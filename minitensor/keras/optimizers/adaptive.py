"""Rules that divide each gradient by the size that it usually has: Adagrad, Adadelta, RMSprop.

learning_rate, "rate" in formulas, is a number, a schedule, or a function of no arguments; kwargs
are what all optimizers share, see `Optimizer`. Raises: ValueError, one of those is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from minitensor import math
from minitensor.autograd import Tensor, Variable
from minitensor.keras.engine.weight import Weight
from minitensor.keras.optimizers.hyperparameters import Shared
from minitensor.keras.optimizers.optimizer import Optimizer, one_step, put


@one_step("RMSprop(0.1)", "[ 0.684, -1.684]", "Hinton 2012")
class RMSprop(Optimizer):
    """Divides the gradient by the root of the running mean of its square.

    v = rho v + (1 - rho) g^2,  m = momentum * m + rate * g / sqrt(v + epsilon),  x = x - m;
    centered: v less the square of the running mean of g

    Args:
        rho: how long the means remember.
        momentum: how much of the last step goes on.
        epsilon: keeps a step finite where gradients are 0.
        centered: whether v is the variance.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **kwargs: Unpack[Shared],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, epsilon, centered
        self._momentums: list[Weight] = []
        self._average_gradients: list[Weight] = []

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes the means, and the momentums if there is momentum."""
        super().build(variables)
        self._velocities = self.add_optimizer_variables(variables, "velocity")
        if self.momentum > 0:
            self._momentums = self.add_optimizer_variables(variables, "momentum")
        if self.centered:
            self._average_gradients = self.add_optimizer_variables(variables, "average_gradient")

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: float) -> None:
        """Changes one variable and its means."""
        i, rho = self._get_variable_index(variable), self.rho
        v = self._velocities[i]
        put(v, rho * v + (1 - rho) * math.square(gradient))
        variance = v.read_value()
        if self.centered:
            mean = self._average_gradients[i]
            put(mean, rho * mean + (1 - rho) * gradient)
            variance = variance - math.square(mean)
        step = learning_rate * gradient / math.sqrt(variance + self.epsilon)
        if self.momentum > 0:
            put(m := self._momentums[i], step := self.momentum * m + step)
        put(variable, variable - step)


@one_step("Adagrad(0.1)", "[ 0.901, -1.9  ]", "Duchi et al. 2011")
class Adagrad(Optimizer):
    """Divides the gradient by the root of the sum of its squares so far.

    a = a + g^2,  x = x - rate * g / sqrt(a + epsilon)

    Args:
        initial_accumulator_value: a at the start.
        epsilon: keeps a step finite where gradients are 0.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **kwargs: Unpack[Shared],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.initial_accumulator_value, self.epsilon = initial_accumulator_value, epsilon

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes the sums of squares."""
        super().build(variables)
        self._accumulators = self.add_optimizer_variables(variables, "accumulator")
        for sums in self._accumulators:
            put(sums, sums + self.initial_accumulator_value)

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: float) -> None:
        """Changes one variable and its sum of squares."""
        sums = self._accumulators[self._get_variable_index(variable)]
        put(sums, sums + math.square(gradient))
        put(variable, variable - learning_rate * gradient / math.sqrt(sums + self.epsilon))


@one_step("Adadelta(100.0)", "[ 0.859, -1.859]", "Zeiler 2012")
class Adadelta(Optimizer):
    """Steps as large as the past ones, in the ratio of this gradient to the past ones.

    a = rho a + (1 - rho) g^2,  d = g * sqrt(b + epsilon) / sqrt(a + epsilon),
    b = rho b + (1 - rho) d^2,  x = x - rate * d

    Args:
        learning_rate: 1 in the paper.
        rho: how long the means remember.
        epsilon: what lets the first steps be above 0.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        **kwargs: Unpack[Shared],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.rho, self.epsilon = rho, epsilon

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes the two means of squares."""
        super().build(variables)
        self._accumulated_grads, self._accumulated_delta_vars = self.add_optimizer_variables(
            variables, ["accumulated_grad", "accumulated_delta_var"]
        )

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: float) -> None:
        """Changes one variable and its means."""
        i, rho = self._get_variable_index(variable), self.rho
        a, b = self._accumulated_grads[i], self._accumulated_delta_vars[i]
        put(a, rho * a + (1 - rho) * math.square(gradient))
        step = math.sqrt(b + self.epsilon) * gradient / math.sqrt(a + self.epsilon)
        put(b, rho * b + (1 - rho) * math.square(step))
        put(variable, variable - learning_rate * step)
