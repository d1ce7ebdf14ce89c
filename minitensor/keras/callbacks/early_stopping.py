"""EarlyStopping: an end to training that does not help any more."""

from __future__ import annotations

import warnings
from typing import Any

from minitensor.keras.callbacks.base import Logs
from minitensor.keras.callbacks.monitor import Monitor


class EarlyStopping(Monitor):
    """Stops when a number has not become better for a while.

    stop after an epoch with `patience` epochs, or more, since the last improvement

    Args:
        monitor: name in the logs.
        min_delta: how much better is better.
        patience: epochs without improvement that are allowed.
        verbose: 1 prints when it acts.
        mode: "min", "max" or "auto".
        baseline: an improvement must also beat this value.
        restore_best_weights: whether the weights of the best epoch come back at the end.
        start_from_epoch: epochs before this are not looked at.

    Attributes:
        wait: epochs since the last improvement.
        stopped_epoch: the epoch that was the last; 0 if it did not stop.
        best, best_epoch, best_weights: of the best epoch.

    Example:
        >>> import minitensor as tf
        >>> from types import SimpleNamespace
        >>> callback = tf.keras.callbacks.EarlyStopping(monitor="loss")
        >>> model = SimpleNamespace(stop_training=False)
        >>> callback.set_model(model)
        >>> callback.on_train_begin()
        >>> for epoch, loss in enumerate([0.5, 0.6]):
        ...     callback.on_epoch_end(epoch, {"loss": loss})
        >>> model.stop_training
        True

    Source: keras.callbacks.EarlyStopping
    """

    remembered = ("wait", "stopped_epoch", "best", "best_epoch", "best_weights")

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._begin()

    def _begin(self) -> None:
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best = None
        self.best_weights: list[Any] | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        """Forgets an earlier training."""
        self._begin()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Looks at the number, and stops training or not."""
        value = self.get_monitor_value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self.better(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self.better(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs = None) -> None:
        """Puts the best weights back."""
        if self.stopped_epoch > 0 and self.verbose > 0:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                print(f"Restoring model weights from the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)

    def get_monitor_value(self, logs: Logs) -> Any:
        """The number that is watched; None, and a warning, if it is not there."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            warnings.warn(
                f"Early stopping conditioned on metric `{self.monitor}` which is not available. "
                f"Available metrics are: {','.join(logs or {})}",
                stacklevel=2,
            )
        return value
