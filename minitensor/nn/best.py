"""The best of each row."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minitensor.autograd import Tensor
from minitensor.autograd.dtype import of
from minitensor.backend.errors import InvalidArgumentError
from minitensor.docstrings import examples_of
from minitensor.nn import checks
from minitensor.ops import math, reduce

__all__ = ["top_k"]
example = examples_of("tf")
int32 = of(np.dtype("int32"))


class TopKV2(NamedTuple):
    """What `top_k` returns."""

    values: Tensor
    indices: Tensor


@example("math.top_k([1, 3, 3, 2], k=2).indices", "array([1, 2], dtype=int32)")
def top_k(
    input: Any, k: Any = 1, sorted: bool = True, index_type: Any = int32, name: str | None = None
) -> TopKV2:
    """The k largest elements of each row, largest first; of equal ones the first comes first.

    Args:
        input: numbers, with rows along the last axis.
        k: how many.
        sorted: ignored; they always are.
        index_type: element type of the indices.
        name: ignored.

    Returns:
        (values, indices), where the last axis has size k.

    Raises:
        ValueError: k is negative or larger than a row, or there are no rows.

    Source: tf.math.top_k
    """
    x = checks.tensor("top_k", "input", input, "iuf")
    count = checks.number("top_k", "k", k, 0)
    if not x.ndim or count > x.shape[-1]:
        raise InvalidArgumentError(
            f"top_k: k {count} is more than the last axis of {x.shape!s} holds"
        )
    values, indices = reduce.top_k(x, k=count)
    return TopKV2(values, math.cast(indices, dtype=np.dtype(index_type)))
