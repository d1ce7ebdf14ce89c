"""Our operations that are bound by memory: backend calls on raw arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import minitensor as mt
from benchmarks.cases import NotOffered, normal
from benchmarks.clock import Maker, Step
from benchmarks.memory import DEPTHWISE, PLAIN, POOLS, Operation, operation_of, shares
from minitensor.ops import activation, pool

EPSILON = 1e-3


def maker(be: Any, case: dict[str, Any]) -> Maker:
    """A maker of steps of one operation."""
    each = operation_of(case)
    if each.op == "transpose" and be.name == "numpy":
        raise NotOffered("NumPy's transpose is a view, which costs nothing")
    family = next(f for f in (_conv, _window, _norm, _plain) if each.op in FAMILIES[f])
    return lambda: family(be, each)


def _arrays(be: Any, arrays: Any) -> list[Any]:
    """Arrays as our tensors hold them."""
    return [be.asarray(be.array(array)) for array in arrays]


def _conv(be: Any, each: Operation) -> Step:
    n, channels = each.shape[0], each.shape[-1]
    shapes = each.shape, (each.taps, each.taps, 1, channels), (n, *each.window.out, channels)
    x, kernel, g = _arrays(be, normal(*shapes))
    window = each.window
    calls: dict[str, Step] = {
        "depthwise_forward": lambda: be.conv2d(x, kernel, window),
        "depthwise_input": lambda: be.conv2d_transpose(g, kernel, window),
        "depthwise_filter": lambda: be.conv2d_kernel_grad(x, g, window),
    }
    return calls[each.op]


def _window(be: Any, each: Operation) -> Step:
    window, places = each.window, (each.shape[0], *each.window.out, each.shape[-1])
    if each.op in ("im2col", "max_pool", "avg_pool"):
        (x,) = _arrays(be, normal(each.shape))
        return lambda: getattr(be, each.op)(x, window)
    if each.op == "col2im":
        columns = be.im2col(*_arrays(be, normal(each.shape)), window)
        return lambda: be.col2im(columns, window)
    x, g = _arrays(be, normal(each.shape, places))
    if each.op == "avg_pool_grad":
        return lambda: be.avg_pool_grad(g, window)
    x, g = mt.constant(x), mt.constant(g)
    return lambda: pool.max_pool2d_grad(g, x, window=window)


def _norm(be: Any, each: Operation) -> Step:
    channels = each.shape[-1:]
    x, g, scale, offset = _arrays(be, normal(each.shape, each.shape, channels, channels))
    statistics = be.moments(x)
    calls: dict[str, Step] = {
        "batch_norm": lambda: be.batch_norm(x, be.moments(x), scale, offset, EPSILON),
        "batch_norm_inference": lambda: be.batch_norm(x, statistics, scale, offset, EPSILON),
        "batch_norm_grad": lambda: be.batch_norm_grad(g, x, statistics, scale, EPSILON),
    }
    return calls[each.op]


def _plain(be: Any, each: Operation) -> Step:
    w, u, v, g, bias = normal(*[each.shape] * 4, each.shape[-1:])
    w, u, v, g, bias = _arrays(be, [w, u, v * v, g, bias])  # v: a mean of squares
    x, y = mt.constant(w), mt.constant(u)
    classes = each.shape[-1]
    logits, labels = w.reshape(-1, classes), be.asarray(shares(each.shape))
    ones = be.xp.ones(logits.shape[0], logits.dtype)
    calls: dict[str, Step] = {
        "relu": lambda: mt.nn.relu(x),
        "relu_grad": lambda: activation.through(y, x, "relu"),
        "gelu": lambda: mt.nn.gelu(x),
        "cross_entropy": lambda: [
            be.softmax_cross_entropy(labels, logits),
            be.softmax_cross_entropy_grad(ones, labels, logits),
        ],
        "add": lambda: x + y,
        "bias_relu": lambda: be.bias_activation(w, bias, "relu"),
        "sgd_momentum": lambda: _nothing(be.sgd_momentum(w, u, g, 0.01, 0.9, False, True)),
        "adam": lambda: _nothing(be.adam(w, u, v, g, 0.001, 0.9, 0.999, 1e-7, 10, True)),
        "transpose": lambda: be.transpose(w, (0, 3, 1, 2)),
    }
    return calls[each.op]


def _nothing(result: Any) -> None:
    """An update in place has no result to compare."""


FAMILIES: dict[Callable[[Any, Operation], Step], tuple[str, ...]] = {
    _conv: DEPTHWISE,
    _window: ("im2col", "col2im", *POOLS),
    _norm: tuple(op for op in PLAIN if "norm" in op),
    _plain: tuple(op for op in PLAIN if "norm" not in op),
}
