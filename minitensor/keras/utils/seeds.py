"""Starting a program anew: its random numbers, the names of its layers. Source: keras.utils."""

from __future__ import annotations

import random

import numpy as np

from minitensor.backend import generator
from minitensor.keras.engine.dtype_policy import forget_dtype_policy
from minitensor.keras.serialization import names


def set_random_seed(seed: int) -> None:
    """Sets the seeds of Python, NumPy and minitensor: the program repeats itself from here on.

    Args:
        seed: an integer, not negative.

    Raises:
        ValueError: it is no such integer.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.utils.set_random_seed(3)
        >>> first = float(tf.random.uniform([]))
        >>> tf.keras.utils.set_random_seed(3)
        >>> float(tf.random.uniform([])) == first
        True
    """
    if not isinstance(seed, int) or seed < 0:
        raise ValueError(
            f"Expected `seed` argument to be a non-negative integer. Received: seed={seed}"
        )
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002  (programs that use NumPy's old generator)
    generator.set_seed(seed)


def clear_session(free_memory: bool = True) -> None:
    """Counts the names of layers from the beginning again, and forgets `set_dtype_policy`.

    Args:
        free_memory: ignored: there is no graph to be freed.
    """
    names.clear()
    forget_dtype_policy()


def reset_uids() -> None:
    """Counts them anew, no more. Source: keras.backend.reset_uids"""
    names.clear()
