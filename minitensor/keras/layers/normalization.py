"""Layers that take the mean away and divide by the standard deviation, then scale and shift.

y = (x - mean) / sqrt(variance + epsilon) * gamma + beta

They differ in what the statistics are taken over, for x (N, H, W, C):

    LayerNormalization   C: one mean per pixel, the same in training and after it
    GroupNormalization   H, W and some channels: one per image and group; groups=-1: per channel
    BatchNormalization   N, H, W: the whole batch's; the layer remembers them

Args of all: epsilon, added to the variance; center and scale, whether there is a beta, a gamma;
beta_initializer and gamma_initializer, names or functions of a shape; beta_regularizer and
gamma_regularizer, added to the loss; beta_constraint and gamma_constraint, applied after every
update; kwargs, what every Layer takes. Raises of all: ValueError, there is no such axis, or its
size is not known. Source of all: keras.layers, by the same names, and the papers named.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from minitensor import nn
from minitensor.array import cast, ones, transpose, zeros
from minitensor.autograd import Tensor, as_tensor
from minitensor.docstrings import examples_of
from minitensor.keras import initializers
from minitensor.keras.engine import InputSpec
from minitensor.keras.engine.layer import Common
from minitensor.keras.engine.weight import Weight
from minitensor.keras.layers.affine import make_weight, read_rules
from minitensor.keras.layers.core import Elementwise
from minitensor.nn import checks
from minitensor.ops import batch_norm as ops

example = examples_of("tf.keras.layers", "")


class Standardizing(Elementwise):
    """What they share: gamma and beta, each or neither, and where they come from."""

    gamma: Weight | None = None
    beta: Weight | None = None
    scale: bool  # whether there is a gamma
    center: bool  # whether there is a beta

    def _make_affine(self, sizes: Sequence[int]) -> None:
        """gamma and beta of these sizes, those that are wanted."""
        self.gamma = make_weight(self, "gamma", sizes) if self.scale else None
        self.beta = make_weight(self, "beta", sizes) if self.center else None

    def _from_front(self, rank: int, axis: int) -> int:
        """An axis counted from the front."""
        if not -rank <= axis < rank:
            raise ValueError(
                f"{type(self).__name__}: axis {axis} is out of bounds for an input of {rank} axes."
            )
        return axis % rank

    def _size(self, shape: Any, axis: int) -> int:
        """The size of an axis, which must be known."""
        size = shape[self._from_front(len(shape), axis)]
        if size is None:
            raise ValueError(
                f"Axis {axis} of input tensor should have a defined dimension but the layer "
                f"received an input with shape {tuple(shape)}."
            )
        return size


@example("LayerNormalization(epsilon=0.0)([[1.0, 3.0]]).numpy()", "[[-1.,  1.]]", "Ba et al. 2016")
class LayerNormalization(Standardizing):
    """Normalises each sample over its last axis, or over the axes that are asked for.

    Args:
        axis: over which mean and variance are taken; one, or several.

    Attributes:
        gamma, beta: the sizes of the input along `axis`; None if not wanted.

    Raises:
        TypeError: `axis` is no integer and no list of them.
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
        super().__init__(**kwargs)
        self.axis, self.epsilon, self.center, self.scale = axis, float(epsilon), center, scale
        read_rules(self, "gamma", gamma_initializer, gamma_regularizer, gamma_constraint)
        read_rules(self, "beta", beta_initializer, beta_regularizer, beta_constraint)

    def _axes(self, rank: int) -> list[int]:
        axes = [self.axis] if isinstance(self.axis, int) else self.axis
        return sorted(self._from_front(rank, axis) for axis in axes)

    def build(self, input_shape: Any) -> None:
        axes = self._axes(len(input_shape))
        self._make_affine([self._size(input_shape, axis) for axis in axes])

    def call(self, inputs: Any) -> Any:
        axes = self._axes(inputs.ndim)
        return nn.layer_normalization(inputs, self.gamma, self.beta, axes, self.epsilon)


