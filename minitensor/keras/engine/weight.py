"""Weight: a variable that belongs to a layer, and knows where, and by what rules it is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitensor.autograd import Tensor, Variable


def path_of(variable: Any) -> str:
    """ "dense/kernel", or the name of a variable that no layer owns."""
    return str(getattr(variable, "path", variable.name.partition(":")[0]))


class Weight(Variable):
    """A variable with an owner.

    Args:
        initial_value: its value at first.
        trainable: whether training changes it.
        name: its name in the layer, "kernel".
        owner: the layer's name: `path` is "conv2d/kernel".
        regularizer: a function of the weight, added to the loss; or None.
        constraint: a function of the weight, applied after every update; or None.

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
    ) -> None:
        self.path = f"{owner}/{name}" if owner else name
        super().__init__(initial_value, trainable, name=self.path)
        self.name = f"{self.path}:0"  # whatever the name_scope around
        self.learns = trainable  # also while its layer is frozen
        self.regularizer = regularizer
        self.constraint = constraint

    @property
    def value(self) -> Tensor:  # type: ignore[override]
        """The present value: a property here, as in Keras 3."""
        return self.read_value()

    @property
    def leaf(self) -> str:
        """Its name in the layer: "kernel"."""
        return self.path.rpartition("/")[2]
