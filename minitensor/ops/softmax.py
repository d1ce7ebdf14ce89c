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
from minitensor.autograd import Tensor, primitive, to_device_of
from minitensor.backend.protocol import Backend
from minitensor.ops import array, math, reduce
from minitensor.ops.math import rounded_once


@primitive
def _softmax(be: Backend, x: Any, *, axis: int) -> Any:
    e = _shifted(be, x, axis)
    be.xp.exp(e, out=e)
    e /= e.sum(axis=axis, keepdims=True)
    return e


@primitive
def _log_softmax(be: Backend, x: Any, *, axis: int) -> Any:
    z = _shifted(be, x, axis)
    z -= be.xp.log(be.xp.exp(z).sum(axis=axis, keepdims=True))
    return z


@primitive
def _softmax_cross_entropy(be: Backend, labels: Any, x: Any) -> Any:
    return be.softmax_cross_entropy(labels, x)


@primitive
def _softmax_cross_entropy_grad(be: Backend, g: Any, labels: Any, x: Any) -> Any:
    return be.softmax_cross_entropy_grad(g, labels, x)


@primitive
def _sparse_cross_entropy(be: Backend, labels: Any, x: Any) -> Any:
    z = _shifted(be, x, -1)
    chosen = be.xp.take_along_axis(z, labels[..., None], axis=-1)[..., 0]
    return be.xp.log(be.xp.exp(z).sum(axis=-1)) - chosen


@primitive
def _sigmoid_cross_entropy(be: Backend, labels: Any, x: Any) -> Any:
    return be.xp.maximum(x, 0) - x * labels + be.xp.log1p(be.xp.exp(-be.xp.abs(x)))


def _shifted(be: Backend, x: Any, axis: int) -> Any:
    """x minus its maximum, so that the largest exponential is 1."""
    if not x.shape[axis]:
        return x.copy()
    return x - x.max(axis=axis, keepdims=True)


def _softmax_grad(g: Tensor, y: Tensor, x: Tensor, *, axis: int) -> Tensor:
    return y * (g - reduce.sum(g * y, axis=axis, keepdims=True))


def _log_softmax_grad(g: Tensor, y: Tensor, x: Tensor, *, axis: int) -> Tensor:
    return g - math.exp(y) * reduce.sum(g, axis=axis, keepdims=True)


def _labels_grad(g: Tensor, y: Tensor, labels: Tensor, x: Tensor) -> Tensor:
    return -(_column(g) * _log_softmax(x, axis=-1))


def _in_cotangent(h: Tensor, y: Tensor, g: Tensor, labels: Tensor, x: Tensor) -> Tensor:
    return reduce.sum(h * (_softmax(x, axis=-1) * _total(labels) - labels), axis=-1)


def _in_labels(h: Tensor, y: Tensor, g: Tensor, labels: Tensor, x: Tensor) -> Tensor:
    return _column(g) * (_total(h * _softmax(x, axis=-1)) - h)


def _in_logits(h: Tensor, y: Tensor, g: Tensor, labels: Tensor, x: Tensor) -> Tensor:
    p = _softmax(x, axis=-1)
    return _column(g) * _total(labels) * p * (h - _total(h * p))


def _sparse_grad(g: Tensor, y: Tensor, labels: Tensor, x: Tensor) -> Tensor:
    classes = backend.of(x.array).xp.arange(x.shape[-1])
    hot = to_device_of((labels.array[..., None] == classes).astype(x.dtype), x)
    return _column(g) * (_softmax(x, axis=-1) - hot)


def _column(g: Tensor) -> Tensor:
    """g with the axis that a cross entropy summed away put back, of size 1."""
    return array.reshape(g, shape=(*g.shape, 1))


def _total(x: Tensor) -> Tensor:
    return reduce.sum(x, axis=-1, keepdims=True)


_softmax.defvjp(_softmax_grad)
_log_softmax.defvjp(_log_softmax_grad)
_softmax_cross_entropy.defvjp(
    _labels_grad, lambda g, y, labels, x: _softmax_cross_entropy_grad(g, labels, x)
)
_softmax_cross_entropy_grad.defvjp(_in_cotangent, _in_labels, _in_logits)
_sparse_cross_entropy.defvjp(None, _sparse_grad)
_sigmoid_cross_entropy.defvjp(
    lambda g, y, labels, x: -(g * x), lambda g, y, labels, x: g * (math.sigmoid(x) - labels)
)

softmax = rounded_once(_softmax)
log_softmax = rounded_once(_log_softmax)
sparse_cross_entropy = rounded_once(_sparse_cross_entropy)
sigmoid_cross_entropy = rounded_once(_sigmoid_cross_entropy)


@rounded_once
def softmax_cross_entropy(labels: Tensor, x: Tensor, *, axis: int) -> Tensor:
    """-sum of labels * log softmax(x) along `axis`, which is moved to the end: rows are read."""
    order = [k for k in range(x.ndim) if k != axis % x.ndim]
    axes = (*order, axis % x.ndim)
    if axes != tuple(range(x.ndim)):
        labels, x = array.transpose(labels, axes=axes), array.transpose(x, axes=axes)
    return _softmax_cross_entropy(labels, x)
