"""The state of one `fit`: what it holds, and how far it has come.

`model._fit` is a FitState while fit runs, else None. Callbacks read `model._fit.progress.state()`
at any hook and write it beside the weights and the optimizer's variables, which it does not hold:
so another process can go on from there, bit for bit. To go on, a callback puts those back in
`on_train_begin` and sets `model._fit.resume_from` to the state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from minitensor.backend import generator
from minitensor.distribute.report import Reports
from minitensor.keras.training.epoch_iterator import EpochIterator
from minitensor.keras.training.steps import build_metrics


@dataclass
class FitState:
    """What one `fit` holds.

    Attributes:
        batches: where its batches come from.
        callbacks: the list of them.
        checks_loss: whether a loss that is not finite stops it; a callback may see to that.
        progress: how far it has come.
        resume_from: the `progress.state()` from which it goes on.
        ctrl_c: hears it, and has `came` and `agreed`; None if the program hears it itself.
        reports: what the processes of `tf.distribute` tell each other after every step.
    """

    batches: EpochIterator
    callbacks: list[Any]
    checks_loss: bool
    progress: Progress
    resume_from: dict[str, Any] | None = None
    ctrl_c: Any = None
    reports: Any = None

    @staticmethod
    def of(model: Any, batches: EpochIterator, callbacks: list[Any]) -> FitState:
        """At the beginning."""
        handled = any(getattr(callback, "handles_nonfinite", False) for callback in callbacks)
        state = FitState(batches, callbacks, not handled, Progress(model, batches))
        state.reports = Reports(model.distribute_strategy.is_chief)
        return state

    @property
    def interrupted(self) -> bool:
        """Whether somebody pressed Ctrl-C."""
        return self.ctrl_c is not None and bool(self.ctrl_c.came)

    def hear(self, reports: np.ndarray) -> None:
        """Reads what the processes of `tf.distribute` reported of a step.

        Args:
            reports: (processes, 2), what `Reports.read` takes. If one was interrupted, all
                stop now.
        """
        if self.reports.read(reports) and self.ctrl_c is not None:
            self.ctrl_c.came, self.ctrl_c.agreed = 1, True


class Progress:
    """Epoch, step, place in the data, random state and metrics, at the boundary of two steps.

    Args:
        model: what is trained.
        batches: where its batches come from.

    Attributes:
        epoch: the epoch in progress, from 0.
        step: how many of its steps are done.
    """

    def __init__(self, model: Any, batches: EpochIterator) -> None:
        self._model, self._batches = model, batches
        self.reach(0, 0)

    def reach(self, epoch: int, step: int) -> None:
        """So many steps of this epoch are done."""
        self.epoch, self.step = epoch, step
        self._place = self._batches.place()
        self._random = generator.state()
        self._calls = self._model._seed_calls
        self._metrics: list[np.ndarray] | None = None if step else []

    def keep_metrics(self) -> None:
        """Validation is about to use the metrics for its own numbers."""
        self._metrics = self._metric_values()

    def _metric_values(self) -> list[np.ndarray]:
        return [np.asarray(variable.numpy()) for variable in self._model.metrics_variables]

    def state(self) -> dict[str, Any]:
        """All of it; JSON can hold it but for "metrics", a list of arrays."""
        metrics = self._metric_values() if self._metrics is None else self._metrics
        place = {"epoch": self.epoch, "step": self.step, **self._place}
        return {**place, "generator": self._random, "calls": self._calls, "metrics": metrics}

    def resume(self, saved: dict[str, Any]) -> None:
        """Goes where `state` was taken; the model is built."""
        self._batches.find(saved["order"], saved["taken"], saved["begun"])
        if saved["metrics"]:
            build_metrics(self._model, self._batches.first())
        found = self._model.metrics_variables
        if saved["metrics"] and len(found) != len(saved["metrics"]):
            raise ValueError(
                f"resume: {len(saved['metrics'])} values of metrics were kept, but the model has "
                f"{len(found)}; compile it with the same metrics as before"
            )
        for variable, value in zip(found, saved["metrics"], strict=False):
            variable.assign(value)
        generator.restore(saved["generator"])
        self._model._seed_calls = saved["calls"]
        self.reach(saved["epoch"], saved["step"])
