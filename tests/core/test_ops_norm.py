"""Ops with kernels of their own, on NumPy: derivatives of every order, and the twins' formulas."""

import numpy as np
import pytest

import minitensor as mt
from minitensor.backend import numpy as twin
from minitensor.ops import batch_norm as ops
from minitensor.ops.activation import bias_activation
from minitensor.ops.conv import conv2d, conv2d_bias_activation
from minitensor.ops.softmax import softmax_cross_entropy
from minitensor.window import Window

EPSILON = 0.1


def normal(*shape, seed=0, dtype="float64"):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def squared(function):
    """The same, squared: so that cotangents depend on the arguments."""
    return lambda *tensors: mt.square(function(*tensors))


# ----- the family of batch normalisation: statistics and sums are made inside -----


def normalised(x, scale, offset):
    return ops.batch_norm(x, ops.moments(x), scale, offset, epsilon=EPSILON)


def inferred(*tensors):
    return ops.normalise(*tensors, epsilon=EPSILON)


def sums(g, x):
    return ops.batch_norm_sums(g, x, ops.moments(x), epsilon=EPSILON)


def slope(g, x, scale):
    found = ops.moments(x)
    total = ops.batch_norm_sums(g, x, found, epsilon=EPSILON)
    return ops.batch_norm_grad(g, x, found, scale, total, epsilon=EPSILON)


IMAGE, COTANGENT, SCALE, OFFSET = normal(3, 2, 2), normal(3, 2, 2, seed=1), normal(2), normal(2)
FAMILY = {
    "moments": (ops.moments, [IMAGE]),
    "batch_norm": (normalised, [IMAGE, SCALE, OFFSET]),
    "normalise": (inferred, [IMAGE, OFFSET, np.array([0.5, 2.0]), SCALE, OFFSET]),
    "batch_norm_sums": (sums, [COTANGENT, IMAGE]),
    "batch_norm_grad": (slope, [COTANGENT, IMAGE, SCALE]),
}


@pytest.mark.parametrize("name", FAMILY)
def test_each_of_the_family_has_three_orders_in_every_argument(name):
    function, arguments = FAMILY[name]
    mt.check_gradients(squared(function), *arguments, order=3, tolerance=1e-5)


def test_the_gradient_in_x_goes_through_the_statistics():
    # Scaling an image leaves its normalised form as it is, up to epsilon: no slope along x - mean.
    x, g = normal(50, 3), normal(50, 3, seed=1)
    found = twin.moments(x)
    dx = twin.batch_norm_grad(g, x, found, np.ones(3), 0.0)
    np.testing.assert_allclose((dx * (x - found[0])).sum(0), 0, atol=1e-12)
    np.testing.assert_allclose(dx.sum(0), 0, atol=1e-12)


def test_gradients_of_half_precision_are_computed_in_float32_and_rounded_once():
    x, scale, offset = (
        mt.constant(a) for a in (normal(64, 3, dtype="float16"), np.ones(3, "f"), np.ones(3, "f"))
    )
    g = normal(64, 3, seed=1, dtype="float16")

    def gradient(x):
        with mt.GradientTape() as tape:
            tape.watch(x)
            y = normalised(x, scale, offset)
        return tape.gradient(y, x, g.astype(x.dtype)).numpy()

    got, full = gradient(x), gradient(mt.cast(x, "float32"))
    assert got.dtype == np.float16
    np.testing.assert_array_equal(got, full.astype("float16"))


# ----- the twins -----


@pytest.mark.parametrize("shape", [(4999, 3), (8192, 16), (33, 7, 5, 64), (3, 700), (70000, 1)])
def test_moments_of_many_blocks_are_those_of_the_whole(shape):
    x = normal(*shape, dtype="float32") + np.float32(100)
    rows = x.reshape(-1, shape[-1]).astype("float64")
    mean, variance = twin.moments(x)
    np.testing.assert_allclose(mean, rows.mean(0), rtol=2.0**-23)
    size = rows.var(0) + rows.std(0) * np.abs(rows.mean(0))
    assert (np.abs(variance - rows.var(0)) <= 8 * 2.0**-24 * size).all()


@pytest.mark.parametrize("shape", [(4999, 3), (8192, 16), (3, 700)])
def test_batch_norm_adds_the_residual_and_cuts_off(shape):
    x, more = normal(*shape), normal(*shape, seed=1)
    scale, offset = normal(shape[-1], seed=2), normal(shape[-1], seed=3)
    y = twin.batch_norm(x, twin.moments(x), scale, offset, EPSILON, True, more)
    expected = (x - x.mean(0)) / np.sqrt(x.var(0) + EPSILON) * scale + offset + more
    np.testing.assert_allclose(y, np.maximum(expected, 0), atol=1e-12)


@pytest.mark.parametrize("nesterov", [False, True])
def test_two_steps_of_sgd_on_paper(nesterov):
    # w = 1, v = 0, gradient 2, rate 0.1, momentum 0.5: v = -0.2, then -0.3.
    w, v, g = np.array([1.0]), np.array([0.0]), np.array([2.0])
    w, v = twin.sgd_momentum(w, v, g, 0.1, 0.5, nesterov)
    np.testing.assert_allclose([w, v], [[0.7 if nesterov else 0.8], [-0.2]])
    w, v = twin.sgd_momentum(w, v, g, 0.1, 0.5, nesterov)
    np.testing.assert_allclose([w, v], [[0.35 if nesterov else 0.5], [-0.3]])


