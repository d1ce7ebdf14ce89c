"""Cases of tensors that are made, and of rows that are found, repeated or counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from minitensor.parity.case import FLOATS, Case, Op, T, call, literal

AREA = "tf.* core"
DTYPES = (*FLOATS, "int32", "int64")
OPS = {
    **dict.fromkeys(("gather_nd", "repeat", "meshgrid"), Op("linear")),
    **dict.fromkeys(
        ("eye", "fill", "ones", "zeros", "range", "rank", "size", "shape", "unique", "constant",
         "ensure_shape", "convert_to_tensor"),
        Op("selection"),
    ),
}  # fmt: skip


def cases() -> Iterator[Case]:
    """What is made of numbers alone, then what is made of tensors."""
    for settings in ({"num_rows": 3}, {"num_rows": 2, "num_columns": 4, "batch_shape": [2]}):
        for dtype in ("float32", "int32"):
            yield made("eye", **settings, dtype=dtype)
    yield made("fill", dims=[2, 3], value=1.5)
    for name in ("ones", "zeros"):
        yield made(name, shape=[2, 3])
        yield made(name, shape=[], dtype="int64")
        yield replace(call(f"{name}_like", (2, 3)), dtypes=DTYPES, order=0)
    for numbers in ((5,), (2, 9, 3), (5, 0, -2), (0.0, 1.0, 0.25)):
        yield replace(Case("range", (), numbers, {}), dtypes=("float32",), order=0)
    yield made("constant", value=[1, 2, 3, 4], shape=[2, 2], dtype="float64")
    for name in ("rank", "size", "shape"):
        yield replace(call(name, (2, 1, 3)), dtypes=("float32",), order=0)
    yield call("ensure_shape", (2, 3), shape=[None, 3])
    yield call("convert_to_tensor", (2, 3))
    yield from picked()


def made(name: str, **settings: object) -> Case:
    """A call without tensors, which no dtype of the ledger changes."""
    return replace(call(name, **settings), dtypes=("float32",), order=0)


def picked() -> Iterator[Case]:
    """Rows of a tensor: found by coordinates, moved, repeated, counted."""
    pairs = literal((3, 2), 0, 1, 2, 2, 0, 1, dtype="int32")
    yield call("gather_nd", (3, 4, 2), pairs)
    yield call("gather_nd", (2, 3), literal((2, 2, 1), 1, 0, 1, 1, dtype="int64"))
    yield call("gather_nd", (2, 3), literal((2, 1), 2, 0, dtype="int64"), batch_dims=1)
    for settings in ({"shift": 2, "axis": 0}, {"shift": [1, -2], "axis": [0, 1]}):
        yield call("roll", (3, 4), **settings)
    yield call("repeat", (3, 2), repeats=2)
    yield call("repeat", (3, 2), repeats=[1, 0, 2], axis=0)
    yield call("repeat", (3, 2), repeats=3, axis=1)
    for indexing in ("xy", "ij"):
        yield call("meshgrid", (3,), (2,), indexing=indexing)
    yield replace(call("unique", T((9,), "ties")), dtypes=DTYPES, order=0)
    for direction in ("ASCENDING", "DESCENDING"):
        case = call("argsort", T((3, 5), "ties"), axis=0, direction=direction, stable=True)
        yield replace(case, order=0)
