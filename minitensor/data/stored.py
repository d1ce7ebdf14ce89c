"""Files of elements, written and read one element at a time.

The format is our own: a line of JSON with what elements look like, then every tensor of every
element in NumPy's format (text as bytes and lengths), then their number. Nothing in a file is
executed, and no tensor is larger than `bounded.MOST`.
"""

from __future__ import annotations

import gzip
import json
import math
import re
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from minitensor.backend import text
from minitensor.data.bounded import MOST, read_up_to, unpacked
from minitensor.data.npz import header
from minitensor.data.rows import array_of, opened
from minitensor.data.spec import TensorSpec, flatten, map_structure
from minitensor.files import atomic_write

_FORMAT = "minitensor dataset 1"
_DAMAGE = (ValueError, EOFError, OverflowError, SyntaxError, TypeError, tokenize.TokenError)


def saved(path: Path, elements: Iterable[Any], spec: Any, packed: bool = False) -> Iterator[Any]:
    """Writes elements while they are looked at; the file is there when the last one was.

    Args:
        spec: what they look like; None takes the types from the first.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as fresh, (gzip.open if packed else open)(fresh, "wb") as stream:
        if spec is not None:
            _begin(stream, spec)
        total = 0
        for element in elements:
            found = map_structure(array_of, opened(element))
            if not total and spec is None:
                _begin(stream, map_structure(_varying, found))
            stream.write(b"+")
            for leaf in flatten(found):
                _write(stream, leaf)
            total += 1
            yield element
        if not total and spec is None:
            _begin(stream, None)
        stream.write(b".%d\n" % total)


def _begin(stream: Any, spec: Any) -> None:
    stream.write(json.dumps({"format": _FORMAT, "spec": _words(spec)}).encode() + b"\n")


def _varying(leaf: Any) -> TensorSpec:
    return TensorSpec([None] * leaf.ndim, leaf.dtype)


def _words(spec: Any) -> Any:
    if spec is None:
        return None
    if isinstance(spec, dict):
        return {"dict": [[key, _words(part)] for key, part in spec.items()]}
    if isinstance(spec, tuple):
        return {"tuple": [_words(part) for part in spec]}
    if not isinstance(spec, TensorSpec):
        raise TypeError(f"save: elements hold {spec!r}; only tensors are saved")
    return {"dtype": spec.dtype.name, "shape": None if spec.shape is None else [*spec.shape]}


def _write(stream: Any, leaf: Any) -> None:
    if type(leaf) is text.Text:
        words = text.plain(leaf)
        sizes = np.array([len(word) for word in words.ravel()], np.int64).reshape(words.shape)
        _write(stream, sizes)
        _write(stream, np.frombuffer(b"".join(words.ravel()), np.uint8))
        return
    plain = leaf.view(np.uint16) if leaf.dtype.name == "bfloat16" else leaf
    np.lib.format.write_array(stream, np.ascontiguousarray(plain).reshape(leaf.shape), (1, 0))


def spec_in(path: Path) -> Any:
    """What the elements of a saved dataset look like; None if there are none."""
    with unpacked(path) as stream:
        return _head(path, stream)


def count_in(path: Path) -> int | None:
    """How many elements a saved dataset has; None for a packed one, which would have to be read."""
    with path.open("rb") as stream:
        stream.seek(0, 2)
        stream.seek(max(0, stream.tell() - 24))
        found = re.search(rb"\.(\d+)\n$", stream.read())
    return int(found[1]) if found else None


def loaded(path: Path) -> Iterator[Any]:
    """The elements of a saved dataset.

    Raises:
        ValueError: it is no such file, damaged or cut short.
        OSError: it cannot be opened.
    """
    with unpacked(path) as stream:
        spec, total = _head(path, stream), 0
        while stream.read(1) == b"+":
            try:
                element = map_structure(lambda part: _read(stream, part), spec)
            except _DAMAGE as problem:
                raise ValueError(f"{path}: damaged, element {total}: {problem}") from None
            total += 1
            yield element
        if stream.read(20) != b"%d\n" % total:
            raise ValueError(f"{path}: cut short after {total} elements")


def _head(path: Path, stream: Any) -> Any:
    try:
        line = stream.readline(1 << 20)
        found = json.loads(line)
        if found["format"] != _FORMAT:
            raise ValueError(f"format {found['format']!r}")
        return _spec(found["spec"])
    except (ValueError, KeyError, TypeError, RecursionError) as problem:
        raise ValueError(f"{path}: no dataset that minitensor saved: {problem}") from None


def _spec(words: Any) -> Any:
    if words is None:
        return None
    if "dict" in words:
        return {str(key): _spec(part) for key, part in words["dict"]}
    if "tuple" in words:
        return tuple(_spec(part) for part in words["tuple"])
    return TensorSpec(words["shape"], words["dtype"])


def _read(stream: Any, spec: TensorSpec) -> Any:
    if spec.dtype == text.string:
        sizes, joined = _array(stream, np.dtype(np.int64)), _array(stream, np.dtype(np.uint8))
        ends = np.cumsum(sizes.ravel(), dtype=np.int64)
        if (sizes < 0).any() or (ends[-1] if ends.size else 0) != joined.size:
            raise ValueError("lengths of text do not fit")
        whole = joined.tobytes()
        words = np.empty(sizes.size, object)
        spans = zip(ends.tolist(), sizes.ravel().tolist(), strict=True)
        words[:] = [whole[end - size : end] for end, size in spans]
        return words.reshape(sizes.shape).view(text.Text)
    if spec.dtype.name == "bfloat16":
        return _array(stream, np.dtype(np.uint16)).view(spec.dtype)
    return _array(stream, spec.dtype)


def _array(stream: Any, expected: np.dtype[Any]) -> np.ndarray:
    shape, fortran, dtype = header(stream)
    if dtype != expected:
        raise ValueError(f"{dtype} where {expected} is expected")
    promised = math.prod(shape) * dtype.itemsize
    if not 0 <= promised <= MOST:
        raise ValueError(f"shape {shape} promises {promised} bytes; at most {MOST} are read")
    body = read_up_to(stream, promised)
    if len(body) != promised:
        raise ValueError(f"{promised} bytes are promised, {len(body)} are there")
    return np.frombuffer(bytes(body), dtype).reshape(shape, order="F" if fortran else "C")
