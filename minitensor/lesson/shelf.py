"""Where the lessons lie, and the student's copies, which are theirs to change."""

from __future__ import annotations

import importlib
import shutil
import sys
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from minitensor.lesson import progress
from minitensor.lesson.exercise import Exercise, Words

_PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Lesson:
    """One file, and the exercises in it."""

    number: int
    path: Path
    title: Words
    exercises: tuple[Exercise, ...]

    @property
    def copy(self) -> Path:
        """The student's."""
        return progress.folder() / self.path.name

    def opened(self) -> Path:
        """The student's copy, made if there is none."""
        if not self.copy.exists():
            self.copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.path, self.copy)
        return self.copy


def folder() -> Path:
    """Of the lessons as they are shipped: in a checkout, or inside the installed package.

    Raises:
        FileNotFoundError: there is none.
    """
    for path in (_PACKAGE / "lessons", _PACKAGE.parent / "lessons"):
        if path.is_dir():
            return path
    raise FileNotFoundError("no lessons are installed; they are in the folder lessons/")


def lessons() -> list[Lesson]:
    """All of them, by number."""
    return [_lesson(path) for path in sorted(folder().glob("[0-9][0-9]_*.py"))]


def find(number: int) -> Lesson:
    """The lesson of a number.

    Raises:
        ValueError: there is none; says which there are.
    """
    found = {lesson.number: lesson for lesson in lessons()}
    if number not in found:
        raise ValueError(f"no lesson {number}; there are {', '.join(map(str, found))}")
    return found[number]


def _lesson(path: Path) -> Lesson:
    number, name = path.stem.split("_", 1)
    about = importlib.import_module(f"minitensor.lesson.exercises.{name}")
    return Lesson(int(number), path, about.TITLE, about.EXERCISES)


def load(path: Path) -> ModuleType:
    """A lesson's file as a module: its functions, with no cell run.

    Raises:
        ValueError: the file is no longer Python.
    """
    spec = spec_from_file_location(f"_lesson_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # the functions' lines are looked up by it
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise ValueError(f"{path}, line {error.lineno}: {error.msg}") from None
    return module
