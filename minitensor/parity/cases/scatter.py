"""Cases of what is written at coordinates, of bits, and of divisions that are cut off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from minitensor.parity.case import FLOATS, Case, Op, T, call, literal
from minitensor.parity.proofs import other

AREA = "tf.* core"
WHOLE = ("int32", "int64")
OPS = {
    "scatter_nd": Op("linear"),
    **{f"tensor_scatter_nd_{name}": Op("linear") for name in ("add", "sub")},
    **{
        f"tensor_scatter_nd_{name}": Op("selection", other.called(other.scatter_extreme, name))
        for name in ("max", "min")
    },
    "tensor_scatter_nd_update": Op("selection"),
    "truncatediv": Op("selection"),
}


def cases() -> Iterator[Case]:
    """Elements and rows, each once and twice; ties of extremes; every sign of a division."""
    rows = literal((3, 1), 1, 3, 1, dtype="int32")
    pairs = literal((2, 2, 2), 0, 1, 2, 2, 1, 0, 2, 1, dtype="int64")
    for dtype in (FLOATS, WHOLE):
        order = 2 if dtype is FLOATS else 0
        made = call("scatter_nd", rows, T((3, 2)), shape=[4, 2])
        yield replace(made, dtypes=dtype, order=order)
        for name in ("add", "sub", "max", "min", "update"):
            op = f"tensor_scatter_nd_{name}"
            once = literal((2, 1), 3, 0, dtype="int32")
            for case in (
                call(op, (4, 2), rows if name != "update" else once, (3 - (name == "update"), 2)),
                call(op, (3, 3), pairs, (2, 2)),
                call(op, T((3, 3), "ties"), pairs, T((2, 2), "ties")),
            ):
                yield replace(case, dtypes=dtype, order=order)
    for name in ("and", "or", "xor"):
        yield replace(call(f"bitwise.bitwise_{name}", (3, 4), (4,)), dtypes=WHOLE, order=0)
    yield replace(call("bitwise.invert", (3, 4)), dtypes=WHOLE, order=0)
    for name in ("left_shift", "right_shift"):
        case = call(f"bitwise.{name}", (3, 4), T((4,), "below", high=5))
        yield replace(case, dtypes=WHOLE, order=0)
    for name in ("truncatediv", "truncatemod"):
        case = call(name, literal((4,), 7, -7, 8, -8), literal((4,), 2, 2, -3, -3))
        yield replace(case, dtypes=("float64", *WHOLE), order=0)
