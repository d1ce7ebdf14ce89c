"""`minitensor parity`: draw up the ledger, with TensorFlow itself or with its recorded answers."""

from __future__ import annotations

import argparse
import datetime
import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from minitensor.backend import devices
from minitensor.extras import require
from minitensor.parity import oracle, tables
from minitensor.parity.answers import PATH, Answers, load, save
from minitensor.parity.case import Case
from minitensor.parity.cases import table
from minitensor.parity.ledger import judge
from minitensor.parity.ops import KERNELS
from minitensor.parity.tables import DTYPES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add = parser.add_argument
    add("--op", default="", help="only ops whose name contains this, or matches it (nn.conv*)")
    add("--dtype", choices=DTYPES, help="only this dtype")
    whose = "whose answers are judged (default: numpy); without --op, those of emulator and cuda "
    whose += "are judged where they have kernels"
    add("--backend", choices=tuple(devices.BACKENDS.values()), default="numpy", help=whose)
    add("--recorded", action="store_true", help="use recorded answers though TensorFlow is here")
    add("--record", action="store_true", help="ask TensorFlow and record all of its answers")
    for name, what in (("json", "every line"), ("html", "a page"), ("markdown", "a summary")):
        add(f"--{name}", type=Path, metavar="FILE", help=f"write {what} to FILE")


def run(args: argparse.Namespace) -> int:
    """Draw up the ledger and print it; 1 if there is a line where we differ."""
    require("minitensor parity", "rich", "tqdm", extra="parity")
    cases = table(args.op)
    if not cases:
        raise ValueError(f"no op matches {args.op!r}; try --op conv")
    devices.backend(devices.kind_of_backend(args.backend))  # what is missing is told first
    if args.backend != "numpy" and not args.op:
        cases = [case for case in cases if case.op in KERNELS]
    if args.record and (args.op or args.dtype or args.recorded or args.backend != "numpy"):
        raise ValueError("--record writes the whole table: leave out all options but the reports'")
    dtypes = usable([args.dtype] if args.dtype else list(DTYPES), args.backend)
    samples = [(case, d) for case in cases for d in case.dtypes if d in dtypes]
    if not samples:
        raise ValueError(f"no call of {args.op!r} has dtype {args.dtype}")
    for path in filter(None, (args.json, args.html, args.markdown)):
        path.open("a").close()  # a path that cannot be written is told now, not after the work
    answers, about = gather(cases, dtypes, args.recorded)
    if args.record:
        save(PATH, answers, about)
    asked = [(case, dtype) for case, dtype in samples if not case.composition]
    missing = sum((case.key, dtype) not in answers for case, dtype in asked)
    with progress(f"minitensor on {args.backend}", len(samples) - missing) as tick:
        rows = judge(cases, dtypes, answers, tick, args.backend)
    about = {**about, "backend": args.backend}
    words = sentence(about, missing)
    tables.show(rows, words)
    for path, text in (
        (args.json, lambda: tables.as_json(rows, about)),
        (args.html, lambda: tables.page(rows, words)),
        (args.markdown, lambda: tables.markdown(rows, words)),
    ):
        if path:
            path.write_text(text(), encoding="utf-8")
    return int(tables.failed(rows) or missing > 0)


def gather(
    cases: Sequence[Case], dtypes: Sequence[str], from_file: bool
) -> tuple[Answers, dict[str, Any]]:
    """TensorFlow's answers, fresh where it is installed, else from the recording."""
    if from_file or not oracle.version():
        answers, about = load()
        return answers, {**about, "source": "recorded"}
    asked = [case for case in cases if not case.composition]
    samples = sum(dtype in dtypes for case in asked for dtype in case.dtypes)
    with progress("TensorFlow", 2 * samples) as tick:
        answers = oracle.ask(asked, dtypes, tick)
    return answers, {**machine(), "source": "live"}


def machine() -> dict[str, Any]:
    """Where answers come from."""
    return {
        "tensorflow": oracle.version(),
        "keras": metadata.version("keras"),
        "TF_ENABLE_ONEDNN_OPTS": [0, 1],
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "date": datetime.date.today().isoformat(),
    }


def sentence(about: dict[str, Any], missing: int) -> str:
    """Who was asked, in words."""
    how = "recorded" if about["source"] == "recorded" else "asked"
    words = (
        f"TensorFlow {about['tensorflow']} (Keras {about['keras']}), {how} {about['date']} on "
        f"{about['machine']} with TF_ENABLE_ONEDNN_OPTS 0 and 1."
    )
    if about["backend"] != "numpy":
        words += f" Judged is the backend {about['backend']}."
    if missing:
        words += f" {missing} calls are not recorded: minitensor parity --record."
    return words


def usable(dtypes: list[str], backend: str) -> list[str]:
    """The dtypes this installation has; bfloat16 needs ml_dtypes, and CuPy has none."""
    if backend == "cuda":
        return [dtype for dtype in dtypes if dtype != "bfloat16"]
    try:
        import_module("ml_dtypes")
    except ModuleNotFoundError:
        if dtypes == ["bfloat16"]:
            raise
        return [dtype for dtype in dtypes if dtype != "bfloat16"]
    return dtypes


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[], None]]:
    """A progress bar; call what it yields once per step."""
    from tqdm import tqdm

    with tqdm(total=total, desc=what, unit="case", leave=False, disable=None) as bar:
        yield lambda: bar.update() and None
