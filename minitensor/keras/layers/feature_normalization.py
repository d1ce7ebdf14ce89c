"""Normalization: a layer that was shown data, and takes the mean of each feature to 0.

Not here: normalisation by the statistics of a batch or a sample (`normalization.py`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, Unpack

import numpy as np

from minitensor import array
from minitensor import math as tf_math
from minitensor.autograd import Tensor, as_tensor
from minitensor.keras.engine import defaults
from minitensor.keras.engine.layer import Common
from minitensor.keras.layers.core import Elementwise

Moments = tuple[Any, Any]


class Normalization(Elementwise):
    """Takes each feature to mean 0 and variance 1, by statistics of data shown before.

    y = (x - mean) / max(sqrt(variance), epsilon), epsilon = keras.config.epsilon()

    Args:
        axis: the axes along which features differ, one or several; None: one mean for all.
        mean, variance: of the features, if they are known; else `adapt` finds them.
        invert: whether it is undone instead: x * max(sqrt(variance), epsilon) + mean.
        kwargs: what every Layer takes.

    Attributes:
        adapt_mean, adapt_variance: weights of the sizes along `axis`, where none were given.
        mean, variance: the same with axes of size 1 for all others.

    Raises:
        ValueError: only one of `mean` and `variance`, or shapes that do not fit; an axis that is
            not there, or whose size is not known.

    Example:
        >>> import minitensor as tf
        >>> import numpy as np
        >>> layer = tf.keras.layers.Normalization()
        >>> layer.adapt(np.array([[1.0, 10.0], [3.0, 30.0]]))
        >>> layer([[2.0, 30.0]]).numpy()
        array([[0., 1.]], dtype=float32)

    Source: keras.layers.Normalization
    """

    def __init__(
        self,
        axis: Any = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(**kwargs)
        self.axis = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        self.input_mean, self.input_variance, self.invert = mean, variance, invert
        _check_given(mean, variance, self.axis)

    def build(self, input_shape: Any) -> None:
        rank = len(input_shape)
        if any(not -rank <= axis < rank for axis in self.axis):
            raise ValueError(
                "All `axis` values must be in the range [-ndim, ndim). Received inputs with "
                f"ndim={rank}, while axis={self.axis}"
            )
        self._kept = sorted(axis % rank for axis in self.axis)
        sizes = [input_shape[axis] for axis in self._kept]
        if None in sizes:
            raise ValueError(
                "All `axis` values to be kept must have a known shape. Received "
                f"axis={self.axis}, inputs.shape={tuple(input_shape)}"
            )
        self._open = [n if i in self._kept else 1 for i, n in enumerate(input_shape)]
        if self.input_mean is None:
            self.adapt_mean = self._statistic("mean", sizes, "zeros")
            self.adapt_variance = self._statistic("variance", sizes, "ones")
            self.count = self._statistic("count", (), "zeros", "int64")  # Keras' files have it
        else:  # aligned from the right, as NumPy broadcasts
            self._given_moments = [
                np.broadcast_to(np.asarray(x, self.compute_dtype), sizes).reshape(self._open)
                for x in (self.input_mean, self.input_variance)
            ]

    def _statistic(self, name: str, shape: Any, start: str, dtype: Any = None) -> Any:
        return self.add_weight(
            shape=shape, initializer=start, dtype=dtype, trainable=False, name=name
        )

    @property
    def mean(self) -> Tensor | None:
        """The mean of each feature, to be broadcast against the input; None before `build`."""
        return self._moment(0)

    @property
    def variance(self) -> Tensor | None:
        """The variance of each feature, likewise."""
        return self._moment(1)

    def _moment(self, which: int, like: Any = None) -> Any:
        if not self.built:
            return None
        if self.input_mean is not None:
            return as_tensor(self._given_moments[which], like=like)
        return array.reshape((self.adapt_mean, self.adapt_variance)[which], self._open)

    def adapt(self, data: Any) -> None:
        """Finds mean and variance of each feature.

        Args:
            data: an array; or a data set, a PyDataset or an iterable of batches, of whose tuples
                (x, y) the first counts.

        Raises:
            ValueError: `mean` was given to the constructor; no batch; sizes along `axis` that are
                not those that the layer was built for.
            TypeError: what is none of these.
        """
        if self.input_mean is not None:
            raise ValueError("Normalization: `adapt` finds what `mean` and `variance` said already")
        if isinstance(data, np.ndarray | Tensor):
            self._learn(self._moments_of(np.asarray(data)))
        else:
            self._learn(self._moments_of_batches(_batches(data)))

    def _learn(self, moments: Moments) -> None:
        for kept, found in zip((self.adapt_mean, self.adapt_variance), moments, strict=True):
            kept.assign(np.asarray(found, kept.dtype.name))

    def _moments_of(self, x: np.ndarray) -> Moments:
        """Mean and variance of each feature; the first x builds the layer."""
        if not self.built:
            self.build(x.shape)
        rank = len(self._open)
        if x.ndim != rank or any(x.shape[axis] != self._open[axis] for axis in self._kept):
            raise ValueError(
                f"The layer was built for inputs of {rank} axes with sizes {self._open} along "
                f"axis={self.axis}, but adapt() got data of shape {x.shape}"
            )
        others = tuple(axis for axis in range(rank) if axis not in self._kept)
        return np.mean(x, axis=others), np.var(x, axis=others)

    def _moments_of_batches(self, batches: Iterable[np.ndarray]) -> Moments:
        """The moments of all batches together, each weighted by the numbers behind it."""
        mean = variance = total = 0.0
        for x in batches:
            batch_mean, batch_variance = self._moments_of(x.astype(np.float64))
            count = math.prod(n for i, n in enumerate(x.shape) if i not in self._kept)
            total += count
            new, old = count / total, 1 - count / total
            found = mean * old + batch_mean * new
            spread = batch_variance + (batch_mean - found) ** 2
            variance = (variance + (mean - found) ** 2) * old + spread * new
            mean = found
        if not total:
            raise ValueError("adapt() received no batches; expected at least one.")
        return mean, variance

    def call(self, inputs: Any) -> Any:
        x = array.cast(inputs, self.compute_dtype)
        mean, variance = self._moment(0, x), self._moment(1, x)
        deviation = tf_math.maximum(tf_math.sqrt(variance), defaults.epsilon())
        return mean + x * deviation if self.invert else (x - mean) / deviation

    def get_config(self) -> dict[str, Any]:
        """What it was made with; arrays as lists."""
        given = {"mean": self.input_mean, "variance": self.input_variance}
        lists = {name: np.array(value).tolist() for name, value in given.items()}
        return super().get_config() | {"axis": self.axis} | lists


def _check_given(mean: Any, variance: Any, axis: tuple[int, ...]) -> None:
    """Refuses a mean without a variance, and shapes that do not fit."""
    if (mean is None) != (variance is None):
        raise ValueError(
            "When setting values directly, both `mean` and `variance` must be set. Received: "
            f"mean={mean} and variance={variance}"
        )
    if np.shape(mean) != np.shape(variance) or np.ndim(mean) > len(axis):
        raise ValueError(
            "When setting values directly, `mean` and `variance` must have the same shape, of no "
            f"more axes than `axis`={axis}. Received: mean of shape {np.shape(mean)} and "
            f"variance of shape {np.shape(variance)}"
        )


def _batches(data: Any) -> Iterator[np.ndarray]:
    """The inputs of the batches of a data set, a PyDataset or an iterable, as arrays."""
    spec = getattr(data, "element_spec", None)
    first = spec[0] if isinstance(spec, tuple) else spec
    if first is not None and len(first.shape) == 1:  # single samples, as Keras takes them
        data = data.batch(128)
    if hasattr(data, "__getitem__") and hasattr(data, "__len__"):
        data = map(data.__getitem__, range(len(data)))
    if not hasattr(data, "__iter__"):
        raise TypeError(
            f"`adapt` takes an array, a tensor, a data set, a PyDataset or an iterable of batches. "
            f"Received: {type(data)}"
        )
    for batch in data:
        x = batch[0] if isinstance(batch, tuple) else batch
        if not hasattr(x, "shape"):
            raise TypeError(
                "adapt() expects batches that are arrays or tensors; got one of type "
                f"{type(x).__name__}: wrap it, np.array(...)"
            )
        yield np.asarray(x)
