"""Callbacks that watch one number and ask whether it became better, and two that act on it.

Args of all: monitor, a name in the logs, "val_loss" say; min_delta, how much better is better;
patience, the epochs without improvement that are allowed; verbose, 1 prints when it acts; mode,
"min", "max", or "auto": from the name, or what the metric of that name says. Source of all:
keras.callbacks, by the same names.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from minitensor.keras.callbacks.base import Callback, Logs


class Remembering(Callback):
    """A callback whose `remembered` attributes go into a checkpoint of the training."""

    remembered: tuple[str, ...] = ()

    def get_state(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.remembered}

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on with values that `get_state` gave."""
        for name in self.remembered:
            setattr(self, name, state[name])


class Monitor(Remembering):
    """Watches `logs[monitor]`.

    better = value < best - |min_delta|, or value > best + |min_delta|; `baseline` is the first
    best, None takes the first value

    Source: keras.src.callbacks.monitor_callback.MonitorCallback
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: str = "auto",
        baseline: float | None = None,
        min_delta: float = 0,
    ) -> None:
        super().__init__()
        if mode not in ("auto", "min", "max"):
            warnings.warn(
                f"{type(self).__name__} mode {mode!r} is unknown, fallback to auto mode.",
                stacklevel=3,
            )
            mode = "auto"
        self.monitor, self.mode = monitor, mode
        self.best: Any = baseline
        self.min_delta = abs(min_delta)

    def better(self, value: Any, than: Any) -> bool:
        """Whether `value` improves on another; on None, anything does."""
        sign = self._sign()
        return than is None or bool(sign * value - self.min_delta > sign * than)

    def _sign(self) -> int:
        """+1 if more is better, -1 if less is."""
        if self.mode != "auto":
            return 1 if self.mode == "max" else -1
        name = self.monitor.removeprefix("val_")
        if name == "loss":
            return -1
        for metric in _each(getattr(self.model, "metrics", ())):
            if metric.name == name and hasattr(metric, "_direction"):
                return 1 if metric._direction == "up" else -1
        raise ValueError(
            f"{type(self).__name__} callback received monitor={self.monitor}, but it is not known "
            "whether more or less of it is better. Pass mode='max' or mode='min'."
        )


def _each(metrics: Any) -> Iterator[Any]:
    """All metrics, those that `compile` keeps together one by one."""
    for metric in metrics:
        yield from getattr(metric, "metrics", [metric])


class EarlyStopping(Monitor):
    """Stops when a number has not become better for a while.

    stop after an epoch with `patience` epochs, or more, since the last improvement

    Args:
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
        self.patience, self.verbose, self.baseline = patience, verbose, baseline
        self.restore_best_weights, self.start_from_epoch = restore_best_weights, start_from_epoch
        self._begin()

    def _begin(self) -> None:
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best = None
        self.best_weights: list[Any] | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
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


class ReduceLROnPlateau(Monitor):
    """Lowers the learning rate when a number has not become better for a while.

    learning_rate = max(factor · learning_rate, min_lr), after `patience` epochs without improvement

    Args:
        factor: below 1.
        cooldown: epochs after a change in which nothing is counted.
        min_lr: the least rate.
        kwargs: ignored, as in Keras.

    Raises:
        ValueError: factor is 1 or more.

    Example:
        >>> import minitensor as tf
        >>> from types import SimpleNamespace
        >>> callback = tf.keras.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.5, patience=1)
        >>> model = SimpleNamespace(optimizer=SimpleNamespace(learning_rate=0.5))
        >>> callback.set_model(model)
        >>> for epoch, loss in enumerate([0.3, 0.4]):
        ...     callback.on_epoch_end(epoch, {"loss": loss})
        >>> model.optimizer.learning_rate
        0.25
    """

    remembered = ("best", "wait", "cooldown_counter")

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        if factor >= 1.0:
            raise ValueError(
                f"ReduceLROnPlateau does not support a factor >= 1.0. Received factor={factor}"
            )
        self.factor, self.min_lr, self.patience, self.verbose = factor, min_lr, patience, verbose
        self.cooldown = cooldown
        self.cooldown_counter = self.wait = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        self.best = None
        self.cooldown_counter = self.wait = 0

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Looks at the number, and lowers the rate or not."""
        logs = {} if logs is None else logs
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)
        value = logs.get(self.monitor)
        if value is None:
            warnings.warn(
                f"Learning rate reduction is conditioned on metric `{self.monitor}` which is not "
                f"available. Available metrics are: {','.join(logs)}.",
                stacklevel=2,
            )
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.better(value, self.best):
            self.best, self.wait = value, 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        optimizer = self.model.optimizer
        old = float(optimizer.learning_rate)
        if old <= np.float32(self.min_lr):
            return
        optimizer.learning_rate = new = max(old * self.factor, self.min_lr)
        self.cooldown_counter, self.wait = self.cooldown, 0
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {new}.")

    def in_cooldown(self) -> bool:
        """Whether it waits after a change."""
        return self.cooldown_counter > 0


class EveryFewBatches:
    """Counts batches over epochs; `due` says when a number of them is full."""

    def __init__(self, owner: type[Callback], save_freq: Any) -> None:
        if save_freq != "epoch" and not isinstance(save_freq, int):
            raise ValueError(
                f"Unrecognized save_freq of {owner.__name__}: {save_freq!r}. "
                "Expected save_freq are 'epoch' or integer values"
            )
        self.by_batches = save_freq != "epoch" and bool(save_freq)
        self.frequency = save_freq
        self.seen = 0

    def due(self) -> bool:
        """One batch more: is it time?"""
        self.seen += 1
        if not self.by_batches or self.seen < self.frequency:
            return False
        self.seen = 0
        return True
