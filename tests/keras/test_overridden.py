"""What a program overrides in a class of Keras is called, and its result is what counts."""

import numpy as np
import pytest

import minitensor as mt


def standardised(keras, ops, rank):
    """A convolution whose kernels are standardised first, as in weight standardisation."""

    class Standardised(getattr(keras.layers, f"Conv{rank}D")):
        def convolution_op(self, inputs, kernel):
            mean = ops.mean(kernel, axis=tuple(range(rank + 1)), keepdims=True)
            return super().convolution_op(inputs, kernel - mean) * 2.0

    return Standardised


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("rank", [2, 3])
def test_a_convolution_of_one_s_own(tf, rank, data_format, bias):
    """Keras' Conv1D does not ask for it; ours does, as Conv2D and Conv3D of both."""
    x = np.random.default_rng(0).normal(size=(2, *[5] * rank, 3)).astype("float32")
    settings = {"use_bias": bias, "activation": "tanh", "strides": 2, "padding": "same"}
    ours = standardised(mt.keras, _Ops, rank)(4, 3, data_format=data_format, **settings)
    theirs = standardised(tf.keras, tf.keras.ops, rank)(4, 3, **settings)
    theirs(x)
    last = data_format == "channels_last"
    given = x if last else np.moveaxis(x, -1, 1)
    ours(given)
    weights = [w + 0.1 for w in theirs.get_weights()]
    ours.set_weights(weights), theirs.set_weights(weights)
    with mt.GradientTape() as tape:
        y = ours(given)
    with tf.GradientTape() as their_tape:
        other = theirs(x)
    found = np.asarray(y) if last else np.moveaxis(np.asarray(y), 1, -1)
    np.testing.assert_allclose(found, other, rtol=1e-5, atol=1e-6)
    pairs = zip(
        tape.gradient(y, ours.trainable_weights),
        their_tape.gradient(other, theirs.trainable_weights),
        strict=True,
    )
    for a, b in pairs:
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_a_convolution_of_one_s_own_of_a_signal_and_of_one_layer():
    x = mt.ones([1, 5, 2])
    layer = standardised(mt.keras, _Ops, 1)(2, 3, padding="causal", kernel_initializer="ones")
    np.testing.assert_array_equal(layer(x), np.zeros((1, 5, 2)))
    alone = mt.keras.layers.Conv2D(2, 3)
    alone.convolution_op = lambda inputs, kernel: mt.zeros([1, 3, 3, 2])
    assert not np.any(alone(mt.ones([1, 5, 5, 2])))


class _Ops:
    mean = staticmethod(mt.reduce_mean)
