"""One-hot rows, rows of length 1, and data sets in two parts.

Source: keras.utils, under the same name.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor import linalg
from minitensor.array import one_hot, reshape
from minitensor.autograd.tensor import ArrayLike
from minitensor.backend.generator import generator
from minitensor.data.dataset import Dataset
from minitensor.data.spec import flatten, map_structure
from minitensor.math import maximum


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """Class numbers as one-hot rows: y[..., k] = 1 where k is the class, else 0.

    Args:
        x: integers of any shape; a last axis of size 1 goes away.
        num_classes: how many; None takes the largest + 1.

    Returns:
        float64 array of the shape of `x` and an axis of `num_classes`; a float32 tensor if `x` is
        a tensor.

    Raises:
        ValueError: a class is out of range.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.utils.to_categorical([0, 2], 3)
        array([[1., 0., 0.],
               [0., 0., 1.]])
    """
    labels = np.asarray(x).astype(np.int64)
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    count = int(num_classes or labels.max() + 1)
    if labels.size and not -count <= labels.min() <= labels.max() < count:
        raise ValueError(
            f"to_categorical: classes go from {labels.min()} to {labels.max()}, but num_classes is "
            f"{count}"
        )
    if isinstance(x, ArrayLike):
        return one_hot(reshape(x, labels.shape), count)  # (..., num_classes)
    return np.eye(count)[labels]  # (..., num_classes)


def normalize(x: Any, axis: int = -1, order: int = 2) -> Any:
    """Rows of length 1: y = x / (sum over `axis` of |x|^order)^(1 / order); rows of zeros stay.

    Args:
        x: an array, or a tensor.
        axis: along which lengths are measured.
        order: 2 is Euclid's.

    Returns:
        The shape and kind of `x`.

    Example:
        >>> import minitensor as tf
        >>> import numpy as np
        >>> tf.keras.utils.normalize(np.array([[3.0, 4.0], [0.0, 0.0]]))
        array([[0.6, 0.8],
               [0. , 0. ]])
    """
    if isinstance(x, ArrayLike):
        lengths = linalg.norm(x, order, axis, keepdims=True)
        return x / maximum(lengths, 1e-12)
    array = np.asarray(x)
    lengths = np.linalg.norm(array, order, axis, keepdims=True)
    return array / np.where(lengths == 0, 1, lengths)


def split_dataset(
    dataset: Any,
    left_size: float | int | None = None,
    right_size: float | int | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Dataset, Dataset]:
    """A data set in two parts.

    Args:
        dataset: a Dataset, or an array, list or tuple of arrays of one length.
        left_size, right_size: a number of elements, or a part of all as a float; None is the rest.
        shuffle: draw at random what goes where.
        seed: of the draw.
        preferred_backend: ignored.

    Returns:
        Two datasets, whose elements are in memory.

    Raises:
        ValueError: no size, or sizes that do not fit.

    Example:
        >>> import minitensor as tf
        >>> import numpy as np
        >>> left, right = tf.keras.utils.split_dataset(np.arange(10), left_size=0.8)
        >>> len(left), [int(x) for x in right]
        (8, [8, 9])
    """
    if isinstance(dataset, Dataset):
        elements = list(dataset.as_numpy_iterator())
    else:
        arrays = tuple(dataset) if isinstance(dataset, list | tuple) else dataset
        elements = list(Dataset.from_tensor_slices(arrays).as_numpy_iterator())
    if not elements:
        raise ValueError("split_dataset: the dataset has no elements")
    left, right = _sizes(len(elements), left_size, right_size)
    order = np.arange(len(elements))
    if shuffle:
        order = generator(seed).permutation(order)
    return tuple(  # type: ignore[return-value]
        _of([elements[i] for i in part], elements[0])
        for part in (order[:left], order[len(order) - right :])
    )


def _of(elements: list[Any], like: Any) -> Dataset:
    stacks = iter([np.stack(column) for column in zip(*map(flatten, elements), strict=True)])
    return Dataset.from_tensor_slices(map_structure(lambda _: next(stacks), like))


def _sizes(total: int, left: float | int | None, right: float | int | None) -> tuple[int, int]:
    """How many elements go into each part."""
    if left is None and right is None:
        raise ValueError(
            "At least one of the `left_size` or `right_size` must be specified. "
            "Received: left_size=None and right_size=None"
        )
    counts: list[int | None] = []
    for name, size in (("left_size", left), ("right_size", right)):
        whole = isinstance(size, int | np.integer)
        if size is not None and not 0 < size < (total if whole else 1):
            raise ValueError(
                f"If `{name}` is specified, it should be a positive integer smaller than {total} "
                f"or a float between 0 and 1. Received: {name}={size}"
            )
        counts.append(None if size is None else int(size if whole else round(size * total)))
    first = total - (counts[1] or 0) if counts[0] is None else counts[0]
    second = total - first if counts[1] is None else counts[1]
    if first + second > total or not first or not second:
        raise ValueError(f"split_dataset: {first} and {second} elements do not fit into {total}")
    return first, second
