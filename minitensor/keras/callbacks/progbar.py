"""What fit prints: Progbar, a line with a bar, and ProgbarLogger, which moves it.

On a terminal or in a notebook the line is overwritten as training goes on; elsewhere, and with
verbose=2, one line per epoch is printed when it is over. Source: keras.utils, keras.callbacks.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from minitensor.keras.callbacks.base import Callback, Logs

_BOLD, _GREEN, _WHITE, _PLAIN = "\x1b[1m", "\x1b[32m", "\x1b[37m", "\x1b[0m"


class Progbar:
    """A line that says how far a loop is.

    Args:
        target: number of steps; None if it is not known.
        width: of the bar, in characters.
        verbose: 0 prints nothing, 1 a bar, 2 one line at the end.
        interval: seconds between two changes, at least.
        stateful_metrics: names of values to show as they are; of the others, the mean is shown.
        stateless_metrics: the other way round: names of values to take the mean of.
        unit_name: of a step.

    Raises:
        ValueError: both lists of names are given.

    Example:
        >>> import minitensor as tf
        >>> import time
        >>> bar = tf.keras.utils.Progbar(10, verbose=2)
        >>> bar.update(10, [("loss", 0.5)])  # doctest: +ELLIPSIS
        10/10 - 0s - ...s/step - loss: 0.5000
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError(
                "Only one of `stateful_metrics` or `stateless_metrics` can be provided."
            )
        self.target, self.width, self.verbose, self.interval = target, width, verbose, interval
        self.unit_name = unit_name
        self._averaged = stateless_metrics is None
        self._named = set(stateful_metrics or stateless_metrics or ())
        self._sums: dict[str, tuple[float, int]] = {}
        self._seen = self._shown = 0
        self._start = time.time()
        self._first: float | None = None  # when the first step, which is a slow one, was over
        self._last = 0.0

    def update(self, current: int, values: Any = None, finalize: bool | None = None) -> None:
        """Shows that `current` steps are done.

        Args:
            current: number of steps.
            values: pairs of a name and the value of the last step.
            finalize: whether this is the last time; default: the target is reached.
        """
        over = finalize
        if over is None:
            over = self.target is not None and current >= self.target
        self._note(current, values or [], over)
        now = time.time()
        step = self._step_time(current, now)
        late = over or now - self._last >= self.interval
        if self.verbose == 1 and late:
            self._print(self._bar(current), self._times(current, step, now, over), over)
        elif self.verbose == 2 and over and self.target:
            elapsed = f"{now - self._start:.0f}s"
            print(f"{self._count(current)} - {elapsed} - {self._pace(step)}{self._metrics()}")
        if late:
            self._last = now

    def add(self, n: int, values: Any = None) -> None:
        """Shows that n more steps are done."""
        self.update(self._seen + n, values)

    def _note(self, current: int, values: Any, over: bool) -> None:
        weight = max(current - self._seen, 1)
        for name, value in values:
            total, count = self._sums.get(name, (0.0, 0))
            if over or (name in self._named) == self._averaged:
                total, count, weight = 0.0, 0, 1
            self._sums[name] = (total + float(np.mean(value)) * weight, count + weight)
        self._seen = current

    def _step_time(self, current: int, now: float) -> float:
        """Seconds per step, without the first if there are more."""
        if current == 0:
            return 0.0
        seconds = (now - self._start) / current
        if self._first is not None and current > 1:
            seconds = (now - self._first) / (current - 1)
        if current == 1:
            self._first = now
        return seconds

    # ----- the parts of the line -----

    def _count(self, current: int) -> str:
        return f"{current:{len(str(self.target))}d}/{self.target}"

    def _bar(self, current: int) -> str:
        if not self.target:
            return f"{current:7d}/Unknown"
        done = int(self.width * current / self.target)
        full = f"{_GREEN}{'━' * done}{_PLAIN}" if done > 0 else ""
        rest = f"{_WHITE}{'━' * (self.width - done)}{_PLAIN}"
        return f"{_BOLD}{self._count(current)}{_PLAIN} {full}{rest}"

    def _times(self, current: int, step: float, now: float, over: bool) -> str:
        left = f"{now - self._start:.0f}s"
        if self.target and not over:
            left = _clock(step * (self.target - current))
        return f"{_BOLD}{left}{_PLAIN} {self._pace(step)}"

    def _pace(self, step: float) -> str:
        if step >= 1 or step == 0:
            return f"{step:.0f}s/{self.unit_name}"
        if step >= 1e-3:
            return f"{step * 1e3:.0f}ms/{self.unit_name}"
        return f"{step * 1e6:.0f}us/{self.unit_name}"

    def _metrics(self) -> str:
        shown = ""
        for name, (total, count) in self._sums.items():
            mean = total / count
            shown += f" - {name}: {mean:.4f}" if abs(mean) > 1e-3 else f" - {name}: {mean:.4e}"
        return shown

    def _print(self, bar: str, times: str, over: bool) -> None:
        line = f"{bar} {times}{self._metrics()}"
        rest = " " * (self._shown - len(line))  # of a longer line before
        print(f"\r{line}{rest}", end="\n" if over else "", flush=True)
        self._shown = len(line)


