"""BatchNormalization: the layer whose output depends on the whole batch, and that remembers.

In training it normalises by the batch, and moves its two running statistics a little towards the
batch's. Afterwards it normalises by those. Their update is no part of the derivative.
"""

from __future__ import annotations

from typing import Any, Unpack

from minitensor.array import cast, ones, zeros
from minitensor.autograd import Tensor, as_tensor
from minitensor.keras import initializers
from minitensor.keras.engine import InputSpec
from minitensor.keras.engine.layer import Common
from minitensor.keras.engine.weight import Weight
from minitensor.keras.layers.geometry import given
from minitensor.keras.layers.normalization import Standardizing, moved
from minitensor.nn import checks
from minitensor.ops import batch_norm as ops


class BatchNormalization(Standardizing):
    """Normalises each channel by the mean and variance of all its pixels in the batch.

    y = (x - m) / sqrt(v + epsilon) * gamma + beta

    In training m and v are the batch's, v divided by the number of pixels; and then
    moving = momentum * moving + (1 - momentum) * batch. Otherwise, and whenever the layer is not
    `trainable`, m and v are the moving ones.

    Args:
        axis: where the channels are: -1, or 1 for channels_first.
        momentum: how much of the moving statistics stays.
        epsilon: added to the variance.
        center, scale: whether there is a beta, a gamma.
        beta_initializer, gamma_initializer: names or functions of a shape.
        moving_mean_initializer, moving_variance_initializer: likewise.
        beta_regularizer, gamma_regularizer: added to the loss.
        beta_constraint, gamma_constraint: applied after every update.
        renorm, renorm_clipping, renorm_momentum: batch renormalisation is not there; must be False.
        synchronized: ignored, as there is one device.
        kwargs: what every Layer takes.

    Attributes:
        gamma, beta: (C,), or None if not wanted.
        moving_mean, moving_variance: (C,), changed by calls in training.

    Raises:
        ValueError: there is no such axis, or its size is not known; `renorm`.

    Example:
        >>> layer = BatchNormalization(epsilon=0.0)
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
        arguments = given(locals())
        for name in ("renorm", "renorm_clipping", "renorm_momentum", "synchronized"):
            arguments.pop(name)
        if renorm:
            raise ValueError("BatchNormalization: renorm=True is not there; leave it out.")
        self.momentum = float(arguments.pop("momentum"))
        first, second = "moving_mean_initializer", "moving_variance_initializer"
        self.moving_mean_initializer = initializers.get(arguments.pop(first))
        self.moving_variance_initializer = initializers.get(arguments.pop(second))
        super().__init__(**arguments)
        # TensorFlow 2.0 wrote axis=[3] into its files.
        self.axis = int(axis[0] if isinstance(axis, list | tuple) and len(axis) == 1 else axis)

    def build(self, input_shape: Any) -> None:
        """Makes gamma and beta, and the moving statistics."""
        channels = self._size(input_shape, self.axis)
        self._make_affine([channels])
        self.moving_mean = self._statistic("moving_mean", channels)
        self.moving_variance = self._statistic("moving_variance", channels)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def _statistic(self, name: str, channels: int) -> Weight:
        start = getattr(self, f"{name}_initializer")
        return self.add_weight(shape=(channels,), initializer=start, trainable=False, name=name)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Normalised by the batch in training, else by the moving statistics."""
        last, place = inputs.ndim - 1, self._place(inputs.ndim, self.axis)
        x = moved(inputs, place, last)  # (..., C)
        if training and self.trainable:
            statistics = ops.moments(x)  # (2, C)
            self._remember(statistics)
            y = ops.batch_norm(x, statistics, *self._affine(statistics), epsilon=self.epsilon)
        else:
            # Half precision is normalised in float32, in which the kernels keep statistics.
            kept = [_wide(w) for w in (self.moving_mean, self.moving_variance)]
            y = ops.normalise(x, *kept, *self._affine(kept[0]), epsilon=self.epsilon)
        return moved(y, last, place)

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
