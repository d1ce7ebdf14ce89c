"""The mirror of keras.config: what layers start from."""

from minitensor.keras.engine.defaults import (
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from minitensor.keras.engine.dtype_policy import dtype_policy, set_dtype_policy

__all__ = [
    "disable_traceback_filtering", "dtype_policy", "epsilon", "floatx", "image_data_format",
    "is_traceback_filtering_enabled", "set_dtype_policy", "set_epsilon", "set_floatx",
    "set_image_data_format",
]  # fmt: skip


def disable_traceback_filtering() -> None:
    """Asks for whole traces of errors: there are no others here.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.config.disable_traceback_filtering()
        >>> tf.keras.config.is_traceback_filtering_enabled()
        False

    Source: keras.config.disable_traceback_filtering
    """


def is_traceback_filtering_enabled() -> bool:
    """Whether traces of errors leave lines out: never.

    Returns:
        False

    Example:
        >>> import minitensor as tf
        >>> tf.keras.config.is_traceback_filtering_enabled()
        False

    Source: keras.config.is_traceback_filtering_enabled
    """
    return False
