"""The layers with kernels against Keras: values, every gradient, sizes, costs, refusals."""

import math

import numpy as np
import pytest
from keras_peer import assert_same

import minitensor as mt

LAYERS = mt.keras.layers
SIZES = {1: (9,), 2: (7, 6), 3: (4, 5, 4)}


def images(rank, channels=4, first=False):
    """Seeded signals, images or volumes."""
    shape = (2, channels, *SIZES[rank]) if first else (2, *SIZES[rank], channels)
    return np.random.default_rng(rank).normal(size=shape)


def same(tf, name, settings, x):
    def make(keras):
        return getattr(keras.layers, name)(**settings)

    ours, _ = assert_same(tf, make, x)
    assert tuple(ours.compute_output_shape(x.shape)) == tuple(ours(x).shape)


CONVOLUTIONS = [
    {"kernel_size": 3},
    {"kernel_size": 2, "strides": 2, "padding": "same"},
    {"kernel_size": 3, "dilation_rate": 2, "padding": "SAME", "activation": "relu"},
    {"kernel_size": 1, "groups": 2, "use_bias": False, "activation": "tanh"},
    {"kernel_size": (2,), "activation": "relu6"},
]


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("settings", CONVOLUTIONS)
def test_a_convolution_is_keras_s(tf, rank, settings):
    if rank > 1 and settings["kernel_size"] == (2,):
        settings = settings | {"kernel_size": (2, 3, 1)[:rank]}
    if rank == 3 and "groups" in settings:
        settings = settings | {"groups": 1}  # Keras on a CPU has no groups for volumes
    same(tf, f"Conv{rank}D", {"filters": 6} | settings, images(rank))


@pytest.mark.parametrize(
    "settings",
    [
        {"kernel_size": 3, "padding": "causal"},
        {"kernel_size": 2, "padding": "CAUSAL", "strides": 2},
        {"kernel_size": 3, "padding": "causal", "dilation_rate": 2},
    ],
)
def test_a_causal_convolution_is_keras_s(tf, settings):
    same(tf, "Conv1D", {"filters": 2} | settings, images(1))


def test_a_causal_convolution_sees_no_later_step():
    layer, x = LAYERS.Conv1D(2, 3, padding="causal", dilation_rate=2), images(1)
    before = layer(x).numpy()
    x[:, 5:] += 1
    np.testing.assert_array_equal(layer(x).numpy()[:, :5], before[:, :5])


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize(
    "settings",
    [
        {"kernel_size": 3},
        {"kernel_size": 3, "strides": 2, "padding": "same", "activation": "relu"},
        {"kernel_size": 2, "strides": 3, "use_bias": False},
        {"kernel_size": 3, "strides": 2, "padding": "same", "output_padding": 1},
        {"kernel_size": 2, "strides": 2, "output_padding": 1},
    ],
)
def test_a_transposed_convolution_is_keras_s(tf, rank, settings):
    same(tf, f"Conv{rank}DTranspose", {"filters": 2} | settings, images(rank, 3))


DEPTHWISE = [
    {"kernel_size": 3},
    {"kernel_size": 2, "strides": 2, "padding": "same", "depth_multiplier": 2},
    {"kernel_size": 3, "dilation_rate": 2, "use_bias": False, "activation": "relu"},
    {"kernel_size": 3, "activation": "relu", "padding": "same"},
]


@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("settings", DEPTHWISE)
def test_a_depthwise_convolution_is_keras_s(tf, rank, settings):
    same(tf, f"DepthwiseConv{rank}D", settings, images(rank, 3))


@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("settings", DEPTHWISE)
def test_a_separable_convolution_is_keras_s(tf, rank, settings):
    same(tf, f"SeparableConv{rank}D", {"filters": 5} | settings, images(rank, 3))


