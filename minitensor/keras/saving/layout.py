"""The weights of a model in HDF5 as Keras 3 lays them out: one group for each layer.

    layers/conv2d/vars/0      the kernel
    layers/conv2d/vars/1      the bias
    optimizer/vars/0, ...     the state of the optimizer

Groups bear the attribute `name` for people; only places and numbers count.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from minitensor.autograd import Variable
from minitensor.keras.saving.hdf5 import Dataset, Group
from minitensor.keras.saving.pairs import Pair, complain, fill
from minitensor.keras.saving.places import Place, places

_OTHER = ("optimizer/", "metrics/", "_metrics/", "_compile_metrics/", "_loss_tracker/")
_EARLY = "_layer_checkpoint_dependencies"  # what TensorFlow 2.12 called "layers"


def write(file: Any, model: Any, with_optimizer: bool = True) -> None:
    """Writes the weights of a model, and of its optimizer, into an open h5py file."""
    for place in places(model):
        _write_one(file, place.path, place.layer.name, place.variables)
    optimizer = getattr(model, "optimizer", None)
    if with_optimizer and optimizer is not None:
        _write_one(file, "optimizer", optimizer.name, optimizer.variables)


def _write_one(file: Any, path: str, name: str, variables: Sequence[Variable]) -> None:
    group = file.create_group(f"{path}/vars" if path else "vars")
    group.attrs["name"] = name
    for i, variable in enumerate(variables):
        group[str(i)] = variable.numpy()


def read(root: Group, model: Any, skip_mismatch: bool) -> None:
    """Gives a model the weights of an HDF5 file, and its optimizer if it has one that fits.

    Raises:
        ValueError: they do not fit; nothing was changed.
    """
    pairs: list[Pair] = []
    known: set[int] = set()
    for place in places(model):
        found = _group(root, place.path)
        path = place.path or "the model itself"
        stored = _numbers(found, path)
        known.update(id(dataset) for dataset in stored)
        if len(stored) != len(place.variables):
            complain(_other_count(place, path, len(stored)), skip_mismatch)
            continue
        pairs += [
            Pair(f"{path}/vars/{i}", variable, data.shape, data.dtype, data.read)
            for i, (variable, data) in enumerate(zip(place.variables, stored, strict=True))
        ]
    for path in _foreign(root, known):
        complain(f"the file has {path}, for which the model has no weight", skip_mismatch)
    fill([*pairs, *_optimizer(root, model)], skip_mismatch)


def _other_count(place: Place, path: str, stored: int) -> str:
    return (
        f"Layer '{place.layer.name}' expected {len(place.variables)} variables, but received "
        f"{stored} variables during loading. Expected: "
        f"{[v.name.partition(':')[0] for v in place.variables]}, in the group {path!r}"
    )


def _group(root: Group, path: str) -> Group | None:
    inner = f"{path}/vars" if path else "vars"
    for name in (inner, inner.replace("layers", _EARLY)):
        if name in root:
            return root.group(name)
    return None


def _numbers(group: Group | None, path: str) -> list[Dataset]:
    """The datasets "0", "1", ... of a group."""
    names = [] if group is None else list(group)
    wanted = [str(i) for i in range(len(names))]
    if sorted(names) != sorted(wanted) or (group is None and names):
        raise ValueError(f"{path}/vars holds {sorted(names)[:9]} where {wanted[:9]} is expected")
    return [group.dataset(name) for name in wanted] if group is not None else []


def _foreign(root: Group, known: set[int]) -> Iterator[str]:
    """Datasets for which there is no layer."""
    for path, dataset in root.datasets():
        if id(dataset) not in known and not path.startswith(_OTHER):
            yield path


def _optimizer(root: Group, model: Any) -> list[Pair]:
    """What the optimizer gets; nothing, with a warning, if the file has another optimizer's."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None or not optimizer.built or "optimizer/vars" not in root:
        return []
    stored = _numbers(root.group("optimizer/vars"), "optimizer")
    pairs = [
        Pair(f"optimizer/vars/{i}", variable, data.shape, data.dtype, data.read)
        for i, (variable, data) in enumerate(zip(optimizer.variables, stored, strict=False))
    ]
    if len(stored) == len(optimizer.variables) and not any(pair.misfit() for pair in pairs):
        return pairs
    warnings.warn(
        f"Skipping variable loading for optimizer '{optimizer.name}', because it has "
        f"{len(optimizer.variables)} variables whereas the saved optimizer has {len(stored)}, or "
        "of other shapes.",
        stacklevel=5,
    )
    return []
