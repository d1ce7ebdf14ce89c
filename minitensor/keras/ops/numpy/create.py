"""Tensors made of a few numbers: filled, counted off, windows of signals.

Of all: `dtype` None is the float type, or that of what is given.
"""

from __future__ import annotations

import math as constants
from typing import Any

import numpy as np

from minitensor.array import broadcast_to, fill
from minitensor.array import meshgrid as _meshgrid
from minitensor.autograd import Tensor, as_tensor
from minitensor.keras.engine import defaults
from minitensor.keras.ops.promotion import cast, floating, of_type, result_type, together
from minitensor.keras.ops.table import Operand, operation
from minitensor.ops import array as moves
from minitensor.ops import math

__all__ = [
    "arange", "array", "bartlett", "blackman", "empty", "empty_like", "eye", "full",
    "full_like", "geomspace", "hamming", "hanning", "identity", "kaiser", "linspace",
    "logspace", "meshgrid", "ones", "ones_like", "tri", "vander", "view", "zeros",
    "zeros_like",
]  # fmt: skip


def _type(dtype: Any) -> Any:
    return dtype or defaults.floatx()


def _sizes(shape: Any) -> Any:
    return [shape] if isinstance(shape, int) else shape


def zeros(shape: Any, dtype: Any = None) -> Tensor:
    """0 everywhere. Source: keras.ops.zeros"""
    return cast(fill(_sizes(shape), 0), _type(dtype))


def ones(shape: Any, dtype: Any = None) -> Tensor:
    """1 everywhere. Source: keras.ops.ones"""
    return cast(fill(_sizes(shape), 1), _type(dtype))


def empty(shape: Any, dtype: Any = None) -> Tensor:
    """0 everywhere. Source: keras.ops.empty"""
    return zeros(shape, dtype)


@operation
def full(shape: Any, fill_value: Operand, dtype: Any = None) -> Tensor:
    """One value everywhere. Source: keras.ops.full"""
    return broadcast_to(of_type(fill_value, _type(dtype)), _sizes(shape))


def _like(x: Any, value: Any, dtype: Any) -> Tensor:
    x = as_tensor(x)
    value = of_type(value, dtype or x.dtype, x)
    return broadcast_to(value, x.shape)


@operation
def zeros_like(x: Operand, dtype: Any = None) -> Tensor:
    """0, of the shape of x. Source: keras.ops.zeros_like"""
    return _like(x, 0, dtype)


@operation
def ones_like(x: Operand, dtype: Any = None) -> Tensor:
    """1, of the shape of x. Source: keras.ops.ones_like"""
    return _like(x, 1, dtype)


@operation
def empty_like(x: Operand, dtype: Any = None) -> Tensor:
    """0, of the shape of x. Source: keras.ops.empty_like"""
    return _like(x, 0, dtype)


@operation
def full_like(x: Operand, fill_value: Operand, dtype: Any = None) -> Tensor:
    """One value, of the shape of x. Source: keras.ops.full_like"""
    return _like(x, fill_value, dtype)


@operation
def array(x: Operand, dtype: Any = None) -> Tensor:
    """x as a tensor. Source: keras.ops.array"""
    return as_tensor(x) if dtype is None else cast(as_tensor(x), dtype)


@operation
def view(x: Operand, dtype: Any = None) -> Tensor:
    """The same bytes read as another type. Source: keras.ops.view"""
    x = as_tensor(x)
    kind = np.dtype(dtype or x.dtype)
    if x.ndim and x.shape[-1] * x.dtype.itemsize % kind.itemsize:
        raise ValueError(f"view: {x.shape!s} of {x.dtype.name} is no whole number of {kind.name}")
    if x.dtype.itemsize >= kind.itemsize:
        return Tensor(x.array.view(kind))
    return Tensor(x.array.copy().view(kind))


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """1 on diagonal k, 0 elsewhere. Source: keras.ops.eye"""
    return cast(as_tensor(np.eye(N, M, k, dtype=np.dtype("int8"))), _type(dtype))


def identity(n: int, dtype: Any = None) -> Tensor:
    """1 on the diagonal, 0 elsewhere. Source: keras.ops.identity"""
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """1 up to diagonal k, 0 above. Source: keras.ops.tri"""
    return cast(as_tensor(np.tri(N, M, k, dtype=np.dtype("int8"))), _type(dtype))


