"""What a program changes in a layer after it was made: settings, kernels, weights."""

import functools
import gc
import weakref

import numpy as np
import pytest

import minitensor as tf

layers = tf.keras.layers


def image(*shape, dtype="float32"):
    return tf.constant(np.random.default_rng(0).normal(size=shape).astype(dtype))


@pytest.mark.parametrize(
    ("layer", "name", "value", "same"),
    [
        (lambda: layers.Conv2D(2, 3), "strides", [2, 2], {"strides": 2}),
        (lambda: layers.Conv2D(2, 3), "strides", 2, {"strides": 2}),
        (lambda: layers.Conv2D(2, 1), "kernel_size", np.array([3, 3]), {"kernel_size": 3}),
        (lambda: layers.Conv2D(2, 3), "dilation_rate", [2, 2], {"dilation_rate": 2}),
        (lambda: layers.MaxPooling2D(3, 1), "pool_size", [2, 2], {"pool_size": 2}),
        (lambda: layers.Conv2D(2, 3), "padding", "SAME", {"padding": "same"}),
        (
            lambda: layers.Conv2D(2, 3),
            "data_format",
            "channels_first",
            {"data_format": "channels_first"},
        ),
        (
            lambda: layers.ZeroPadding2D(1),
            "data_format",
            "channels_first",
            {"data_format": "channels_first"},
        ),
    ],
)
def test_a_setting_that_is_changed_later_is_as_if_it_had_been_given(layer, name, value, same):
    x, changed = image(2, 7, 7, 7), layer()
    setattr(changed, name, value)
    given = type(changed).from_config(changed.get_config() | same)
    y = changed(x)
    given.build(x.shape)
    given.set_weights(changed.get_weights())
    np.testing.assert_array_equal(y, given(x))


def test_a_setting_that_is_no_number_is_refused_when_it_is_set():
    layer = layers.Conv2D(2, 3)
    with pytest.raises(ValueError, match="`strides` argument must be a tuple of 2 integers"):
        layer.strides = (2.0, 2.0)


@pytest.mark.parametrize(
    ("layer", "shape", "taps", "more"),
    [
        (lambda: layers.Conv1D(2, 3, padding="same"), (2, 9, 3), (5,), (3, 2)),
        (lambda: layers.Conv2D(2, 3, padding="same"), (2, 6, 6, 3), (1, 9), (3, 2)),
        (lambda: layers.Conv3D(2, 3, padding="same"), (1, 4, 4, 4, 3), (1, 5, 2), (3, 2)),
        (lambda: layers.DepthwiseConv2D(3, padding="same"), (2, 6, 6, 3), (5, 1), (3, 1)),
    ],
)
def test_a_kernel_of_a_program_s_own_has_its_own_taps(layer, shape, taps, more):
    x, changed = image(*shape), layer()
    changed(x)
    kernel = image(*taps, *more)
    changed.kernel = tf.Variable(kernel)
    function = (
        tf.nn.depthwise_conv2d if "Depthwise" in type(changed).__name__ else tf.nn.convolution
    )
    strides = [1] * (4 if function is tf.nn.depthwise_conv2d else len(taps))
    np.testing.assert_array_equal(changed(x), function(x, kernel, strides, "SAME"))


def test_a_transposed_kernel_of_other_taps_is_refused():
    layer = layers.Conv2DTranspose(1, 3)
    layer(image(1, 6, 6, 1))
    layer.kernel = tf.Variable(image(1, 9, 1, 1))
    with pytest.raises(ValueError, match=r"Conv2DTranspose.*kernel_size \(3, 3\)"):
        layer(image(1, 6, 6, 1))


def test_a_layer_that_is_dropped_is_freed_at_once():
    gc.collect()
    gc.disable()  # no cycle may keep the weights of a layer, on a GPU least of all
    try:
        layer = layers.Dense(3)
        layer(image(2, 4))
        assert len(layer.weights) == 2
        weight = weakref.ref(layer.weights[0])
        del layer
        assert weight() is None
    finally:
        gc.enable()


def test_what_is_set_past_setattr_is_found():
    class Lazy(layers.Layer):
        @functools.cached_property
        def w(self):
            return tf.Variable(tf.ones([3]))

        def call(self, x):
            return x * self.w if x.shape[0] > 1 else x

    layer = Lazy()
    layer(image(1, 3))
    assert layer.weights == []
    layer(image(2, 3))
    assert len(layer.weights) == 1
    vars(layer)["other"] = tf.Variable(1.0)
    assert len(layer.weights) == 2


def test_a_depthwise_layer_refuses_images_without_channels():
    with pytest.raises(ValueError, match=r"DepthwiseConv2D.* must not have zero elements"):
        layers.DepthwiseConv2D(2)(tf.ones([1, 4, 4, 0]))
