"""Variable: a value that changes. The only mutable thing the engine knows.

Ops never see a Variable: they see the Tensor that reading it returns. Reading tells every
recording tape, so a tape's gradient "with respect to a variable" sums over all its reads.
"""

from __future__ import annotations

import enum
import sys
from typing import Any

import numpy as np

from minitensor import backend
from minitensor.autograd import recording, replicas, tensor
from minitensor.autograd.convert import as_tensor, to_device_of
from minitensor.autograd.tensor import ArrayLike, Tensor, printed
from minitensor.backend import devices, text


class VariableSynchronization(enum.Enum):
    """When the copies that replicas have of a variable become one: at each write, or when read.

    Source: tf.VariableSynchronization
    """

    AUTO = 0
    NONE = 1
    ON_WRITE = 2
    ON_READ = 3


class VariableAggregation(enum.Enum):
    """How they become one.

    Source: tf.VariableAggregation
    """

    NONE = 0
    SUM = 1
    MEAN = 2
    ONLY_FIRST_REPLICA = 3


class Variable(ArrayLike):
    """A tensor-valued cell that `assign` changes; a tape watches it by itself if it is trainable.

    Args:
        initial_value: anything `convert_to_tensor` takes, or a function of no arguments that
            returns it.
        trainable: whether a tape watches it without being asked; default yes, unless it is
            synchronized when read.
        name: shown as `name:0`.
        dtype: element type; default that of the initial value.
        synchronization, aggregation: what becomes of the copies that the replicas of
            `tf.distribute` have of it, a `tf.VariableSynchronization` and a
            `tf.VariableAggregation`.

    It lies on the device of its initial value, or on that of the `device` block around, and stays
    there.

    Raises:
        ValueError: no initial value, or `assign` with another shape.
        TypeError: `assign` with a tensor of another device or dtype.

    Example:
        >>> import minitensor as tf
        >>> w = tf.Variable([1.0, 2.0])
        >>> with tf.GradientTape() as tape:
        ...     loss = tf.reduce_sum(w * w)
        >>> w.assign_sub(0.1 * tape.gradient(loss, w)).numpy()
        array([0.8, 1.6], dtype=float32)

    Source: tf.Variable
    """

    constraint: Any = None  # a layer's weight may have one

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool | None = None,
        *,
        name: str = "Variable",
        dtype: Any = None,
        synchronization: Any = VariableSynchronization.AUTO,
        aggregation: Any = VariableAggregation.NONE,
    ) -> None:
        if initial_value is None:
            raise ValueError("Variable: initial_value is missing; pass the value to start from")
        start = as_tensor(initial_value() if callable(initial_value) else initial_value, dtype)
        if start.array.dtype == text.string:
            raise TypeError("Variable: initial_value is text; a variable holds numbers")
        self.synchronization = VariableSynchronization(synchronization)
        self.aggregation = VariableAggregation(aggregation)
        self.array = _fresh(start if devices.chosen() is None else to_device_of(start.numpy()))
        on_read = self.synchronization is VariableSynchronization.ON_READ
        self.trainable = not on_read if trainable is None else bool(trainable)
        self.name = f"{recording.scope.get()}{name}:0"
        if (around := replicas.strategy.get()) is not None:
            around.adopt(self)

    def value(self) -> Tensor:
        """The present value, as a Tensor that tapes trace back to this variable."""
        return self.read_value()

    def read_value(self) -> Tensor:
        """The present value (TensorFlow's other name for `value`)."""
        return self._as_read(recording.read(self, self.array))

    def _as_read(self, value: Tensor) -> Tensor:
        """The present value for who reads it; a layer's weight may be cast."""
        return value

    def _as_kept(self, value: Any) -> Any:
        """What is assigned, as the variable keeps it; a layer's weight takes any float type."""
        return value

    def assign(self, value: Any) -> Variable:
        """Replaces the value by one of the same shape; returns the variable."""
        new = as_tensor(self._as_kept(value), self.array.dtype, like=self)
        backend.of(self.array, new.array)  # both lie on one device, or it is a TypeError
        if new.shape != self.shape:
            raise ValueError(
                f"assign: value has shape {new.shape} but variable {self.name} has "
                f"{self.shape}; the shape of a variable cannot change"
            )
        self.array = _fresh(new)
        return self

    def assign_add(self, delta: Any) -> Variable:
        """Adds `delta`; returns the variable."""
        return self.assign(self.array + self._delta("assign_add", delta))

    def assign_sub(self, delta: Any) -> Variable:
        """Subtracts `delta`; returns the variable."""
        return self.assign(self.array - self._delta("assign_sub", delta))

    def assign_part(self, index: Any, value: Any, name: str | None = None) -> Variable:
        """Replaces the elements at an index; `v[1:].assign(value)` calls it. Returns the variable.

        Args:
            index: integers, slices, None and Ellipsis, as NumPy takes them.
            value: what broadcasts to the elements there.
            name: ignored.
        """
        new = as_tensor(value, self.dtype, like=self)
        changed = _fresh(self)
        try:
            changed[index] = new.array
        except ValueError:
            raise ValueError(
                f"assign: value has shape {new.shape} but that part of {self.name} has "
                f"{self.array[index].shape}"
            ) from None
        return self.assign(Tensor(changed))

    def _delta(self, op: str, delta: Any) -> Any:
        change = as_tensor(delta, self.array.dtype, like=self)
        try:
            backend.of(self.array, change.array)
        except TypeError as mixed:
            raise TypeError(f"{op}: {mixed}") from None
        if change.shape != self.shape:
            raise ValueError(
                f"{op}: delta has shape {change.shape} but variable {self.name} has {self.shape}; "
                "they must be equal"
            )
        return change.array

    def __repr__(self) -> str:
        return (
            f"<{tensor.printed_as}.Variable '{self.name}' shape={self.shape!s} "
            f"dtype={self.dtype.name}, numpy={printed(self.numpy())}>"
        )


def _fresh(tensor: ArrayLike) -> Any:
    """A copy of the tensor's array: nobody else may hold a variable's memory."""
    be = backend.of(tensor.array)
    return be.asarray(be.xp.array(tensor.array))


def unshared(*variables: Any) -> bool:
    """Whether nobody else holds the variables' memory: then an update may write into it.

    Tensors that were read from one, a tape that recorded it and views in NumPy all refer to its
    array, which has more references then than that of `_Alone`.
    """
    for variable in variables:
        references = sys.getrefcount(variable.array)
        if references != _REFERENCES or getattr(variable.array, "base", variable) is not None:
            return False
    return True


class _Alone:
    array = np.zeros(1)


_REFERENCES = sys.getrefcount(_Alone.array)
