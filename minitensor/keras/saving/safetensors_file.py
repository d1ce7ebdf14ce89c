"""The weights of a model as safetensors: numbers under their paths, "block/conv2d/kernel"."""

from __future__ import annotations

import os
from typing import Any, BinaryIO

import numpy as np

from minitensor.autograd import Variable
from minitensor.extras import require
from minitensor.keras.saving.stored_weights import StoredWeight, assign_all, raise_or_warn
from minitensor.keras.saving.weight_paths import weights_by_path

_SLACK = 2**24  # bytes that a file may have beside four times the weights
_KINDS = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BOOL": "?",
    **{f"{'U' if k == 'u' else 'I'}{8 * n}": f"<{k}{n}" for k in "iu" for n in (1, 2, 4, 8)},
}


def write(file: BinaryIO, model: Any) -> None:
    """Writes the weights of a model."""
    require("save_weights", "safetensors", extra="keras")
    from safetensors.numpy import save

    arrays = {name: np.ascontiguousarray(v.numpy()) for name, v in weights_by_path(model).items()}
    file.write(save(arrays, {"format": "minitensor"}))


def read(file: BinaryIO, model: Any, skip_mismatch: bool) -> None:
    """Gives a model the weights of a safetensors file, all or none."""
    wanted = weights_by_path(model)
    stored = _stored(file, sum(v.shape.num_elements() * v.dtype.itemsize for v in wanted.values()))
    missing, foreign = sorted(wanted.keys() - stored), sorted(stored.keys() - wanted)
    if missing or foreign:
        raise_or_warn(f"missing weights {missing}, unknown weights {foreign}", skip_mismatch)
    common = [name for name in wanted if name in stored]
    assign_all([_pair(name, wanted[name], stored[name]) for name in common], skip_mismatch)


def _stored(file: BinaryIO, needed: int) -> dict[str, dict[str, Any]]:
    """What the file holds; it is read only if it is not much larger than the model."""
    require("load_weights", "safetensors", extra="keras")
    from safetensors import SafetensorError, deserialize

    size = file.seek(0, os.SEEK_END)
    if size > 4 * needed + _SLACK:
        raise ValueError(f"the model needs {needed} bytes of weights, the file has {size}")
    file.seek(0)
    try:
        return dict(deserialize(file.read()))
    except SafetensorError as error:
        raise ValueError(f"not a safetensors file, or damaged: {error}") from None


def _pair(name: str, variable: Variable, stored: dict[str, Any]) -> StoredWeight:
    shape, kind = tuple(stored["shape"]), _KINDS.get(stored["dtype"])
    if kind is None:
        raise ValueError(f"weight {name} is stored as {stored['dtype']}, which NumPy does not know")
    dtype = np.dtype(kind)
    return StoredWeight(
        name, variable, shape, dtype, lambda: np.frombuffer(stored["data"], dtype).reshape(shape)
    )
