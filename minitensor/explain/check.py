"""`minitensor check my.cu --against mine.py:reference`: is a kernel of one's own right and safe?

Three builds of it run, each in a process of its own, which may fail, hang or crash:

    checked   in five orders of threads: what misuses the machine, what nobody wrote, what depends
              on the order, and what differs from the reference
    trace     shared memory that is read before it was written; who wrote the wrong element
    tsan      ThreadSanitizer: two threads at one address that no barrier orders

The reference takes the kernel's arguments in order, arrays and numbers, and returns what the arrays
given as `empty` or `zeros` should hold: one array, or several in order.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import runpy
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext, redirect_stdout
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from minitensor.backend.errors import CompileError
from minitensor.backend.host.source import Kernel
from minitensor.explain import own_launch

ORDERS = (("forward", 1), ("reverse", 1), ("random", 1), ("random", 2), ("random", 3))
TOLERANCES = {2: 1e-2, 4: 1e-4, 8: 1e-9}  # of floats by their bytes, of the largest number
FILLS = 0xFF, 0xA5  # bytes that arrays given as `empty` begin with: NaN, and something else
SECONDS = 60  # that one build may run
SLOWER = {"tsan": 5}  # times; to watch each access
_STAGE = "MINITENSOR_CHECK_STAGE"  # set for the processes that run a build
_ANSWER = "MINITENSOR_CHECK_ANSWER"  # the file that they write it to
AGAINST = (
    "what the result is compared with: a function of the same arguments, in order, that returns "
    "what the arrays given as empty or zeros should hold: one, or several in order"
)
EXAMPLE = """
example: minitensor check double.cu --grid 4 --block 32 --arg randn:100 --arg empty:100 --arg 100
         --against mine.py:double, where mine.py has: def double(x, y, n): return 2 * x
"""
STAGES = ("checked", "trace", "tsan")
WATCHED = 2**16  # threads, by ThreadSanitizer; all of them run in every order


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.epilog = EXAMPLE
    add = parser.add_argument
    add("name", metavar="FILE.cu", help="a .cu of your own")
    add("--against", metavar="FILE.py:FUNCTION", help=AGAINST)
    add("--json", action="store_true", help="the findings as JSON, for a grader")
    add("--seconds", type=int, default=SECONDS, help="that one of its three runs may take (60)")
    own_launch.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Prints what was found; 1 if anything was."""
    if stage := os.environ.get(_STAGE):
        answer = of_build(stage, args)
        Path(os.environ[_ANSWER]).write_text(json.dumps(answer))
        return 0
    found = [line for _, lines in findings(args) for line in lines]
    watched, blocks = len(_watched(args)), prod(args.grid)
    if args.json:
        told = {"file": args.name, "right": not found, "findings": found}
        print(json.dumps({**told, "blocks": blocks, "watched for races": watched}))
    else:
        there = f" in {watched:,} of {blocks:,} blocks" * (watched < blocks)
        right = f"{args.name}: right, in every order; no race{there}, nothing astray"
        print("\n".join(found) or right)
    return int(bool(found))


def findings(args: argparse.Namespace) -> Iterator[tuple[str, list[str]]]:
    """For each build that runs, its name and what it shows that those before it did not.

    Args:
        args: name, launch, grid, block, arg, shared, against and seconds, as the command has them.
    """
    try:
        own, kernel, *_ = _checked(args)  # what is wrong with the words is said once, here
    except CompileError as problem:
        yield STAGES[0], [str(problem)]
        return
    found: set[str] = set()
    for name in STAGES:
        lines, whole = _built(name, kernel) or _of_process(name, args)
        if name == STAGES[0]:
            lines = [*_uncalled(Path(own.file)), *lines]
        yield name, [line for line in dict.fromkeys(lines) if line not in found]
        found.update(lines)
        if not whole:
            break  # a kernel that breaks off has no more to show


def _checked(args: argparse.Namespace) -> tuple[Any, Kernel, list[Any], Callable[..., Any] | None]:
    """The file, its kernel, fresh arguments and the reference."""
    from minitensor.backend import emulator

    own = emulator.load(args.name)
    kernel, _ = own_launch.call(own, args)
    reference = _reference(args.against) if args.against else None
    return own, kernel, own_launch.arguments(kernel, args.arg), reference


