"""Cases that random programs found (tests/fuzz): infinities, NaN, nothing, small integers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from minitensor.parity.case import Case, Op, T, call, literal
from minitensor.parity.proofs import images, other

AREA = "found by random programs"
NAN, INF = float("nan"), float("inf")
OPS = {
    "argsort": Op("selection", other.argsort),
    "image.resize": Op("smooth", images.resize),
    "linalg.l2_normalize": Op("smooth", other.l2_normalize),
    "parity.of_nothing": Op("selection", other.of_nothing),
    **{
        name: Op("smooth", other.called(other.bessel, name))
        for name in ("math.bessel_i0", "math.bessel_i1")
    },
    **{
        name: Op("smooth", other.called(other.widened, name))
        for name in ("math.erfinv", "math.rint")
    },
}


def cases() -> Iterator[Case]:
    """Every case of the family."""
    yield from steep()
    yield from infinite()
    yield from empty()
    yield from mixed()
    yield from whole()
    yield from lost()
    yield from ends()
    yield from pixels()


def steep() -> Iterator[Case]:
    """An infinite slope comes back to where nothing was taken from x, and nothing goes on."""
    for name in ("relu", "relu6", "crelu"):
        yield replace(call("parity.root", literal((4,), -2, 0, 1, 4), name=f"nn.{name}"), order=1)
    xs, ys = literal((3,), 0, 1, 3), literal((3,), 2, 4, 2)
    for name in ("math.xlogy", "math.xlog1py", "math.xdivy"):
        yield replace(call("parity.root", xs, ys, name=name), order=1)
    yield replace(call("parity.root", ys, xs, name="math.divide_no_nan"), order=1)
    nought = literal((3,), 0, 1, 4)
    yield replace(call("parity.root", nought, name="math.reciprocal_no_nan"), order=1)


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
    yield replace(call("math.top_k", (3,), k=0), order=1)
    name = "nn.softmax_cross_entropy_with_logits"
    yield replace(Case(name, (T((2, 0)), T((2, 0))), (), {"labels": "$0", "logits": "$1"}), order=0)
    rows, places = T((2, 0)), literal((1, 1), 1, dtype="int32")
    for name in ("add", "sub", "max", "min", "update"):
        updates = T((1, 0))
        written = call("parity.of_nothing", rows, places, updates, name=f"tensor_scatter_nd_{name}")
        yield replace(written, order=1)
    yield replace(call("parity.of_nothing", rows, places, name="gather_nd"), order=1)
    args = ("$0", "$1", [2, 0])
    yield Case("parity.of_nothing", (places, T((1, 0))), args, {"name": "scatter_nd"}, order=1)
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


def lost() -> Iterator[Case]:
    """A NaN belongs where the largest numbers do, and is the extreme of all that it meets."""
    rows = literal((2, 4), NAN, 3, 1, NAN, INF, NAN, -INF, 2)
    for direction in ("ASCENDING", "DESCENDING"):
        for axis in (0, 1):
            for name in ("argsort", "sort"):
                case = call(name, rows, axis=axis, direction=direction)
                yield replace(case, order=int(name == "sort"))
    for side in ("left", "right"):
        for row in (literal((4,), 1, 2, 2, 3), literal((4,), 1, 2, INF, NAN)):
            wanted = literal((5,), NAN, 2, INF, 4, -INF)
            yield replace(call("searchsorted", row, wanted, side=side), order=0)
    places = literal((4, 1), 0, 1, 2, 2, dtype="int32")
    for name in ("max", "min"):
        x, updates = literal((4,), 1, NAN, 2, 3), literal((4,), NAN, 2, 1, 2)
        yield replace(call(f"tensor_scatter_nd_{name}", x, places, updates), order=1)


def ends() -> Iterator[Case]:
    """Infinities, small numbers, and types without a kernel."""
    for name in ("math.bessel_i0", "math.bessel_i1"):
        yield replace(call(name, literal((5,), INF, -INF, NAN, 0, 2)), order=1)
    yield replace(call("math.erfinv", T((5,), "unit")), dtypes=("float16",), order=0)
    yield replace(call("math.rint", T((5,), "wide")), dtypes=("float16",), order=0)
    large = call("nn.local_response_normalization", literal((1, 1, 2, 2), 300, 1, 200, -250))
    yield replace(large, dtypes=("float32", "float16"), order=0)


def pixels() -> Iterator[Case]:
    """Infinite taps and pixels; cubic weights, which TensorFlow reads from a table."""
    for value in (NAN, INF):
        depthwise = literal((2, 2, 1, 1), value, 1, 2, 3)
        settings = {"strides": [1, 2, 2, 1], "padding": "VALID"}
        case = call("nn.separable_conv2d", (1, 4, 5, 1), depthwise, (1, 1, 1, 1), **settings)
        yield replace(case, order=1)
    volume = literal((1, 3, 3, 3, 1), INF, *range(26))
    settings = {"strides": [1, 2, 2, 1, 1], "padding": "SAME"}
    yield replace(call("nn.conv3d", volume, (2, 2, 1, 1, 2), **settings), order=1)
    image = T((1, 3, 4, 2))
    for size in ([5, 6], [2, 3]):
        case = call("image.resize", image, size=size, method="bicubic")
        yield replace(case, dtypes=("float32", "float16"), order=1)
    spoilt = literal((1, 2, 3, 1), INF, 1, 2, 3, NAN, 5)
    case = call("image.resize", spoilt, size=[5, 6], method="bilinear")
    yield replace(case, dtypes=("float32",), order=1)
