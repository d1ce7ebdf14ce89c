"""Optimizer: what all rules share. A rule itself is one method, `update_step`.

A step: gradients are averaged, clipped, weights decay, the rule changes them, averages follow,
constraints hold. All state is in `variables`. Nothing here is recorded by a tape.

Not here: the arguments (`arguments.py`), where the learning rate comes from (`rate.py`).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any, Unpack

import numpy as np

from minitensor.array import cast
from minitensor.autograd import Tensor, Variable, as_tensor, recording
from minitensor.backend.devices import device
from minitensor.keras import initializers
from minitensor.keras.engine import calling, settings
from minitensor.keras.engine.weight import Weight
from minitensor.keras.optimizers.arguments import Shared
from minitensor.keras.optimizers.rate import Rated
from minitensor.math.clip import clip_by_global_norm, clip_by_norm, clip_by_value


class Optimizer(Rated):
    """Changes variables against their gradients: subclass it and write `update_step`.

    x = x - f(gradient, state); build(variables) makes the state

    Args:
        learning_rate: a number, a schedule, or a function of no arguments.
        kwargs: weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name;
            see `arguments.Shared`.

    Attributes:
        iterations: how often it was applied.
        variables: iterations, the learning rate if it is a number, then what the rule keeps.

    Raises:
        ValueError: arguments that exclude each other or are out of range.

    Example:
        >>> import minitensor as mt
        >>> class Plain(Optimizer):
        ...     def update_step(self, gradient, variable, learning_rate):
        ...         self.assign_sub(variable, learning_rate * gradient)
        >>> x = mt.Variable([1.0, 2.0])
        >>> _ = Plain(learning_rate=0.5).apply_gradients([(mt.constant([1.0, 1.0]), x)])
        >>> x.numpy()
        array([0.5, 1.5], dtype=float32)

    Source: keras.optimizers.Optimizer
    """

    def __init__(self, learning_rate: Any, **kwargs: Unpack[Shared]) -> None:
        super().__init__(learning_rate, **kwargs)
        self.built = False
        self._trainable_variables: list[Variable] = []
        self._places: dict[int, int] = {}
        self._accumulated_gradients: list[Weight] = []
        self._averages: list[Weight] = []

    # ----- what a rule writes -----

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes the state for these variables."""
        self._trainable_variables = list(variables)
        self._places = {id(v): i for i, v in enumerate(variables)}
        if self.use_ema:
            self._averages = self.add_optimizer_variables(variables, "average")
        if self.gradient_accumulation_steps:
            self._accumulated_gradients = self.add_optimizer_variables(
                variables, "gradient_accumulator"
            )
        self.built = True

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: float) -> None:
        """Changes one variable and its state."""
        raise NotImplementedError(f"{type(self).__name__} does not have an `update_step` method.")

    def update_all(self, pairs: list[tuple[Tensor, Variable]], learning_rate: float) -> None:
        """Changes all variables, one after the other."""
        for gradient, variable in pairs:
            self.update_step(gradient, variable, learning_rate)

    # ----- state -----

    def add_variable(
        self,
        shape: Any,
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Weight:
        """Makes a part of the state; aggregation and layout are ignored."""
        start = initializers.get(initializer)(tuple(shape), dtype=dtype or settings.floatx())
        return self._keep(start, name or f"variable_{len(self._variables)}")

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Weight:
        """The same, of the shape and type of a variable, on its device."""
        stem = getattr(reference_variable, "path", reference_variable.name)
        name = f"{stem.replace('/', '_').replace(':', '_')}_{name or 'var'}"
        with device(reference_variable.device):
            kind = reference_variable.dtype.name
            return self.add_variable(reference_variable.shape, initializer, kind, name=name)

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Variable], name: Any, initializer: Any = "zeros"
    ) -> Any:
        """The same for each of some variables: a list, or for several names a tuple of lists."""
        names = [name] if isinstance(name, str) else list(name)
        made: tuple[list[Weight], ...] = tuple([] for _ in names)
        for variable in trainable_variables:
            for found, part in zip(made, names, strict=True):
                found.append(self.add_variable_from_reference(variable, part, initializer))
        return made[0] if isinstance(name, str) else made

    def assign(self, variable: Variable, value: Any) -> None:
        """Gives a variable a value, cast to its type."""
        variable.assign(cast(value, variable.dtype))

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Adds to a variable."""
        variable.assign_add(cast(value, variable.dtype))

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtracts from a variable."""
        variable.assign_sub(cast(value, variable.dtype))

    def _get_variable_index(self, variable: Variable) -> int:
        return self._places[id(variable)]

    # ----- a step -----

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Variable:
        """One step, given pairs of a gradient and its variable; returns `iterations`."""
        pairs = list(grads_and_vars)
        self.apply([g for g, _ in pairs], [v for _, v in pairs])
        return self._iterations

    def apply(self, grads: Any, trainable_variables: Sequence[Variable] | None = None) -> None:
        """One step, given gradients in the order of the variables.

        Args:
            grads: one per variable; None leaves the variable as it is.
            trainable_variables: default those it was built for.

        Raises:
            ValueError: gradients of other number or shape, all None, or unknown variables.
        """
        grads = list(grads)
        if not grads:
            return
        variables = self._targets(grads, trainable_variables)
        with recording.paused():
            pairs = self._present(grads, variables)
            self._step(pairs)
            for _, variable in pairs:
                if getattr(variable, "constraint", None) is not None:
                    variable.assign(variable.constraint(variable.value()))  # type: ignore[attr-defined]
        self._iterations.assign_add(1)

    def _targets(self, grads: list[Any], given: Sequence[Variable] | None) -> list[Variable]:
        """The variables of a step; it is built for them if it is not built."""
        if given is None and not self.built:
            raise ValueError(
                "When passing `grads` without `variables`, the optimizer must already be built on "
                "a list of variables. Call `optimizer.build(trainable_variables)` first."
            )
        variables = self._trainable_variables if given is None else list(given)
        if len(grads) != len(variables):
            raise ValueError(
                f"Gradients and variables come in pairs. Received: {len(grads)} gradients, "
                f"{len(variables)} variables"
            )
        if not self.built:
            self.build(variables)
        for variable in variables:
            if id(variable) not in self._places:
                raise ValueError(
                    f"Unknown variable: {variable}. This optimizer can only be called for the "
                    "variables it was originally built with. When working with a new set of "
                    "variables, you should recreate a new optimizer instance."
                )
        return variables

    def _present(
        self, grads: list[Any], variables: list[Variable]
    ) -> list[tuple[Tensor, Variable]]:
        """The pairs that have a gradient, of the variable's type."""
        pairs = list(zip(grads, variables, strict=True))
        missing = [getattr(v, "path", v.name) for g, v in pairs if g is None]
        if len(missing) == len(pairs):
            raise ValueError("No gradients provided for any variable.")
        if missing:
            warnings.warn(
                f"Gradients do not exist for variables {missing} when minimizing the loss. If "
                "using `model.compile()`, did you forget to provide a `loss` argument?",
                stacklevel=calling_frame(),
            )
        scale = self.loss_scale_factor
        found = [(_fitting(g, v), v) for g, v in pairs if g is not None]
        return found if scale is None else [(g / scale, v) for g, v in found]