def _reference(word: str) -> Callable[..., Any]:
    file, _, function = word.rpartition(":")
    if not file.endswith(".py") or not Path(file).is_file():
        raise ValueError(f"--against {word}: expected FILE.py:FUNCTION of a file that exists")
    with redirect_stdout(sys.stderr):  # what it prints is no finding
        known = runpy.run_path(file).get(function)
    if not callable(known):
        raise ValueError(f"--against {word}: {file} has no function {function}")
    return known  # type: ignore[no-any-return]


def _uncalled(file: Path) -> Iterator[str]:
    """Barriers without parentheses: C++ takes such a line, and it does nothing."""
    text = re.sub(r"//.*|/\*(?s:.*?)\*/", lambda m: "\n" * m[0].count("\n"), file.read_text())
    for number, line in enumerate(text.splitlines(), 1):
        if m := re.search(r"(__sync\w+|__threadfence\w*)\s*;", line):
            yield f"{file.name}:{number}: {m[1]} without () does nothing: {m[1]}();"


# ----- the processes -----


def _built(stage: str, kernel: Kernel) -> tuple[list[str], bool] | None:
    """Compiles the kernel, which takes its time; what the compiler has to say against it."""
    from minitensor.backend.emulator import build

    os.environ["MINITENSOR_EMULATOR"] = stage
    try:
        build.library(kernel.file, build.listing(kernel.program))
    except CompileError as problem:
        return own_launch.first_lines(problem), False
    return None


def _of_process(stage: str, args: argparse.Namespace) -> tuple[list[str], bool]:
    """What one build of the kernel shows, and whether it ran to its end."""
    with TemporaryDirectory() as folder:
        answer = Path(folder, "answer.json")  # no stream: kernels and references print, too
        environment = _environment(stage) | {_ANSWER: str(answer)}
        code, err, late = _finished(
            _command(args), environment, args.seconds * SLOWER.get(stage, 1)
        )
        told = answer.exists()
        found, whole = json.loads(answer.read_text()) if told else ([], False)
    if late and stage == "tsan":
        return ["ThreadSanitizer did not come to its end: races were not looked for"], False
    if late:
        return [*found, f"it does not end within {args.seconds} seconds: an endless loop?"], False
    if not told and stage != "tsan":
        last = (err.strip().splitlines() or [f"exit code {code}"])[-1]
        refused = "minitensor check: "
        if last.startswith(refused):
            return [last.removeprefix(refused)], False
        return [f"the process ended without an answer: {last}"], False
    return [*found, *(races(err) if stage == "tsan" else ())], whole


def _command(args: argparse.Namespace) -> list[str]:
    """The command line that says the same."""
    told = {
        "launch": args.launch,
        "grid": ",".join(map(str, args.grid)),
        "block": ",".join(map(str, args.block)),
        "shared": args.shared,
        **({"against": args.against} if args.against else {}),
    }
    words = [f"--{name}={value}" for name, value in told.items()]
    words += [f"--arg={word}" for word in args.arg]
    return [sys.executable, "-m", "minitensor", "check", str(args.name), *words]


def _finished(
    command: list[str], environment: dict[str, str], seconds: float
) -> tuple[int, str, bool]:
    """Exit code, stderr, and whether the process had to be stopped."""
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            err = process.communicate(timeout=seconds)[1]
            return process.returncode, err, False
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
        try:
            err = process.communicate(timeout=5)[1]
        except subprocess.TimeoutExpired:
            process.kill()
            err = process.communicate()[1]
        return process.returncode, err, True


def _environment(stage: str) -> dict[str, str]:
    environment = {**os.environ, _STAGE: stage, "MINITENSOR_EMULATOR": stage}
    if stage == "tsan":  # its library must be loaded before all others
        command = ["g++", "-print-file-name=libtsan.so"]
        found = subprocess.run(command, capture_output=True, text=True, check=True)
        environment["LD_PRELOAD"] = found.stdout.strip()
        environment["TSAN_OPTIONS"] = "exitcode=0"
        environment["OPENBLAS_NUM_THREADS"] = "1"  # else NumPy's threads are reported
    return environment


