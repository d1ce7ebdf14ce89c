"""The mirror of tf.debugging: programs that stop where a value stops being finite."""

from __future__ import annotations

from typing import Any

from minitensor.autograd import Tensor, as_tensor
from minitensor.autograd.finite import Alarm, described, is_finite
from minitensor.autograd.recording import active

__all__ = ["check_numerics", "disable_check_numerics", "enable_check_numerics"]


def check_numerics(tensor: Any, message: str, name: str | None = None) -> Tensor:
    """Passes a tensor on if all of it is finite.

    y = tensor

    Args:
        tensor: any shape.
        message: begins the error.
        name: ignored.

    Raises:
        FloatingPointError: an element is NaN or infinite.

    Example:
        >>> check_numerics([1.0, 2.0], "features").numpy()
        array([1., 2.], dtype=float32)

    Source: tf.debugging.check_numerics
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
        >>> import minitensor as mt
        >>> enable_check_numerics()
        >>> try:
        ...     mt.math.log([0.0])
        ... except FloatingPointError as error:
        ...     print(str(error)[:54])
        ... finally:
        ...     disable_check_numerics()
        Detected Infinity or NaN in output 0 of the op 'log' (

    Source: tf.debugging.enable_check_numerics
    """
    if not any(isinstance(tape, Alarm) for tape in active.tapes):
        active.tapes.insert(0, Alarm())


def disable_check_numerics() -> None:
    """Undoes `enable_check_numerics`. Source: tf.debugging.disable_check_numerics"""
    active.tapes[:] = [tape for tape in active.tapes if not isinstance(tape, Alarm)]
