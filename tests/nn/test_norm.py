"""Normalisation against central differences and paper arithmetic.

Against TensorFlow it stands in the parity table: minitensor/parity/cases/norm.py.
"""

import numpy as np
import pytest

import minitensor as mt


def normal(*shape, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def vectors(channels, dtype=np.float64):
    return 1 + normal(channels, seed=1, dtype=dtype) / 4, normal(channels, seed=2, dtype=dtype)


# ----- moments -----


def test_the_second_derivative_of_the_variance_counts_the_mean():
    # The variance of (a, b) is (a - b)^2 / 4. TensorFlow says [[1, 0], [0, 1]], because it takes
    # the mean for a constant; so do the Keras layers that call it.
    x = mt.constant([1.0, 4.0])
    with mt.GradientTape() as outer:
        outer.watch(x)
        with mt.GradientTape() as inner:
            inner.watch(x)
            variance = mt.nn.moments(x, [0])[1]
        slope = inner.gradient(variance, x)
    np.testing.assert_array_equal(outer.jacobian(slope, x).numpy(), [[0.5, -0.5], [-0.5, 0.5]])


def test_moments_have_a_third_order():
    mt.check_gradients(lambda x: mt.nn.moments(mt.exp(x), [0, 2])[1], normal(3, 4, 2), order=3)


def test_moments_keep_their_digits_far_from_zero():
    x = np.array([1e6, 1e6 + 8, 1e6 + 16], "float32")
    mean, variance = mt.nn.moments(x, [0])
    assert (mean.numpy(), variance.numpy()) == (np.float32(1e6 + 8), np.float32(128 / 3))


def test_the_mean_of_many_float32_keeps_its_digits():
    x = 1000 + normal(8, 64, 64, 4, dtype="float32")
    mean = mt.nn.moments(x, [0, 1, 2])[0].numpy()
    np.testing.assert_allclose(mean, x.mean((0, 1, 2), np.float64), rtol=2e-7)


def test_moments_of_nothing_are_nan():
    mean, variance = mt.nn.moments(np.zeros((0, 2)), [0])
    assert np.isnan(mean.numpy()).all()
    assert np.isnan(variance.numpy()).all()


# ----- batch normalisation -----


def test_half_precision_takes_float32_statistics():
    x = normal(4, 3).astype("float16")
    y = mt.nn.batch_normalization(x, np.zeros(3, "f"), np.ones(3, "f"), None, None, 0.0)
    assert y.dtype == mt.float16
    np.testing.assert_array_equal(y.numpy(), x)


def test_fused_batch_norm_in_inference_has_gradients_in_all_five_tensors():
    mt.check_gradients(
        lambda *t: mt.nn.fused_batch_norm(*t, is_training=False)[0],
        normal(3, 2, 2, 2),
        *vectors(2),
        normal(2, seed=3),
        np.array([1.0, 2.0]),
        order=2,
    )


def test_fused_batch_norm_returns_the_unbiased_variance():
    x = np.array([1.0, 3.0, 5.0, 7.0]).reshape(4, 1, 1, 1)  # squares 9 + 1 + 1 + 9 = 20
    _, mean, variance = mt.nn.fused_batch_norm(x, np.ones(1), np.zeros(1))
    np.testing.assert_allclose([mean.numpy(), variance.numpy()], [[4], [20 / 3]], rtol=1e-15)


def test_the_exponential_average_weighs_the_batch_by_the_factor():
    x = np.array([2.0, 4.0]).reshape(2, 1, 1, 1)  # mean 3, unbiased variance 2
    _, mean, variance = mt.nn.fused_batch_norm(
        x, np.ones(1), np.zeros(1), np.array([10.0]), np.array([1.0]), exponential_avg_factor=0.1
    )
    np.testing.assert_allclose([mean.numpy(), variance.numpy()], [[9.3], [1.1]])


@pytest.mark.parametrize("output", [0, 1, 2])
def test_fused_batch_norm_has_every_order_in_float64(output):
    def function(*t):
        return mt.nn.fused_batch_norm(*t, exponential_avg_factor=0.3)[output]

    arrays = normal(3, 2, 2, 2), *vectors(2), *vectors(2)
    mt.check_gradients(function, *arrays, order=2)
    mt.check_gradients(lambda x: function(x, *arrays[1:]), arrays[0], order=3, tolerance=1e-5)


def test_fused_batch_norm_channels_first_is_the_transpose():
    x = normal(2, 4, 5, 3)
    last = mt.nn.fused_batch_norm(x, *vectors(3))
    first = mt.nn.fused_batch_norm(x.transpose(0, 3, 1, 2), *vectors(3), data_format="NCHW")
    np.testing.assert_allclose(first[0].numpy(), last[0].numpy().transpose(0, 3, 1, 2), atol=1e-13)
    np.testing.assert_allclose(first[2].numpy(), last[2].numpy(), atol=1e-13)


def test_one_pixel_per_channel_has_variance_zero_and_an_offset():
    y, _, variance = mt.nn.fused_batch_norm(normal(1, 1, 1, 2), np.ones(2), np.full(2, 5.0))
    np.testing.assert_array_equal(y.numpy().ravel(), [5, 5])
    np.testing.assert_array_equal(variance.numpy(), [0, 0])


def test_an_empty_batch_leaves_the_statistics_alone():
    y, mean, variance = mt.nn.fused_batch_norm(
        np.zeros((0, 2, 2, 1)), *[np.ones(1)] * 4, exponential_avg_factor=0.1
    )
    assert y.shape == (0, 2, 2, 1)
    assert (mean.numpy(), variance.numpy()) == (1, 1)


# ----- layer, instance, group -----


@pytest.mark.parametrize("name", ["layer", "instance", "group"])
def test_these_have_every_order_in_x_scale_and_offset(name):
    settings = {"groups": 2} if name == "group" else {}
    function = getattr(mt.nn, f"{name}_normalization")
    mt.check_gradients(
        lambda *t: function(*t, **settings), normal(2, 3, 4), *vectors(4), order=2, tolerance=1e-5
    )
    mt.check_gradients(
        lambda x: function(x, None, None, **settings), normal(2, 3, 4), order=3, tolerance=1e-5
    )


@pytest.mark.parametrize("name", ["layer", "instance", "group"])
def test_half_precision_is_float32_rounded_once(name):
    x = mt.cast(mt.constant(normal(2, 5, 32)), "float16")
    function = getattr(mt.nn, f"{name}_normalization")
    y, wide = (function(t, *vectors(32, np.float32)).numpy() for t in (x, mt.cast(x, "float32")))
    np.testing.assert_array_equal(y, wide.astype(y.dtype))


# ----- lengths and neighbours -----


def test_local_response_normalization_has_every_order():
    mt.check_gradients(lambda x: mt.nn.lrn(x, 2), normal(1, 2, 2, 7), order=3)


def test_l2_normalize_of_a_zero_vector_is_zero():
    np.testing.assert_array_equal(mt.nn.l2_normalize(np.zeros(3)).numpy(), np.zeros(3))


# ----- errors -----

X = np.zeros((2, 3, 4, 5))
ONE, FOUR = np.ones(5), np.ones(4)
F64 = [mt.constant(np.ones(5))] * 2
BAD = [
    (ValueError, "5 channels", lambda: mt.nn.fused_batch_norm(X, FOUR, ONE)),
    (ValueError, "5 channels", lambda: mt.nn.fused_batch_norm(X, ONE, ONE, FOUR, ONE)),
    (ValueError, "4 or 5 axes", lambda: mt.nn.fused_batch_norm(X[0, 0], ONE, ONE)),
    (ValueError, "mean and", lambda: mt.nn.fused_batch_norm(X, ONE, ONE, is_training=False)),
    (
        ValueError,
        "mean and",
        lambda: mt.nn.fused_batch_norm(X, ONE, ONE, exponential_avg_factor=0.1),
    ),
    (ValueError, "data_format", lambda: mt.nn.fused_batch_norm(X, ONE, ONE, data_format="NDHWC")),
    (TypeError, "int64", lambda: mt.nn.fused_batch_norm(X.astype(int), ONE, ONE)),
    (
        TypeError,
        "float32",
        lambda: mt.nn.fused_batch_norm(mt.constant(X.astype("float32")), *F64),
    ),
    (
        ValueError,
        r"mean \(4,\)",
        lambda: mt.nn.batch_normalization(X, FOUR, ONE, None, None, 0.1),
    ),
    (ValueError, "axis 4", lambda: mt.nn.moments(X, [4])),
    (TypeError, "axis", lambda: mt.nn.moments(X, 1.5)),
    (ValueError, "4 axes", lambda: mt.nn.lrn(X[0])),
    (ValueError, "depth_radius", lambda: mt.nn.lrn(X, -1)),
    (TypeError, "int64", lambda: mt.nn.lrn(X.astype(int))),
    (ValueError, r"\(5,\)", lambda: mt.nn.layer_normalization(X, FOUR, None)),
    (ValueError, r"\(5,\)", lambda: mt.nn.instance_normalization(X, None, FOUR)),
    (ValueError, "3 axes", lambda: mt.nn.instance_normalization(X[0, 0], None, None)),
    (ValueError, "divide", lambda: mt.nn.group_normalization(X, None, None, 2)),
    (ValueError, "divide", lambda: mt.nn.group_normalization(X, None, None, 0)),
    (ValueError, "groups", lambda: mt.nn.group_normalization(X, None, None, -2)),
    (ValueError, "axis", lambda: mt.nn.l2_normalize(X, 7)),
    (TypeError, "int64", lambda: mt.nn.l2_normalize(X.astype(int))),
]


@pytest.mark.parametrize(("error", "words", "call"), BAD)
def test_illegal_normalisation_is_refused_with_the_reason(error, words, call):
    with pytest.raises(error, match=words):
        call()


def test_statistics_of_nothing_have_a_gradient_of_nothing():
    x = mt.zeros([0, 3])
    with mt.GradientTape() as tape:
        tape.watch(x)
        mean, variance = mt.nn.moments(x, [0])
    assert tape.gradient([mean, variance], x).shape == (0, 3)


def test_fused_batch_norm_without_a_scale_names_it():
    with pytest.raises(TypeError, match="fused_batch_norm: scale must be"):
        mt.nn.fused_batch_norm(mt.ones([1, 2, 2, 1]), None, mt.zeros([1]))
