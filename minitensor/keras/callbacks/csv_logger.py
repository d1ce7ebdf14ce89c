"""CSVLogger: the numbers of every epoch as a line of a table."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from minitensor.keras.callbacks.base import Callback, Logs


class CSVLogger(Callback):
    """Writes a line of comma-separated values after every epoch.

    The columns are the epoch and the logs of the first epoch in alphabetical order.

    Args:
        filename: of the file; it is opened at the end of the first epoch.
        separator: between two values.
        append: whether lines are added to a file that exists; else it is begun anew.

    Example:
        >>> import minitensor as tf
        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "log.csv"
        >>> logger = tf.keras.callbacks.CSVLogger(path)
        >>> logger.on_train_begin()
        >>> logger.on_epoch_end(0, {"loss": 0.5, "val_loss": 0.75})
        >>> path.read_text().split()
        ['epoch,loss,val_loss', '0,0.5,0.75']

    Source: keras.callbacks.CSVLogger
    """

    only_chief = True

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.keys: list[str] | None = None
        self._size = 0  # bytes of the file that stay

    def on_train_begin(self, logs: Logs = None) -> None:
        """Decides what stays of a file that exists."""
        path = Path(self.filename)
        self.keys = None
        self._size = path.stat().st_size if self.append and path.exists() else 0

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Writes a line, and at first the names."""
        logs = logs or {}
        if self.keys is None:
            self.keys = sorted(logs)
            if not any(key.startswith("val_") for key in self.keys):
                self.keys += [f"val_{key}" for key in self.keys]
        with open(self.filename, "r+" if self._size else "w", newline="") as file:
            file.seek(self._size)
            file.truncate()
            writer = csv.writer(file, delimiter=self.sep)
            if self._size == 0:
                writer.writerow(["epoch", *self.keys])
            writer.writerow([epoch, *(_cell(logs.get(key, "NA")) for key in self.keys)])
        self._size = Path(self.filename).stat().st_size

    def get_state(self) -> dict[str, Any]:
        """How much of the file belongs to the training so far, and its columns."""
        return {"size": self._size, "keys": self.keys}

    def set_state(self, state: dict[str, Any]) -> None:
        """Drops, at the next line, what a training wrote after its last checkpoint."""
        path = Path(self.filename)
        self._size = min(state["size"], path.stat().st_size if path.exists() else 0)
        self.keys = state["keys"]


def _cell(value: Any) -> Any:
    """A value as the table shows it: several as "[1, 2]"."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return value
    if isinstance(value, str) or not isinstance(value, Iterable):
        return value
    return f'"[{", ".join(map(str, value))}]"'
