"""ModelCheckpoint: the model as a file after every epoch, or after the best ones."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

from minitensor.extras import require
from minitensor.keras.callbacks.base import Logs
from minitensor.keras.callbacks.monitor import EveryFewBatches, Monitor

_WEIGHTS = (".weights.h5", ".safetensors")
_MODELS = (".keras", ".h5")


class ModelCheckpoint(Monitor):
    """Saves the model, or its weights, as training goes on.

    Args:
        filepath: with fields for epoch (from 1), batch and logs: "{epoch:02d}-{loss:.2f}.keras";
            ends in .keras or .h5, for weights alone in .weights.h5 or .safetensors.
        monitor: name in the logs, for save_best_only.
        verbose: 1 prints what it does.
        save_best_only: whether only a model that is better than all before is saved.
        save_weights_only: whether the weights are saved without the architecture.
        mode: "min", "max" or "auto".
        save_freq: "epoch", or a number of batches.
        initial_value_threshold: what the first model must beat.

    Raises:
        ValueError: another ending, or another save_freq.
        KeyError: a field in filepath for something that is not in the logs.

    Example:
        >>> import minitensor as tf
        >>> best = tf.keras.callbacks.ModelCheckpoint("{epoch}.keras", monitor="val_accuracy")
        >>> best.filepath
        '{epoch}.keras'

    Source: keras.callbacks.ModelCheckpoint
    """

    only_chief = True

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: Any = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, initial_value_threshold)
        self.filepath = os.fspath(filepath)
        self.verbose, self.save_best_only = verbose, save_best_only
        self.save_weights_only, self.save_freq = save_weights_only, save_freq
        self._count = EveryFewBatches(type(self), save_freq)
        self._epoch = 0
        endings = _WEIGHTS if save_weights_only else _MODELS
        if not self.filepath.endswith(endings):
            raise ValueError(
                f"ModelCheckpoint with save_weights_only={save_weights_only}: the filepath must "
                f"end in {' or '.join(endings)}. Received: filepath={self.filepath}"
            )
        library = "safetensors" if self.filepath.endswith(".safetensors") else "h5py"
        require("ModelCheckpoint", library, extra="keras")

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Saves, if enough batches went by."""
        if self._count.due():
            self._save(self._epoch, {"batch": batch + 1} | (logs or {}))

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Saves, if epochs are counted."""
        if self.save_freq == "epoch":
            self._save(epoch, logs or {})

    def get_state(self) -> dict[str, Any]:
        """The best value and the count of batches."""
        return {"best": self.best, "seen": self._count.seen}

    def set_state(self, state: dict[str, Any]) -> None:
        self.best, self._count.seen = state["best"], state["seen"]

    def _save(self, epoch: int, logs: dict[str, Any]) -> None:
        path = self._path(epoch, logs)
        if not self._wanted(epoch, logs, path):
            return
        if path.is_dir():
            raise OSError(f"ModelCheckpoint: the filepath is a directory that exists: {path}")
        path.parent.mkdir(parents=True, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(str(path), overwrite=True)
        else:
            self.model.save(str(path), overwrite=True)
        self._say(epoch, f"finished saving model to {path}")

    def _path(self, epoch: int, logs: dict[str, Any]) -> Path:
        try:
            return Path(self.filepath.format(epoch=epoch + 1, **logs))
        except KeyError as error:
            raise KeyError(
                f'Failed to format this callback filepath: "{self.filepath}". Reason: {error}'
            ) from None

    def _wanted(self, epoch: int, logs: dict[str, Any], path: Path) -> bool:
        """Whether this model is to be saved; notes a new best."""
        value = logs.get(self.monitor)
        if self.save_best_only and value is None:
            warnings.warn(f"Can save best model only with {self.monitor} available.", stacklevel=2)
        if not self.save_best_only or value is None:
            self._say(epoch, f"saving model to {path}")
            return True
        before = "None" if self.best is None else f"{self.best:.5f}"
        if not self.better(value, self.best):
            self._say(epoch, f"{self.monitor} did not improve from {before}")
            return False
        self._say(
            epoch, f"{self.monitor} improved from {before} to {value:.5f}, saving model to {path}"
        )
        self.best = value
        return True

    def _say(self, epoch: int, words: str) -> None:
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1}: {words}")
