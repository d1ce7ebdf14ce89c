"""The README says what was measured, and its commands are the ones CI runs."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import readme  # noqa: E402  (a checkout's folder, not an installed package)

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_table_is_the_generated_one() -> None:
    assert readme.filled(TEXT) == TEXT


def test_there_are_exactly_two_commands_for_a_fresh_machine() -> None:
    assert TEXT.count("```bash") == 2


def test_every_linked_file_exists() -> None:
    links = [part.partition(")")[0] for part in TEXT.split("](")[1:]]
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []
