"""`minitensor explain OP`: which numbers make a number, on the user's own."""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np

from minitensor.explain import ops
from minitensor.explain.arguments import FILTERS
from minitensor.explain.explanation import Explanation, explain
from minitensor.explain.presets import preset
from minitensor.explain.shown import VIEWS, known
from minitensor.explain.words import LANGUAGES
from minitensor.extras import require
from minitensor.window import transposed_sizes

IMAGES = ("input", "value", "images", "x", "logits")  # what --input stands for
WORDS = {  # an option: the arguments that it stands for
    "ksize": ("ksize", "window_shape", "sizes", "size"),
    "stride": ("strides", "stride"),
    "dilation": ("dilations", "rate", "rates"),
}
LEGAL_ARRAY = "numbers like '1 2;3 4', a size like 5x5 or 5x5x3, a .npy file, or an image"
SIZE = re.compile(r"\d+(x\d+)*")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add = parser.add_argument
    add("op", nargs="?", help="conv2d, conv2d_transpose, max_pool2d, batch_norm, ...")
    add("--preset", metavar="ID", help="an example of the course texts: A001-6")
    add("--input", help=f"{LEGAL_ARRAY}; a size counts from 1")
    add("--filter", help="the same, of a convolution")
    add("--ksize", type=_pair, metavar="K[,K]", help="of a pool; the factor of an upsampling")
    add("--stride", type=_pair, metavar="S[,S]", help="pixels between output positions")
    add("--padding", help="same, valid, one number, or top,bottom,left,right")
    add("--dilation", type=_pair, metavar="D[,D]", help="pixels between taps")
    add("--groups", type=_number, help="of channels")
    add("--output-padding", type=int, metavar="P", help="more pixels than the smallest output")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="any other argument")
    add("--at", type=_index, metavar="I,J", help="which number: its row and column, or all indices")
    add("--grad", metavar="ARGUMENT", help="explain the gradient in input, filter, bias, ...")
    add("--output-gradients", metavar="ARRAY", help="what comes back to the output (ones)")
    add("--view", help=f"one or several of {','.join(VIEWS)}")
    add("--check", choices=("tf",), help="compare all numbers with TensorFlow's")
    add("--json", action="store_true", help="print everything as JSON")
    add("--save", type=Path, metavar="FILE", help=".svg, .png, .pdf, .gif, .html or .json")
    add("--lang", choices=LANGUAGES, default="en", help="language")


def run(args: argparse.Namespace) -> int:
    """Explains; 1 if TensorFlow says something else."""
    views = args.view.split(",") if args.view else []
    known(views)
    try:
        found = _explained(args)
        if args.json:
            print(found.to_json())
        else:
            found.print(*views)
        if args.save:
            files = ", ".join(map(str, found.save(args.save)))
            print(f"wrote {files}", file=sys.stderr if args.json else sys.stdout)
        if args.check:
            print(found.check(args.check), file=sys.stderr if args.json else sys.stdout)
    except TypeError as problem:
        raise ValueError(problem) from None
    except ArithmeticError as problem:
        print(f"minitensor explain: {problem}", file=sys.stderr)
        return 1
    return 0


def _explained(args: argparse.Namespace) -> Explanation:
    if (args.op is None) == (args.preset is None):
        raise ValueError("give an OP, or --preset with the id of an example")
    op, arguments = (args.op, {}) if args.preset is None else preset(args.preset)
    name, row = ops.find(op)
    function = row.function()
    assert function is not None
    legal = list(inspect.signature(function).parameters)
    arguments |= _arrays(args, name, legal, arguments) | _settings(args, name, legal)
    floats = {k: a for k, a in arguments.items() if getattr(a, "dtype", np.dtype(int)).kind == "f"}
    wide = np.result_type(np.float32, *floats.values())  # what is typed follows a file's dtype
    arguments |= {name: array.astype(wide) for name, array in floats.items()}
    if args.output_padding is not None:
        arguments["output_shape"] = _output_shape(args, legal, arguments)
    back = None if args.output_gradients is None else array_of("--output-gradients",
                                                               args.output_gradients)  # fmt: skip
    words = {"at": args.at, "grad": args.grad, "output_gradients": back, "lang": args.lang}
    return explain(name, **words, **arguments)


def _first(names: tuple[str, ...], legal: list[str], option: str, op: str) -> str:
    """The argument that an option stands for."""
    found = next((n for n in names if n in legal), None)
    if found is None:
        raise ValueError(f"{option}: {op} has no such argument; it has {', '.join(legal)}")
    return found


def _arrays(
    args: argparse.Namespace, op: str, legal: list[str], given: dict[str, Any]
) -> dict[str, Any]:
    """The input and the filters."""
    image, arrays = _first(IMAGES, legal, "--input", op), {}
    if args.input is not None:
        arrays[image] = array_of("--input", args.input)
    elif image not in given:
        raise ValueError(f"--input is missing: {LEGAL_ARRAY}")
    x = np.asarray(arrays.get(image, given.get(image)))
    if "1d" in op and x.ndim == 2 and len(x) == 1:
        arrays[image] = x = x[0]
    if x.ndim == 3 and ("2d" in op or op in ("extract_patches", "upsampling")):
        arrays[image] = x = x[None]  # one image with channels
    if args.filter is not None:
        name = _first(FILTERS, legal, "--filter", op)
        arrays[name] = _filters(array_of("--filter", args.filter), x, op, args.groups or 1)
        if "1d" in op and arrays[name].ndim == 2 and len(arrays[name]) == 1:
            arrays[name] = arrays[name][0]
    elif any(n in legal and n not in given for n in FILTERS):
        raise ValueError(f"--filter is missing: {LEGAL_ARRAY}")
    return arrays


