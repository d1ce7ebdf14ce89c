"""Softmax and the cross entropies, from logits: shifted by the maximum, so nothing overflows.

Each is one primitive, because as compositions they would pass over memory three times as often
and lose digits. For labels t and logits x along one axis:

    softmax       p_i = exp(x_i) / sum exp(x)
    log_softmax   log p_i
    softmax_cross_entropy(t, x) = -sum t_i log p_i,   d/dx = p sum(t) - t,   d/dt = -log p

The derivative holds for labels of any sum. TensorFlow's, p - t, is right only if they sum to 1.
"""

from __future__ import annotations

from typing import Any

from minitensor import backend
from minitensor.autograd import Tensor, primitive
from minitensor.ops import array, math, reduce
from minitensor.ops.half import rounded_once


@primitive
def _softmax(be: Any, x: Any, *, axis: int) -> Any:
    e = _shifted(be, x, axis)
    be.xp.exp(e, out=e)
    e /= e.sum(axis=axis, keepdims=True)
    return e


@primitive
def _log_softmax(be: Any, x: Any, *, axis: int) -> Any:
    z = _shifted(be, x, axis)
    z -= be.xp.log(be.xp.exp(z).sum(axis=axis, keepdims=True))
    return z


@primitive
def _softmax_cross_entropy(be: Any, labels: Any, x: Any, *, axis: int) -> Any:
    z = _shifted(be, x, axis)
    z -= be.xp.log(be.xp.exp(z).sum(axis=axis, keepdims=True))
    z *= labels
    return -z.sum(axis=axis)


@primitive
def _sparse_cross_entropy(be: Any, labels: Any, x: Any) -> Any:
    z = _shifted(be, x, -1)
    chosen = be.xp.take_along_axis(z, labels[..., None], axis=-1)[..., 0]
    return be.xp.log(be.xp.exp(z).sum(axis=-1)) - chosen


@primitive
def _sigmoid_cross_entropy(be: Any, labels: Any, x: Any) -> Any:
    return be.xp.maximum(x, 0) - x * labels + be.xp.log1p(be.xp.exp(-be.xp.abs(x)))


def _shifted(be: Any, x: Any, axis: int) -> Any:
    """x minus its maximum, so that the largest exponential is 1."""
    if not x.shape[axis]:
        return x.copy()
    return x - x.max(axis=axis, keepdims=True)


def _softmax_grad(g: Tensor, y: Tensor, x: Tensor, *, axis: int) -> Tensor:
    return y * (g - reduce.sum(g * y, axis=axis, keepdims=True))


def _log_softmax_grad(g: Tensor, y: Tensor, x: Tensor, *, axis: int) -> Tensor:
    return g - math.exp(y) * reduce.sum(g, axis=axis, keepdims=True)


def _logits_grad(g: Tensor, y: Tensor, labels: Tensor, x: Tensor, *, axis: int) -> Tensor:
    total = reduce.sum(labels, axis=axis, keepdims=True)
    return _along(g, x, axis) * (_softmax(x, axis=axis) * total - labels)


def _labels_grad(g: Tensor, y: Tensor, labels: Tensor, x: Tensor, *, axis: int) -> Tensor:
    return -(_along(g, x, axis) * _log_softmax(x, axis=axis))


def _sparse_grad(g: Tensor, y: Tensor, labels: Tensor, x: Tensor) -> Tensor:
    xp = backend.of(x.array).xp
    hot = Tensor((labels.array[..., None] == xp.arange(x.shape[-1])).astype(x.dtype))
    return _along(g, x, -1) * (_softmax(x, axis=-1) - hot)


def _along(g: Tensor, x: Tensor, axis: int) -> Tensor:
    """g with the axis that a cross entropy summed away put back, of size 1."""
    axis %= x.ndim
    return array.reshape(g, shape=(*g.shape[:axis], 1, *g.shape[axis:]))


_softmax.defvjp(_softmax_grad)
_log_softmax.defvjp(_log_softmax_grad)
_softmax_cross_entropy.defvjp(_labels_grad, _logits_grad)
_sparse_cross_entropy.defvjp(None, _sparse_grad)
_sigmoid_cross_entropy.defvjp(
    lambda g, y, labels, x: -(g * x),
    lambda g, y, labels, x: g * (math.sigmoid(x) - labels),
)

softmax = rounded_once(_softmax)
log_softmax = rounded_once(_log_softmax)
softmax_cross_entropy = rounded_once(_softmax_cross_entropy)
sparse_cross_entropy = rounded_once(_sparse_cross_entropy)
sigmoid_cross_entropy = rounded_once(_sigmoid_cross_entropy)
