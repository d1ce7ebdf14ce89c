"""The normalising layers against Keras: outputs, gradients, and statistics after several steps."""

import numpy as np
import pytest
from keras_peer import assert_same, close, floatx, same_weights

import minitensor as mt

LAYERS = mt.keras.layers
draw = np.random.default_rng(0)
X = draw.normal(2.0, 3.0, size=(3, 4, 5, 6))
ONE_D = draw.normal(size=(8, 6))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    "make",
    [
        lambda k: k.layers.BatchNormalization(),
        lambda k: k.layers.BatchNormalization(axis=1, momentum=0.7, epsilon=1e-2),
        lambda k: k.layers.BatchNormalization(axis=2, center=False),
        lambda k: k.layers.BatchNormalization(scale=False),
        lambda k: k.layers.BatchNormalization(center=False, scale=False),
        lambda k: k.layers.BatchNormalization(
            beta_initializer="random_normal",
            gamma_initializer=k.initializers.Constant(2.0),
            moving_mean_initializer="ones",
            moving_variance_initializer=k.initializers.Constant(3.0),
            beta_regularizer="l2",
            gamma_constraint="non_neg",
        ),
    ],
)
def test_batch_normalization_is_that_of_keras(tf, make, training, dtype):
    assert_same(tf, make, X, training=training, dtype=dtype)


@pytest.mark.parametrize("shape", [(8, 6), (4, 5, 6), (2, 3, 2, 2, 6), (1, 1, 1, 6)])
def test_batches_of_any_number_of_axes_are_normalised(tf, shape):
    x = draw.normal(size=shape)
    for training in (True, False):
        assert_same(tf, lambda k: k.layers.BatchNormalization(), x, training=training)


@pytest.mark.parametrize("axis", [-1, 1])
def test_moving_statistics_after_several_steps_are_those_of_keras(tf, axis):
    with floatx(tf, "float64"):
        ours, theirs = (k.layers.BatchNormalization(axis, 0.9) for k in (mt.keras, tf.keras))
        for layer in (ours, theirs):
            layer.build((None, 6, None, 6))
        same_weights(ours, theirs)
        for step in range(5):
            x = draw.normal(step, 1 + step, size=(4, 6, 3, 6))
            close(np.asarray(ours(x, training=True)), np.asarray(theirs(x, training=True)), 1e-10)
            close(np.asarray(ours(x)), np.asarray(theirs(x)), 1e-10)
        for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            close(a, b, 1e-10)


def test_the_moving_variance_is_that_of_the_batch_divided_by_n():
    layer = LAYERS.BatchNormalization(momentum=0.0)
    layer([[1.0], [3.0]], training=True)
    assert layer.moving_mean.numpy() == [2.0]
    assert layer.moving_variance.numpy() == [1.0]


def test_a_frozen_layer_normalises_by_its_moving_statistics(tf):
    for keras in (mt.keras, tf.keras):
        layer = keras.layers.BatchNormalization(trainable=False)
        y = np.asarray(layer(np.asarray(ONE_D, "float32"), training=True))
        close(y, np.asarray(ONE_D / np.sqrt(1.001), "float32"), 1e-6)
        assert not layer.trainable_weights
        assert (np.asarray(layer.moving_mean) == 0).all()


def test_statistics_and_weights_are_named_and_ordered_as_by_keras(tf):
    layers = [k.layers.BatchNormalization() for k in (mt.keras, tf.keras)]
    for layer in layers:
        layer.build((None, 4))
    ours, theirs = ([w.path.rpartition("/")[2] for w in layer.weights] for layer in layers)
    assert ours == theirs == ["gamma", "beta", "moving_mean", "moving_variance"]
    assert [len(layer.trainable_weights) for layer in layers] == [2, 2]


def test_the_tape_does_not_see_the_moving_statistics():
    layer, x = LAYERS.BatchNormalization(), mt.constant(ONE_D.astype("float32"))
    with mt.GradientTape() as tape:
        tape.watch(x)
        y = mt.reduce_sum(layer(x, training=True) ** 2) + mt.reduce_sum(layer.moving_mean)
    assert tape.gradient(y, [x, layer.moving_mean])[1] is None