def _filters(filters: np.ndarray, x: np.ndarray, op: str, groups: int) -> np.ndarray:
    """A plain matrix is the filter of every channel."""
    channels = x.shape[-1] if x.ndim > 2 else 1
    if channels % groups:
        raise ValueError(f"--groups {groups} must divide the {channels} channels of --input")
    if filters.ndim == 2 and x.ndim == 4:
        shape = (channels, 1) if "depthwise" in op else (channels // groups, groups)
        filters = np.broadcast_to(filters[..., None, None], (*filters.shape, *shape)).copy()
    elif groups > 1 and filters.shape[-2] * groups != channels:
        raise ValueError(
            f"--groups {groups}: filters {filters.shape} must hold {channels // groups} of the "
            f"{channels} channels"
        )
    return filters


def _settings(args: argparse.Namespace, op: str, legal: list[str]) -> dict[str, Any]:
    """Strides and the like, under the op's own names."""
    found: dict[str, Any] = {}
    for option, names in WORDS.items():
        value = getattr(args, option)
        if value is not None:
            value = value[0] if len(value) == 1 else list(value)
            found[_first(names, legal, f"--{option}", op)] = value
    if args.padding is not None:
        found[_first(("padding",), legal, "--padding", op)] = _padding(args.padding)
    elif "padding" in legal and args.preset is None:
        found["padding"] = "VALID"
    if args.groups is not None and "groups" in legal:
        found["groups"] = args.groups
    for setting in args.set:
        name, equals, value = setting.partition("=")
        if not equals or name not in (*legal, "bias"):
            raise ValueError(
                f"--set {setting}: legal is NAME=VALUE, NAME one of {', '.join(legal)}"
            )
        found[name] = _value(f"--set {name}", value)
    return found


def _value(option: str, text: str) -> Any:
    """A number, a truth value, a word, or an array."""
    try:
        return ast.literal_eval(text.capitalize() if text.lower() in ("true", "false") else text)
    except (ValueError, SyntaxError):
        return text if text.isidentifier() else array_of(option, text)


def _padding(text: str) -> Any:
    if text.upper() in ("SAME", "VALID"):
        return text.upper()
    numbers = text.split(",")
    if not all(n.strip().isdigit() for n in numbers) or len(numbers) not in (1, 2, 4):
        raise ValueError(
            f"--padding {text}: legal are same, valid, one number, height,width or "
            "top,bottom,left,right"
        )
    p = [int(n) for n in numbers]
    pairs = [p[:2], p[2:]] if len(p) == 4 else [[p[0]] * 2, [p[-1]] * 2]
    return [[0, 0], *pairs, [0, 0]]


def _output_shape(args: argparse.Namespace, legal: list[str], arguments: dict[str, Any]) -> Any:
    """The smallest legal output and so many pixels more."""
    if "output_shape" not in legal:
        raise ValueError("--output-padding is for transposed convolutions")
    x, w = np.asarray(arguments["input"]), np.asarray(arguments["filters"])
    rank = x.ndim if x.ndim < 3 else x.ndim - 2
    padding = arguments.get("padding", "VALID")
    steps, apart = (
        np.broadcast_to(arguments.get(name, 1), rank).tolist() for name in ("strides", "dilations")
    )
    sizes = x.shape if x.ndim < 3 else x.shape[1:-1]
    shape = []
    for axis in range(rank):
        pad = padding if isinstance(padding, str) else padding[axis + 1]
        legal_sizes = transposed_sizes(sizes[axis], w.shape[axis], steps[axis], apart[axis], pad)
        if not 0 <= args.output_padding < len(legal_sizes):
            raise ValueError(
                f"--output-padding {args.output_padding}: legal are 0 to {len(legal_sizes) - 1}, "
                f"for outputs of {list(legal_sizes)} pixels"
            )
        shape.append(legal_sizes[args.output_padding])
    return shape


# ----- arrays on the command line -----


def array_of(option: str, text: str) -> np.ndarray:
    """The array that a word stands for."""
    if SIZE.fullmatch(text) and "x" in text:
        shape = [int(n) for n in text.split("x")]
        if not all(shape) or len(shape) > 5 or np.prod(shape) > 1e8:
            raise ValueError(
                f"{option} {text}: a size has two to five numbers from 1 on, and at most 1e8 in all"
            )
        return np.arange(1, np.prod(shape) + 1, dtype=np.float32).reshape(shape)
    path = Path(text)
    if path.suffix and path.suffix[1:].isalpha():
        return _file(option, path)
    try:
        rows = [[float(n) for n in row.replace(",", " ").split()] for row in text.split(";")]
    except ValueError:
        raise ValueError(f"{option} {text!r}: legal are {LEGAL_ARRAY}") from None
    if not rows[0] or len(set(map(len, rows))) > 1:
        raise ValueError(f"{option} {text!r}: every row must hold as many numbers, at least one")
    return np.array(rows if len(rows) > 1 or ";" in text else rows[:1], np.float32)


def _file(option: str, path: Path) -> np.ndarray:
    if not path.exists():
        raise ValueError(f"{option} {path}: no such file; legal are {LEGAL_ARRAY}")
    if path.suffix == ".npy":
        try:
            found: np.ndarray = np.load(path, allow_pickle=False)
        except (ValueError, EOFError):
            raise ValueError(f"{option} {path}: no .npy file that holds numbers") from None
        return found
    require(f"{option} {path.name}", "PIL")
    from PIL import Image, UnidentifiedImageError

    try:
        pixels = np.asarray(Image.open(path).convert("RGB"), np.float32)
    except UnidentifiedImageError:
        raise ValueError(f"{option} {path}: no image; legal are {LEGAL_ARRAY}") from None
    return pixels[None]  # (1, H, W, 3)


def _pair(text: str) -> tuple[int, ...]:
    numbers = _index(text)
    if not 1 <= len(numbers) <= 3 or min(numbers) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: one number from 1 on, or one for each axis")
    return numbers


def _number(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def _index(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(word) for word in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of numbers like 0,1") from None
