"""LossScaleOptimizer: small gradients survive in float16, and steps that overflow are left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minitensor import backend
from minitensor.array import cast
from minitensor.autograd import Tensor, Variable, as_tensor
from minitensor.autograd.finite import all_finite
from minitensor.backend.half import is_half
from minitensor.keras.optimizers import hyperparameters
from minitensor.keras.optimizers.optimizer import Optimizer, over_replicas
from minitensor.keras.serialization.objects import serialize

_HOPELESS = 2.0**-24  # float16's smallest number: what is not finite at this scale never will be


class LossScaleOptimizer(Optimizer):
    """Multiplies the loss by a scale, divides the gradients by it, and lets another rule step.

    A step with a gradient that is not finite is left out, and halves the scale. So many steps in a
    row with finite ones double it. `compile` wraps its optimizer so under "mixed_float16".

    Args:
        inner_optimizer: the rule.
        initial_scale: the scale at first; one that is too large is soon halved.
        dynamic_growth_steps: after so many finite steps the scale doubles.
        name: default the class, "loss_scale_optimizer".
        kwargs: nothing; clipping and the like are the inner optimizer's.

    Attributes:
        dynamic_scale: the present scale, a variable, once it is built.
        step_counter: how many finite steps there were at this scale.
        learning_rate, iterations: the inner optimizer's.

    Raises:
        ValueError: an argument that belongs to the inner optimizer.

    Example:
        >>> import minitensor as tf
        >>> rule = tf.keras.optimizers.LossScaleOptimizer(tf.keras.optimizers.SGD(1.0), 8.0)
        >>> x = tf.Variable(1.0)
        >>> rule.apply([tf.constant(4.0)], [x])
        >>> rule.apply([tf.constant(float("inf"))], [x])
        >>> float(x), float(rule.dynamic_scale)
        (0.5, 4.0)

    Source: keras.optimizers.LossScaleOptimizer; Micikevicius et al. 2018
    """

    def __init__(
        self,
        inner_optimizer: Optimizer,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        _refuse(kwargs)
        super().__init__(0.0, name=name)
        self.inner_optimizer = inner_optimizer
        self.initial_scale, self.dynamic_growth_steps = initial_scale, dynamic_growth_steps
        inner_optimizer.loss_scale_factor = None  # or gradients would be divided twice

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes the scale, and the state of the inner optimizer."""
        self.step_counter = self._scalar(0, np.dtype("int64"), "step_counter")
        self.dynamic_scale = self._scalar(self.initial_scale, np.dtype("float32"), "dynamic_scale")
        self.inner_optimizer.build(variables)
        super().build(variables)

    @property
    def variables(self) -> list[Variable]:
        """All state, then the inner optimizer's."""
        return [*self._variables, *self.inner_optimizer.variables]

    @property
    def _scale(self) -> float:
        return float(self.dynamic_scale.array) if self.built else float(self.initial_scale)

    @property
    def skips_non_finite(self) -> bool:  # type: ignore[override]
        """Whether a step that is not finite is left out; not at a scale at which none helps."""
        return self._scale >= _HOPELESS

    def scale_loss(self, loss: Any) -> Any:
        """The loss times the present scale."""
        return _wide(loss) * self._scale

    def apply(self, grads: Any, trainable_variables: Sequence[Variable] | None = None) -> None:
        """One step, given gradients of the scaled loss, or none if one of them is not finite."""
        grads = list(grads)
        if not grads:
            return
        variables = self._targets(grads, trainable_variables)
        with over_replicas(grads) as summed:
            self._apply(summed, variables, self._scale)

    def _apply(self, grads: list[Any], variables: Sequence[Variable], scale: float) -> None:
        if not all_finite([as_tensor(g) for g in grads if g is not None]):
            self._now(0, scale * 0.5)
            return
        divisor = np.float32(scale)
        unscaled = [None if g is None else _divided(_wide(g).array, divisor) for g in grads]
        self.inner_optimizer.apply(unscaled, variables)
        steps = int(self.step_counter.array) + 1
        grows = steps == self.dynamic_growth_steps
        self._now(0 if grows else steps, scale * 2.0 if grows else scale)

    def _now(self, steps: int, scale: float) -> None:
        with np.errstate(over="ignore"):
            self.dynamic_scale.assign(np.float32(scale))
        self.step_counter.assign(np.int64(steps))

    @property
    def learning_rate(self) -> Any:
        """The inner optimizer's."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    @property
    def iterations(self) -> Any:
        """How many steps were made, without those that were left out."""
        return self.inner_optimizer.iterations

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """The inner optimizer's: gives variables their averages, if these are kept."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict[str, Any]:
        """The inner optimizer's class and config, and how the scale moves."""
        return {
            "name": self.name,
            "inner_optimizer": serialize(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }


def _wide(value: Any) -> Any:
    """float32 instead of half precision, in which a scale may be too large to be held."""
    tensor = as_tensor(value)
    return cast(tensor, "float32") if is_half(tensor.array.dtype) else tensor


def _divided(array: Any, divisor: np.float32) -> Tensor:
    return Tensor(backend.of(array).asarray(array / divisor))  # a scalar becomes an array again


def _refuse(kwargs: dict[str, Any]) -> None:
    if not kwargs.pop("dynamic", True):
        raise ValueError(
            "LossScaleOptimizer no longer supports `dynamic=False`. Instead, simply set "
            "`loss_scale_factor` directly on the `inner_optimizer`."
        )
    usual: dict[str, Any] = dict(hyperparameters.DEFAULTS)
    for name, value in kwargs.items():  # older files of Keras have them all, as they are by default
        if name not in usual:
            raise ValueError(f"LossScaleOptimizer does not support arguments: `{name}`.")
        if value != usual[name]:
            raise ValueError(
                f"LossScaleOptimizer does not support `{name}`. Instead, set `{name}` on the "
                "`inner_optimizer`."
            )
