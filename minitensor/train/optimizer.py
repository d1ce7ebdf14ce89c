"""Adam: steps of even size along the running mean of the gradient."""

from __future__ import annotations

from collections.abc import Sequence

from minitensor import Tensor, Variable, sqrt, square, zeros_like


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
        self._betas, self._epsilon = (beta_1, beta_2), epsilon
        self._means = [(zeros_like(v), zeros_like(v)) for v in self._variables]
        self._steps = 0

    def apply(self, gradients: Sequence[Tensor], rate: float) -> None:
        """One step of size about `rate`, given one gradient per variable."""
        self._steps += 1
        b1, b2 = self._betas
        size = rate * (1 - b2**self._steps) ** 0.5 / (1 - b1**self._steps)
        for i, (variable, g) in enumerate(zip(self._variables, gradients, strict=True)):
            m, v = self._means[i]
            m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * square(g)
            self._means[i] = m, v
            variable.assign_sub(size * m / (sqrt(v) + self._epsilon))
