"""The compiled kernels of the CPU against TensorFlow's recorded answers, on calls of every size.

Both settings of `set_conv_precision`, each with its own bound (`parity/bounds.py`). Here some calls
of ops that have kernels; all: `python tests/support/compiled_ledger.py fast --recorded`.
"""

import pytest
from compiled_ledger import always

from minitensor.parity import ledger
from minitensor.parity.answers import load
from minitensor.parity.cases import table
from minitensor.parity.ledger import DIFFER
from minitensor.parity.ops import KERNELS

pytest.importorskip("numba", reason="numba compiles these kernels")

CASES = table()
ANSWERS, _ = load()
OPS = [(precision, op) for op in sorted(KERNELS) for precision in ("exact", "fast")]


@pytest.mark.parametrize(
    ("precision", "op"), [row for row in OPS if row[0] == "exact" or "conv" in row[1]]
)
def test_compiled_kernels_give_tensorflows_answers(precision, op):
    cases = [case for case in CASES if case.op == op]
    with always(precision):
        rows = ledger.judge(cases[::3], ("float64", "float32", "float16"), ANSWERS)
    assert rows
    assert [
        f"{row.case} {row.dtype} order {row.order}: {row.words}"
        for row in rows
        if row.verdict == DIFFER
    ] == []
