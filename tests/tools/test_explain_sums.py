"""Every explanation's terms add up to the engine's number, and to TensorFlow's."""

from __future__ import annotations

import numpy as np
import pytest
from explained_sums import CALLED, CASES, compared

from minitensor.explain import ops

DRAWN = 60  # of each op; the command `support/explained_sums.py` draws 500


@pytest.mark.parametrize("name", CASES)
def test_the_terms_add_up_to_what_engine_and_tensorflow_compute(tf, name):
    found = compared(name, DRAWN, tf)
    op = ops.find(CALLED.get(name, name))[1]
    if op.family in ("conv", "separable", "transposed", "patches", "dense"):
        assert found["exact"] > DRAWN  # every second call is of integers, three numbers each
    ours_alone = op.function(tf) is None and "fused" not in op.path
    assert ours_alone or found["of TensorFlow"] > 2


def test_a_sum_that_is_not_the_engines_number_is_seen():
    call = ops.run("conv2d", ops.OPS["conv2d"], (np.ones((3, 3)), np.ones((2, 2))), {}, None, None)
    call.numbers[0, 1, 0, 0] += 1
    tracer = ops.OPS["conv2d"].build(call).tracer
    assert tracer.sum((0, 0, 0, 0)).checked().total == 4
    with pytest.raises(ArithmeticError, match=r"the engine says 5.0 but its 4 terms add up to 4.0"):
        tracer.sum((0, 1, 0, 0)).checked()
