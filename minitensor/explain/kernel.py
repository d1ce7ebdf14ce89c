"""`minitensor kernel NAME`: which thread computes what, from which loads; run on the emulator.

With --output it shows every access of the one thread that computes an output, line by line; with
--gdb it stops in that thread, at the beginning of the kernel.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from minitensor.backend.emulator.kernel import KernelError
from minitensor.backend.errors import CompileError
from minitensor.backend.host.conversion import LaunchError
from minitensor.explain import own_launch
from minitensor.explain.gpus import GPUS
from minitensor.explain.launch_cases import (
    LAUNCH_CASES,
    LaunchCase,
    Problem,
    launch_cases,
    spelled,
)
from minitensor.extras import require

_IN_GDB = "MINITENSOR_IN_GDB"  # set for the process that gdb runs, which prints nothing
_TAPS_HELP = "kernel size and output channels (ops without filters ignore the last)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add = parser.add_argument
    add(
        "name",
        nargs="?",
        help="a kernel, how its name begins (max_pool, 'conv_tiled<Forward'), "
        "its other spelling conv_tiled.forward, or the path of a .cu of yours",
    )
    add("--list", action="store_true", help="the kernels that there are, a line each")
    add("--shape", type=_numbers, metavar="N,H,W,C", help="of the images")
    add("--filter", type=_numbers, metavar="KH,KW,O", help=_TAPS_HELP)
    add("--stride", type=_numbers, metavar="S[,S]", help="pixels between output positions")
    add("--dilation", type=_numbers, metavar="D[,D]", help="pixels between taps")
    add("--padding", choices=("SAME", "VALID"), help="TensorFlow's rules")
    add("--groups", type=int, help="how many groups of channels; C for depthwise")
    add("--dtype", choices=("float32", "float64", "float16"), help="of all arrays")
    add("--blocks", type=_blocks, metavar="N|all", help="that are traced; else as many as is quick")
    add_views(parser)
    add("--save", type=Path, metavar="FILE", help="for `minitensor trace FILE`, anywhere")
    add(
        "--beside",
        action="append",
        default=[],
        metavar="KERNEL",
        help="with --html: another of ours, for the same sizes, on the same page",
    )
    add("--gdb", action="store_true", help="with --output: stop in the thread that computes it")
    own_launch.add_arguments(parser)


def add_views(parser: argparse.ArgumentParser) -> None:
    """What of launches is shown, and how."""
    add = parser.add_argument
    add(
        "--metrics",
        nargs="?",
        const="",
        metavar="GPU",
        help="what each line asks of memory; and "
        "the time that it takes on a GPU: " + ", ".join(GPUS),
    )
    add("--threads", type=int, default=8, help="how many rows of the map to print (8)")
    add("--output", type=_numbers, metavar="I,J,...", help="show all that is done for one output")
    add(
        "--html", type=Path, metavar="FILE", help="a page to step through the requests of its warps"
    )


def check_views(args: argparse.Namespace) -> None:
    """Says what of that cannot be, before anything runs."""
    if args.threads < 1:
        raise ValueError(f"--threads {args.threads}: at least one row")
    if args.metrics and args.metrics not in GPUS:
        raise ValueError(f"--metrics {args.metrics}: known are {', '.join(GPUS)}")


def run(args: argparse.Namespace) -> int:
    """Shows the kernel at work."""
    require("minitensor kernel", "rich", extra="parity")
    if args.list or args.name is None:
        print("\n".join(sorted({case.kernel for case in LAUNCH_CASES})))
        return 0
    if args.gdb and args.output is None:
        raise ValueError("--gdb stops in the thread of one output: say which, with --output")
    check_views(args)
    in_gdb = os.environ.pop(_IN_GDB, None) is not None
    os.environ["MINITENSOR_EMULATOR"] = "debug" if in_gdb else "trace"
    try:
        seen = _of(args.name, args, in_gdb)
        if args.html:
            seen += [launch for name in args.beside for launch in _of(name, args, in_gdb)]
    except (CompileError, LaunchError, KernelError) as problem:
        raise ValueError("\n".join(own_launch.first_lines(problem))) from None
    if in_gdb:
        return 0
    if args.gdb:
        return _debug(_writing(seen, args.output)[0], args.output)
    if args.save:
        from minitensor.explain import saved

        saved.save(seen, args.save)
        print(f"wrote {args.save}: minitensor trace {args.save} shows it again")
        return 0
    return show(seen, args)


def _of(name: str, args: argparse.Namespace, in_gdb: bool) -> list[Any]:
    return (_of_own if name.endswith(".cu") else _of_ours)(name, args, in_gdb)


def _of_own(name: str, args: argparse.Namespace, in_gdb: bool) -> list[Any]:
    """The launch of a file of the user's."""
    from minitensor.backend import devices, emulator

    devices.backend("EMULATOR")  # says what is missing
    own = emulator.load(name)
    kernel, call = own_launch.call(own, args)
    return _seen(call, kernel.name, args, in_gdb)


