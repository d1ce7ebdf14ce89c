"""The `minitensor` command: one verb per job; each verb's module is imported when it is used.

What is wrong with the user's data or arguments is said in one line on stderr, with exit code 2.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from minitensor import __version__
from minitensor.backend.errors import DeviceError

# verb, module with add_arguments(parser) and run(args), what it does
_VERBS = (
    ("train", "minitensor.digits.command", "train a small net to read handwriting, or your images"),
    ("evaluate", "minitensor.digits.evaluate", "test a trained net: accuracy and its mistakes"),
    ("parity", "minitensor.parity.command", "compare every function with TensorFlow"),
    ("run", "minitensor.run.command", "run a TensorFlow program on this engine"),
    ("explain", "minitensor.explain.command", "show which numbers make a number, of any op"),
    (
        "explore",
        "minitensor.explain.explore",
        "write an offline page that steps through convolution",
    ),
    ("kernel", "minitensor.explain.kernel", "show which thread of a kernel computes what"),
    ("trace", "minitensor.explain.saved", "show again what `minitensor kernel --save` wrote"),
    ("check", "minitensor.explain.check", "test a kernel of your own: right, in order, in bounds?"),
    ("lesson", "minitensor.lesson.command", "learn convolution: lessons that check what you build"),
    ("puzzle", "minitensor.explain.puzzle", "learn CUDA by twenty-five kernels that you write"),
    ("warm-up", "minitensor.warm_up", "compile the CPU's kernels before you wait for them"),
    ("new", "minitensor.new.command", "write the skeleton of an op or a kernel"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    args = _parser(arguments[:1]).parse_args(arguments)
    try:
        code = args.run(args)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # `minitensor ... | head`: who reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is left to write
        return 0
    except (ValueError, OSError, ImportError, DeviceError) as problem:
        print(f"minitensor {args.verb}: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"minitensor {args.verb}: stopped", file=sys.stderr)
        return 130


def stoppable(main: Callable[[], int | None]) -> None:
    """Runs a program of its own; Ctrl-C ends it with one line."""
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print(f"{Path(sys.argv[0]).name}: stopped", file=sys.stderr)
        sys.exit(130)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line; `--help` says the rest."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}{'' if words.endswith('?') else '.'}"


def _parser(used: Sequence[str]) -> argparse.ArgumentParser:
    """Knows all verbs, but only the `used` one's arguments: importing the others takes time."""
    parser = _Parser(
        prog="minitensor",
        description="Convolutional networks in NumPy and CUDA, with TensorFlow's functions.",
    )
    parser.add_argument("--version", action="version", version=f"minitensor {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, module, purpose in _VERBS:
        sub = verbs.add_parser(verb, help=purpose, description=_sentence(purpose))
        if verb in used:
            command = importlib.import_module(module)
            command.add_arguments(sub)
            sub.set_defaults(run=command.run)
    return parser
