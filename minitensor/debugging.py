"""The mirror of tf.debugging: programs that stop where a value stops being finite.

`x` and `y` are compared as they broadcast; `message` begins the error; `name` and `summarize` are
ignored. Source: tf.debugging, under the same name.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor import missing
from minitensor.autograd import Tensor, as_tensor
from minitensor.autograd.finite import Alarm, described, is_finite
from minitensor.autograd.recording import active

__all__ = [
    "assert_equal", "assert_near", "check_numerics", "disable_check_numerics",
    "enable_check_numerics", "set_log_device_placement",
]  # fmt: skip


def assert_equal(
    x: Any, y: Any, message: Any = None, summarize: Any = None, name: str | None = None
) -> None:
    """Raises ValueError unless all of x and y are equal.

    Example:
        >>> import minitensor as tf
        >>> tf.debugging.assert_equal([1, 2], 1)
        Traceback (most recent call last):
        ...
        ValueError: assert_equal: [1 2] is not 1
    """
    x, y = np.asarray(x), np.asarray(y)
    if not (x == y).all():
        raise ValueError(f"{message or 'assert_equal'}: {x} is not {y}")


def assert_near(
    x: Any,
    y: Any,
    rtol: Any = None,
    atol: Any = None,
    message: Any = None,
    summarize: Any = None,
    name: str | None = None,
) -> None:
    """Raises ValueError unless |x - y| <= `atol` + `rtol` * |y|; both are 10 epsilons of x's type.

    Example:
        >>> import minitensor as tf
        >>> tf.debugging.assert_near([1.0, 2.0], [1.0, 2.0000001])
    """
    x, y = np.asarray(as_tensor(x)), np.asarray(as_tensor(y))
    tiny = 10 * np.finfo(x.dtype).eps
    rtol, atol = tiny if rtol is None else rtol, tiny if atol is None else atol
    if not (np.abs(x - y) <= atol + rtol * np.abs(y)).all():
        raise ValueError(f"{message or 'assert_near'}: {x} is not near {y}")


def check_numerics(tensor: Any, message: str, name: str | None = None) -> Tensor:
    """Passes a tensor on if all of it is finite.

    y = tensor

    Args:
        tensor: any shape.

    Raises:
        FloatingPointError: an element is NaN or infinite.

    Example:
        >>> import minitensor as tf
        >>> tf.debugging.check_numerics([1.0, 2.0], "features").numpy()
        array([1., 2.], dtype=float32)
    """
    found = as_tensor(tensor)
    if not is_finite(found):
        raise FloatingPointError(f"{message} : Tensor had NaN or Inf values, {described(found)}")
    return found


def enable_check_numerics(stack_height_limit: int = 30, path_length_limit: int = 50) -> None:
    """From now on any op of this thread that gives NaN or an infinity is an error that names it.

    Args:
        stack_height_limit, path_length_limit: ignored; Python's traceback is whole.

    Raises:
        FloatingPointError: later, by the op.

    Example:
        >>> import minitensor as tf
        >>> tf.debugging.enable_check_numerics()
        >>> try:
        ...     tf.math.log([0.0])
        ... except FloatingPointError as error:
        ...     print(str(error)[:54])
        ... finally:
        ...     tf.debugging.disable_check_numerics()
        Detected Infinity or NaN in output 0 of the op 'log' (
    """
    if not any(isinstance(tape, Alarm) for tape in active.tapes):
        active.tapes.insert(0, Alarm())


def disable_check_numerics() -> None:
    """Undoes `enable_check_numerics`."""
    active.tapes[:] = [tape for tape in active.tapes if not isinstance(tape, Alarm)]


def set_log_device_placement(enabled: bool) -> None:
    """Does nothing: an op runs where its tensors lie, and `tensor.device` says where that is.

    Args:
        enabled: ignored.

    Example:
        >>> import minitensor as tf
        >>> tf.debugging.set_log_device_placement(True)

    Source: tf.debugging.set_log_device_placement
    """


__getattr__ = missing.refusing("tf.debugging", __name__)
