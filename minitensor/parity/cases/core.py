"""Cases of the tf.* core: arithmetic, reductions, sorting, shapes, indexing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from minitensor.parity.case import FLOATS, HALVES, Case, T, call, given, placeholders

ALL = FLOATS + HALVES
NAN, INF = float("nan"), float("inf")
REDUCTIONS = [f"reduce_{name}" for name in ("sum", "mean", "max", "min", "prod", "logsumexp")]


def cases() -> Iterator[Case]:
    """Every case of the family."""
    yield from binary()
    yield from unary()
    yield from products()
    yield from reductions()
    yield from ordered()
    yield from shapes()
    yield from joined()
    yield from indexed()
    yield from operators()


def binary() -> Iterator[Case]:
    """Two arguments, with every kind of broadcasting."""
    pairs = (((3, 4), (3, 4)), ((2, 3, 4), (4,)), ((3, 1), (1, 4)), ((), (2, 3)), ((0, 3), (3,)))
    for name in ("add", "subtract", "multiply", "divide", "pow", "maximum", "minimum"):
        kind = "positive" if name in ("divide", "pow") else "real"
        for i, (a, b) in enumerate(pairs):
            yield replace(call(name, T(a, kind), T(b, kind)), dtypes=FLOATS if i else ALL)
    for name in ("maximum", "minimum"):
        yield call(name, T((6,), "ties"), T((6,), "ties"))
        case = call(name, given((4,), NAN, 1, -0.0, INF), given((4,), 1, NAN, 0.0, INF))
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
        edge = given((7,), -INF, -1.0, -0.0, 0.0, 1.0, INF, NAN)
        yield replace(call(name, edge), order=0)
    yield call("clip_by_value", (3, 4), clip_value_min=-0.5, clip_value_max=0.75)
    case = call("clip_by_value", given((5,), -2, -1, 0, 1, 2), clip_value_min=-1, clip_value_max=1)
    yield replace(case, dtypes=ALL, args=("$0",))
    for name in ("square", "abs", "negative"):
        yield replace(call(name, (4,)), dtypes=("int32",), order=0)


def products() -> Iterator[Case]:
    """matmul with batches and transposes, einsum, tensordot."""
    for a, b in (
        ((3, 4), (4, 2)),
        ((2, 3, 4), (2, 4, 2)),
        ((2, 1, 3, 4), (5, 4, 2)),
        ((0, 4), (4, 2)),
    ):
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
        yield replace(call(name, given((3,), 1, NAN, 2), axis=0), order=0)
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
    for axis, pieces in (
        (0, ((2, 3), (1, 3))),
        (1, ((2, 1), (2, 3), (2, 2))),
        (-1, ((2, 2), (2, 0))),
    ):
        yield many("concat", pieces, {"axis": axis})
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
    batched = call("gather", (2, 4, 3), T((2, 5), "below", high=4, dtype="int32"), batch_dims=1)
    yield batched
    truth = T((3, 4), "truth", dtype="bool")
    yield call("where", truth, (3, 4), (3, 4))
    yield call("where", truth, (4,), (3, 1))
    yield call("where", truth, (), (3, 4))
    labels = T((2, 3), "below", high=6, dtype="int32")
    for settings in ({}, {"on_value": 2.0, "off_value": -1.0}, {"axis": 0}, {"axis": 1}):
        yield replace(call("one_hot", labels, depth=5, **settings), order=0)
    for text in (
        "0",
        "..., 1",
        "1:",
        "::2, 1:3",
        "::-1",
        ":, None, 2",
        "-1, ..., None",
        "0:0",
        "1, 2, 3",
    ):
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
