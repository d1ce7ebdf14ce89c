"""Objects that remember what they were made with, so that they can be written and made again.

Layers, initializers, optimizers and the like all have `get_config` and `from_config`. Nobody
writes them by hand: the arguments of the constructor are kept when it is called. How a value
becomes JSON is written in `objects.py`.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any, Self

from minitensor.keras.serialization.objects import constructor_arguments, serialize


class Configurable:
    """Keeps the arguments of its constructor.

    get_config() = {argument: value}, with defaults; from_config(config) = cls(**config)

    Example:
        >>> from minitensor.keras.serialization.config import Configurable
        >>> class Scale(Configurable):
        ...     def __init__(self, factor, offset=0.0):
        ...         self.factor, self.offset = factor, offset
        >>> Scale(2.0).get_config()
        {'factor': 2.0, 'offset': 0.0}

    Source: keras.layers.Layer.get_config
    """

    _given: dict[str, Any]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        made = super().__new__(cls)
        object.__setattr__(made, "_given", _bound(cls, args, kwargs))
        return made

    def get_config(self) -> dict[str, Any]:
        """The arguments it was made with, as values that JSON can hold."""
        return {name: serialize(value) for name, value in self._given.items()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The object that `config` describes."""
        return cls(**constructor_arguments(cls, config))


def _bound(cls: type, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Every argument by name, defaults too; a call that does not fit is left to __init__."""
    try:
        bound = _signature(cls).bind(None, *args, **kwargs)
    except TypeError:
        return {}
    bound.apply_defaults()
    given: dict[str, Any] = {}
    for name, value in list(bound.arguments.items())[1:]:
        kind = bound.signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_KEYWORD:
            given |= value
        elif kind is not inspect.Parameter.VAR_POSITIONAL:
            given[name] = value
    return given


@functools.cache
def _signature(cls: type) -> inspect.Signature:
    return inspect.signature(cls.__init__)  # type: ignore[misc]
