"""`tf.explain(layer, x)` and `tf.explain(model, x)`: layers are the ops that they call."""

from __future__ import annotations

import numpy as np
import pytest

import minitensor as mt
from minitensor.keras import Sequential, layers

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(2, 6, 5, 3)).astype("f")
LAYERS = {
    "conv": (layers.Conv2D(4, 3, strides=2, padding="same", activation="relu"), X, "conv2d"),
    "grouped": (layers.Conv2D(6, 2, dilation_rate=2, groups=3, use_bias=False), X, "conv2d"),
    "conv1d": (layers.Conv1D(4, 2), X[:, 0], "conv1d"),
    "first": (layers.Conv2D(4, 3, data_format="channels_first"), X, "conv2d"),
    "conv3d": (layers.Conv3D(2, 2), X[..., None], "conv3d"),
    "transposed": (layers.Conv2DTranspose(2, 3, strides=2, padding="same"), X, "conv2d_transpose"),
    "depthwise": (layers.DepthwiseConv2D(2, depth_multiplier=2), X, "depthwise_conv2d"),
    "separable": (layers.SeparableConv2D(4, 3, padding="same"), X, "separable_conv2d"),
    "max": (layers.MaxPooling2D(2, padding="same"), X, "max_pool2d"),
    "avg": (layers.AveragePooling1D(2), X[0], "avg_pool1d"),
    "batch": (layers.BatchNormalization(), X, "batch_normalization"),
    "layer": (layers.LayerNormalization(axis=-1), X, "layer_normalization"),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_the_op_that_it_calls(name):
    """The layer's own output is compared inside, after its activation."""
    layer, x, op = LAYERS[name]
    found = mt.explain(layer, x)
    assert found.call.op == op
    activation = getattr(layer, "activation", None) or (lambda y: y)
    at = tuple(int(DRAW.integers(n)) for n in found.call.output.shape)
    number = np.asarray(activation(np.float32(found.terms(at).total)))
    np.testing.assert_allclose(number, layer(x).numpy()[at], rtol=1e-4, atol=1e-5)


def test_every_layer_of_a_model_is_listed_and_can_be_opened():
    model = Sequential([
        layers.Input((8, 8, 1)),
        layers.Conv2D(2, 3, name="conv"),
        layers.MaxPooling2D(2, name="pool"),
        layers.Flatten(),
        layers.Dense(3),
    ])  # fmt: skip
    found = mt.explain(model, DRAW.normal(size=(1, 8, 8, 1)).astype("f"))
    lines = str(found).splitlines()
    (conv,) = (line for line in lines if "conv (Conv2D)" in line)
    (pool,) = (line for line in lines if "pool (Max" in line)
    assert "3x3" in conv
    assert "floor((8 + 0 - 3)/1) + 1 = 6" in conv
    assert "648" in conv  # 6 * 6 * 9 * 2
    assert "4x4" in pool
    assert found["conv"].call.op == "conv2d"
    np.testing.assert_array_equal(found["pool"].call.array("input"), found["conv"].call.output)
    assert found._repr_html_().count("<details>") == len(found.steps)
    with pytest.raises(ValueError, match="there are conv, pool"):
        found["dense"]


def test_what_cannot_be_explained_is_refused_by_name():
    with pytest.raises(ValueError, match="Dense cannot be explained; these layers can: Conv1D"):
        mt.explain(layers.Dense(2), np.ones((1, 2), "f"))
    with pytest.raises(ValueError, match="padding 'causal' cannot be explained"):
        mt.explain(layers.Conv1D(2, 2, padding="causal"), np.ones((1, 4, 1), "f"))
