"""The `.keras` file: a zip of what the model is (JSON) and what it has learned (HDF5).

    metadata.json        by whom and when it was written
    config.json          layers, and what the model is compiled with
    model.weights.h5     the weights, laid out as in a `.weights.h5` file

Nothing is unpacked to disk, and nothing is unpacked that claims to be much larger than it is here.
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from typing import Any, BinaryIO

from minitensor.extras import require
from minitensor.keras.saving import architecture, weights_h5
from minitensor.keras.saving.hdf5 import opened
from minitensor.keras.saving.legacy_h5 import VERSION

_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_FREE = 2**24  # bytes up to which a member may be compressed as strongly as it likes
_RATIO = 20  # beyond that, to how many times its size a member may grow


def write(file: BinaryIO, model: Any, with_optimizer: bool) -> None:
    """Writes a whole model."""
    require("save", "h5py", extra="keras")
    import h5py

    config = architecture.json_text(architecture.model_to_config(model, with_optimizer))
    about = {"keras_version": VERSION, "date_saved": time.strftime("%Y-%m-%d@%H:%M:%S")}
    weights = io.BytesIO()
    with h5py.File(weights, "w") as inner:
        weights_h5.write(inner, model, with_optimizer)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(_METADATA, json.dumps(about))
        archive.writestr(_CONFIG, config)
        archive.writestr(_WEIGHTS, weights.getbuffer())


def read_model(file: BinaryIO, compile_it: bool) -> Any:
    """Makes the model that a `.keras` file holds."""
    with zipfile.ZipFile(file) as archive:
        config = architecture.parse_json(_member(archive, _CONFIG))
        weights = opened(io.BytesIO(_member(archive, _WEIGHTS)))
    model = architecture.model_from_config(config, weights.nbytes)
    if compile_it:
        architecture.compile_again(model, config.get("compile_config"))
    weights_h5.read(weights, model, False)
    return model


def read_weights(file: BinaryIO, model: Any, skip_mismatch: bool) -> None:
    """Gives a model the weights of a `.keras` file."""
    with zipfile.ZipFile(file) as archive:
        weights = opened(io.BytesIO(_member(archive, _WEIGHTS)))
    weights_h5.read(weights, model, skip_mismatch)


def _member(archive: zipfile.ZipFile, name: str, limit: int | None = None) -> bytes:
    """One file of the archive, after a look at what the archive says of all of them."""
    names = [info.filename for info in archive.infolist()]
    if len(set(names)) != len(names):
        raise ValueError("damaged: a name stands twice in the archive")
    for foreign in set(names) - {_CONFIG, _METADATA, _WEIGHTS}:
        if not foreign.startswith("assets/") or ".." in foreign.split("/"):
            raise ValueError(f"the archive holds {foreign!r}, which Keras does not write")
    if name not in names:
        raise ValueError(f"not a .keras file: the archive has no {name}")
    info = archive.getinfo(name)
    allowed = max(_FREE, _RATIO * info.compress_size) if limit is None else limit
    if info.file_size > allowed:
        raise ValueError(
            f"{name} claims to hold {info.file_size} bytes, packed into {info.compress_size}; no "
            f"more than {allowed} are unpacked"
        )
    with archive.open(info) as member:
        data = member.read(info.file_size + 1)
    if len(data) != info.file_size:
        raise ValueError(f"damaged: {name} has not the size that the archive says")
    return data
