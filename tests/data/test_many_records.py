"""Memory stays as it is while a train set passes: a million records, and fewer."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import records

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux how much memory is resident")
@pytest.mark.parametrize("count", [100_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_memory_after_a_tenth_is_memory_at_the_end(tmp_path, count):
    path = tmp_path / "some.tfrecord"
    records.write(path, count)
    words = [sys.executable, "-m", "benchmarks.records", "minitensor", str(path), str(count)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT)
    assert not done.returncode, done.stderr
    found = json.loads(done.stdout)
    assert found["MiB after all"] - found["MiB after a tenth"] < 8
    assert found["MiB after all"] < 150  # Python, NumPy, and 10,000 records that are shuffled
