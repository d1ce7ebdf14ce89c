"""Examples as tensors: parse_example, parse_single_example, and what a feature is said to be.

For all of them:
    Source: tf.io, under the same name.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from minitensor import strings
from minitensor.autograd import Tensor, as_tensor, to_device_of
from minitensor.backend import text
from minitensor.backend.errors import InvalidArgumentError
from minitensor.dtypes import as_dtype
from minitensor.io import wire
from minitensor.io.examples import KINDS, joined, named, parts_in, steps_in
from minitensor.io.layouts import Lists, lists_in, lists_of
from minitensor.sparse import SparseTensor

_KINDS = {"string": "bytes_list", "float32": "float_list", "int64": "int64_list"}
_NAMES = {0: None, **{number: kind for kind, number in KINDS.items()}}


class FixedLenFeature(NamedTuple):
    """A feature of so many values in every example.

    Args:
        shape: of the values: [] for one, [28, 28] for 784.
        dtype: tf.string, tf.float32 or tf.int64: what examples hold.
        default_value: of examples without it; None: they are refused.
    """

    shape: Any
    dtype: Any
    default_value: Any = None


class FixedLenSequenceFeature(NamedTuple):
    """A feature of any number of values, which become a dense tensor with one axis more.

    Args:
        shape: of each entry.
        dtype: tf.string, tf.float32 or tf.int64.
        allow_missing: must be True: an example without it has no entries.
        default_value: what shorter examples of a batch end with; default 0 or "".
    """

    shape: Any
    dtype: Any
    allow_missing: bool = False
    default_value: Any = None


class VarLenFeature(NamedTuple):
    """A feature of any number of values, which become a SparseTensor.

    Args:
        dtype: tf.string, tf.float32 or tf.int64.
    """

    dtype: Any


def parse_example(
    serialized: Any, features: Any, example_names: Any = None, name: str | None = None
) -> dict[str, Any]:
    """The features of examples, each as one tensor.

    Args:
        serialized: (N,) text, each an Example; or one, without axes.
        features: for each name a FixedLenFeature, a FixedLenSequenceFeature or a VarLenFeature.
        example_names, name: ignored.

    Returns:
        For each name (N, *shape); of a sequence (N, longest, *shape), of a VarLenFeature a
        SparseTensor of shape (N, longest). Without N for one example.

    Raises:
        ValueError: a feature that is none; while reading: an example is damaged, lacks a feature
            without a default, or has another type or number of values.

    Example:
        >>> import minitensor as tf
        >>> label = tf.train.Feature(int64_list=tf.train.Int64List(value=[3]))
        >>> example = tf.train.Example(features=tf.train.Features(feature={"label": label}))
        >>> features = {"label": tf.io.FixedLenFeature([], tf.int64)}
        >>> tf.io.parse_example([example.SerializeToString()] * 2, features)["label"].numpy()
        array([3, 3])
    """
    words = strings.words("parse_example", "serialized", serialized)
    if words.ndim > 1:
        raise InvalidArgumentError(
            f"Expected serialized to be a scalar or vector, got shape: {list(words.shape)}"
        )
    if not features:
        raise ValueError(f"Invalid argument: features cannot be {features!r}; name at least one")
    columns = [_Column(name, features[name]) for name in sorted(features)]
    wanted = {column.name: column.kind for column in columns}
    try:
        if not words.ndim:
            found = lists_of(bytes(words[()]), wanted)
            return {column.name: column.one(*found[column.name]) for column in columns}
        lists = lists_in(words.tolist(), wanted)
    except InvalidArgumentError:
        raise
    except ValueError as error:
        raise InvalidArgumentError(f"Could not parse example input, {error}") from None
    return {column.name: column.read(lists[column.name]) for column in columns}


def parse_single_example(
    serialized: Any, features: Any, example_names: Any = None, name: str | None = None
) -> dict[str, Any]:
    """The features of one example: `parse_example` for text without axes.

    Args:
        serialized: text, an Example.
        features: for each name a FixedLenFeature, a FixedLenSequenceFeature or a VarLenFeature.
        example_names, name: ignored.

    Returns:
        For each name a tensor of its shape; of a sequence with the number of entries before it; of
        a VarLenFeature a SparseTensor of shape (entries,).

    Raises:
        ValueError: as of `parse_example`.

    Example:
        >>> import minitensor as tf
        >>> features = {"label": tf.io.FixedLenFeature([], tf.int64, default_value=7)}
        >>> tf.io.parse_single_example(b"", features)["label"].numpy()
        np.int64(7)
    """
    if as_tensor(serialized, what="parse_single_example: serialized").ndim:
        raise ValueError("Input serialized must be a scalar; tf.io.parse_example takes several")
    return parse_example(serialized, features)


def parse_single_sequence_example(
    serialized: Any,
    context_features: Any = None,
    sequence_features: Any = None,
    example_name: Any = None,
    name: str | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The features of a whole, and of its steps, from a SequenceExample.

    Args:
        serialized: text, a SequenceExample.
        context_features: for each name a feature as of `parse_single_example`.
        sequence_features: for each name a FixedLenSequenceFeature, of the shape of each step, or a
            VarLenFeature.
        example_name, name: ignored.

    Returns:
        (context, sequences): of each name of a context a tensor as of `parse_single_example`; of a
        sequence (steps, *shape), or a SparseTensor of shape (steps, longest).

    Raises:
        ValueError: no feature is asked for, or one that is none; while reading: the example is
            damaged, lacks a feature, or has another type or number of values.

    Example:
        >>> import minitensor as tf
        >>> film = tf.train.SequenceExample()
        >>> for size in (1.5, 2.5):
        ...     step = tf.train.Feature(float_list=tf.train.FloatList(value=[size]))
        ...     film.feature_lists.feature_list["size"].feature.append(step)
        >>> context, sequences = tf.io.parse_single_sequence_example(
        ...     film.SerializeToString(),
        ...     sequence_features={"size": tf.io.FixedLenSequenceFeature([], tf.float32)},
        ... )
        >>> sequences["size"].numpy()
        array([1.5, 2.5], dtype=float32)
    """
    if not context_features and not sequence_features:
        raise ValueError("Missing features: give context_features or sequence_features")
    word = strings.word("parse_single_sequence_example", "serialized", serialized)
    try:
        context, lists = parts_in(word)
        steps = {key: steps_in(found) for key, found in named(lists).items()}
    except ValueError as error:
        raise InvalidArgumentError(f"Could not parse example input, {error}") from None
    found = parse_example(wire.field(1, context), context_features) if context_features else {}
    wanted = sorted((sequence_features or {}).items())
    return found, {key: _sequence(key, feature, steps.get(key)) for key, feature in wanted}


