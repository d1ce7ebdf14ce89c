"""The trained net as one safetensors file: numbers and short texts, nothing that runs.

The file says what the net is, how images must be prepared for it, what its labels are called, and
from which images and with which seed it learned, so that it can be tested on those it never saw.
Reading is strict, because a file may come from anywhere.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minitensor import models
from minitensor.digits.network import NAMES, SIZE, parameters
from minitensor.files import atomic_write
from minitensor.keras.serialization.memory_budget import parse_json

ARCHITECTURE = "minitensor LeNet-5: conv 6@3x3, conv 16@3x3, dense 120, 84"
NORMALISATION = "gray / full scale: 0 black, 1 white"
INPUT = [*SIZE, 1]


@dataclass(frozen=True)
class Card:
    """What a weights file says about the net beside its numbers."""

    labels: tuple[str, ...]
    data: str  # title of the images it learned from
    fingerprint: str  # of all of those, before the split
    seed: int  # of the split


def save(path: Path, net: Any, card: Card) -> None:
    """Writes the net and its card."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    texts = {key: json.dumps(value) for key, value in asdict(card).items()}
    fixed = {"architecture": ARCHITECTURE, "normalisation": NORMALISATION, "input": str(INPUT)}
    try:
        with atomic_write(path) as fresh:
            save_file({n: v.numpy() for n, v in parameters(net).items()}, fresh, texts | fixed)
    except SafetensorError as error:
        raise OSError(f"{path} cannot be written: {error}") from None


def load(path: Path) -> tuple[Any, Card]:
    """Reads what `save` wrote.

    Raises:
        ValueError: it is no such file, or is damaged; says what is wrong.
        OSError: it cannot be opened.
    """
    from safetensors import SafetensorError, safe_open

    with path.open("rb"):
        pass  # a missing file is the system's own clear error
    try:
        with safe_open(path, framework="numpy") as file:
            texts = file.metadata() or {}
            card = _card(path, texts)
            _check_names(path, set(file.keys()), set(NAMES))
            last, classes = NAMES[-1], len(card.labels)
            _check_kind(path, last, file.get_slice(last), (classes,))  # before a net is that large
            net = models.lenet5(classes)
            for name, variable in parameters(net).items():
                _check_kind(path, name, file.get_slice(name), tuple(variable.shape))
            values = {name: file.get_tensor(name) for name in NAMES}
    except SafetensorError as problem:
        raise ValueError(f"{path}: not a safetensors file, or damaged: {problem}") from None
    for name, value in values.items():
        if not np.isfinite(value).all():
            raise ValueError(f"{path}: parameter {name} holds values that are not finite")
    net.set_weights([values[name] for name in NAMES])
    return net, card


def _card(path: Path, texts: dict[str, str]) -> Card:
    if texts.get("architecture") != ARCHITECTURE:
        raise ValueError(
            f"{path}: not weights of this net: its architecture is "
            f"{texts.get('architecture')!r} where {ARCHITECTURE!r} is expected"
        )
    try:
        fields = {key: parse_json(texts[key]) for key in ("labels", "data", "fingerprint", "seed")}
    except (KeyError, ValueError) as problem:
        raise ValueError(f"{path}: its description is damaged: {problem!r}") from None
    labels, seed = fields["labels"], fields["seed"]
    named = isinstance(labels, list) and all(isinstance(name, str) for name in labels)
    if not (named and len(set(labels)) == len(labels) >= 2):
        raise ValueError(f"{path}: its labels must be two or more different texts")
    if not (isinstance(seed, int) and seed >= 0):
        raise ValueError(f"{path}: its seed must be a whole number from 0 on")
    return Card(tuple(labels), str(fields["data"]), str(fields["fingerprint"]), seed)


def _check_names(path: Path, found: set[str], expected: set[str]) -> None:
    missing, foreign = sorted(expected - found), sorted(found - expected)
    if missing or foreign:
        raise ValueError(f"{path}: missing parameters {missing}, unknown parameters {foreign}")


def _check_kind(path: Path, name: str, stored: Any, shape: tuple[int, ...]) -> None:
    dtype, found = stored.get_dtype(), tuple(stored.get_shape())
    if (dtype, found) != ("F32", shape):
        raise ValueError(
            f"{path}: parameter {name} is {dtype} {found} where F32 {shape} is expected"
        )
