"""What goes wrong on one rank is said by its name, and ends all of them; a training goes on.

The long form, 60 kills and 20 with a changing number of ranks: `pytest -m slow tests/distribute`.
"""

import os
import random
import re
import signal
import time
from pathlib import Path

import killed_ranks as killed
import pytest
import ranks

pytestmark = ranks.needs_mpi
FAULT = Path(ranks.__file__).with_name("ranks_fault.py")


def ends(how, size=2, **also):
    """Runs it; all ranks must have ended, and not well, in time."""
    run = ranks.run(size, FAULT, how, **also)
    assert run.returncode != 0, run.text
    assert "the end" not in run.text
    assert run.seconds < 20, run.seconds  # with what it takes to start on a busy machine
    return run.text


def lines(text, pattern):
    return re.findall(pattern, text, re.MULTILINE)


@pytest.mark.parametrize(
    ("how", "rank"),
    [
        ("chief killed, others compute", 0),
        ("killed, others wait", 1),
        ("killed, others sleep", 1),
        ("killed, others talk", "[01]"),  # both cores busy: see killed_ranks.torture, "misnamed"
    ],
)
def test_a_killed_rank_is_named_and_ends_the_others(how, rank):
    said = lines(ends(how), r"^minitensor: .*")
    assert len(said) == 1
    assert re.match(
        rf"minitensor: rank {rank} \(process \d+ on .*\) was killed or crashed", said[0]
    )


@pytest.mark.parametrize("how", ["fails", "fails before"])
def test_the_traceback_of_a_rank_is_printed_once_with_its_number(how):
    text = ends(how)
    assert len(lines(text, r"^rank \d+: Traceback")) == 1
    assert len(lines(text, r"^rank 1: (ValueError: a bug of the user|OSError: no such disk)$")) == 1


def test_of_ranks_that_fail_alike_one_is_printed():
    text = ends("all fail")
    assert len(lines(text, r"^rank 0: ValueError: a bug of the user$")) == 1
    assert "rank 1: Traceback" not in text


def test_a_rank_whose_program_ends_too_early_is_named_by_those_who_wait():
    text = ends("leaves")
    assert (
        "rank 0: RuntimeError: rank 0 waits in a collective for rank 1, whose program has" in text
    )


def test_a_rank_with_another_shape_is_refused_by_name():
    said = lines(ends("other shape", size=3), r"^minitensor: .*")
    assert len(said) == 1
    assert re.match(
        r"minitensor: the shape of dense/kernel must be the same on all ranks, but rank 2 "
        r"\(process \d+ on .*\) has \[3, 5\]; the others have \[3, 4\]",
        said[0],
    )


def test_a_rank_with_another_program_is_refused_by_name(tmp_path):
    other = tmp_path / "ranks_fault.py"
    other.write_text(FAULT.read_text() + "# a newer version\n")
    program = [ranks.PYTHON, "-m", "minitensor", "run", other, "none"]
    text = ranks.run(2, FAULT, "none", ":", "-n", "1", *program).text
    said = lines(text, r"^minitensor: .*")
    assert len(said) == 1
    assert re.search(r"the program must be the same .* rank 2 .* has .*ranks_fault.py", said[0])


def test_a_rank_that_never_comes_is_named():
    said = lines(ends("missing", MINITENSOR_START_SECONDS="2"), r"^minitensor: .*")
    assert len(said) == 1
    assert said[0].startswith("minitensor: rank 1 did not start tf.distribute within 2 s: ")


# ----- trainings -----


def whole(report, kills):
    assert report["kills"] >= kills
    assert report["slowest end"] < 10
    assert report["misnamed"] <= max(1, kills // 20)
    wrong = {key: report[key] for key in ("unnamed", "orphans", "lost", "different")}
    assert not any(wrong.values()), wrong


def test_a_training_of_two_ranks_survives_kills(tmp_path):
    whole(killed.torture(tmp_path, 3, random.randrange(10**6)), 3)


def test_a_training_goes_on_with_another_number_of_ranks(tmp_path):
    """1, then 2, then 1: each is killed once in the middle."""
    killed.calm(tmp_path / "calm", 2, "--plain")
    folder = tmp_path / "changing"
    folder.mkdir()
    for size in (1, 2):
        before = killed.newest(folder)

        def kill(mpiexec, before=before):
            killed.until(lambda: killed.newest(folder) > before)
            os.kill(killed.processes(folder)[0], signal.SIGKILL)

        assert ranks.run(size, killed.__file__, folder, "--plain", meanwhile=kill).returncode != 0
        assert not (folder / "history").exists()
    assert ranks.run(1, killed.__file__, folder, "--plain").returncode == 0
    assert killed.differences(tmp_path / "calm", folder, exactly=False) == []


def test_ctrl_c_on_mpiexec_leaves_a_checkpoint_from_which_the_training_goes_on(tmp_path):
    killed.calm(tmp_path / "calm", 2)
    folder = tmp_path / "stopped"
    folder.mkdir()

    def ctrl_c(mpiexec):
        killed.until(lambda: killed.newest(folder))
        mpiexec.send_signal(signal.SIGINT)
        return time.monotonic()

    run = ranks.run(2, killed.__file__, folder, meanwhile=ctrl_c)
    assert time.monotonic() - run.met < 10
    assert run.returncode != 0
    assert not killed.processes(folder)
    assert killed.place(folder) > (-1, 0)
    if not ranks.is_open_mpi():  # whose mpiexec lets nothing more be said
        assert run.text.count("minitensor run: stopped") == 1
        assert run.text.count("the training so far is in") == 1
    assert ranks.run(2, killed.__file__, folder).returncode == 0
    assert killed.differences(tmp_path / "calm", folder, exactly=True) == []


@pytest.mark.slow
def test_sixty_kills(tmp_path):
    seed = int(os.environ.get("MINITENSOR_SEED", "0"))
    whole(killed.torture(tmp_path / "two", 60, seed), 60)
    whole(killed.torture(tmp_path / "changing", 20, seed, (1, 2), ("--plain",)), 20)
