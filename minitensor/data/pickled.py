"""A reader of CIFAR's pickles that executes nothing.

A pickle is a program for a machine with a stack, and Python's machine calls whatever the program
names. This one knows only what the CIFAR files need: dictionaries, lists, text, bytes, small
integers, and arrays of bytes. Names of functions stay words; the few combinations that make an
array are recognised, and anything else is an error. Nothing is larger than the file that it is in.
"""

from __future__ import annotations

import math
import pickletools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

_OPCODES = 1_000_000  # CIFAR-100 takes a quarter
_MARK = object()
_CORES = ("numpy.core", "numpy._core")
_MAKE_ARRAY = {f"{core}.multiarray _reconstruct" for core in _CORES}
_FROM_BUFFER = {f"{core}.numeric _frombuffer" for core in _CORES}
_KNOWN = {"numpy ndarray", "numpy dtype", "_codecs encode", *_MAKE_ARRAY, *_FROM_BUFFER}
_BYTE = {"u1", "uint8", "B"}


class _Name(str):
    """A function that the pickle names; only ever compared."""


class _Byte:
    """The type of a byte: the one that arrays may have."""


class _Array:
    """An array that is made in two steps: named first, filled later."""

    filled: np.ndarray | None = None


def read_pickle(data: bytes) -> dict[str, Any]:
    """The dictionary in a pickle of CIFAR's kind.

    Returns:
        Its entries by text: lists, text, bytes, integers and uint8 arrays.

    Raises:
        ValueError: it is damaged, or would do anything else than hold such values.

    Example:
        >>> import numpy as np
        >>> from minitensor.data.pickled import read_pickle
        >>> import pickle
        >>> read_pickle(pickle.dumps({b"labels": [3, 8], b"data": np.zeros((2, 4), np.uint8)}))
        {'labels': [3, 8], 'data': array([[0, 0, 0, 0],
               [0, 0, 0, 0]], dtype=uint8)}

    Source: https://www.cs.toronto.edu/~kriz/cifar.html; Python's module pickletools
    """
    machine = _Machine(len(data))
    for operation, argument in _operations(data):
        machine.run(operation, argument)
    found = machine.pop()
    if not isinstance(found, dict) or machine.stack:
        raise ValueError(f"a pickle of one dictionary is expected, not {_kind(found)}")
    return {key: _opened(value) for key, value in found.items()}


def _opened(value: Any) -> Any:
    if isinstance(value, _Array) and value.filled is not None:
        return value.filled
    if isinstance(value, list | str | bytes | int):
        return value
    raise ValueError(f"a pickle holds {_kind(value)}, which CIFAR's do not")


def _kind(value: Any) -> str:
    return "a mark" if value is _MARK else type(value).__name__.strip("_").lower()


def _operations(data: bytes) -> Iterator[tuple[str, Any]]:
    """The pickle's program; what is cut short or no opcode is a ValueError."""
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(data), 1):
            if count > _OPCODES:
                raise ValueError(f"more than {_OPCODES} operations")
            yield opcode.name, argument
    except (ValueError, IndexError, OverflowError, UnicodeError, MemoryError) as problem:
        raise ValueError(f"damaged pickle: {problem}") from None


