"""The operators of Tensor and Variable: one table.

Numbers, lists and NumPy arrays take the dtype of the tensor beside them. [] knows what NumPy's
does: ints, slices, Ellipsis, None, integer arrays and boolean masks. & | ^ ~ are
logic of booleans, and take integers bit by bit.
A variable is not changed by += and its kin: TensorFlow's error says what changes it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from minitensor.autograd import Variable, as_tensor, first_tensor
from minitensor.autograd.tensor import ArrayLike
from minitensor.ops import array, linalg, math
from minitensor.symbolic import Symbolic


def _equal(self: ArrayLike, other: Any) -> Any:
    """self == other, element by element; plain False beside None or an alien shape, as in TF."""
    return False if other is None else _compared(math.equal, self, other, False)


def _not_equal(self: ArrayLike, other: Any) -> Any:
    return True if other is None else _compared(math.not_equal, self, other, True)


def _compared(op: Callable[..., Any], self: ArrayLike, other: Any, unlike: bool) -> Any:
    dtype = None if isinstance(other, ArrayLike) else self.dtype
    other = as_tensor(other, dtype, "==: y", self)
    if other.dtype == self.dtype:  # else the op refuses, whatever the shapes
        try:
            np.broadcast_shapes(self.shape, other.shape)
        except ValueError:
            return as_tensor(unlike, like=self)
    return op(self, other)


def _product(x: Any, y: Any) -> Any:
    """x * y; of truth values, whether both hold."""
    truths = all(isinstance(v, bool) or getattr(v, "dtype", None) == np.bool_ for v in (x, y))
    return (math.logical_and if truths else math.multiply)(x, y)


def _getitem(self: ArrayLike, index: Any) -> Any:
    """self[index]

    Raises:
        TypeError: an item of the index is no int, slice, None, Ellipsis, int array or mask.
        ValueError: it does not fit the shape.
    """
    listed = isinstance(index, tuple | list)  # a list is a tuple here, as in TF
    items = tuple(_item(i) for i in (index if listed else (index,)))
    try:
        picked = array.getitem(self, index=items)
    except IndexError as error:
        raise ValueError(f"[]: the index does not fit shape {self.shape!s}: {error}") from None
    if isinstance(self, Variable) and not any(isinstance(item, np.ndarray) for item in items):
        picked.assign = functools.partial(self.assign_part, items)
    return picked


def _item(item: Any) -> Any:
    """One item of an index, with tensors and lists turned into ints and NumPy arrays."""
    if item is None or item is Ellipsis or isinstance(item, slice):
        return item
    values = np.array(item)  # a copy: a gradient reads the index again, later
    if values.dtype.kind not in "iub":
        raise TypeError(
            f"[]: got {item!r}; legal: ints, slices, Ellipsis, None, integer arrays and masks"
        )
    if values.ndim:
        return values
    if values.dtype == np.bool_:
        raise ValueError(f"[]: {item!r} is no mask, because it has no axis; use tf.where")
    return int(values)


def _round(self: ArrayLike, ndigits: int | None = None) -> Any:
    """round(self, ndigits): halves go to the even neighbour."""
    if not ndigits:
        return math.round(self)
    return math.round(self * 10**ndigits) / 10**ndigits


def _hash(self: ArrayLike) -> int:
    name = type(self).__name__
    raise TypeError(f"{name} is unhashable, because == is elementwise; use {name.lower()}.ref()")


def _method(op: Callable[..., Any]) -> Callable[..., Any]:
    """Beside a symbolic tensor it is not we who answer."""
    return lambda *operands: NotImplemented if isinstance(operands[-1], Symbolic) else op(*operands)


def _of_bits(logic: Callable[..., Any], bits: Callable[..., Any]) -> Callable[..., Any]:
    """`bits` of integers, else `logic`."""

    def op(*operands: Any) -> Any:
        tensor = first_tensor(*operands)
        return (bits if tensor is not None and tensor.dtype.kind in "iu" else logic)(*operands)

    return op


def _flipped(op: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda self, other: op(other, self)


_BOTH_SIDES: dict[str, Callable[[Any, Any], Any]] = {
    "add": math.add,
    "sub": math.subtract,
    "mul": _product,
    "truediv": math.divide,
    "floordiv": math.floordiv,
    "mod": math.mod,
    "pow": math.power,
    "matmul": linalg.matmul,
    "and": _of_bits(math.logical_and, math.bitwise_and),
    "or": _of_bits(math.logical_or, math.bitwise_or),
    "xor": _of_bits(math.logical_xor, math.bitwise_xor),
}

_LEFT_SIDE: dict[str, Callable[..., Any]] = {
    "neg": math.negative,
    "abs": math.absolute,
    "invert": _of_bits(math.logical_not, math.invert),
    "eq": _equal,
    "ne": _not_equal,
    "lt": math.less,
    "le": math.less_equal,
    "gt": math.greater,
    "ge": math.greater_equal,
    "getitem": _getitem,
    "hash": _hash,
    "round": _round,
}

_IN_PLACE = {
    "add": ("+=", "assign_add(value)"),
    "sub": ("-=", "assign_sub(value)"),
    "mul": ("*=", "assign(v * value)"),
    "truediv": ("/=", "assign(v / value)"),
    "pow": ("**=", "assign(v ** value)"),
}


def _refused(sign: str, instead: str) -> Callable[[Any, Any], Any]:
    """Python would bind the name to a new Tensor, and leave the variable as it was."""

    def refuse(self: Variable, value: Any) -> Any:
        raise RuntimeError(
            f"v {sign} value does not change a variable ({self.name}); use v.{instead}, or "
            f"t = v {sign[:-1]} value for a new tensor"
        )

    return refuse


for _name, _words in _IN_PLACE.items():
    setattr(Variable, f"__i{_name}__", _refused(*_words))
for _name, _op in _BOTH_SIDES.items():
    setattr(ArrayLike, f"__{_name}__", _method(_op))
    setattr(ArrayLike, f"__r{_name}__", _flipped(_op))
for _name, _op in _LEFT_SIDE.items():
    setattr(ArrayLike, f"__{_name}__", _method(_op))
