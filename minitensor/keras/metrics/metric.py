"""Metric: a number gathered over many batches. No tape learns of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.autograd import Tensor, Variable, recording
from minitensor.autograd.tree import flatten
from minitensor.keras import initializers
from minitensor.keras.engine import dtype_policy
from minitensor.keras.engine.weight import ON_READ, Weight, aggregation_of
from minitensor.keras.serialization import names
from minitensor.keras.serialization.config import Configurable
from minitensor.keras.serialization.memory_budget import charge


class Metric(Configurable):
    """A number gathered over many batches: subclass it, write `update_state` and `result`.

    metric(batch) = update_state(batch), then result()

    Args:
        dtype: the float type of its state; default `keras.config.floatx()`.
        name: default the class.

    Attributes:
        variables: all state; `reset_state` makes it 0.

    Raises:
        NotImplementedError: one of the two methods is missing.

    Example:
        >>> import minitensor as tf
        >>> class Count(tf.keras.metrics.Metric):
        ...     def __init__(self, name="count"):
        ...         super().__init__(name=name)
        ...         self.count = self.add_variable((), "zeros", name="count")
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.count.assign_add(len(y_true))
        ...     def result(self):
        ...         return self.count
        >>> float(Count()([1.0, 2.0], [0.0, 0.0]))
        2.0
    """

    _direction: str | None = None  # "up" or "down": where better is, if that is known

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self.name = name or names.fresh(type(self))
        self._dtype = dtype_policy.of_numbers(dtype)
        self._own: list[Weight] = []

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name in ("update_state", "result"):
            if name in cls.__dict__:
                setattr(cls, name, recording.paused()(cls.__dict__[name]))

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Takes a batch in."""
        raise NotImplementedError(f"Metric {type(self).__name__} has no `update_state` method.")

    def result(self) -> Any:
        """The number, as far as it is known."""
        raise NotImplementedError(f"Metric {type(self).__name__} has no `result` method.")

    def reset_state(self) -> None:
        """Forgets all batches."""
        for variable in self.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))

    def reset_states(self) -> None:
        """The same as `reset_state`, by its old name."""
        self.reset_state()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.update_state(*args, **kwargs)
        return self.result()

    def add_variable(
        self,
        shape: Any,
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Weight:
        """Makes a part of the state; `aggregation`: how that of several replicas becomes one."""
        charge(tuple(shape), dtype or self._dtype, "a metric's state")
        start = initializers.get(initializer)(tuple(shape), dtype=dtype or self._dtype)
        name = name or f"variable_{len(self._own)}"
        copies: dict[str, Any] = {
            "synchronization": ON_READ,
            "aggregation": aggregation_of(aggregation),
        }
        variable = Weight(start, trainable=False, name=name, owner=self.name, **copies)
        self._own.append(variable)
        return variable

    def add_weight(
        self, shape: Any = (), initializer: Any = "zeros", dtype: Any = None, name: Any = None
    ) -> Weight:
        """The same, by its old name."""
        return self.add_variable(shape, initializer, dtype, name=name)

    @property
    def variables(self) -> list[Variable]:
        """Its state, and that of the metrics among its attributes."""
        inside = flatten(list(vars(self).values()))
        own = [*self._own, *(value for value in inside if isinstance(value, Variable))]
        found = [*own, *(v for m in inside if isinstance(m, Metric) for v in m.variables)]
        return list({id(v): v for v in found}.values())

    @property
    def dtype(self) -> str:
        """The type of its state."""
        return self._dtype

    def get_config(self) -> dict[str, Any]:
        """The arguments it was made with, as values that JSON can hold."""
        return super().get_config() | {"name": self.name, "dtype": self.dtype}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def gather(variable: Variable, value: Any) -> None:
    """Adds a number or an array of any device and type to a part of the state."""
    value = np.asarray(value.numpy() if isinstance(value, Tensor) else value, variable.array.dtype)
    if isinstance(variable.array, np.ndarray) and variable.array.shape == value.shape:
        variable.array = np.asarray(variable.array + value)
    else:
        variable.assign_add(value)


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, and 0 where the whole is 0."""
    with np.errstate(all="ignore"):
        return np.divide(part, whole, out=np.zeros_like(part), where=whole != 0)