def test_half_precision_keeps_its_type():
    x = ONE_D.astype("float16")
    for layer in (
        LAYERS.BatchNormalization(dtype="float16"),
        LAYERS.LayerNormalization(dtype="float16"),
        LAYERS.GroupNormalization(2, dtype="float16"),
    ):
        wide = type(layer)(2) if isinstance(layer, LAYERS.GroupNormalization) else type(layer)()
        for training in (True, False):
            y = mt.keras.Sequential([layer])(x, training=training)
            other = mt.keras.Sequential([wide])(x.astype("float32"), training=training)
            assert y.dtype == np.float16
            np.testing.assert_allclose(y.numpy(), other.numpy(), atol=4e-3)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "make",
    [
        lambda k: k.layers.LayerNormalization(),
        lambda k: k.layers.LayerNormalization(axis=1, epsilon=1e-5),
        lambda k: k.layers.LayerNormalization(axis=[1, 2, 3]),
        lambda k: k.layers.LayerNormalization(axis=(-2, -1), scale=False),
        lambda k: k.layers.LayerNormalization(center=False),
        lambda k: k.layers.LayerNormalization(center=False, scale=False),
        lambda k: k.layers.GroupNormalization(groups=2),
        lambda k: k.layers.GroupNormalization(groups=3, axis=-1, center=False),
        lambda k: k.layers.GroupNormalization(groups=2, axis=1, epsilon=1e-2),
        lambda k: k.layers.GroupNormalization(groups=1, scale=False),
        lambda k: k.layers.GroupNormalization(groups=-1),
        lambda k: k.layers.GroupNormalization(groups=-1, axis=1),
        lambda k: k.layers.UnitNormalization(),
        lambda k: k.layers.UnitNormalization(axis=[1, 2]),
    ],
)
def test_the_other_normalising_layers_are_those_of_keras(tf, make, dtype):
    assert_same(tf, make, X, dtype=dtype)


def test_very_short_vectors_get_length_1_too(tf):
    assert_same(tf, lambda k: k.layers.UnitNormalization(), 1e-7 * X, grads=False)


def test_instance_normalisation_gives_each_channel_of_each_image_mean_0_and_variance_1():
    y = LAYERS.GroupNormalization(groups=-1, epsilon=1e-9)(X).numpy()
    np.testing.assert_allclose(y.mean(axis=(1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(y.var(axis=(1, 2)), 1, atol=1e-5)


def test_local_response_normalisation_is_a_layer(tf):
    settings = {"depth_radius": 2, "bias": 2.0, "alpha": 1e-2, "beta": 0.75}

    def make(k):
        if k is mt.keras:
            return k.layers.LocalResponseNormalization(**settings)
        return k.layers.Lambda(lambda x: tf.nn.local_response_normalization(x, **settings))

    assert_same(tf, make, X, dtype="float32")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LAYERS.BatchNormalization(axis=4)(X), "axis 4 is out of bounds"),
        (lambda: LAYERS.BatchNormalization().build((2, None)), "defined dimension"),
        (lambda: LAYERS.LayerNormalization(rms_scaling=True), "rms_scaling"),
        (lambda: LAYERS.LayerNormalization(axis=5)(X), "out of bounds"),
        (lambda: LAYERS.GroupNormalization(groups=0), "positive integer"),
        (lambda: LAYERS.GroupNormalization(groups=4)(X), "must divide the number of channels"),
    ],
)
def test_settings_that_do_not_fit_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_an_axis_that_is_no_number_is_refused():
    for name in ("LayerNormalization", "UnitNormalization"):
        with pytest.raises(TypeError, match="int or a list"):
            getattr(LAYERS, name)(axis="last")


def test_another_number_of_channels_than_it_was_built_for_is_refused():
    for layer in (LAYERS.BatchNormalization(), LAYERS.GroupNormalization(2)):
        layer(ONE_D)
        with pytest.raises(ValueError, match="incompatible"):
            layer(ONE_D[:, :4])
