"""Calls that no single tf function spells: slicing, operators, and what is random.

Each adapter is given the library (tf or minitensor) and uses its public names only. Random ops
cannot give the same numbers on both sides, so these return what must agree whatever was drawn.
"""

from __future__ import annotations

import operator
import tempfile
from typing import Any

import numpy as np


def getitem(tf: Any, x: Any, text: str) -> Any:
    """x[text], with text as it stands between the brackets, such as "1:, None, ..., ::-1"."""
    del tf
    return x[tuple(_index(part.strip()) for part in text.split(","))]


def arithmetic(tf: Any, x: Any, y: Any, name: str) -> Any:
    """A Python operator by its name in the standard `operator` module, such as "matmul"."""
    del tf
    return getattr(operator, name)(x, y)


def with_number(tf: Any, x: Any, name: str, number: float) -> list[Any]:
    """A Python number on either side of an operator: [x op number, number op x]."""
    del tf
    function = getattr(operator, name)
    return [function(x, number), function(number, x)]


def where_positive(tf: Any, x: Any) -> Any:
    """x[mask], where mask is a tensor of truth values."""
    del tf
    return x[x > 0]


def masked(tf: Any, x: Any, name: str) -> Any:
    """A function of tf where x > 0, else 0."""
    return tf.where(x > 0, operator.attrgetter(name)(tf)(x), 0)


def root(tf: Any, *tensors: Any, name: str) -> Any:
    """sqrt of a function of tf: where that is 0, the slope that comes back to it is infinite."""
    return tf.sqrt(operator.attrgetter(name)(tf)(*tensors))


def number_first(tf: Any, y: Any, name: str, number: float) -> Any:
    """A function of tf of a Python number and a tensor."""
    return operator.attrgetter(name)(tf)(number, y)


def of_bytes(tf: Any, *tensors: Any, name: str) -> Any:
    """A function of tf whose answer fits into the type of its arguments."""
    return operator.attrgetter(name)(tf)(*tensors)


def of_nothing(tf: Any, *args: Any, name: str) -> Any:
    """A function of tf that reads or writes rows without elements."""
    return getattr(tf, name)(*args)


def entropy_of_softmax(tf: Any, x: Any) -> Any:
    """The cross entropy of probabilities that depend on the logits too."""
    return tf.nn.softmax_cross_entropy_with_logits(labels=tf.nn.softmax(x), logits=x)


def sparsemax(tf: Any, x: Any) -> Any:
    """Keras' activation of that name."""
    return tf.keras.activations.sparsemax(x)


def keras_ops(tf: Any, *args: Any, name: str, **settings: Any) -> Any:
    """A function of keras.ops."""
    return getattr(tf.keras.ops, name)(*args, **settings)


def einsum_dense_shape(tf: Any, x: Any, equation: str, units: int) -> Any:
    """The shape that a layer of that equation says it will give."""
    layer = tf.keras.layers.EinsumDense(equation, units)
    return tf.constant(list(layer.compute_output_shape(tuple(x.shape))))


def restored_from_a_list(tf: Any, x: Any) -> Any:
    """x times a kernel of ones in a layer's list, out of a checkpoint into one of zeros."""

    def made(kernel: str) -> Any:
        holder = tf.keras.layers.Layer()
        holder.parts = [tf.keras.layers.Dense(1, kernel_initializer=kernel)]
        holder.parts[0].build(tuple(x.shape))
        return holder

    before, after = made("ones"), made("zeros")
    with tempfile.TemporaryDirectory() as folder:
        path = tf.train.Checkpoint(layer=before).write(f"{folder}/checkpoint")
        tf.train.Checkpoint(layer=after).read(path)
    row = np.asarray(after.parts[0].kernel)[:, 0]
    return tf.reduce_sum(x * row, axis=-1, keepdims=True)


def dropout_facts(tf: Any, x: Any, rate: float, noise_shape: list[int] | None = None) -> list[Any]:
    """What holds for any mask: x / (1 - rate) is kept, the rest is 0, the gradient is the mask.

    Returns [largest |y - mask * x|, largest |gradient - mask|, same along noise_shape (0 or 1)].
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.nn.dropout(x, rate=rate, noise_shape=noise_shape)
    gradient = tape.gradient(y, x)
    values, slopes, before = (np.asarray(t.numpy(), "float64") for t in (y, gradient, x))
    scale = np.float64(np.asarray(1.0 / (1.0 - rate), str(x.dtype.name)))
    mask = np.where(values != 0, scale, 0.0)
    wrong = np.abs(values - mask * before).max() > 1e-2 * scale
    shared = noise_shape is None or all(
        (np.diff(mask, axis=axis) == 0).all() for axis, n in enumerate(noise_shape) if n == 1
    )
    return [tf.constant([float(wrong), float(np.abs(slopes - mask).max() > 1e-2), float(shared)])]


def dropout_drops(tf: Any, x: Any, rate: float) -> Any:
    """The share of zeros among x.size draws, told in tenths."""
    y = np.asarray(tf.nn.dropout(x, rate=rate).numpy(), "float64")
    return tf.constant([float(np.round(10 * (y == 0).mean()))])


def fused_batch_norm_y(
    tf: Any, x: Any, scale: Any, offset: Any, data_format: str = "NHWC", epsilon: float = 1e-3
) -> Any:
    """The first of fused_batch_norm's three results: TensorFlow has no gradient for the others."""
    nn = tf.nn if hasattr(tf.nn, "fused_batch_norm") else tf.compat.v1.nn
    return nn.fused_batch_norm(x, scale, offset, data_format=data_format, epsilon=epsilon)[0]


def _index(text: str) -> Any:
    """One part of an index expression."""
    if text == "...":
        return Ellipsis
    if text == "None":
        return None
    if ":" in text:
        return slice(*(int(part) if part else None for part in text.split(":")))
    return int(text)
