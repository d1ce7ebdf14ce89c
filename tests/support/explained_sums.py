"""Random calls of all that is explained: the terms add up to the engine's number and TensorFlow's.

    python tests/support/explained_sums.py --count 500

A call is drawn for each op, of integers in every second one, and asks for the output or for one
gradient with a random cotangent. Of three numbers of each the terms are added again: of integers
the sum is the engine's number exactly, of floats within a rounding for each term; TensorFlow's is
the same where its CPU kernels take the call. What differs is printed, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from dataclasses import replace

import numpy as np

from minitensor.explain import ops
from minitensor.window import transposed_sizes


class Draw:
    """The arguments of one call, drawn from a seed."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.whole = bool(seed % 2)  # integers

    def number(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def pick(self, *values):
        return values[self.number(0, len(values) - 1)]

    def array(self, *shape: int) -> np.ndarray:
        if self.whole:
            return self.rng.integers(-4, 5, shape).astype(np.float32)
        return self.rng.normal(size=shape).astype(self.pick("float32", "float64"))

    def geometry(self, rank: int):
        """Sizes, taps, strides, dilations and a padding under which the window fits."""
        taps, dilations = ([self.number(1, 3) for _ in range(rank)] for _ in range(2))
        strides = [self.number(1, 3) for _ in range(rank)]
        dilations = dilations if self.number(0, 1) else [1] * rank
        spans = [(k - 1) * d + 1 for k, d in zip(taps, dilations, strict=True)]
        padding = self.pick("SAME", "VALID")
        more = 0 if padding == "VALID" else 1 - max(spans)
        sizes = [max(s + self.number(more, 3), 1) for s in spans]
        return sizes, taps, strides, dilations, padding


def conv(rank, draw):
    sizes, taps, strides, dilations, padding = draw.geometry(rank)
    groups, each, made = draw.number(1, 2), draw.number(1, 2), draw.number(1, 2)
    x = draw.array(draw.number(1, 2), *sizes, groups * each)
    w = draw.array(*taps, each, groups * made).astype(x.dtype)
    words = {"padding": padding, "dilations": dilations if rank > 1 else dilations[0]}
    if rank == 1:
        return (x, w), {**words, "stride": strides[0]}
    if rank == 3:
        words["dilations"] = [1, *dilations, 1]
    return (x, w), {**words, "strides": [1, *strides, 1]}


def explicit(draw):
    """conv2d with pads on each side; channels first at times."""
    (_, w), words = conv(2, draw)
    spans = [(k - 1) * d + 1 for k, d in zip(w.shape, words["dilations"], strict=False)]
    sizes = [n + draw.number(0, 2) for n in spans]
    pads = [[draw.number(0, 2), draw.number(0, 2)] for _ in sizes]
    channels = w.shape[2] * draw.pick(*(g for g in (1, 2) if w.shape[3] % g == 0))
    if draw.number(0, 1):
        x, order = draw.array(2, *sizes, channels), {"padding": [[0, 0], *pads, [0, 0]]}
    else:
        x, order = draw.array(2, channels, *sizes), {"padding": "VALID", "data_format": "NCHW"}
    return (x.astype(w.dtype), w), {**words, **order, "strides": draw.number(1, 3)}


def depthwise(draw):
    sizes, taps, strides, _, padding = draw.geometry(2)
    channels = draw.number(1, 3)
    x = draw.array(1, *sizes, channels)
    w = draw.array(*taps, channels, draw.number(1, 2)).astype(x.dtype)
    return (x, w), {"strides": max(strides), "padding": padding}


def separable(draw):
    (x, w), words = depthwise(draw)
    between = w.shape[2] * w.shape[3]
    return (x, w, draw.array(1, 1, between, draw.number(1, 3)).astype(x.dtype)), words


def transposed(rank, draw):
    positions, taps, strides, dilations, padding = draw.geometry(rank)
    positions = [min(n, 3) for n in positions]
    groups, each, made = draw.number(1, 2), draw.number(1, 2), draw.number(1, 2)
    y = draw.array(1, *positions, groups * made)
    w = draw.array(*taps, each, groups * made).astype(y.dtype)
    axes = zip(positions, taps, strides, dilations, strict=True)
    legal = [transposed_sizes(*axis, (0, 0) if padding == "VALID" else padding) for axis in axes]
    shape = [1, *(draw.pick(*(n for n in range_ if n)) for range_ in legal), groups * each]
    steps = strides[0] if rank == 1 else [1, *strides, 1]
    apart = dilations[0] if rank == 1 else [1, *dilations, 1]
    return (y, w, shape), {"strides": steps, "padding": padding, "dilations": apart}


def pool(rank, draw):
    sizes, taps, strides, _, padding = draw.geometry(rank)
    sizes = [max(n, k) for n, k in zip(sizes, taps, strict=True)]
    settings = {"ksize": [1, *taps, 1], "strides": [1, *strides, 1], "padding": padding}
    if rank == 1:
        settings |= {"ksize": taps[0], "strides": strides[0]}
    return (draw.array(2, *sizes, draw.number(1, 2)),), settings


def upsampling(draw):
    rank = draw.number(1, 3)
    x = draw.array(1, *(draw.number(1, 4) for _ in range(rank)), 2)
    method = draw.pick("nearest", "bilinear") if rank == 2 else "nearest"
    return (x,), {"size": [draw.number(1, 3) for _ in range(rank)], "interpolation": method}


def resize(draw):
    x = draw.array(1, draw.number(1, 6), draw.number(1, 6), 2)
    size = [draw.number(1, 13), draw.number(1, 13)]
    return (x, size), {"method": draw.pick("nearest", "bilinear")}


def dense(draw):
    x = draw.array(draw.number(1, 3), draw.number(1, 9))
    w = draw.array(x.shape[1], draw.number(1, 4)).astype(x.dtype)
    return (x, w), {"bias": draw.array(w.shape[1]).astype(x.dtype)} if draw.number(0, 1) else {}


def causal(draw):
    (x, w), words = conv(1, draw)
    return (x, w), {"stride": words["stride"], "dilations": words["dilations"]}


def any_pool(draw):
    """nn.pool: two axes, dilated where the stride is 1, as TensorFlow wants it."""
    (x,), words = pool(2, draw)
    settings = {"pooling_type": draw.pick("MAX", "AVG"), "padding": words["padding"]}
    return (x, words["ksize"][1:-1]), {**settings, "strides": words["strides"][1:-1]}


def atrous(draw):
    (x, w), _ = conv(2, draw)
    x = x[..., : w.shape[2]]  # one group
    return (x, w, draw.number(1, 2)), {"padding": "SAME"}


def patches(draw):
    (x,), words = pool(2, draw)
    return (x,), {"sizes": words["ksize"], "strides": words["strides"], "padding": words["padding"]}


def norm(draw, *more, vectors=1):
    c = draw.pick(2, 4)
    x = draw.array(draw.number(2, 3), 2, draw.number(1, 3), c)
    return (x, *(draw.array(c).astype(x.dtype) for _ in range(2 * vectors)), *more), {}


def given_norm(draw):
    (x, scale, offset), _ = norm(draw)
    mean, variance = draw.array(x.shape[-1]), np.abs(draw.array(x.shape[-1])) + 1
    return (x, mean.astype(x.dtype), variance.astype(x.dtype), offset, scale, 0.01), {}


def inference(draw):
    (x, mean, variance, offset, scale, epsilon), _ = given_norm(draw)
    return (x, scale, offset, mean, variance, epsilon), {"is_training": False}


def lrn(draw):
    x = draw.array(1, 2, 2, 5)
    return (x,), {"depth_radius": draw.number(0, 2), "alpha": 0.5, "bias": 2.0, "beta": 0.75}


def loss(draw):
    logits = draw.array(draw.number(1, 3), 4)
    labels = np.abs(draw.array(*logits.shape)).astype(logits.dtype) + 1
    labels /= labels.sum(-1, keepdims=True)  # TensorFlow's gradient takes that for granted
    return (labels, logits), {}


def sparse_loss(draw):
    logits = draw.array(3, 4)
    return (draw.rng.integers(0, 4, 3), logits), {}


RANKS = (1, 2, 3)
CASES = {
    **{f"conv{r}d": (lambda d, r=r: conv(r, d), ("input", "filter", "bias")) for r in RANKS},
    "explicit": (explicit, ("input", "filter", "bias")),
    "depthwise_conv2d": (depthwise, ("input", "filter", "bias")),
    "separable_conv2d": (separable, ("input", "depthwise_filter", "pointwise_filter", "bias")),
    **{
        f"conv{r}d_transpose": (lambda d, r=r: transposed(r, d), ("input", "filter")) for r in RANKS
    },
    **{
        f"{kind}_pool{r}d": (lambda d, r=r: pool(r, d), ("input",))
        for r in RANKS
        for kind in ("max", "avg")
    },
    "max_pool_with_argmax": (lambda d: pool(2, d), ("input",)),
    "pool": (any_pool, ("input",)),
    "atrous_conv2d": (atrous, ("value", "filter", "bias")),
    "convolution": (lambda d: conv(2, d), ("input", "filter", "bias")),
    "global_avg_pool": (lambda d: ((d.array(2, 3, 2, 2),), {}), ("input",)),
    "global_max_pool": (lambda d: ((d.array(2, 3, 2, 2),), {}), ("input",)),
    "upsampling": (upsampling, ("input",)),
    "resize": (resize, ("images",)),
    "dense": (dense, ("input", "kernel", "bias")),
    "causal_conv1d": (causal, ("input", "filter", "bias")),
    "im2col": (patches, ("input",)),
    "fused_batch_norm": (norm, ("x", "scale", "offset")),
    "inference": (inference, ("x", "scale", "offset")),
    "batch_normalization": (given_norm, ("x",)),
    "layer_normalization": (norm, ("x", "scale", "offset")),
    "instance_normalization": (norm, ("x", "scale", "offset")),
    "group_normalization": (lambda d: norm(d, 2), ("x", "scale", "offset")),
    "lrn": (lrn, ("input",)),
    "softmax_cross_entropy_with_logits": (loss, ("logits",)),
    "sparse_softmax_cross_entropy_with_logits": (sparse_loss, ("logits",)),
}
CALLED = {"explicit": "conv2d", "inference": "fused_batch_norm"}


def drawn_calls(name, count):
    """So many calls of a kind, of its output or of one gradient: (draw, op, call)."""
    draw_call, grads = CASES[name]
    op_name, op = ops.find(CALLED.get(name, name))
    for seed in range(count):
        draw = Draw(seed)
        arguments, settings = draw_call(draw)
        grad = draw.pick(None, *grads)
        call = ops.run(op_name, op, arguments, dict(settings), None, None)
        if grad is not None:
            back = draw.array(*call.output.shape)
            call = ops.run(op_name, op, arguments, dict(settings), grad, back)
        yield draw, op, call


def theirs(tf, op, call):
    """TensorFlow's output, or gradient, of a call; None where its CPU kernels refuse."""
    given = {
        k: tf.constant(v.numpy()) if hasattr(v, "numpy") else v for k, v in call.arguments.items()
    }
    path = "compat.v1." + op.path if "fused" in op.path else op.path
    there = replace(op, path=path)
    if there.function(tf) is None or wrong_there(call):
        return None
    try:
        return ops.computed(tf, there, given, call.asked, call.gradient)[1]
    except (tf.errors.OpError, ValueError, TypeError, LookupError):
        return None


def wrong_there(call):
    """What parity/known_tf_bugs.py proves of three axes: wide strides, ties of maxima."""
    a = call.arguments
    if "3d" not in call.op:
        return False
    taps = a["ksize"][1:-1] if "ksize" in a else a["filters"].shape[:3]
    beyond = any(s > k for s, k in zip(a["strides"][1:-1], taps, strict=True))
    return beyond or (call.op == "max_pool3d" and call.asked != "output")


def compared(name, count, tf=None):
    """Calls of a kind, sums of them, how many of these were exact, and calls that TensorFlow took.

    Raises:
        ArithmeticError: the terms do not add up to the engine's number.
        AssertionError: TensorFlow computes something else.
    """
    found = Counter()
    for draw, op, call in drawn_calls(name, count):
        tracer = op.build(call).tracer
        there = None if tf is None else theirs(tf, op, call)
        found["calls"] += 1
        found["of TensorFlow"] += there is not None
        for _ in range(3):
            at = tuple(int(draw.rng.integers(n)) for n in call.numbers.shape)
            total = tracer.sum(at).checked()
            found["sums"] += 1
            found["exact"] += total.is_exact
            if there is not None:
                bound = 4 * total.bound
                assert abs(total.total - float(there[at])) <= bound, (name, call.arguments)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500, help="calls of each op")
    given = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    import tensorflow as tf

    every, differ = Counter(), 0
    for name in CASES:
        try:
            found = compared(name, given.count, tf)
        except (ArithmeticError, AssertionError) as problem:
            differ += 1
            print(f"{name}: {problem}")
            continue
        every += found
        print(f"{name}: {', '.join(f'{n} {word}' for word, n in found.items())}", flush=True)
    print(f"{len(CASES)} ops, {differ} differ: {dict(every)}")
    return int(bool(differ))


if __name__ == "__main__":
    sys.exit(main())
