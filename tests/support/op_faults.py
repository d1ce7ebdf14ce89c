"""Faults planted in ops: a result or a derivative that is one in a thousand too large.

`python tests/support/op_faults.py` plants every one in turn and asks the recorded ledger, on NumPy:
first in each function that the case table names, then in each primitive, forward and derivative by
derivative. It prints the faults that no case reports, and the primitives that no case reaches.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

import minitensor
from minitensor.autograd.primitive import Primitive
from minitensor.parity import ledger
from minitensor.parity.answers import load
from minitensor.parity.case import Case, draw
from minitensor.parity.cases import table
from minitensor.parity.driver import differentiate, flat

FACTOR = 1.001
FORWARD = -1  # where a fault is planted: in the result, or in the derivative of argument 0, 1, ...
Fault = tuple[Primitive, int]


def primitives() -> dict[str, Primitive]:
    """Every primitive of the package, by the file it stands in and its name."""
    found = {}
    for name, module in sorted(sys.modules.items()):
        if name.startswith("minitensor."):
            for value in vars(module).values():
                if isinstance(value, Primitive):
                    found[f"{value.__module__}.{value.__name__}"] = value
    return found


@contextmanager
def watched(seen: set[Fault]) -> Iterator[None]:
    """Notes which results and derivatives of which primitives are computed."""
    before = []
    for op in primitives().values():
        forward, derivatives = op._forward, op._derivatives

        def called(be: Any, *arrays: Any, op: Any = op, forward: Any = forward, **settings: Any):
            seen.add((op, FORWARD))
            return forward(be, *arrays, **settings)

        def pulled(
            wanted: Any, *args: Any, op: Any = op, found: Any = derivatives, **settings: Any
        ):
            gradients = found(wanted, *args, **settings)
            seen.update((op, i) for i, g in enumerate(gradients) if g is not None)
            return gradients

        before.append((op, forward, derivatives))
        op._forward, op._derivatives = called, pulled
    try:
        yield
    finally:
        for op, forward, derivatives in before:
            op._forward, op._derivatives = forward, derivatives


@contextmanager
def planted(op: Primitive, where: int) -> Iterator[None]:
    """The fault stands in the primitive inside the `with` block."""
    forward, derivatives = op._forward, op._derivatives

    def wrong_result(be: Any, *arrays: Any, **settings: Any) -> Any:
        return spoilt(forward(be, *arrays, **settings))

    def wrong_derivative(wanted: Any, *args: Any, **settings: Any) -> Any:
        gradients = list(derivatives(wanted, *args, **settings))
        if (g := gradients[where]) is not None:
            gradients[where] = g * FACTOR if g.numpy().any() else g + (FACTOR - 1)
        return gradients

    if where == FORWARD:
        op._forward = wrong_result
    else:
        op._derivatives = wrong_derivative
    try:
        yield
    finally:
        op._forward, op._derivatives = forward, derivatives


def spoilt(array: Any) -> Any:
    """Another result of the same dtype."""
    array = np.asarray(array)
    if array.dtype.kind == "b":
        return ~array
    if array.dtype.kind in "iu":
        return array + np.ones((), array.dtype)
    return (array * FACTOR).astype(array.dtype)


def reached(cases: list[Case]) -> dict[Fault, list[Case]]:
    """The cases that compute each result and each derivative."""
    side = ledger.our_side()
    found = defaultdict(list)
    for case in cases:
        seen: set[Fault] = set()
        dtype = case.dtypes[0]
        with watched(seen), suppress(Exception):
            tensors = [side.tensor(array) for array in draw(case, dtype)]
            differentiate(side, side.function(case.op), case, tensors, case.orders(dtype))
        for fault in seen:
            found[fault].append(case)
    return found


def is_seen(cases: list[Case], answers: Any) -> bool:
    """Whether a line of the ledger says that we differ."""
    return any(
        row.verdict == ledger.DIFFER
        for case in cases
        for row in ledger.judge([case], case.dtypes[:1], answers)
    )


def unseen(cases: dict[Fault, list[Case]]) -> list[str]:
    """The faults, of those that these cases reach, that no line of the ledger shows."""
    answers, _ = load()
    names = {op: name for name, op in primitives().items()}
    silent = []
    for (op, where), found in cases.items():
        one_per_op = list({case.op: case for case in reversed(found)}.values())
        with planted(op, where):
            if not (is_seen(one_per_op[::-1], answers) or is_seen(found, answers)):
                silent.append(written(names[op], where))
    return sorted(silent)


def written(name: str, where: int) -> str:
    """A fault in words."""
    return f"{name}: {'its result' if where == FORWARD else f'derivative {where}'}"


def unseen_functions() -> tuple[int, list[str]]:
    """How many functions of the table were spoilt, and which nobody saw."""
    answers, _ = load()
    cases = defaultdict(list)
    for case in table():
        if not case.op.startswith("parity."):
            cases[case.op].append(case)
    silent = []
    for path, found in cases.items():
        *rooms, name = path.split(".")
        module = minitensor
        for room in rooms:
            module = getattr(module, room)
        right = getattr(module, name)
        setattr(
            module, name, lambda *args, right=right, **settings: _wrong(right(*args, **settings))
        )
        try:
            if not is_seen(found, answers):
                silent.append(path)
        finally:
            setattr(module, name, right)
    return len(cases), silent


def _wrong(outputs: Any) -> list[Any]:
    """The outputs of a function, spoilt; gradients go through."""
    return [
        y * FACTOR if "float" in y.dtype.name else minitensor.constant(spoilt(y.numpy()))
        for y in flat(outputs)
    ]


if __name__ == "__main__":
    count, silent = unseen_functions()
    print(f"{count} functions, not seen: {silent}")
    found = reached(table())
    print(f"{len(found)} results and derivatives of primitives, not seen: {unseen(found)}")
    never = [name for name, op in primitives().items() if (op, FORWARD) not in found]
    print(f"never reached: {never}")
