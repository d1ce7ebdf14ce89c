"""Values that become tensors, tensors that change their type or only their name.

Python floats become float32 and Python ints int32; NumPy arrays keep their type. A constant never
shares memory with what it was made from.

For all of them:
    Args: `input`: any tensor. `name`: ignored.
    Returns: a tensor of the shape of `input`, if nothing else is said.
    Raises: TypeError for what holds no numbers, ValueError for a nested list that is ragged.
    Source: the function of tf with the same name.
"""

from __future__ import annotations

import math as integers
from typing import Any

from minitensor.autograd import Tensor, as_tensor
from minitensor.autograd.tensor import ArrayLike
from minitensor.docstrings import examples_of
from minitensor.dtypes import as_dtype, element_type
from minitensor.nn import checks
from minitensor.ops import array, math

__all__ = ["cast", "constant", "convert_to_tensor", "identity", "is_tensor", "stop_gradient"]
example = examples_of("tf")


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str = "Const") -> Tensor:
    """A tensor of the given numbers, or of text.

    Args:
        value: a number, a text, nested lists of either, a NumPy array or a tensor.
        dtype: element type; None keeps that of arrays, and makes float32 and int32 of Python's.
        shape: None, or the shape to give: of as many elements, or of any size for one number.

    Returns:
        A tensor of `shape`, or of the shape of `value`.

    Raises:
        TypeError: no numbers, floats where `dtype` is integer, or too few or many for `shape`.

    Example:
        >>> import minitensor as tf
        >>> tf.constant([1, 2, 3, 4], shape=[2, 2]).numpy()
        array([[1, 2],
               [3, 4]], dtype=int32)
    """
    x = convert_to_tensor(value, dtype)
    if shape is None:
        return x
    sizes = checks.numbers("constant", "shape", shape)
    if x.array.size == 1:
        return array.broadcast_to(array.reshape(x, shape=()), shape=sizes)
    if x.array.size != integers.prod(sizes):
        raise TypeError(
            f"constant: value has {x.array.size} elements but shape {sizes} needs "
            f"{integers.prod(sizes)}; give as many, or a single one"
        )
    return array.reshape(x, shape=sizes)


@example('convert_to_tensor([1, 2], dtype="float32")', "[1., 2.]")
def convert_to_tensor(
    value: Any, dtype: Any = None, dtype_hint: Any = None, name: str | None = None
) -> Tensor:
    """The value as a tensor; a tensor stays as it is.

    Args:
        value: a number, a nested list of numbers or tensors, a NumPy array, a tensor, a variable.
        dtype: element type that must come out; None lets the value decide.
        dtype_hint: element type to take if the value can have it without loss of kind.

    Returns:
        A tensor of the shape of `value`.

    Raises:
        TypeError: no numbers, or they cannot have `dtype`; a tensor is never cast.
    """
    if dtype is None and dtype_hint is not None and not isinstance(value, ArrayLike):
        try:
            return convert_to_tensor(value, dtype_hint)
        except TypeError:
            return convert_to_tensor(value)
    return as_tensor(value, None if dtype is None else element_type(dtype))


def is_tensor(x: Any) -> bool:
    """Whether x is a tensor or a variable.

    Args:
        x: anything.

    Returns:
        A Python bool.

    Raises:
        Nothing.

    Example:
        >>> import minitensor as tf
        >>> tf.is_tensor(tf.constant(1)), tf.is_tensor(1)
        (True, False)
    """
    return isinstance(x, ArrayLike)


@example('cast([1.7, -1.7], "int32")', "array([ 1, -1], dtype=int32)")
def cast(x: Any, dtype: Any, name: str | None = None) -> Tensor:
    """The same numbers as elements of another type; to integers they are cut off towards 0.

    Args:
        x: any tensor.
        dtype: the element type to give.

    Returns:
        The shape of x. The gradient is cast back.

    Raises:
        TypeError: no such type, or x holds no numbers.
    """
    wanted = as_dtype(dtype)
    tensor = as_tensor(x, what="cast: x")
    return tensor if tensor.dtype == wanted else math.cast(tensor, dtype=wanted)


@example("identity([1, 2])", "array([1, 2], dtype=int32)")
def identity(input: Any, name: str | None = None) -> Tensor:
    """The same elements as a new tensor."""
    return math.identity(as_tensor(input, what="identity: input"))


def stop_gradient(input: Any, name: str | None = None) -> Tensor:
    """The same elements, which count as constants when something is differentiated.

    Example:
        >>> import minitensor as tf
        >>> import minitensor as tf
        >>> x = tf.constant(3.0)
        >>> with tf.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = x * tf.stop_gradient(x)
        >>> tape.gradient(y, x).numpy()
        np.float32(3.0)
    """
    return math.stop_gradient(as_tensor(input, what="stop_gradient: input"))
