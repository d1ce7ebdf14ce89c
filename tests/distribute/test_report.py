"""What ranks tell each other after each step: who is slow, and whether all stop."""

import logging
from pathlib import Path

import numpy as np
import pytest
import ranks

from minitensor.distribute.agreement import RanksDifferError, same_on_all_ranks
from minitensor.distribute.communicator import Alone
from minitensor.distribute.report import WINDOW, Reports

FIT = Path(ranks.__file__).with_name("ranks_fit.py")


def after_a_window(seconds, caplog, chief=True):
    """What is logged of ranks that take so long."""
    reports = Reports(chief)
    with caplog.at_level(logging.WARNING, "minitensor"):
        for step in range(WINDOW):
            noise = 10.0 if step == 3 else 1.0  # one slow step of all is no straggler
            assert not reports.read(np.array([[s * noise, 0] for s in seconds]))
    return [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        ([0.1, 0.25], "rank 1 is slow: it computes 2.5 times as long as the median rank (0.25 s"),
        ([0.1, 0.1, 0.1, 0.32], "rank 3 is slow: it computes 3.2 times"),
        ([0.4, 0.1, 0.2, 0.1], "rank 0 is slow: it computes 4.0 times"),
    ],
)
def test_a_straggler_is_logged_once_in_a_window(seconds, said, caplog):
    lines = after_a_window(seconds, caplog)
    assert lines[0].startswith(said)
    assert len(lines) == sum(s > 1.5 * 0.1 for s in seconds)


def test_ranks_that_are_about_as_fast_are_not_worth_a_line(caplog):
    assert after_a_window([0.1, 0.14, 0.12], caplog) == []


def test_the_chief_alone_logs(caplog):
    assert after_a_window([0.1, 0.5], caplog, chief=False) == []


def test_one_that_is_asked_to_stop_stops_all():
    assert Reports(True).read(np.array([[0.1, 0.0], [0.1, 1.0]]))


class Gathers(Alone):
    """A communicator of ranks whose values are known."""

    def __init__(self, values):
        self.values = values

    def all_gather_object(self, value):
        return [[v, f"process {k} on host"] for k, v in enumerate(self.values)]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([1, 2], r"rank 1 \(process 1 on host\) has 2; the other has 1"),
        ([2, 1, 1], r"rank 0 \(process 0 on host\) has 2; the others have 1"),
        ([1, 1, 2, 2], r"rank 2 .* has 2; rank 3 .* has 2; the others have 1"),
        ([2, 2, 1, 1], r"rank 2 .* has 1; rank 3 .* has 1; the others have 2"),
        (
            [0, 1, 2, 3, 4, 5],
            r"rank 1 .*; rank 2 .*; rank 3 .* has 3, and 2 more",
        ),
    ],
)
def test_who_differs_from_most_is_named_and_else_from_the_chief(values, said):
    with pytest.raises(RanksDifferError, match=said):
        same_on_all_ranks(Gathers(values), "it", None)


def test_agreement_is_silent():
    same_on_all_ranks(Gathers([{"a": 1, "b": 2}, {"b": 2, "a": 1}]), "it", None)


@ranks.needs_mpi
def test_nan_on_one_rank_stops_all_with_its_name():
    run = ranks.run(2, FIT, "nan")
    assert run.returncode != 0
    assert run.text.count("minitensor: Training stopped on replica 1 ") == 1
    assert "Traceback" not in run.text


@ranks.needs_mpi
def test_a_slow_rank_shows_in_the_log_of_a_fit():
    run = ranks.run(2, FIT, "slow")
    assert run.returncode == 0, run.text
    assert run.text.count("rank 1 is slow: it computes ") == 1
