"""The data of fit, evaluate and predict as batches: from arrays, datasets and generators.

A source is iterated once per pass. Random numbers come from the generator that is in force while
it is iterated. How many steps make an epoch is the business of `epoch_iterator.py`.
Source of what is public: keras.utils, under the same name.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from minitensor import backend
from minitensor.autograd import Tensor, as_tensor, to_device_of
from minitensor.autograd.tensor import ArrayLike, is_float
from minitensor.autograd.tree import flatten, map_structure
from minitensor.backend.generator import generator
from minitensor.distribute.datasets import DistributedDataset, Shares
from minitensor.distribute.values import select
from minitensor.keras.engine import defaults

DEFAULT_BATCH = 32


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """A batch as (x, y, sample_weight), None for what it does not have.

    Args:
        data: x, (x,), (x, y) or (x, y, sample_weight).

    Raises:
        ValueError: a tuple of more than three.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.utils.unpack_x_y_sample_weight((1, 2))
        (1, 2, None)
    """
    if not isinstance(data, list | tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(
            "Data is expected to be in format `x`, `(x,)`, `(x, y)`, or `(x, y, sample_weight)`, "
            f"found: {data}"
        )
    return (*data, None, None)[:3]


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """The opposite of `unpack_x_y_sample_weight`.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.utils.pack_x_y_sample_weight(1, 2)
        (1, 2)
    """
    if y is None and sample_weight is None:
        return (x,) if isinstance(x, list | tuple) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def mapped_numbers(value: Any) -> Any:
    """The same with lists of numbers as arrays."""
    found = flatten(value) if isinstance(value, list) else []
    if found and all(isinstance(number, bool | int | float) for number in found):
        return np.asarray(value)
    if isinstance(value, tuple | list):
        return type(value)(mapped_numbers(item) for item in value)
    return value


def is_array(value: Any) -> bool:
    """Whether it has samples along a first axis that can be taken out."""
    ours = isinstance(value, ArrayLike) or backend.owner(value) is not None
    return ours or (hasattr(value, "shape") and hasattr(value, "__array__"))


def source_of(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    batch_size: int | None = None,
    steps: int | None = None,
    shuffle: Any = False,
    class_weight: Any = None,
) -> Arrays | Dataset:
    """What gives batches of this data.

    Raises:
        ValueError: data of a kind that is not known, or of different lengths.
    """
    x, y, sample_weight = (mapped_numbers(value) for value in (x, y, sample_weight))
    given = [value for value in flatten([x, y, sample_weight]) if value is not None]
    if given and all(is_array(value) for value in given):
        weights = _weights_for(y, sample_weight, class_weight)
        return Arrays(pack_x_y_sample_weight(x, y, weights), batch_size, steps, shuffle)
    numbered = hasattr(x, "on_epoch_end")  # a keras.utils.PyDataset
    if isinstance(x, list | tuple | dict | str) or not (numbered or hasattr(x, "__iter__")):
        raise ValueError(
            f"Unrecognized data type: x={x!r} (of type {type(x)}); give arrays, tensors, lists or "
            "dictionaries of them, a Dataset or a generator"
        )
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ValueError(
                f"When providing `x` as a {type(x).__name__}, `{name}` should not be passed. "
                f"Instead, it should be included as part of the {type(x).__name__}."
            )
    return Dataset(Passes(x, shuffle) if numbered else x, class_weight)


class Arrays:
    """Batches cut from arrays.

    Args:
        data: x, (x, y) or (x, y, sample_weight), arrays inside.
        batch_size: samples in each; the last may have fewer.
        steps: decides the batch size if that is None.
        shuffle: True for a new order in every pass; "batch" for one within each batch.
    """

    begun = 0  # an order depends on nothing but the generator

    def begin_epoch(self) -> None:
        """Nothing to do."""

    end_epoch = begin_epoch

    def __init__(self, data: Any, batch_size: int | None, steps: int | None, shuffle: Any) -> None:
        self._data = data
        self._count = _common_length(data)
        default = math.ceil(self._count / steps) if steps else DEFAULT_BATCH
        if batch_size is not None and (int(batch_size) != batch_size or batch_size < 0):
            raise ValueError(f"`batch_size` must be a whole number above 0. Received: {batch_size}")
        self._batch_size = int(batch_size or default)
        self._shuffle = shuffle
        self.size: int | None = math.ceil(self._count / self._batch_size)

    def __iter__(self) -> Iterator[Any]:
        everywhere = self._shuffle and self._shuffle != "batch"
        order = generator().permutation(self._count) if everywhere else None
        for start in range(0, self._count, self._batch_size):
            stop = min(start + self._batch_size, self._count)
            if self._shuffle == "batch":
                part: Any = start + generator().permutation(stop - start)
            else:
                part = slice(start, stop) if order is None else order[start:stop]
            yield map_structure(functools.partial(samples, part=part), self._data)

    def rewind(self, begun: int) -> None:
        """Nothing to do."""

    def first(self) -> Any:
        """The first sample of all, as a batch."""
        return map_structure(functools.partial(samples, part=slice(0, 1)), self._data)


class Dataset:
    """Batches that an object gives when it is iterated, again and again or once.

    Args:
        data: gives x, (x, y) or (x, y, sample_weight), tensors or arrays inside.
        class_weight: {class: weight}, for labels that have no sample weights.
    """

    def __init__(self, data: Any, class_weight: Any) -> None:
        self._data, self._class_weight = data, class_weight
        self._peeked: list[Any] = []
        self.size = _length(data)

    def __iter__(self) -> Iterator[Any]:
        batches = self._pass()
        while self._peeked:
            yield self._batch(self._peeked.pop(0))
        for batch in batches:
            yield self._batch(batch)

    def _pass(self) -> Iterator[Any]:
        shared = isinstance(self._data, DistributedDataset)
        return self._data.shares() if shared else iter(self._data)

    def _batch(self, batch: Any) -> Any:
        if isinstance(batch, Shares):  # what a process of `tf.distribute` has of it
            return batch
        batch = tuple(batch) if isinstance(batch, list) else batch
        if self._class_weight is not None:
            x, y, weights = unpack_x_y_sample_weight(batch)
            batch = (x, y, _weights_for(y, weights, self._class_weight))
        return map_structure(lambda value: None if value is None else as_tensor(value), batch)

    @property
    def begun(self) -> int:
        """How many passes over a Dataset of ours began; its seeded shuffles count them."""
        return getattr(self._data, "_begun", 0)

    def rewind(self, begun: int) -> None:
        """Counts passes from this number."""
        if hasattr(self._data, "rewind"):
            self._data.rewind(begun)

    def begin_epoch(self) -> None:
        """Tells a PyDataset."""
        if isinstance(self._data, Passes):
            self._data.data.on_epoch_begin()

    def end_epoch(self) -> None:
        """Tells a PyDataset, at the end of each epoch, once."""
        if isinstance(self._data, Passes):
            self._data.data.on_epoch_end()

    def first(self) -> Any:
        """The first batch; one that cannot be had a second time is kept for the next pass."""
        batches = self._pass()
        batch = next(batches, None)
        if batch is None:
            raise ValueError("The data must give at least one batch. Received an empty one.")
        if batches is self._data:
            self._peeked.append(batch)
        return self._batch(select(0, batch.parts) if isinstance(batch, Shares) else batch)


class Passes:
    """The batches of a PyDataset as an iterable.

    Args:
        data: gives a batch for a number, and has `num_batches`.
        shuffle: whether every pass takes them in another order.
    """

    def __init__(self, data: Any, shuffle: Any) -> None:
        self.data, self._shuffle = data, shuffle

    def __len__(self) -> int:
        return int(self.data.num_batches)

    def __iter__(self) -> Iterator[Any]:
        order = generator().permutation(len(self)) if self._shuffle else range(len(self))
        for number in order:
            yield self.data[int(number)]


_DATA = "an array of the data (x, y or sample_weight)"


def _length(data: Any) -> int | None:
    try:
        return len(data)
    except TypeError:
        return None


def samples(array: Any, part: Any) -> Tensor | None:
    """Some samples of an array as a new tensor; floats of NumPy as `keras.config.floatx()`."""
    if array is None:
        return None
    if isinstance(array, ArrayLike):
        be = backend.of(array.array)
        index = part if isinstance(part, slice) else be.xp.asarray(part)
        return Tensor(be.asarray(be.xp.array(array.array[index])))
    if backend.owner(array) is not None:
        return samples(as_tensor(array, what=_DATA), part)
    found = np.asarray(array)[part]
    if found.dtype == defaults.floatx():
        return to_device_of(found.copy() if isinstance(part, slice) else found)
    return floats_cast(found)


def floats_cast(array: Any) -> Tensor:
    """A tensor of an array; a NumPy array of floats takes the type `keras.config.floatx()`."""
    if isinstance(array, np.ndarray) and is_float(array.dtype):
        return as_tensor(array, defaults.floatx(), _DATA)
    return as_tensor(array, what=_DATA)


def _common_length(data: Any) -> int:
    """How many samples all arrays have."""
    found = {value.shape[0] if value.shape else 0 for value in flatten(data) if value is not None}
    if len(found) != 1:
        parts = zip(("x", "y", "sample_weight"), unpack_x_y_sample_weight(data), strict=True)
        listed = "; ".join(
            f"'{name}' sizes: {[tuple(v.shape)[:1] for v in flatten(part) if v is not None]}"
            for name, part in parts
        )
        hint = ". A list is one array per input; of a list of samples np.stack makes one array"
        hint = hint if isinstance(data[0], list) else ""
        raise ValueError(
            "Data cardinality is ambiguous. Make sure all arrays contain the same number of "
            f"samples. {listed}{hint}"
        )
    return int(found.pop())


def _weights_for(y: Any, sample_weight: Any, class_weight: Any) -> Any:
    """The sample weights, from the classes if these have weights."""
    if class_weight is None:
        return sample_weight
    if sample_weight is not None:
        raise ValueError("You cannot use `class_weight` and `sample_weight` at the same time.")
    if y is None or isinstance(y, list | tuple | dict):
        raise ValueError("`class_weight` is only supported for Models with a single output.")
    return weights_of_classes(y, class_weight)


def weights_of_classes(y: Any, class_weight: dict[int, float]) -> np.ndarray:
    """For each label the weight of its class, 1 for a class without.

    Args:
        y: (N,) or (N, 1) numbers of classes, or (N, C) one-hot.
        class_weight: {class: weight}.
    """
    labels = np.asarray(y)
    if labels.ndim > 1:
        labels = labels[..., 0] if labels.shape[-1] == 1 else labels.argmax(-1)
    weights = [class_weight.get(int(label), 1.0) for label in np.round(labels).astype(int)]
    return np.asarray(weights, defaults.floatx())
