"""`minitensor new op NAME` and `minitensor new kernel NAME`: the files of something new."""

from __future__ import annotations

import argparse
import keyword

from minitensor.new import checkout, kernel, op


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add = parser.add_argument
    add("what", choices=("op", "kernel"), help="a function of nn, or a kernel and its twin")
    add("name", help="what it is called: lp_pool becomes nn.lp_pool, or kernels/lp_pool.cu")
    judge = "TensorFlow has a function nn.NAME: its answers are the judge (op only)"
    add("--tf", action="store_true", help=judge)


def run(args: argparse.Namespace) -> int:
    """Writes the skeleton and says what to do with it."""
    folder = checkout.root()
    _check_name(args.name)
    if args.tf and args.what != "op":
        raise ValueError("--tf is about an op; a kernel is judged by its twin")
    room = op if args.what == "op" else kernel
    if taken := room.taken(args.name):
        raise ValueError(f"{taken} exists already; nothing was written")
    file_changes = (
        op.file_changes(args.name, args.tf) if room is op else kernel.file_changes(args.name)
    )
    checkout.write(folder, file_changes)
    print(f"In {folder}:")
    width = max(len(change.path) for change in file_changes)
    for change in file_changes:
        print(f"  {'new' if change.is_new else 'add'}  {change.path:{width}}  {change.what}")
    print("\nNext, in this order (docs/how-to-add.md says more):")
    steps = op.steps(args.name, args.tf) if room is op else kernel.steps(args.name)
    for number, step in enumerate(steps, 1):
        print(f"  {number}. {step}")
    return 0


def _check_name(name: str) -> None:
    """A name that Python, C++ and a file can have."""
    if "." in name:
        raise ValueError(f"{name!r}: give the last part alone; nn.NAME is made of it")
    if not name.isidentifier() or not name.isascii() or name.startswith("_"):
        raise ValueError(
            f"{name!r} is no name of a public function: letters, digits and _, a letter first"
        )
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise ValueError(f"{name!r} is a word of Python's own")
