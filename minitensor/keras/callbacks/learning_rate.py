"""Callbacks that change the learning rate between epochs."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from minitensor.keras.callbacks.base import Callback, Logs
from minitensor.keras.callbacks.monitor import Monitor


class LearningRateScheduler(Callback):
    """Asks a function for the learning rate before every epoch.

    learning_rate = schedule(epoch, learning_rate)

    Args:
        schedule: a function of the epoch, from 0, and the present learning rate; or of the epoch.
        verbose: 1 prints the rate.

    Raises:
        ValueError: the optimizer has no learning rate, or the function gives no float.
        TypeError: the optimizer has a schedule of its own.

    Example:
        >>> import minitensor as tf
        >>> model = tf.keras.Sequential([tf.keras.Input((1,)), tf.keras.layers.Dense(1)])
        >>> model.compile(tf.keras.optimizers.SGD(0.5), "mse")
        >>> halve = tf.keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
        >>> _ = model.fit([[1.0]], [[1.0]], epochs=3, verbose=0, callbacks=[halve])
        >>> float(model.optimizer.learning_rate)
        0.0625

    Source: keras.callbacks.LearningRateScheduler
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Sets the learning rate."""
        optimizer = self.model.optimizer
        if not hasattr(optimizer, "learning_rate"):
            raise ValueError('Optimizer must have a "learning_rate" attribute.')
        try:
            rate = self.schedule(epoch, float(optimizer.learning_rate))
        except TypeError:
            rate = self.schedule(epoch)
        if not isinstance(rate, float | np.floating):
            raise ValueError(
                f"The output of the `schedule` function should be a float. Got: {rate}"
            )
        optimizer.learning_rate = rate
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Adds the learning rate to the logs."""
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


class ReduceLROnPlateau(Monitor):
    """Lowers the learning rate when a number has not become better for a while.

    learning_rate = max(factor · learning_rate, min_lr), after `patience` epochs without improvement

    Args:
        monitor: name in the logs.
        factor: below 1.
        patience: epochs without improvement that are allowed.
        verbose: 1 prints the rate.
        mode: "min", "max" or "auto".
        min_delta: how much better is better.
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

    Source: keras.callbacks.ReduceLROnPlateau
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
        self.factor = factor
        self.min_lr = min_lr
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.cooldown_counter = self.wait = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        """Forgets an earlier training."""
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