@operation
def arange(start: Operand, stop: Operand = None, step: Operand = None, dtype: Any = None) -> Tensor:
    """start, start + step, ... before stop. Source: keras.ops.arange"""
    given = [v for v in (start, stop, step) if v is not None]
    kinds = [getattr(v, "dtype", type(v)) for v in given]
    first, last = (0, start) if stop is None else (start, stop)
    numbers: Any = [np.asarray(v)[()] for v in (first, last, 1 if step is None else step)]
    return cast(as_tensor(np.arange(*numbers)), dtype or result_type(*kinds))


def _between(
    start: Any, stop: Any, num: int, endpoint: bool, dtype: Any, axis: int
) -> tuple[Tensor, Tensor]:
    """num numbers from start to stop, and the step."""
    a, b = together(start, stop, also=(float,) if dtype is None else (dtype, float))
    steps = num - 1 if endpoint else num
    step = (b - a) / (steps or constants.nan)
    at = np.arange(num).astype(a.dtype).reshape(-1, *[1] * max(a.ndim, b.ndim))
    apart = step if num > 1 else b - a
    return moves_to(a + apart * as_tensor(at, like=a), axis), step


def moves_to(x: Tensor, axis: int) -> Tensor:
    """The first axis moved to another place."""
    axis %= x.ndim
    order = list(range(1, x.ndim))
    order.insert(axis, 0)
    return moves.transpose(x, axes=tuple(order))


@operation
def linspace(
    start: Operand,
    stop: Operand,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """num numbers at equal distances. Source: keras.ops.linspace"""
    y, step = _between(start, stop, num, endpoint, dtype, axis)
    y = _whole(y, dtype)
    return (y, step) if retstep else y


def _whole(y: Tensor, dtype: Any) -> Tensor:
    if dtype is not None and np.dtype(dtype).kind in "iu":
        y = math.floor(y)
    return y if dtype is None else cast(y, dtype)


@operation
def logspace(
    start: Operand,
    stop: Operand,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10,
    dtype: Any = None,
    axis: int = 0,
) -> Tensor:
    """base to the power of numbers at equal distances. Source: keras.ops.logspace"""
    y, _ = _between(start, stop, num, endpoint, dtype, axis)
    y = math.power(as_tensor(float(base), y.dtype, like=y), y)
    return y if dtype is None else cast(y, dtype)


@operation
def geomspace(
    start: Operand,
    stop: Operand,
    num: int = 50,
    endpoint: bool = True,
    dtype: Any = None,
    axis: int = 0,
) -> Tensor:
    """num numbers of equal ratios. Source: keras.ops.geomspace"""
    a, b = together(start, stop, also=(float,) if dtype is None else (dtype, float))
    side = math.sign(a)
    y, _ = _between(math.log(math.absolute(a)), math.log(math.absolute(b)), num, endpoint, None, 0)
    y = moves_to(math.exp(y) * side, axis)
    return y if dtype is None else cast(y, dtype)


@operation
def meshgrid(*x: Operand, indexing: str = "xy") -> Any:
    """The coordinates of the points of a grid. Source: keras.ops.meshgrid"""
    return list(_meshgrid(*map(as_tensor, x), indexing=indexing))


@operation
def vander(x: Operand, N: int | None = None, increasing: bool = False) -> Tensor:
    """The powers of each number as a row. Source: keras.ops.vander"""
    x = as_tensor(x)
    n = x.shape[0] if N is None else N
    powers = np.arange(n) if increasing else np.arange(n)[::-1]
    base = floating(x)
    y = math.power(moves.reshape(base, shape=(-1, 1)), as_tensor(powers.astype(base.dtype), like=x))
    return cast(y, x.dtype)


# ----- windows of signals -----


def _window(values: np.ndarray) -> Tensor:
    return as_tensor(values.astype(defaults.floatx()))


def bartlett(x: Any) -> Tensor:
    """A triangle of x points. Source: keras.ops.bartlett"""
    return _window(np.bartlett(int(x)))


def blackman(x: Any) -> Tensor:
    """0.42 - 0.5 cos(2 pi t) + 0.08 cos(4 pi t), x points. Source: keras.ops.blackman"""
    return _window(np.blackman(int(x)))


def hamming(x: Any) -> Tensor:
    """0.54 - 0.46 cos(2 pi t), x points. Source: keras.ops.hamming"""
    return _window(np.hamming(int(x)))


def hanning(x: Any) -> Tensor:
    """0.5 - 0.5 cos(2 pi t), x points. Source: keras.ops.hanning"""
    return _window(np.hanning(int(x)))


def kaiser(x: Any, beta: Any) -> Tensor:
    """I_0(beta sqrt(1 - (2t - 1)^2)) / I_0(beta), x points. Source: keras.ops.kaiser"""
    return _window(np.kaiser(int(x), float(beta)))
