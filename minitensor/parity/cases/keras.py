"""Where Keras is wrong, with the proof; tests/keras compares the rest of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from minitensor.parity.case import Case, Op, T, call, literal
from minitensor.parity.cases.core import INF, many
from minitensor.parity.proofs import keras

AREA = "tf.* core"
OPS = {
    "parity.keras_ops": Op("selection", keras.keras_ops),
    "parity.einsum_dense_shape": Op("selection", keras.einsum_dense_shape),
    "parity.restored_from_a_list": Op("linear", keras.restored_from_a_list),
}


def cases() -> Iterator[Case]:
    """Each where it goes wrong."""
    far = literal((4,), INF, INF, -INF, 1), literal((4,), INF, -INF, -INF, 1)
    for case in (
        replace(keras_ops("eye", N=4, M=2, k=-1), order=0),
        replace(keras_ops("isclose", *far), order=0),
        keras_ops("rot90", T((2, 3)), k=2),
        keras_ops("trace", T((2, 3, 4)), offset=1, axis1=0, axis2=2),
        many("parity.keras_ops", ((3,), (3,)), {"name": "vstack"}),
        keras_ops("add", T((2, 2, 3, 2, 1)), T((2, 1))),
    ):
        yield replace(case, dtypes=("float32",), order=min(case.order, 1))
    x = literal((4,), 0.5625, -0.375, 0, 2.03125)
    for name in ("arctan2", "hypot", "mod", "logaddexp", "logaddexp2", "heaviside", "leaky_relu"):
        word = "negative_slope" if name == "leaky_relu" else "x2"
        yield replace(keras_ops(name, x, **{word: 0.1}), dtypes=("float64",), order=0)
    shape = call("parity.einsum_dense_shape", (2, 4, 3, 5), equation="...x,xy->...y", units=6)
    for case in (shape, call("parity.restored_from_a_list", (2, 3))):
        yield replace(case, dtypes=("float32",), order=0)


def keras_ops(name: str, *tensors: T, **settings: object) -> Case:
    """A call of the function of that name."""
    return call("parity.keras_ops", *tensors, name=name, **settings)
