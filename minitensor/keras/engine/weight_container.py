"""WeightContainer: what a layer has, weights and layers inside it.

What it has is found by looking at its attributes, lists and dictionaries among them; nothing is
registered twice. What was found is kept (`Structure`) until an attribute of any layer changes, or
a list that was looked into.
"""

from __future__ import annotations

import operator
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np

from minitensor.autograd import Tensor, Variable
from minitensor.autograd.restoring import got_part
from minitensor.autograd.tree import flatten
from minitensor.keras import constraints, initializers, regularizers
from minitensor.keras.engine import dtype_policy as policies
from minitensor.keras.engine.dtype_policy import DTypePolicy
from minitensor.keras.engine.seed_stream import SeedStream
from minitensor.keras.engine.weight import Weight, aggregation_of
from minitensor.keras.serialization.memory_budget import charge

_CONTAINERS = (list, tuple, dict)
_NOT_OURS = {"_given", "_nodes", "_call_losses"}  # mention others without owning them
_PLAIN = {bool, int, float, str, type(None), np.ndarray, Tensor}  # own nothing

_changes = 0  # of attributes that may own something, in all layers together


class Structure:
    """All that one layer owns, as it was found by looking; `holds()` says whether it is still so.

    Attributes:
        weights: their variables, each once.
        seed_streams: those of the layers that draw, in their order.
        metrics: room for what training finds among the same attributes.
    """

    def __init__(self, owner: WeightContainer) -> None:
        self._changes = _changes
        self._owner = weakref.ref(owner)  # it holds this: a cycle would keep dropped weights alive
        found: dict[Any, None] = {}
        waiting: list[Any] = [owner]
        while waiting:
            layer = waiting.pop()
            if layer not in found:
                found[layer] = None
                waiting.extend(reversed(layer.sublayers()))
        layers = list(found)
        self._inside = layers[1:]
        every = [v for layer in layers for v in layer.own_variables]
        self.weights: list[Variable] = list({id(v): v for v in every}.values())
        streams = (vars(layer).get("seed_stream") for layer in layers)
        self.seed_streams = [s for s in streams if isinstance(s, SeedStream)]
        self.metrics: list[Any] | None = None
        self._trainable = [v.trainable for v in self.weights]
        inside = (x for layer in layers for x in layer._containers())
        self._contents = [(x, tuple(_items(x))) for x in inside]
        self._attributes = [len(vars(layer)) for layer in layers]

    @property
    def layers(self) -> list[Any]:
        """The layer itself, and all layers inside, each once."""
        return [self._owner(), *self._inside]

    def holds(self, owner: WeightContainer) -> bool:
        """Whether it is of this layer, not of the one it was copied from, and nothing changed."""
        return (
            self._changes == _changes
            and self._owner() is owner
            and [len(vars(layer)) for layer in self.layers] == self._attributes
            and [v.trainable for v in self.weights] == self._trainable
            and all(_are(x, items) for x, items in self._contents)
        )

    def __reduce__(self) -> Any:
        """A copy of a layer, or a file, holds None instead, and the copy looks by itself."""
        return type(None), ()


def _items(container: Any) -> Any:
    return container.values() if isinstance(container, dict) else container


def _are(container: Any, items: tuple[Any, ...]) -> bool:
    """Whether it still has exactly these items."""
    return len(container) == len(items) and all(map(operator.is_, _items(container), items))


