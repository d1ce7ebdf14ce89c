"""Dropout, and two small companions of every layer: bias_add and zero_fraction.

For all of them:
    Args: `x`, `value`: a tensor of any shape, of floats or, where nothing is drawn, of integers.
        `name`: ignored.
    Returns: the shape of `x` or `value`, if nothing else is said.
    Raises: TypeError for what holds no numbers.
    Source: the function of tf.nn with the same name, and the papers named.
"""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from minitensor.autograd import Tensor, align, as_tensor, to_device_of
from minitensor.autograd.tensor import ArrayLike, is_float
from minitensor.backend.generator import generator
from minitensor.docstrings import examples_of
from minitensor.nn import checks
from minitensor.ops import activation, array, math, reduce

__all__ = ["bias_add", "dropout", "zero_fraction"]
example = examples_of("tf.nn")


@example("dropout([1.0, 1.0, 1.0, 1.0], 0.5, seed=1)", "[0., 2., 2., 2.]", "Srivastava et al. 2014")
def dropout(
    x: Any, rate: Any, noise_shape: Any = None, seed: int | None = None, name: str | None = None
) -> Tensor:
    """Zeroes elements with probability `rate` and scales the others so that the mean stays.

    y = x / (1 - rate) where u >= rate, else 0; u uniform in [0, 1)

    Args:
        rate: probability of zero, in [0, 1).
        noise_shape: shape of u, broadcast against x: (N, 1, 1, C) drops whole channels. A None
            in it is the size of x.
        seed: makes this call the same every time; None draws from the shared generator.

    Raises:
        TypeError: `x` are no floats, or `rate` is no number.
        ValueError: `rate` is outside [0, 1), or `noise_shape` does not broadcast to x.
    """
    (values,) = checks.floats("dropout", x=x)
    rate = _rate(rate)
    if rate == 0:
        return values
    kept = generator(seed).random(_noise_shape(noise_shape, values.shape), np.float32) >= rate
    return math.where(to_device_of(kept, values), values * (1 / (1 - rate)), 0)


def _rate(rate: Any) -> float:
    """The probability as a float in [0, 1)."""
    if isinstance(rate, bool) or not isinstance(rate, numbers.Real | ArrayLike | np.ndarray):
        raise TypeError(f"dropout: rate must be a number, got {rate!r}")
    if not 0 <= float(rate) < 1:
        raise ValueError(
            f"dropout: rate must be in [0, 1), got {float(rate)}; it is the fraction to drop"
        )
    return float(rate)


def _noise_shape(noise_shape: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape to draw; it must repeat to that of x."""
    if noise_shape is None:
        return shape
    asked = tuple(noise_shape)
    noise = tuple(n if m is None else int(m) for m, n in zip(asked, shape, strict=False))
    if len(asked) != len(shape) or any(m not in (1, n) for m, n in zip(noise, shape, strict=True)):
        raise ValueError(
            f"dropout: noise_shape {asked} must have an axis of size 1 or equal to that of x for "
            f"each axis of {shape}"
        )
    return noise


@example("zero_fraction([0.0, 1.0, 0.0, 3.0])", "np.float32(0.5)")
def zero_fraction(value: Any, name: str | None = None) -> Tensor:
    """The fraction of elements that are exactly 0: how sparse a relu has made them.

    Returns:
        A float32 scalar; NaN if there are no elements.
    """
    x = as_tensor(value, what="zero_fraction: value")
    nought = math.logical_not(x) if x.dtype == np.bool_ else math.equal(x, 0)
    return reduce.mean(math.cast(nought, dtype="float32"), axis=None)


def bias_add(
    value: Any, bias: Any, data_format: str | None = None, name: str | None = None
) -> Tensor:
    """y[n, ..., c] = value[n, ..., c] + bias[c].

    Args:
        value: (N, ..., C), or (N, C, ...) if `data_format` begins with "NC"; floats or integers.
        bias: (C,); it is never broadcast, not even from size 1.
        data_format: "N...C" or "NC..."; None puts the channels last.

    Raises:
        TypeError: `value` and `bias` have different dtypes.
        ValueError: `value` has fewer than 2 axes, or `bias` is not (C,).

    Example:
        >>> import minitensor as tf
        >>> tf.nn.bias_add([[1.0, 2.0], [3.0, 4.0]], [10.0, 20.0]).numpy()
        array([[11., 22.],
               [13., 24.]], dtype=float32)
    """
    return biased(value, bias, data_format, "linear")


def biased(value: Any, bias: Any, data_format: str | None, after: str) -> Tensor:
    """`bias_add`, then "linear", "relu" or "relu6": a single pass where the channels are last."""
    last = _bias_last(data_format)
    x, b = align("bias_add", value=value, bias=bias)
    if x.ndim < 2:
        raise ValueError(f"bias_add: value must have 2 or more axes, got shape {x.shape}")
    channels = x.shape[-1 if last else 1]
    checks.per_channel("bias_add", channels, bias=b)
    if last and is_float(x.dtype):
        return activation.bias_activation(x, b, activation=after)
    y = x + (b if last else array.reshape(b, shape=(channels, *[1] * (x.ndim - 2))))
    return y if after == "linear" else getattr(activation, after)(y)


def _bias_last(data_format: Any) -> bool:
    """Any layout word that TensorFlow spells: channels first if it begins with NC."""
    if data_format is None:
        return True
    word = data_format if isinstance(data_format, str) else ""
    if word.startswith("NC"):
        return False
    if not (word.startswith("N") and word.endswith("C")):
        raise ValueError(f'bias_add: data_format must be "N...C" or "NC...", got {data_format!r}')
    return True
