"""History: the numbers of every epoch, which fit returns."""

from __future__ import annotations

from typing import Any

from minitensor.keras.callbacks.base import Callback, Logs


class History(Callback):
    """Keeps the logs of every epoch; every fit adds one and returns it.

    Attributes:
        history: {name: [value of each epoch]}, "loss" and "val_loss" say.
        epoch: [number of each epoch], from 0.

    Example:
        >>> import minitensor as tf
        >>> history = tf.keras.callbacks.History()
        >>> history.on_train_begin()
        >>> history.on_epoch_end(0, {"loss": 0.5})
        >>> history.epoch, history.history
        ([0], {'loss': [0.5]})

    Source: keras.callbacks.History
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Logs = None) -> None:
        """The epochs of this fit are counted; values of an earlier one stay, as in Keras."""
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """One value more for each name."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)

    def get_state(self) -> dict[str, Any]:
        """The numbers so far, for a checkpoint of the training."""
        values = {name: list(values) for name, values in self.history.items()}
        return {"epoch": list(self.epoch), "history": values}

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on from there."""
        self.epoch, self.history = state["epoch"], state["history"]
