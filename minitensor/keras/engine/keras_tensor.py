"""KerasTensor and Node: what a functional model consists of, before it is one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitensor.autograd.tree import flatten


class KerasTensor:
    """A tensor without values: a shape, with None where a size may vary, and a dtype.

    Args:
        shape: sizes, the batch first.
        dtype: name of the element type.
        name: shown when it is printed.

    Attributes:
        node: the call of a layer that made it; None for one made by hand.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.KerasTensor((None, 3)).shape
        (None, 3)

    Source: keras.KerasTensor
    """

    # Installed by minitensor.keras.layers: operators (+, -, *, /) as layers.
    operate: Callable[[str, Any, Any], KerasTensor]

    def __init__(self, shape: Any, dtype: str = "float32", name: str | None = None) -> None:
        self.shape: tuple[int | None, ...] = tuple(shape)
        self.dtype = dtype
        self.name = name or "keras_tensor"
        self.node: Node | None = None
        self._keras_mask: KerasTensor | None = None

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError(
            "A KerasTensor has a shape but no values, so no function of numbers can take it; "
            "make the function a layer: keras.layers.Lambda(function)(x)"
        )

    def __add__(self, other: Any) -> KerasTensor:
        return KerasTensor.operate("add", self, other)

    def __radd__(self, other: Any) -> KerasTensor:
        return KerasTensor.operate("add", other, self)

    def __sub__(self, other: Any) -> KerasTensor:
        return KerasTensor.operate("subtract", self, other)

    def __rsub__(self, other: Any) -> KerasTensor:
        return KerasTensor.operate("subtract", other, self)

    def __mul__(self, other: Any) -> KerasTensor:
        return KerasTensor.operate("multiply", self, other)

    def __rmul__(self, other: Any) -> KerasTensor:
        return KerasTensor.operate("multiply", other, self)

    def __truediv__(self, other: Any) -> KerasTensor:
        return KerasTensor.operate("divide", self, other)

    def __rtruediv__(self, other: Any) -> KerasTensor:
        return KerasTensor.operate("divide", other, self)

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"


class Node:
    """One call of a layer on symbolic tensors.

    Attributes:
        layer: what was called.
        args, kwargs: what with; KerasTensors among them.
        outputs: the KerasTensors that it gave, in whatever lists and dictionaries.
        inputs: the KerasTensors among the arguments.
        tensors: those among the outputs, in a row.
    """

    def __init__(
        self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any
    ) -> None:
        self.layer, self.args, self.kwargs, self.outputs = layer, args, kwargs, outputs
        found = flatten([*args, *kwargs.values()])
        self.inputs = [value for value in found if isinstance(value, KerasTensor)]
        self.tensors: list[KerasTensor] = flatten(outputs)
        for tensor in self.tensors:
            tensor.node = self


def nodes_known(nodes: list[Node]) -> None:
    """Tells the layers of a copied model the calls that it consists of."""
    for node in nodes:
        if node not in node.layer._nodes:
            node.layer._nodes.append(node)
