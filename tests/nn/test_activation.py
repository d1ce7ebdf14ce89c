"""Activations, softmax, dropout and bias: third order, corners, rounding, errors.

Against TensorFlow they stand in the parity table: minitensor/parity/cases/norm.py.
"""

import numpy as np
import pytest
from against import assert_agree

import minitensor as mt

NAMES = ["relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "swish", "silu", "softplus"]
NAMES += ["softsign", "crelu", "sigmoid", "tanh", "softmax", "log_softmax"]


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("name", NAMES)
def test_activations_have_a_third_order(name):
    mt.check_gradients(getattr(mt.nn, name), 2 * normal(3, 5), order=3, tolerance=1e-5)


def test_leaky_relu_of_integers_is_float32():
    y = mt.nn.leaky_relu(mt.constant([-5, 5]))
    assert y.dtype == mt.float32
    np.testing.assert_array_equal(y.numpy(), np.array([-1, 5], "float32"))


def test_relu_of_integers_keeps_them():
    np.testing.assert_array_equal(mt.nn.relu(mt.constant([-5, 5])).numpy(), [0, 5])


def test_swish_is_differentiable_in_beta(tf):
    assert_agree(tf, mt.nn.swish, tf.nn.swish, normal(3, 4), np.array(1.5), order=1)
    mt.check_gradients(mt.nn.swish, normal(3, 4), normal(4), order=3)


@pytest.mark.parametrize("name", ["elu", "selu", "softplus"])
def test_large_inputs_have_finite_gradients(name):
    x = mt.constant([1e4, -1e4])
    with mt.GradientTape() as tape:
        tape.watch(x)
        y = getattr(mt.nn, name)(x)
    assert np.isfinite(tape.gradient(y, x).numpy()).all()


def test_softmax_of_huge_logits_does_not_overflow():
    np.testing.assert_array_equal(mt.nn.softmax([1000.0, 1000.0]).numpy(), [0.5, 0.5])
    np.testing.assert_array_equal(mt.nn.log_softmax([1000.0, 0.0]).numpy(), [0, -1000])


def test_softmax_of_no_classes_is_empty():
    assert mt.nn.softmax(mt.zeros([2, 0])).shape == (2, 0)


def test_softmax_of_a_masked_logit_is_zero():
    np.testing.assert_array_equal(mt.nn.softmax([0.0, -np.inf]).numpy(), [1, 0])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", NAMES)
def test_half_precision_is_float32_rounded_once(dtype, name):
    x = mt.cast(mt.constant(normal(4, 5)), dtype)
    y = getattr(mt.nn, name)(x).numpy()
    wide = getattr(mt.nn, name)(mt.cast(x, "float32")).numpy()
    np.testing.assert_array_equal(y, wide.astype(y.dtype))


# ----- dropout, bias, sparsity -----


def test_dropout_scales_what_it_keeps_and_zeroes_the_rest():
    y = mt.nn.dropout(mt.ones([1000]), 0.25, seed=0).numpy()
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.75)}
    assert 0.2 < (y == 0).mean() < 0.3


def test_dropout_sends_the_gradient_where_the_value_went():
    x = mt.ones([100])
    with mt.GradientTape() as tape:
        tape.watch(x)
        y = mt.nn.dropout(x, 0.5, seed=3)
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), y.numpy())


def test_dropout_turns_dropped_nan_into_zero():
    y = mt.nn.dropout(np.full(100, np.nan), 0.5, seed=0).numpy()
    assert (y == 0).any()
    assert np.isnan(y).any()


def test_dropout_with_a_seed_repeats_itself():
    x = mt.ones([50])
    first, second = (mt.nn.dropout(x, 0.5, seed=7).numpy() for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_dropout_without_a_seed_draws_anew_but_follows_set_seed():
    x = mt.ones([50])
    mt.random.set_seed(1)
    first, second = (mt.nn.dropout(x, 0.5).numpy() for _ in range(2))
    mt.random.set_seed(1)
    np.testing.assert_array_equal(first, mt.nn.dropout(x, 0.5).numpy())
    assert (first != second).any()


def test_noise_shape_drops_whole_channels():
    y = mt.nn.dropout(mt.ones([2, 5, 5, 8]), 0.5, [None, 1, 1, 8], seed=0).numpy()
    np.testing.assert_array_equal(y, np.broadcast_to(y[:, :1, :1], y.shape))
    assert 0 < (y == 0).mean() < 1


def test_dropout_of_rate_zero_is_the_identity():
    x = normal(3)
    np.testing.assert_array_equal(mt.nn.dropout(x, 0).numpy(), x)


def test_zero_fraction_counts_zeros():
    y = mt.nn.zero_fraction(mt.constant([[0, 1], [0, 3], [4, 5]]))
    assert y.dtype == mt.float32
    np.testing.assert_allclose(y.numpy(), 1 / 3, rtol=1e-7)


# ----- errors -----

X = np.zeros((2, 3))
INTS = np.zeros((2, 3), "int32")
BAD = [
    (ValueError, r"\[0, 1\), got 1", lambda: mt.nn.dropout(X, 1)),
    (ValueError, r"\[0, 1\)", lambda: mt.nn.dropout(X, -0.1)),
    (TypeError, "number", lambda: mt.nn.dropout(X, None)),
    (TypeError, "int32", lambda: mt.nn.dropout(INTS, 0.5)),
    (ValueError, "noise_shape", lambda: mt.nn.dropout(X, 0.5, [2])),
    (ValueError, "noise_shape", lambda: mt.nn.dropout(X, 0.5, [2, 2])),
    (ValueError, "axis 5", lambda: mt.nn.softmax(X, 5)),
    (ValueError, "axis", lambda: mt.nn.softmax(X, -3)),
    (ValueError, "without axes", lambda: mt.nn.softmax(np.float64(1))),
    (TypeError, "int32", lambda: mt.nn.softmax(INTS)),
    (TypeError, "axis", lambda: mt.nn.log_softmax(X, [0, 1])),
    (TypeError, "int32", lambda: mt.nn.gelu(INTS)),
    (TypeError, "int32", lambda: mt.nn.elu(INTS)),
    (TypeError, "relu", lambda: mt.nn.relu(X == 0)),
    (ValueError, "3 channels", lambda: mt.nn.bias_add(X, np.zeros(4))),
    (ValueError, "3 channels", lambda: mt.nn.bias_add(X, np.zeros(1))),
    (ValueError, "3 channels", lambda: mt.nn.bias_add(X, np.zeros((1, 3)))),
    (ValueError, "2 or more axes", lambda: mt.nn.bias_add(X[0], np.zeros(3))),
    (ValueError, "data_format", lambda: mt.nn.bias_add(X, np.zeros(3), "channels_last")),
    (
        TypeError,
        "float32",
        lambda: mt.nn.bias_add(mt.constant(X), mt.constant(np.zeros(3, "float32"))),
    ),
]


@pytest.mark.parametrize(("error", "words", "call"), BAD)
def test_illegal_arguments_are_refused_with_the_reason(error, words, call):
    with pytest.raises(error, match=words):
        call()
