"""Cases of the tf.* core: arithmetic, reductions, sorting, shapes, indexing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from minitensor.parity.case import FLOATS, HALVES, Case, T, call, literal, placeholders

AREA = "tf.* core"
ALL = FLOATS + HALVES
NAN, INF = float("nan"), float("inf")
REDUCTIONS = [f"reduce_{name}" for name in ("sum", "mean", "max", "min", "prod", "logsumexp")]


def cases() -> Iterator[Case]:
    """Every case of the family."""
    for part in (binary, unary, products, reductions, ordered, shapes, joined, indexed, operators):
        yield from part()
    yield from more_curves()
    yield from more_pairs()
    for case in (*more_reductions(), *more_arrangements(), *more_products()):
        yield replace(case, dtypes=("float64",))
    for case in at_edges():
        yield replace(case, dtypes=("float64",), order=1)
    yield from decisions()
    yield from disputed()


def binary() -> Iterator[Case]:
    """Two arguments, with every kind of broadcasting."""
    shapes = (((3, 4), (3, 4)), ((2, 3, 4), (4,)), ((3, 1), (1, 4)), ((), (2, 3)), ((0, 3), (3,)))
    for name in ("add", "subtract", "multiply", "divide", "pow", "maximum", "minimum"):
        kind = "positive" if name in ("divide", "pow") else "real"
        for i, (a, b) in enumerate(shapes):
            yield replace(call(name, T(a, kind), T(b, kind)), dtypes=FLOATS if i else ALL)
    for name in ("maximum", "minimum"):
        yield call(name, T((6,), "ties"), T((6,), "ties"))
        case = call(name, literal((4,), NAN, 1, -0.0, INF), literal((4,), 1, NAN, 0.0, INF))
        yield replace(case, order=1)
    for name in ("add", "subtract", "multiply", "maximum", "minimum"):
        yield replace(call(name, (2, 3), (3,)), dtypes=("int32", "int64"), order=0)


def unary() -> Iterator[Case]:
    """One argument, one element at a time."""
    positive = ("math.log", "sqrt", "math.rsqrt")
    for name in (*positive, "exp", "square", "abs", "tanh", "sigmoid", "negative", "sin", "cos"):
        kind = "positive" if name in positive else "real"
        yield replace(call(name, T((3, 4), kind)), dtypes=ALL)
        yield call(name, T((2, 3, 2), kind))
        yield call(name, T((0, 2), kind))
        edge = literal((7,), -INF, -1.0, -0.0, 0.0, 1.0, INF, NAN)
        yield replace(call(name, edge), order=0)
    yield call("clip_by_value", (3, 4), clip_value_min=-0.5, clip_value_max=0.75)
    edge = literal((5,), -2, -1, 0, 1, 2)
    case = call("clip_by_value", edge, clip_value_min=-1, clip_value_max=1)
    yield replace(case, dtypes=ALL, args=("$0",))
    for name in ("square", "abs", "negative"):
        yield replace(call(name, (4,)), dtypes=("int32",), order=0)


def products() -> Iterator[Case]:
    """matmul with batches and transposes, einsum, tensordot."""
    batched = (((2, 3, 4), (2, 4, 2)), ((2, 1, 3, 4), (5, 4, 2)))
    for a, b in (((3, 4), (4, 2)), *batched, ((0, 4), (4, 2))):
        yield replace(call("matmul", a, b), dtypes=ALL)
        flipped = (*b[:-2], b[-1], b[-2])
        yield call("matmul", a, flipped, transpose_b=True)
        yield call("matmul", (*a[:-2], a[-1], a[-2]), b, transpose_a=True)
    yield call("matmul", (3, 0), (0, 2))
    for equation, *parts in (
        ("ij,jk->ik", (3, 4), (4, 2)),
        ("bij,bjk->bik", (2, 3, 4), (2, 4, 2)),
        ("ij->ji", (3, 4)),
        ("ij->j", (3, 4)),
        ("i,j->ij", (3,), (4,)),
        ("bhwc,cd->bhwd", (1, 2, 3, 4), (4, 2)),
        ("...ij,jk->...ik", (2, 2, 3, 4), (4, 2)),
        ("ij,ij->", (3, 4), (3, 4)),
        ("abc,cd,de->abe", (2, 2, 3), (3, 4), (4, 2)),
    ):
        tensors = tuple(T(shape) for shape in parts)
        yield Case("einsum", tensors, (equation, *placeholders(len(parts))), {})
    yield call("tensordot", (3, 4), (4, 2), axes=1)
    yield call("tensordot", (2, 3, 4), (4, 3, 2), axes=[[1, 2], [1, 0]])
    yield call("tensordot", (2,), (3,), axes=0)
    yield replace(call("matmul", (3, 4), (4, 2)), dtypes=("int32",), order=0)


def reductions() -> Iterator[Case]:
    """Reductions over every kind of axis; ties share the gradient of a maximum."""
    for name in REDUCTIONS:
        for i, axis in enumerate((None, 0, -1, [0, 2], [1])):
            for keepdims in (False, True):
                case = call(name, (2, 3, 4), axis=axis, keepdims=keepdims)
                yield replace(case, dtypes=ALL if i < 2 and not keepdims else FLOATS)
        yield call(name, (0, 3), axis=1)
    for name in ("reduce_max", "reduce_min"):
        yield call(name, T((3, 4), "ties"), axis=1)
        yield replace(call(name, literal((3,), 1, NAN, 2), axis=0), order=0)
    yield replace(call("reduce_prod", T((2, 3), "ties"), axis=1), order=1)
    for name in REDUCTIONS[:4]:
        yield replace(call(name, T((3, 4), "ties"), axis=1), dtypes=("int32",), order=0)


def ordered() -> Iterator[Case]:
    """argmax, argmin, cumsum, sort, top_k."""
    for name in ("argmax", "argmin"):
        for axis in (0, 1, -1):
            for kind in ("distinct", "ties"):
                yield replace(call(name, T((4, 5), kind), axis=axis), order=0)
    for exclusive in (False, True):
        for reverse in (False, True):
            for axis in (0, 1):
                yield call("cumsum", (3, 4), axis=axis, exclusive=exclusive, reverse=reverse)
    for axis in (0, -1):
        for direction in ("ASCENDING", "DESCENDING"):
            yield call("sort", T((4, 5), "distinct"), axis=axis, direction=direction)
    for k in (1, 2, 5):
        yield call("math.top_k", T((3, 5), "distinct"), k=k)
        yield replace(call("math.top_k", T((3, 5), "ties"), k=k), order=1)


def shapes() -> Iterator[Case]:
    """The same numbers in another arrangement."""
    for shape in ([4, 6], [-1], [2, -1, 2], [24, 1]):
        yield call("reshape", (2, 3, 4), shape=shape)
    for perm in (None, [2, 0, 1], [1, 0, 2]):
        yield call("transpose", (2, 3, 4), perm=perm)
    for axis in (0, 1, -1):
        yield call("expand_dims", (2, 3), axis=axis)
    for axes in (None, [0], [2]):
        yield call("squeeze", (1, 3, 1, 2), axis=axes)
    yield call("tile", (2, 3), multiples=[2, 3])
    yield call("tile", (2, 1, 3), multiples=[1, 4, 1])
    yield call("broadcast_to", (3, 1), shape=[2, 3, 4])
    yield call("broadcast_to", (), shape=[2, 2])
    for pads in ([[1, 2], [0, 1]], [[0, 0], [2, 1]]):
        for mode in ("CONSTANT", "REFLECT", "SYMMETRIC"):
            yield replace(call("pad", (3, 4), paddings=pads, mode=mode), dtypes=ALL)
    yield call("pad", (2, 2), paddings=[[1, 0], [0, 1]], constant_values=1.5)
    for dtype in ("int32", "float32", "float64", "float16", "bool"):
        case = call("cast", T((6,), "distinct"), dtype=dtype)
        yield replace(case, order=2 if "float" in dtype else 0)


def joined() -> Iterator[Case]:
    """Many into one and one into many."""
    yield many("concat", ((2, 3), (1, 3)), {"axis": 0})
    yield many("concat", ((2, 1), (2, 3), (2, 2)), {"axis": 1})
    yield many("concat", ((2, 2), (2, 0)), {"axis": -1})
    for axis in (0, 1, -1):
        yield many("stack", ((2, 3), (2, 3), (2, 3)), {"axis": axis})
        yield call("unstack", (2, 3, 2), axis=axis)
    for parts in (2, [1, 3], [2, 1, 1]):
        yield call("split", (4, 3), num_or_size_splits=parts)
        yield call("split", (2, 4), num_or_size_splits=parts, axis=1)


def many(op: str, shapes: tuple[tuple[int, ...], ...], settings: dict[str, Any]) -> Case:
    """A call whose first argument is a list of tensors."""
    tensors = tuple(T(shape) for shape in shapes)
    return Case(op, tensors, (list(placeholders(len(shapes))),), settings)


def indexed() -> Iterator[Case]:
    """gather, where, one_hot, slices."""
    for dtype in ("int32", "int64"):
        rows = T((5,), "below", high=4, dtype=dtype)
        for axis in (0, 1):
            yield call("gather", (4, 4), rows, axis=axis)
    yield call("gather", (2, 4, 3), T((2, 2), "below", high=4, dtype="int32"), axis=1)
    yield call("gather", (2, 4, 3), T((2, 5), "below", high=4, dtype="int32"), batch_dims=1)
    truth = T((3, 4), "truth", dtype="bool")
    yield call("where", truth, (3, 4), (3, 4))
    yield call("where", truth, (4,), (3, 1))
    yield call("where", truth, (), (3, 4))
    labels = T((2, 3), "below", high=6, dtype="int32")
    for settings in ({}, {"on_value": 2.0, "off_value": -1.0}, {"axis": 0}, {"axis": 1}):
        yield replace(call("one_hot", labels, depth=5, **settings), order=0)
    indices = "0 | ..., 1 | 1: | ::2, 1:3 | ::-1 | :, None, 2 | -1, ..., None | 0:0 | 1, 2, 3"
    for text in indices.split(" | "):
        yield call("parity.getitem", (3, 4, 5), text=text)


def operators() -> Iterator[Case]:
    """Python's operators on tensors and numbers."""
    for name in ("add", "sub", "mul", "truediv"):
        yield call("parity.arithmetic", T((3, 4), "positive"), T((4,), "positive"), name=name)
        yield call("parity.with_number", T((3, 4), "positive"), name=name, number=1.5)
    yield call("parity.arithmetic", (3, 4), (4, 2), name="matmul")
    yield call("parity.with_number", T((3, 4), "positive"), name="pow", number=2.0)
    for name in ("lt", "le", "gt", "ge"):
        yield replace(call("parity.with_number", (3, 4), name=name, number=0.5), order=0)