class _Machine:
    """The stack and the memo, and what each legal opcode does with them."""

    def __init__(self, size: int) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self._left = size  # how many bytes may still be copied

    def run(self, operation: str, argument: Any) -> None:
        """Does one operation."""
        if operation in _PUSHED:
            self.stack.append(_PUSHED[operation](argument))
        elif operation in _TUPLES:
            self.stack.append(tuple(reversed([self.pop() for _ in range(_TUPLES[operation])])))
        elif operation in _DONE:
            _DONE[operation](self, argument)
        else:
            raise ValueError(f"the pickle wants to run {operation}, which CIFAR's do not")

    def pop(self) -> Any:
        """The last value."""
        if not self.stack:
            raise ValueError("damaged pickle: a value is missing")
        return self.stack.pop()

    def top(self, kind: type) -> Any:
        """The last value, left where it is; it must be of this kind."""
        if not self.stack or not isinstance(self.stack[-1], kind):
            raise ValueError(f"damaged pickle: a {kind.__name__.strip('_').lower()} is missing")
        return self.stack[-1]

    def since_mark(self) -> list[Any]:
        """The values after the last mark, which goes too."""
        items = []
        while (item := self.pop()) is not _MARK:
            items.append(item)
        return items[::-1]

    def remember(self, index: int | None) -> None:
        """Keeps the last value; None for the next free place."""
        self.memo[len(self.memo) if index is None else index] = self.top(object)

    def recall(self, index: int) -> None:
        """Brings a kept value."""
        if index not in self.memo:
            raise ValueError(f"damaged pickle: nothing was kept under {index}")
        self.stack.append(self.memo[index])

    def begin(self, empty: Any, put: Callable[[list[Any]], None]) -> None:
        """A new list or dictionary of the values after the last mark."""
        items = self.since_mark()
        self.stack.append(empty)
        put(items)

    def append(self, items: list[Any]) -> None:
        """Puts values at the end of the list before them."""
        if not all(isinstance(item, int | str | bytes) for item in items):
            raise ValueError("a pickle holds a list of other things than numbers and text")
        self.top(list).extend(items)

    def set_items(self, items: list[Any]) -> None:
        """Puts keys and values into the dictionary before them."""
        keys, values = items[::2], items[1::2]
        if len(keys) != len(values) or not all(isinstance(key, str | bytes) for key in keys):
            raise ValueError("a pickle holds a dictionary whose keys are no text")
        words = (key.decode("latin-1") if isinstance(key, bytes) else key for key in keys)
        self.top(dict).update(zip(words, values, strict=True))

    def name(self, words: str) -> None:
        """A function by module and name: only the harmless ones that make arrays."""
        if words not in _KNOWN:
            raise ValueError(f"the pickle wants to call {words.replace(' ', '.')!r}: refused")
        self.stack.append(_Name(words))

    def name_from_stack(self) -> None:
        """The same, from two texts."""
        function, module = self.pop(), self.pop()
        self.name(f"{module} {function}" if isinstance(module, str) else "?")

    def call(self) -> None:
        """What an array, its type or its bytes are made by; nothing else is called."""
        given, function = self.pop(), self.pop()
        if not isinstance(given, tuple) or not isinstance(function, _Name):
            raise ValueError("damaged pickle: a call of no function")
        match given:
            case (text, "latin1") if function == "_codecs encode" and isinstance(text, str):
                self.stack.append(self._latin(text))
            case (str() as kind, *_) if function == "numpy dtype" and kind in _BYTE:
                self.stack.append(_Byte())
            case (str() as owner, *_) if function in _MAKE_ARRAY and owner == "numpy ndarray":
                self.stack.append(_Array())
            case (data, _Byte(), shape, "C") if function in _FROM_BUFFER:
                self.stack.append(_Array())
                self.top(_Array).filled = self._shaped(data, shape)
            case _:
                raise ValueError(f"the pickle calls {function.replace(' ', '.')} as CIFAR's do not")

    def fill(self) -> None:
        """Gives an array its shape and bytes; what is said of a byte's type changes nothing."""
        state = self.pop()
        if isinstance(self.top(object), _Byte):
            return
        match state:
            case (int(), shape, _Byte(), False | 0, data):
                self.top(_Array).filled = self._shaped(data, shape)
            case _:
                raise ValueError("the pickle holds an array of another kind than bytes by rows")

    def _shaped(self, data: Any, shape: Any) -> np.ndarray:
        data = self._latin(data) if isinstance(data, str) else data
        legal = isinstance(shape, tuple) and len(shape) <= 4 and isinstance(data, bytes)
        if not legal or not all(type(n) is int and 0 <= n < 2**31 for n in shape):
            raise ValueError("damaged pickle: an array of no legal shape")
        if math.prod(shape) != len(data):
            raise ValueError("damaged pickle: the bytes of an array do not fit its shape")
        return np.frombuffer(data, np.uint8).reshape(shape)

    def _latin(self, text: str) -> bytes:
        """Python 2's text, byte by byte. A text used a thousand times must not fill the memory."""
        self._left -= len(text)
        if self._left < 0:
            raise ValueError("the pickle unpacks to more than it holds: refused")
        try:
            return text.encode("latin-1")
        except UnicodeEncodeError:
            raise ValueError("damaged pickle: text that is no bytes") from None


def _small(number: Any) -> int:
    if not -(2**63) <= number < 2**63:
        raise ValueError("a pickle holds an integer of more than 64 bits")
    return number


_PUSHED: dict[str, Callable[[Any], Any]] = {  # operations that only bring a value
    **dict.fromkeys(("SHORT_BINSTRING", "BINSTRING", "STRING"), lambda text: text),
    **dict.fromkeys(("SHORT_BINUNICODE", "BINUNICODE", "UNICODE"), lambda text: text),
    **dict.fromkeys(("SHORT_BINBYTES", "BINBYTES", "BINBYTES8"), lambda data: data),
    "BYTEARRAY8": bytes,
    **dict.fromkeys(("BININT", "BININT1", "BININT2", "INT", "LONG1", "LONG"), _small),
    "MARK": lambda _: _MARK,
    "NONE": lambda _: None,
    "NEWTRUE": lambda _: True,
    "NEWFALSE": lambda _: False,
    "EMPTY_DICT": lambda _: {},
    "EMPTY_LIST": lambda _: [],
    "EMPTY_TUPLE": lambda _: (),
}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_DONE: dict[str, Callable[[_Machine, Any], None]] = {
    **dict.fromkeys(("PROTO", "FRAME", "STOP"), lambda machine, _: None),
    **dict.fromkeys(("BINPUT", "LONG_BINPUT", "PUT", "MEMOIZE"), _Machine.remember),
    **dict.fromkeys(("BINGET", "LONG_BINGET", "GET"), _Machine.recall),
    "TUPLE": lambda machine, _: machine.stack.append(tuple(machine.since_mark())),
    "LIST": lambda machine, _: machine.begin([], machine.append),
    "DICT": lambda machine, _: machine.begin({}, machine.set_items),
    "APPEND": lambda machine, _: machine.append([machine.pop()]),
    "APPENDS": lambda machine, _: machine.append(machine.since_mark()),
    "SETITEM": lambda machine, _: machine.set_items([machine.pop(), machine.pop()][::-1]),
    "SETITEMS": lambda machine, _: machine.set_items(machine.since_mark()),
    "GLOBAL": _Machine.name,
    "STACK_GLOBAL": lambda machine, _: machine.name_from_stack(),
    "REDUCE": lambda machine, _: machine.call(),
    "BUILD": lambda machine, _: machine.fill(),
}
