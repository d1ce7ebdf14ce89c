"""The README says what was measured, and its commands are the ones CI runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks import readme  # noqa: E402  (a checkout's folder, not an installed package)

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_table_is_the_generated_one() -> None:
    assert readme.filled(TEXT) == TEXT


def test_there_are_exactly_two_commands_for_a_fresh_machine() -> None:
    assert TEXT.count("```bash") == 2


def blocks() -> list[str]:
    return [part.partition("```")[0] for part in TEXT.split("```python\n")[1:]]


@pytest.mark.parametrize("block", blocks(), ids=lambda block: block.splitlines()[0])
def test_every_python_block_runs(block: str, tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", block],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def test_every_linked_file_exists() -> None:
    links = [part.partition(")")[0] for part in TEXT.split("](")[1:]]
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []
