"""Example: features by name, each a list of bytes, floats or integers; what record files hold.

They are protocol buffers, with the methods that programs call: SerializeToString, FromString,
ParseFromString, CopyFrom, WhichOneof, HasField. Their bytes: `minitensor.io.examples`.
Source of all: tf.train, by the same names.
"""

from __future__ import annotations

import copy
import operator
import sys
from collections.abc import Iterator
from typing import Any, ClassVar, Self

import numpy as np

from minitensor.backend.errors import DataLossError
from minitensor.io import wire
from minitensor.io.examples import (
    KINDS,
    features_in,
    joined,
    named,
    packed,
    parts_in,
    steps_in,
    unpacked,
    values_in,
)


class _Message:
    """What the messages have in common: they become bytes and text, and are made of bytes."""

    _parts: ClassVar[tuple[str, ...]] = ()

    def SerializeToString(self) -> bytes:
        """Its bytes."""
        raise NotImplementedError

    @classmethod
    def FromString(cls, serialized: bytes) -> Self:
        """The message of some bytes; a DataLossError if they are damaged."""
        made = cls()
        try:
            made._read(bytes(serialized))
        except ValueError as error:
            raise DataLossError(f"{cls.__name__}: error parsing message: {error}") from None
        return made

    def _read(self, serialized: bytes) -> None:
        raise NotImplementedError

    def _lines(self) -> Iterator[str]:
        raise NotImplementedError

    def ParseFromString(self, serialized: bytes) -> int:
        """Becomes the message of some bytes; gives their number."""
        self.CopyFrom(self.FromString(serialized))
        return len(serialized)

    def CopyFrom(self, other_msg: Self) -> None:
        """Becomes equal to another."""
        _checked(type(self), "CopyFrom", other_msg)
        self.__dict__ = copy.deepcopy(vars(other_msg))

    def HasField(self, field_name: str) -> bool:
        """Whether it has that part."""
        if field_name not in self._parts:
            raise ValueError(f"{type(self).__name__} has no field {field_name!r}: {self._parts}")
        return bool(getattr(self, field_name).SerializeToString())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and other._content() == self._content()

    def _content(self) -> Any:
        """What makes two of them equal."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return "".join(f"{line}\n" for line in self._lines())


def _checked(cls: Any, name: str, value: Any) -> Any:
    if not isinstance(value, cls):
        raise TypeError(f"{name} must be a tf.train.{cls.__name__}, got {type(value).__name__}")
    return value


def _block(name: str, message: _Message) -> Iterator[str]:
    yield f"{name} {{"
    yield from (f"  {line}" for line in message._lines())
    yield "}"


_SIGNS = {"\t": "\\t", "\n": "\\n", "\r": "\\r", '"': '\\"', "'": "\\'", "\\": "\\\\"}


def _quoted(text: str, last: int) -> str:
    """Between quotes, with what is no sign from " " to `last` by its number."""
    signs = (_SIGNS.get(x) or (x if 31 < ord(x) <= last else f"\\{ord(x):03o}") for x in text)
    return f'"{"".join(signs)}"'


# ----- lists -----


class _List(_Message):
    """A list of values."""

    _kind: ClassVar[str]

    def __init__(self, *, value: Any = ()) -> None:
        self.value = [self._one(item) for item in value]

    def _one(self, value: Any) -> Any:
        raise NotImplementedError

    def _content(self) -> list[Any]:
        """What is in the list now: a program may have put others than were given."""
        return list(map(self._one, self.value))

    def SerializeToString(self) -> bytes:
        return packed(self._kind, self._content())

    def _read(self, serialized: bytes) -> None:
        self.value = list(map(self._one, unpacked(self._kind, serialized)))

    def _lines(self) -> Iterator[str]:
        return (f"value: {self._shown(item)}" for item in self.value)

    def _shown(self, value: Any) -> str:
        return str(value)


class BytesList(_List):
    """A list of bytes; tensors of text are given as their `.numpy()`.

    Example:
        >>> import minitensor as tf
        >>> tf.train.BytesList(value=[b"one"]).value
        [b'one']
    """

    _kind = "bytes_list"

    def _one(self, value: Any) -> bytes:
        if not isinstance(value, bytes):
            hint = {"str": ".encode()"}.get(type(value).__name__, ".numpy()")
            raise TypeError(f"BytesList: expected bytes, {type(value).__name__} found; {hint}?")
        return bytes(value)

    def _shown(self, value: bytes) -> str:
        return _quoted(value.decode("latin-1"), 126)


class FloatList(_List):
    """A list of floats of 32 bits.

    Example:
        >>> import minitensor as tf
        >>> tf.train.FloatList(value=[0.5, 3]).value
        [0.5, 3.0]
    """

    _kind = "float_list"

    def _one(self, value: Any) -> float:
        if not hasattr(value, "__float__"):
            raise TypeError(f"FloatList: must be real number, not {type(value).__name__}")
        with np.errstate(over="ignore"):
            return float(np.float32(float(value)))

    def _shown(self, value: float) -> str:
        short = f"{value:.6g}"
        return short if np.float32(short) == value or value != value else f"{value:.9g}"


class Int64List(_List):
    """A list of integers of 64 bits.

    Example:
        >>> import minitensor as tf
        >>> tf.train.Int64List(value=[3, True]).value
        [3, 1]
    """

    _kind = "int64_list"

    def _one(self, value: Any) -> int:
        is_truth = getattr(value, "dtype", None) == np.bool_  # which is no index for NumPy
        number = int(bool(value)) if is_truth else operator.index(value)
        if not -(2**63) <= number < 2**63:
            raise ValueError(f"Int64List: value out of range: {number}")
        return int(number)


# ----- features -----

_LISTS = {cls._kind: cls for cls in (BytesList, FloatList, Int64List)}


class Feature(_Message):
    """One list, of one of three kinds.

    Args:
        bytes_list, float_list, int64_list: the list; of several the last counts.

    Example:
        >>> import minitensor as tf
        >>> feature = tf.train.Feature(int64_list=tf.train.Int64List(value=[1, 2]))
        >>> feature.WhichOneof("kind"), feature.int64_list.value
        ('int64_list', [1, 2])
    """

    _parts = tuple(KINDS)

    def __init__(
        self,
        *,
        bytes_list: BytesList | None = None,
        float_list: FloatList | None = None,
        int64_list: Int64List | None = None,
    ) -> None:
        given = dict(zip(KINDS, (bytes_list, float_list, int64_list), strict=True))
        self._said = None
        for kind, cls in _LISTS.items():
            if given[kind] is not None:
                self._said = kind
            setattr(self, kind, cls() if given[kind] is None else _checked(cls, kind, given[kind]))

    def WhichOneof(self, oneof_group: str) -> str | None:
        """The name of its list, for "kind"; None if there is none."""
        if oneof_group != "kind":
            raise ValueError(f"Feature has no oneof {oneof_group!r}; it has 'kind'")
        filled = [kind for kind in KINDS if getattr(self, kind).value]
        return self._said if self._said in filled or not filled else filled[0]

    def HasField(self, field_name: str) -> bool:
        """Whether that list is its list."""
        return super().HasField(field_name) or self.WhichOneof("kind") == field_name

    def _content(self) -> Any:
        kind = self.WhichOneof("kind")
        return kind, kind and getattr(self, kind)

    def SerializeToString(self) -> bytes:
        kind = self.WhichOneof("kind")
        return wire.field(KINDS[kind], getattr(self, kind).SerializeToString()) if kind else b""

    def _read(self, serialized: bytes) -> None:
        self._said, values = values_in(serialized)
        if self._said is not None:
            setattr(self, self._said, _LISTS[self._said](value=values))

    def _lines(self) -> Iterator[str]:
        kind = self.WhichOneof("kind")
        return _block(kind, getattr(self, kind)) if kind else iter(())


class _ByName(dict[str, Any]):
    """Messages of one kind by name; one that is asked for is there."""

    def __init__(self, kind: type[_Message], given: dict[str, Any]) -> None:
        super().__init__(given)
        self._kind = kind
        for name, value in self.items():
            if not isinstance(name, str):
                raise TypeError(f"a feature's name must be a str, got {name!r}")
            _checked(kind, f"feature {name!r}", value)

    def __missing__(self, name: str) -> Any:
        self[name] = self._kind()
        return self[name]

    def written(self) -> bytes:
        """Their bytes."""
        return joined((name, value.SerializeToString()) for name, value in self.items())

    def read(self, serialized: bytes) -> _ByName:
        """Others, of these bytes."""
        found = named(serialized)
        return _ByName(self._kind, {name: self._kind.FromString(found[name]) for name in found})

    def lines(self, title: str) -> Iterator[str]:
        """As text."""
        for name, value in sorted(self.items()):
            yield from (f"{title} {{", f"  key: {_quoted(name, sys.maxunicode)}")
            yield from (f"  {line}" for line in _block("value", value))
            yield "}"


class Features(_Message):
    """A Feature for each name.

    Args:
        feature: a dictionary of them.
    """

    def __init__(self, *, feature: dict[str, Feature] | None = None) -> None:
        self.feature = _ByName(Feature, feature or {})

    def _content(self) -> Any:
        return dict(self.feature)

    def SerializeToString(self) -> bytes:
        return self.feature.written()

    def _read(self, serialized: bytes) -> None:
        self.feature = self.feature.read(serialized)

    def _lines(self) -> Iterator[str]:
        return self.feature.lines("feature")


class Example(_Message):
    """Features of one example; a record of most record files.

    Args:
        features: a Features.

    Example:
        >>> import minitensor as tf
        >>> size = tf.train.Feature(float_list=tf.train.FloatList(value=[0.5]))
        >>> example = tf.train.Example(features=tf.train.Features(feature={"size": size}))
        >>> again = tf.train.Example.FromString(example.SerializeToString())
        >>> again.features.feature["size"].float_list.value
        [0.5]
    """

    _parts = ("features",)

    def __init__(self, *, features: Features | None = None) -> None:
        self.features = Features() if features is None else features
        _checked(Features, "features", self.features)

    def _content(self) -> Any:
        return self.features

    def SerializeToString(self) -> bytes:
        inside = self.features.SerializeToString()
        return wire.field(1, inside) if inside else b""

    def _read(self, serialized: bytes) -> None:
        found = features_in(serialized)
        self.features = Features(feature={n: Feature.FromString(found[n]) for n in found})

    def _lines(self) -> Iterator[str]:
        return _block("features", self.features) if self.features.feature else iter(())


# ----- sequences -----


class FeatureList(_Message):
    """A Feature for each step of a sequence.

    Args:
        feature: a list of them.
    """

    def __init__(self, *, feature: Any = ()) -> None:
        self.feature = [_checked(Feature, "feature", one) for one in feature]

    def _content(self) -> Any:
        return self.feature

    def SerializeToString(self) -> bytes:
        return b"".join(wire.field(1, one.SerializeToString()) for one in self.feature)

    def _read(self, serialized: bytes) -> None:
        self.feature = [Feature.FromString(step) for step in steps_in(serialized)]

    def _lines(self) -> Iterator[str]:
        return (line for one in self.feature for line in _block("feature", one))


class FeatureLists(_Message):
    """A FeatureList for each name.

    Args:
        feature_list: a dictionary of them.
    """

    def __init__(self, *, feature_list: dict[str, FeatureList] | None = None) -> None:
        self.feature_list = _ByName(FeatureList, feature_list or {})

    def _content(self) -> Any:
        return dict(self.feature_list)

    def SerializeToString(self) -> bytes:
        return self.feature_list.written()

    def _read(self, serialized: bytes) -> None:
        self.feature_list = self.feature_list.read(serialized)

    def _lines(self) -> Iterator[str]:
        return self.feature_list.lines("feature_list")


class SequenceExample(_Message):
    """Features of a whole, and lists of features of its steps: a film with its frames.

    Args:
        context: a Features.
        feature_lists: a FeatureLists.

    Example:
        >>> import minitensor as tf
        >>> film = tf.train.SequenceExample()
        >>> film.context.feature["label"].int64_list.value.append(3)
        >>> frame = tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"png"]))
        >>> film.feature_lists.feature_list["frames"].feature.extend([frame, frame])
        >>> again = tf.train.SequenceExample.FromString(film.SerializeToString())
        >>> len(again.feature_lists.feature_list["frames"].feature)
        2
    """

    _parts = ("context", "feature_lists")

    def __init__(
        self, *, context: Features | None = None, feature_lists: FeatureLists | None = None
    ) -> None:
        self.context = Features() if context is None else context
        self.feature_lists = FeatureLists() if feature_lists is None else feature_lists
        _checked(Features, "context", self.context)
        _checked(FeatureLists, "feature_lists", self.feature_lists)

    def _content(self) -> Any:
        return self.context, self.feature_lists

    def SerializeToString(self) -> bytes:
        parts = enumerate((self.context, self.feature_lists), start=1)
        inside = ((number, part.SerializeToString()) for number, part in parts)
        return b"".join(wire.field(number, data) for number, data in inside if data)

    def _read(self, serialized: bytes) -> None:
        context, lists = parts_in(serialized)
        self.context = Features.FromString(context)
        self.feature_lists = FeatureLists.FromString(lists)

    def _lines(self) -> Iterator[str]:
        if self.context.feature:
            yield from _block("context", self.context)
        if self.feature_lists.feature_list:
            yield from _block("feature_lists", self.feature_lists)
