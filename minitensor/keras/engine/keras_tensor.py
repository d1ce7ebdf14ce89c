"""KerasTensor and Node: what a functional model consists of, before it is one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitensor.autograd.tree import flatten
from minitensor.symbolic import Symbolic


class KerasTensor(Symbolic):
    """A tensor without values: a shape, with None where a size may vary, and a dtype.

    Args:
        shape: sizes, the batch first.
        dtype: name of the element type.
        name: shown when it is printed.

    Attributes:
        node: the call of a layer that made it; None for one made by hand.
        trials: of a few whole numbers, such as sizes, what two trials of the calls gave.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.KerasTensor((None, 3)).shape
        (None, 3)

    Source: keras.KerasTensor
    """

    def __init__(self, shape: Any, dtype: str = "float32", name: str | None = None) -> None:
        self.shape: tuple[int | None, ...] = tuple(shape)
        self.dtype = dtype
        self.name = name or "keras_tensor"
        self.node: Node | None = None
        self._keras_mask: KerasTensor | None = None
        self.trials: tuple[Any, Any] | None = None
        Symbolic.made = True

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __tensor_function__(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        from minitensor.keras.ops import TFOpLambda, operation_for

        return (operation_for(function) or TFOpLambda.of(function))(*args, **kwargs)

    def reshape(self, newshape: Any) -> KerasTensor:
        """The same elements in another shape. Source: keras.ops.reshape"""
        return _called("reshape", self, newshape)

    def squeeze(self, axis: Any = None) -> KerasTensor:
        """Without axes of size 1. Source: keras.ops.squeeze"""
        return _called("squeeze", self, axis)

    @staticmethod
    def operate(operation: str, left: Any, right: Any) -> KerasTensor:
        """`keras.ops.add(left, right)`, or another function of two, by its name."""
        return _called(operation, left, right)

    def __round__(self, ndigits: int | None = None) -> KerasTensor:
        return _called("round", self, ndigits or 0)

    def _no_values(self, *_: Any, **__: Any) -> Any:
        raise TypeError(
            "A KerasTensor has a shape but no values, so no function of numbers can take it, and "
            "no `if` or `for`; make the function a layer: keras.layers.Lambda(function)(x)"
        )

    __array__ = __bool__ = __int__ = __float__ = __index__ = __iter__ = _no_values

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"


def _called(name: str, *args: Any) -> Any:
    """A function of keras.ops."""
    from minitensor.keras import ops

    return getattr(ops, name)(*args)


def _method(name: str, swapped: bool = False) -> Any:
    if swapped:
        return lambda self, other: _called(name, other, self)
    return lambda self, *others: _called(name, self, *others)


_BOTH_SIDES = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "true_divide",
    "floordiv": "floor_divide",
    "mod": "mod",
    "pow": "power",
    "matmul": "matmul",
    "and": "logical_and",
    "or": "logical_or",
    "xor": "logical_xor",
}
_LEFT_SIDE = {
    "neg": "negative",
    "abs": "absolute",
    "invert": "logical_not",
    "getitem": "get_item",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "ne": "not_equal",  # but == asks whether it is the same one
}
for _word, _name in (_BOTH_SIDES | _LEFT_SIDE).items():
    setattr(KerasTensor, f"__{_word}__", _method(_name))
for _word, _name in _BOTH_SIDES.items():
    setattr(KerasTensor, f"__r{_word}__", _method(_name, swapped=True))


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
