"""Layers that disturb a net in training, and do nothing afterwards; and one that adds to the loss.

Args of all: seed, an integer makes the draws the same in every run; kwargs, what every Layer takes.
Source of all: keras.layers, by the same names, and the papers named.
"""

from __future__ import annotations

from typing import Any, Unpack

from minitensor import nn, random
from minitensor.array import where, zeros_like
from minitensor.docstrings import examples_of
from minitensor.keras.engine import InputSpec
from minitensor.keras.engine.defaults import layout
from minitensor.keras.engine.layer import Common, Named
from minitensor.keras.engine.seed_stream import SeedStream
from minitensor.keras.layers.core import Elementwise
from minitensor.keras.layers.geometry import joined, split
from minitensor.keras.regularizers import L1L2

example = examples_of("tf.keras.layers", "")


@example("Dropout(0.5)([1.0, 2.0]).numpy()", "[1., 2.]", "Srivastava et al. 2014")
class Dropout(Elementwise):
    """Zeroes numbers with probability `rate` in training; scales the others: the mean stays.

    y = x / (1 - rate) where u >= rate, else 0; u uniform in [0, 1)

    Args:
        rate: probability of zero, in [0, 1].
        noise_shape: shape of u, broadcast against x; a None in it is the size of x.

    Raises:
        ValueError: a rate outside [0, 1], or a noise shape that is no list of sizes.
    """

    def __init__(
        self, rate: float, noise_shape: Any = None, seed: Any = None, **kwargs: Unpack[Common]
    ) -> None:
        super().__init__(**kwargs)
        if not 0 <= rate <= 1:
            raise ValueError(
                "Invalid value received for argument `rate`. Expected a float value between 0 "
                f"and 1. Received: rate={rate}"
            )
        self.rate, self.noise_shape, self.seed_stream = rate, _noise(noise_shape), SeedStream(seed)

    @property
    def seed(self) -> Any:
        """What it was made with."""
        return self.seed_stream.seed

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or not self.rate:
            return inputs
        if self.rate == 1:
            return zeros_like(inputs)
        return nn.dropout(inputs, self.rate, self._noise(inputs), self.seed_stream.next_seed())

    def _noise(self, x: Any) -> Any:
        """The shape of u."""
        return self.noise_shape


_SPATIAL = """Drops whole channels of {images}: neighbours are too alike for `Dropout` to matter.

Args:
    rate: probability of zero, in [0, 1].{layout}
    name, dtype: as every Layer has them.

Example:
    >>> import minitensor as tf
    >>> tf.keras.layers.SpatialDropout{rank}D(0.5)(tf.ones({shape})).shape
    TensorShape({shape})

Source: keras.layers.SpatialDropout{rank}D; Tompson et al. 2014
"""
_LAYOUT = '\n    data_format: "channels_last" (default) or "channels_first".'


