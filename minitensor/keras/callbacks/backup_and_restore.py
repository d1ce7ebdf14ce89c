"""BackupAndRestore: a training that was killed goes on as if nothing had happened, bit for bit.

After every step the state is remembered by reference: variables get new arrays, old ones are never
written into, so that remembering costs nothing. It is written (`state_file.py`) as often as asked,
and on Ctrl-C. Where fit is (epoch, step, data, random numbers, metrics) `model._fit.progress` says;
weights, the optimizer's variables and the other callbacks' state are gathered here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from minitensor.autograd import Variable
from minitensor.backend import generator
from minitensor.extras import require
from minitensor.keras.callbacks import state_file
from minitensor.keras.callbacks.base import Callback, Logs
from minitensor.keras.callbacks.monitor import EveryFewBatches
from minitensor.keras.engine.weight import path_of

State = dict[str, Any]


class BackupAndRestore(Callback):
    """Saves the state of a training, and goes on from there when fit is called again.

    state = weights, optimizer, position in the data, random numbers, metrics, callbacks

    Run the same program again: fit finds the newest checkpoint and ends with the same weights as
    if it had not been killed. What another callback returns from `get_state()` comes back through
    its `set_state(state)`. Random numbers from elsewhere than minitensor are not part of it.

    Args:
        backup_dir: folder for the checkpoints, of this training alone; the last two are kept.
        save_freq: "epoch", a number of steps, or False for Ctrl-C only.
        double_checkpoint: ignored: two are kept anyway, in case one is damaged.
        delete_checkpoint: whether they go when the training is over.

    Raises:
        ValueError: the checkpoint belongs to another model or optimizer, or all are damaged.

    Example:
        >>> import minitensor as tf
        >>> import tempfile
        >>> def train(epochs, folder=tempfile.mkdtemp()):
        ...     model = tf.keras.Sequential([tf.keras.Input((1,)), tf.keras.layers.Dense(1)])
        ...     model.compile("sgd", "mse")
        ...     backup = tf.keras.callbacks.BackupAndRestore(folder, delete_checkpoint=False)
        ...     history = model.fit([[1.0]], [[1.0]], epochs=epochs, verbose=0, callbacks=[backup])
        ...     return history.epoch
        >>> train(2), train(3)
        ([0, 1], [0, 1, 2])

    Source: keras.callbacks.BackupAndRestore
    """

    last = True  # it sees what the others did

    def __init__(
        self,
        backup_dir: Any,
        save_freq: Any = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        require("BackupAndRestore", "safetensors", extra="keras")
        if not backup_dir:
            raise ValueError("Empty `backup_dir` argument passed")
        self.backup_dir = Path(backup_dir)
        self.save_freq, self.double_checkpoint = save_freq, double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._count = EveryFewBatches(type(self), save_freq)
        self._weights: list[Variable] = []
        self._remembered: State | None = None
        self._found: State | None = None

    # ----- going on -----

    def on_train_begin(self, logs: Logs = None) -> None:
        """Looks for a checkpoint, and puts back what is in it."""
        if not self.model.built:
            raise ValueError(
                "To use the BackupAndRestore callback, your model must be built before you call "
                f"`fit()`. Model {self.model.name} is unbuilt. You can build it beforehand by "
                "calling it on a batch of data."
            )
        if not self.model.optimizer.built:
            self.model.optimizer.build(self.model.trainable_variables)
        self._weights = self.model.weights  # looking for them takes time
        self._remembered, self._found = None, state_file.read_newest(self.backup_dir)
        if self._found is not None:
            self._check(self._found)
            self._put_back(self._found)
            self.model._fit.resume_from = self._found["fit"]

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """The others have begun the epoch a second time; this undoes what that changed."""
        if self._found is not None and self._found["fit"]["step"] > 0:
            self._put_back(self._found)
        self._found = None

    def _put_back(self, state: State) -> None:
        for name, variables in self._variables().items():
            for variable, (_, value) in zip(variables, state[name], strict=True):
                variable.assign(value)
        for name, callback in self._others():
            if name in state["callbacks"]:
                callback.set_state(state["callbacks"][name])
        self.model.stop_training = state["stop_training"]
        generator.restore(state["fit"]["generator"])  # fit does so only if there are steps left

    def _check(self, state: State) -> None:
        """Refuses a checkpoint of another model or optimizer, before anything is changed."""
        for name, variables in self._variables().items():
            saved = [(path, tuple(value.shape), value.dtype.name) for path, value in state[name]]
            mine = [(path_of(v), tuple(v.shape), v.dtype.name) for v in variables]
            pairs = zip(saved, mine, strict=False)
            other = next(((a, b) for a, b in pairs if a[1:] != b[1:]), None)
            if other or len(saved) != len(mine):
                first = f"; the first that differ: {other[0]} and {other[1]}" if other else ""
                raise ValueError(
                    f"BackupAndRestore: the checkpoint in {self.backup_dir} belongs to another "
                    f"training: it has {len(saved)} variables of the {name}, fit was called with "
                    f"{len(mine)}{first}. Make the same model and optimizer, or delete the folder."
                )
        if state["rule"] != type(self.model.optimizer).__name__:
            raise ValueError(
                f"BackupAndRestore: the checkpoint in {self.backup_dir} was written with the "
                f"optimizer {state['rule']}, fit was called with "
                f"{type(self.model.optimizer).__name__}. Compile as before, or delete the folder."
            )

    # ----- saving -----

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Remembers the state, and saves it if enough steps went by."""
        due = self._count.due()
        self._remembered = self._state()
        if due and self._writes:
            self._save()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Remembers the state, and saves it if epochs are counted."""
        self._remembered = self._state()
        if self.save_freq == "epoch" and self._writes:
            self._save()

    def on_interrupt(self) -> None:
        """Ctrl-C: saves the last step that was finished."""
        if self._remembered is not None and self._writes:
            print(f"\nBackupAndRestore: the training so far is in {self._save()}")

    def on_train_end(self, logs: Logs = None) -> None:
        """The training is over: deletes the checkpoints."""
        self._remembered = None
        if self.delete_checkpoint and self._writes:
            state_file.delete_all(self.backup_dir)

    def get_state(self) -> State:
        return {"seen": self._count.seen}

    def set_state(self, state: State) -> None:
        self._count.seen = state["seen"]

    @property
    def _writes(self) -> bool:
        return bool(self.model.distribute_strategy.is_chief)

    def _save(self) -> Path:
        assert self._remembered is not None
        return state_file.write_next(self.backup_dir, self._remembered)

    def _state(self) -> State:
        variables = {
            name: [(path_of(v), v.array) for v in found]
            for name, found in self._variables().items()
        }
        return {
            **variables,
            "rule": type(self.model.optimizer).__name__,
            "callbacks": {name: callback.get_state() for name, callback in self._others()},
            "stop_training": bool(self.model.stop_training),
            "fit": self.model._fit.progress.state(),
        }

    def _variables(self) -> dict[str, list[Variable]]:
        return {"model": self._weights, "optimizer": self.model.optimizer.variables}

    def _others(self) -> Iterator[tuple[str, Any]]:
        """The callbacks that have state, itself too, each with its class and number."""
        seen: dict[str, int] = {}
        for callback in self.model._fit.callbacks:
            kind = type(callback).__name__
            seen[kind] = seen.get(kind, -1) + 1
            if hasattr(callback, "get_state"):
                yield f"{kind} {seen[kind]}", callback
