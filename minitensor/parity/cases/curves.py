"""Curves that few networks use: inverse hyperbolic, Bessel's, products that stop at 0."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from minitensor.parity.case import Case, Op, T, call, literal
from minitensor.parity.cases.core import INF, NAN, ZEROS

AREA = "tf.* core"
OPS = {"math.nextafter": Op("selection"), "math.is_finite": Op("selection")}
WHOLE = ("int32", "int64")


def cases() -> Iterator[Case]:
    """Inside of their domains, and at the ends of it."""
    for name in ("acosh", "asinh", "atanh", "math.erfinv"):
        above = T((3, 4), "positive")
        inside = literal((4,), 1.25, 2, 3, 7.5) if name == "acosh" else T((3, 4), "unit")
        yield call(name, above if name == "asinh" else inside)
        yield replace(call(name, literal((7,), -INF, -1, -0.0, 0, 1, INF, NAN)), order=0)
    for name in ("bessel_i0", "bessel_i0e", "bessel_i1", "bessel_i1e"):
        yield call(f"math.{name}", literal((6,), -7.5, -1, 0.25, 1, 3, 6))
    for name in ("bessel_i0e", "bessel_i1e"):
        yield replace(call(f"math.{name}", literal((6,), -500, -29, 29, 31, 90, 5000)), order=0)
    yield call("math.reciprocal_no_nan", ZEROS)
    for name in ("xdivy", "xlog1py"):
        yield call(f"math.{name}", ZEROS, T((3,), "positive"))
        yield replace(
            call(f"math.{name}", literal((3,), 0, 2, 0), literal((3,), 0, 0, -1)), order=0
        )
    yield call("atan2", (3, 1), T((4,), "positive"))
    yield replace(call("atan2", literal((4,), 0, -0.0, 0, 2), literal((4,), 1, -1, -1, 0)), order=0)
    ends = literal((5,), 0, 1, -1, 2, INF), literal((5,), 1, 0, -1, -INF, 0)
    yield replace(call("math.nextafter", *ends), order=1)
    yield replace(call("math.is_finite", literal((4,), 0, NAN, INF, -INF)), order=0)
    yield replace(call("math.rint", literal((6,), -1.5, -0.5, 0, 0.5, 1.5, 2.5)), order=0)
    yield from divisions()


def divisions() -> Iterator[Case]:
    """Rounded down, with every sign; a number times a tensor."""
    for name in ("math.floordiv", "math.floormod", "math.mod"):
        case = call(name, literal((4,), 7, -7, 8, -8), literal((4,), 2, 2, -3, -3))
        yield replace(case, dtypes=("float64", *WHOLE), order=0)
    yield call("truediv", (3, 1), T((4,), "positive"))
    yield call("scalar_mul", (), (3, 2))
    yield replace(call("math.count_nonzero", ZEROS, axis=1), order=0)
    yield replace(call("math.count_nonzero", ZEROS, keepdims=True), order=0)
