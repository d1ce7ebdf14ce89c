"""Diagonals and bands of matrices, counts, masks and searches: rows of the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from minitensor.parity.case import Case, Op, T, call, literal
from minitensor.parity.cases.core import INF, many
from minitensor.parity.proofs import other

AREA = "tf.* core"
OPS = {
    **dict.fromkeys(
        ("linalg.diag", "linalg.diag_part", "linalg.set_diag", "linalg.band_part"),
        Op("selection"),
    ),
    "linalg.matrix_transpose": Op("selection"),
    "saturate_cast": Op("selection", other.saturate_cast),
    "searchsorted": Op("selection", other.searchsorted),
    **dict.fromkeys(("sequence_mask", "math.bincount"), Op("selection")),
    "math.confusion_matrix": Op("selection"),
    "linalg.matvec": Op("linear", kernels=2),
    **dict.fromkeys(
        ("linalg.trace", "nn.compute_average_loss", "nn.scale_regularization_loss"), Op("linear")
    ),
}
ALIGN = ("RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT", "RIGHT_RIGHT")


def cases() -> Iterator[Case]:
    """Every row."""
    yield from diagonals()
    yield from counts()
    yield call("linalg.matvec", (2, 3, 4), (4,))
    yield call("linalg.matvec", (2, 3, 4), (2, 3), transpose_a=True)
    yield call("linalg.matvec", (3, 4), (3,), adjoint_a=True)
    yield call("linalg.matrix_transpose", (2, 3, 4))
    yield many("linalg.global_norm", ((3,), (2, 2)), {})
    yield call("linalg.trace", (3, 3))
    yield call("linalg.trace", (2, 4, 3))
    yield call("nn.compute_average_loss", (4,))
    yield call("nn.compute_average_loss", (4,), global_batch_size=8)
    weighted = call("nn.compute_average_loss", (4, 3), T((4,), "positive"))
    yield replace(weighted, dtypes=("float32",))  # TensorFlow weighs in float32
    yield call("nn.scale_regularization_loss", (2, 3))


def diagonals() -> Iterator[Case]:
    """One diagonal, and bands at each end of their rows."""
    for k in (0, 1, -2):
        yield call("linalg.diag_part", (2, 3, 4), k=k)
        yield call("linalg.diag", (2, 3), k=k)
    yield call("linalg.set_diag", (2, 3, 4), (2, 3), k=1)
    yield call("linalg.set_diag", (3, 3), (3,))
    for align in ALIGN:
        yield call("linalg.diag_part", (3, 5), k=[-2, 2], align=align)
        yield call("linalg.diag", (3, 3), k=[-1, 1], align=align)
        yield call("linalg.set_diag", (4, 3), (3, 3), k=[-2, 0], align=align)
    yield call("linalg.diag_part", (4, 3), k=[-3, 1], padding_value=2)
    yield call("linalg.diag", (3,), k=1, num_rows=3)
    yield call("linalg.diag", (3,), num_rows=3, num_cols=5, padding_value=2)
    yield call("linalg.diag", (2, 3), k=[0, 1], num_cols=3)
    for lower, upper in ((0, 0), (1, 0), (-1, 1), (0, -1), (2, 4)):
        yield call("linalg.band_part", (2, 3, 4), num_lower=lower, num_upper=upper)


def counts() -> Iterator[Case]:
    """What has no derivative."""
    numbers = T((2, 5), "below", high=4, dtype="int32")
    for settings in ({}, {"axis": -1}, {"minlength": 6}, {"maxlength": 3}, {"binary_output": True}):
        yield replace(call("math.bincount", numbers, **settings), order=0)
    yield replace(call("math.bincount", numbers, T((2, 5), "positive", constant=True)), order=0)
    labels, guesses = (T((9,), "below", high=4, dtype=d) for d in ("int32", "int64"))
    yield replace(call("math.confusion_matrix", labels, guesses), order=0)
    yield replace(call("math.confusion_matrix", labels, guesses, num_classes=6), order=0)
    row = literal((2, 4), -1, 0, 0, 2, 1, 1, 1, 3)
    for side in ("left", "right"):
        yield replace(call("searchsorted", row, T((2, 5), "ties"), side=side), order=0)
    lengths = T((2, 3), "below", high=4, dtype="int64")
    yield replace(call("sequence_mask", lengths), order=0)
    yield replace(call("sequence_mask", lengths, maxlen=2, dtype="float32"), order=0)
    wide = literal((6,), 300, -5, 1.75, 0, 127, -128)
    for kind in ("uint8", "int8", "int32"):
        yield replace(call("saturate_cast", wide, dtype=kind), order=0)
    huge = literal((5,), 1e30, -1e30, INF, -INF, 5)
    for kind in ("int64", "uint64"):
        beyond = call("saturate_cast", huge, dtype=kind)
        yield replace(beyond, dtypes=("float64",), order=0)
    yield call("saturate_cast", literal((3,), 1.5, -2, 7), dtype="float64")
