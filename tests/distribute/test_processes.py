"""The communicator of processes: every collective, on 1, 2 and 4 ranks."""

from pathlib import Path

import pytest
import ranks

pytestmark = ranks.needs_mpi
TALK = Path(ranks.__file__).with_name("ranks_talk.py")


@pytest.mark.parametrize("size", [1, 2, 4])
def test_collectives_give_every_rank_what_numpy_says(size):
    run = ranks.run(size, TALK)
    assert run.returncode == 0, run.text
    assert all(f"rank {k} of {size}: True" in run.text for k in range(size))