ZEROS = literal((3, 3), 0.5, 0, -1.5, 0, 0, 2, 1, 3, -2)


def more_curves() -> Iterator[Case]:
    """Curves of one argument beyond `unary`."""
    for name in ("expm1", "log_sigmoid", "softplus", "erf", "erfc", "tan", "atan", "sinh", "cosh"):
        yield call(f"math.{name}", (4,))
    for name in ("asin", "acos"):
        yield call(f"math.{name}", T((4,), "unit"))
    for name in ("reciprocal", "log1p"):
        yield call(f"math.{name}", T((4,), "positive"))
    for name in ("identity", "stop_gradient"):
        yield call(name, (3,))


def more_pairs() -> Iterator[Case]:
    """Operators and functions of two arguments, broadcast; where both are equal; where one is 0."""
    x, y, positive = (3, 1), (2, 1, 4), T((2, 1, 4), "positive")
    for name in ("add", "sub", "mul"):
        yield call("parity.arithmetic", x, y, name=name)
    yield call("parity.arithmetic", x, positive, name="truediv")
    yield call("parity.arithmetic", T(x, "positive"), y, name="pow")
    yield call("parity.arithmetic", (2, 1, 3, 2), (4, 2, 3), name="matmul")
    for name in ("mod", "floordiv"):  # TensorFlow has no second order
        case = call("parity.arithmetic", x, positive, name=name)
        yield replace(case, order=1 if name == "mod" else 0)
    for name in ("maximum", "minimum"):
        yield call(name, x, (1, 4))
        yield call(name, ZEROS, ZEROS)
    yield call("math.squared_difference", x, (4,))
    yield call("math.divide_no_nan", T((3,)), ZEROS)
    yield call("math.multiply_no_nan", T((3,)), ZEROS)
    yield call("math.xlogy", ZEROS, T((3, 3), "positive"))
    yield call("clip_by_value", (9,), clip_value_min=-0.5, clip_value_max=0.5)
    yield call("clip_by_norm", (3, 4), clip_norm=0.7, axes=[1])
    yield many("clip_by_global_norm", ((3,), (2, 2)), {"clip_norm": 0.7})
    yield many("add_n", ((3,), (3,), (3,)), {})
    yield call("where", literal((2, 1), 1, 0, dtype="bool"), (3,), (2, 1))