class WeightContainer:
    """Something with a name that owns weights and, it may be, others like it."""

    name: str
    built: bool
    _weights: list[Weight]
    _trainable: bool
    _dtype_policy: DTypePolicy
    _structure: Structure | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        global _changes
        before = self.__dict__.get(name)
        super().__setattr__(name, value)
        if type(value) not in _PLAIN or type(before) not in _PLAIN:
            _changes += 1
            got_part(self)

    def __delattr__(self, name: str) -> None:
        global _changes
        super().__delattr__(name)
        _changes += 1

    def _found(self) -> Structure:
        """What it owns now."""
        found = self._structure
        if found is None or not found.holds(self):
            self.__dict__["_structure"] = None  # one of the attributes that are counted
            found = self.__dict__["_structure"] = Structure(self)
        return found

    @property
    def dtype(self) -> str:
        """The float type of its weights."""
        return self._dtype_policy.variable_dtype

    @property
    def variable_dtype(self) -> str:
        """The same."""
        return self._dtype_policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """The float type it computes in: under mixed precision another."""
        return self._dtype_policy.compute_dtype

    @property
    def input_dtype(self) -> str | None:
        """The float type that its inputs are cast to; None for a model, which asks its layers."""
        return self._dtype_policy.compute_dtype

    @property
    def dtype_policy(self) -> DTypePolicy:
        """Both types; a name or a policy may be assigned, and weights that are there stay."""
        return self._dtype_policy

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        self._dtype_policy = policies.get(value)

    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Weight:
        """Makes a weight that belongs to this layer.

        Args:
            shape: of the weight.
            initializer: name or function of (shape, dtype); default Glorot's uniform rule.
            dtype: element type; default the layer's.
            trainable: whether training changes it.
            regularizer: a function of it, added to the loss.
            constraint: a function of it, applied after each update.
            name: "kernel".
            autocast: whether `call` reads it in the type that the layer computes in.
            aggregation: what a write makes of the values of several replicas: "none", "sum",
                "mean" or "only_first_replica".
            overwrite_with_gradient: ignored.
        """
        global _changes
        kind = self.dtype if dtype is None else policies.get(dtype).variable_dtype
        charge(tuple(shape or ()), kind)
        make = initializers.get(initializer or "glorot_uniform")
        weight = Weight(
            make(tuple(shape or ()), dtype=kind),
            trainable,
            name=name or f"variable_{len(self._weights)}",
            owner=self.name,
            regularizer=regularizers.get(regularizer),
            constraint=constraints.get(constraint),
            autocast=autocast,
            aggregation=aggregation_of(aggregation),
        )
        weight.trainable = trainable and self._trainable
        self._weights.append(weight)
        _changes += 1
        return weight

    def _owned(self) -> Iterator[Any]:
        """The layers and variables among its attributes, in the order in which they were set."""
        kinds = (WeightContainer, Variable)
        for attribute, value in vars(self).items():
            if isinstance(value, kinds):
                yield value
            elif isinstance(value, _CONTAINERS) and attribute not in _NOT_OURS:
                yield from (x for x in flatten(value, sort=False) if isinstance(x, kinds))

    def _containers(self) -> Iterator[Any]:
        """The lists and dictionaries among its attributes, those inside of others too."""
        skipped = {*_NOT_OURS, "_weights"}  # add_weight, which fills that, counts as a change
        waiting = [v for name, v in vars(self).items() if name not in skipped]
        for value in waiting:  # grows
            if isinstance(value, _CONTAINERS):
                waiting.extend(_items(value))
                if not isinstance(value, tuple):
                    yield value

    def sublayers(self) -> list[Any]:
        """The layers it is directly made of."""
        return list(dict.fromkeys(x for x in self._owned() if isinstance(x, WeightContainer)))

    def all_layers(self) -> list[Any]:
        """Itself, and all layers inside, each once."""
        return self._found().layers

    @property
    def _seed_calls(self) -> list[int]:
        """How often each layer that draws was asked: with the seeds, all there is to know."""
        return [stream.calls for stream in self._found().seed_streams]

    @_seed_calls.setter
    def _seed_calls(self, calls: list[int]) -> None:
        for stream, asked in zip(self._found().seed_streams, calls, strict=True):
            stream.calls = asked

    @property
    def own_variables(self) -> list[Variable]:
        """Its variables without those of its sublayers; those that learn come first."""
        mine = list({id(x): x for x in self._owned() if isinstance(x, Variable)}.values())
        return sorted(mine, key=lambda v: not getattr(v, "learns", v.trainable))

    def save_own_variables(self, store: Any) -> None:
        """Writes `own_variables` into a mapping, under "0", "1", ...; may be overridden."""
        for i, variable in enumerate(self.own_variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Reads them from such a mapping; may be overridden."""
        mine = self.own_variables
        if len(store) != len(mine):
            raise ValueError(
                f"Layer '{self.name}' expected {len(mine)} variables, but received {len(store)} "
                "variables during loading."
            )
        for i, variable in enumerate(mine):
            variable.assign(store[str(i)])

    @property
    def weights(self) -> list[Variable]:
        """All its variables, then those of its sublayers."""
        return list(self._found().weights)

    @property
    def variables(self) -> list[Variable]:
        """The same as `weights`."""
        return self.weights

    @property
    def trainable_weights(self) -> list[Variable]:
        """Those that training changes."""
        return [v for v in self.weights if v.trainable]

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """Those that it does not."""
        return [v for v in self.weights if not v.trainable]

    @property
    def trainable_variables(self) -> list[Variable]:
        """The same as `trainable_weights`."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The same as `non_trainable_weights`."""
        return self.non_trainable_weights

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; setting it reaches all layers inside."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self.all_layers():
            layer._trainable = bool(value)
            for variable in layer.own_variables:
                if isinstance(variable, Weight):
                    variable.trainable = bool(value) and variable.learns

    def get_weights(self) -> list[np.ndarray]:
        """The values of `weights`."""
        return [np.asarray(v.numpy()) for v in self.weights]

    def set_weights(self, weights: Any) -> None:
        """Gives `weights` these values, one array each, in the same order."""
        mine = self.weights
        if len(weights) != len(mine):
            raise ValueError(
                f"You called `set_weights(weights)` on layer '{self.name}' with a weight list of "
                f"length {len(weights)}, but the layer was expecting {len(mine)} weights."
            )
        for variable, value in zip(mine, weights, strict=True):
            if tuple(np.shape(value)) != tuple(variable.shape):
                raise ValueError(
                    f"Layer {self.name} weight shape {variable.shape} is not compatible with "
                    f"provided weight shape {np.shape(value)}."
                )
            variable.assign(np.asarray(value).astype(np.dtype(variable.dtype), copy=False))

    def count_params(self) -> int:
        """How many numbers its weights hold."""
        if not self.built:
            raise ValueError(
                f"You tried to call `count_params` on layer '{self.name}', but the layer isn't "
                f"built. You can build it manually via: `{self.name}.build(input_shape)`."
            )
        return sum(v.shape.num_elements() for v in self.weights)
