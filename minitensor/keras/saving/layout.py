"""The weights of a model in HDF5 as Keras 3 lays them out: one group for each layer.

    layers/conv2d/vars/0      the kernel
    layers/conv2d/vars/1      the bias
    optimizer/vars/0, ...     the state of the optimizer

Groups bear the attribute `name` for people; only places and numbers count.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from minitensor.keras.engine.weight import path_of
from minitensor.keras.optimizers import Optimizer
from minitensor.keras.saving.hdf5 import Dataset, Group
from minitensor.keras.saving.pairs import Pair, complain, fill
from minitensor.keras.saving.places import Place, places

_OTHER = {"optimizer", "metrics"}  # groups that may be there without being asked for
_EARLY = "_layer_checkpoint_dependencies"  # what TensorFlow 2.12 called "layers"


def write(file: Any, model: Any, with_optimizer: bool = True) -> None:
    """Writes the weights of a model, and of its optimizer, into an open h5py file."""
    for place in places(model):
        if isinstance(place.owner, Optimizer) and not with_optimizer:
            continue
        group = file.create_group(f"{place.path}/vars" if place.path else "vars")
        group.attrs["name"] = place.owner.name
        for i, variable in enumerate(place.variables):
            group[str(i)] = variable.numpy()


def read(root: Group, model: Any, skip_mismatch: bool) -> None:
    """Gives a model the weights of an HDF5 file, and its optimizer if it has one that fits.

    Raises:
        ValueError: they do not fit; nothing was changed.
    """
    pairs: list[Pair] = []
    known: set[int] = set()
    for place in places(model):
        stored = _numbers(_group(root, place.path), place.path)
        known.update(id(dataset) for dataset in stored)
        found = [
            Pair(f"{place.path}/vars/{i}", variable, data.shape, data.dtype, data.read)
            for i, (variable, data) in enumerate(zip(place.variables, stored, strict=False))
        ]
        if isinstance(place.owner, Optimizer):
            pairs += _for_optimizer(place, found, len(stored))
        elif len(stored) == len(place.variables):
            pairs += found
        else:
            complain(_other_count(place, len(stored)), skip_mismatch)
    for path in _foreign(root, known):
        complain(f"the file has {path}, for which the model has no weight", skip_mismatch)
    fill(pairs, skip_mismatch)


def _other_count(place: Place, stored: int) -> str:
    return (
        f"Layer '{place.owner.name}' expected {len(place.variables)} variables, but received "
        f"{stored} variables during loading. Expected: "
        f"{[path_of(v) for v in place.variables]}, in the group {place.path!r}"
    )


def _for_optimizer(place: Place, pairs: list[Pair], stored: int) -> list[Pair]:
    """What an optimizer gets; nothing, with a warning, if the file has another optimizer's."""
    optimizer = place.owner
    if not stored or not optimizer.built:
        return []
    if stored == len(place.variables) and not any(pair.misfit() for pair in pairs):
        return pairs
    warnings.warn(
        f"Skipping variable loading for optimizer '{optimizer.name}', because it has "
        f"{len(place.variables)} variables whereas the saved optimizer has {stored}, or of other "
        "shapes.",
        stacklevel=5,
    )
    return []


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
        if id(dataset) not in known and _OTHER.isdisjoint(path.split("/")):
            yield path
