"""Operation: a function without weights that may stand in a functional model."""

from __future__ import annotations

from typing import Any

from minitensor.keras.engine import calling
from minitensor.keras.engine.keras_tensor import Node
from minitensor.keras.serialization import names
from minitensor.keras.serialization.config import Configurable
from minitensor.keras.serialization.objects import serialize
from minitensor.symbolic import first_symbolic


class Operation(Configurable):
    """A function without weights: of tensors, or of the symbolic tensors of a model.

    Args:
        name: default the class, "mean_1".

    Example:
        >>> import minitensor as tf
        >>> class Twice(tf.keras.Operation):
        ...     def call(self, x):
        ...         return 2 * x
        ...
        >>> Twice()(tf.constant(3.0)).numpy(), Twice()(tf.keras.Input((4,))).shape
        (np.float32(6.0), (None, 4))

    Source: keras.Operation
    """

    receptive_field = None
    built = trainable = True
    weights: tuple[Any, ...] = ()
    divides = False  # by whole numbers
    _is_input = False
    _mask_calls = 0
    _first_call = 0

    def __init__(self, name: str | None = None) -> None:
        self.name = name or names.fresh(type(self))
        self._nodes: list[Node] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if first_symbolic(args, kwargs) is not None:
            outputs = self.symbolic_call(args, kwargs)
            self._nodes.append(Node(self, args, kwargs, outputs))
            return outputs
        observer = calling.calls.current and calling.calls.current.observer
        if not observer:
            return self.call(*args, **kwargs)
        observer.begins(self)
        outputs = self.call(*args, **kwargs)
        observer.ends(self, (args, kwargs), outputs)
        return outputs

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The output for an input; what a subclass writes."""
        raise NotImplementedError(f"{type(self).__name__} does not have a `call` method.")

    def symbolic_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The KerasTensors that a call on KerasTensors gives; leaves no Node."""
        return self.compute_output_spec(*args, **kwargs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """KerasTensors like the outputs of a call on KerasTensors; may be overridden."""
        return calling.tried(self, *args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Its name, and what it was made with."""
        return super().get_config() | {"name": self.name}

    def _config_entry(self) -> dict[str, Any]:
        return serialize(self)  # type: ignore[no-any-return]

    def _config_arguments(self, node: Node) -> tuple[Any, ...]:
        return node.args

    def sublayers(self) -> list[Any]:
        """None."""
        return []

    def count_params(self) -> int:
        """None."""
        return 0

    def macs(self, output_shape: Any) -> int:
        """Multiplications with an addition are not counted here."""
        return 0

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"