def _sequence(name: str, feature: Any, steps: list[bytes] | None) -> Any:
    """The feature of each step: each is read as an example that has it alone."""
    allowed = getattr(feature, "allow_missing", True)
    if isinstance(feature, FixedLenSequenceFeature):
        if steps is None and not allowed:
            raise InvalidArgumentError(
                f"Feature list '{name}' is required but could not be found. Give the feature "
                "allow_missing=True if examples may lack it"
            )
        feature = FixedLenFeature(feature.shape, feature.dtype)
    elif not isinstance(feature, VarLenFeature):
        raise ValueError(
            f"Unsupported {type(feature).__name__} {feature!r} for sequence {name!r}; legal: "
            "tf.io.FixedLenSequenceFeature and tf.io.VarLenFeature"
        )
    rows = text.of([wire.field(1, joined([(name, step)])) for step in steps or ()])
    return parse_example(Tensor(rows), {name: feature})[name]


class _Column:
    """A feature of all examples."""

    def __init__(self, name: str, feature: Any) -> None:
        if not isinstance(feature, FixedLenFeature | FixedLenSequenceFeature | VarLenFeature):
            raise ValueError(
                f"Unsupported {type(feature).__name__} {feature!r} for key {name!r}; legal: "
                "tf.io.FixedLenFeature, tf.io.FixedLenSequenceFeature and tf.io.VarLenFeature"
            )
        self.name, kind = name, feature.dtype
        self.dtype: Any = text.string if kind == text.string else as_dtype(kind)
        if self.dtype.name not in _KINDS:
            raise InvalidArgumentError(
                f"Feature {name!r}: dtype {self.dtype.name}; examples hold {', '.join(_KINDS)}. "
                "Read one of these, and tf.cast"
            )
        self.kind = KINDS[_KINDS[self.dtype.name]]
        allowed = getattr(feature, "allow_missing", None)
        self.is_fixed, self.is_sparse = isinstance(feature, FixedLenFeature), len(feature) == 1
        if allowed is False:
            raise ValueError(
                f"Unsupported: FixedLenSequenceFeature requires allow_missing to be True. {name!r}"
            )
        self.shape = _shape(name, getattr(feature, "shape", ()), not self.is_fixed)
        self.size = math.prod(self.shape)
        default = getattr(feature, "default_value", None)
        self.default = None if default is None else self._default(default)

    def _default(self, value: Any) -> np.ndarray:
        shape = self.shape if self.is_fixed else ()
        found = text.plain(as_tensor(value, self.dtype, "default_value").array)
        if found.size != math.prod(shape):
            raise InvalidArgumentError(
                f"Feature {self.name!r}: default_value of shape {found.shape} does not fit {shape}"
            )
        return found.reshape(shape)

    def one(self, kind: int, values: Any) -> Any:
        """Of one example: (*shape), or (entries, *shape)."""
        count = len(values)
        if why := self._wrong(kind, count):
            raise InvalidArgumentError(f"Key: {self.name}. {why}")
        if not kind and self.is_fixed:
            return self._tensor(self.default)
        found = np.empty(count, object) if self.kind == 1 else np.asarray(values, self.dtype)
        if self.kind == 1:
            found[:] = values
        if self.is_sparse:
            places = np.arange(count)[:, None]  # (entries, 1)
            return self._sparse(places, found, [count])
        shape = self.shape if self.is_fixed else (count // self.size, *self.shape)
        return self._tensor(found.reshape(shape))

    def read(self, lists: Lists) -> Any:
        """Of N examples: (N, *shape), with the longest sequence behind N."""
        pairs = np.stack([lists.kinds, lists.counts], axis=1)
        for pair in np.unique(pairs, axis=0):
            if why := self._wrong(*pair.tolist()):
                index = int((pairs == pair).all(axis=1).argmax())
                raise InvalidArgumentError(f"Key: {self.name}, Index: {index}. {why}")
        counts = lists.counts
        longest = int(counts.max(initial=0))
        if self.is_sparse:
            places = np.argwhere(np.arange(longest) < counts[:, None])  # (values, 2)
            return self._sparse(places, lists.values, [len(counts), longest])
        front = () if self.is_fixed else (longest // self.size,)
        there = lists.kinds > 0
        if not self.is_fixed:
            there = np.arange(*front) < (counts // self.size)[:, None]
        values = lists.values.reshape(int(there.sum()), *self.shape)
        if there.all():
            return self._tensor(values.reshape(len(counts), *front, *self.shape))
        whole = np.empty((len(counts), *front, *self.shape), values.dtype)
        whole[...] = (b"" if self.kind == 1 else 0) if self.default is None else self.default
        whole[there] = values
        return self._tensor(whole)

    def _sparse(self, places: np.ndarray, values: np.ndarray, shape: list[int]) -> SparseTensor:
        indices, size = (to_device_of(np.array(x, np.int64)) for x in (places, shape))
        return SparseTensor(indices, self._tensor(values), size)

    def _tensor(self, array: Any) -> Any:
        if self.kind == 1:
            return to_device_of(array.view(text.Text))
        return to_device_of(array.astype(self.dtype, copy=False))

    def _wrong(self, kind: int, count: int) -> str:
        """Why an example may not have so many values of this kind; empty if it may."""
        if kind == 0 and self.is_fixed and self.default is None:
            return (
                f"The feature (data type: {self.dtype.name}) is required but could not be found. "
                "Give it a default_value if examples may lack it"
            )
        if kind not in (0, self.kind):
            wanted = _NAMES[self.kind]
            return f"Data types don't match. It is a {_NAMES[kind]}, expected a {wanted}"
        if self.is_fixed and kind and count != self.size:
            return f"It has {count} values, expected {self.size}: {self.shape}"
        if not self.is_fixed and count % self.size:
            return f"{count} values are no entries of {self.size} each"
        return ""


def _shape(name: str, given: Any, is_sequence: bool) -> tuple[int, ...]:
    """Sizes that are all known."""
    sizes = tuple(given) if hasattr(given, "__iter__") else (given,)
    if None in sizes[:1] and not is_sequence:
        raise ValueError(
            f"First dimension of shape for feature {name} unknown. Consider using "
            "FixedLenSequenceFeature."
        )
    if any(not isinstance(n, int) or n < is_sequence for n in sizes):
        raise ValueError(
            f"All dimensions of shape for feature {name} need to be known but received {given}."
        )
    return sizes
