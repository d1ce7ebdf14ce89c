"""Callbacks of a few lines: functions as hooks, the end at a NaN, the history, a learning rate.

Source of all: keras.callbacks, by the same names.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minitensor.keras.callbacks.base import Callback, Logs


class LambdaCallback(Callback):
    """A callback made of functions.

    Args:
        on_epoch_begin, on_epoch_end: functions of (epoch, logs).
        on_train_begin, on_train_end: functions of (logs).
        on_train_batch_begin, on_train_batch_end: functions of (batch, logs).
        kwargs: more hooks by their names, "on_test_end" say.

    Example:
        >>> import minitensor as tf
        >>> show = tf.keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch))
        >>> show.on_epoch_end(3, {})
        3
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        hooks = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
        }
        wanted = {name: hook for name, hook in hooks.items() if hook is not None}
        self.__dict__.update(wanted | kwargs)


class TerminateOnNaN(Callback):
    """Ends training when the loss is no finite number any more.

    Args:
        raise_error: whether that is an error, or a quiet end of the training.

    Raises:
        RuntimeError: the loss is NaN or infinite, and raise_error is True.

    Example:
        >>> import minitensor as tf
        >>> from types import SimpleNamespace
        >>> callback = tf.keras.callbacks.TerminateOnNaN()
        >>> model = SimpleNamespace(stop_training=False)
        >>> callback.set_model(model)
        >>> callback.on_train_batch_end(7, {"loss": float("nan")})
        Batch 7: Invalid loss, terminating training
        >>> model.stop_training
        True
    """

    handles_nonfinite = True  # fit leaves the loss to us

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(
                f"NaN or Inf loss encountered at batch {batch}. Loss value: {loss}. "
                "Terminating training immediately."
            )
        print(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True


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
        self.epoch, self.history = state["epoch"], state["history"]


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
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
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
