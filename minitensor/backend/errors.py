"""The errors of tf.errors that are raised here, each also the error of Python that it is.

What is raised here for a value that is not legal is an InvalidArgumentError and a ValueError, for a
type that is not legal an InvalidTypeError and a TypeError: programs may catch either.
"""

from __future__ import annotations

from typing import Any


class DeviceError(RuntimeError):
    """A device was asked for that this machine does not have; says what is missing."""


class CompileError(RuntimeError):
    """A compiler refused the text of a kernel; the message is what it said."""


class OpError(Exception):
    """What all errors of tf.errors are.

    Args: TensorFlow's (node_def, op, message), or the message alone.
    Attributes: message; error_code, TensorFlow's number; node_def and op, as they were given.

    Example:
        >>> import minitensor as tf
        >>> tf.errors.NotFoundError(None, None, "no such file").message
        'no such file'

    Source: tf.errors.OpError
    """

    error_code = 2

    def __init__(self, *args: Any) -> None:
        self.node_def, self.op, self.message = args[:3] if len(args) > 2 else (None, None, *args)
        super().__init__(self.message)


class InvalidArgumentError(OpError, ValueError):
    """A value, a shape or a type that is not legal. Source: tf.errors.InvalidArgumentError"""

    error_code = 3


class InvalidTypeError(InvalidArgumentError, TypeError):
    """A type that is not legal, for which TensorFlow has no error of its own."""


class NotFoundError(OpError, FileNotFoundError):
    """A file, or what should be in it, is not there. Source: tf.errors.NotFoundError"""

    error_code = 5


class AlreadyExistsError(OpError, FileExistsError):
    """Source: tf.errors.AlreadyExistsError"""

    error_code = 6


class FailedPreconditionError(OpError, RuntimeError):
    """Something else must come first. Source: tf.errors.FailedPreconditionError"""

    error_code = 9


class OutOfRangeError(OpError):
    """The end of a data set, by `get_next`. Source: tf.errors.OutOfRangeError"""

    error_code = 11


class DataLossError(OpError, ValueError):
    """A file that is damaged. Source: tf.errors.DataLossError"""

    error_code = 15
