"""`minitensor run script.py`: runs a program as `python script.py` would, on this engine.

Tensors then print as `tf.Tensor`, and `summary()` as TensorFlow 2.0 printed it: programs of the
course show what the course shows.
"""

from __future__ import annotations

import argparse
import runpy
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from minitensor.autograd import tensor
from minitensor.backend.devices import device
from minitensor.distribute import launch, mpi
from minitensor.keras import summary
from minitensor.run import mirror


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `minitensor run`."""
    add = parser.add_argument
    add("--device", default=None, help="cpu, gpu or emulator (default: cpu)")
    shown = "what model.summary() prints (default: tf20)"
    add("--summary", choices=summary.STYLES, default="tf20", help=shown)
    add("script", type=Path, help="a Python program that imports tensorflow")
    add("arguments", nargs=argparse.REMAINDER, help="what the program finds in sys.argv")


def run(args: argparse.Namespace) -> int:
    """Runs the program; 0 if it ends, 1 if it fails, or the code it exits with."""
    if not args.script.is_file():
        raise ValueError(f"{args.script}: no such file")
    launch.take_a_gpu()
    before = tensor.printed_as, summary.default_style
    tensor.printed_as, summary.default_style = "tf", args.summary
    try:
        with _as_program(args.script, args.arguments), mirror.installed(), device(args.device):
            return _ran(args.script)
    finally:
        tensor.printed_as, summary.default_style = before


def _ran(script: Path) -> int:
    """Runs it; what it raises is shown from its own first line on, as Python shows it."""
    mpi.watch_over_this_rank()
    try:
        runpy.run_path(str(script), run_name="__main__")
    except KeyboardInterrupt as problem:
        mpi.uncaught(problem, "minitensor run: stopped\n")
        return 130
    except Exception as problem:
        frames = traceback.TracebackException.from_exception(problem)
        first = next((i for i, f in enumerate(frames.stack) if f.filename == str(script)), 0)
        frames.stack[:first] = []
        mpi.uncaught(problem, "".join(frames.format()))
        return 1
    return 0


@contextmanager
def _as_program(script: Path, arguments: list[str]) -> Iterator[None]:
    """sys.argv and sys.path as `python script.py arguments` has them."""
    argv, path = sys.argv, sys.path
    sys.argv = [str(script), *arguments]
    sys.path = [str(script.parent.resolve()), *path]
    try:
        yield
    finally:
        sys.argv, sys.path = argv, path
