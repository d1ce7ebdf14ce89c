"""Derivatives where slopes are infinite, undefined or masked, against TensorFlow, live.

Every function of one and of two tensors, at 0, -0, +-inf, NaN, ties and outside of its domain, with
a cotangent of 0 as well: there `where` has masked what was computed, and 0 times an infinite slope
must not be NaN. Both orders: the second is pulled back along 1, and along 0.
"""

import itertools
from operator import attrgetter

import numpy as np
import pytest

import minitensor as mt

INF, NAN = np.inf, np.nan
POINTS = np.array([0, -0.0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, INF, -INF, NAN, 1e3, -1e3, 100, 6])
ROWS = ([0, 0], [2, 0, 3], [INF, 1], [1, NAN], [-INF, 1], [-INF, -INF], [1, 1, 2], [3], [0])
ONE = """abs negative sign square math.reciprocal sqrt math.rsqrt round math.rint floor math.ceil
    exp math.expm1 math.log math.log1p sigmoid math.softplus math.erf math.erfc sin cos tan asin
    acos atan sinh cosh tanh math.log_sigmoid nn.relu nn.relu6 nn.elu nn.selu nn.gelu nn.silu
    nn.leaky_relu nn.softsign identity asinh acosh atanh math.erfinv math.bessel_i0e math.bessel_i1e
    math.reciprocal_no_nan"""
TWO = """add subtract multiply divide math.divide_no_nan math.multiply_no_nan math.floordiv math.mod
    math.floormod pow maximum minimum math.squared_difference math.xlogy math.xdivy
    math.xlog1py atan2
    nn.sigmoid_cross_entropy_with_logits"""
ALONG = """reduce_sum reduce_mean reduce_max reduce_min reduce_logsumexp math.reduce_std cumsum norm
    math.reduce_variance math.l2_normalize nn.softmax nn.log_softmax"""
NO_SECOND_ORDER = {"nn.softsign"}  # in TensorFlow
# TensorFlow's second derivative of a masked root is NaN: SqrtGrad divides where SqrtGrad itself
# does not. Two `where` prove 0: `test_a_masked_root_is_flat_in_both_orders`.
# Its own of xdivy at y = 0 and of bessel_i1e at 0 is NaN as well, where ours is infinite and 0.
NAN_THERE = {"sqrt", "math.reduce_std", "norm", "math.xdivy", "math.bessel_i1e"}


def slopes(library, name, arrays, cotangent, second):
    """The first derivatives, or the second ones along `second`, as arrays; None is 0."""
    words = ("labels", "logits") if "cross_entropy" in name else ()
    xs = [library.constant(array) for array in arrays]
    with library.GradientTape() as outer:
        with library.GradientTape() as inner:
            inner.watch(xs)
            outer.watch(xs)
            function = attrgetter(name)(library)
            y = function(**dict(zip(words, xs, strict=True))) if words else function(*xs)
        g = library.zeros_like(y) + cotangent
        outer.watch(g)
        first = inner.gradient(y, xs, g)
    if second is None:
        return [
            np.zeros(x.shape) if d is None else np.asarray(d)
            for d, x in zip(first, arrays, strict=True)
        ]
    first = [d for d in first if d is not None]
    along = [library.zeros_like(d) + second for d in first]
    found = outer.gradient(first, [*xs, g], along) if first else [None] * (len(xs) + 1)
    shapes = [*[x.shape for x in arrays], tuple(y.shape)]
    return [np.zeros(s) if d is None else np.asarray(d) for d, s in zip(found, shapes, strict=True)]


PLANE = [part.ravel() for part in np.meshgrid(POINTS, POINTS)]
CALLS = [
    *((name, [POINTS]) for name in ONE.split()),
    *((name, PLANE) for name in TWO.split()),
    *((name, [np.array(row, float)]) for name in ALONG.split() for row in ROWS),
]


def test_slopes_at_special_points_are_tensorflows_in_both_orders(tf):
    wrong = []
    for (name, arrays), cotangent, second in itertools.product(CALLS, (1, 0, 2), (None, 1, 0)):
        if second is not None and name in NO_SECOND_ORDER:
            continue
        ours, theirs = (slopes(m, name, arrays, cotangent, second) for m in (mt, tf))
        for k, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            with np.errstate(invalid="ignore"):
                same = np.isclose(a, b, rtol=1e-6, atol=1e-15, equal_nan=True)
            if second is not None and name in NAN_THERE:
                same |= np.isnan(b) & ((a == 0) | np.isinf(a))
            for at in map(tuple, np.argwhere(~same)):
                point = [x[at] if x.shape == a.shape else x for x in arrays]
                wrong.append((name, cotangent, second, k, point, a[at], b[at]))
    assert not wrong, f"{len(wrong)}, such as {wrong[:8]}"


@pytest.mark.parametrize("name", ["sqrt", "math.rsqrt", "math.reciprocal", "math.log"])
def test_what_where_masks_has_no_slope(name):
    x = mt.constant([0.0, -1.0, 4.0], mt.float64)
    with mt.GradientTape() as tape:
        tape.watch(x)
        y = mt.where(x > 0, attrgetter(name)(mt)(x), 0)
    assert np.isfinite(tape.gradient(y, x).numpy()).tolist() == [name != "math.log", True, True]


def test_a_masked_root_is_flat_in_both_orders():
    x = mt.constant([0.0, -1.0, 4.0], mt.float64)

    def derivatives(root):
        with mt.GradientTape() as outer:
            outer.watch(x)
            with mt.GradientTape() as inner:
                inner.watch(x)
                y = root(x)
            first = inner.gradient(y, x)
        return first.numpy().tolist(), outer.gradient(first, x).numpy().tolist()

    twice = derivatives(lambda x: mt.where(x > 0, mt.sqrt(mt.where(x > 0, x, 1)), 0))
    assert derivatives(lambda x: mt.where(x > 0, mt.sqrt(x), 0)) == twice
    assert twice == ([0, 0, 0.25], [0, 0, -1 / 32])
