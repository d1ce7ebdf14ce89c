"""A launch told on the command line, of a .cu of one's own: --launch, --grid, --block, --arg.

    --arg x=randn:2,49,8  --arg y=empty:2,8  --arg 49  --arg 0.5  --arg image.npy

What is no number and no file is made: randn, zeros, empty (NaN, all bits set), arange, each of a
shape, randint of numbers below HIGH. The dtype is the parameter's, unless `:float64` says another.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from minitensor.backend.host.conversion import NUMBERS, VECTORS
from minitensor.backend.host.own import Own
from minitensor.backend.host.source import Kernel, Parameter

MAKERS: dict[str, Callable[..., Any]] = {
    "randn": lambda random, shape: random.standard_normal(shape),
    "zeros": lambda random, shape: np.zeros(shape),
    "empty": lambda random, shape: np.zeros(shape),  # filled once the dtype is known
    "arange": lambda random, shape: np.arange(prod(shape)).reshape(shape),
}
_LABEL = re.compile(r"[A-Za-z_]\w*=")
MOST = 2**31  # bytes of one array: what a slip of the finger asks for is refused


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What only a file of one's own needs."""
    group = parser.add_argument_group("a .cu of your own")
    add = group.add_argument
    add("--launch", default="", metavar="KERNEL", help=WHICH)
    add("--grid", type=extent, metavar="X[,Y[,Z]]", help="blocks of the grid")
    add("--block", type=extent, metavar="X[,Y[,Z]]", help="threads of a block")
    add("--arg", action="append", default=[], metavar="[NAME=]VALUE", help=VALUES)
    add("--shared", type=int, default=0, metavar="BYTES", help="of extern __shared__, for a block")


WHICH = "which __global__ function: double_it, of a template 'gap<float>'; one alone needs no name"
VALUES = "in order: 49, 0.5, x.npy, randn|zeros|empty|arange:SHAPE[:DTYPE], randint:HIGH:SHAPE"


def arguments(kernel: Kernel, words: Sequence[str], seed: int = 0) -> list[Any]:
    """The values that the words describe, as the kernel's parameters take them.

    Raises:
        ValueError: too many or too few, or a word that is none of `VALUES`.
    """
    if len(words) != len(kernel.parameters):
        wanted = ", ".join(f"{p.type}{'*' * p.pointer} {p.name}" for p in kernel.parameters)
        raise ValueError(f"{kernel.name} takes {wanted}; got {len(words)} --arg")
    random = np.random.default_rng(seed)
    pairs = zip(kernel.parameters, words, strict=True)
    return [_value(parameter, _LABEL.sub("", word, count=1), random) for parameter, word in pairs]


def extent(text: str) -> tuple[int, ...]:
    """A grid or a block of a word like 8,2."""
    try:
        numbers = tuple(int(word) for word in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no extent like 8 or 8,2") from None
    if not 1 <= len(numbers) <= 3 or min(numbers) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: one to three numbers, at least 1")
    return numbers


def call(own: Own, args: argparse.Namespace) -> tuple[Kernel, Callable[[], None]]:
    """The kernel, and what launches it as the options say."""
    lacking = [f"--{name}" for name in ("grid", "block") if getattr(args, name) is None]
    if lacking:
        raise ValueError(
            f"{Path(own.file).name} is a file of your own: say {' and '.join(lacking)}"
        )
    try:
        kernel = own.kernel(args.launch)
    except LookupError as unknown:
        raise ValueError(unknown.args[0]) from None
    values = arguments(kernel, args.arg)
    how = kernel.name, args.grid, args.block
    return kernel, lambda: own.launch(*how, *values, shared=args.shared)


def first_lines(problem: Exception) -> list[str]:
    """What a compiler or the emulator says, without what only repeats it."""
    lines = str(problem).splitlines()
    return [line for line in lines if " error: " in line][:3] or lines[:1]


def _value(parameter: Parameter, word: str, random: Any) -> Any:
    where = f"--arg {parameter.name}={word}"
    if not parameter.pointer:
        return _number(where, parameter, word)
    dtype = VECTORS.get(parameter.type) or NUMBERS.get(parameter.type)
    if word.endswith(".npy"):
        array = np.load(word, allow_pickle=False)
        return np.ascontiguousarray(array)
    maker, *rest = word.split(":")
    high = rest.pop(0) if maker == "randint" and rest else "2"
    if maker not in (*MAKERS, "randint") or not 1 <= len(rest) <= 2:
        raise ValueError(f"{where}: an array is {VALUES.removeprefix('in order: 49, 0.5, ')}")
    shape = _shape(where, rest[0])
    try:
        dtype = np.dtype(rest[1]) if len(rest) > 1 else dtype
        below = int(high)
    except (TypeError, ValueError) as problem:
        raise ValueError(f"{where}: {problem}") from None
    assert dtype is not None
    if prod(shape) * dtype.itemsize > MOST:
        raise ValueError(f"{where}: {prod(shape) * dtype.itemsize} bytes; at most {MOST}")
    if maker == "randint":
        return random.integers(0, max(below, 1), shape).astype(dtype)
    array = MAKERS[maker](random, shape).astype(dtype)
    if maker == "empty":
        array.reshape(-1).view(np.uint8)[:] = 0xFF
    return array


def _number(where: str, parameter: Parameter, word: str) -> Any:
    try:
        number = int(word, 0) if re.fullmatch(r"[+-]?\w+", word) else float(word)
    except ValueError:
        try:
            number = float(word)  # inf, nan
        except ValueError:
            raise ValueError(f"{where}: {parameter.type} takes a number") from None
    if parameter.type == "bool":
        return bool(number)
    whole = NUMBERS.get(parameter.type, np.dtype(float)).kind != "f"
    if whole and not isinstance(number, int):
        raise ValueError(f"{where}: {parameter.type} takes a whole number")
    return number


def _shape(where: str, text: str) -> tuple[int, ...]:
    try:
        shape = tuple(int(word) for word in text.split(","))
    except ValueError:
        raise ValueError(f"{where}: {text!r} is no shape like 2,49,8") from None
    if min(shape) < 0:
        raise ValueError(f"{where}: a shape has no {min(shape)}")
    return shape
