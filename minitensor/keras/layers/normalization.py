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

from minitensor import math, nn
from minitensor.array import (
    broadcast_to,
    cast,
    expand_dims,
    ones,
    ones_like,
    reshape,
    stack,
    stop_gradient,
    transpose,
    where,
    zeros,
    zeros_like,
)
from minitensor.autograd import Tensor, as_tensor, replicas
from minitensor.autograd.variable import VariableAggregation
from minitensor.docstrings import examples_of
from minitensor.keras import initializers
from minitensor.keras.engine import InputSpec, defaults
from minitensor.keras.engine.layer import Common
from minitensor.keras.engine.weight import ON_READ, Weight
from minitensor.keras.layers.affine import make_weight, read_rules
from minitensor.keras.layers.core import Elementwise
from minitensor.nn import checks
from minitensor.ops import batch_norm as ops

example = examples_of("tf.keras.layers", "")
MEAN = VariableAggregation.MEAN


class Standardizing(Elementwise):
    """What they share: gamma and beta, each or neither, and where they come from."""

    _settled = True
    gamma: Weight | None = None
    beta: Weight | None = None
    scale: bool  # whether there is a gamma
    center: bool  # whether there is a beta

    def _make_affine(self, sizes: Sequence[int]) -> None:
        """gamma and beta of these sizes, those that are wanted."""
        # Half precision is normalised in float32.
        self.gamma = make_weight(self, "gamma", sizes, autocast=False) if self.scale else None
        self.beta = make_weight(self, "beta", sizes, autocast=False) if self.center else None

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
        self.axis = [self.axis] if isinstance(self.axis, int) else list(self.axis)
        axes = self._axes(len(input_shape))
        self._make_affine([self._size(input_shape, axis) for axis in axes])

    def call(self, inputs: Any) -> Any:
        axes = self._axes(inputs.ndim)
        y = nn.layer_normalization(inputs, self.gamma, self.beta, axes, self.epsilon)
        return cast(y, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """What it was made with."""
        return super().get_config() | {"rms_scaling": False}


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
        y = moved(y, inputs.ndim - 1, self._from_front(inputs.ndim, self.axis))
        return cast(y, self.compute_dtype)


class BatchNormalization(Standardizing):
    """Normalises each channel by the mean and variance of all its pixels in the batch.

    In training mean and variance are the batch's, the variance divided by the number of pixels; and
    then moving = momentum * moving + (1 - momentum) * batch, which is no part of the derivative.
    Otherwise, and whenever the layer is not `trainable`, they are the moving ones.

    Args:
        axis: where the channels are: -1, or 1 for channels_first.
        momentum: how much of the moving statistics stays.
        moving_mean_initializer, moving_variance_initializer: names or functions of a shape.
        renorm: whether training normalises as the moving statistics would (Ioffe 2017): with
            r = deviation / renorm_stddev, d = (mean - renorm_mean) / renorm_stddev, both constant,
            y = (x' r + d) gamma + beta, x' normalised by the batch.
        renorm_clipping: {"rmin": of r, "rmax": of r, "dmax": of |d|}, or some of these.
        renorm_momentum: how much of renorm_mean and renorm_stddev stays.
        synchronized: whether mean and variance are those of the pixels of all replicas of
            `tf.distribute`, each of which otherwise normalises its own part of the batch.

    Attributes:
        gamma, beta: (C,), or None if not wanted.
        moving_mean, moving_variance: (C,), changed by calls in training.
        moving_stddev, renorm_mean, renorm_stddev: (C,), with `renorm`.

    Raises:
        ValueError: clipping that contradicts itself; a mask of other axes than the input's.

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
        super().__init__(**kwargs)
        if isinstance(axis, list | tuple) and len(axis) == 1:  # TensorFlow 2.0 wrote axis=[3]
            axis = axis[0]
        self.axis, self.epsilon, self.center, self.scale = int(axis), float(epsilon), center, scale
        read_rules(self, "gamma", gamma_initializer, gamma_regularizer, gamma_constraint)
        read_rules(self, "beta", beta_initializer, beta_regularizer, beta_constraint)
        self.momentum = float(momentum)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.renorm, self.renorm_momentum = bool(renorm), float(renorm_momentum)
        self.renorm_clipping = _clipping(renorm_clipping) if renorm else renorm_clipping
        self.synchronized = synchronized

    def build(self, input_shape: Any) -> None:
        channels = self._size(input_shape, self.axis)
        self._make_affine([channels])
        self.moving_mean = self._statistic("moving_mean", channels)
        self.moving_variance = self._statistic("moving_variance", channels)
        if self.renorm:
            self.moving_stddev = self._statistic("moving_stddev", channels, self._deviation)
            mean = self.moving_mean_initializer
            self.renorm_mean = self._statistic("renorm_mean", channels, mean)
            self.renorm_stddev = self._statistic("renorm_stddev", channels, self._deviation)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def _deviation(self, shape: Any, dtype: Any = None) -> Any:
        """The root of what the variance begins with."""
        return math.sqrt(self.moving_variance_initializer(shape, dtype=dtype))

    def _statistic(self, name: str, channels: int, start: Any = None) -> Weight:
        start = start or getattr(self, f"{name}_initializer")
        weight = self.add_weight(
            (channels,), initializer=start, trainable=False, autocast=False, name=name
        )
        # Each replica moves its own; after a step all have the mean of what they have become.
        weight.synchronization, weight.aggregation = ON_READ, MEAN
        return weight

    def get_config(self) -> dict[str, Any]:
        """What it was made with."""
        return super().get_config() | {"renorm_clipping": self.renorm_clipping}

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The normalised inputs; pixels where `mask` is False do not count in the statistics."""
        if mask is not None and mask.ndim != inputs.ndim - 1:
            raise ValueError(
                "The mask provided should be one dimension less than the inputs. Received: "
                f"mask.shape={tuple(mask.shape)}, inputs.shape={tuple(inputs.shape)}"
            )
        last, axis = inputs.ndim - 1, self._from_front(inputs.ndim, self.axis)
        x = moved(inputs, axis, last)  # (..., C)
        here = replicas.shared() if self.synchronized else None
        if training and self.trainable and (mask is not None or self.renorm or here is not None):
            return self._composed(inputs, axis, mask)
        if training and self.trainable:
            statistics = ops.moments(x)  # (2, C)
            self._remember(statistics)
            y = ops.batch_norm(x, statistics, *self._affine(statistics), epsilon=self.epsilon)
        else:
            # Half precision is normalised in float32, in which the kernels keep statistics.
            kept = [_wide(w) for w in (self.moving_mean, self.moving_variance)]
            y = ops.normalise(x, *kept, *self._affine(kept[0]), epsilon=self.epsilon)
        return moved(y, last, axis)

    def _composed(self, inputs: Any, axis: int, mask: Any) -> Any:
        """A call in training with a mask, or with renormalisation: the formula, op by op."""
        x = checks.widened(inputs)
        here = replicas.shared() if self.synchronized else None
        mean, variance = _moments(x, axis, mask) if here is None else _of_all(here, x, axis, mask)
        gamma, beta = self._affine(mean)
        if self.renorm:
            r, d = self._corrections(mean, variance)
            gamma, beta = r * gamma, d * gamma + beta
            self._remember_deviation(mean, math.sqrt(variance + self.epsilon))
        else:
            self._remember(Tensor(stack([mean, variance]).array))
        shape = [n if i == axis else 1 for i, n in enumerate(x.shape)]
        mean, variance, beta, gamma = (reshape(t, shape) for t in (mean, variance, beta, gamma))
        y = nn.batch_normalization(x, mean, variance, beta, gamma, self.epsilon)
        return cast(y, inputs.dtype)

    def _corrections(self, mean: Tensor, variance: Tensor) -> tuple[Any, Any]:
        """r and d, of which there is no derivative."""
        deviation = math.maximum(_wide(self.renorm_stddev), self.epsilon**0.5)
        r = math.sqrt(variance + self.epsilon) / deviation
        d = (mean - _wide(self.renorm_mean)) / deviation
        limits = self.renorm_clipping
        if limits.get("rmin") is not None:
            r = math.maximum(r, limits["rmin"])
        if limits.get("rmax") is not None:
            r = math.minimum(r, limits["rmax"])
        if limits.get("dmax") is not None:
            d = math.minimum(math.maximum(d, -limits["dmax"]), limits["dmax"])
        return stop_gradient(r), stop_gradient(d)

    def _remember_deviation(self, mean: Tensor, deviation: Tensor) -> None:
        """Moves the statistics of renormalisation; the variance follows from the deviation."""
        for kept, batch, momentum in (
            (self.renorm_mean, mean, self.renorm_momentum),
            (self.renorm_stddev, deviation, self.renorm_momentum),
            (self.moving_mean, mean, self.momentum),
            (self.moving_stddev, deviation, self.momentum),
        ):
            moved_on = _wide(kept).array * momentum + batch.array * (1 - momentum)
            kept.assign(cast(Tensor(moved_on), kept.dtype))
        variance = math.square(_wide(self.moving_stddev)) - self.epsilon
        self.moving_variance.assign(cast(nn.relu(variance), self.moving_variance.dtype))

    def _affine(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """gamma and beta in the type of the statistics, 1 and 0 where there is none."""
        shape, kind = self.moving_mean.shape, like.array.dtype
        gamma = ones(shape, kind) if self.gamma is None else _as(self.gamma, kind)
        beta = zeros(shape, kind) if self.beta is None else _as(self.beta, kind)
        return gamma, beta

    def _remember(self, statistics: Tensor) -> None:
        """Moves the moving statistics towards the batch's; raw arrays, which no tape sees."""
        for row, kept in enumerate((self.moving_mean, self.moving_variance)):
            batch = statistics.array[row] * (1 - self.momentum)
            kept.assign(cast(Tensor(_wide(kept).array * self.momentum + batch), kept.dtype))


def _clipping(given: Any) -> dict[str, Any]:
    """The limits of renormalisation, checked."""
    limits = dict(given or {})
    names = ["rmax", "rmin", "dmax"]
    if set(limits) - set(names):
        raise ValueError(
            f"Received invalid keys for `renorm_clipping` argument: {limits}. Supported values: "
            f"{names}."
        )
    rmax, rmin, dmax = (limits.get(name) for name in names)
    if (rmax is not None and rmin is not None and rmax < rmin) or (dmax is not None and dmax < 0):
        raise ValueError(
            "`renorm_clipping` needs rmax >= rmin and dmax >= 0. Received: "
            f"renorm_clipping={limits}"
        )
    return limits


def _moments(x: Tensor, axis: int, mask: Any) -> tuple[Tensor, Tensor]:
    """Mean and variance of each channel, (C,) each, over what a mask leaves."""
    others = [i for i in range(x.ndim) if i != axis]
    if mask is None:
        return nn.moments(x, others)
    kept = broadcast_to(cast(expand_dims(mask, -1), bool), x.shape)
    number = math.reduce_sum(cast(kept, x.dtype), others) + defaults.epsilon()
    zero = zeros_like(x)
    mean = math.reduce_sum(where(kept, x, zero), others) / number
    shape = [n if i == axis else 1 for i, n in enumerate(x.shape)]
    spread = where(kept, x - reshape(mean, shape), zero)
    return mean, math.reduce_sum(math.square(spread), others) / number


def _of_all(here: Any, x: Tensor, axis: int, mask: Any) -> tuple[Tensor, Tensor]:
    """Mean and variance of each channel over the pixels of all replicas, (C,) each.

    Two sums: of the pixels, then of their squared distances from the mean.
    """
    others = [i for i in range(x.ndim) if i != axis]
    ones_there = ones_like(x) if mask is None else cast(expand_dims(mask, -1), x.dtype)
    number = math.reduce_sum(broadcast_to(ones_there, x.shape), others)  # (C,)
    total = math.reduce_sum(x * ones_there, others)  # (C,)
    number, total = here.all_reduce("SUM", [number, total])
    mean = math.divide_no_nan(total, number)
    shape = [n if i == axis else 1 for i, n in enumerate(x.shape)]
    spread = math.reduce_sum(math.square(x - reshape(mean, shape)) * ones_there, others)  # (C,)
    return mean, math.divide_no_nan(here.all_reduce("SUM", spread), number)


def _as(weight: Weight, kind: Any) -> Tensor:
    """The value in a type, which it has as a rule."""
    return as_tensor(weight) if weight.array.dtype == kind else cast(weight, kind)


def _wide(weight: Weight) -> Tensor:
    """The value, in float32 if it is half precision."""
    return checks.widened(as_tensor(weight))


def moved(x: Any, source: int, target: int) -> Any:
    """The same tensor with one axis moved elsewhere."""
    if source == target:
        return x
    rest = [axis for axis in range(x.ndim) if axis != source]
    return transpose(x, [*rest[:target], source, *rest[target:]])