def more_reductions() -> Iterator[Case]:
    """Sums, statistics, running sums and products, orders."""
    x = (2, 3, 4)
    yield call("reduce_sum", x, axis=[0, -1])
    yield call("reduce_mean", x, axis=1, keepdims=True)
    yield call("reduce_max", x, axis=1)
    yield call("reduce_max", replace(ZEROS, values=tuple(map(abs, ZEROS.values))), axis=0)
    yield call("reduce_min", (2, 3))
    yield call("reduce_prod", x, axis=1)
    yield call("reduce_logsumexp", x, axis=[1])
    yield call("math.reduce_variance", (4, 2), axis=0)
    yield call("math.reduce_std", (4, 2), axis=0, keepdims=True)
    yield call("math.reduce_euclidean_norm", (2, 3), axis=1)
    yield call("cumsum", (2, 4), axis=1, exclusive=True)
    yield call("cumsum", (3, 4), axis=0, reverse=True)
    yield call("math.cumprod", (2, 4), axis=1, reverse=True)
    yield call("math.cumprod", (2, 5), axis=1, exclusive=True)
    yield call("sort", T((4, 2), "distinct"), axis=0, direction="DESCENDING")
    yield call("math.top_k", T((2, 5), "distinct"), k=2)
    yield call("norm", (2, 3), axis=1)
    yield call("norm", (2, 3), ord=3, axis=0, keepdims=True)


