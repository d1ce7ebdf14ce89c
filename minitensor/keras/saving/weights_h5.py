"""The weights of a model in HDF5 as Keras 3 lays them out: one group for each layer.

    layers/conv2d/vars/0      the kernel
    layers/conv2d/vars/1      the bias
    optimizer/vars/0, ...     the state of the optimizer

Groups bear the attribute `name` for people; only places and numbers count.
"""

from __future__ import annotations

import warnings
from typing import Any

from minitensor.keras.engine import Layer
from minitensor.keras.engine.weight import path_of
from minitensor.keras.optimizers import Optimizer
from minitensor.keras.saving.hdf5 import DEEPEST, Dataset, Group
from minitensor.keras.saving.stored_weights import StoredWeight, assign_all, raise_or_warn
from minitensor.keras.saving.weight_paths import WeightGroup, weight_groups

_OTHER = {"optimizer", "metrics"}  # groups that may be there without being asked for
_EARLY = "_layer_checkpoint_dependencies"  # what TensorFlow 2.12 called "layers"


def write(file: Any, model: Any, with_optimizer: bool = True) -> None:
    """Writes the weights of a model, and of its optimizer, into an open h5py file."""
    groups = weight_groups(model)
    if max(entry.path.count("/") for entry in groups) + 2 > DEEPEST:
        raise ValueError(
            f"save: the layers of {model.name!r} lie in each other more than {DEEPEST // 2} deep, "
            "and no such file would be read"
        )
    for entry in groups:
        if isinstance(entry.owner, Optimizer) and not with_optimizer:
            continue
        group = file.create_group(f"{entry.path}/vars" if entry.path else "vars")
        group.attrs["name"] = entry.owner.name
        entry.owner.save_own_variables(group)


def read(root: Group, model: Any, skip_mismatch: bool) -> None:
    """Gives a model the weights of a file, all or none, and its optimizer what fits."""
    pairs: list[StoredWeight] = []
    known: set[int] = set()
    own: list[tuple[Any, dict[str, Any]]] = []
    for entry in weight_groups(model):
        if _reads_itself(entry.owner):
            group = _group(root, entry.path)
            given = {} if group is None else {name: group.dataset(name) for name in group}
            known.update(map(id, given.values()))
            own.append((entry.owner, {name: data.read() for name, data in given.items()}))
            continue
        stored = _stored(root, entry.path)
        known.update(id(dataset) for dataset in stored)
        found = [
            StoredWeight.of(f"{entry.path}/vars/{i}", variable, data)
            for i, (variable, data) in enumerate(zip(entry.variables, stored, strict=False))
        ]
        if isinstance(entry.owner, Optimizer):
            pairs += _for_optimizer(entry, found, len(stored))
        elif len(stored) == len(entry.variables):
            pairs += found
        else:
            raise_or_warn(
                f"Layer '{entry.owner.name}' expected {len(entry.variables)} variables, but "
                f"received {len(stored)} variables during loading. Expected: "
                f"{[path_of(v) for v in entry.variables]}, in the group {entry.path!r}",
                skip_mismatch,
            )
    for path, dataset in root.datasets():
        if id(dataset) not in known and _OTHER.isdisjoint(path.split("/")):
            raise_or_warn(f"the file has {path}, for which the model has no weight", skip_mismatch)
    assign_all(pairs, skip_mismatch)
    for owner, store in own:
        owner.load_own_variables(store)


def _reads_itself(owner: Any) -> bool:
    """Whether a program wrote its `load_own_variables`."""
    base = Optimizer if isinstance(owner, Optimizer) else Layer
    return type(owner).load_own_variables is not base.load_own_variables


def _for_optimizer(
    entry: WeightGroup, pairs: list[StoredWeight], stored: int
) -> list[StoredWeight]:
    """What an optimizer gets; nothing, with a warning, if the file has another optimizer's."""
    optimizer = entry.owner
    if not stored or not optimizer.built:
        return []
    if stored == len(entry.variables) and not any(pair.mismatch() for pair in pairs):
        return pairs
    warnings.warn(
        f"Skipping variable loading for optimizer '{optimizer.name}', because it has "
        f"{len(entry.variables)} variables whereas the saved optimizer has {stored}, or of other "
        "shapes.",
        stacklevel=5,
    )
    return []


def _stored(root: Group, path: str) -> list[Dataset]:
    """The datasets "0", "1", ... of a layer's group; none if it has no group."""
    group = _group(root, path)
    if group is None:
        return []
    names = sorted(group)
    wanted = [str(i) for i in range(len(names))]
    if names != sorted(wanted):
        raise ValueError(f"{path}/vars holds {names[:9]} where {wanted[:9]} is expected")
    return [group.dataset(number) for number in wanted]


def _group(root: Group, path: str) -> Group | None:
    inner = f"{path}/vars" if path else "vars"
    name = inner if inner in root else inner.replace("layers", _EARLY)
    return root.group(name) if name in root else None