class SpatialDropout(Dropout):
    """What SpatialDropout1D, 2D and 3D have in common: all but the rank."""

    rank: int
    data_format = "channels_last"

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: Any = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self.data_format = layout(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _noise(self, x: Any) -> Any:
        batch, spatial, channels = split(x.shape, self.data_format)
        return joined(batch, (1,) * len(spatial), channels, self.data_format)

    def get_config(self) -> dict[str, Any]:
        """Its arguments, which are fewer than those of other layers."""
        config = super().get_config()
        config.pop("trainable")
        return config


class SpatialDropout1D(SpatialDropout):
    __doc__ = _SPATIAL.format(rank=1, images="sequences", layout="", shape=[1, 2, 1])
    rank = 1

    def __init__(
        self, rate: float, seed: Any = None, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(rate, "channels_last", seed, name, dtype)


class SpatialDropout2D(SpatialDropout):
    __doc__ = _SPATIAL.format(rank=2, images="images", layout=_LAYOUT, shape=[1, 1, 2, 1])
    rank = 2


class SpatialDropout3D(SpatialDropout):
    __doc__ = _SPATIAL.format(rank=3, images="volumes", layout=_LAYOUT, shape=[1, 1, 1, 2, 1])
    rank = 3


@example("GaussianNoise(0.1)([1.0, 2.0]).numpy()", "[1., 2.]")
class GaussianNoise(Elementwise):
    """y = x + e in training, e ~ N(0, stddev^2) for each number.

    Args:
        stddev: of the noise, in [0, 1].

    Raises:
        ValueError: a deviation outside [0, 1].
    """

    def __init__(self, stddev: float, seed: Any = None, **kwargs: Unpack[Common]) -> None:
        super().__init__(**kwargs)
        if not 0 <= stddev <= 1:
            raise ValueError(
                "Invalid value received for argument `stddev`. Expected a float value between 0 "
                f"and 1. Received: stddev={stddev}"
            )
        self.stddev, self.seed_stream = stddev, SeedStream(seed)

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or not self.stddev:
            return inputs
        seed = self.seed_stream.next_seed()
        return random.normal(inputs.shape, inputs, self.stddev, inputs.dtype, seed)


class _Random(Elementwise):
    """Dropout that keeps more than the mean, by `rate` in [0, 1)."""

    def __init__(self, rate: float, seed: Any, kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(
                "Invalid value received for argument `rate`. Expected a float value of at least 0 "
                f"and less than 1. Received: rate={rate}"
            )
        self.rate, self.seed_stream = rate, SeedStream(seed)

    @property
    def seed(self) -> Any:
        """What it was made with."""
        return self.seed_stream.seed


@example("GaussianDropout(0.5)([1.0, 2.0]).numpy()", "[1., 2.]", "Srivastava et al. 2014")
class GaussianDropout(_Random):
    """y = x * e in training, e ~ N(1, rate / (1 - rate)) for each number: Dropout's variance.

    Args:
        rate: as of `Dropout`, less than 1.

    Raises:
        ValueError: a rate outside [0, 1).
    """

    def __init__(self, rate: float, seed: Any = None, **kwargs: Unpack[Common]) -> None:
        super().__init__(rate, seed, kwargs)

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or not self.rate:
            return inputs
        deviation = (self.rate / (1 - self.rate)) ** 0.5
        seed = self.seed_stream.next_seed()
        return inputs * random.normal(inputs.shape, 1.0, deviation, inputs.dtype, seed)


_ALPHA = -1.7580993408473766  # what SELU tends to on the left: -alpha * scale


@example("AlphaDropout(0.5)([1.0, 2.0]).numpy()", "[1., 2.]", "Klambauer et al. 2017")
class AlphaDropout(_Random):
    """Dropout for nets of SELU: mean 0 and variance 1 stay what they are.

    y = a * (x where u >= rate, else p) + b; p = -1.7581, what SELU tends to on the left, u uniform,
    a = ((1 - rate) (1 + rate p^2))^-1/2, b = -a p rate

    Args:
        rate: probability of p, in [0, 1).
        noise_shape: shape of u, broadcast against x; a None in it is the size of x.

    Raises:
        ValueError: a rate outside [0, 1), or a noise shape that is no list of sizes.
    """

    def __init__(
        self, rate: float, noise_shape: Any = None, seed: Any = None, **kwargs: Unpack[Common]
    ) -> None:
        super().__init__(rate, seed, kwargs)
        self.noise_shape = _noise(noise_shape)

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or not self.rate:
            return inputs
        given = self.noise_shape or inputs.shape
        shape = [inputs.shape[i] if n is None else n for i, n in enumerate(given)]
        kept = random.uniform(shape, seed=self.seed_stream.next_seed()) >= self.rate
        a = ((1 - self.rate) * (1 + self.rate * _ALPHA**2)) ** -0.5
        return where(kept, inputs, _ALPHA) * a - a * _ALPHA * self.rate


class ActivityRegularization(Elementwise):
    """y = x, and (l1 * sum |x| + l2 * sum x^2) / N is added to the loss, for a batch of N.

    Args:
        l1, l2: factors, not negative.

    Example:
        >>> import minitensor as tf
        >>> layer = tf.keras.layers.ActivityRegularization(l1=1.0)
        >>> y = layer([[-1.0, 2.0]])
        >>> layer.losses[0].numpy()
        np.float32(3.0)
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Unpack[Named]) -> None:
        super().__init__(activity_regularizer=L1L2(l1, l2), **kwargs)
        self.l1, self.l2 = l1, l2

    def call(self, inputs: Any) -> Any:
        return inputs


def _noise(shape: Any) -> tuple[int | None, ...] | None:
    """Sizes, each positive or None."""
    if shape is None:
        return None
    sizes = tuple(shape) if isinstance(shape, list | tuple) else (shape,)
    if not isinstance(shape, list | tuple) or not all(
        n is None or (isinstance(n, int) and n > 0) for n in sizes
    ):
        raise ValueError(
            "Invalid value received for argument `noise_shape`. Expected a tuple or list of "
            f"positive integers or None. Received: noise_shape={shape}"
        )
    return sizes
