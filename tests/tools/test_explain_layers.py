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
    "group": (layers.GroupNormalization(3), X, "group_normalization"),
    "batch of channels first": (layers.BatchNormalization(axis=1), X, "batch_normalization"),
    "dense": (layers.Dense(4, activation="relu"), X[:, 0, 0], "dense"),
    "dense of a sequence": (layers.Dense(4, use_bias=False), X[:, 0], "dense"),
    "global": (layers.GlobalAveragePooling2D(), X, "global_avg_pool"),
    "global first": (layers.GlobalMaxPooling1D("channels_first"), X[:, 0], "global_max_pool"),
    "global kept": (layers.GlobalMaxPooling3D(keepdims=True), X[..., None], "global_max_pool"),
    "repeated": (layers.UpSampling1D(3), X[:, 0], "upsampling"),
    "bilinear": (layers.UpSampling2D((2, 3), interpolation="bilinear"), X, "upsampling"),
    "voxels": (layers.UpSampling3D(2), X[..., None], "upsampling"),
    "causal": (layers.Conv1D(4, 3, padding="causal", dilation_rate=2), X[:, 0], "causal_conv1d"),
    "depthwise1d": (
        layers.DepthwiseConv1D(2, strides=2, padding="same"),
        X[:, 0],
        "depthwise_conv2d",
    ),
    "separable1d": (layers.SeparableConv1D(4, 2, dilation_rate=2), X[:, 0], "separable_conv2d"),
    "depthwise1d first": (
        layers.DepthwiseConv1D(2, data_format="channels_first"),
        X[:, 0],
        "depthwise_conv2d",
    ),
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
    y = layer(x).numpy().reshape(found.call.output.shape)
    np.testing.assert_allclose(number, y[at], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", LAYERS)
def test_a_number_is_asked_for_by_the_layers_own_index(name):
    layer, x, _ = LAYERS[name]
    y = layer(x).numpy()
    at = tuple(n - 1 for n in y.shape)
    found = mt.explain(layer, x, at=at)
    activation = getattr(layer, "activation", None) or (lambda number: number)
    number = np.asarray(activation(np.float32(found.value)))
    np.testing.assert_allclose(number, y[at], rtol=1e-4, atol=1e-5)
    last = tuple(n - 1 for n in x.shape)
    assert mt.explain(layer, x, at=last, grad=next(iter(found.call.arguments))).at[0] >= last[0]


def test_a_number_that_a_layer_does_not_have_is_refused():
    with pytest.raises(ValueError, match=r"of the shape \(2, 3\) legal are 0..1, 0..2"):
        mt.explain(layers.GlobalAveragePooling2D(), X, at=(1, 3))


def test_every_layer_of_a_model_is_listed_and_can_be_opened():
    model = Sequential([
        layers.Input((8, 8, 1)),
        layers.Conv2D(2, 3, name="conv"),
        layers.MaxPooling2D(2, name="pool"),
        layers.Flatten(),
        layers.Dense(3, name="dense"),
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
    assert found["dense"].call.op == "dense"
    with pytest.raises(ValueError, match="there are conv, pool, dense"):
        found["nowhere"]


def test_every_layer_of_a_model_that_has_numbers_of_its_own_is_explained():
    model = Sequential([
        layers.Input((8, 8, 4)),
        layers.SeparableConv2D(4, 3, padding="same"),
        layers.GroupNormalization(2),
        layers.UpSampling2D(2, interpolation="bilinear"),
        layers.Conv2D(4, 3, activation="relu"),
        layers.BatchNormalization(),
        layers.GlobalAveragePooling2D(),
        layers.Dense(3, activation="softmax"),
    ])  # fmt: skip
    found = mt.explain(model, DRAW.normal(size=(1, 8, 8, 4)).astype("f"))
    assert sum(step.explanation is not None for step in found.steps) == len(model.layers)


def test_a_stack_of_dilations_reads_few_pixels(tf, capsys):
    """As often as TensorFlow's stack of weights 1 says, of each pixel alone."""
    model = Sequential([
        layers.Input((41, 1)),
        layers.Conv1D(1, 3, strides=2, kernel_initializer="ones"),
        layers.Conv1D(1, 3, dilation_rate=2, kernel_initializer="ones"),
        layers.Conv1D(1, 2, dilation_rate=4, kernel_initializer="ones"),
    ])  # fmt: skip
    found = mt.explain(model, np.ones((1, 41, 1), "f"))
    y = tf.reshape(tf.eye(41), [41, 41, 1])  # each pixel alone
    y = tf.nn.conv1d(y, tf.ones([3, 1, 1]), 2, "VALID")
    y = tf.nn.conv1d(y, tf.ones([3, 1, 1]), 1, "VALID", dilations=2)
    y = tf.nn.conv1d(y, tf.ones([2, 1, 1]), 1, "VALID", dilations=4)
    counts = y.numpy()[:, 0, 0]
    name, reached = found.reach()[-1]
    np.testing.assert_array_equal(reached, np.trim_zeros(counts))
    found.print("reach")
    assert f"{name}: sees 19 pixels, reads 15 of them" in capsys.readouterr().out
    with pytest.raises(ValueError, match="legal is 'reach', got terms"):
        found.print("terms")


def test_what_cannot_be_explained_is_refused_by_name():
    with pytest.raises(ValueError, match="Flatten cannot be explained; these layers can: Conv1D"):
        mt.explain(layers.Flatten(), np.ones((1, 2, 2), "f"))
    with pytest.raises(ValueError, match="channels_first cannot be explained"):
        mt.explain(layers.UpSampling2D(2, "channels_first"), np.ones((1, 2, 4, 4), "f"))
