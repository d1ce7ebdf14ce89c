"""Progress: how far a fit has come, so that another process can go on from there, bit for bit.

It describes the boundary between two steps. Callbacks read it at any hook as `model._progress`
and write it beside the weights and the optimizer's variables, which it does not hold.
To go on, a callback puts those back in `on_train_begin` and sets `model._resume_from` to the state.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.backend import generator
from minitensor.keras.engine import seed_stream
from minitensor.keras.training.epoch_iterator import EpochIterator
from minitensor.keras.training.steps import build_metrics


class Progress:
    """Epoch, step, place in the data, random state and metrics.

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
        self._calls = seed_stream.calls_of(self._model)
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
        seed_stream.restore_calls(self._model, saved["calls"])
        self.reach(saved["epoch"], saved["step"])
