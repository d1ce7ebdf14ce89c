"""PyDataset: a program's own class that gives batches by their number."""

from __future__ import annotations

from typing import Any


class PyDataset:
    """Batches by number: subclass it and write `__len__` and `__getitem__`.

    `fit` takes the batches in a new order each epoch unless shuffle=False, and calls
    `on_epoch_end` after each.

    Args:
        workers, use_multiprocessing, max_queue_size: ignored; all runs in one thread.

    Example:
        >>> import minitensor as tf
        >>> class Squares(tf.keras.utils.PyDataset):
        ...     def __len__(self):
        ...         return 3
        ...
        ...     def __getitem__(self, index):
        ...         return index**2
        >>> Squares().num_batches
        3

    Source: keras.utils.PyDataset
    """

    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ) -> None:
        self.workers, self.use_multiprocessing = workers, use_multiprocessing
        self.max_queue_size = max_queue_size

    @property
    def num_batches(self) -> int:
        """How many batches there are; a program writes this or `__len__`."""
        if hasattr(self, "__len__"):
            return len(self)
        raise NotImplementedError("You need to implement `__len__`")

    def __getitem__(self, index: int) -> Any:
        """The batch of this number."""
        raise NotImplementedError("You need to implement `__getitem__`")

    def on_epoch_begin(self) -> None:
        """Called before each epoch."""

    def on_epoch_end(self) -> None:
        """Called after each epoch."""


Sequence = PyDataset
