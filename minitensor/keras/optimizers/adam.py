"""Adam and its relatives: a mean of gradients, divided by a mean of their sizes.

learning_rate, "rate" in formulas, is a number, a schedule, or a function of no arguments; kwargs
are what all optimizers share, see `Optimizer`. Args of all: beta_1, beta_2, how long the two means
(of Adamax the mean and the maximum) remember; epsilon, which keeps a step finite where gradients
are 0. Raises: ValueError, one of those is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np

from minitensor import backend, math
from minitensor.autograd import Tensor, Variable
from minitensor.autograd.variable import unshared
from minitensor.keras.optimizers.hyperparameters import Shared
from minitensor.keras.optimizers.optimizer import Optimizer, Pairs, one_step, put, rounded


class _Adaptive(Optimizer):
    """What the rules of this file share: two means, and the corrections of their start at 0."""

    parts: tuple[str, str] = ("momentum", "velocity")
    _t: int  # number of the present step
    _corrections: dict[Any, tuple[float, float]]  # of this step, by the type of a variable

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **kwargs: Unpack[Shared],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes the two means."""
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(variables, self.parts)

    def _update(self, pairs: Pairs, learning_rate: float) -> None:
        self._t, self._corrections = self._steps_done() + 1, {}
        super()._update(pairs, learning_rate)

    def _bias_corrections(self, like: Variable) -> tuple[float, float]:
        """1 - beta_1^t and 1 - beta_2^t, by which two means that start at 0 fall short."""
        kind = like.array.dtype
        if kind not in self._corrections:
            powers = [
                rounded(rounded(b, like) ** self._t, like) for b in (self.beta_1, self.beta_2)
            ]
            self._corrections[kind] = (1 - powers[0], 1 - powers[1])
        return self._corrections[kind]


@one_step("Adam(0.1)", "[ 0.9, -1.9]", "Kingma and Ba 2015; Reddi et al. 2018")
class Adam(_Adaptive):
    """Steps of even size along the running mean of the gradient.

    m = beta_1 m + (1 - beta_1) g,  v = beta_2 v + (1 - beta_2) g^2,
    x = x - rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) + epsilon)

    Args:
        amsgrad: whether v is replaced by the largest v so far.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Unpack[Shared],
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **kwargs)
        self.amsgrad = amsgrad

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes the two means, and the largest v if it is asked for."""
        super().build(variables)
        if self.amsgrad:
            self._velocity_hats = self.add_optimizer_variables(variables, "velocity_hat")

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: float) -> None:
        """Changes one variable and its means."""
        i, t = self._get_variable_index(variable), self._t
        first, second = self._bias_corrections(variable)
        size = learning_rate * second**0.5 / first
        if self.amsgrad:
            return self._amsgrad(gradient, variable, size, i)
        # The backend corrects the starts itself, exactly; Keras does it in the variable's type.
        rate = size * (1 - self.beta_1**t) / (1 - self.beta_2**t) ** 0.5
        m, v = self._momentums[i], self._velocities[i]
        be = backend.of(variable.array, gradient.array)
        ours = unshared(variable, m, v)
        variable.array, m.array, v.array = map(
            be.asarray,
            be.adam(
                *(variable.array, m.array, v.array, gradient.array, rate),
                *(self.beta_1, self.beta_2, self.epsilon, t),
                in_place=ours,
            ),
        )
        return None

    def _amsgrad(self, g: Tensor, variable: Variable, size: float, i: int) -> None:
        m, v, most = self._momentums[i], self._velocities[i], self._velocity_hats[i]
        put(m, m + (g - m) * (1 - self.beta_1))
        put(v, v + (math.square(g) - v) * (1 - self.beta_2))
        put(most, math.maximum(most, v))
        put(variable, variable - m * size / (math.sqrt(most) + self.epsilon))


@one_step("AdamW(0.1, weight_decay=0.5)", "[ 0.85, -1.8 ]", "Loshchilov and Hutter 2019")
class AdamW(Adam):
    """Adam with weight decay beside it, which the two means do not see.

    x = x - rate * weight_decay * x, then as Adam

    Args:
        weight_decay: how fast weights fall to 0.
        amsgrad: as for Adam.

    Raises:
        ValueError: no weight_decay.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        if weight_decay is None:
            raise ValueError("Argument `weight_decay` must be a float. Received: weight_decay=None")
        kwargs["weight_decay"] = weight_decay
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, **kwargs)


@one_step("Adamax(0.1)", "[ 0.9, -1.9]", "Kingma and Ba 2015, section 7.1")
class Adamax(_Adaptive):
    """Adam with the largest gradient in place of the mean of squares.

    m = beta_1 m + (1 - beta_1) g,  u = max(beta_2 u, |g|),
    x = x - rate * m / ((1 - beta_1^t) * (u + epsilon))
    """

    parts = ("momentum", "norm")

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: float) -> None:
        """Changes one variable, its mean and its maximum."""
        i = self._get_variable_index(variable)
        m, u = self._momentums[i], self._velocities[i]
        put(m, m + (gradient - m) * (1 - self.beta_1))
        put(u, math.maximum(self.beta_2 * u, math.abs(gradient)))
        correction, _ = self._bias_corrections(variable)
        put(variable, variable - learning_rate * m / (correction * (u + self.epsilon)))


@one_step("Nadam(0.1)", "[ 0.894, -1.894]", "Dozat 2015")
class Nadam(_Adaptive):
    """Adam that looks one step ahead, as Nesterov's momentum does.

    u_t = beta_1 (1 - 0.96^t / 2),  U_t = u_1 u_2 ... u_t,  m and v as in Adam,
    x = x - rate * (u_{t+1} m / (1 - U_{t+1}) + (1 - u_t) g / (1 - U_t))
    / (sqrt(v / (1 - beta_2^t)) + epsilon)
    """

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes the two means and the product of the u."""
        super().build(variables)
        kind = variables[0].dtype if variables else np.dtype("float32")
        self._u_product = self._scalar(1.0, kind, "variable")

    def _update(self, pairs: Pairs, learning_rate: float) -> None:
        product = float(self._u_product) * self._u(self._steps_done() + 1)
        self._u_product.assign(np.asarray(product, self._u_product.dtype))
        self._product = float(self._u_product)  # read once, not once per variable
        super()._update(pairs, learning_rate)

    def _u(self, t: int) -> float:
        return self.beta_1 * (1 - 0.5 * 0.96**t)

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: float) -> None:
        """Changes one variable and its means."""
        i, t = self._get_variable_index(variable), self._t
        m, v = self._momentums[i], self._velocities[i]
        product, u, ahead = self._product, self._u(t), self._u(t + 1)
        put(m, m + (gradient - m) * (1 - rounded(self.beta_1, m)))
        put(v, v + (math.square(gradient) - v) * (1 - rounded(self.beta_2, v)))
        mean = m * (ahead / (1 - product * ahead)) + gradient * ((1 - u) / (1 - product))
        size = math.sqrt(v / self._bias_corrections(variable)[1]) + self.epsilon
        put(variable, variable - mean * learning_rate / size)
