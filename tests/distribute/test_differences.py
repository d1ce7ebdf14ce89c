"""Ranks that do not do the same stop with one line that names the other one."""

from pathlib import Path

import pytest
import ranks

PROGRAM = Path(__file__).parent / "programs" / "differ.py"
pytestmark = ranks.needs_mpi

SAYS = {
    "shape": ["the variable dense/kernel", "rank 1 (process", 'has [[3, 5], "float32"]'],
    "layers": ["the variable dense_", "rank 1 (process", "[[4, 7]"],
    "data": ["whether the data have another batch", "rank 1 (process", "has true"],
    "nan": ["on replica 1 at step 2 of epoch 0: the loss is nan", "inputs of the model"],
}


@pytest.mark.parametrize("how", SAYS)
def test_the_other_one_is_named(how):
    found = ranks.run(3 if how != "nan" else 2, PROGRAM, how)
    assert found.returncode
    said = [line for line in found.text.splitlines() if line.startswith("minitensor: ")]
    assert len(said) == 1, found.text
    for words in SAYS[how]:
        assert words in said[0]


def test_a_callback_of_one_rank_stops_all():
    found = ranks.run(2, PROGRAM, "stops")
    assert found.returncode == 0, found.text
    assert found.text.count("2 steps") == 2
