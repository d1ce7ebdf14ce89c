"""`minitensor lesson`: list, open, check, export, solve, progress."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from minitensor.explain.words import LANGUAGES
from minitensor.extras import require
from minitensor.lesson import progress, shelf
from minitensor.lesson.exercise import judge
from minitensor.lesson.page import MARKS
from minitensor.lesson.shelf import Lesson

RUN_ALL = "_MARIMO_CONFIG_OVERLOAD_RUNTIME_AUTO_INSTANTIATE"  # the cells run as the page opens


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's verbs."""
    deeds = parser.add_subparsers(dest="deed", required=True, metavar="WHAT")
    for name, what in (
        ("list", "the lessons, and how far you are"),
        ("open", "your copy of a lesson, in marimo"),
        ("check", "what you built, in words"),
        ("export", "a lesson as one page, or for Jupyter"),
        ("solve", "the solutions"),
        ("progress", "what you tried and passed"),
    ):
        deed = deeds.add_parser(name, help=what, description=f"{what.capitalize()}.")
        if name in ("open", "export", "solve"):
            deed.add_argument("number", type=int)
        elif name == "check":
            deed.add_argument(
                "number", type=int, nargs="?", help="all that you opened, if left out"
            )
        if name == "export":
            kind = deed.add_mutually_exclusive_group(required=True)
            kind.add_argument("--html", action="store_true", help="static, of both languages")
            kind.add_argument("--ipynb", action="store_true", help="for Jupyter")
            deed.add_argument("-o", "--output", type=Path, help="the file (NN_name.html)")
        if name == "progress":
            deed.add_argument("--json", action="store_true", help="as the file has it")
        if name in ("list", "open", "check"):
            deed.add_argument("--lang", choices=LANGUAGES, default="en")


def run(args: argparse.Namespace) -> int:
    """Does what was asked for."""
    deeds = {"list": _list, "open": _open, "check": _check, "export": _export}
    return {**deeds, "solve": _solve, "progress": _progress}[args.deed](args)


def _list(args: argparse.Namespace) -> int:
    kept = progress.read()
    for lesson in shelf.lessons():
        title = lesson.title[LANGUAGES.index(args.lang)]
        print(f"{lesson.number:2}  {_passed(lesson, kept)}/{len(lesson.exercises)}  {title}")
    return 0


def _passed(lesson: Lesson, kept: progress.Progress) -> int:
    rows = kept.get(f"{lesson.number:02}", {})
    return sum(rows.get(e.name, {}).get("passed", False) for e in lesson.exercises)


def _open(args: argparse.Namespace) -> int:
    """Runs marimo until it is stopped; only who has the token may use it."""
    lesson = shelf.find(args.number)
    require("minitensor lesson open", "marimo", extra="lessons")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token, path = secrets.token_urlsafe(16), lesson.opened()
    with tempfile.NamedTemporaryFile("w", suffix=".token") as kept:  # readable by its owner only
        kept.write(token)
        kept.flush()
        print(f"{path}: open http://127.0.0.1:{port}/?access_token={token}", flush=True)
        words = ["edit", path, "--headless", "--skip-update-check", f"--port={port}"]
        words += [f"--token-password-file={kept.name}", "--", "--lang", args.lang]
        command = [sys.executable, "-m", "marimo", *map(str, words)]
        env = {**os.environ, RUN_ALL: "true"}
        return subprocess.run(command, env=env, stdout=subprocess.DEVNULL, check=False).returncode


def _check(args: argparse.Namespace) -> int:
    asked = [shelf.find(args.number)] if args.number else shelf.lessons()
    opened = [lesson for lesson in asked if lesson.copy.exists()]
    if not opened:
        number = args.number or asked[0].number
        raise ValueError(f"you have not opened it yet: minitensor lesson open {number}")
    require("minitensor lesson check", "marimo", extra="lessons")
    done = [_check_one(lesson, args.lang) for lesson in opened]
    return 0 if all(done) else 1


def _check_one(lesson: Lesson, lang: str) -> bool:
    """Prints the verdicts on a copy; whether all passed."""
    module = shelf.load(lesson.copy)
    states = []
    for exercise in lesson.exercises:
        given = getattr(module, exercise.name, None)
        if given is None:
            raise ValueError(f"{lesson.copy} has no function {exercise.name} any more")
        verdict = judge(exercise, given, lang)
        if verdict.state != "empty":
            progress.note(exercise.lesson, exercise.name, verdict.state == "passed", 0)
        print(f"{lesson.number:2} {MARKS[verdict.state]} {exercise.name}: {verdict.text}")
        states.append(verdict.state)
    return set(states) <= {"passed"}


def _export(args: argparse.Namespace) -> int:
    from minitensor.lesson import export

    lesson = shelf.find(args.number)
    require("minitensor lesson export", "marimo", extra="lessons")
    suffix, write = (".html", export.html) if args.html else (".ipynb", export.ipynb)
    path = args.output or Path(lesson.path.with_suffix(suffix).name)
    write(lesson, path)
    print(f"wrote {path}")
    return 0


def _solve(args: argparse.Namespace) -> int:
    print("\n\n".join(e.source.rstrip() for e in shelf.find(args.number).exercises))
    return 0


def _progress(args: argparse.Namespace) -> int:
    kept = progress.read()
    if args.json:
        print(json.dumps(kept))
        return 0
    if not kept:
        print("nothing tried yet")
    for lesson, rows in sorted(kept.items()):
        for name, row in rows.items():
            mark = MARKS["passed" if row["passed"] else "wrong"]
            print(f"{lesson} {mark} {name}: {row['tries']} tries, {row['hints']} hints")
    return 0
