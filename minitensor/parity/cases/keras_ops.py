"""Functions of keras.ops where Keras is wrong, with the proof; tests/keras compares the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from minitensor.parity.case import Case, Op, T, call, literal
from minitensor.parity.cases.core import INF, many
from minitensor.parity.proofs import keras

AREA = "tf.* core"
OPS = {"parity.keras_ops": Op("selection", keras.keras_ops)}


def cases() -> Iterator[Case]:
    """Each where it goes wrong."""
    far = literal((4,), INF, INF, -INF, 1), literal((4,), INF, -INF, -INF, 1)
    for case in (
        replace(keras_ops("eye", N=4, M=2, k=-1), order=0),
        replace(keras_ops("isclose", *far), order=0),
        keras_ops("rot90", T((2, 3)), k=2),
        keras_ops("trace", T((2, 3, 4)), offset=1, axis1=0, axis2=2),
        many("parity.keras_ops", ((3,), (3,)), {"name": "vstack"}),
    ):
        yield replace(case, dtypes=("float32",), order=min(case.order, 1))


def keras_ops(name: str, *tensors: T, **settings: object) -> Case:
    """A call of the function of that name."""
    return call("parity.keras_ops", *tensors, name=name, **settings)
