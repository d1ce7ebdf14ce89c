"""The mirror of tf.errors: those that are raised here, in backend/errors.py, and the others."""

from minitensor import missing
from minitensor.backend.errors import (
    AlreadyExistsError,
    DataLossError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    OpError,
    OutOfRangeError,
)

__all__ = [
    "AbortedError", "AlreadyExistsError", "CancelledError", "DataLossError",
    "DeadlineExceededError", "FailedPreconditionError", "InternalError", "InvalidArgumentError",
    "NotFoundError", "OpError", "OutOfRangeError", "PermissionDeniedError",
    "ResourceExhaustedError", "UnauthenticatedError", "UnavailableError", "UnimplementedError",
    "UnknownError",
]  # fmt: skip


class CancelledError(OpError):
    """Source: tf.errors.CancelledError"""

    error_code = 1


class UnknownError(OpError):
    """Source: tf.errors.UnknownError"""


class DeadlineExceededError(OpError, TimeoutError):
    """Source: tf.errors.DeadlineExceededError"""

    error_code = 4


class PermissionDeniedError(OpError, PermissionError):
    """Source: tf.errors.PermissionDeniedError"""

    error_code = 7


class ResourceExhaustedError(OpError, MemoryError):
    """Source: tf.errors.ResourceExhaustedError"""

    error_code = 8


class AbortedError(OpError):
    """Source: tf.errors.AbortedError"""

    error_code = 10


class UnimplementedError(OpError, NotImplementedError):
    """Source: tf.errors.UnimplementedError"""

    error_code = 12


class InternalError(OpError):
    """Source: tf.errors.InternalError"""

    error_code = 13


class UnavailableError(OpError):
    """Source: tf.errors.UnavailableError"""

    error_code = 14


class UnauthenticatedError(OpError):
    """Source: tf.errors.UnauthenticatedError"""

    error_code = 16


__getattr__ = missing.refusing("tf.errors", __name__)
