"""The tensors of a checkpoint by their keys, with no objects to put them into."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from minitensor.backend.errors import NotFoundError
from minitensor.train.bundle import Bundle
from minitensor.train.state import latest_checkpoint


class CheckpointReader:
    """Reads single tensors. Source: tf.train.load_checkpoint

    Args:
        filename: the path without ".index".
    """

    def __init__(self, filename: Any) -> None:
        self._bundle = Bundle(filename)

    def get_variable_to_shape_map(self) -> dict[str, list[int]]:
        """The shape of each tensor."""
        return {name: list(entry.shape) for name, entry in self._bundle.entries.items()}

    def get_variable_to_dtype_map(self) -> dict[str, np.dtype[Any]]:
        """The type of each tensor; `object` for texts."""
        return {name: self._bundle.dtype(name) for name in self._bundle.entries}

    def has_tensor(self, tensor_str: str) -> bool:
        """Whether there is a tensor of this name."""
        return tensor_str in self._bundle

    def get_tensor(self, tensor_str: str) -> Any:
        """An array, a NumPy scalar, or bytes for a text."""
        value = self._bundle.tensor(tensor_str)
        return value if isinstance(value, bytes) else value[()]


def load_checkpoint(ckpt_dir_or_file: Any) -> CheckpointReader:
    """A reader of a checkpoint.

    Args:
        ckpt_dir_or_file: its path without ".index", or a folder, whose newest is taken.

    Returns:
        A CheckpointReader.

    Raises:
        NotFoundError: there is none.
        DataLossError: its files are damaged.

    Example:
        >>> import tempfile, minitensor as tf
        >>> path = tf.train.Checkpoint(a=tf.Variable([1, 2])).write(tempfile.mkdtemp() + "/ckpt")
        >>> tf.train.load_checkpoint(path).get_tensor("a/.ATTRIBUTES/VARIABLE_VALUE")
        array([1, 2], dtype=int32)

    Source: tf.train.load_checkpoint
    """
    path = os.fspath(ckpt_dir_or_file)
    if Path(path).is_dir():
        newest = latest_checkpoint(path)
        if newest is None:
            raise NotFoundError(f"Couldn't find 'checkpoint' file or checkpoints in {path}")
        path = newest
    return CheckpointReader(path)


def load_variable(ckpt_dir_or_file: Any, name: str) -> Any:
    """One tensor of a checkpoint.

    Args:
        ckpt_dir_or_file: as for `load_checkpoint`.
        name: its key.

    Returns:
        An array, a NumPy scalar, or bytes for a text.

    Raises:
        NotFoundError: there is none of this name.

    Example:
        >>> import tempfile, minitensor as tf
        >>> path = tf.train.Checkpoint(a=tf.Variable([1, 2])).write(tempfile.mkdtemp() + "/ckpt")
        >>> tf.train.load_variable(path, "a/.ATTRIBUTES/VARIABLE_VALUE")
        array([1, 2], dtype=int32)

    Source: tf.train.load_variable
    """
    return load_checkpoint(ckpt_dir_or_file).get_tensor(name.removesuffix(":0"))


def list_variables(ckpt_dir_or_file: Any) -> list[tuple[str, list[int]]]:
    """The keys and shapes of all tensors of a checkpoint, sorted.

    Args:
        ckpt_dir_or_file: as for `load_checkpoint`.

    Returns:
        Pairs.

    Raises:
        NotFoundError: there is no checkpoint.

    Example:
        >>> import tempfile, minitensor as tf
        >>> path = tf.train.Checkpoint(a=tf.Variable([1, 2])).write(tempfile.mkdtemp() + "/ckpt")
        >>> tf.train.list_variables(path)[1]
        ('a/.ATTRIBUTES/VARIABLE_VALUE', [2])

    Source: tf.train.list_variables
    """
    return sorted(load_checkpoint(ckpt_dir_or_file).get_variable_to_shape_map().items())
