"""The loops of fit, evaluate and predict: which hook comes when, and what survives Ctrl-C.

fit        for each epoch: metrics forget, on_epoch_begin, the steps, validation, on_epoch_end
a step     on_train_batch_begin, train_step, on_train_batch_end; Ctrl-C waits for its end

Exact resume (fit_state.py): from `resume_from`, fit begins at that epoch, finds the place in the
data again, puts the random state and the metrics back and goes on with the next step. A Ctrl-C
calls `on_interrupt()` of the callbacks that have it.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np

from minitensor.autograd import tree
from minitensor.autograd.tree import flatten, map_structure
from minitensor.keras.callbacks.base import float_logs
from minitensor.keras.training.epoch_iterator import EpochIterator, warn_of_end
from minitensor.keras.training.fit_state import FitState
from minitensor.keras.training.steps import latest, step_of


def fit(
    model: Any,
    batches: EpochIterator,
    callbacks: Any,
    epochs: range,
    validate: Callable[[int], dict[str, Any]],
) -> None:
    """Trains; `validate` gives what validation adds to the logs of an epoch."""
    outer = model._fit  # of a fit in whose callback this is
    state = model._fit = FitState.of(model, batches, callbacks.callbacks)
    model.stop_training = False
    run = step_of(model, "train", batches)
    logs = None
    try:
        callbacks.on_train_begin()
        start = epochs.start if state.resume_from is None else state.resume_from["epoch"]
        with whole_steps(model.distribute_strategy.num_workers > 1) as whole_step:
            state.ctrl_c = whole_step if isinstance(whole_step, _CtrlC) else None
            for epoch in range(start, epochs.stop):
                if _stops(model):  # before it was killed, a training that goes on had ended
                    break
                found = _epoch(model, state, callbacks, epoch, validate, whole_step, run)
                if found is None:
                    _no_batch(epoch, first=epoch == start)
                    break
                logs = found
    except KeyboardInterrupt:
        callbacks.on_interrupt()
        raise
    finally:
        model._fit = outer
    if hasattr(model.optimizer, "finalize_variable_values"):
        model.optimizer.finalize_variable_values(model.trainable_weights)
    callbacks.on_train_end(logs)


def _epoch(
    model: Any,
    state: FitState,
    callbacks: Any,
    epoch: int,
    validate: Callable[[int], dict[str, Any]],
    whole_step: AbstractContextManager[None],
    run: Callable[[Any], dict[str, Any]],
) -> dict[str, Any] | None:
    """The logs of one epoch; None if there was no batch."""
    progress, batches = state.progress, state.batches
    model.reset_metrics()
    progress.reach(epoch, 0)
    saved, state.resume_from = state.resume_from, None
    if saved and saved["step"] == 0:
        progress.resume(saved)
    callbacks.on_epoch_begin(epoch)
    logs: dict[str, Any] = {}
    if saved and saved["step"] > 0:  # the epoch had begun: nothing that this changed may stay
        progress.resume(saved)
        logs = model.get_metrics_result()
    done = progress.step
    for step, batch in batches.epoch(done):
        callbacks.on_train_batch_begin(step)
        with whole_step:
            logs = run(batch)
            progress.reach(epoch, step + 1)
            callbacks.on_train_batch_end(step, logs)
        if _stops(model):
            break
    if not progress.step:
        return None
    progress.keep_metrics()
    logs = {**latest(model, logs), **validate(epoch)}
    batches.end_epoch()
    progress.reach(epoch + 1, 0)
    callbacks.on_epoch_end(epoch, logs)
    return logs


def _stops(model: Any) -> bool:
    """Whether a callback has asked for it, in any process."""
    strategy = model.distribute_strategy
    if strategy.num_workers > 1:
        model.stop_training = strategy.any_has(model.stop_training)
    return bool(model.stop_training)


def _no_batch(epoch: int, first: bool) -> None:
    if first:
        raise ValueError(f"fit: the data gave no batch in epoch {epoch}")
    warn_of_end()


def evaluate(model: Any, batches: EpochIterator, callbacks: Any) -> dict[str, Any]:
    """The logs after all batches."""
    model.stop_evaluating = False
    callbacks.on_test_begin()
    logs: dict[str, Any] = {}
    run = step_of(model, "test", batches)
    model.reset_metrics()
    batches.reset()
    for step, batch in batches.epoch():
        callbacks.on_test_batch_begin(step)
        logs = run(batch)
        callbacks.on_test_batch_end(step, logs)
        if model.stop_evaluating:
            break
    logs = float_logs(latest(model, logs))
    callbacks.on_test_end(logs)
    return logs


def predict(model: Any, batches: EpochIterator, callbacks: Any) -> Any:
    """The outputs of all batches, one after the other, as NumPy arrays."""
    model.stop_predicting = False
    callbacks.on_predict_begin()
    found: list[list[np.ndarray]] = []
    outputs: Any = None
    run = step_of(model, "predict", batches)
    for step, batch in batches.epoch():
        callbacks.on_predict_batch_begin(step)
        outputs = map_structure(np.asarray, run(batch))
        found.append(flatten(outputs))
        callbacks.on_predict_batch_end(step, {"outputs": outputs})
        if model.stop_predicting:
            break
    callbacks.on_predict_end()
    if not found:
        raise ValueError("predict: the data gave no batch")
    return tree.pack(outputs, [np.concatenate(parts) for parts in zip(*found, strict=True)])


# ----- Ctrl-C -----


class _CtrlC:
    """The handler of a fit: inside `with` a step runs to its end; a second Ctrl-C does not wait.

    Args:
        together: whether other processes take the same steps: then all stop after the first step
            in which all have heard of it.

    Raises:
        KeyboardInterrupt: outside of a step at once, else when it ends.
    """

    depth = came = 0  # steps around; Ctrl-C in the outermost
    agreed = False  # whether the other processes know

    def __init__(self, together: bool) -> None:
        self._together = together

    def __call__(self, number: int, frame: Any) -> None:
        if not (self.depth or self._together) or self.came:
            signal.default_int_handler(number, frame)
        self.came = 1

    def __enter__(self) -> None:
        self.depth += 1

    def __exit__(self, kind: type | None, *error: object) -> None:
        self.depth -= 1
        if not self.depth and (self.agreed or not self._together):
            came, self.came = self.came, 0
            if came and kind is None:
                raise KeyboardInterrupt


@contextmanager
def whole_steps(together: bool) -> Iterator[AbstractContextManager[None]]:
    """What runs each step of a fit to its end before Ctrl-C is heard, by all processes `together`.

    Where the program handles the signal itself, nothing changes.
    """
    handler: Any = None
    if threading.current_thread() is threading.main_thread():
        handler = signal.getsignal(signal.SIGINT)
    if isinstance(handler, _CtrlC):  # a fit in a callback of a fit
        yield handler
    elif handler is not signal.default_int_handler:
        yield nullcontext()
    else:
        ours = _CtrlC(together)
        signal.signal(signal.SIGINT, ours)
        try:
            yield ours
        finally:
            if signal.getsignal(signal.SIGINT) is ours:
                signal.signal(signal.SIGINT, signal.default_int_handler)
