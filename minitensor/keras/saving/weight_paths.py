"""Where Keras keeps the weights of each part of a model: "layers/dense", "encoder/blocks/conv2d".

A functional or listed model has its layers under "layers". Any other object is walked by its
attributes in alphabetical order, private ones last; in lists and dictionaries a layer is named
by its class and a number. Metrics are not kept. Each is listed where it is met first.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from minitensor.autograd import Variable
from minitensor.keras.engine import Functional, Layer, Model, Sequential
from minitensor.keras.optimizers import Optimizer
from minitensor.keras.serialization.names import numbered, snake_case


@dataclass(frozen=True)
class WeightGroup:
    """Something with variables in the tree of a model."""

    path: str  # where Keras keeps it; "" for the model itself
    owner: Any  # a layer or an optimizer
    variables: list[Variable]  # its own, without those of the layers inside


def weight_groups(model: Layer) -> list[WeightGroup]:
    """Every layer and optimizer of a model, the model first."""
    found: dict[int, WeightGroup] = {}
    waiting: list[Iterator[tuple[str, Any]]] = [iter([("", model)])]
    while waiting:
        step = next(waiting[-1], None)
        if step is None:
            waiting.pop()
            continue
        path, thing = step
        if isinstance(thing, list | tuple | dict):
            waiting.append(_items(thing, path))
        elif _is_owner(thing) and id(thing) not in found:
            inside = isinstance(thing, Layer)
            variables = thing.own_variables if inside else thing.variables
            found[id(thing)] = WeightGroup(path, thing, list(variables))
            waiting.append(_attributes(thing, path) if inside else _wrapped(thing, path))
    return list(found.values())


def _is_owner(thing: Any) -> bool:
    return isinstance(thing, Layer | Optimizer)


def _wrapped(optimizer: Optimizer, path: str) -> Iterator[tuple[str, Any]]:
    """The optimizer that another one makes its steps by."""
    yield f"{path}/inner_optimizer", getattr(optimizer, "inner_optimizer", None)


def _attributes(layer: Layer, path: str) -> Iterator[tuple[str, Any]]:
    prefix = f"{path}/" if path else ""
    if isinstance(layer, Functional | Sequential):
        yield f"{prefix}layers", layer.layers
    base = Model if isinstance(layer, Model) else Layer
    for name in sorted(set(dir(layer)) - _common(base), key=_private_last):
        try:
            value = getattr(layer, name)
        except Exception:  # a property that does not answer now owns nothing
            continue
        yield f"{prefix}{name}", value


def _private_last(name: str) -> str:
    return f"~{name}" if name[0] == "_" else name


@functools.cache
def _common(base: Any) -> frozenset[str]:
    """The attributes that every layer, or every model, has and that are not walked."""
    names = {*dir(base), *vars(base(name="common"))}
    return frozenset(names - {"layers", "optimizer"})


def _items(container: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The owners and lists in a list, each under a name that no other has."""
    counts: Counter[str] = Counter()
    for thing in container.values() if isinstance(container, dict) else container:
        if _is_owner(thing):
            name = snake_case(type(thing).__name__)
        elif isinstance(thing, list | tuple | dict):
            name = "container"
        else:
            continue
        yield f"{path}/{numbered(name, counts)}", thing


def weights_by_path(model: Layer) -> dict[str, Variable]:
    """Every weight by its path, "block/conv2d/kernel".

    A layer is called by its name. One that was named by its class and a counter is counted anew in
    each model, so that a model made twice has the same paths.

    Raises:
        ValueError: two have the same path.
    """
    found: dict[str, Variable] = {}
    seen: set[int] = set()
    for name, variable in _weights("", model):
        if id(variable) in seen:
            continue
        if name in found:
            raise ValueError(f"Two weights are called {name!r}. Give their layers different names.")
        seen.add(id(variable))
        found[name] = variable
    return found


def _weights(path: str, layer: Layer) -> Iterator[tuple[str, Variable]]:
    for variable in layer.own_variables:
        yield f"{path}{getattr(variable, 'leaf', variable.name.partition(':')[0])}", variable
    for name, inner in _inner_names(layer):
        yield from _weights(f"{path}{name}/", inner)


def _inner_names(layer: Layer) -> Iterator[tuple[str, Layer]]:
    counts: Counter[str] = Counter()
    for inner in layer.sublayers():
        stem = snake_case(type(inner).__name__)
        counted = re.fullmatch(rf"{stem}(_\d+)?", inner.name)
        yield numbered(stem, counts) if counted else inner.name, inner
