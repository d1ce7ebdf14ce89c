"""CheckpointManager: the last few checkpoints of a folder, the older ones removed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from minitensor.autograd import replicas
from minitensor.train.checkpoint import Checkpoint
from minitensor.train.state import (
    get_checkpoint_state,
    latest_checkpoint,
    update_checkpoint_state,
)


class CheckpointManager:
    """Writes checkpoints into one folder and keeps the newest.

    Args:
        checkpoint: what is written.
        directory: the folder.
        max_to_keep: how many stay; None for all.
        keep_checkpoint_every_n_hours: one of so many hours stays for good.
        checkpoint_name: what files are called before their number.
        step_counter: a variable, for `checkpoint_interval`.
        checkpoint_interval: how many steps there must be between two.
        init_fn: called by `restore_or_initialize` where there is no checkpoint yet.
        last_checkpoint_step: the step of the last one, from which the interval counts.

    Raises:
        ValueError: max_to_keep below 1; an interval without a counter.

    Example:
        >>> import os, tempfile, minitensor as tf
        >>> step = tf.Variable(0)
        >>> checkpoint = tf.train.Checkpoint(step=step)
        >>> manager = tf.train.CheckpointManager(checkpoint, tempfile.mkdtemp(), max_to_keep=2)
        >>> [os.path.basename(manager.save()) for _ in range(3)]
        ['ckpt-1', 'ckpt-2', 'ckpt-3']
        >>> [os.path.basename(path) for path in manager.checkpoints]
        ['ckpt-2', 'ckpt-3']

    Source: tf.train.CheckpointManager
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        directory: Any,
        max_to_keep: int | None,
        keep_checkpoint_every_n_hours: float | None = None,
        checkpoint_name: str = "ckpt",
        step_counter: Any = None,
        checkpoint_interval: int | None = None,
        init_fn: Callable[[], Any] | None = None,
        last_checkpoint_step: int | None = None,
    ) -> None:
        if max_to_keep is not None and max_to_keep <= 0:
            raise ValueError(f"max_to_keep must be a positive integer or None, got {max_to_keep}")
        if checkpoint_interval is not None and step_counter is None:
            raise ValueError("`step_counter` must be passed in when `checkpoint_interval` is given")
        self._checkpoint, self._folder, self._most = checkpoint, os.fspath(directory), max_to_keep
        self._hours, self._name = keep_checkpoint_every_n_hours, checkpoint_name
        self._step, self._interval, self._init = step_counter, checkpoint_interval, init_fn
        self._last_step = last_checkpoint_step
        state = get_checkpoint_state(self._folder)
        paths = state.all_model_checkpoint_paths if state else []
        times = state.all_model_checkpoint_timestamps if state else []
        times = times if len(times) == len(paths) else [time.time()] * len(paths)
        self._kept = dict(zip(paths, times, strict=True))  # a path -> when it was written
        self._preserved = state.last_preserved_timestamp if state else 0.0
        self._preserved = self._preserved or time.time()

    @property
    def directory(self) -> str:
        """The folder."""
        return self._folder

    @property
    def checkpoint(self) -> Checkpoint:
        """What is written."""
        return self._checkpoint

    @property
    def checkpoint_interval(self) -> int | None:
        """How many steps there must be between two."""
        return self._interval

    @property
    def latest_checkpoint(self) -> str | None:
        """The path of the newest; None if there is none."""
        return next(reversed(self._kept), None)

    @property
    def checkpoints(self) -> list[str]:
        """The paths of those that stay for now, the newest last."""
        return list(self._kept)

    def save(
        self, checkpoint_number: Any = None, check_interval: bool = True, options: Any = None
    ) -> str | None:
        """Writes a checkpoint, and removes what is too old.

        Args:
            checkpoint_number: the number in its name; default how often was saved.
            check_interval: whether it does nothing if too few steps went by.
            options: ignored.

        Returns:
            Its path, or None if nothing was written.
        """
        if self._interval is not None and check_interval:
            step = int(self._step)
            if self._last_step is not None and step < self._last_step + self._interval:
                return None
            self._last_step = step
        prefix = os.path.join(self._folder, self._name)
        self._checkpoint.save_counter.assign_add(1)
        number = self._checkpoint.save_counter if checkpoint_number is None else checkpoint_number
        path = self._checkpoint.write(f"{prefix}-{int(number)}", options)
        self._kept.pop(path, None)
        self._kept[path] = time.time()
        self._sweep()
        update_checkpoint_state(
            self._folder, path, list(self._kept), list(self._kept.values()), self._preserved
        )
        return path

    def _sweep(self) -> None:
        """Removes the oldest, but not those that stay for good."""
        while self._most is not None and len(self._kept) > self._most:
            path = next(iter(self._kept))
            written = self._kept.pop(path)
            if self._hours is not None and written - self._preserved > self._hours * 3600:
                self._preserved = written
                continue
            folder, name = Path(path).parent, Path(path).name
            for file in folder.iterdir() if folder.is_dir() and replicas.chief else ():
                if file.name == f"{name}.index" or file.name.startswith(f"{name}.data-"):
                    file.unlink(missing_ok=True)

    def restore_or_initialize(self) -> str | None:
        """Restores the newest, or calls `init_fn` if there is none; returns its path or None."""
        path = self.latest_checkpoint or latest_checkpoint(self._folder)
        if path is not None:
            self._checkpoint.restore(path)
            if self._step is not None:
                self._last_step = int(self._step)
            return path
        if self._init is not None:
            self._init()
        return None

    def sync(self) -> None:
        """Nothing: every checkpoint is written when `save` returns."""
