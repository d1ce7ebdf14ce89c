"""Weight: a variable that belongs to a layer, and knows where, and by what rules it is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitensor.array import cast
from minitensor.autograd import Tensor, Variable
from minitensor.autograd.dtype import of
from minitensor.autograd.tensor import is_float
from minitensor.autograd.variable import VariableAggregation, VariableSynchronization
from minitensor.keras.engine.dtype_policy import autocast as casting

NONE, ON_READ = VariableAggregation.NONE, VariableSynchronization.ON_READ


def path_of(variable: Any) -> str:
    """ "dense/kernel", or the name of a variable that no layer owns."""
    return str(getattr(variable, "path", variable.name.partition(":")[0]))


def aggregation_of(name: str | None) -> VariableAggregation:
    """How the copies that replicas have become one, by its name in Keras: "mean".

    Raises:
        ValueError: there is none of that name.
    """
    known = {kind.name.lower(): kind for kind in VariableAggregation} | {None: NONE}
    if name not in known:
        raise ValueError(
            f"Invalid value for argument `aggregation`. Expected one of {list(known)}. "
            f"Received: aggregation={name!r}"
        )
    return known[name]


class Weight(Variable):
    """A variable with an owner.

    Args:
        initial_value: its value at first.
        trainable: whether training changes it.
        name: its name in the layer, "kernel".
        owner: the layer's name: `path` is "conv2d/kernel".
        regularizer: a function of the weight, added to the loss; or None.
        constraint: a function of the weight, applied after every update; or None.
        autocast: whether a layer that computes in another float type reads it in that.
        copies: `synchronization` and `aggregation` of the copies that replicas have of it.

    Example:
        >>> from minitensor.keras.engine.weight import Weight
        >>> Weight([0.0], name="bias", owner="dense").path
        'dense/bias'

    Source: keras.Variable
    """

    def __init__(
        self,
        initial_value: Any,
        trainable: bool = True,
        *,
        name: str,
        owner: str = "",
        regularizer: Callable[[Any], Any] | None = None,
        constraint: Callable[[Any], Any] | None = None,
        autocast: bool = True,
        **copies: Any,
    ) -> None:
        self.path = f"{owner}/{name}" if owner else name
        super().__init__(initial_value, trainable, name=self.path, **copies)
        self.name = f"{self.path}:0"  # whatever the name_scope around
        self.learns = trainable  # also while its layer is frozen
        self.regularizer = regularizer
        self.constraint = constraint
        self.autocast = autocast

    def _cast_to(self) -> Any:
        """The type in which the layer that is being called reads it; None: as it is."""
        kind = casting.kind
        return kind if kind and self.autocast and is_float(self.array.dtype) else None

    @property
    def dtype(self) -> Any:
        """The element type; in a call under mixed precision that in which it is read."""
        return of(self._cast_to() or self.array.dtype)

    def _as_read(self, value: Tensor) -> Tensor:
        kind = self._cast_to()
        return value if kind is None or value.array.dtype == kind else cast(value, kind)

    def _as_kept(self, value: Any) -> Any:
        kind = self.array.dtype
        casts = isinstance(value, Tensor) and value.array.dtype != kind and is_float(kind)
        return cast(value, kind) if casts and is_float(value.array.dtype) else value

    @property
    def value(self) -> Tensor:  # type: ignore[override]
        """The present value: a property here, as in Keras 3."""
        return self.read_value()

    @property
    def leaf(self) -> str:
        """Its name in the layer: "kernel"."""
        return self.path.rpartition("/")[2]