def more_arrangements() -> Iterator[Case]:
    """Each function that moves or repeats numbers, on sizes of its own."""
    yield call("reshape", (2, 6), shape=[3, -1])
    yield call("transpose", (2, 3, 4), perm=[2, 0, 1])
    yield call("squeeze", (2, 1, 3), axis=[1])
    yield call("expand_dims", (2, 3), axis=-1)
    yield call("broadcast_to", (3, 1), shape=[2, 3, 4])
    yield call("tile", (2, 3), multiples=[2, 3])
    yield call("reverse", (2, 3), axis=[0, -1])
    yield many("concat", ((2, 3), (2, 1), (2, 3)), {"axis": -1})
    yield many("stack", ((2, 3), (2, 3), (2, 3)), {"axis": 1})
    yield call("unstack", (2, 3), axis=1)
    yield call("split", (2, 6), num_or_size_splits=[1, -1, 2], axis=1)
    yield call("pad", (2, 3), paddings=[[1, 2], [0, 1]], constant_values=3)
    yield call("pad", (2, 3), paddings=[[1, 1], [2, 0]], mode="reflect")
    yield call("pad", (2, 3), paddings=[[2, 1], [3, 0]], mode="SYMMETRIC")
    yield call("gather", (2, 3), indices=[[0, 2], [2, 2]], axis=1)
    yield call("gather", (2, 3, 4), indices=[[0, 1], [1, 1]], axis=2, batch_dims=1)
    yield call("slice", (3, 4), begin=[0, 1], size=[2, -1])
    yield call("parity.getitem", (2, 3, 4), text="1, ..., ::-1, None")
    yield call("boolean_mask", (3, 2), mask=[True, False, True])
    yield call("parity.where_positive", (3, 2))
    yield Case("linspace", (T((3,)), T((3,))), ("$0", "$1", 4), {"axis": 1})


def more_products() -> Iterator[Case]:
    """matmul of transposes, tensordot, einsum; TensorFlow has no second order of a diagonal."""
    yield call("matmul", (2, 3, 2), (2, 4, 3), transpose_a=True, transpose_b=True)
    yield call("tensordot", (2, 3, 4), (4, 2), axes=[[0, 2], [1, 0]])
    for equation, *shapes in (
        ("ij,jk->ki", (2, 3), (3, 4)),
        ("ijk->ki", (2, 3, 4)),
        ("...ij,...jk->...ik", (2, 2, 3), (1, 3, 2)),
        ("ii->i", (3, 3)),
        ("ii", (3, 3)),
    ):
        tensors = tuple(T(shape) for shape in shapes)
        case = Case("einsum", tensors, (equation, *placeholders(len(shapes))), {})
        yield replace(case, order=1 if "ii" in equation else 2)


