"""Which rank reads what: policies, passes of different lengths, and what is drawn at random."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import ranks

import minitensor as tf

PROGRAM = Path(__file__).parent / "programs" / "data.py"
SIZES = (10, 11, 12, 13, 14)  # records of five files


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What one rank says, and what each of two say."""
    folder, random = tmp_path_factory.mktemp("records"), np.random.default_rng(0)
    for number, size in enumerate(SIZES):
        with tf.io.TFRecordWriter(str(folder / f"{number}.tfrecord")) as writer:
            for _ in range(size):
                writer.write(random.normal(size=4).astype(np.float32).tobytes())
    answers, written = [], tmp_path_factory.mktemp("written")
    for count in (1, 2):
        said = ranks.run(count, PROGRAM, folder, written)
        assert said.returncode == 0, said.text
        each = [
            json.loads(line) for line in re.findall(r'\{"rank".*?"afterwards": [^}]*\}', said.text)
        ]
        answers.append(sorted(each, key=lambda answer: answer["rank"]))
    assert [len(each) for each in answers] == [1, 2]
    assert {path.stem for path in written.iterdir()} == {"rank0"}  # the chief alone writes
    return answers


pytestmark = ranks.needs_mpi


def test_parts_add_up(found):
    (alone,), pair = found
    assert alone["DATA"]["parts"] == [12] * 5
    assert [sum(each["DATA"]["parts"]) for each in pair] == [30, 30]
    assert [sum(each["OFF"]["parts"]) for each in pair] == [60, 60]
    of_files = [sum(each["FILE"]["parts"]) for each in pair]
    assert of_files == [10 + 12 + 14, 11 + 13]
    assert [each["AUTO"]["parts"] for each in pair] == [each["FILE"]["parts"] for each in pair]


def test_a_pass_ends_when_all_have_ended(found):
    _, (first, second) = found
    for policy in ("FILE", "DATA", "OFF"):
        assert len(first[policy]["parts"]) == len(second[policy]["parts"])
    assert [len(part) for part in first["own"]] == [2, 1, 0]
    assert [len(part) for part in second["own"]] == [2, 2, 1]


def test_ranks_agree_on_what_they_trained(found):
    (alone,), (first, second) = found
    for policy in ("AUTO", "FILE", "DATA", "OFF"):
        assert first[policy]["trained"] == second[policy]["trained"]
    for a, b in zip(alone["DATA"]["trained"], first["DATA"]["trained"], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_what_is_drawn(found):
    (alone,), (first, second) = found
    halves = [
        [f + s for f, s in zip(*parts, strict=True)]
        for parts in zip(first["alike"], second["alike"], strict=True)
    ]
    whole = [[list(part) for part in step] for step in alone["alike"]]
    assert [step[0] for step in halves] == [step[0] for step in whole]
    np.testing.assert_allclose([step[1] for step in halves], [step[1] for step in whole])
    assert first["own"][0] != second["own"][0]
    assert alone["afterwards"] == first["afterwards"] == second["afterwards"]
