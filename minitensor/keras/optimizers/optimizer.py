"""Optimizer: what all rules share. A rule itself is one method, `update_step`.

A step: gradients are averaged, clipped, weights decay, the rule changes them, averages follow,
constraints hold. All state is in `variables`. No tape learns of any of it.

Not here: the arguments (`arguments.py`), the learning rate and the files (`state.py`).
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from typing import Any, Unpack

from minitensor.array import cast, zeros_like
from minitensor.autograd import Tensor, Variable, recording
from minitensor.backend.devices import device
from minitensor.keras import initializers
from minitensor.keras.engine import defaults
from minitensor.keras.engine.weight import Weight, path_of
from minitensor.keras.optimizers.arguments import Shared, outside
from minitensor.keras.optimizers.state import State
from minitensor.keras.optimizers.values import fitting, put, rounded
from minitensor.math.clip import clip_by_global_norm, clip_by_norm, clip_by_value

Pairs = list[tuple[Tensor, Variable]]


class Optimizer(State):
    """Changes variables against their gradients: subclass it and write `update_step`.

    x = x - f(gradient, state); build(variables) makes the state

    Args:
        learning_rate: a number, a schedule, or a function of no arguments.
        kwargs: weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name; see
            `arguments.Shared`.

    Attributes:
        iterations: how many steps there were.
        learning_rate: the present one; a number can be assigned.
        variables: all state.

    Raises:
        ValueError: arguments that exclude each other or are out of range.

    Example:
        >>> import minitensor as tf
        >>> class Plain(tf.keras.optimizers.Optimizer):
        ...     def update_step(self, gradient, variable, learning_rate):
        ...         self.assign_sub(variable, learning_rate * gradient)
        >>> x = tf.Variable([1.0, 2.0])
        >>> _ = Plain(learning_rate=0.5).apply_gradients([(tf.constant([1.0, 1.0]), x)])
        >>> x.numpy()
        array([0.5, 1.5], dtype=float32)

    Source: keras.optimizers.Optimizer
    """

    def __init__(self, learning_rate: Any, **kwargs: Unpack[Shared]) -> None:
        super().__init__(learning_rate, dict(kwargs))
        self._trainable_variables: list[Variable] = []
        self._places: dict[int, int] = {}
        self._accumulated: list[Weight] = []
        self._averages: list[Weight] = []
        self._decays: Any = lambda variable: True

    # ----- what a rule writes -----

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes the state for these variables."""
        self._trainable_variables = list(variables)
        self._places = {id(v): i for i, v in enumerate(variables)}
        if self.use_ema:
            self._averages = self.add_optimizer_variables(variables, "average")
        if self.gradient_accumulation_steps:
            self._accumulated = self.add_optimizer_variables(variables, "gradient_accumulator")
        self.built = True

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: float) -> None:
        """Changes one variable and its state."""
        raise NotImplementedError(f"{type(self).__name__} does not have an `update_step` method.")

    def _update(self, pairs: Pairs, learning_rate: float) -> None:
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
        start = initializers.get(initializer)(tuple(shape), dtype=dtype or defaults.floatx())
        return self._keep(start, name or f"variable_{len(self._variables)}")

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Weight:
        """The same, of the shape and type of a variable, on its device."""
        like = reference_variable
        stem = path_of(like).replace("/", "_").replace(":", "_")
        with device(like.device):
            return self.add_variable(
                like.shape, initializer, like.dtype.name, name=f"{stem}_{name or 'var'}"
            )

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Variable], name: Any, initializer: Any = "zeros"
    ) -> Any:
        """The same for each of some variables: a list, or for several names a list of each."""
        names = [name] if isinstance(name, str) else list(name)
        rows = [
            [self.add_variable_from_reference(variable, part, initializer) for part in names]
            for variable in trainable_variables
        ]
        columns = [[row[i] for row in rows] for i in range(len(names))]
        return columns[0] if isinstance(name, str) else columns

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
        if not all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in pairs):
            raise ValueError(
                "apply_gradients takes pairs of a gradient and its variable: "
                "apply_gradients(zip(gradients, model.trainable_variables))"
            )
        self.apply([g for g, _ in pairs], [v for _, v in pairs])
        return self._iterations

    def apply(self, grads: Any, trainable_variables: Sequence[Variable] | None = None) -> None:
        """One step, given gradients in the order of the variables.

        Args:
            grads: one per variable; None leaves the variable as it is.
            trainable_variables: default those it was built for.

        Raises:
            ValueError: gradients of another number or shape, all None, or unknown variables.
        """
        grads = list(grads)
        if not grads:
            return
        variables = self._targets(grads, trainable_variables)
        with recording.paused():
            pairs = self._present(grads, variables)
            self._step(pairs)
            for _, variable in pairs:
                if (constraint := getattr(variable, "constraint", None)) is not None:
                    variable.assign(constraint(variable.value()))
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
                f"Gradients and variables come in pairs. Received {len(grads)} gradients for "
                f"{len(variables)} variables."
            )
        if not self.built:
            self.build(variables)
        for variable in variables:
            if id(variable) not in self._places:
                raise ValueError(
                    f"Unknown variable: {variable.name}. This optimizer can only be called for "
                    "the variables it was originally built with. When working with a new set of "
                    "variables, you should recreate a new optimizer instance."
                )
        return variables

    def _present(self, grads: list[Any], variables: list[Variable]) -> Pairs:
        """The pairs that have a gradient, in the variable's type."""
        pairs = list(zip(grads, variables, strict=True))
        missing = [path_of(v) for g, v in pairs if g is None]
        if len(missing) == len(pairs):
            raise ValueError("No gradients provided for any variable.")
        if missing:
            warnings.warn(
                f"Gradients do not exist for variables {missing} when minimizing the loss. If "
                "using `model.compile()`, did you forget to provide a `loss` argument?",
                stacklevel=outside(),
            )
        found = [(fitting(g, v), v) for g, v in pairs if g is not None]
        scale = self.loss_scale_factor
        return found if scale is None else [(g / scale, v) for g, v in found]

    def _step(self, pairs: Pairs) -> None:
        """Everything between the gradients and the constraints."""
        steps, done = self.gradient_accumulation_steps, int(self._iterations)
        if steps and (done + 1) % steps:
            for g, v in pairs:
                put(kept := self._accumulated[self._places[id(v)]], kept + g)
        else:
            self._change(self._averaged(pairs, steps) if steps else pairs)
        if self.use_ema:
            self._follow(done // steps if steps else done)

    def _averaged(self, pairs: Pairs, steps: int) -> Pairs:
        """The means of the last gradients, which are forgotten then."""
        kept = [self._accumulated[self._places[id(v)]] for _, v in pairs]
        means = [((g + k) / float(steps), v) for (g, v), k in zip(pairs, kept, strict=True)]
        for accumulator in self._accumulated:
            put(accumulator, zeros_like(accumulator))
        return means

    def _change(self, pairs: Pairs) -> None:
        rate = float(self.learning_rate)
        clipped = self._clipped([g for g, _ in pairs])
        pairs = [(g, v) for g, (_, v) in zip(clipped, pairs, strict=True)]
        if self.weight_decay is not None:
            for _, v in pairs:
                if self._decays(v):
                    put(v, v - v * self.weight_decay * rate)
        self._update(pairs, rate)

    def _clipped(self, grads: list[Tensor]) -> list[Tensor]:
        if self.clipnorm:
            return [clip_by_norm(g, self.clipnorm) for g in grads]
        if self.global_clipnorm:
            clipped, _ = clip_by_global_norm(grads, self.global_clipnorm)
            return [g for g in clipped if g is not None]
        if self.clipvalue:
            return [clip_by_value(g, -self.clipvalue, self.clipvalue) for g in grads]
        return grads

    # ----- averages and decay -----

    def _follow(self, steps: int) -> None:
        """Moves the averages after the variables; the first step starts them."""
        for variable, average in zip(self._trainable_variables, self._averages, strict=True):
            keep = rounded(self.ema_momentum, average) if steps else 0.0
            put(average, keep * average + (1 - keep) * variable)
        if self.ema_overwrite_frequency and (steps + 1) % self.ema_overwrite_frequency == 0:
            self.finalize_variable_values(self._trainable_variables)

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Gives variables their averages, if these are kept; `fit` does it at its end."""
        if self.use_ema:
            for variable, average in zip(var_list, self._averages, strict=True):
                variable.assign(average)

    def exclude_from_weight_decay(self, var_list: Any = None, var_names: Any = None) -> None:
        """Variables, or words in their names, to which weight decay does not apply."""
        places = {id(v) for v in var_list or ()}
        words = [re.compile(word) for word in var_names or ()]
        self._decays = lambda v: id(v) not in places and not any(w.search(v.name) for w in words)

    def scale_loss(self, loss: Any) -> Any:
        """The loss times `loss_scale_factor`, by which gradients are divided again."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor
