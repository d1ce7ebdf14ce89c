"""Layers that take the mean away and divide by the standard deviation, then scale and shift.

They differ in what the statistics are taken over, for x (N, H, W, C):

    LayerNormalization   C: one mean per pixel, the same in training and after it
    GroupNormalization   H, W and some channels: one per image and group; groups=-1: per channel
    BatchNormalization   N, H, W (`batch_normalization.py`)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from minitensor import nn
from minitensor.array import transpose
from minitensor.keras import constraints, initializers, regularizers
from minitensor.keras.engine import InputSpec
from minitensor.keras.engine.layer import Common
from minitensor.keras.engine.weight import Weight
from minitensor.keras.layers.elementwise import Elementwise
from minitensor.keras.layers.geometry import given


class Standardizing(Elementwise):
    """What they share: gamma and beta, each or neither, and where they come from."""

    def __init__(
        self,
        axis: Any,
        epsilon: float,
        center: bool,
        scale: bool,
        beta_initializer: Any,
        gamma_initializer: Any,
        beta_regularizer: Any,
        gamma_regularizer: Any,
        beta_constraint: Any,
        gamma_constraint: Any,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(**kwargs)
        self.axis, self.epsilon = axis, float(epsilon)
        self.center, self.scale = center, scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.gamma: Weight | None = None
        self.beta: Weight | None = None

    def _make_affine(self, sizes: Sequence[int]) -> None:
        """gamma and beta of these sizes, those that are wanted."""
        for name, wanted in (("gamma", self.scale), ("beta", self.center)):
            if wanted:
                weight = self.add_weight(
                    shape=tuple(sizes),
                    initializer=getattr(self, f"{name}_initializer"),
                    regularizer=getattr(self, f"{name}_regularizer"),
                    constraint=getattr(self, f"{name}_constraint"),
                    name=name,
                )
                setattr(self, name, weight)

    def _place(self, rank: int, axis: int) -> int:
        """An axis counted from the front."""
        if not -rank <= axis < rank:
            raise ValueError(
                f"{type(self).__name__}: axis {axis} is out of bounds for an input of {rank} axes."
            )
        return axis % rank

    def _size(self, shape: Any, axis: int) -> int:
        """The size of an axis, which must be known."""
        size = shape[self._place(len(shape), axis)]
        if size is None:
            raise ValueError(
                f"Axis {axis} of input tensor should have a defined dimension but the layer "
                f"received an input with shape {tuple(shape)}."
            )
        return size


class LayerNormalization(Standardizing):
    """Normalises each sample over its last axis, or over the axes that are asked for.

    y = (x - mean) / sqrt(variance + epsilon) * gamma + beta

    Args:
        axis: over which mean and variance are taken; one, or several.
        epsilon: added to the variance.
        center, scale: whether there is a beta, a gamma.
        beta_initializer, gamma_initializer: names or functions of a shape.
        beta_regularizer, gamma_regularizer: added to the loss.
        beta_constraint, gamma_constraint: applied after every update.
        kwargs: what every Layer takes.

    Attributes:
        gamma, beta: the sizes of the input along `axis`; None if not wanted.

    Raises:
        TypeError: `axis` is no integer and no list of them.
        ValueError: there is no such axis, or its size is not known.

    Example:
        >>> LayerNormalization(epsilon=0.0)([[1.0, 3.0]]).numpy()
        array([[-1.,  1.]], dtype=float32)

    Source: keras.layers.LayerNormalization; Ba et al. 2016
    """

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        if kwargs.pop("rms_scaling", False):  # Keras writes rms_scaling=False into its files
            raise ValueError("LayerNormalization: rms_scaling=True is not there; leave it out.")
        if not isinstance(axis, int | list | tuple):
            raise TypeError(
                "Expected an int or a list/tuple of ints for the argument 'axis', "
                f"but received: {axis!r}"
            )
        super().__init__(**given(locals()))

    def _axes(self, rank: int) -> list[int]:
        axes = [self.axis] if isinstance(self.axis, int) else self.axis
        return sorted(self._place(rank, axis) for axis in axes)

    def build(self, input_shape: Any) -> None:
        """Makes gamma and beta."""
        axes = self._axes(len(input_shape))
        self._make_affine([self._size(input_shape, axis) for axis in axes])

    def call(self, inputs: Any) -> Any:
        """Normalised over the axes."""
        axes = self._axes(inputs.ndim)
        return nn.layer_normalization(inputs, self.gamma, self.beta, axes, self.epsilon)


class GroupNormalization(Standardizing):
    """Normalises groups of neighbouring channels of each sample, whatever the batch.

    y = (x - mean) / sqrt(variance + epsilon) * gamma + beta

    Args:
        groups: how many; they divide the channels. -1 makes every channel a group: instance
            normalisation.
        axis: where the channels are.
        epsilon: added to the variance.
        center, scale: whether there is a beta, a gamma.
        beta_initializer, gamma_initializer: names or functions of a shape.
        beta_regularizer, gamma_regularizer: added to the loss.
        beta_constraint, gamma_constraint: applied after every update.
        kwargs: what every Layer takes.

    Attributes:
        gamma, beta: (C,), or None if not wanted.

    Raises:
        ValueError: a number of groups that does not divide the channels.

    Example:
        >>> GroupNormalization(2, epsilon=0.0)([[1.0, 3.0, 20.0, 40.0]]).numpy()
        array([[-1.,  1., -1.,  1.]], dtype=float32)

    Source: keras.layers.GroupNormalization; Wu & He 2018
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Unpack[Common],
    ) -> None:
        arguments = given(locals())
        arguments.pop("groups")
        if not isinstance(groups, int) or (groups <= 0 and groups != -1):
            raise ValueError(
                "Received an invalid value for argument `groups`, expected a positive integer "
                f"(or `-1` for instance normalization). Received: groups={groups}"
            )
        super().__init__(**arguments)
        self.groups = groups

    def build(self, input_shape: Any) -> None:
        """Makes gamma and beta."""
        channels = self._size(input_shape, self.axis)
        if channels % max(self.groups, 1):
            raise ValueError(
                f"Number of groups ({self.groups}) must divide the number of channels ({channels})."
            )
        self._make_affine([channels])
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def call(self, inputs: Any) -> Any:
        """Normalised over each group."""
        x = moved(inputs, self._place(inputs.ndim, self.axis), inputs.ndim - 1)  # (N, ..., C)
        y = nn.group_normalization(x, self.gamma, self.beta, self.groups, self.epsilon)
        return moved(y, inputs.ndim - 1, self._place(inputs.ndim, self.axis))


def moved(x: Any, source: int, target: int) -> Any:
    """The same tensor with one axis at another place."""
    if source == target:
        return x
    rest = [axis for axis in range(x.ndim) if axis != source]
    return transpose(x, [*rest[:target], source, *rest[target:]])
