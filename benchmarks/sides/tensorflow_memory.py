"""TensorFlow's operations that are bound by memory: the ops that its gradients call.

Updates are those of its optimizers' own ops, in place.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.cases import NotOffered, normal
from benchmarks.clock import Maker, Step
from benchmarks.memory import DEPTHWISE, Operation, operation_of, shares

EPSILON = 1e-3
raw = tf.raw_ops


def maker(case: dict[str, Any]) -> Maker:
    """A maker of steps of one operation."""
    each = operation_of(case)
    if each.op in ("im2col", "col2im"):
        raise NotOffered("TensorFlow has this for patches of another order only")
    if each.op in DEPTHWISE:
        return lambda: _depthwise(each)
    if "pool" in each.op:
        return lambda: _pool(each)
    if "norm" in each.op:
        return lambda: _norm(each)
    return lambda: _plain(each)


def _depthwise(each: Operation) -> Step:
    channels = each.shape[-1]
    places, filters = (
        (each.shape[0], *each.window.out, channels),
        (each.taps, each.taps, channels, 1),
    )
    x, kernel, g = map(tf.constant, normal(each.shape, filters, places))
    pads = [0, 0, *[each.window.pad[0][0]] * 4, 0, 0]
    stride = [1, each.stride, each.stride, 1]
    how = {"strides": stride, "padding": "EXPLICIT", "explicit_paddings": pads}
    image = {"input_sizes": each.shape, "filter": kernel, "out_backprop": g}
    weight = {"input": x, "filter_sizes": filters, "out_backprop": g}
    calls: dict[str, Step] = {
        "depthwise_forward": lambda: raw.DepthwiseConv2dNative(input=x, filter=kernel, **how),
        "depthwise_input": lambda: raw.DepthwiseConv2dNativeBackpropInput(**image, **how),
        "depthwise_filter": lambda: raw.DepthwiseConv2dNativeBackpropFilter(**weight, **how),
    }
    return calls[each.op]


def _pool(each: Operation) -> Step:
    """Means are padded as "SAME" pads, which is the window's own way but for where it begins."""
    places = (each.shape[0], *each.window.out, each.shape[-1])
    x, g = map(tf.constant, normal(each.shape, places))
    padding = "SAME" if each.window.pad[0][0] else "VALID"
    how: dict[str, Any] = {
        "ksize": [1, each.taps, each.taps, 1],
        "strides": [1, each.stride, each.stride, 1],
    }
    how |= {"padding": padding}
    y = raw.MaxPool(input=x, **how)
    calls: dict[str, Step] = {
        "max_pool": lambda: raw.MaxPool(input=x, **how),
        "avg_pool": lambda: raw.AvgPool(value=x, **how),
        "max_pool_grad": lambda: raw.MaxPoolGrad(orig_input=x, orig_output=y, grad=g, **how),
        "avg_pool_grad": lambda: raw.AvgPoolGrad(orig_input_shape=each.shape, grad=g, **how),
    }
    return lambda: _silent(calls[each.op]()) if padding == "SAME" else calls[each.op]()


def _norm(each: Operation) -> Step:
    channels = each.shape[-1:]
    x, g, scale, offset = map(tf.constant, normal(each.shape, each.shape, channels, channels))
    mean, variance = tf.nn.moments(x, (0, 1, 2))
    given = {"x": x, "scale": scale, "offset": offset, "epsilon": EPSILON}
    none = tf.zeros(0)
    done = raw.FusedBatchNormV3(**given, mean=none, variance=none)
    saved = {f"reserve_space_{i}": getattr(done, f"reserve_space_{i}") for i in (1, 2, 3)}
    back = {"y_backprop": g, "x": x, "scale": scale, "epsilon": EPSILON, **saved}
    fixed = {"mean": mean, "variance": variance, "is_training": False}
    calls: dict[str, Step] = {
        "batch_norm": lambda: raw.FusedBatchNormV3(**given, mean=none, variance=none)[0],
        "batch_norm_inference": lambda: raw.FusedBatchNormV3(**given, **fixed)[0],
        "batch_norm_grad": lambda: raw.FusedBatchNormGradV3(**back)[0],
    }
    return calls[each.op]


def _plain(each: Operation) -> Step:
    w, u, v, g, bias = normal(*[each.shape] * 4, each.shape[-1:])
    x, y, b = tf.constant(w), tf.constant(u), tf.constant(bias)
    if each.op in ("sgd_momentum", "adam"):
        return _update(each.op, [tf.Variable(a) for a in (w, u, v * v)], tf.constant(g))
    rows = {
        "features": tf.reshape(x, (-1, each.shape[-1])),
        "labels": tf.constant(shares(each.shape)),
    }
    calls: dict[str, Step] = {
        "relu": lambda: tf.nn.relu(x),
        "relu_grad": lambda: raw.ReluGrad(gradients=y, features=x),
        "gelu": lambda: tf.nn.gelu(x),
        "add": lambda: x + y,
        "bias_relu": lambda: tf.nn.relu(tf.nn.bias_add(x, b)),
        "cross_entropy": lambda: list(raw.SoftmaxCrossEntropyWithLogits(**rows)),
        "transpose": lambda: tf.transpose(x, (0, 3, 1, 2)),
    }
    return calls[each.op]


def _update(op: str, variables: list[Any], gradient: Any) -> Step:
    """In place, so there is no result to compare."""
    rate, *decays, epsilon = map(tf.constant, np.array([0.001, 0.9, 0.999, 1e-7], np.float32))
    names = ("beta1_power", "beta2_power", "beta1", "beta2")
    adam = {"epsilon": epsilon, **dict(zip(names, 2 * decays, strict=True))}

    def step() -> None:
        weight, first, second = (variable.handle for variable in variables)
        given = {"var": weight, "lr": rate, "grad": gradient}
        if op == "adam":
            raw.ResourceApplyAdam(**given, m=first, v=second, **adam)
        else:
            raw.ResourceApplyKerasMomentum(**given, accum=first, momentum=decays[0])

    return step


def _silent(result: Any) -> None:
    """Windows of "SAME" begin elsewhere, so their numbers are not compared."""
