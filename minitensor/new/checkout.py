"""Where `minitensor new` writes: a checkout of the project, and nothing else."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from minitensor.files import atomic_write

HERE = Path(__file__).resolve().parents[2]
LANDMARKS = ("pyproject.toml", "kernels/common.cuh", "tests/core/test_rooms.py")
Edit = Callable[[str], str]


@dataclass(frozen=True)
class FileChange:
    """A file to write, new or with something added, and what is in it."""

    path: str
    text: str | Edit  # a whole new file, or what is done to the one that is there
    what: str

    @property
    def is_new(self) -> bool:
        """Whether the file must not exist yet."""
        return isinstance(self.text, str)


def root() -> Path:
    """The checkout that this package is imported from.

    Raises:
        ValueError: it is an installed copy.
    """
    if missing := [name for name in LANDMARKS if not (HERE / name).is_file()]:
        raise ValueError(
            f"writes into a checkout of the project, and {HERE} is none (no {missing[0]}); clone "
            "it, and there: pip install -e '.[dev]'"
        )
    return HERE


def write(folder: Path, file_changes: Sequence[FileChange]) -> None:
    """Writes all files; what can go wrong is found before the first.

    Raises:
        ValueError: a new file is there already, or an old one has not the line to add to.
    """
    taken = [
        change.path for change in file_changes if change.is_new and (folder / change.path).exists()
    ]
    if taken:
        raise ValueError(f"{' and '.join(taken)} exist already; nothing was written")
    texts = {folder / change.path: _text(folder, change) for change in file_changes}
    for path, text in texts.items():
        with atomic_write(path) as fresh:
            fresh.write_text(text, encoding="utf-8")


def _text(folder: Path, change: FileChange) -> str:
    if isinstance(change.text, str):
        return change.text
    try:
        return change.text((folder / change.path).read_text(encoding="utf-8"))
    except LookupError as missing:
        raise ValueError(f"{change.path} {missing.args[0]}; nothing was written") from None


# ----- a line more -----


def appended(text: str) -> Edit:
    """`text` at the end of the file."""
    return lambda old: f"{old.rstrip()}\n\n{text}"


def inserted(line: str, before: str) -> Edit:
    """`line` in front of the first line that begins with `before`."""

    def edit(old: str) -> str:
        if f"\n{before}" not in old:
            raise LookupError(f"has no line that begins with {before!r}")
        return old.replace(f"\n{before}", f"\n{line}\n{before}", 1)

    return edit


def in_order(line: str, like: str) -> Edit:
    """`line` among the lines that match the pattern `like`, at its place in the alphabet."""

    def edit(old: str) -> str:
        lines = old.splitlines()
        alike = [i for i, other in enumerate(lines) if re.fullmatch(like, other)]
        if not alike:
            raise LookupError(f"has no line like {like!r}")
        at = next((i for i in alike if lines[i] > line), alike[-1] + 1)
        return "\n".join([*lines[:at], line, *lines[at:]]) + "\n"

    return edit


def listed(name: str) -> Edit:
    """`name` among the names of `__all__`, sorted, in full lines."""

    def edit(old: str) -> str:
        names = re.search(r"^__all__ = \[\n([^\]]*)\]", old, re.MULTILINE)
        if not names:
            raise LookupError("has no list __all__")
        text = ", ".join(sorted({*re.findall(r'"\w+"', names[1]), f'"{name}"'})) + ","
        lines = textwrap.fill(text, 100, initial_indent=" " * 4, subsequent_indent=" " * 4)
        return old.replace(names[1], f"{lines}\n", 1)

    return edit


def imported(name: str, module: str) -> Edit:
    """`name` among the names that one line imports from `module`."""

    def edit(old: str) -> str:
        line = re.search(rf"^from {re.escape(module)} import (\w.*)$", old, re.MULTILINE)
        if not line:
            raise LookupError(f"has no line that imports from {module}")
        names = ", ".join(sorted({*line[1].split(", "), name}))
        return old.replace(line[0], f"from {module} import {names}", 1)

    return edit
