"""Activations as layers.

Args of all: kwargs, what every Layer takes. Source of all: keras.layers, by the same names, and the
papers named.
"""

from __future__ import annotations

from typing import Any, Unpack

from minitensor import nn
from minitensor.array import where
from minitensor.docstrings import examples_of
from minitensor.keras import activations
from minitensor.keras.engine import InputSpec
from minitensor.keras.engine.layer import Common
from minitensor.keras.layers.affine import make_weight, read_rules
from minitensor.keras.layers.core import Elementwise
from minitensor.math import exp, reduce_logsumexp

example = examples_of("tf.keras.layers", "")


@example('Activation("relu")([-1.0, 2.0]).numpy()', "[0., 2.]")
class Activation(Elementwise):
    """y = activation(x).

    Args:
        activation: a name in `keras.activations`, or a function.

    Raises:
        ValueError: no function of this name.
    """

    def __init__(self, activation: Any, **kwargs: Unpack[Common]) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs: Any) -> Any:
        return self.activation(inputs)


@example("ReLU(6)([-1.0, 9.0]).numpy()", "[0., 6.]")
class ReLU(Elementwise):
    """y = x where x > threshold, at most max_value; else negative_slope * (x - threshold).

    Args:
        max_value: where y stops to grow; None is never.
        negative_slope: slope below the threshold.
        threshold: where x begins to count.

    Raises:
        ValueError: a negative setting.
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(**kwargs)
        if max_value is not None and max_value < 0:
            raise ValueError(
                "max_value of a ReLU layer cannot be a negative value. "
                f"Received: max_value={max_value}"
            )
        self.max_value = max_value
        self.negative_slope = _not_negative("ReLU", "negative_slope", negative_slope)
        self.threshold = _not_negative("ReLU", "threshold", threshold)

    def call(self, inputs: Any) -> Any:
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


@example("LeakyReLU(0.5)([-1.0, 2.0]).numpy()", "[-0.5,  2. ]", "Maas et al. 2013")
class LeakyReLU(Elementwise):
    """y = x where x > 0, else negative_slope * x.

    Args:
        negative_slope: not negative; `alpha` is its older name.

    Raises:
        ValueError: a negative slope.
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        slope = kwargs.pop("alpha", negative_slope)
        super().__init__(**kwargs)
        self.negative_slope = _not_negative("LeakyReLU", "negative_slope", slope)

    def call(self, inputs: Any) -> Any:
        return nn.leaky_relu(inputs, self.negative_slope)

    def get_config(self) -> dict[str, Any]:
        """The slope under its present name."""
        config = super().get_config() | {"negative_slope": self.negative_slope}
        config.pop("alpha", None)
        return config


@example("ELU(0.5)([-100.0, 2.0]).numpy()", "[-0.5,  2. ]", "Clevert et al. 2015")
class ELU(Elementwise):
    """y = x where x > 0, else alpha * (exp(x) - 1).

    Args:
        alpha: where y ends on the left, with the sign changed.
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Unpack[Common]) -> None:
        super().__init__(**kwargs)
        self.alpha = alpha

    def call(self, inputs: Any) -> Any:
        return activations.elu(inputs, self.alpha)


@example('PReLU("ones")([[-1.0, 2.0]]).numpy()', "[[-1.,  2.]]", "He et al. 2015")
class PReLU(Elementwise):
    """y = x where x > 0, else alpha * x, with slopes alpha that are learned.

    Args:
        alpha_initializer: name or function of (shape, dtype).
        alpha_regularizer: added to the loss.
        alpha_constraint: applied after every update.
        shared_axes: axes along which one slope serves all: [1, 2] for one per channel.

    Attributes:
        alpha: the shape of one sample, 1 along the shared axes.
    """

    _settled = True

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(**kwargs)
        read_rules(self, "alpha", alpha_initializer, alpha_regularizer, alpha_constraint)
        axes = [shared_axes] if isinstance(shared_axes, int) else shared_axes
        self.shared_axes = None if axes is None else list(axes)

    def build(self, input_shape: Any) -> None:
        shared = [axis % len(input_shape) for axis in self.shared_axes or []]
        sizes = {axis: n for axis, n in enumerate(input_shape) if axis and axis not in shared}
        if None in sizes.values():
            raise ValueError(
                f"PReLU: axes {sorted(sizes)} of the input must have a known size, or be in "
                f"`shared_axes`. Received: input_shape={tuple(input_shape)}"
            )
        shape = [sizes.get(axis, 1) for axis in range(1, len(input_shape))]
        self.alpha = make_weight(self, "alpha", shape)
        self.input_spec = InputSpec(ndim=len(input_shape), axes=sizes if shared else None)

    def call(self, inputs: Any) -> Any:
        """relu(inputs) - alpha * relu(-inputs)"""
        return nn.relu(inputs) - self.alpha * nn.relu(-inputs)


@example("Softmax()([[0.0, 0.0]]).numpy()", "[[0.5, 0.5]]")
class Softmax(Elementwise):
    """p_i = exp(x_i) / sum_j exp(x_j) along an axis, or over several together.

    Args:
        axis: one, or a list of them.
    """

    def __init__(self, axis: Any = -1, **kwargs: Unpack[Common]) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """softmax(inputs); where a `mask` is False there is no probability."""
        check_mask(inputs, mask)
        kept = None if mask is None else mask if mask.dtype == bool else mask > 0.5
        if kept is not None:
            inputs = where(kept, inputs, -3e4 if inputs.dtype == "float16" else -1e9)
        y = self._softmax(inputs)
        return y if kept is None else where(kept, y, 0.0)

    def _softmax(self, x: Any) -> Any:
        axes = list(self.axis) if isinstance(self.axis, list | tuple) else [self.axis]
        if len(axes) == 1:
            return activations.softmax(x, axes[0])
        return exp(x - reduce_logsumexp(x, axis=axes, keepdims=True))


def check_mask(inputs: Any, mask: Any) -> None:
    """Refuses a mask that would have to be stretched, or would stretch what it masks."""
    if mask is None:
        return
    pairs = zip(mask.shape[::-1], inputs.shape[::-1], strict=False)
    if mask.ndim > inputs.ndim or any(m not in (1, n) for m, n in pairs):
        raise ValueError(
            "The `mask` must be broadcastable to `inputs`: counted from the right, each of its "
            "sizes must be 1 or that of the inputs, and it must not have more. Received: "
            f"inputs.shape={tuple(inputs.shape)}, mask.shape={tuple(mask.shape)}"
        )


def _not_negative(layer: str, name: str, value: Any) -> float:
    if value is None or value < 0:
        raise ValueError(
            f"{name} of a {layer} layer cannot be None or a negative value. "
            f"Received: {name}={value}"
        )
    return value
