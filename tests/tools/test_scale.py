"""`python -m benchmarks scale`: that it runs, and what it predicts."""

import json
import sys
from pathlib import Path

import pytest
import ranks

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
from benchmarks import __main__, scale  # noqa: E402  (a checkout's folder, not installed)


@ranks.needs_mpi
def test_two_ranks_are_measured_against_one(capsys):
    assert __main__.main(["scale", "--quick"]) == 0
    told = capsys.readouterr().out
    for words in ("lenet5, batch 2", "strong", "overlap", "lenet5, 4 ranks", "over_tcp"):
        assert words in told


def test_a_step_on_many_computers_by_hand():
    # two: 50 of 100 bytes, sent twice at 100 bytes a second, hide behind the 2 s of the walk back
    assert scale.predicted(3, 100, 2, 100, 0) == pytest.approx(3)
    # four: six messages of 250 bytes, 2.5 s and 1 s each, and the second of the forward pass
    assert scale.predicted(3, 1000, 4, 100, 1) == pytest.approx(1 + 6 * 3.5)


def test_what_is_committed_keeps_the_bounds_that_the_page_states():
    found = json.loads((ROOT / "benchmarks" / "results" / "scale_cpu.json").read_text())
    assert all(1 <= row["ratio"] < 1.02 for row in found["bytes"])
    rates = {row["name"]: row["strong"] for row in found["rows"]}
    assert min(rates["vgg13, batch 128"], rates["resnet18, batch 128"]) >= 1.7


def test_the_page_is_what_was_measured():
    sys.path.insert(0, str(ROOT / "docs"))
    import scaling

    found = json.loads(scaling.RESULTS.read_text())
    page = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
    assert page == scaling.page(found), "scaling.md is old: python docs/scaling.py"
