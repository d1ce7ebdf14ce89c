"""Module, the mirror of tf.Module: an object whose variables are found among its attributes."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from typing import Any

from minitensor.autograd import Variable
from minitensor.autograd.restoring import got_part
from minitensor.control import name_scope

_SNAKE = re.compile(r"([a-z0-9])([A-Z])|([A-Z]+)([A-Z][a-z])")  # where a word begins


class Module:
    """Subclass it, and set variables and other modules as attributes, in lists, dictionaries.

    Args:
        name: default the class, in small letters: "my_dense".

    Raises:
        ValueError: a name that is no Python identifier.

    Example:
        >>> import minitensor as tf
        >>> class Scale(tf.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.factor = tf.Variable(2.0, name="factor")
        ...     def __call__(self, x):
        ...         return self.factor * x
        >>> scale = Scale()
        >>> scale(3.0).numpy().item(), scale.name, len(scale.trainable_variables)
        (6.0, 'scale', 1)

    Source: tf.Module
    """

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            name = _SNAKE.sub(r"\1\3_\2\4", type(self).__name__).lower()
        if not name.isidentifier():
            raise ValueError(f"{name!r} is not a valid module name: it must be a Python identifier")
        self._name = name

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        got_part(self)

    @property
    def name(self) -> str:
        """Its name."""
        return self._name

    @property
    def name_scope(self) -> Any:
        """A block in which names of variables begin with its own."""
        return name_scope(self._name)

    @classmethod
    def with_name_scope(cls, method: Callable[..., Any]) -> Callable[..., Any]:
        """The method, in the block of `name_scope`."""

        @functools.wraps(method)
        def inside(self: Module, *args: Any, **kwargs: Any) -> Any:
            with self.name_scope:
                return method(self, *args, **kwargs)

        return inside

    @property
    def variables(self) -> tuple[Variable, ...]:
        """All variables, its own and those of what is inside, each once."""
        return tuple(x for x in self._inside() if isinstance(x, Variable))

    @property
    def trainable_variables(self) -> tuple[Variable, ...]:
        """Those that tapes watch."""
        return tuple(v for v in self.variables if v.trainable)

    @property
    def non_trainable_variables(self) -> tuple[Variable, ...]:
        """The others."""
        return tuple(v for v in self.variables if not v.trainable)

    @property
    def submodules(self) -> tuple[Any, ...]:
        """The modules and layers inside, each once."""
        return tuple(x for x in self._inside() if not isinstance(x, Variable))

    def _inside(self) -> Iterator[Any]:
        return _walk(self, {id(self)})


def _walk(owner: Any, seen: set[int]) -> Iterator[Any]:
    """What an object has, in the order of attributes' names, then what is inside of each."""
    inner = []
    for part in _parts(_attributes(owner)):
        if id(part) not in seen:
            seen.add(id(part))
            yield part
            inner += [] if isinstance(part, Variable) else [part]
    for part in inner:
        yield from _walk(part, seen)


def _attributes(thing: Any) -> Any:
    """What to look into: a module's attributes; a layer says itself what it owns."""
    return vars(thing) if isinstance(thing, Module) else [thing.own_variables, thing.sublayers()]


def _parts(thing: Any) -> Iterator[Any]:
    """The variables, modules and layers in a container, those of containers inside too."""
    if isinstance(thing, dict):
        thing = [thing[key] for key in sorted(thing, key=str)]
    if isinstance(thing, list | tuple):
        for item in thing:
            yield from _parts(item)
    elif isinstance(thing, Variable | Module) or hasattr(thing, "own_variables"):
        yield thing
