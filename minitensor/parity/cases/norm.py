"""Cases of normalisation, activations, losses and dropout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from minitensor.parity.case import FLOATS, HALVES, Case, T, call, literal

AREA = "norms, curves, losses"
ALL = FLOATS + HALVES
NAN, INF = float("nan"), float("inf")
EDGES = (-INF, -6.0, -1.0, -0.0, 0.0, 1.0, 6.0, INF, NAN)
NAMES = """relu relu6 elu selu leaky_relu gelu swish silu softplus softsign crelu sigmoid tanh
softmax log_softmax"""
CURVES = NAMES.split()


def cases() -> Iterator[Case]:
    """Every case of the family."""
    for case in activations():
        yield replace(case, dtypes=ALL)
    for part in (edges, biases, statistics, lengths, fused, layers, responses, losses):
        yield from part()
    yield from sparse_losses()
    yield from dropout()
    for case in (*every_curve(), *every_statistic(), *every_loss()):
        yield replace(case, dtypes=("float64",))
    yield from narrow()


def activations() -> Iterator[Case]:
    """Every curve on a few shapes."""
    for name in CURVES:
        for shape in ((5,), (3, 4), (2, 3, 2, 3)):
            yield call(f"nn.{name}", shape)
        yield call(f"nn.{name}", literal((2, 4), 0.5, -3, 7, 0.125, 6.5, -8, 2, 5))
    yield call("nn.leaky_relu", (3, 4), alpha=0.3)
    yield call("nn.gelu", (3, 4), approximate=True)
    yield call("nn.swish", (3, 4), beta=1.5)
    for axis in (0, 1, -2):
        yield call("nn.softmax", (2, 3, 4), axis=axis)
        yield call("nn.log_softmax", (2, 3, 4), axis=axis)
    yield call("nn.crelu", (2, 3, 4), axis=1)


def edges() -> Iterator[Case]:
    """Values and first gradients at -inf, 0, the kinks, inf and nan."""
    for name in CURVES[:-2]:
        yield replace(call(f"nn.{name}", literal((9,), *EDGES)), order=1)
    yield replace(call("nn.gelu", literal((5,), -INF, -1, 0, INF, NAN), approximate=True), order=1)
    rows = ((INF, 0.0), (NAN, 0.0), (-INF, -INF), (1000.0, 0.0), (-INF, 0.0))
    for name in ("nn.softmax", "nn.log_softmax"):
        for row in rows:
            yield replace(call(name, literal((1, 2), *row)), order=0)
        yield call(name, (0, 3))


def biases() -> Iterator[Case]:
    """bias_add in both layouts and any rank."""
    for shape in ((4, 3), (2, 5, 3), (2, 4, 5, 3), (1, 2, 2, 2, 3), (0, 3)):
        yield replace(call("nn.bias_add", shape, (3,)), dtypes=ALL)
    for shape in ((2, 3, 4), (2, 3, 4, 5), (1, 3, 2, 2, 2)):
        yield call("nn.bias_add", shape, (3,), data_format="NC..")
    yield replace(call("nn.bias_add", (2, 3), (3,)), dtypes=("int32",), order=0)


def statistics() -> Iterator[Case]:
    """moments and batch_normalization."""
    for axes in ([0], [0, 1], [0, 1, 2], [-1], [1, 2]):
        for keepdims in (False, True):
            case = call("nn.moments", (2, 3, 4, 3), axes=axes, keepdims=keepdims)
            yield replace(case, dtypes=ALL if keepdims else FLOATS)
    yield call("nn.moments", literal((3,), 1, 2, 4), axes=[0])
    for shape, stats in (((5, 3), (3,)), ((2, 4, 4, 3), (3,)), ((2, 3, 2, 3), (1, 1, 1, 3))):
        x, one, variance = T(shape), T(stats), T(stats, "positive")
        op = "nn.batch_normalization"
        yield call(op, x, one, variance, one, one, variance_epsilon=1e-3)
        only = call(op, x, one, variance, offset=None, scale=None, variance_epsilon=1e-5)
        yield only
        yield replace(only, settings={**only.settings, "variance_epsilon": 0.1}, dtypes=ALL)
        args, settings = ("$0", "$1", "$2"), {"variance_epsilon": 1e-3}
        yield Case(op, (x, one, variance, one), args, {**settings, "offset": "$3", "scale": None})
        yield Case(op, (x, one, variance, one), args, {**settings, "offset": None, "scale": "$3"})


def lengths() -> Iterator[Case]:
    """l2_loss, l2_normalize, and the share of zeros."""
    for shape in ((6,), (3, 4), (2, 3, 4)):
        yield replace(call("nn.l2_loss", shape), dtypes=ALL)
        yield replace(call("nn.l2_normalize", shape), dtypes=ALL)
        yield call("nn.l2_normalize", shape, axis=-1, epsilon=1e-4)
        yield call("math.l2_normalize", shape, axis=0)
    yield call("nn.l2_normalize", literal((3,), 1e-7, 0.0, 0.0))
    yield replace(call("nn.zero_fraction", T((3, 5), "ties")), order=0)


def fused() -> Iterator[Case]:
    """fused_batch_norm, training and not; its returned variance is the unbiased one."""
    op = "nn.fused_batch_norm"
    for shape, layout in (((3, 4, 2, 3), "NHWC"), ((2, 3, 3, 3), "NCHW"), ((1, 1, 1, 3), "NHWC")):
        order = 0 if shape[0] == 1 else 2  # one pixel per channel: the gradient is all rounding
        parts = (T(shape), T((3,)), T((3,)))
        kept = (T((3,), constant=True), T((3,), "positive", constant=True))
        for case in (
            call("parity.fused_batch_norm_y", *parts, data_format=layout),
            call(op, *parts, data_format=layout),
            call(op, *parts, data_format=layout, epsilon=0.01),
            call(op, *parts, *kept, data_format=layout, is_training=False),
            call(op, *parts, *kept, data_format=layout, exponential_avg_factor=0.1),
        ):
            yield replace(case, order=order)
    stats = (T((3,), dtype="float32"), T((3,), dtype="float32"))
    yield replace(call(op, (3, 4, 2, 3), *stats), dtypes=HALVES, order=0)


def layers() -> Iterator[Case]:
    """Layer, instance and group normalisation as functions."""
    for shape in ((2, 4), (3, 5, 4), (2, 3, 4, 4), (2, 2, 2, 3, 4)):
        case = call("nn.layer_normalization", shape, (4,), (4,))
        yield replace(case, dtypes=ALL)
        yield call("nn.layer_normalization", shape, (4,), (4,), epsilon=0.1)
    yield call("nn.layer_normalization", (2, 3, 4), (3, 4), (3, 4), axis=[-2, -1])
    for shape in ((2, 5, 4), (2, 3, 4, 4), (1, 2, 3, 2, 4)):
        yield replace(call("nn.instance_normalization", shape, (4,), (4,)), dtypes=ALL)
        yield call("nn.instance_normalization", shape, (4,), (4,), epsilon=0.1)
        for groups in (1, 2, 4):
            case = call("nn.group_normalization", shape, (4,), (4,), groups=groups)
            yield replace(case, dtypes=ALL if groups == 2 else FLOATS)


def responses() -> Iterator[Case]:
    """Local response normalisation; alpha is not divided by the window."""
    x = (2, 3, 2, 5)
    for op in ("nn.lrn", "nn.local_response_normalization"):
        yield replace(call(op, x), dtypes=ALL)
        yield call(op, x, depth_radius=1, bias=2.0, alpha=0.5, beta=0.75)
        yield call(op, x, depth_radius=2, alpha=1e-2, beta=1.0)


def losses() -> Iterator[Case]:
    """Cross entropies of two tensors; labels that do not add up to one as well."""
    name = "nn.softmax_cross_entropy_with_logits"
    for shape in ((3, 4), (2, 3, 4), (1, 2)):
        yield replace(cross_entropy(name, T(shape, "probabilities"), T(shape)), dtypes=ALL)
        yield cross_entropy(name, T(shape, "positive"), T(shape))
    yield cross_entropy(name, T((1, 3), "probabilities"), T((2, 3)))
    yield cross_entropy(name, literal((1, 2), 2, 2), literal((1, 2), 0, 1))
    yield cross_entropy(name, T((3, 4), "positive", constant=True), T((3, 4)), axis=0)
    case = cross_entropy(name, literal((1, 2), 0, 1), literal((1, 2), -INF, 0))
    yield replace(case, order=0)
    name = "nn.sigmoid_cross_entropy_with_logits"
    for spec in (T((5,), "probabilities"), T((3, 4), "probabilities"), T((2, 3, 4), "positive")):
        yield replace(cross_entropy(name, spec, T(spec.shape)), dtypes=ALL)
    yield cross_entropy(name, literal((4,), 0, 1, 0.5, 1), literal((4,), 50, -50, 100, -100))


def cross_entropy(op: str, labels: T, logits: T, **settings: Any) -> Case:
    """labels and logits by name, as everybody calls them."""
    return Case(op, (labels, logits), (), {"labels": "$0", "logits": "$1", **settings})


def sparse_losses() -> Iterator[Case]:
    """Integer labels; in_top_k beside them."""
    name = "nn.sparse_softmax_cross_entropy_with_logits"
    for shape in ((3, 4), (2, 3, 5), (1, 2)):
        for dtype in ("int32", "int64"):
            labels = T(shape[:-1], "below", high=shape[-1], dtype=dtype)
            yield replace(cross_entropy(name, labels, T(shape)), dtypes=ALL)
    for k in (1, 2, 4):
        targets, predictions = T((6,), "below", high=4, dtype="int32"), T((6, 4), "distinct")
        for op in ("nn.in_top_k", "math.in_top_k"):
            case = Case(op, (targets, predictions), ("$0", "$1"), {"k": k}, 0, ("float32",))
            yield case
            yield replace(case, tensors=(targets, T((6, 4), "ties")))


def dropout() -> Iterator[Case]:
    """What holds whatever is drawn: the scale of what is kept, zeros, the gradient, the share."""
    x = T((4, 6, 5), "positive")
    for rate in (0.0, 0.25, 0.5, 0.9):
        yield replace(call("parity.dropout_facts", x, rate=rate), dtypes=ALL, order=0)
        case = call("parity.dropout_facts", x, rate=rate, noise_shape=[4, 1, 5])
        yield replace(case, order=0)
    for rate in (0.0, 0.3, 0.5, 0.9):
        many = call("parity.dropout_drops", T((90, 100), "positive"), rate=rate)
        yield replace(many, order=0)


def every_curve() -> Iterator[Case]:
    """Curves far from zero; slopes and exponents as arguments; every axis and layout."""
    for name in CURVES:
        yield call(f"nn.{name}", T((5, 6), "wide"))
    for name in ("gelu", "swish", "softsign"):
        yield replace(call(f"nn.{name}", literal((6,), -INF, -1, 0, 2, INF, NAN)), order=0)
    yield call("nn.gelu", (4, 5), approximate=True)
    yield call("nn.leaky_relu", (4, 5), alpha=0.25)
    yield call("nn.swish", (3, 4), T((), "positive"))
    for axis in (0, 1, -1):
        for name in ("softmax", "log_softmax"):
            yield call(f"nn.{name}", (3, 4, 2), axis=axis)
    for layout, channels in ((None, 4), ("NHWC", 4), ("NCHW", 3)):
        yield call("nn.bias_add", (2, 3, 5, 4), (channels,), data_format=layout)


def every_statistic() -> Iterator[Case]:
    """moments over every form of axes, norms by axis and groups, lengths by axis."""
    x = (3, 4, 2)
    axes: Any
    for axes in (0, [1], [0, 1, 2], None, [], [-1, 0]):
        for keepdims in (False, True):
            yield call("nn.moments", x, axes=axes, keepdims=keepdims)
    one, variance = T((3,)), T((3,), "positive")
    yield call("nn.batch_normalization", (4, 2, 3), one, variance, one, one, variance_epsilon=1e-3)
    words = {"offset": None, "scale": None, "variance_epsilon": 0.1}
    yield call("nn.batch_normalization", (4, 3), one, variance, **words)
    for axis, shape in ((-1, (5,)), ([1, 2], (3, 4)), ([2, 3], (4, 5))):
        yield call("nn.layer_normalization", (2, 3, 4, 5), shape, shape, axis=axis)
    for groups in (2, 6, 1, -1):
        yield call("nn.group_normalization", (2, 3, 4, 6), (6,), (6,), groups=groups)
    yield call("nn.instance_normalization", (2, 3, 4, 6), (6,), (6,))
    for axes in (None, 0, -1, [0, 2]):
        yield call("nn.l2_normalize", x, axis=axes)


def every_loss() -> Iterator[Case]:
    """Cross entropies by axis, of constant labels, of labels that are broadcast, at the corners."""
    softmax, sigmoid = (f"nn.{name}_cross_entropy_with_logits" for name in ("softmax", "sigmoid"))
    for axis in (-1, 0):
        labels = T((4, 5), "probabilities", constant=True)
        yield cross_entropy(softmax, labels, T((4, 5)), axis=axis)
    yield cross_entropy(softmax, T((4, 5), "probabilities"), T((4, 5), constant=True))
    yield replace(cross_entropy(softmax, literal((1, 3), 0, 1, 0), T((2, 3))), order=0)
    sparse = "nn.sparse_softmax_cross_entropy_with_logits"
    for shape in ((5,), (2, 3, 5)):
        yield cross_entropy(sparse, T(shape[:-1], "below", high=5, dtype="int64"), T(shape))
    yield cross_entropy(sigmoid, T((3, 4), "probabilities"), T((3, 4), "wide"))
    labels = replace(literal((6,), 0, 1, 0.5, 0, 1, 1), constant=True)
    yield cross_entropy(sigmoid, labels, literal((6,), 0, 0, 0, 100, 100, -100))
    op = "nn.weighted_cross_entropy_with_logits"
    parts = (T((3, 4), "probabilities"), T((3, 4), "wide"))
    yield cross_entropy(op, *parts, pos_weight=2.5)
    weighted = cross_entropy(op, *parts, pos_weight="$2")
    yield replace(weighted, tensors=(*parts, T((4,), "positive", constant=True)))
    corner = (literal((3,), 0, 1, 0.5), literal((3,), 0, 0, 0))
    yield replace(cross_entropy(op, *corner, pos_weight=2.0), order=1)
    yield call("nn.l2_loss", (3, 4))


def narrow() -> Iterator[Case]:
    """What TensorFlow has in float32 or integers alone."""
    parts = (T((3,)), T((3,)))
    for layout, shape in (("NHWC", (4, 3, 2, 3)), ("NDHWC", (2, 2, 3, 2, 3))):
        case = call("parity.fused_batch_norm_y", shape, *parts, data_format=layout)
        yield replace(case, dtypes=("float32",))
    kept = (T((3,), constant=True), T((3,), "positive", constant=True))
    op, x = "nn.fused_batch_norm", (4, 3, 2, 3)
    factors = ({"exponential_avg_factor": 1.0}, {"exponential_avg_factor": 0.1})
    for words in ({"is_training": False}, *factors):
        yield replace(call(op, x, *parts, *kept, **words), dtypes=("float32",), order=0)
    stats = (T((3,), dtype="float32"), T((3,), dtype="float32"))
    yield replace(call(op, x, *stats), dtypes=("float16",), order=0)
    for op in ("nn.lrn", "nn.local_response_normalization"):
        for words in ({}, {"depth_radius": 1, "bias": 2, "alpha": 0.5, "beta": 0.75}):
            yield call(op, (2, 2, 3, 7), **words)
    whole = T((3, 2), "below", high=10, dtype="int64")
    yield replace(call("nn.moments", whole, axes=[0]), dtypes=("int64",), order=0)
    scores = (0, 3, 1, 2, 2, 3, 3, 0, 1, 2, NAN, 1, 1, INF, 0, 1)
    targets = literal((6,), -1, 0, 3, 1, 2, 4, dtype="int32")
    for k in (0, 1, 2, 4):
        predictions = literal((6, 4), *scores, *scores[:8])
        yield Case("nn.in_top_k", (targets, predictions), ("$0", "$1"), {"k": k}, 0, ("float32",))
