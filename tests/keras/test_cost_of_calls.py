"""What an answer to one image costs beside its arithmetic: calls of Python, ops, fresh memory."""

import gc
import sys

import numpy as np
import pytest

import minitensor as tf
from minitensor.keras import layers

IMAGE = np.random.default_rng(0).standard_normal((1, 8, 8, 32), "f")


def calls_of(function, *args):
    """How many functions, of Python and of C, a call of it calls when all is warm."""
    found = []
    for _ in range(3):
        function(*args)
    gc.disable()  # which calls what others have asked it to
    sys.setprofile(lambda frame, event, arg: found.append(event) if "call" in event else None)
    try:
        function(*args)
    finally:
        sys.setprofile(None)
        gc.enable()
    return len(found)


@pytest.mark.parametrize(
    ("layer", "most"),
    [
        (layers.ReLU(6.0), 70),
        (layers.Conv2D(32, 1, use_bias=False), 170),
        (layers.BatchNormalization(), 160),
        (layers.Flatten(), 90),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_layer_calls_few_functions(layer, most):
    assert calls_of(layer, tf.constant(IMAGE)) <= most


def test_a_relu_with_a_maximum_of_six_is_one_op():
    x = tf.Variable(IMAGE)
    with tf.GradientTape() as tape:
        layers.ReLU(6.0)(x.read_value())
    assert len(tape._records) == 2  # the variable is read, and one op


@pytest.mark.parametrize("change", ["assign", "assign_sub", "set_weights", "load_weights"])
def test_a_changed_weight_is_seen_by_the_next_call(change, tmp_path):
    model = tf.keras.Sequential([layers.Conv2D(4, 1), layers.ReLU(6.0)])
    kernel = (model(IMAGE), model.layers[0].kernel)[1]
    before, double = model(IMAGE).numpy(), 2 * kernel.numpy()
    if change == "load_weights":
        kernel.assign(double)
        model.save_weights(tmp_path / "w.weights.h5")
        kernel.assign(double / 2)
        model.load_weights(tmp_path / "w.weights.h5")
    elif change == "set_weights":
        model.set_weights([double, *model.get_weights()[1:]])
    else:
        getattr(kernel, change)(double if change == "assign" else -double / 2)
    pixels = np.einsum("nhwc,co->nhwo", IMAGE, double[0, 0])
    np.testing.assert_allclose(model(IMAGE), pixels.clip(0, 6), rtol=1e-5, atol=1e-5)
    assert abs(model(IMAGE).numpy() - before).max() > 0.1
