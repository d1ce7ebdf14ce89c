"""How values enter the engine, which dtypes may meet, and how a tensor changes its device.

Python floats become float32 and Python ints int32 (int64 if they do not fit), as in TensorFlow;
NumPy arrays keep their dtype. Beside a tensor, numbers, lists and NumPy arrays take the tensor's
dtype and go to its device; two tensors of different dtypes or devices never meet silently: ops
never move tensors, `to_device` alone does.
"""

from __future__ import annotations

import reprlib
from typing import Any

import numpy as np

from minitensor import backend
from minitensor.autograd import recording
from minitensor.autograd.tensor import ArrayLike, Tensor, is_float
from minitensor.backend import devices, text
from minitensor.backend import numpy as host
from minitensor.backend.errors import InvalidTypeError
from minitensor.backend.protocol import Backend

_ELEMENTS = (
    *("float16", "bfloat16", "float32", "float64", "bool"),
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
)


def as_tensor(
    value: Any, dtype: Any = None, what: str = "value", like: ArrayLike | None = None
) -> Tensor:
    """`value` as a Tensor; `dtype` None keeps its own, else numbers and NumPy arrays are cast.

    They go to the device of `like`, else to that of the `device` block around. What already
    lies on a device stays there.

    Raises:
        TypeError: it is no array, number or nested list of them; or the cast would lose its kind
            (float to int), or it is a tensor of another dtype.
        ValueError: a nested list is ragged.
    """
    if dtype is None and type(value) is Tensor:
        return value
    if isinstance(value, ArrayLike):
        tensor = value if isinstance(value, Tensor) else value.read_value()  # type: ignore[attr-defined]
        if dtype is not None and tensor.array.dtype != np.dtype(dtype):
            wanted = getattr(dtype, "name", None) or np.dtype(dtype).name
            raise TypeError(
                f"{what} is a {tensor.dtype.name} tensor where {wanted} is expected; "
                f"use minitensor.cast({what}, '{wanted}')"
            )
        return tensor
    tensor_inside = _first_tensor(value)
    if tensor_inside is not None:
        dtype = tensor_inside.dtype if dtype is None else dtype
        return Tensor.pack([as_tensor(item, dtype, what, tensor_inside) for item in value])
    lies_on = backend.owner(value)
    return to_device_of(_array(value, dtype, what, lies_on or host), like, lies_on)


def to_device_of(array: Any, like: ArrayLike | None = None, on: Backend | None = None) -> Tensor:
    """A Tensor of an array that nobody else holds, made `on` a backend or on that of `like`.

    With neither it is made on the device of the `device` block around.
    """
    if type(array) is text.Text:
        return Tensor(array)
    if on is None:
        on = backend.current() if like is None else backend.of(like.array)
    return Tensor(on.asarray(array))


def first_tensor(*values: Any) -> ArrayLike | None:
    """The first tensor or variable among some values: what the others are put beside."""
    return next((value for value in values if isinstance(value, ArrayLike)), None)


def as_tensors(values: tuple[Any, ...]) -> tuple[Tensor, ...]:
    """The values as Tensors, those that are none beside the first that is; dtypes may differ."""
    if {*map(type, values)} == {Tensor}:
        return values
    like = first_tensor(*values)
    return tuple([as_tensor(value, like=like) for value in values])


