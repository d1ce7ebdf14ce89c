"""Cases that random programs found (tests/fuzz): infinities, NaN, nothing, small integers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from minitensor.parity.case import Case, T, call, literal

AREA = "found by random programs"
NAN, INF = float("nan"), float("inf")


def cases() -> Iterator[Case]:
    """Every case of the family."""
    yield from steep()
    yield from infinite()
    yield from empty()
    yield from mixed()
    yield from whole()


def steep() -> Iterator[Case]:
    """An infinite slope comes back to where nothing was taken from x, and nothing goes on."""
    for name in ("relu", "relu6", "crelu"):
        yield replace(call("parity.root", literal((4,), -2, 0, 1, 4), name=f"nn.{name}"), order=1)
    xs, ys = literal((3,), 0, 1, 3), literal((3,), 2, 4, 2)
    yield replace(call("parity.root", xs, ys, name="math.xlogy"), order=1)
    yield replace(call("parity.root", ys, xs, name="math.divide_no_nan"), order=1)


def infinite() -> Iterator[Case]:
    """An infinity or NaN spoils what was computed from it, and nothing else."""
    for values in ((-2.5, INF), (2, NAN), (NAN, 3), (-INF, 2)):
        for settings in ({}, {"exclusive": True}, {"reverse": True}):
            yield replace(call("math.cumprod", literal((2,), *values), **settings), order=1)
        yield replace(call("nn.moments", literal((2,), *values), axes=[0]), order=1)
    high = call("math.cumprod", literal((4, 2), *[250, 256] * 4), axis=1)
    yield replace(high, dtypes=("float16",), order=1)
    for value in (NAN, INF):
        filters = literal((2, 2, 2, 1), value, *range(1, 8))
        for strides, padding in ((1, "SAME"), (1, "VALID"), (2, "VALID")):
            step = [1, strides, strides, 1]
            case = call("nn.depthwise_conv2d", (1, 4, 5, 2), filters, strides=step, padding=padding)
            yield replace(case, order=1)
    yield replace(call("math.erf", literal((4,), INF, -INF, NAN, 0.5)), order=1)
    nothing = call("linalg.l2_normalize", literal((2,), 0, 0))
    yield replace(nothing, dtypes=("float64", "float32", "float16"), order=0)
    for name in ("reduce_sum", "math.reduce_variance", "math.reduce_std"):
        yield replace(call(name, literal((3,), -INF, 1, 2)), order=1)


def empty() -> Iterator[Case]:
    """Gradients of nothing are nothing."""
    for shape in ((0,), (2, 0)):
        for direction in ("ASCENDING", "DESCENDING"):
            yield replace(call("sort", T(shape), direction=direction), order=1)
    mirrored = call("pad", (4, 0), paddings=[[1, 2], [0, 0]], mode="SYMMETRIC")
    yield replace(mirrored, order=1)
    yield call("reverse", (), axis=[0])
    yield Case("concat", (T((2,)),), (["$0"],), {"axis": 7})


def mixed() -> Iterator[Case]:
    """A number before a tensor takes the tensor's type; a remainder of 0 has the sign of x."""
    for name in ("add", "multiply", "math.multiply_no_nan"):
        for number in (2, 2.5):
            yield call("parity.number_first", (3,), name=name, number=number)
    x = literal((6,), 0, 2, -2, 0, 2.5, -2.5)
    for divisor in (-1.0, 1.0, -0.5):
        ends = call("parity.with_number", x, name="mod", number=divisor)
        yield replace(ends, order=0)
    yield replace(call("math.floormod", x, literal((6,), -1, -1, 1, 1, -1, 1)), order=0)


def whole() -> Iterator[Case]:
    """Integers of eight bits, and floats that become some."""
    a = literal((5,), 1, 2, 3, 0, 7)
    for name in ("abs", "sign"):
        yield replace(call("parity.of_bytes", a, name=name), dtypes=("uint8",), order=0)
    for name in ("pow", "math.squared_difference"):
        b = literal((5,), 2, 3, 1, 0, 2)
        yield replace(call("parity.of_bytes", a, b, name=name), dtypes=("uint8",), order=0)
    for dtypes in (("int32", "int64"), ("uint8",)):
        lengths = literal((2, 3), 3, 4, 0, 100, 100, 1)
        for axis in (None, 0, 1):
            case = call("math.reduce_euclidean_norm", lengths, axis=axis)
            yield replace(case, dtypes=dtypes, order=0)
    row = T((17,), "given", values=tuple(-1.0 - i for i in range(17)))
    for dtype in ("uint8", "uint16"):
        yield replace(call("cast", row, dtype=dtype), order=0)
