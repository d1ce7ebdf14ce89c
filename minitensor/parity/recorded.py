"""TensorFlow's answers in a file, so that the ledger can be drawn up where TensorFlow is not.

`recorded/answers.npz` holds one flat array per dtype, an index that cuts it up, and where the
answers come from: the TensorFlow version, the two builds, the machine.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from minitensor.parity.answers import Answer, Answers

PATH = Path(__file__).parent / "recorded" / "answers.npz"


def save(path: Path, answers: Answers, about: dict[str, Any]) -> None:
    """Write `answers` to `path`, with `about` beside them."""
    pieces: dict[str, list[np.ndarray]] = defaultdict(list)
    index = []
    for (key, dtype), routes in answers.items():
        for route, answer in routes.items():
            orders = [None if part is None else _put(part, pieces) for part in answer.orders]
            index.append([key, dtype, route, orders, answer.errors])
    flat = {name: np.concatenate(parts) for name, parts in pieces.items()}
    text = json.dumps({"about": about, "index": index}, separators=(",", ":"))
    path.parent.mkdir(exist_ok=True)
    flat["text"] = np.frombuffer(text.encode(), "uint8")
    np.savez_compressed(path, allow_pickle=False, **flat)


def load(path: Path = PATH) -> tuple[Answers, dict[str, Any]]:
    """The recorded answers and what they say about themselves."""
    with np.load(path) as file:
        flat = {name: file[name] for name in file.files}
    head = json.loads(flat.pop("text").tobytes())
    places = dict.fromkeys(flat, 0)
    answers: Answers = defaultdict(dict)
    for key, dtype, route, orders, errors in head["index"]:
        parts = [None if part is None else _take(part, flat, places) for part in orders]
        answers[key, dtype][route] = Answer(parts, {int(k): text for k, text in errors.items()})
    return dict(answers), head["about"]


def _put(arrays: list[np.ndarray], pieces: dict[str, list[np.ndarray]]) -> list[Any]:
    """Append arrays to the flat ones; [dtype, shape] of each."""
    for array in arrays:
        raw = array.view("uint16") if array.dtype.name == "bfloat16" else array
        pieces[array.dtype.name].append(raw.ravel())
    return [[array.dtype.name, list(array.shape)] for array in arrays]


def _take(
    shapes: list[Any], flat: dict[str, np.ndarray], places: dict[str, int]
) -> list[np.ndarray]:
    """The next arrays, in the order they were put."""
    found = []
    for name, shape in shapes:
        start = places[name]
        places[name] += int(np.prod(shape))
        raw = flat[name][start : places[name]]
        found.append(_as_dtype(raw, name).reshape(shape))
    return found


def _as_dtype(raw: np.ndarray, name: str) -> np.ndarray:
    """bfloat16 from its 16 bits; float32 holds every bfloat16 where ml_dtypes is missing."""
    if name != "bfloat16":
        return raw
    try:
        import ml_dtypes
    except ModuleNotFoundError:
        return (raw.astype("uint32") << 16).view("float32")
    return raw.view(ml_dtypes.bfloat16)
