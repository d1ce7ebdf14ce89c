"""Counting, searching and casting of numbers that have no derivative.

For all of them:
    Args: `name`: ignored.
    Raises: TypeError for elements of another kind; ValueError for shapes that do not fit.
    Source: the function of tf or tf.math with the same name.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.autograd import Tensor, as_tensor, first_tensor, to_device_of
from minitensor.autograd.tensor import is_float
from minitensor.docstrings import examples_of
from minitensor.dtypes import as_dtype, bool, int32
from minitensor.nn import checks
from minitensor.ops import math

__all__ = ["bincount", "confusion_matrix", "saturate_cast", "searchsorted", "sequence_mask"]
example = examples_of("tf")


def _integers(op: str, name: str, value: Any, like: Any = None) -> Tensor:
    """`value` as integers; an empty list is none of any type."""
    empty = isinstance(value, list | tuple) and not np.size(value)
    return checks.tensor(op, name, as_tensor(value, int32) if empty else value, "iu", like)


@example("math.bincount([1, 1, 3])", "array([0, 2, 0, 1], dtype=int32)")
def bincount(
    arr: Any,
    weights: Any = None,
    minlength: Any = None,
    maxlength: Any = None,
    dtype: Any = int32,
    name: str | None = None,
    axis: Any = None,
    binary_output: Any = False,
) -> Tensor:
    """How often each number from 0 on occurs.

    Args:
        arr: integers that are not negative.
        weights: what each counts, in the shape of `arr`; None for 1.
        minlength: at least so many counts, 0 for numbers that do not occur.
        maxlength: numbers from there on are left out.
        dtype: of the counts; with weights it is theirs.
        axis: None, or 0, counts all; -1 each row of a matrix.
        binary_output: 1 for every number that occurs, however often.

    Returns:
        (counts,), or (rows, counts).

    Raises:
        ValueError: a number is negative.
    """
    x = _integers("bincount", "arr", arr, first_tensor(arr, weights))
    rows = x.numpy() if axis == -1 and x.ndim == 2 else np.ravel(x.numpy())[np.newaxis]
    if axis not in (None, 0, -1):
        raise ValueError(f"bincount: axis must be None, 0 or -1, got {axis!r}")
    if rows.size and rows.min() < 0:
        raise ValueError("bincount: arr has negative numbers; they must be 0 or more")
    length = int(rows.max()) + 1 if rows.size else 0
    if minlength is not None:
        length = max(length, checks.number("bincount", "minlength", minlength, 0))
    if maxlength is not None:
        length = min(length, checks.number("bincount", "maxlength", maxlength, 0))
    counted = as_tensor(np.ones(rows.shape, as_dtype(dtype)) if weights is None else weights)
    if weights is not None and counted.shape != x.shape:
        raise ValueError(f"bincount: weights {counted.shape!s} must have arr's shape {x.shape!s}")
    found = np.zeros((len(rows), length), counted.dtype)
    kept = rows < length
    places = np.nonzero(kept)[0], rows[kept]
    if binary_output:
        found[places] = 1
    else:
        np.add.at(found, places, counted.numpy().reshape(rows.shape)[kept])
    return to_device_of(found if axis == -1 and x.ndim == 2 else found[0], x)


@example("math.confusion_matrix([0, 1], [1, 1])", "array([[0, 1],\n       [0, 1]], dtype=int32)")
def confusion_matrix(
    labels: Any,
    predictions: Any,
    num_classes: Any = None,
    weights: Any = None,
    dtype: Any = int32,
    name: str | None = None,
) -> Tensor:
    """y[i, j]: how often j was predicted where i is the label.

    Args:
        labels, predictions: classes, in vectors of one length, or columns of them.
        num_classes: how many there are; None for as many as occur.
        weights: what each example counts; None for 1.
        dtype: of the counts.

    Returns:
        (classes, classes)

    Raises:
        ValueError: a class is negative, or not below `num_classes`.
    """
    pair = {"labels": labels, "predictions": predictions}
    vectors = {}
    for key, value in pair.items():
        x = as_tensor(value, what=f"confusion_matrix: {key}").numpy()
        x = x[..., 0] if x.ndim == 2 and x.shape[-1] == 1 else x
        if x.ndim != 1:
            raise ValueError(f"confusion_matrix: {key} must be a vector, got shape {x.shape}")
        vectors[key] = x.astype(np.int64)
    i, j = vectors.values()
    if len(i) != len(j):
        raise ValueError(f"confusion_matrix: {len(i)} labels, {len(j)} predictions")
    count = max([0, *(v.max(initial=-1) + 1 for v in (i, j))])
    if num_classes is not None:
        count = checks.number("confusion_matrix", "num_classes", num_classes, 0)
    for key, x in vectors.items():
        if len(x) and (x.min() < 0 or x.max() >= count):
            raise ValueError(f"confusion_matrix: `{key}` out of bound: legal are 0 to {count - 1}")
    kind = as_dtype(dtype)
    added = np.ones(len(i)) if weights is None else np.asarray(as_tensor(weights))
    if added.shape != i.shape:
        raise ValueError(f"confusion_matrix: weights {added.shape} must have the shape {i.shape}")
    found = np.zeros((count, count), kind)
    np.add.at(found, (i, j), added.astype(kind))
    return to_device_of(found, first_tensor(labels, predictions, weights))


@example("searchsorted([1, 3, 5], [0, 3, 9])", "array([0, 1, 3], dtype=int32)")
def searchsorted(
    sorted_sequence: Any,
    values: Any,
    side: str = "left",
    out_type: Any = int32,
    name: str | None = None,
) -> Tensor:
    """Where values would be put into sorted rows, so that the rows stay sorted.

    Args:
        sorted_sequence: (..., n) in increasing order.
        values: (..., m) of the same type; the axes in front are those of `sorted_sequence`.
        side: "left" of equal numbers, or "right".
        out_type: int32 or int64.

    Returns:
        The shape of `values`.
    """
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted: side must be 'left' or 'right', got {side!r}")
    kind = as_dtype(out_type)
    if kind.name not in ("int32", "int64"):
        raise TypeError(f"searchsorted: out_type {kind.name}; legal: int32 and int64")
    rows = checks.tensor("searchsorted", "sorted_sequence", sorted_sequence, "fiu")
    x = as_tensor(values, rows.dtype, "searchsorted: values", rows)
    if not x.ndim or x.shape[:-1] != rows.shape[:-1]:
        raise ValueError(
            f"searchsorted: values {x.shape!s} and sorted_sequence {rows.shape!s} must have axes, "
            "the same in front of the last"
        )
    found = np.zeros(x.shape, kind)
    sorted_rows, wanted = rows.numpy(), x.numpy()
    for place in np.ndindex(x.shape[:-1]):
        found[place] = np.searchsorted(sorted_rows[place], wanted[place], side)  # type: ignore[call-overload]
    return to_device_of(found, x)


@example("sequence_mask([1, 2], dtype='int32')", "array([[1, 0],\n       [1, 1]], dtype=int32)")
def sequence_mask(
    lengths: Any, maxlen: Any = None, dtype: Any = bool, name: str | None = None
) -> Tensor:
    """y[..., j] is true where j < lengths[...].

    Args:
        lengths: integers of any shape.
        maxlen: size of the new axis; None for the largest of the lengths.
        dtype: of the result.

    Returns:
        The shape of `lengths` with one axis more.
    """
    x = _integers("sequence_mask", "lengths", lengths)
    numbers = x.numpy()
    longest = max(0, int(np.max(numbers, initial=0)))
    size = longest if maxlen is None else checks.number("sequence_mask", "maxlen", maxlen, 0)
    found = np.arange(size) < np.asarray(numbers)[..., np.newaxis]
    return to_device_of(found.astype(as_dtype(dtype)), x)


@example("saturate_cast([300.0, -5.0, 1.7], 'uint8')", "array([255,   0,   1], dtype=uint8)")
def saturate_cast(value: Any, dtype: Any, name: str | None = None) -> Tensor:
    """The same numbers as elements of another type, cut to the range that it has.

    Args:
        value: numbers.
        dtype: a float or integer type.

    Returns:
        The shape of `value`. Gradients are cast back, 0 where a number was cut.
    """
    x, kind = checks.tensor("saturate_cast", "value", value, "fiu"), as_dtype(dtype)
    if kind.kind == "b":
        raise TypeError("saturate_cast: dtype must be a type of numbers, got bool")
    low, high = _range(x.dtype, kind)
    if low is not None:
        x = math.maximum(x, as_tensor(low, x.dtype, like=x))
    if high is not None:
        x = math.minimum(x, as_tensor(high, x.dtype, like=x))
    return x if x.dtype == kind else math.cast(x, dtype=kind)


def _limits(kind: np.dtype[Any]) -> tuple[Any, Any]:
    if kind.kind in "iu":
        return int(np.iinfo(kind).min), int(np.iinfo(kind).max)
    if kind.kind == "f":
        return float(np.finfo(kind).min), float(np.finfo(kind).max)
    return -3.3895313892515355e38, 3.3895313892515355e38  # bfloat16


def _range(source: np.dtype[Any], target: np.dtype[Any]) -> tuple[Any, Any]:
    """The bounds of `target` among the numbers of `source`; None where none lies beyond."""
    (low, high), (least, most) = _limits(source), _limits(target)
    if is_float(source) and not is_float(target):
        step = np.dtype(np.float32) if source.kind != "f" else source
        top = np.array(most, step)  # rounded up, perhaps beyond what the integers hold
        most = float(np.nextafter(top, np.array(0, step)) if int(top) > most else top)
    return (None if least <= low else least), (None if most >= high else most)