def align(op: str, like: ArrayLike | None = None, /, **values: Any) -> tuple[Tensor, ...]:
    """The named values as Tensors of one dtype: that of the first tensor, else of the first value.

    They are made beside the first tensor, else beside `like`.

    Raises:
        TypeError: two tensors have different dtypes; the message names both arguments.
    """
    for name, value in values.items():
        if isinstance(value, ArrayLike) and type(value) is not Tensor:
            values[name] = as_tensor(value)  # of the type in which it is read
    tensors = [name for name, value in values.items() if type(value) is Tensor]
    if len(tensors) == len(values) and len({v.array.dtype for v in values.values()}) == 1:
        return tuple(values.values())
    first = tensors[0] if tensors else _first_array(values)
    if not tensors:
        values[first] = as_tensor(values[first], None, f"{op}: {first}", like)
    dtype = values[first].array.dtype
    for name in tensors:
        if values[name].array.dtype != dtype:
            other = values[name].dtype
            whole = dtype.kind in "biu" and other.kind not in "biu"  # keep what floats hold
            cast, to = (first, other) if whole else (name, dtype)
            raise InvalidTypeError(
                f"{op}: {first} is {dtype.name} but {name} is {other.name}; two "
                f"tensors must share a dtype: use minitensor.cast({cast}, '{to.name}')"
            )
    like = values[first]
    return tuple(as_tensor(v, dtype, f"{op}: {name}", like) for name, v in values.items())


def _first_array(values: dict[str, Any]) -> str:
    """Without tensors, a NumPy array decides the dtype before Python numbers do."""
    arrays = [name for name, v in values.items() if _is_array(v)]
    return arrays[0] if arrays else next(iter(values))


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.generic) or backend.owner(value) is not None


def _first_tensor(value: Any) -> ArrayLike | None:
    """The first tensor inside nested lists, which decides the dtype of the numbers beside it."""
    if isinstance(value, ArrayLike):
        return value
    items = value if isinstance(value, list | tuple) else ()
    found = (_first_tensor(item) for item in items)
    return next((tensor for tensor in found if tensor is not None), None)


def _array(value: Any, dtype: Any, what: str, maker: Backend) -> Any:
    """A fresh array of a number, a nested list or an array-like, made by a backend."""
    if isinstance(value, str | bytes):
        return _text(value, dtype, what)
    if value is None or isinstance(value, dict | set):
        raise TypeError(f"{what} must be a tensor, an array or numbers, got {value!r}")
    try:
        array = maker.array(value)  # a copy: the caller may go on writing into what it gave
    except ValueError as ragged:
        raise ValueError(f"{what} is ragged: {ragged}") from None
    if not _is_array(value):
        array = _checked(array, value, dtype, what)
    if array.dtype.kind in "USO" or (dtype is not None and dtype == text.string):
        return _text(value if array.size else np.empty(array.shape, object), dtype, what)
    if array.dtype.name not in _ELEMENTS:
        raise TypeError(f"{what} has elements of type {array.dtype}; legal: {', '.join(_ELEMENTS)}")
    if not array.size and dtype is not None and not _is_array(value):
        return array.astype(dtype)  # an empty list is of any type
    if dtype is not None:
        return _cast(array, np.dtype(dtype), what)
    if not _is_array(value):
        kept = array.dtype == np.float64 and _holds_float64(value)
        return array if kept else _narrowed(array, what)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _text(value: Any, dtype: Any, what: str) -> text.Text:
    """Words, and nested lists of them."""
    if dtype is not None and dtype == text.string and not text.holds(value):
        raise TypeError(f"{what} must be text where text is expected, got {value!r}")
    if dtype is not None and dtype != text.string:
        raise TypeError(f"{what} is text where {np.dtype(dtype).name} is expected, got {value!r}")
    try:
        return text.of(value)
    except TypeError as problem:
        kind = np.asarray(value).dtype
        raise TypeError(
            f"{what} has elements of type {kind}; legal: {', '.join(_ELEMENTS)} or text: {problem}"
        ) from None


def _checked(array: Any, value: Any, dtype: Any, what: str) -> Any:
    """The array of Python's numbers, which may be too large, or mixed with truth values."""
    whole = (
        array.dtype == np.object_
        and array.size > 0
        and all(isinstance(item, int) for item in array.flat)
    )
    if whole and dtype is not None and is_float(dtype):
        return array.astype(dtype)
    beyond = array.dtype == np.uint64 and array.max(initial=0) > np.iinfo(np.int64).max
    if whole or (beyond and (dtype is None or np.dtype(dtype).kind == "i")):
        raise ValueError(f"{what} has integers that int64 does not hold, got {reprlib.repr(value)}")
    if dtype is None and array.dtype.kind in "iuf" and isinstance(value, list | tuple):
        types, first = _types_inside(value), value
        while isinstance(first, list | tuple) and first:
            first = first[0]
        kept = array.dtype.kind == "f" and type(first) not in _TRUTH  # [1.5, True] is legal in TF
        if types & _TRUTH and types - _TRUTH and not kept:
            raise ValueError(
                f"{what} mixes truth values and numbers, got {reprlib.repr(value)}; name a dtype"
            )
    return array


