"""What the layers with a kernel share: rules for their weights, a bias and an activation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minitensor import nn
from minitensor.autograd import Tensor
from minitensor.keras import activations, constraints, initializers, regularizers
from minitensor.keras.engine import Layer
from minitensor.keras.engine.weight import Weight
from minitensor.ops import activation as ops
from minitensor.ops import array

_RULES = {
    "initializer": initializers.get,
    "regularizer": regularizers.get,
    "constraint": constraints.get,
}
_WEIGHTS = ("kernel", "bias", "depthwise_kernel", "pointwise_kernel")
_WITH_BIAS = (
    (activations.linear, "linear"),
    *((relu, "relu") for relu in (activations.relu, nn.relu)),
    *((relu6, "relu6") for relu6 in (activations.relu6, nn.relu6)),
)


def read_rules(layer: Layer, weight: str, *rules: Any) -> None:
    """Keeps (initializer, regularizer, constraint) of a weight as `kernel_initializer`, ..."""
    for (word, get), rule in zip(_RULES.items(), rules, strict=True):
        setattr(layer, f"{weight}_{word}", get(rule))


def make_weight(
    layer: Layer,
    name: str,
    shape: Sequence[int],
    rules: str | None = None,
    owner: Layer | None = None,
    autocast: bool = True,
) -> Weight:
    """A new weight of a layer, or of `owner`, by the rules read for its name, or for `rules`."""
    found = {word: getattr(layer, f"{rules or name}_{word}") for word in _RULES}
    return (owner or layer).add_weight(shape=tuple(shape), name=name, autocast=autocast, **found)


class Affine(Layer):
    """A layer that multiplies by kernels, adds a bias and applies an activation."""

    _settled = True
    kernel: Weight
    bias: Weight | None

    def _read_affine(self, activation: Any, use_bias: bool) -> None:
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)

    def _make_bias(self, size: int) -> None:
        self.bias = make_weight(self, "bias", (size,)) if self.use_bias else None

    def __getattr__(self, name: str) -> Any:
        """What is not there: weights, while the layer is not built."""
        if name in _WEIGHTS and not vars(self).get("built"):
            raise AttributeError(f"You must build the layer before accessing `{name}`.")
        return super().__getattr__(name)  # type: ignore[misc]  # says what is missing

    @property
    def _fused(self) -> str | None:
        """The word for an activation that runs in one pass with the bias; None if it is another."""
        if self.activation is None:  # a program took it off: layer.activation = None
            self.activation = activations.linear
        return next((word for function, word in _WITH_BIAS if function is self.activation), None)

    def _finished(self, y: Tensor, last: bool = True) -> Any:
        """activation(y + bias), in one pass where there is one and the channels are last."""
        word = self._fused
        if self.bias is None:
            return self.activation(y)
        if last:
            y = ops.bias_activation(y, self.bias, activation=word or "linear")
        else:
            y = y + array.reshape(self.bias, shape=(y.shape[1], *[1] * (y.ndim - 2)))  # (C, 1, 1)
            y = y if word in (None, "linear") else getattr(ops, word)(y)
        return y if word else self.activation(y)