def _of_ours(name: str, args: argparse.Namespace, in_gdb: bool) -> list[Any]:
    """The launches of one of our kernels, by the first of its cases that has any."""
    name = spelled(name)
    try:
        found = launch_cases(name)
    except LookupError as unknown:
        raise ValueError(unknown.args[0]) from None
    attempts = _with_sizes(args, found)
    seen = next(filter(None, (_launches(case, name, args, in_gdb) for case in attempts)), None)
    if not seen:
        raise ValueError(
            f"{name} is not launched for {_words(attempts[0].problem)}: other kernels serve "
            "these sizes"
        )
    return seen


def show(seen: list[Any], args: argparse.Namespace) -> int:
    """All launches; or, of those that write such an output, what is done for it."""
    from minitensor.explain import report

    if args.html:
        from minitensor.explain import launch_page

        args.html.write_text(launch_page.page(seen), encoding="utf-8")
        print(f"wrote {args.html}: open it in a browser; it needs no network")
    elif args.metrics is not None:
        for launch in seen:
            report.show_metrics(launch, args.metrics)
    elif args.output is None:
        for launch in seen:
            report.show(launch, args.threads, _budget().get(launch.kernel.name, {}))
    else:
        for launch in _writing(seen, args.output):
            report.show_output(launch, args.output)
    return 0


def _writing(seen: list[Any], output: tuple[int, ...]) -> list[Any]:
    """The launches that write an array with such an element; the first if there are none."""
    from minitensor.explain import report

    return [launch for launch in seen if report.has(launch, output)] or seen[:1]


def _launches(case: LaunchCase, name: str, args: argparse.Namespace, in_gdb: bool) -> list[Any]:
    from minitensor.backend import devices

    emulator = devices.backend("EMULATOR")
    return _seen(lambda: case(emulator), name, args, in_gdb)


def _seen(call: Any, name: str, args: argparse.Namespace, in_gdb: bool) -> list[Any]:
    from minitensor.explain import watch

    return watch.names(call, name) if in_gdb else watch.launches(call, name, args.blocks)


def _with_sizes(args: argparse.Namespace, found: list[LaunchCase]) -> list[LaunchCase]:
    """The cases; where sizes are given, one of each way to run, for those sizes."""
    given = {
        name: value
        for name in ("shape", "filter", "padding", "groups", "dtype")
        if (value := getattr(args, name)) is not None
    }
    for name in ("stride", "dilation"):
        value = getattr(args, name)
        if value is not None and (len(value) > 2 or min(value) < 1):
            raise ValueError(f"--{name} {value}: one or two numbers, at least 1")
        given |= {} if value is None else {name: (value * 2)[:2]}
    if not given:
        return found
    for name in given:
        if not any(name in case.takes for case in found):
            takes = ", ".join(f"--{size}" for size in found[0].takes)
            raise ValueError(f"{args.name} does not depend on --{name}; it does on {takes}")
    problem = _problem({**vars(found[0].problem), **given})
    return list({(r.run, r.algorithm): replace(r, problem=problem) for r in found}.values())


def _problem(settings: dict[str, Any]) -> Problem:
    """The problem of some sizes, if they fit each other."""
    shape, taps, groups = settings["shape"], settings["filter"], settings["groups"]
    if len(shape) != 4 or len(taps) != 3 or min(*shape, *taps, groups) < 1:
        raise ValueError(f"--shape {shape} must be N,H,W,C and --filter {taps} KH,KW,O")
    if shape[-1] % groups or taps[-1] % groups:
        raise ValueError(f"--groups {groups} must divide C = {shape[-1]} and O = {taps[-1]}")
    problem = Problem(**settings)
    if 0 in problem.window.out:
        raise ValueError(f"the window fits nowhere: {_words(problem)}")
    return problem


def _words(problem: Problem) -> str:
    return ", ".join(f"{name} {value}" for name, value in vars(problem).items())


def _debug(launch: Any, output: tuple[int, ...]) -> int:
    """Becomes gdb, with a breakpoint in the thread that writes `output`."""
    from minitensor.explain import report

    if not shutil.which("gdb"):
        raise ValueError("gdb is not installed: apt install gdb")
    block, thread = report.writer(launch, output)
    where = " && ".join(
        f"{variable}.{axis} == {number}"
        for variable, index in (("emu::block.index", block), ("emu::self->index", thread))
        for axis, number in zip("xyz", index, strict=True)
    )
    base = launch.kernel.name.partition("<")[0]
    os.environ[_IN_GDB] = "1"
    # The process runs our kernels, so a signal of theirs is news; Python's own threads are not.
    settings = ["set breakpoint pending on", "set print thread-events off", "set confirm off"]
    breakpoint_ = f"break {base} if {where}"
    commands = [word for line in (*settings, breakpoint_, "run") for word in ("-ex", line)]
    again = ["--args", sys.executable, "-m", "minitensor", *sys.argv[1:]]
    command = ["gdb", "-q", "-iex", "set auto-load off", *commands, *again]
    os.execvp("gdb", command)


def _budget() -> dict[str, Any]:
    """Registers and shared memory as NVRTC's compiler counted them."""
    from minitensor.backend.host import source

    path = source.folder() / "budget.json"
    return json.loads(path.read_text())["kernels"] if path.exists() else {}


def _blocks(text: str) -> int:
    """How many blocks a word like 8 or all stands for."""
    if text != "all" and not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of blocks, and not all")
    return sys.maxsize if text == "all" else int(text)


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(np.int64(word)) for word in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of numbers like 1,5,5,2") from None
