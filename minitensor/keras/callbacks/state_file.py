"""A checkpoint: one file of arrays and JSON, without code, that no crash can lose.

The form is safetensors; in the JSON text {"$array": "3"} stands for the array of that name. A new
file is whole on the disk before it takes its name, and only then older ones go: the newest two
stay. Each carries a checksum, so that a damaged one is noticed, and the one before it is read.
"""

from __future__ import annotations

import contextlib
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from minitensor import backend
from minitensor.files import atomic_write
from minitensor.keras.serialization.memory_budget import parse_json

_FORMAT = "minitensor training state 1"
_KEPT = 2


def paths(folder: Path) -> list[Path]:
    """The checkpoints in a folder, newest first."""
    return sorted(folder.glob("state-*.safetensors"), reverse=True)


def write_next(folder: Path, state: dict[str, Any]) -> Path:
    """Writes a checkpoint beside the older ones, then drops all but two."""
    folder.mkdir(parents=True, exist_ok=True)
    older = paths(folder)
    number = int(older[0].stem.rpartition("-")[2]) + 1 if older else 0
    path = folder / f"state-{number:08}.safetensors"
    write(path, state)
    for old in (*older[_KEPT - 1 :], *_unfinished(folder)):
        old.unlink()
    return path


def delete_all(folder: Path) -> None:
    """Deletes the checkpoints, the newest last, and the folder if nothing else is in it."""
    for path in (*reversed(paths(folder)), *_unfinished(folder)):
        path.unlink()
    with contextlib.suppress(OSError):
        folder.rmdir()


def _unfinished(folder: Path) -> list[Path]:
    """What a process that was killed while it wrote has left."""
    return list(folder.glob(".state-*"))


def read_newest(folder: Path) -> dict[str, Any] | None:
    """The newest checkpoint that is whole; None if there is none at all.

    Raises:
        ValueError: there are files, and every one is damaged.
    """
    found = paths(folder)
    for path in found:
        try:
            return read(path)
        except ValueError as damage:
            print(f"{damage}; trying the one before it")
    if found:
        raise ValueError(
            f"no checkpoint in {folder} can be read: all {len(found)} are damaged. "
            "Delete the folder to start the training anew."
        )
    return None


def write(path: Path, state: dict[str, Any]) -> None:
    """Writes `state`, nested dictionaries and lists of arrays and of what JSON holds."""
    from safetensors.numpy import save

    arrays: dict[str, np.ndarray] = {}
    text = json.dumps(_packed(state, arrays))
    metadata = {"format": _FORMAT, "state": text, "crc32": _checksum(text, arrays)}
    with atomic_write(path) as fresh, open(fresh, "wb") as file:
        file.write(save(arrays, metadata))


def read(path: Path) -> dict[str, Any]:
    """What `write` wrote.

    Raises:
        ValueError: the file is damaged, or something else.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    if metadata.get("format") != _FORMAT:
        raise ValueError(f"{path} is no checkpoint of this version, {_FORMAT!r}")
    if metadata.get("crc32") != _checksum(metadata.get("state", ""), arrays):
        raise ValueError(f"{path} is damaged: its checksum does not match its contents")
    state: dict[str, Any] = _unpacked(parse_json(metadata["state"]), arrays)
    return state


def _packed(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """The value with its arrays moved to `arrays`, and references to them instead."""
    if isinstance(value, dict):
        return {str(key): _packed(item, arrays) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_packed(item, arrays) for item in value]
    if (home := backend.owner(value)) is not None:
        value = home.to_numpy(value)
    if isinstance(value, np.ndarray | np.generic):
        name = str(len(arrays))
        arrays[name] = np.array(value, order="C")
        return {"$array": name}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(
        "a checkpoint holds arrays, numbers, text, lists and dictionaries. "
        f"Received: {value!r} of {type(value)}"
    )


def _unpacked(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_unpacked(item, arrays) for item in value]
    if isinstance(value, dict):
        if value.keys() == {"$array"}:
            return arrays[value["$array"]][()]
        return {key: _unpacked(item, arrays) for key, item in value.items()}
    return value


def _checksum(text: str, arrays: dict[str, np.ndarray]) -> str:
    total = zlib.crc32(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        total = zlib.crc32(f"{name} {array.dtype} {array.shape}".encode(), total)
        total = zlib.crc32(array.reshape(-1).view(np.uint8).data, total)
    return f"{total:08x}"