# What Keras computes on a CPU as well, without gradients.
FIRST_IN_KERAS = [
    ("Conv2D", 2, {"filters": 2, "kernel_size": 3, "activation": "relu", "groups": 2}),
    ("Conv3D", 3, {"filters": 2, "kernel_size": 2}),
    ("DepthwiseConv1D", 1, {"kernel_size": 3, "depth_multiplier": 2}),
    ("DepthwiseConv2D", 2, {"kernel_size": 3, "strides": 2, "padding": "same"}),
    ("SeparableConv1D", 1, {"filters": 2, "kernel_size": 3, "activation": "relu"}),
    ("SeparableConv2D", 2, {"filters": 2, "kernel_size": 3, "use_bias": False}),
]
FIRST = [
    *FIRST_IN_KERAS,
    ("Conv1D", 1, {"filters": 2, "kernel_size": 3, "padding": "causal"}),
    ("Conv2D", 2, {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same"}),
    ("Conv1DTranspose", 1, {"filters": 2, "kernel_size": 3, "strides": 2}),
    ("Conv2DTranspose", 2, {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same"}),
    ("Conv3DTranspose", 3, {"filters": 2, "kernel_size": 2, "strides": 2}),
]


@pytest.mark.parametrize(("name", "rank", "settings"), FIRST)
def test_channels_first_is_the_transposed_channels_last(name, rank, settings):
    """Channels last is compared with Keras above."""
    make = getattr(LAYERS, name)
    last = make(**settings, dtype="float64")
    first = make(**settings, dtype="float64", data_format="channels_first")
    x = images(rank)
    to_first, to_last = (0, rank + 1, *range(1, rank + 1)), (0, *range(2, rank + 2), 1)
    last(x)
    first(x.transpose(to_first))
    first.set_weights(last.get_weights())
    found = []
    for layer, image, back in ((last, x, None), (first, x.transpose(to_first), to_last)):
        image = mt.constant(image)
        with mt.GradientTape() as tape:
            tape.watch(image)
            y = layer(image)
            loss = mt.reduce_sum(mt.sin(y))
        dx, *dw = tape.gradient(loss, [image, *layer.trainable_weights])
        turned = (y.numpy(), dx.numpy())
        found.append([t if back is None else t.transpose(back) for t in turned])
        found[-1] += [w.numpy() for w in dw]
    for mine, other in zip(*found, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("name", "rank", "settings"), FIRST_IN_KERAS)
def test_channels_first_is_keras_s(tf, name, rank, settings):
    def make(keras):
        return getattr(keras.layers, name)(**settings, data_format="channels_first")

    ours, theirs = assert_same(tf, make, images(rank, first=True), dtype="float32", grads=False)
    shape = (None, 4, *[9] * rank)
    assert ours.compute_output_shape(shape) == tuple(theirs.compute_output_shape(shape))


@pytest.mark.parametrize("shape", [(4, 6), (2, 3, 6), (2, 1, 3, 6)])
@pytest.mark.parametrize("settings", [{}, {"activation": "relu"}, {"use_bias": False}])
def test_dense_is_keras_s_for_any_number_of_axes(tf, shape, settings):
    same(tf, "Dense", {"units": 5} | settings, np.random.default_rng(0).normal(size=shape))


def test_dense_takes_integers_as_keras_does(tf):
    x = np.arange(12, dtype=np.uint8).reshape(2, 6)
    ours, _ = assert_same(tf, lambda keras: keras.layers.Dense(3), x, grads=False)
    assert ours(x).dtype == mt.float64


@pytest.mark.parametrize(
    "make",
    [
        lambda: LAYERS.Conv2D(2, 3),
        lambda: LAYERS.Conv2DTranspose(2, 3),
        lambda: LAYERS.DepthwiseConv2D(3),
        lambda: LAYERS.SeparableConv2D(2, 3),
        lambda: LAYERS.AveragePooling2D(2),
    ],
)
def test_integers_are_refused_with_what_to_do(make):
    with pytest.raises(TypeError, match=r"uint8.*tf\.cast.*Rescaling"):
        make()(np.zeros((1, 5, 5, 3), np.uint8))


# ----- rules of the weights -----


def test_each_weight_gets_the_rules_that_bear_its_name():
    rules = {
        "kernel_regularizer": lambda w: mt.reduce_sum(w),
        "bias_regularizer": lambda w: mt.reduce_sum(w * 0 + 1),
        "kernel_constraint": mt.abs,
        "bias_constraint": mt.exp,
    }
    for layer in (LAYERS.Conv2D(2, 3, **rules), LAYERS.Conv2DTranspose(2, 3, **rules)):
        layer(images(2))
        assert layer.kernel.constraint is mt.abs
        assert layer.bias.constraint is mt.exp
        kernel, bias = layer.losses
        np.testing.assert_allclose(kernel, np.sum(layer.kernel.numpy()), rtol=1e-4)
        assert float(bias) == 2


def test_the_kernels_of_a_separable_convolution_have_rules_of_their_own():
    layer = LAYERS.SeparableConv2D(
        2, 3, depthwise_initializer="ones", pointwise_initializer="zeros", bias_constraint=mt.abs
    )
    layer(images(2))
    assert layer.depthwise_kernel.numpy().min() == 1
    assert layer.pointwise_kernel.numpy().max() == 0
    assert layer.depthwise_kernel.constraint is None
    assert layer.bias.constraint is mt.abs


def test_a_depthwise_convolution_calls_its_weight_kernel_and_its_rules_depthwise():
    layer = LAYERS.DepthwiseConv2D(3, depthwise_initializer="ones", depthwise_constraint=mt.abs)
    layer(images(2))
    assert layer.kernel.numpy().min() == 1
    assert layer.kernel.constraint is mt.abs


@pytest.mark.parametrize("name", ["Conv2D", "Conv2DTranspose", "DepthwiseConv2D", "Dense"])
def test_an_activity_regularizer_adds_what_keras_adds(tf, name):
    settings = {"DepthwiseConv2D": (3,), "Dense": (2,)}.get(name, (2, 3))

    def make(keras):
        rule = keras.regularizers.L2(0.25)
        return getattr(keras.layers, name)(*settings, activity_regularizer=rule)

    ours, theirs = assert_same(tf, make, images(2))
    np.testing.assert_allclose(ours.losses[0], theirs.losses[0], rtol=1e-10)


def test_constants_fill_the_kernel_by_their_number():
    """The seed S2 writes a 3x3 kernel as an array of shape (1, 3, 3)."""
    w = np.arange(9.0).reshape(1, 3, 3)
    layer = LAYERS.Conv2D(1, [3, 3], kernel_initializer=mt.constant_initializer(w))
    layer(np.ones((1, 5, 5, 1), np.float32))
    np.testing.assert_array_equal(layer.kernel.numpy(), w.reshape(3, 3, 1, 1))


# ----- building -----


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: LAYERS.Conv2D(2, 3), "kernel"),
        (lambda: LAYERS.Conv2D(2, 3), "bias"),
        (lambda: LAYERS.Dense(2), "kernel"),
        (lambda: LAYERS.SeparableConv2D(2, 3), "pointwise_kernel"),
    ],
)
def test_a_weight_is_not_there_before_the_layer_is_built(make, name):
    with pytest.raises(AttributeError, match=f"build the layer before accessing `{name}`"):
        getattr(make(), name)


def test_what_no_layer_has_and_what_was_not_drawn_are_told_apart():
    with pytest.raises(AttributeError, match="no attribute 'kernels'"):
        LAYERS.Dense(1).kernels  # noqa: B018
    with pytest.raises(AttributeError, match="symbolic"):
        LAYERS.Dense(1).input  # noqa: B018


def test_without_a_bias_bias_is_none():
    layer = LAYERS.Conv2D(2, 3, use_bias=False)
    layer.build((None, None, None, 3))
    assert layer.bias is None
    assert [w.path for w in layer.weights] == [f"{layer.name}/kernel"]


def test_build_needs_the_channels_only():
    layer = LAYERS.Conv2DTranspose(2, 3, data_format="channels_first")
    layer.build((None, 5, None, None))
    assert layer.kernel.shape == (3, 3, 2, 5)
    with pytest.raises(ValueError, match=r"channel axis.*\(None, 4, 4, None\)"):
        LAYERS.Conv2D(2, 3).build((None, 4, 4, None))


def test_other_channels_than_those_it_was_built_for_are_refused():
    layer = LAYERS.Conv2D(2, 3)
    layer(images(2, 4))
    with pytest.raises(ValueError, match="axis -1 of size 4, found 3"):
        layer(images(2, 3))


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (LAYERS.Conv2D(4, 3), (None, None, 7, 1), (None, None, 5, 4)),
        (LAYERS.Conv2D(4, 3, 2, "same", "channels_first"), (None, 1, 7, None), (None, 4, 4, None)),
        (LAYERS.Conv1D(4, 3, padding="causal"), (None, None, 1), (None, None, 4)),
        (LAYERS.Conv2DTranspose(4, 3, 2), (None, None, 7, 1), (None, None, 15, 4)),
        (LAYERS.DepthwiseConv2D(3, depth_multiplier=2), (None, None, 7, 3), (None, None, 5, 6)),
        (LAYERS.SeparableConv2D(4, 3), (None, None, 7, None), (None, None, 5, 4)),
        (LAYERS.Dense(4), (None, None, 7), (None, None, 4)),
    ],
)
def test_a_size_that_may_vary_stays_so(layer, shape, expected):
    assert layer.compute_output_shape(shape) == expected


