"""Optimizer: what all rules share. A rule itself is one method, `update_step`.

A step: gradients are averaged, clipped, weights decay, the rule changes them, averages follow,
constraints hold. All state is in `variables`. No tape learns of any of it.
"""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar, Unpack

import numpy as np

from minitensor.array import cast, zeros_like
from minitensor.autograd import Tensor, Variable, as_tensor, recording, replicas
from minitensor.autograd.restoring import got_part
from minitensor.backend.devices import device
from minitensor.keras import initializers
from minitensor.keras.engine import defaults
from minitensor.keras.engine.weight import Weight, path_of
from minitensor.keras.optimizers import hyperparameters
from minitensor.keras.optimizers.hyperparameters import Shared, user_stacklevel
from minitensor.keras.optimizers.schedules import LearningRateSchedule
from minitensor.keras.serialization import names
from minitensor.keras.serialization.config import Configurable
from minitensor.math.clip import clip_by_global_norm, clip_by_norm, clip_by_value
from minitensor.missing import Hinting

Pairs = list[tuple[Tensor, Variable]]
Rule = TypeVar("Rule", bound=type)


class Optimizer(Hinting, Configurable):
    """Changes variables against their gradients: subclass it and write `update_step`.

    x = x - f(gradient, state); build(variables) makes the state

    Args:
        learning_rate: a number, a schedule, or a function of no arguments.
        kwargs: all that follows.
        weight_decay: x = x - rate * weight_decay * x before each step.
        clipnorm: greatest length of each gradient.
        clipvalue: greatest absolute value in a gradient.
        global_clipnorm: greatest length of all gradients together.
        use_ema: whether an average of each variable follows it.
        ema_momentum: average = ema_momentum * average + (1 - ema_momentum) * variable.
        ema_overwrite_frequency: steps after which variables become their averages; None for never.
        loss_scale_factor: gradients are divided by it.
        gradient_accumulation_steps: gradients that are averaged to one; None for no averaging.
        name: default the class, "adam".

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
    """

    def __init__(self, learning_rate: Any, **kwargs: Unpack[Shared]) -> None:
        rate, shared = hyperparameters.read(type(self).__name__, learning_rate, dict(kwargs))
        self.name = shared["name"] or names.fresh(type(self))
        self.weight_decay = shared["weight_decay"]
        self.clipnorm = shared["clipnorm"]
        self.clipvalue = shared["clipvalue"]
        self.global_clipnorm = shared["global_clipnorm"]
        self.use_ema = shared["use_ema"]
        self.ema_momentum = shared["ema_momentum"]
        self.ema_overwrite_frequency = shared["ema_overwrite_frequency"]
        self.loss_scale_factor = shared["loss_scale_factor"]
        self.gradient_accumulation_steps = shared["gradient_accumulation_steps"]
        self.built = False
        self._variables: list[Weight] = []
        self._iterations = self._scalar(0, np.dtype("int64"), "iteration")
        self._learning_rate = rate if callable(rate) else self._number(rate)
        self._trainable_variables: list[Variable] = []
        self._index: dict[int, int] = {}  # of a variable, by its id, in what `build` was given
        self._accumulated: list[Weight] = []
        self._averages: list[Weight] = []
        self._excluded: tuple[list[Variable], list[str]] = ([], [])  # from decay; words in names
        self._is_copy = False  # not yet used: it may go on with other variables than the original

    skips_non_finite = False  # whether a step with a gradient that is not finite is left out

    # ----- what a rule writes -----

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes the state for these variables."""
        self._trainable_variables = list(variables)
        self._index = {id(v): i for i, v in enumerate(variables)}
        got_part(self)
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

    # ----- variables -----

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
        parts = [name] if isinstance(name, str) else list(name)
        rows = [
            [self.add_variable_from_reference(variable, part, initializer) for part in parts]
            for variable in trainable_variables
        ]
        columns = [[row[i] for row in rows] for i in range(len(parts))]
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
        return self._index[id(variable)]

    def _keep(self, value: Any, name: str) -> Weight:
        variable = Weight(value, trainable=False, name=name, owner=self.name)
        self._variables.append(variable)
        got_part(self)
        return variable

    def _number(self, rate: Any) -> Weight:
        if isinstance(rate, bool) or not isinstance(rate, int | float | np.number):
            raise ValueError(
                "Argument `learning_rate` should be float, or an instance of LearningRateSchedule, "
                f"or a callable. Received instead: learning_rate={rate!r}"
            )
        return self._scalar(rate, np.dtype(defaults.floatx()), "learning_rate")

    def _scalar(self, value: Any, dtype: Any, name: str) -> Weight:
        with device("/CPU:0"):
            return self._keep(np.asarray(value, dtype), name)

    # ----- the learning rate -----

    @property
    def learning_rate(self) -> Any:
        """The present one: a variable, or what a schedule or function gives."""
        if isinstance(self._learning_rate, LearningRateSchedule):
            return self._learning_rate(self._iterations)
        return self._learning_rate() if callable(self._learning_rate) else self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if callable(value):
            self._variables = [v for v in self._variables if v is not self._learning_rate]
            self._learning_rate = value
        elif isinstance(self._learning_rate, LearningRateSchedule):
            raise TypeError(
                "This optimizer was created with a `LearningRateSchedule` object as its "
                "`learning_rate` constructor argument, hence its learning rate is not settable. "
                "If you need the learning rate to be settable, you should instantiate the "
                "optimizer with a float `learning_rate` argument."
            )
        elif isinstance(self._learning_rate, Variable):
            self._learning_rate.assign(np.asarray(value, self._learning_rate.dtype))
        else:
            self._learning_rate = self._number(value)

    @property
    def lr(self) -> Any:
        """The learning rate, by its old name."""
        return self.learning_rate

    @lr.setter
    def lr(self, value: Any) -> None:
        self.learning_rate = value

    @property
    def iterations(self) -> Any:
        """How many steps there were; averaged gradients count once."""
        steps = self.gradient_accumulation_steps
        return self._iterations // steps if steps else self._iterations

    # ----- a step -----

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Variable:
        """One step, given pairs of a gradient and its variable; returns `iterations`."""
        pairs = list(grads_and_vars)
        if [p for p in pairs if not (isinstance(p, tuple | list) and len(p) == 2)]:
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
        with recording.paused(), over_replicas(grads) as summed:
            pairs = self._present(summed, variables)
            self._step(pairs)
            for _, variable in pairs:
                if (constraint := getattr(variable, "constraint", None)) is not None:
                    variable.assign(constraint(variable.read_value()))
        self._iterations.array = np.asarray(self._iterations.array + 1)

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
        if self._is_copy:
            self._go_on_with(variables)
        if unknown := {*map(id, variables)} - self._index.keys():
            first = next(v for v in variables if id(v) in unknown)
            raise ValueError(
                f"Unknown variable: {first.name}. This optimizer can only be called for "
                "the variables it was originally built with. When working with a new set of "
                "variables, you should recreate a new optimizer instance."
            )
        return variables

    def _go_on_with(self, variables: list[Variable]) -> None:
        """The state of a copy made without its model serves variables of the same shapes."""
        self._is_copy = False
        fits = [v.shape for v in variables] == [v.shape for v in self._trainable_variables]
        if fits and self._index.keys().isdisjoint(map(id, variables)):
            self._trainable_variables = variables
            self._index = {id(v): i for i, v in enumerate(variables)}

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
                stacklevel=user_stacklevel(),
            )
        found = [(_fitting(g, v), v) for g, v in pairs if g is not None]
        scale = self.loss_scale_factor
        return found if scale is None else [(g / scale, v) for g, v in found]

    def _step(self, pairs: Pairs) -> None:
        """Everything between the gradients and the constraints."""
        steps = self.gradient_accumulation_steps
        if steps and (int(self._iterations.array) + 1) % steps:
            for g, v in pairs:
                put(kept := self._accumulated[self._index[id(v)]], kept + g)
        else:
            self._change(self._averaged(pairs, steps) if steps else pairs)
        if self.use_ema:
            self._follow(self._steps_done())

    def _steps_done(self) -> int:
        """`iterations`, as a number."""
        return int(self._iterations.array) // (self.gradient_accumulation_steps or 1)

    def _averaged(self, pairs: Pairs, steps: int) -> Pairs:
        """The means of the last gradients, which are forgotten then."""
        kept = [self._accumulated[self._index[id(v)]] for _, v in pairs]
        means = [((g + k) / float(steps), v) for (g, v), k in zip(pairs, kept, strict=True)]
        for accumulator in self._accumulated:
            put(accumulator, zeros_like(accumulator))
        return means

    def _change(self, pairs: Pairs) -> None:
        rate = float(self.learning_rate)
        pairs = self._clipped(pairs)
        if self.weight_decay is not None:
            for _, v in pairs:
                if self._decays(v):
                    put(v, v - v * self.weight_decay * rate)
        self._update(pairs, rate)

    def _clipped(self, pairs: Pairs) -> Pairs:
        grads: Sequence[Any] = [g for g, _ in pairs]
        if self.clipnorm:
            grads = [clip_by_norm(g, self.clipnorm) for g in grads]
        elif self.global_clipnorm:
            grads, _ = clip_by_global_norm(grads, self.global_clipnorm)
        elif self.clipvalue:
            grads = [clip_by_value(g, -self.clipvalue, self.clipvalue) for g in grads]
        return [(g, v) for g, (_, v) in zip(grads, pairs, strict=True)]

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
        self._excluded = list(var_list or ()), list(var_names or ())

    def _decays(self, variable: Variable) -> bool:
        variables, words = self._excluded
        known = any(variable is v for v in variables)
        return not known and not any(re.search(word, variable.name) for word in words)

    def scale_loss(self, loss: Any) -> Any:
        """The loss times `loss_scale_factor`, by which gradients are divided again."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    # ----- writing and reading -----

    @property
    def variables(self) -> list[Variable]:
        """All state: iterations, the learning rate if it is a number, what the rule keeps."""
        return list(self._variables)

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Gives `variables` these values."""
        if not self.built:
            raise ValueError(
                "You are calling `set_weights()` on an optimizer that has not yet been built. "
                "Please call `optimizer.build(trainable_variables)` to create the optimizer "
                "weights before calling `set_weights()`."
            )
        for variable, value in zip(self.variables, weights, strict=True):
            variable.assign(np.asarray(value, variable.dtype))

    def save_own_variables(self, store: Any) -> None:
        """Writes `variables` into a mapping, under "0", "1", ..."""
        for i, variable in enumerate(self.variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Reads `variables` from such a mapping."""
        if len(store.keys()) != len(self.variables):
            warnings.warn(
                f"Skipping variable loading for optimizer '{self.name}', because it has "
                f"{len(self.variables)} variables whereas the saved optimizer has "
                f"{len(store.keys())} variables.",
                stacklevel=2,
            )
            return
        for i, variable in enumerate(self.variables):
            variable.assign(np.asarray(store[str(i)]))

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A copy, also one out of a pickle: other variables, which have other ids."""
        self.__dict__ |= state | {"_is_copy": True}
        self._index = {id(v): i for i, v in enumerate(self._trainable_variables)}

    def get_config(self) -> dict[str, Any]:
        """The arguments it was made with, and the present learning rate if it is a number."""
        shared = {name: getattr(self, name) for name in hyperparameters.DEFAULTS}
        config = shared | super().get_config()
        config.pop("lr", None)
        if isinstance(self._learning_rate, Variable):
            config["learning_rate"] = float(self._learning_rate.numpy())
        return config | {"name": self.name}


# ----- replicas -----


@contextmanager
def over_replicas(grads: list[Any]) -> Iterator[list[Any]]:
    """Gradients as sums over all replicas of `tf.distribute`, None where there is none.

    In the block all replicas write the same into variables: there is nothing to aggregate.
    """
    here = replicas.shared()
    if here is None:
        yield grads
        return
    if not here.summed:
        found = iter(here.all_reduce("SUM", [g for g in grads if g is not None]))
        grads = [None if g is None else next(found) for g in grads]
    with here.sums_given(), here.writing_the_same():
        yield grads


# ----- how values go into variables -----


def put(variable: Variable, value: Tensor) -> None:
    """Assigns what was just computed: nobody else holds it, so it is not copied."""
    variable.array = value.array


def rounded(value: float, like: Variable) -> float:
    """A setting in the variable's type, float32 at least: Keras rounds first and computes then."""
    kind = np.dtype(np.float32) if like.array.dtype.itemsize < 4 else like.array.dtype
    return float(kind.type(value))


def _fitting(gradient: Any, variable: Variable) -> Tensor:
    """The gradient in the variable's type; a ValueError if it has another shape."""
    g = as_tensor(gradient, None, "gradient", variable)
    if g.array.shape != variable.array.shape:
        raise ValueError(
            f"The gradient of {variable.name} has shape {g.shape}, the variable {variable.shape}; "
            "they must be equal"
        )
    return g if g.array.dtype == variable.array.dtype else cast(g, variable.dtype)


# ----- the example that rules share -----


def one_step(rule: str, prints: str, papers: str) -> Callable[[Rule], Rule]:
    """A decorator: a docstring ends with where one step down x^2 leads from (1, -2), and papers."""
    text = f"""

Example:
    >>> import minitensor as tf
    >>> x = tf.Variable([1.0, -2.0])
    >>> tf.keras.optimizers.{rule}.apply([2.0 * x], [x])
    >>> x.numpy().round(3)
    array({prints}, dtype=float32)

Source: {papers}"""

    def decorate(cls: Rule) -> Rule:
        cls.__doc__ = inspect.cleandoc(cls.__doc__ or "") + text
        return cls

    return decorate