def _clock(seconds: float) -> str:
    """12s, 3:20 or 1:00:05."""
    whole = int(seconds)
    if whole > 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}" if whole > 60 else f"{whole}s"


class ProgbarLogger(Callback):
    """Prints the progress of fit, evaluate and predict, as `verbose` says; fit adds it by itself.

    verbose 0: nothing; 1: a bar if it can be overwritten, else as 2; 2: a line per epoch

    Example:
        >>> import minitensor as tf
        >>> logger = tf.keras.callbacks.ProgbarLogger()
        >>> logger.set_params({"verbose": 2, "epochs": 3, "steps": 5})
        >>> logger.on_epoch_begin(0)
        Epoch 1/3
        >>> logger.on_epoch_end(0, {"loss": 0.5})  # doctest: +ELLIPSIS
        5/5 - 0s - ...s/step - loss: 0.5000
    """

    only_chief = True

    def __init__(self) -> None:
        super().__init__()
        self.verbose: int = 1
        self.epochs = 1
        self.target: int | None = None
        self.seen = 0
        self._bar: Progbar | None = None
        self._in_fit = False

    def set_params(self, params: dict[str, Any]) -> None:
        """Takes over verbose, epochs and steps."""
        super().set_params(params)
        verbose = 1 if params["verbose"] == "auto" else int(params["verbose"])
        overwrites = getattr(sys.stdout, "isatty", bool)() or "ipykernel" in sys.modules
        self.verbose = 2 if verbose == 1 and not overwrites else verbose
        self.epochs, self.target = params["epochs"], params["steps"]

    def _begin(self) -> None:
        self.seen = 0
        self._bar = Progbar(self.target, verbose=self.verbose, stateless_metrics=())

    def _move(self, batch: int, logs: Logs) -> None:
        self.seen = batch + 1
        if self._bar is not None and self.verbose == 1:
            self._bar.update(self.seen, (logs or {}).items(), finalize=False)

    def _finish(self, logs: Logs) -> None:
        if self._bar is None:
            return
        if self.target is None:
            self.target = self._bar.target = self.seen
        self._bar.update(self.target, (logs or {}).items(), finalize=True)

    def on_train_begin(self, logs: Logs = None) -> None:
        """Validation will be silent."""
        self._in_fit = True

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """A new bar, under the number of the epoch."""
        self._begin()
        if self.verbose and self.epochs > 1:
            print(f"Epoch {epoch + 1}/{self.epochs}")

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._move(batch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._finish(logs)

    def on_test_begin(self, logs: Logs = None) -> None:
        """A new bar, unless fit is running."""
        if not self._in_fit:
            self._begin()

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        if not self._in_fit:
            self._move(batch, logs)

    def on_test_end(self, logs: Logs = None) -> None:
        if not self._in_fit:
            self._finish(logs)

    def on_predict_begin(self, logs: Logs = None) -> None:
        self._begin()

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """One step more; outputs are not shown."""
        self._move(batch, None)

    def on_predict_end(self, logs: Logs = None) -> None:
        self._finish(None)
