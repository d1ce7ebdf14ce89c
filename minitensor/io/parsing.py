"""Examples as tensors: parse_example, parse_single_example, and what a feature is said to be.

For all of them:
    Source: tf.io, under the same name.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from minitensor import strings
from minitensor.autograd import as_tensor, to_device_of
from minitensor.backend import text
from minitensor.backend.errors import InvalidArgumentError
from minitensor.dtypes import as_dtype
from minitensor.io.examples import features_in, values_in

_KINDS = {"string": "bytes_list", "float32": "float_list", "int64": "int64_list"}


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


def parse_example(
    serialized: Any, features: Any, example_names: Any = None, name: str | None = None
) -> dict[str, Any]:
    """The features of examples, each as one tensor.

    Args:
        serialized: (N,) text, each an Example; or one, without axes.
        features: for each name a FixedLenFeature or a FixedLenSequenceFeature.
        example_names, name: ignored.

    Returns:
        For each name (N, *shape); of a sequence (N, longest, *shape). Without N for one example.

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
    try:
        rows = [features_in(word) for word in words.ravel()]
    except ValueError as error:
        raise InvalidArgumentError(f"Could not parse example input: {error}") from None
    found = {column.name: column.read(rows) for column in columns}
    return {n: to_device_of(x[0] if words.ndim == 0 else x) for n, x in found.items()}


def parse_single_example(
    serialized: Any, features: Any, example_names: Any = None, name: str | None = None
) -> dict[str, Any]:
    """The features of one example: `parse_example` for text without axes.

    Args:
        serialized: text, an Example.
        features: for each name a FixedLenFeature or a FixedLenSequenceFeature.
        example_names, name: ignored.

    Returns:
        For each name a tensor of its shape; of a sequence with the number of entries before it.

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


class _Column:
    """A feature of all examples."""

    def __init__(self, name: str, feature: Any) -> None:
        if not isinstance(feature, FixedLenFeature | FixedLenSequenceFeature):
            raise ValueError(
                f"Unsupported {type(feature).__name__} {feature!r} for key {name!r}; legal: "
                "tf.io.FixedLenFeature and tf.io.FixedLenSequenceFeature"
            )
        self.name, kind = name, feature.dtype
        self.dtype: Any = text.string if kind == text.string else as_dtype(kind)
        allowed = getattr(feature, "allow_missing", None)
        self.is_sequence = allowed is not None
        if self.dtype.name not in _KINDS:
            raise InvalidArgumentError(
                f"Feature {name!r}: dtype {self.dtype.name}; examples hold {', '.join(_KINDS)}. "
                "Read one of these, and tf.cast"
            )
        if self.is_sequence and not allowed:
            raise ValueError(
                f"Unsupported: FixedLenSequenceFeature requires allow_missing to be True. {name!r}"
            )
        self.shape = _shape(name, feature.shape, self.is_sequence)
        self.size = math.prod(self.shape)
        default = feature.default_value
        self.default = None if default is None else self._default(default)

    def _default(self, value: Any) -> np.ndarray:
        shape = () if self.is_sequence else self.shape
        found = self._array(as_tensor(value, self.dtype, "default_value").numpy())
        if found.size != math.prod(shape):
            raise InvalidArgumentError(
                f"Feature {self.name!r}: default_value of shape {found.shape} does not fit {shape}"
            )
        return found.reshape(shape)

    def _array(self, values: Any) -> np.ndarray:
        return text.of(values) if self._is_text else np.asarray(values, self.dtype)

    @property
    def _is_text(self) -> bool:
        return self.dtype is text.string

    def read(self, rows: list[dict[str, bytes]]) -> np.ndarray:
        """(N, *shape), with the longest sequence behind N."""
        found = [self._one(row) for row in rows]
        shape = self.shape
        if self.is_sequence:
            shape = (max((len(entries) for entries in found), default=0), *shape)
            found = [self._filled(entries, shape) for entries in found]
        whole = self._array(np.empty((0, *shape), object if self._is_text else None))
        return np.concatenate([whole, *(x[None] for x in found)])

    def _filled(self, entries: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Entries, and the default up to a shape."""
        plain = b"" if self._is_text else 0
        last = self._array(plain) if self.default is None else self.default
        missing = np.broadcast_to(last, (shape[0] - len(entries), *shape[1:]))
        return np.concatenate([entries, missing])

    def _one(self, row: dict[str, bytes]) -> np.ndarray:
        """The values in one example, (*shape) or (entries, *shape)."""
        try:
            kind, values = values_in(row.get(self.name, b""))
        except ValueError as error:
            raise self._refused(f"Can't parse serialized Example: {error}") from None
        wanted = _KINDS[self.dtype.name]
        if kind is None and not self.is_sequence:
            if self.default is None:
                raise InvalidArgumentError(
                    f"Feature: {self.name} (data type: {self.dtype.name}) is required but could "
                    "not be found. Give it a default_value if examples may lack it"
                )
            return self.default
        if kind not in (None, wanted):
            raise self._refused(f"Data types don't match. It is a {kind}, expected a {wanted}")
        if self.is_sequence:
            if len(values) % self.size:
                raise self._refused(f"{len(values)} values are no entries of {self.size} each")
            return self._array(values).reshape(len(values) // self.size, *self.shape)
        if len(values) != self.size:
            raise self._refused(f"It has {len(values)} values, expected {self.size}: {self.shape}")
        return self._array(values).reshape(self.shape)

    def _refused(self, why: str) -> InvalidArgumentError:
        return InvalidArgumentError(f"Key: {self.name}. {why}")


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
