"""The mirror of tf.strings: file names, labels and numbers that are written as text.

Text is bytes, UTF-8 where characters are asked for. Patterns are read by Python's `re`, anchors and
rewrites as RE2 has them.

For all of them:
    Args: `input`: text, or a nested list, array or tensor of it. `unit`: "BYTE" or "UTF8_CHAR".
        `encoding`: "" for ASCII letters alone, or "utf-8". `name`: ignored.
    Returns: a string tensor of the shape of `input`, if nothing else is said.
    Raises: TypeError where numbers came instead of text.
    Source: tf.strings, under the same name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minitensor import missing
from minitensor.autograd import Tensor, as_tensor, to_device_of
from minitensor.autograd.tensor import is_float
from minitensor.backend import text
from minitensor.docstrings import examples_of
from minitensor.dtypes import as_dtype, float32
from minitensor.nn import checks

__all__ = [
    "as_string", "join", "length", "lower", "reduce_join", "regex_full_match", "regex_replace",
    "split", "strip", "substr", "to_number", "upper",
]  # fmt: skip
example = examples_of("tf.strings")
_UNITS = ("BYTE", "UTF8_CHAR")


def words(op: str, name: str, value: Any) -> np.ndarray:
    """The text of an argument, as a NumPy array of bytes."""
    tensor = as_tensor(value, what=f"{op}: {name}")
    if tensor.dtype != text.string:
        raise TypeError(f"{op}: {name} must be text, got {tensor.dtype.name}")
    return text.plain(tensor.array)


def word(op: str, name: str, value: Any) -> bytes:
    """One text, or a tensor without axes that holds one."""
    found = words(op, name, value)
    if found.ndim:
        raise ValueError(f"{op}: {name} must be one text, got shape {found.shape}")
    return bytes(found[()])


def _each(function: Callable[..., Any], *arrays: Any) -> Tensor:
    """function of the elements in the same places, which gives text."""
    found = np.frompyfunc(function, len(arrays), 1)(*arrays)
    return Tensor(text.of(found))


@example('lower("Cat.JPG")', "b'cat.jpg'")
def lower(input: Any, encoding: str = "", name: str | None = None) -> Tensor:
    """Small letters."""
    return _each(_cased("lower", encoding), words("lower", "input", input))


@example('upper("cat")', "b'CAT'")
def upper(input: Any, encoding: str = "", name: str | None = None) -> Tensor:
    """Capital letters."""
    return _each(_cased("upper", encoding), words("upper", "input", input))


def _cased(op: str, encoding: str) -> Callable[[bytes], bytes]:
    if encoding not in ("", "utf-8"):
        raise ValueError(f"{op}: encoding {encoding!r}; legal: '' and 'utf-8'")
    if encoding:
        return lambda value: getattr(value.decode(errors="replace"), op)().encode()
    return lambda value: getattr(value, op)()


@example('strip(" cat ")', "b'cat'")
def strip(input: Any, name: str | None = None) -> Tensor:
    """Without white space at both ends."""
    return _each(bytes.strip, words("strip", "input", input))


@example('length(["cat", ""])', "array([3, 0], dtype=int32)")
def length(input: Any, unit: str = "BYTE", name: str | None = None) -> Tensor:
    """How many bytes or characters there are; int32."""
    count = len if _is_bytes("length", unit) else _characters
    found = np.frompyfunc(count, 1, 1)(words("length", "input", input))
    return to_device_of(np.asarray(found, np.int32))


def _is_bytes(op: str, unit: str) -> bool:
    if unit not in _UNITS:
        raise ValueError(f"{op}: unit {unit!r}; legal: {_UNITS}")
    return unit == "BYTE"


def _characters(value: bytes) -> int:
    return sum(byte & 0xC0 != 0x80 for byte in value)  # not those that go on with a character


@example('substr("hello", 1, 3)', "b'ell'")
def substr(input: Any, pos: Any, len: Any, unit: str = "BYTE", name: str | None = None) -> Tensor:
    """A part of each text.

    Args:
        pos: where it begins; from the end if it is negative. One number, or one for each text.
        len: how long it is at most.

    Raises:
        ValueError: `pos` lies outside, or shapes do not fit.
    """
    in_bytes = _is_bytes("substr", unit)

    def part(value: bytes, start: int, size: int) -> bytes:
        whole: Any = value if in_bytes else value.decode(errors="surrogateescape")
        total = whole.__len__()
        if not -total <= start <= total:
            raise ValueError(f"substr: pos {start} is out of range for {value!r}")
        first = start + total if start < 0 else start
        found = whole[first : first + max(size, 0)]
        return bytes(found) if in_bytes else found.encode(errors="surrogateescape")

    given = (("pos", pos), ("len", len))
    numbers = [checks.tensor("substr", key, value, "iu").numpy() for key, value in given]
    return _each(part, words("substr", "input", input), *numbers)


@example('split("flowers/roses/1.jpg", "/")[-2]', "b'roses'")
def split(input: Any, sep: Any = None, maxsplit: Any = -1, name: str | None = None) -> Tensor:
    """The parts of a text between separators.

    Args:
        input: one text; the parts of many would be a ragged tensor.
        sep: what stands between them; None or "" is any white space.
        maxsplit: after so many parts the rest stays whole; -1 for no limit.

    Returns:
        (parts,)

    Raises:
        ValueError: `input` has axes.
    """
    whole = words("split", "input", input)
    if whole.ndim:
        raise ValueError(
            f"split: input has shape {whole.shape}, and its parts would be ragged; split each text "
            "by itself, as in dataset.map"
        )
    between = None if sep is None else word("split", "sep", sep) or None
    most = checks.number("split", "maxsplit", maxsplit, -1)
    parts = bytes(whole[()]).split(between, most)
    if between is None and most == 0:
        parts = [bytes(whole[()])]
    elif between is None and most == len(parts):
        parts.append(b"")  # what is left after the last split, as in TensorFlow
    found = np.empty(len(parts), object)
    found[:] = parts
    return Tensor(found.view(text.Text))  # (parts,)


@example('join(["a", ["b", "c"]], "-")', "array([b'a-b', b'a-c'], dtype=object)")
def join(inputs: Any, separator: Any = "", name: str | None = None) -> Tensor:
    """Texts one after the other.

    Args:
        inputs: a list of texts or tensors of one shape; single ones are repeated.
        separator: what is put between them.

    Raises:
        ValueError: two shapes differ.
    """
    parts = [words("join", f"inputs[{k}]", value) for k, value in enumerate(inputs)]
    shapes = {part.shape for part in parts if part.ndim}
    if len(shapes) > 1:
        raise ValueError(f"join: inputs have shapes {sorted(shapes)}; all must be one, or ()")
    between = word("join", "separator", separator)
    if not parts:
        return Tensor(text.of(b""))
    return _each(lambda *row: between.join(row), *parts)


@example('reduce_join([["a", "b"], ["c", "d"]], 1)', "array([b'ab', b'cd'], dtype=object)")
def reduce_join(
    inputs: Any, axis: Any = None, keepdims: bool = False, separator: Any = "", name: Any = None
) -> Tensor:
    """Texts along some axes joined, along the first of them first; for None all, row by row.

    Args:
        inputs: text of any shape.
        axis: one axis or a list of them; None for all.
        keepdims: keep them with size 1.
        separator: what is put between the texts.
    """
    x = words("reduce_join", "inputs", inputs)
    listed = range(x.ndim) if axis is None else np.atleast_1d(axis).tolist()[::-1]
    axes = [checks.axis("reduce_join", a, x.ndim) for a in listed]
    kept = [a for a in range(x.ndim) if a not in axes]
    rows = x.transpose(*kept, *axes).reshape(*(x.shape[a] for a in kept), -1)  # (..., joined)
    between = word("reduce_join", "separator", separator)
    joined = np.empty(rows.shape[:-1], object)
    for place in np.ndindex(joined.shape):
        joined[place] = between.join(rows[place])
    if keepdims:
        joined = joined.reshape([1 if a in axes else n for a, n in enumerate(x.shape)])
    return Tensor(joined.view(text.Text))


@example('regex_replace("img_007.jpg", "[^0-9]", "")', "b'007'")
def regex_replace(
    input: Any, pattern: Any, rewrite: Any, replace_global: bool = True, name: str | None = None
) -> Tensor:
    r"""What a pattern matches, replaced.

    Args:
        pattern: a regular expression.
        rewrite: what comes instead; \1 to \9 are the groups of the pattern, \0 is all of it.
        replace_global: every match, or only the first.

    Raises:
        ValueError: `pattern` is no expression.
    """
    regex = _pattern("regex_replace", pattern)
    new = word("regex_replace", "rewrite", rewrite).decode(errors="surrogateescape")
    most = None if replace_global else 1

    def replaced(value: bytes) -> bytes:
        old = value.decode(errors="surrogateescape")
        parts, at = [], 0
        for match in _matches(regex, old, most):
            parts += [old[at : match.start()], *_filled(new, match)]
            at = match.end()
        return "".join([*parts, old[at:]]).encode(errors="surrogateescape")

    return _each(replaced, words("regex_replace", "input", input))


def _matches(regex: re.Pattern[str], value: str, most: int | None) -> list[re.Match[str]]:
    """The matches, without empty ones that touch the one before: so RE2 counts."""
    found: list[re.Match[str]] = []
    for match in regex.finditer(value):
        if match.group() or not found or match.start() > found[-1].end():
            found.append(match)
        if len(found) == most:
            break
    return found


def _filled(rewrite: str, match: re.Match[str]) -> Iterator[str]:
    """The pieces of a rewrite, groups put in."""
    for piece in re.findall(r"\\.|[^\\]+|\\", rewrite):
        if piece[0] != "\\":
            yield piece
        else:
            yield (match[int(piece[1])] or "") if piece[1:].isdigit() else piece[1:]


@example('regex_full_match(["cat.jpg", "cat"], ".*.jpg")', "array([ True, False])")
def regex_full_match(input: Any, pattern: Any, name: str | None = None) -> Tensor:
    """Whether a pattern matches each text from its first to its last character; booleans.

    Args:
        pattern: a regular expression.
    """
    regex = _pattern("regex_full_match", pattern)
    found = np.frompyfunc(
        lambda value: regex.fullmatch(value.decode(errors="surrogateescape")) is not None, 1, 1
    )(words("regex_full_match", "input", input))
    return to_device_of(np.asarray(found, bool))


def _pattern(op: str, pattern: Any) -> re.Pattern[str]:
    """The pattern, compiled; $ is the end of the text, also where a newline comes before it."""
    given = word(op, "pattern", pattern).decode(errors="surrogateescape")
    ends = re.sub(
        r"\\.|\[\^?\]?(?:\\.|[^]])*\]|\$", lambda m: r"\Z" if m[0] == "$" else m[0], given
    )
    try:
        return re.compile(given if "(?m" in given else ends, re.ASCII)
    except re.error as problem:
        raise ValueError(f"{op}: Invalid pattern: {given}, error: {problem}") from None


@example('to_number("1.5")', "np.float32(1.5)")
def to_number(input: Any, out_type: Any = float32, name: str | None = None) -> Tensor:
    """The numbers that are written there.

    Args:
        out_type: float32, float64, int32, int64, uint32 or uint64.

    Raises:
        ValueError: a text is no number of that type.
    """
    kind = as_dtype(out_type)
    if kind.name not in ("float32", "float64", "int32", "int64", "uint32", "uint64"):
        raise TypeError(f"to_number: out_type {kind.name}; legal: float32 and 64, (u)int32 and 64")

    def number(value: bytes) -> Any:
        try:
            if b"_" in value or (kind.kind != "f" and not re.fullmatch(rb"\s*[+-]?\d+\s*", value)):
                raise ValueError
            return kind.type(float(value) if kind.kind == "f" else int(value))
        except (ValueError, OverflowError):
            raise ValueError(
                f"StringToNumberOp could not correctly convert string: {value!r}, to {kind.name}"
            ) from None

    with np.errstate(over="ignore"):
        found = np.frompyfunc(number, 1, 1)(words("to_number", "input", input))
    return to_device_of(np.asarray(found, kind))


@example('as_string([1, 20], width=3, fill="0")', "array([b'001', b'020'], dtype=object)")
def as_string(
    input: Any,
    precision: int = -1,
    scientific: bool = False,
    shortest: bool = False,
    width: int = -1,
    fill: str = "",
    name: str | None = None,
) -> Tensor:
    """Numbers as text.

    Args:
        input: any tensor; text stays as it is.
        precision: digits behind the point of floats; 6 if it is -1.
        scientific, shortest: how floats are written: with an exponent, or in the shorter way.
        width, fill: at least so many characters, filled up in front with blanks or "0".

    Raises:
        ValueError: two ways of writing, or one that integers do not have.
    """
    x = as_tensor(input, what="as_string: input")
    floats = is_float(x.dtype) if x.dtype != text.string else False
    if scientific and shortest:
        raise ValueError("as_string: scientific and shortest are two ways; choose one")
    if not floats and (scientific or shortest or precision > -1):
        raise ValueError(
            f"as_string: precision, scientific, shortest are for floats: {x.dtype.name}"
        )
    if x.dtype == text.string:
        return x
    digits = f".{precision}" if precision > -1 else ""
    written = "e" if scientific else "g" if shortest else "f"
    kind = written if floats else "s" if x.dtype.kind == "b" else "d"
    way = f"%{fill}{width if width > -1 else ''}{digits}{kind}"
    values = x.numpy()
    values = values.astype(np.float64) if floats else values
    if kind == "s":
        return _each(lambda value: way % ("true" if value else "false"), values)
    return _each(lambda value: way % value, values)


__getattr__ = missing.refusing("tf.strings", __name__)