_SIDE = re.compile(
    r"^  (?:Previous )?(?:atomic )?(write|read) of .* by (?:thread (\w+))?", re.I | re.M
)
_PLACE = re.compile(r"#\d+ .*? (\S+\.cuh?:\d+) ")
_ADDRESS = re.compile(r"^  \w.* of size \d+ at 0x([0-9a-f]+) by ", re.M)
_ARRAY = re.compile(r"^ARRAY (\w+) (\d+) (\d+) \((.*)\)$", re.M)  # as `_once` writes them
_THREAD = re.compile(r"^  Thread (\w+) '(.*); (.*)' ", re.M)  # as runtime/sanitizers.h names it


def races(text: str) -> list[str]:
    """ThreadSanitizer's reports, a line for each pair of source lines."""
    found: dict[frozenset[str], str] = {}
    for report in text.split("WARNING: ThreadSanitizer: data race")[1:]:
        sides = _SIDE.findall(report)
        halves = re.split(r"^  Previous ", report, flags=re.M)
        places = [_short(m[1]) for half in halves[:2] if (m := _PLACE.search(half))]
        if len(sides) < 2 or not places:
            continue
        names = {who: f"block ({b}), thread ({t})" for who, b, t in _THREAD.findall(report)}
        first, second = ("writes" if kind.lower() == "write" else "reads" for kind, _ in sides[:2])
        one, other = (names.get(who, "another thread") for _, who in sides[:2])
        what, there = _raced(report, text), (*places, "a line unknown")[1]
        found.setdefault(
            frozenset(places),
            f"{places[0]}, {one}: a race: it {first} {what}, which {other} {second} in {there}: "
            "no barrier between them, no atomic",
        )
    whole = [pair for pair in found if len(pair) == 2]  # a pair of lines tells more than one
    return [line for pair, line in found.items() if not any(pair < other for other in whole)]


def _raced(report: str, text: str) -> str:
    """What two threads meet at: an element of an argument, or a shared array."""
    if shared := re.search(r"Location is global '(?:.*::)?(\w+)' of", report):
        return shared[1]
    at = int(found[1], 16) if (found := _ADDRESS.search(report)) else 0
    for name, start, each, extent in _ARRAY.findall(text):
        shape = [int(length) for length in re.findall(r"\d+", extent)]
        number = (at - int(start)) // int(each)
        if 0 <= number < prod(shape):
            return f"{name}{[int(i) for i in np.unravel_index(number, shape)]}"
    return "memory"


def _short(place: str) -> str:
    return place.rpartition("/")[2]


# ----- what one build shows -----


def of_build(stage: str, args: argparse.Namespace) -> tuple[list[str], bool]:
    """What is found by one build, and whether the kernel ran to its end."""
    from minitensor.backend.emulator.kernel import KernelError
    from minitensor.backend.host.conversion import LaunchError

    looks = {"checked": _in_every_order, "trace": _from_the_trace, "tsan": _once}
    try:
        return list(looks[stage](args)), True
    except (KernelError, LaunchError) as problem:
        return [str(problem)], False
    except KeyboardInterrupt as stopped:
        return [f"stopped: {stopped}"] if str(stopped) else [], False


def _in_every_order(args: argparse.Namespace) -> Iterator[str]:
    from minitensor.backend.emulator.schedule import guarded_starts, order

    own, kernel, given, reference = _checked(args)
    results: list[Any] = []
    for number, (name, seed) in enumerate(ORDERS):
        values = [np.copy(v) if isinstance(v, np.ndarray) else v for v in given]
        for value in _empty(args, values):
            value.reshape(-1).view(np.uint8)[:] = FILLS[min(number, 1)]
        with order(name, seed), guarded_starts() if number == 1 else nullcontext():
            own.launch(kernel.name, args.grid, args.block, *values, shared=args.shared)
        results.append(values)
    for i, parameter in enumerate(kernel.parameters):
        if not parameter.pointer or parameter.const:
            continue
        missed = _unwritten(results[0][i], results[1][i])
        if missed.any():
            place, many = _place(missed), int(missed.sum()) - 1
            yield f"{parameter.name}{place}{f' and {many} more' * bool(many)}: never written"
        for (name, _), values in zip(ORDERS[1:], results[1:], strict=True):
            apart = _apart(results[0][i], values[i]) & ~missed
            if apart.any():
                index = _index(apart)
                yield (
                    f"{parameter.name}{_place(apart)} depends on the order of threads: "
                    f"{results[0][i][index]:.6g} forward, {values[i][index]:.6g} in {name} order: "
                    "a missing barrier, or a sum without atomicAdd"
                )
                break
    for name, index, found, right in _wrong(kernel, args, given, results[0], reference):
        yield f"{name}{list(index)} is {found:.6g}, the reference has {right:.6g}"


