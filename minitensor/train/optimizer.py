"""Adam: steps of even size along the running mean of the gradient."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minitensor import Tensor, Variable, backend, zeros_like


class Adam:
    """Changes variables against their gradients.

    m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,
    x = x - rate * sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + epsilon)

    Args:
        variables: what to change.
        beta_1, beta_2: b1 and b2, how long the two means remember.
        epsilon: keeps a step finite where gradients are 0.

    Example:
        >>> x = Variable([1.0, -2.0])
        >>> Adam([x]).apply([2.0 * x], rate=0.1)
        >>> x.numpy().round(3)
        array([ 0.9, -1.9], dtype=float32)

    Source: Kingma and Ba 2015, end of section 2; tf.keras.optimizers.Adam
    """

    def __init__(
        self,
        variables: Sequence[Variable],
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
    ) -> None:
        self._variables = list(variables)
        self._settings = beta_1, beta_2, epsilon
        self._means = [(zeros_like(v).array, zeros_like(v).array) for v in self._variables]
        self._steps = 0

    @np.errstate(all="ignore")  # inf and NaN are values here, as in every op
    def apply(self, gradients: Sequence[Tensor], rate: float) -> None:
        """One step of size about `rate`, given one gradient per variable."""
        self._steps += 1
        for i, (variable, g) in enumerate(zip(self._variables, gradients, strict=True)):
            be = backend.of(variable.array, g.array)
            m, v = self._means[i]
            variable.array, m, v = be.adam(
                variable.array, m, v, g.array, rate, *self._settings, self._steps
            )
            self._means[i] = m, v
