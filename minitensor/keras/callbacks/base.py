"""Callback: what fit, evaluate and predict call at each point; CallbackList calls many of them.

Logs are dictionaries {name: float} when they arrive at a callback.

Source of all: keras.callbacks, by the same names.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.autograd import Tensor
from minitensor.autograd.tree import flatten

Logs = dict[str, Any] | None


def float_logs(logs: Logs) -> dict[str, Any]:
    """Logs in alphabetical order, tensors as floats where they are single numbers.

    Example:
        >>> import minitensor as tf
        >>> from minitensor.keras.callbacks.base import float_logs
        >>> float_logs({"loss": 1, "accuracy": "?"})
        {'accuracy': '?', 'loss': 1.0}
    """
    floats: dict[str, Any] = {}
    for name, value in sorted((logs or {}).items()):
        if isinstance(value, dict):
            floats |= float_logs(value)
        else:
            floats[name] = _number(value)
    return floats


def _number(value: Any) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.asarray(value) if isinstance(value, Tensor) else value


class Callback:
    """Hooks that are called during training: subclass it and write the hooks you need.

    fit: train_begin, (epoch_begin, (train_batch_begin, train_batch_end)*, epoch_end)*, train_end

    Attributes:
        params: {"verbose": int, "epochs": int, "steps": int or None}.
        model: the model that is trained.

    Example:
        >>> import minitensor as tf
        >>> class Twice(tf.keras.callbacks.Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         print(2 * logs["loss"])
        >>> Twice().on_epoch_end(0, {"loss": 0.5})
        1.0
    """

    only_chief = False  # whether it is for the first process of `tf.distribute` alone

    def __init__(self) -> None:
        self.params: dict[str, Any] | None = None
        self._model: Any = None

    @property
    def model(self) -> Any:
        """The model that is trained."""
        return self._model

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params

    def set_model(self, model: Any) -> None:
        self._model = model

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Another name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Another name of `on_train_batch_end`."""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Before an epoch of training; epochs count from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """After an epoch and its validation, with the means over both ("val_..." the second)."""

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a step of training; steps count from 0 in every epoch."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a step, with the means over the epoch so far."""
        self.on_batch_end(batch, logs=logs)

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a batch of evaluate, or of validation."""

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a batch of evaluate, or of validation."""

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a batch of predict."""

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a batch of predict, with {"outputs": what came out}."""

    def on_train_begin(self, logs: Logs = None) -> None:
        """Before the first epoch."""

    def on_train_end(self, logs: Logs = None) -> None:
        """After the last epoch, with its logs."""

    def on_test_begin(self, logs: Logs = None) -> None:
        """Before evaluate or validation."""

    def on_test_end(self, logs: Logs = None) -> None:
        """After evaluate or validation."""

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Before predict."""

    def on_predict_end(self, logs: Logs = None) -> None:
        """After predict."""


class CallbackList(Callback):
    """Passes on every hook to many callbacks, in their order.

    Args:
        callbacks: one, or a list of them.
        add_history: whether a History is added if there is none.
        add_progbar: whether a ProgbarLogger is added if there is none.
        model: what they watch.
        params: given to every callback.

    Example:
        >>> import minitensor as tf
        >>> one = tf.keras.callbacks.Callback()
        >>> tf.keras.callbacks.CallbackList([one], add_history=True, epochs=3).params
        {'epochs': 3}
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        from minitensor.keras.callbacks import History, ProgbarLogger

        super().__init__()
        self.callbacks = flatten(callbacks) if callbacks else []
        for callback in self.callbacks:
            if isinstance(callback, type):
                raise TypeError(f"A callback is an object, not a class: {callback.__name__}(...)")
        for wanted, kind in ((add_history, History), (add_progbar, ProgbarLogger)):
            if wanted and not any(isinstance(callback, kind) for callback in self.callbacks):
                self.callbacks.append(kind())
        self._arrange()
        if model is not None:
            self.set_model(model)
        self.set_params(params)

    def append(self, callback: Callback) -> None:
        """One more, at the end."""
        self.callbacks.append(callback)
        self._arrange()

    def _arrange(self) -> None:
        """Those that look at what the others did come after them."""
        self.callbacks.sort(key=lambda callback: getattr(callback, "last", False))

    def set_params(self, params: dict[str, Any]) -> None:
        """Gives all of them what fit was called with."""
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        """Gives all of them the model; `model.history` is the History among them."""
        from minitensor.keras.callbacks import History

        super().set_model(model)
        if not model.distribute_strategy.is_chief:
            self.callbacks = [c for c in self.callbacks if not getattr(c, "only_chief", False)]
        for callback in self.callbacks:
            if isinstance(callback, History):
                model.history = callback
            callback.set_model(model)

    def on_interrupt(self) -> None:
        """Ctrl-C stopped fit between two steps; calls the callbacks that have this hook."""
        for callback in self.callbacks:
            if hasattr(callback, "on_interrupt"):
                callback.on_interrupt()


_OLDER_NAMES = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}


def _call_hook(callbacks: CallbackList, hook: str, logs: Logs, *number: int) -> None:
    """Calls the hook where it does something; logs become floats only then."""
    hooks = [found for c in callbacks.callbacks if (found := _overridden(c, hook)) is not None]
    if hooks:
        numbers = float_logs(logs)
        for method in hooks:
            method(*number, numbers)


def _overridden(callback: Any, hook: str) -> Any:
    """The hook of a callback, or None if it is the one of Callback that does nothing."""
    method = getattr(callback, hook)
    if getattr(method, "__func__", None) is not getattr(Callback, hook):
        return method
    older = _OLDER_NAMES.get(hook)  # which the hook of Callback calls
    return None if older is None or _overridden(callback, older) is None else method


def _passed_on(hook: str) -> Any:
    """The method of CallbackList that calls `hook` of every callback."""

    def of_batch(self: CallbackList, batch: int, logs: Logs = None) -> None:
        _call_hook(self, hook, logs, batch)

    def of_epoch(self: CallbackList, epoch: int, logs: Logs = None) -> None:
        _call_hook(self, hook, logs, epoch)

    def of_all(self: CallbackList, logs: Logs = None) -> None:
        _call_hook(self, hook, logs)

    method = of_batch if "batch" in hook else of_epoch if "epoch" in hook else of_all
    method.__name__, method.__doc__ = hook, f"Calls `{hook}` of every callback."
    return method


for _hook in [name for name in vars(Callback) if name.startswith("on_")]:
    setattr(CallbackList, _hook, _passed_on(_hook))