def at_edges() -> Iterator[Case]:
    """Values and slopes where these are infinite, undefined, or a matter of choice."""
    for name, *values in (
        ("abs", 0, -0.0, NAN, INF),
        ("sqrt", 0, INF, NAN, -1),
        ("math.rsqrt", 0, INF, NAN),
        ("math.log", 0, INF, NAN),
        ("math.log1p", 0, -1, INF),
        ("exp", 1000, -1000, INF, -INF, NAN),
        ("sigmoid", 1000, -1000, INF, -INF, NAN),
        ("tanh", 1000, INF, -INF, NAN),
        ("math.softplus", 1000, -1000, 0),
        ("math.erf", 30, -30, 0, NAN),
        ("math.reciprocal", 0, INF),
        ("reduce_max", 5, 5, 1),
        ("reduce_min", 5, 5, 1, 1),
        ("reduce_logsumexp", -INF, 0),
        ("reduce_prod", 0, 3, 2),
        ("math.reduce_std", 3, 3),
    ):
        yield call(name, literal((len(values),), *values))
    for name, number, *values in (
        ("truediv", 1.0, 0, INF),
        ("pow", 2.0, 0, -3, INF),
        ("pow", 0.5, 0, 4),
        ("pow", 1.0, 0, -3),
        ("pow", 0.0, 0.5, 3),
        ("pow", -2.0, 2, 3),
    ):
        x = literal((len(values),), *values)
        yield call("parity.with_number", x, name=name, number=number)
    for three in ((3, NAN, 4), (0, 0, 0), (3, INF, 4)):
        yield call("clip_by_norm", literal((3,), *three), clip_norm=1.0)
    x = literal((4,), 0, 1, -1, 2)
    yield call("clip_by_value", x, clip_value_min=0.0, clip_value_max=1.0)
    for name in ("maximum", "minimum"):
        yield Case(name, (literal((3,), 1, NAN, 0),), ("$0", 1.0), {})


def decisions() -> Iterator[Case]:
    """What has no gradient: rounding, tests, truth values."""
    x = T((3, 4), "wide")
    for name in ("sign", "floor", "math.ceil", "round"):
        yield replace(call(name, x), order=0)
        yield replace(call(name, literal((6,), -1.5, -0.5, 0, 0.5, 1.5, 2.5)), order=0)
    for name in ("math.is_nan", "math.is_inf"):
        yield replace(call(name, literal((4,), 0, NAN, INF, -INF)), order=0)
    a, b = T((3, 4), "truth", dtype="bool"), T((4,), "truth", dtype="bool")
    for name in ("and", "or", "xor"):
        path = "math.logical_xor" if name == "xor" else f"logical_{name}"
        yield replace(call(path, a, b), order=0, dtypes=("float32",))
    yield replace(call("logical_not", a), order=0, dtypes=("float32",))
    for name in ("reduce_all", "reduce_any"):
        yield replace(call(name, a, axis=1), order=0, dtypes=("float32",))
    for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"):
        yield replace(call(name, T((3, 4), "ties"), T((4,), "ties")), order=0)


def disputed() -> Iterator[Case]:
    """Where TensorFlow is wrong: slopes of products with a 0, of masked roots, orders of NaN.

    A masked reciprocal has order 1: at 2 both multiply 0 by an infinity.
    """
    x = literal((4,), 0, -1, 4, 2)
    for name, order in (("sqrt", 2), ("math.rsqrt", 1), ("math.reciprocal", 1)):
        yield replace(call("parity.masked", x, name=name), order=order)
    yield call("math.cumprod", literal((3,), 2, 0, 3))
    yield call("math.cumprod", literal((3,), 2, 0, 3), exclusive=True, reverse=True)
    yield call("reduce_prod", literal((2, 3), 2, 0, 3, 0, 1, 0), axis=1)
    yield call("parity.entropy_of_softmax", (2, 3))
    for logits in ((0.125, 0.25, 0.5), (3, 1, 0.25)):  # at 0.5, all of it is kept
        yield replace(call("parity.sparsemax", literal((3,), *logits)), order=1)
    for values in ((1, NAN, 2, -1), (NAN, 3, 1, NAN, 2), (4, NAN, INF, -INF, 0)):
        row = literal((len(values),), *values)
        for direction in ("ASCENDING", "DESCENDING"):
            yield replace(call("sort", row, direction=direction), order=0)
        for name in ("argmax", "argmin"):
            yield replace(call(name, row, axis=0), order=0)
    yield replace(call("math.top_k", literal((5,), NAN, 3, 1, NAN, 2), k=3), order=0)
    yield replace(call("argmax", literal((2,), NAN, NAN), axis=0), order=0)
