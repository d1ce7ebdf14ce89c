"""Whole models and weights, as files: which form it is, and what is done with it.

What a file is when it is read is seen from its first bytes; when it is written, from its name.

Args of all: `filepath`, a path or an open file; `overwrite`, whether a file that is there may be
replaced. Raises: OSError where a file cannot be opened, FileExistsError where it must not be
replaced, ImportError where h5py or safetensors is missing. Source: keras.saving, or the method of
keras.Model, under the same name.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from minitensor.distribute import get_strategy
from minitensor.extras import require
from minitensor.files import atomic_write
from minitensor.keras.saving import archive, legacy_h5, safetensors_file, weights_h5
from minitensor.keras.saving.hdf5 import opened
from minitensor.keras.saving.stored_weights import damage_named
from minitensor.keras.serialization.registry import Objects, custom_object_scope

_OLD = (".h5", ".hdf5")
_UNBUILT = (
    "that has not yet been built. Try building the model first by calling it on some data or by "
    "using `build()`."
)


# ----- whole models -----


def save_model(
    model: Any,
    filepath: Any,
    overwrite: bool = True,
    zipped: bool | None = None,
    include_optimizer: bool = True,
) -> None:
    """Writes a whole model: layers, weights, what it is compiled with, the optimizer's state.

    Args:
        model: functional, or a Sequential.
        filepath: ends in `.keras`, or `.h5` for Keras' old form.
        zipped: must not be False: a `.keras` file is a zip.
        include_optimizer: whether optimizer, loss and metrics are written, too.

    Raises:
        ValueError: a subclassed model, or another ending.

    Example:
        >>> import minitensor as tf
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "model.keras"
        >>> model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(3)])
        >>> tf.keras.models.save_model(model, path)
        >>> tf.keras.models.load_model(path).output_shape
        (None, 3)
    """
    require("save", "h5py", extra="keras")
    if zipped is False:
        raise ValueError("zipped=False: a folder instead of a zip is not written")
    name = _name(filepath, ".keras")
    if not name.endswith((".keras", *_OLD)):
        raise ValueError(
            "Invalid filepath extension for saving. Please add either a `.keras` extension for "
            "the native Keras format (recommended) or a `.h5` extension. "
            f"Received: filepath={filepath}."
        )
    form = archive.write if name.endswith(".keras") else legacy_h5.write_model
    _write(model, filepath, overwrite, lambda file: form(file, model, include_optimizer))


def load_model(
    filepath: Any,
    custom_objects: Objects | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """Reads a whole model that we or Keras wrote, `.keras` or `.h5`.

    Args:
        custom_objects: {name: class or function} that it may mention.
        compile: whether it is compiled as it was.
        safe_mode: must be True: no code in a file is ever run.

    Returns:
        The model.

    Raises:
        ValueError: damaged, or it mentions what is not there; says what.

    Example:
        >>> import minitensor as tf
        >>> import io
        >>> file = io.BytesIO()
        >>> model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(3, name="d")])
        >>> model.save(file)
        >>> [layer.name for layer in tf.keras.models.load_model(file).layers]
        ['d']
    """
    if not safe_mode:
        raise ValueError("safe_mode=False: code in a file is never run; see custom_objects")
    with damage_named(filepath), _file(filepath) as file, custom_object_scope(custom_objects or {}):
        form = _form(file)
        if form == "keras":
            return archive.read_model(file, compile)
        if form == "h5":
            return legacy_h5.read_model(opened(file), compile)
        raise ValueError("it holds no model: neither a .keras nor an .h5 file")


# ----- weights -----


def save_weights(
    model: Any, filepath: Any, overwrite: bool = True, max_shard_size: Any = None
) -> None:
    """Writes the weights of a model.

    Args:
        model: any, built.
        filepath: ends in `.weights.h5` (as Keras 3 has it, with the state of the optimizer; so is
            an open file), `.safetensors`, or `.h5` (as Keras 2 had it).
        max_shard_size: must be None: one file is written.

    Raises:
        ValueError: a model that is not built, or another ending.

    Example:
        >>> import minitensor as tf
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "model.weights.h5"
        >>> model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(3)])
        >>> model.save_weights(path)
        >>> path.read_bytes()[1:4]
        b'HDF'
    """
    name = _name(filepath, ".weights.h5")
    if max_shard_size is not None:
        raise ValueError("max_shard_size: weights are written into one file")
    if not model.built:
        raise ValueError(f"You are saving a model {_UNBUILT}")
    if name.endswith(".safetensors"):
        _write(model, filepath, overwrite, lambda file: safetensors_file.write(file, model))
    elif name.endswith(_OLD):
        form = weights_h5.write if name.endswith(".weights.h5") else legacy_h5.write
        _write(model, filepath, overwrite, lambda file: _write_h5(file, form, model))
    else:
        raise ValueError(
            "The filename must end in `.weights.h5`, `.safetensors` or `.h5`. "
            f"Received: filepath={filepath}"
        )


def load_weights(
    model: Any, filepath: Any, skip_mismatch: bool = False, by_name: bool = False
) -> None:
    """Gives a model the weights of a file, all or none.

    Args:
        model: any, built.
        filepath: of a `.weights.h5`, `.keras`, `.h5` or `.safetensors` file.
        skip_mismatch: whether weights that do not fit are left as they are, with a warning.
        by_name: whether layers are found by name instead of order; for old `.h5` files.

    Raises:
        ValueError: damaged, or it does not fit the model; says which weight. None is changed.

    Example:
        >>> import minitensor as tf
        >>> import io
        >>> model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(3)])
        >>> file = io.BytesIO()
        >>> model.save_weights(file)
        >>> before = model.get_weights()
        >>> model.set_weights([0 * w for w in before])
        >>> model.load_weights(file)
        >>> bool((model.get_weights()[0] == before[0]).all())
        True
    """
    if not model.built:
        raise ValueError(f"You are loading weights into a model {_UNBUILT}")
    with damage_named(filepath), _file(filepath) as file:
        form = _form(file)
        root = opened(file) if form == "h5" else None
        if root is not None and legacy_h5.is_legacy(root):
            legacy_h5.read(root, model, skip_mismatch, by_name)
        elif by_name:
            raise ValueError("by_name is for old .h5 files; this one finds layers by their place")
        elif root is not None:
            weights_h5.read(root, model, skip_mismatch)
        elif form == "keras":
            archive.read_weights(file, model, skip_mismatch)
        else:
            safetensors_file.read(file, model, skip_mismatch)


# ----- files -----


def _name(filepath: Any, of_open_files: str) -> str:
    return of_open_files if hasattr(filepath, "write") else os.fsdecode(os.fspath(filepath))


def _write(model: Any, filepath: Any, overwrite: bool, write: Callable[[BinaryIO], None]) -> None:
    """Writes into an open file, or a whole new file under a path."""
    if isinstance(filepath, str | os.PathLike) and not _is_chief(model):
        return
    if hasattr(filepath, "write"):
        whole = io.BytesIO()
        write(whole)
        filepath.write(whole.getbuffer())
        return
    if not overwrite and os.path.exists(filepath):
        raise FileExistsError(f"{os.fspath(filepath)} is there, and overwrite is False")
    with atomic_write(filepath) as fresh, fresh.open("w+b") as file:
        write(file)


def _is_chief(model: Any) -> bool:
    """Whether this process writes the files of all that `tf.distribute` connects."""
    return bool(getattr(model, "distribute_strategy", get_strategy()).is_chief)


def _write_h5(file: BinaryIO, write: Callable[[Any, Any], None], model: Any) -> None:
    require("save_weights", "h5py", extra="keras")
    import h5py

    with h5py.File(file, "w") as inner:
        write(inner, model)


@contextmanager
def _file(filepath: Any) -> Iterator[BinaryIO]:
    """A file to read from any place of."""
    if not hasattr(filepath, "read"):
        with open(filepath, "rb") as file:
            yield file
    elif filepath.seekable():
        yield filepath
    else:
        yield io.BytesIO(filepath.read())


def _form(file: BinaryIO) -> str:
    """What a file is, by its first bytes."""
    file.seek(0)
    head = file.read(9)
    file.seek(0)
    if head.startswith(b"\x89HDF"):
        return "h5"
    if head.startswith(b"PK"):
        return "keras"
    if head[8:] == b"{":
        return "safetensors"
    raise ValueError("neither HDF5 nor .keras nor safetensors, or damaged: its beginning is wrong")
