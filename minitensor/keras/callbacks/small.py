"""Two callbacks of a few lines: LambdaCallback and TerminateOnNaN."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

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

    Source: keras.callbacks.LambdaCallback
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
        given = {name: hook for name, hook in hooks.items() if hook is not None}
        self.__dict__.update(given | kwargs)


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

    Source: keras.callbacks.TerminateOnNaN
    """

    handles_nonfinite = True  # fit leaves the loss to us

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Looks at the loss."""
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
