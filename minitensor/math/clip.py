"""Values and gradients kept within bounds.


For all of them:
    Args: `t`: floats of any shape. `clip_norm`: the greatest length to leave. `name`: ignored.
    Returns: the shape of `t`.
    Raises: TypeError for other elements or bounds of another type, ValueError for an axis that
        does not exist.
    Source: the function of tf or tf.math with the same name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minitensor.autograd import Tensor, align, as_tensor, first_tensor
from minitensor.backend.errors import InvalidArgumentError
from minitensor.docstrings import examples_of
from minitensor.linalg import global_norm
from minitensor.nn import checks
from minitensor.ops import math, reduce
from minitensor.ops.elementwise import check_broadcast

__all__ = ["clip_by_global_norm", "clip_by_norm", "clip_by_value"]
example = examples_of("tf")


@example("clip_by_value([-2.0, 0.5, 3.0], 0.0, 1.0)", "[0. , 0.5, 1. ]")
def clip_by_value(
    t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None
) -> Tensor:
    """y = max(min(t, clip_value_max), clip_value_min); a value on a bound keeps its gradient.

    Args:
        t: numbers of any shape.
        clip_value_min, clip_value_max: bounds of its type, whose shapes broadcast to that of t.

    Raises:
        ValueError: the bounds have another shape.
    """
    x, low, high = align(
        "clip_by_value", t=t, clip_value_min=clip_value_min, clip_value_max=clip_value_max
    )
    if check_broadcast("clip_by_value", x.shape, low.shape, high.shape) != x.shape:
        raise InvalidArgumentError(
            f"clip_by_value: bounds {low.shape!s} and {high.shape!s} must broadcast to {x.shape!s}"
        )
    return math.maximum(math.minimum(x, high), low)


@example("clip_by_norm([3.0, 4.0], 1.0)", "[0.6, 0.8]")
def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> Tensor:
    """y = t * min(1, clip_norm / |t|), with the Euclidean length |t| over some axes.

    Args:
        axes: axes of the length; None is all.
    """
    x = checks.tensor("clip_by_norm", "t", t, "f", first_tensor(clip_norm))
    limit = as_tensor(clip_norm, x.dtype, "clip_by_norm: clip_norm", x)
    along = checks.axes("clip_by_norm", axes, x.ndim)
    squared = reduce.sum(math.square(x), axis=along, keepdims=True)
    some = math.greater(squared, 0)  # the root of 0 has no slope
    length = math.where(some, math.sqrt(math.where(some, squared, 1)), squared)  # 0 or NaN
    return x * limit / math.maximum(length, limit)


def clip_by_global_norm(
    t_list: Sequence[Any], clip_norm: Any, use_norm: Any = None, name: str | None = None
) -> tuple[list[Tensor | None], Tensor]:
    """y_i = t_i * min(1, clip_norm / n), with n the Euclidean length of all tensors together.

    Args:
        t_list: tensors, or None for those without a gradient.
        use_norm: n, if it is known already.

    Returns:
        The list of y_i, with None where it was, and n. All are NaN if n is infinite or NaN.

    Raises:
        TypeError: `t_list` is no list, or its tensors have no float type in common.

    Example:
        >>> import minitensor as tf
        >>> clipped, length = tf.clip_by_global_norm([[3.0], [4.0]], 1.0)
        >>> [t.numpy() for t in clipped], length.numpy()
        ([array([0.6], dtype=float32), array([0.8], dtype=float32)], np.float32(5.0))
    """
    length = global_norm(t_list) if use_norm is None else use_norm
    length = as_tensor(length, like=first_tensor(*t_list))
    limit = as_tensor(clip_norm, length.dtype, "clip_by_global_norm: clip_norm", length)
    scale = limit * math.minimum(math.reciprocal(length), math.reciprocal(limit))
    scale = math.where(math.isfinite(length), scale, float("nan"))
    return [None if t is None else math.multiply(t, scale) for t in t_list], length
