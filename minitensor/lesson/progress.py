"""What a student has tried and passed: one JSON file of theirs, replaced as a whole."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from minitensor.files import atomic_write

Progress = dict[str, dict[str, dict[str, Any]]]  # lesson, exercise: tries, hints, passed


def folder() -> Path:
    """Where a student's lessons and progress are: $XDG_DATA_HOME/minitensor/lessons."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "minitensor" / "lessons"


def read() -> Progress:
    """What is kept so far.

    Raises:
        ValueError: the file is damaged; says which one to remove.
    """
    path = folder() / "progress.json"
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise ValueError(f"{path} is damaged; remove it to begin anew") from None
    return dict(found)


def note(lesson: str, exercise: str, passed: bool, hints: int) -> None:
    """Keeps one try."""
    found = read()
    row = found.setdefault(lesson, {}).setdefault(
        exercise, {"tries": 0, "hints": 0, "passed": False}
    )
    row["tries"] += 1
    row["hints"] = max(row["hints"], hints)
    row["passed"] = row["passed"] or passed
    folder().mkdir(parents=True, exist_ok=True)
    with atomic_write(folder() / "progress.json") as fresh:
        fresh.write_text(json.dumps(found, indent=1, sort_keys=True), encoding="utf-8")