_TRUTH = {bool, np.bool_}


def _types_inside(value: Any) -> set[type]:
    """The types of what is in nested lists."""
    nested = [item for item in value if isinstance(item, list | tuple)]
    return ({*map(type, value)} - {list, tuple}).union(*map(_types_inside, nested))


def _narrowed(array: np.ndarray, what: str) -> np.ndarray:
    """Python's numbers in the type that they get."""
    with np.errstate(over="ignore"):
        narrow = array.astype(_python_dtype(array), copy=False)
    if narrow.dtype == np.float32 and (np.isinf(narrow) & np.isfinite(array)).any():
        raise ValueError(f"{what} has numbers that float32 does not hold; use dtype float64")
    return narrow


def _python_dtype(array: np.ndarray) -> np.dtype[Any]:
    """float32 for Python floats (and empty lists), int32 for ints that fit."""
    if array.dtype == np.int64:
        limits = np.iinfo(np.int32)
        fits = array.size == 0 or (array.min() >= limits.min and array.max() <= limits.max)
        return np.dtype(np.int32 if fits else np.int64)
    return np.dtype(np.float32) if array.dtype == np.float64 else array.dtype


def _holds_float64(value: Any) -> bool:
    """Whether a nested list has NumPy's float64 in it, which is meant: Python floats are not."""
    if isinstance(value, list | tuple):
        return any(_holds_float64(item) for item in value)
    return isinstance(value, np.ndarray | np.generic) and value.dtype == np.float64


def _cast(array: np.ndarray, dtype: np.dtype[Any], what: str) -> np.ndarray:
    """NumPy's same-kind rule: floats never become ints, nothing becomes bool, unasked."""
    kinds = array.dtype.kind, dtype.kind
    legal = (
        np.can_cast(array.dtype, dtype, "same_kind")
        or (kinds[0] in "iub" and kinds[1] in "iufcV")
        or (kinds[0] == "f" and dtype.name == "bfloat16")  # to ml_dtypes no kind of float
    )
    if not legal:
        raise TypeError(
            f"{what} has elements of type {array.dtype.name} where {dtype.name} is expected"
        )
    return array.astype(dtype, copy=False)


# ----- from one device to another -----


def to_device(x: Any, device: str) -> Tensor:
    """The same numbers on another device; a tensor that is there already is returned as it is.

    Args:
        x: a tensor or variable, an array, a number or a list of them.
        device: "cpu", "gpu" or "emulator", or any of TensorFlow's spellings: "/GPU:0".

    Returns:
        A tensor on that device. The gradient moves back.

    Raises:
        ValueError: there is no device of that name.
        DeviceError: this machine lacks what the device needs; says what, and how to get it.

    Example:
        >>> import minitensor as tf
        >>> tf.to_device([1.0, 2.0], "cpu").numpy()
        array([1., 2.], dtype=float32)

    Source: tf.identity within tf.device
    """
    return _moved(as_tensor(x, what="to_device: x"), devices.backend(devices.kind_of(device)))


def _moved(tensor: Tensor, target: Backend) -> Tensor:
    """The numbers stay the same, so the derivative moves the cotangent back."""
    source = backend.of(tensor.array)
    if source is target:
        return tensor
    result = Tensor(backend.moved(tensor.array, target))
    if recording.is_recording():
        recording.record((tensor,), (result,), lambda found, wanted: [_back(found[0], source)])
    return result


def _back(cotangent: Tensor | None, source: Backend) -> Tensor | None:
    return None if cotangent is None else _moved(cotangent, source)
