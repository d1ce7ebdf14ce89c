"""The file "checkpoint" of a folder: which checkpoints were kept, the newest last, as text.

model_checkpoint_path: "ckpt-2"
all_model_checkpoint_paths: "ckpt-1"
all_model_checkpoint_paths: "ckpt-2"
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minitensor.autograd import replicas
from minitensor.files import atomic_write

_FILE = "checkpoint"
_LARGEST = 1 << 24
_LINE = re.compile(r'^\s*(\w+)\s*:\s*(?:"((?:[^"\\]|\\.)*)"|([-+.\w]+))\s*$')


@dataclass
class CheckpointState:
    """What the file says. Source: CheckpointState of tf.train.get_checkpoint_state"""

    model_checkpoint_path: str = ""
    all_model_checkpoint_paths: list[str] = field(default_factory=list)
    all_model_checkpoint_timestamps: list[float] = field(default_factory=list)
    last_preserved_timestamp: float = 0.0


def get_checkpoint_state(
    checkpoint_dir: Any, latest_filename: Any = None
) -> CheckpointState | None:
    """What the file "checkpoint" of a folder says.

    Args:
        checkpoint_dir: the folder.
        latest_filename: another name of the file.

    Returns:
        A CheckpointState with paths that begin with the folder; None if there is no such file.

    Example:
        >>> import minitensor as tf
        >>> tf.train.get_checkpoint_state("/no/such/folder")

    Source: tf.train.get_checkpoint_state
    """
    folder = os.fspath(checkpoint_dir)
    path = Path(folder, latest_filename or _FILE)
    if not path.is_file() or path.stat().st_size > _LARGEST:
        return None
    state = CheckpointState()
    for line in path.read_text(errors="replace").splitlines():
        if match := _LINE.match(line):
            name, quoted, plain = match.groups()
            _take(state, folder, name, re.sub(r"\\(.)", r"\1", quoted) if quoted else plain or "")
    return state if state.model_checkpoint_path else None


def _take(state: CheckpointState, folder: str, name: str, value: str) -> None:
    if name == "model_checkpoint_path":
        state.model_checkpoint_path = os.path.join(folder, value)
    elif name == "all_model_checkpoint_paths":
        state.all_model_checkpoint_paths.append(os.path.join(folder, value))
    elif name in ("all_model_checkpoint_timestamps", "last_preserved_timestamp"):
        try:
            time = float(value)
        except ValueError:
            return
        if name == "last_preserved_timestamp":
            state.last_preserved_timestamp = time
        else:
            state.all_model_checkpoint_timestamps.append(time)


def update_checkpoint_state(
    folder: Any, latest: str, every: Sequence[str], times: Sequence[float] = (), kept: float = 0.0
) -> None:
    """Writes the file; paths inside of the folder are written from there on."""
    if not replicas.chief:
        return
    lines = [f'model_checkpoint_path: "{_inside(folder, latest)}"']
    lines += [f'all_model_checkpoint_paths: "{_inside(folder, path)}"' for path in every]
    lines += [f"all_model_checkpoint_timestamps: {time}" for time in times]
    lines += [f"last_preserved_timestamp: {kept}"] if times else []
    with atomic_write(Path(folder, _FILE)) as path:
        path.write_text("\n".join(lines) + "\n")


def _inside(folder: Any, path: str) -> str:
    name = os.path.relpath(path, folder) if not os.path.isabs(path) else path
    whole = os.path.abspath(folder) + os.sep
    name = name.removeprefix(whole) if os.path.isabs(name) else name
    return name.replace("\\", "\\\\").replace('"', '\\"')


def latest_checkpoint(checkpoint_dir: Any, latest_filename: Any = None) -> str | None:
    """The path of the newest checkpoint of a folder, as `restore` takes it.

    Args:
        checkpoint_dir: the folder.
        latest_filename: another name of the file "checkpoint".

    Returns:
        A path without ".index"; None if there is none, or its files are gone.

    Example:
        >>> import minitensor as tf
        >>> tf.train.latest_checkpoint("/no/such/folder")

    Source: tf.train.latest_checkpoint
    """
    state = get_checkpoint_state(checkpoint_dir, latest_filename)
    if state is None or not Path(state.model_checkpoint_path + ".index").is_file():
        return None
    return state.model_checkpoint_path
