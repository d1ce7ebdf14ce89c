"""Monitor: what callbacks share that watch one number and ask whether it became better."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from minitensor.keras.callbacks.base import Callback


class Remembering(Callback):
    """A callback whose `remembered` attributes go into a checkpoint of the training."""

    remembered: tuple[str, ...] = ()

    def get_state(self) -> dict[str, Any]:
        """The values to go on with."""
        return {name: getattr(self, name) for name in self.remembered}

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on with values that `get_state` gave."""
        for name in self.remembered:
            setattr(self, name, state[name])


class Monitor(Remembering):
    """Watches `logs[monitor]`.

    better = value < best - |min_delta|, or value > best + |min_delta|

    Args:
        monitor: name in the logs, "val_loss" say.
        mode: "min", "max", or "auto": from the name, or what the metric of that name says.
        baseline: the first `best`; None takes the first value.
        min_delta: how much better is better.

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
        self.monitor = monitor
        self.mode = mode
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
