"""What a function of tensors does with a tensor that has no values: it asks that tensor.

As NumPy's functions ask `__array_function__`, TensorFlow's here ask `__tensor_function__` of the
first Symbolic among their arguments. keras.KerasTensor is one, and makes a call an operation of its
model. `install` makes the functions of a namespace ask; where nobody made a Symbolic, that costs
one look.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any

_NAMES = ("array", "image", "linalg", "math", "nn", "keras.activations")
_ROOMS = tuple(f"minitensor.{name}" for name in _NAMES)


class Symbolic:
    """A tensor without values."""

    __slots__ = ()
    __array_ufunc__ = None  # array * symbolic is asked of the symbolic one
    made = False  # whether there ever was one

    def __tensor_function__(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """What `function` gives when it is called with this among its arguments."""
        raise NotImplementedError


def first_symbolic(*values: Any) -> Symbolic | None:
    """The first one among some values, and in lists, tuples and dictionaries."""
    for value in values:
        if isinstance(value, Symbolic):
            return value
        if type(value) in (list, tuple, dict):
            inside = value.values() if type(value) is dict else value
            if (found := first_symbolic(*inside)) is not None:
                return found
    return None


@functools.cache  # a function of two names stays one
def _asking(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def asking(*args: Any, **kwargs: Any) -> Any:
        if Symbolic.made and (found := first_symbolic(*args, *kwargs.values())) is not None:
            return found.__tensor_function__(asking, args, kwargs)
        return function(*args, **kwargs)

    return asking


def install(namespace: dict[str, Any], but: tuple[str, ...] = ()) -> None:
    """Lets the functions of tensors in a namespace ask, there and where they were written."""
    for name, function in list(namespace.items()):
        if name[0] == "_" or name in but or not inspect.isfunction(function):
            continue
        if function.__module__.startswith(_ROOMS) and not hasattr(function, "__wrapped__"):
            namespace[name] = _asking(function)
            home = vars(sys.modules[function.__module__])
            if home.get(name) is function:
                home[name] = namespace[name]