def _empty(args: argparse.Namespace, values: list[Any]) -> Iterator[np.ndarray]:
    """The arrays given as `empty`."""
    for word, value in zip(args.arg, values, strict=True):
        if re.search(r"(^|=)empty:", word):
            yield value


def _unwritten(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The elements that still hold what two runs began with."""
    bits = [v.reshape(-1).view(np.uint8).reshape(v.size, -1) for v in (first, second)]
    held = [(b == fill).all(1) for b, fill in zip(bits, FILLS, strict=True)]
    return (held[0] & held[1]).reshape(first.shape)  # type: ignore[no-any-return]


def _index(mask: np.ndarray) -> tuple[int, ...]:
    """Of its first True."""
    return tuple(map(int, np.unravel_index(int(np.argmax(mask)), mask.shape)))


def _place(mask: np.ndarray) -> list[int]:
    return list(_index(mask))


def _apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Where two arrays differ by more than rounding; NaN is like NaN."""
    if a.dtype.kind != "f":
        return np.asarray(a != b)
    with np.errstate(invalid="ignore"):  # any bits may stand there, signalling NaN among them
        wide_a, wide_b = a.astype(np.float64), b.astype(np.float64)
    finite = np.abs(wide_b[np.isfinite(wide_b)])
    size = max(finite.max(initial=0), 1e-30)
    return ~np.isclose(wide_a, wide_b, 0, TOLERANCES[a.itemsize] * size, equal_nan=True)


def _wrong(
    kernel: Kernel,
    args: argparse.Namespace,
    given: list[Any],
    values: list[Any],
    reference: Callable[..., Any] | None,
) -> Iterator[tuple[str, tuple[int, ...], Any, Any]]:
    """(array, first wrong element, what it is, what it should be)."""
    if reference is None:
        return
    copies = [np.copy(v) if isinstance(v, np.ndarray) else v for v in given]
    with redirect_stdout(sys.stderr):
        try:
            told = reference(*copies)
        except Exception as problem:
            names = ", ".join(p.name for p in kernel.parameters)
            raise ValueError(
                f"--against {args.against}, which is given {names}, fails: "
                f"{type(problem).__name__}: {problem}"
            ) from problem
    expected = list(told) if isinstance(told, tuple | list) else [told]
    outputs = [i for i, word in enumerate(args.arg) if re.search(r"(^|=)(empty|zeros):", word)]
    if len(expected) != len(outputs):
        names = ", ".join(kernel.parameters[i].name for i in outputs)
        raise ValueError(
            f"--against {args.against} returned {len(expected)} arrays; given as empty or zeros "
            f"are {len(outputs)}: {names or 'none'}"
        )
    for i, right in zip(outputs, map(np.asarray, expected), strict=True):
        found, name = values[i], kernel.parameters[i].name
        if right.shape != found.shape:
            raise ValueError(
                f"--against {args.against} returned the shape {right.shape} for {name}, which has "
                f"{found.shape}"
            )
        apart = _apart(found, right.astype(found.dtype))
        if apart.any():
            index = _index(apart)
            yield name, index, found[index], right[index]


def _once(args: argparse.Namespace) -> Iterator[str]:
    from minitensor.backend.emulator.schedule import only_blocks

    own, kernel, given, _ = _checked(args)
    for parameter, value in zip(kernel.parameters, given, strict=True):
        if isinstance(value, np.ndarray):  # for `races`, among ThreadSanitizer's reports
            told = f"ARRAY {parameter.name} {value.ctypes.data} {value.itemsize} {value.shape}"
            print(told, file=sys.stderr, flush=True)
    with only_blocks(*_watched(args)):
        own.launch(kernel.name, args.grid, args.block, *given, shared=args.shared)
    yield from ()


def _watched(args: argparse.Namespace) -> tuple[int, ...]:
    """The blocks that ThreadSanitizer watches: all, or neighbours and some far apart."""
    blocks, most = prod(args.grid), max(WATCHED // prod(args.block), 2)
    if blocks <= most:
        return tuple(range(blocks))
    apart = np.linspace(0, blocks - 1, most // 2).astype(int)
    return tuple(sorted({*range(most - most // 2), *map(int, apart)}))


def traced(args: argparse.Namespace) -> tuple[Any, list[Any]]:
    """The launch, in the build that writes every access down, and what its arguments then hold."""
    from minitensor.explain import watch

    own, kernel, values, _ = _checked(args)
    how = kernel.name, args.grid, args.block
    launch = watch.launches(lambda: own.launch(*how, *values, shared=args.shared), kernel.name)[0]
    return launch, values


def _from_the_trace(args: argparse.Namespace) -> Iterator[str]:
    _, kernel, given, reference = _checked(args)
    launch, values = traced(args)
    yield from _astray(launch)
    yield from _unset(launch)
    if launch.scale > 1:
        return  # some blocks ran alone
    arrays = {array.span.name: array for array in launch.arrays}
    first = next((array.span.name for array in launch.arrays if not array.constant), "")
    for name, place, *_ in _wrong(kernel, args, given, values, reference):
        stores = launch.stores(arrays[name], place)
        if len(stores):
            element = ",".join(map(str, place))
            look = f"; minitensor kernel ... --output {element} shows its loads"
            yield (  # --output is of the first array that is written
                f"{_where(launch, stores[-1])}: wrote {name}{list(place)}{look * (name == first)}"
            )
            continue
        others = launch.of(arrays[name])
        lines = {
            _where(launch, store).partition(",")[0] for store in others[others["is_write"] == 1]
        }
        there = f"no thread comes to it in {' or '.join(sorted(lines))}"
        yield f"{name}{list(place)}: {there if lines else f'no line writes {name}'}"


def _where(launch: Any, record: Any) -> str:
    """file:line, block and thread of an access."""
    from minitensor.backend.emulator.trace import at

    block, thread = (tuple(map(int, record[which])) for which in ("block", "thread"))
    return f"{at(launch.place(record))}, block {block}, thread {thread}"


def _astray(launch: Any) -> Iterator[str]:
    """Loads behind the end of an array, in the few bytes that no guard covers (memory.py)."""
    from minitensor.backend.emulator.kernel import beyond
    from minitensor.backend.emulator.memory import ALIGNMENT

    records = launch.records[launch.records["is_write"] == 0]
    for array in launch.arrays:
        span = array.span
        past = records["address"].astype(np.int64) - span.address - span.size
        if ((past >= 0) & (past < -span.size % ALIGNMENT)).any():
            record = records[(past >= 0) & (past < -span.size % ALIGNMENT)][0]
            at = int(record["address"]) - span.address
            told = beyond(at, span.name, span.size, array.dtype.itemsize)
            yield f"{_where(launch, record)}: reads {told}"


def _unset(launch: Any) -> Iterator[str]:
    """Loads of shared memory that nobody of the block has stored before."""
    shared = launch.records[launch.records["is_shared"] == 1]
    written: dict[tuple[int, ...], set[int]] = {}
    told = set()
    for record in shared:
        block = tuple(map(int, record["block"]))
        words = range(
            int(record["address"]) // 4, -(-int(record["address"] + record["bytes"]) // 4)
        )
        known = written.setdefault(block, set())
        if record["is_write"]:
            known.update(words)
        elif not known.issuperset(words) and record["instruction"] not in told:
            told.add(record["instruction"])
            yield f"{_where(launch, record)}: reads shared memory nobody wrote"
