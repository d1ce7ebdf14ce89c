"""The README's command gives the tests to worker processes, by itself, and outlives them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = {
    "killed.py": """
first = iter([True])

def pytest_testnodeready(node):
    send = node.channel.send

    def killed(message):
        if message[0] == "steal" and next(first, False):
            node.gateway._io.popen.kill()
            raise OSError("cannot send (already closed?)")
        send(message)

    node.channel.send = killed
""",
    "test_lives.py": "import os, pytest\n@pytest.mark.parametrize('i', range(20))\n"
    "def test_it(i):\n    assert 'PYTEST_XDIST_WORKER' in os.environ\n",
    "test_dies.py": "import os, pytest, time\n@pytest.mark.parametrize('i', range(20))\n"
    "def test_it(i):\n    i == 7 and (time.sleep(0.5), os.abort())\n",
}


@pytest.fixture
def suite(tmp_path):
    """A suite of our configuration in which one test of forty kills its process."""
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path / "tests")
    for name, text in FILES.items():
        (tmp_path / "tests" / name).write_text(text)
    return tmp_path


def run(folder, *arguments):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    outside = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    done = subprocess.run(command, cwd=folder, env=outside, capture_output=True, text=True)
    return done.stdout


def test_a_process_that_dies_costs_one_test(suite):
    said = run(suite)
    assert "1 failed, 39 passed" in said
    assert "crashed while running 'tests/test_dies.py::test_it[7]'" in said


def test_work_sent_to_a_process_that_has_died_is_done_by_another(suite):
    said = run(suite, "-p", "tests.killed")  # xdist writes before it hears of the death
    assert "1 failed, 39 passed" in said


def test_a_single_file_and_a_debugger_need_no_workers(suite):
    said = run(suite, "tests/test_lives.py")
    assert "KeyError" not in said
    assert "20 failed" in said  # they ask for a worker
    assert "20 failed" in run(suite, "-n", "0", "-k", "lives")