# ----- costs -----


@pytest.mark.parametrize(
    ("layer", "shape", "macs"),
    [
        (LAYERS.Conv2D(64, 3, padding="same"), (1, 32, 32, 3), 32 * 32 * 64 * 27),
        (LAYERS.Conv2D(4, 3, 2, groups=2), (5, 9, 9, 6), 4 * 4 * 4 * 9 * 3),
        (LAYERS.Conv1D(4, 3, padding="causal"), (1, 9, 2), 9 * 4 * 6),
        (LAYERS.Conv2DTranspose(4, 3, 2), (1, 5, 5, 2), 25 * 9 * 4 * 2),
        (LAYERS.Conv2DTranspose(4, 3, 2, "same", 1), (1, 5, 5, 2), 25 * 9 * 4 * 2),
        (LAYERS.DepthwiseConv2D(3, padding="same"), (1, 8, 8, 5), 64 * 5 * 9),
        (LAYERS.SeparableConv2D(7, 3, padding="same"), (1, 8, 8, 5), 64 * (5 * 9 + 5 * 7)),
        (LAYERS.Dense(10), (3, 20), 200),
        (LAYERS.Dense(10), (3, 4, 20), 800),
    ],
)
def test_a_layer_knows_its_multiplications(layer, shape, macs):
    assert layer.macs(layer(np.zeros(shape, np.float32)).shape) == macs