@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_equals_keras(tf, nesterov):
    w, gradients = normal(5), [normal(5, seed=k) for k in range(1, 4)]
    variable = tf.Variable(w)
    keras = tf.keras.optimizers.SGD(0.1, momentum=0.9, nesterov=nesterov)
    velocity = np.zeros(5)
    for g in gradients:
        w, velocity = twin.sgd_momentum(w, velocity, g, 0.1, 0.9, nesterov)
        keras.apply([tf.constant(g)], [variable])
    terms = np.abs([w, *gradients]).sum(0)  # Keras' rate is a float32
    assert (np.abs(w - variable.numpy()) <= 8 * 2.0**-24 * terms).all()


def test_an_update_of_half_precision_is_rounded_once():
    w, v, g = (normal(40, seed=k, dtype="float16") for k in range(3))
    got = twin.sgd_momentum(w, v, g, 0.1, 0.9, True)
    full = twin.sgd_momentum(*(a.astype("float32") for a in (w, v, g)), 0.1, 0.9, True)
    for half, whole in zip(got, full, strict=True):
        np.testing.assert_array_equal(half, whole.astype("float16"))


# ----- losses, bias and activation -----


@pytest.mark.parametrize("axis", [0, 1])
def test_cross_entropy_along_any_axis_has_three_orders(axis):
    mt.check_gradients(
        squared(lambda t, x: softmax_cross_entropy(t, x, axis=axis)),
        np.abs(normal(3, 2, 2)),
        normal(3, 2, 2, seed=1),
        order=3,
        tolerance=1e-5,
    )


@pytest.mark.parametrize("name", ["linear", "relu", "relu6"])
def test_bias_activation_has_three_orders_away_from_corners(name):
    x, bias = np.array([[-4.0, 7.0], [2.5, -3.5], [9.0, 1.5]]), np.array([0.25, -0.75])

    def cube(x, bias):
        y = bias_activation(x, bias, activation=name)
        return y * y * y / 100

    mt.check_gradients(cube, x, bias, order=3)


@pytest.mark.parametrize("name", ["relu", "relu6"])
def test_nothing_passes_a_corner(name):
    x = mt.constant([[0.0, 6.0, np.nan]])
    bias = mt.zeros([3])
    with mt.GradientTape() as tape:
        tape.watch([x, bias])
        y = bias_activation(x, bias, activation=name)
    of_x, of_bias = tape.gradient(y, [x, bias])
    np.testing.assert_array_equal(of_x.numpy(), [[0, name == "relu", 0]])
    np.testing.assert_array_equal(of_bias.numpy(), [0, name == "relu", 0])


@pytest.mark.parametrize("name", ["linear", "relu", "relu6"])
def test_bias_activation_is_the_bias_then_the_activation(name):
    x, bias = 5 * normal(4, 3, 6), normal(6, seed=1)
    y = bias_activation(x, bias, activation=name).numpy()
    then = {"linear": mt.identity, "relu": mt.nn.relu, "relu6": mt.nn.relu6}[name]
    np.testing.assert_array_equal(y, then(mt.constant(x + bias)).numpy())


@pytest.mark.parametrize("word", [None, "relu", "relu6", "tanh"])
def test_a_layer_with_channels_first_gives_the_transpose(word):
    x, kernel = normal(2, 5, 4, 3, dtype="float32"), normal(3, 3, 3, 6, seed=1, dtype="float32")
    bias = normal(6, seed=2, dtype="float32")

    def layer(layout):
        settings = {"data_format": layout, "activation": word}
        of_kernel = {"kernel_initializer": lambda shape, dtype: kernel}
        return mt.keras.layers.Conv2D(
            6, 3, **settings, **of_kernel, bias_initializer=lambda shape, dtype: bias
        )

    last = layer("channels_last")(x).numpy()
    first = layer("channels_first")(x.transpose(0, 3, 1, 2)).numpy()
    np.testing.assert_array_equal(first.transpose(0, 2, 3, 1), last)


FUSED = pytest.mark.parametrize("name", ["linear", "relu", "relu6"])
PLACES = Window.of((5, 4), (3, 2), (2, 1), "SAME", groups=2)


@FUSED
def test_a_fused_convolution_is_conv_bias_and_activation(name):
    x, kernel, bias = (mt.constant(a) for a in fused_arrays())
    y = conv2d_bias_activation(x, kernel, bias, window=PLACES, activation=name)
    apart = bias_activation(conv2d(x, kernel, window=PLACES), bias, activation=name)
    np.testing.assert_allclose(y.numpy(), apart.numpy(), rtol=1e-14)


@FUSED
def test_a_fused_convolution_has_two_orders_away_from_corners(name):
    def run(x, kernel, bias):
        return conv2d_bias_activation(x, kernel, bias, window=PLACES, activation=name)

    arrays = fused_arrays()
    y = conv2d(*(mt.constant(a) for a in arrays[:2]), window=PLACES).numpy() + arrays[2]
    assert np.abs(y).min() > 1e-3  # so that no difference steps over a corner
    mt.check_gradients(run, *arrays, order=2)


def fused_arrays():
    random = np.random.default_rng(5)
    return [random.standard_normal(shape) for shape in ((2, 5, 4, 4), (3, 2, 2, 6), (6,))]
