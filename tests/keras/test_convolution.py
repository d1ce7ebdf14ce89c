"""The convolution layers against Keras with the same weights, and their sizes by its formulas."""

import numpy as np
import pytest

import minitensor as mt


def normal(*shape):
    """Seeded by its shape, so that no test depends on another."""
    return np.random.default_rng(shape).normal(size=shape).astype("float32")


def outputs(tf, name, x, **settings):
    """What our layer and Keras' give for one input and the same random weights."""
    ours, theirs = (
        getattr(mt.keras.layers, name)(**settings),
        getattr(tf.keras.layers, name)(**settings),
    )
    ours(x)
    theirs.build(x.shape)
    for mine, other in zip(ours.trainable_variables, theirs.trainable_variables, strict=True):
        weight = normal(*mine.shape)
        mine.assign(weight)
        other.assign(weight)
    return ours(x).numpy(), theirs(x).numpy()


@pytest.mark.parametrize(
    "settings",
    [
        {"kernel_size": 3},
        {"kernel_size": (3, 4), "strides": (2, 1), "padding": "SAME"},
        {"kernel_size": 3, "dilation_rate": (2, 1), "padding": "same"},
        {"kernel_size": 3, "groups": 2, "activation": "relu"},
        {"kernel_size": 2, "use_bias": False, "activation": "tanh"},
    ],
)
def test_conv2d_gives_what_keras_gives(tf, settings):
    ours, theirs = outputs(tf, "Conv2D", normal(2, 7, 6, 4), filters=6, **settings)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "settings",
    [
        {"kernel_size": 3},
        {"kernel_size": 3, "strides": 2, "padding": "SAME"},
        {"kernel_size": 3, "strides": 2, "padding": "same", "output_padding": 0},
        {"kernel_size": (4, 2), "strides": (3, 2), "output_padding": (2, 1)},
        {"kernel_size": 2, "strides": 3},
        {"kernel_size": 3, "strides": 1, "use_bias": False, "activation": "relu"},
    ],
)
def test_conv2d_transpose_gives_what_keras_gives(tf, settings):
    ours, theirs = outputs(tf, "Conv2DTranspose", normal(2, 4, 5, 3), filters=2, **settings)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["Conv2D", "Conv2DTranspose"])
def test_channels_first_is_the_transposed_channels_last(name):
    make, x = getattr(mt.keras.layers, name), normal(2, 5, 6, 3)
    last, first = (
        make(4, 3, padding="same"),
        make(4, 3, padding="same", data_format="channels_first"),
    )
    expected = last(x).numpy()
    first(x.transpose(0, 3, 1, 2))
    for mine, other in zip(first.trainable_variables, last.trainable_variables, strict=True):
        mine.assign(other)
    actual = first(x.transpose(0, 3, 1, 2)).numpy()
    np.testing.assert_allclose(actual, expected.transpose(0, 3, 1, 2), rtol=1e-5, atol=1e-6)


def test_stride_and_dilation_together_are_right():
    """Keras refuses this; the reference is nn.conv2d, which is checked elsewhere."""
    layer, x = mt.keras.layers.Conv2D(2, 3, strides=2, dilation_rate=2), normal(1, 9, 9, 3)
    y = layer(x)
    expected = mt.nn.conv2d(x, layer.kernel, 2, "VALID", dilations=2)
    np.testing.assert_array_equal(y.numpy(), expected.numpy())


def test_a_tape_sees_the_weights_of_a_layer():
    layer = mt.keras.layers.Conv2D(2, 3)
    with mt.GradientTape() as tape:
        y = mt.reduce_sum(layer(normal(1, 4, 4, 1)))
    kernel, bias = tape.gradient(y, layer.trainable_variables)
    assert kernel.shape == layer.kernel.shape
    np.testing.assert_array_equal(bias.numpy(), [4, 4])  # one for each place


def test_weights_are_made_at_the_first_call():
    layer = mt.keras.layers.Conv2D(2, 3)
    assert layer.trainable_variables == []
    layer(normal(1, 4, 4, 1))
    assert len(layer.trainable_variables) == 2


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"activation": "wobble"}, "activation.*'wobble'"),
        ({"kernel_initializer": "wobble"}, "initializer.*'wobble'"),
        ({"data_format": "NHWC"}, "data_format.*'NHWC'"),
        ({"strides": 1.5}, "strides.*1.5"),
        ({"dilation_rate": (1, 2, 3)}, r"dilation_rate.*\(1, 2, 3\)"),
    ],
)
def test_a_wrong_setting_is_named(settings, words):
    with pytest.raises(ValueError, match=words):
        mt.keras.layers.Conv2D(2, 3, **settings)