def test_the_multiplications_are_those_of_the_loops():
    """Counted, not derived: every tap of every place that a valid convolution visits."""
    layer = LAYERS.Conv2D(3, (2, 3), (1, 2), dilation_rate=(2, 1))
    shape = layer(np.zeros((1, 6, 7, 2), np.float32)).shape
    places = [(i, j) for i in range(6) for j in range(0, 7, 2) if i + 2 < 6 and j + 2 < 7]
    taps = math.prod((2, 3))
    assert layer.macs(shape) == sum(1 for _ in places for _ in range(taps * 2 * 3))


def test_a_window_knows_its_receptive_field():
    assert LAYERS.Conv2D(1, (3, 1), (2, 1), dilation_rate=(4, 1)).receptive_field == (
        (9, 2),
        (1, 1),
    )
    assert LAYERS.Conv1DTranspose(1, 4, 2).receptive_field == ((4, 2),)
    assert LAYERS.Dense(1).receptive_field is None


# ----- refusals -----


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: LAYERS.Conv2D(0, 3), "`filters`.*strictly positive.*filters=0"),
        (lambda: LAYERS.Conv2D(2.5, 3), "`filters`.*2.5"),
        (lambda: LAYERS.Conv2D(2, 0), "`kernel_size`.*tuple of 2 integers.*kernel_size=0"),
        (lambda: LAYERS.Conv3D(2, (1, 2)), "`kernel_size`.*tuple of 3"),
        (lambda: LAYERS.Conv2D(2, 3, strides=0), "`strides`.*strides=0"),
        (lambda: LAYERS.Conv2D(2, 3, groups=0), "number of groups must be a positive integer"),
        (lambda: LAYERS.Conv2D(4, 3, groups=3), "evenly divisible.*groups=3, filters=4"),
        (lambda: LAYERS.Conv2D(2, 3, padding="causal"), "`padding`.*'causal'"),
        (lambda: LAYERS.Conv1D(2, 3, padding="full"), "`padding`.*causal.*'full'"),
        (lambda: LAYERS.Conv2DTranspose(2, 3, 2, output_padding=2), "strictly less than `strides`"),
        (lambda: LAYERS.DepthwiseConv2D(3, depth_multiplier=0), "`depth_multiplier`.*0"),
        (lambda: LAYERS.Dense(-1), "`units`.*positive integer.*-1"),
        (lambda: LAYERS.Dense(2.0), r"`units`.*2\.0"),
        (lambda: LAYERS.Dense(2, lora_rank=1), "`lora_rank` must be None"),
        (lambda: LAYERS.Dense(2, activation="wobble"), "activation.*'?wobble'?"),
        (lambda: LAYERS.Conv2D(2, 3)(images(1)), "ndim=4, found ndim=3"),
        (lambda: LAYERS.Dense(2)(np.ones(3)), "min_ndim=2, found ndim=1"),
        (lambda: LAYERS.Conv2D(2, 3, groups=2)(images(2, 3)), "groups=2.* 3 channels"),
        (lambda: LAYERS.Conv2D(2, 9)(images(2)), "zero or negative.*9.*padding='same'"),
        (lambda: LAYERS.Conv2D(2, 9).compute_output_shape((None, 7, 7, 1)), "zero or negative"),
    ],
)
def test_what_is_not_legal_is_named(make, words):
    with pytest.raises(ValueError, match=words):
        make()


# ----- configuration -----


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("Conv2D", {"filters": 2, "kernel_size": 3, "activation": "relu"}),
        ("Conv1DTranspose", {"filters": 2, "kernel_size": 3, "padding": "SAME"}),
        ("DepthwiseConv2D", {"kernel_size": 3}),
        ("SeparableConv1D", {"filters": 2, "kernel_size": [3]}),
        ("Dense", {"units": 3}),
    ],
)
def test_the_config_is_keras_s_and_makes_the_same_layer(tf, name, settings):
    ours = getattr(LAYERS, name)(**settings, name="one")
    theirs = getattr(tf.keras.layers, name)(**settings, name="one").get_config()
    mine = ours.get_config()
    for key in theirs.keys() - {"dtype", "quantization_config"}:
        assert mine[key] == theirs[key], key
    assert type(ours).from_config(mine).get_config() == mine