@example(
    "GroupNormalization(2, epsilon=0.0)([[1.0, 3.0, 20.0, 40.0]]).numpy()",
    "[[-1.,  1., -1.,  1.]]",
    "Wu & He 2018",
)
class GroupNormalization(Standardizing):
    """Normalises groups of neighbouring channels of each sample, whatever the batch.

    Args:
        groups: how many; they divide the channels. -1 makes every channel a group: instance
            normalisation.
        axis: where the channels are.

    Attributes:
        gamma, beta: (C,), or None if not wanted.

    Raises:
        ValueError: a number of groups that does not divide the channels.
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
        if not isinstance(groups, int) or (groups <= 0 and groups != -1):
            raise ValueError(
                "Received an invalid value for argument `groups`, expected a positive integer "
                f"(or `-1` for instance normalization). Received: groups={groups}"
            )
        super().__init__(**kwargs)
        self.axis, self.epsilon, self.center, self.scale = axis, float(epsilon), center, scale
        read_rules(self, "gamma", gamma_initializer, gamma_regularizer, gamma_constraint)
        read_rules(self, "beta", beta_initializer, beta_regularizer, beta_constraint)
        self.groups = groups

    def build(self, input_shape: Any) -> None:
        channels = self._size(input_shape, self.axis)
        if channels % max(self.groups, 1):
            raise ValueError(
                f"Number of groups ({self.groups}) must divide the number of channels ({channels})."
            )
        self._make_affine([channels])
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def call(self, inputs: Any) -> Any:
        x = moved(inputs, self._from_front(inputs.ndim, self.axis), inputs.ndim - 1)  # (N, ..., C)
        y = nn.group_normalization(x, self.gamma, self.beta, self.groups, self.epsilon)
        return moved(y, inputs.ndim - 1, self._from_front(inputs.ndim, self.axis))


class BatchNormalization(Standardizing):
    """Normalises each channel by the mean and variance of all its pixels in the batch.

    In training mean and variance are the batch's, the variance divided by the number of pixels; and
    then moving = momentum * moving + (1 - momentum) * batch, which is no part of the derivative.
    Otherwise, and whenever the layer is not `trainable`, they are the moving ones.

    Args:
        axis: where the channels are: -1, or 1 for channels_first.
        momentum: how much of the moving statistics stays.
        moving_mean_initializer, moving_variance_initializer: names or functions of a shape.
        renorm, renorm_clipping, renorm_momentum: batch renormalisation is not there; must be False.
        synchronized: ignored, as there is one device.

    Attributes:
        gamma, beta: (C,), or None if not wanted.
        moving_mean, moving_variance: (C,), changed by calls in training.

    Raises:
        ValueError: `renorm`.

    Example:
        >>> import minitensor as tf
        >>> layer = tf.keras.layers.BatchNormalization(epsilon=0.0)
        >>> layer([[1.0], [3.0]], training=True).numpy().ravel()
        array([-1.,  1.], dtype=float32)
        >>> layer.moving_mean.numpy()
        array([0.02], dtype=float32)

    Source: keras.layers.BatchNormalization; Ioffe & Szegedy 2015
    """

    def __init__(
        self,
        axis: Any = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Unpack[Common],
    ) -> None:
        if renorm:
            raise ValueError("BatchNormalization: renorm=True is not there; leave it out.")
        super().__init__(**kwargs)
        if isinstance(axis, list | tuple) and len(axis) == 1:  # TensorFlow 2.0 wrote axis=[3]
            axis = axis[0]
        self.axis, self.epsilon, self.center, self.scale = int(axis), float(epsilon), center, scale
        read_rules(self, "gamma", gamma_initializer, gamma_regularizer, gamma_constraint)
        read_rules(self, "beta", beta_initializer, beta_regularizer, beta_constraint)
        self.momentum = float(momentum)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)

    def build(self, input_shape: Any) -> None:
        channels = self._size(input_shape, self.axis)
        self._make_affine([channels])
        self.moving_mean = self._statistic("moving_mean", channels)
        self.moving_variance = self._statistic("moving_variance", channels)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def _statistic(self, name: str, channels: int) -> Weight:
        start = getattr(self, f"{name}_initializer")
        return self.add_weight(shape=(channels,), initializer=start, trainable=False, name=name)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        last, axis = inputs.ndim - 1, self._from_front(inputs.ndim, self.axis)
        x = moved(inputs, axis, last)  # (..., C)
        if training and self.trainable:
            statistics = ops.moments(x)  # (2, C)
            self._remember(statistics)
            y = ops.batch_norm(x, statistics, *self._affine(statistics), epsilon=self.epsilon)
        else:
            # Half precision is normalised in float32, in which the kernels keep statistics.
            kept = [_wide(w) for w in (self.moving_mean, self.moving_variance)]
            y = ops.normalise(x, *kept, *self._affine(kept[0]), epsilon=self.epsilon)
        return moved(y, last, axis)

    def _affine(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """gamma and beta in the type of the statistics, 1 and 0 where there is none."""
        shape, kind = self.moving_mean.shape, like.dtype
        gamma = ones(shape, kind) if self.gamma is None else cast(self.gamma, kind)
        beta = zeros(shape, kind) if self.beta is None else cast(self.beta, kind)
        return gamma, beta

    def _remember(self, statistics: Tensor) -> None:
        """Moves the moving statistics towards the batch's; raw arrays, which no tape sees."""
        for row, kept in enumerate((self.moving_mean, self.moving_variance)):
            batch = statistics.array[row] * (1 - self.momentum)
            kept.assign(cast(Tensor(_wide(kept).array * self.momentum + batch), kept.dtype))


def _wide(weight: Weight) -> Tensor:
    """The value, in float32 if it is half precision."""
    return checks.widened(as_tensor(weight))


def moved(x: Any, source: int, target: int) -> Any:
    """The same tensor with one axis moved elsewhere."""
    if source == target:
        return x
    rest = [axis for axis in range(x.ndim) if axis != source]
    return transpose(x, [*rest[:target], source, *rest[target:]])
