"""Text: arrays of bytes, which are moved and compared like numbers, and never computed with.

A string tensor holds a Text, which lies in the memory of the CPU whatever device is chosen. What
has no meaning for text is refused in this one place, whichever op asks for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_MOVES = {  # of numpy, by name: what changes where elements are, and nothing in them
    *("array_split", "atleast_1d", "broadcast_arrays", "broadcast_to", "concatenate", "copyto"),
    *("delete", "expand_dims", "flip", "moveaxis", "ndim", "ravel", "repeat", "reshape", "roll"),
    *("rollaxis", "shape", "size", "split", "squeeze", "stack", "swapaxes", "take"),
    *("take_along_axis", "tile", "transpose", "where"),
}


class StringType:
    """The element type of text, as np.dtype is that of numbers. Source: tf.string"""

    name, kind, dtype = "string", "O", np.dtype(object)
    as_numpy_dtype, itemsize = object, 0
    is_floating = is_integer = is_unsigned = is_bool = is_complex = False

    def __eq__(self, other: object) -> bool:
        return other is self or other in ("string", object) or other is StringType.dtype

    def __hash__(self) -> int:
        return hash(StringType.dtype)

    def __repr__(self) -> str:
        return "tf.string"

    def __reduce__(self) -> str:
        return "string"


string = StringType()


class Text(np.ndarray):
    """An array whose elements are bytes."""

    @property
    def dtype(self) -> Any:
        """`string`, whatever NumPy calls it."""
        return string

    def __getitem__(self, index: Any) -> Any:
        return _wrapped(super().__getitem__(index))

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        """Itself; text is read by strings.to_number."""
        if dtype != string:
            raise TypeError(f"cast: string to {np.dtype(dtype).name}; strings.to_number reads text")
        return self

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__" or ufunc not in (np.equal, np.not_equal, np.add) or kwargs:
            raise TypeError(f"{ufunc.__name__}: text is only compared by ==, joined by + and moved")
        if not all(isinstance(x, Text) for x in inputs):
            raise TypeError(f"{ufunc.__name__}: text meets numbers")
        found = ufunc(*map(plain, inputs))
        return _wrapped(found) if ufunc is np.add else np.asarray(found, bool)

    def __array_function__(
        self, func: Callable[..., Any], types: Any, args: Any, kwargs: Any
    ) -> Any:
        if func.__name__ not in _MOVES:
            raise TypeError(f"{func.__name__}: text is only compared by ==, joined by + and moved")
        found = super().__array_function__(func, types, args, kwargs)
        return [*map(_wrapped, found)] if isinstance(found, list) else _wrapped(found)


def _wrapped(found: Any) -> Any:
    """What NumPy made of Text, as Text again: a single element is an array without axes."""
    if isinstance(found, bytes):
        return of(found)
    is_text = isinstance(found, np.ndarray) and np.ndarray.dtype.__get__(found).kind == "O"
    return found.view(Text) if is_text else found


def of(value: Any) -> Text:
    """Text of words, and of nested lists and arrays of them; str becomes UTF-8.

    Raises:
        TypeError: something in it is no text.
        ValueError: a nested list is ragged.
    """
    if isinstance(value, Text):
        return value
    if isinstance(value, str | bytes):
        one = np.empty((), object)
        one[()] = value if type(value) is bytes else _word(value)
        return one.view(Text)
    words = np.array(value, object)
    flat = [_word(word) for word in words.ravel()]
    found = np.empty(words.shape, object)
    found.reshape(-1)[:] = flat
    return found.view(Text)


def stacked(texts: list[Text]) -> Text:
    """Texts without axes along a new one."""
    found = np.empty(len(texts), object)
    found[:] = [text.item() for text in texts]
    return found.view(Text)


def holds(value: Any) -> bool:
    """Whether the first thing in a value is text; True if there is nothing in it."""
    while isinstance(value, list | tuple) and value:
        value = value[0]
    if isinstance(value, np.ndarray):
        return not value.size or value.dtype.kind in "USO"
    return isinstance(value, str | bytes | list | tuple)


def _word(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return bytes(value)
    if isinstance(value, list):
        raise ValueError("lists of text have different lengths")
    raise TypeError(f"text was expected, got {value!r}")


def plain(array: Any) -> np.ndarray:
    """Text as a NumPy array of objects: the same memory."""
    found: np.ndarray = array.view(np.ndarray)
    return found
