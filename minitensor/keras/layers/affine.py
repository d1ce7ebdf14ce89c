"""What the layers with a kernel share: rules for their weights, a bias and an activation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minitensor import nn
from minitensor.autograd import Tensor
from minitensor.keras import constraints, initializers, regularizers
from minitensor.keras.engine import Layer
from minitensor.keras.engine.weight import Weight
from minitensor.keras.layers.settings import given
from minitensor.nn.noise import biased

_RULES = {
    "initializer": initializers.get,
    "regularizer": regularizers.get,
    "constraint": constraints.get,
}
_WEIGHTS = ("kernel", "bias", "depthwise_kernel", "pointwise_kernel")
_IN_ONE_PASS = ("linear", "relu", "relu6")  # bias and then this


class Affine(Layer):
    """A layer that multiplies by kernels, adds a bias and applies an activation.

    Arguments named kernel_initializer, bias_regularizer, ... are the rules of the weight that
    their first word names.
    """

    kernel: Weight
    bias: Weight | None

    def __init__(self, *, activation: Any, use_bias: bool, **rest: Any) -> None:
        rules = {name: rest.pop(name) for name in list(rest) if _is_rule(name)}
        super().__init__(**rest)
        for name, rule in rules.items():
            setattr(self, name, _RULES[name.rpartition("_")[2]](rule))
        self.activation = activation_of(activation)
        self.use_bias = use_bias

    def _weight(self, name: str, shape: Sequence[int], rules: str | None = None) -> Weight:
        """A new weight, by the arguments that begin with its name, or with `rules`."""
        found = {rule: getattr(self, f"{rules or name}_{rule}") for rule in _RULES}
        return self.add_weight(shape=tuple(shape), name=name, **found)

    def _make_bias(self, size: int) -> None:
        self.bias = self._weight("bias", (size,)) if self.use_bias else None

    def __getattr__(self, name: str) -> Any:
        """What is not there: weights, while the layer is not built."""
        if name in _WEIGHTS and not self.__dict__.get("built"):
            raise AttributeError(f"You must build the layer before accessing `{name}`.")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _finished(self, y: Any, layout: str | None = None) -> Any:
        """activation(y + bias), in one pass where there is one."""
        word = after(self.activation)
        if self.bias is None:
            return y if word == "linear" else self.activation(y)
        y = biased(y, self.bias, layout, word or "linear")
        return y if word else self.activation(y)


def _is_rule(name: str) -> bool:
    return name.rpartition("_")[2] in _RULES and name != "activity_regularizer"


# TEMP until keras.activations is there
def activation_of(identifier):
    if identifier is None or callable(identifier):
        return identifier
    if identifier == "linear":
        return None
    if not isinstance(identifier, str) or not hasattr(nn, identifier):
        raise ValueError(f"Could not interpret activation function identifier: {identifier!r}")
    return getattr(nn, identifier)


def after(activation):
    if activation is None:
        return "linear"
    return {nn.relu: "relu", nn.relu6: "relu6"}.get(activation)
