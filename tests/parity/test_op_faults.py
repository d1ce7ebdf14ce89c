"""A result or a derivative that is one in a thousand too large is reported by the recorded ledger.

In every function of the case table, and in every primitive of the package, argument by argument:
support/op_faults.py plants them. Every tenth primitive here, all of them with `-m slow`.
"""

import op_faults
import pytest

import minitensor.keras.ops  # noqa: F401  (it brings primitives of its own)
from minitensor.parity.cases import table

UNREACHED = {
    "minitensor.ops.conv.conv2d_bias_activation",  # of inference: core/test_ops_norm.py
    # Of keras.ops alone, which keras/test_ops.py compares with Keras, slopes too.
    *(f"minitensor.ops.elementwise.{name}" for name in ("cbrt",)),
    "minitensor.ops.discrete.discrete",
}


@pytest.fixture(scope="module")
def reached():
    return op_faults.reached(table())


def test_every_primitive_is_reached_by_a_case(reached):
    computed = {op for op, place in reached if place == op_faults.FORWARD}
    assert {name for name, op in op_faults.primitives().items() if op not in computed} == UNREACHED


def test_faults_in_every_tenth_result_or_derivative_are_seen(reached):
    chosen = dict(list(reached.items())[::10])
    assert len(chosen) >= 20
    assert op_faults.unseen(chosen) == []


@pytest.mark.slow
def test_faults_in_every_result_and_derivative_of_every_primitive_are_seen(reached):
    assert len(reached) >= 240
    assert op_faults.unseen(reached) == []


@pytest.mark.slow
def test_faults_in_every_function_of_the_table_are_seen():
    count, silent = op_faults.unseen_functions()
    assert count >= 160
    assert silent == []


def test_a_fault_that_changes_nothing_is_not_seen(reached, monkeypatch):
    monkeypatch.setattr(op_faults, "FACTOR", 1.0)
    fault = min(reached, key=lambda fault: len(reached[fault]))
    assert len(op_faults.unseen({fault: reached[fault]})) == 1
