"""Losses against central differences and paper arithmetic.

Against TensorFlow they stand in the parity table: minitensor/parity/cases/norm.py.
"""

import numpy as np
import pytest

import minitensor as mt

SOFTMAX = "softmax_cross_entropy_with_logits"
SPARSE = "sparse_softmax_cross_entropy_with_logits"
SIGMOID = "sigmoid_cross_entropy_with_logits"
WEIGHTED = "weighted_cross_entropy_with_logits"


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def probabilities(*shape, axis=-1):
    e = np.exp(normal(*shape, seed=1))
    return e / e.sum(axis, keepdims=True)


def gradient(function, x):
    x = mt.constant(x)
    with mt.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return tape.gradient(y, x).numpy()


def test_softmax_cross_entropy_has_every_order_in_both_arguments():
    mt.check_gradients(getattr(mt.nn, SOFTMAX), normal(3, 4), normal(3, 4, seed=1), order=3)


def test_labels_that_do_not_sum_to_one_have_their_true_gradient():
    # d/dx of -(2 log p0 + 2 log p1) is 4 p - 2; softmax([1, 2]) = [.26894142, .73105858].
    got = gradient(lambda x: mt.nn.softmax_cross_entropy_with_logits([2.0, 2.0], x), [1.0, 2.0])
    np.testing.assert_allclose(got, [-0.92423431, 0.92423431], atol=1e-6)


def test_huge_logits_do_not_overflow():
    y = mt.nn.softmax_cross_entropy_with_logits([[0.0, 1.0]], [[1e4, 0.0]])
    np.testing.assert_array_equal(y.numpy(), [1e4])


def test_sparse_cross_entropy_has_a_third_order():
    mt.check_gradients(lambda x: getattr(mt.nn, SPARSE)([1, 0, 3], x), normal(3, 4), order=3)


def test_a_masked_class_costs_nothing():
    y = mt.nn.sparse_softmax_cross_entropy_with_logits([0], [[0.0, -np.inf]])
    np.testing.assert_array_equal(y.numpy(), [0])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_losses_are_float32_rounded_once(dtype):
    x, z = (mt.cast(mt.constant(a), dtype) for a in (normal(3, 40), probabilities(3, 40)))
    wide = mt.cast(x, "float32"), mt.cast(z, "float32")
    for name in (SOFTMAX, SIGMOID):
        y = getattr(mt.nn, name)(z, x).numpy()
        full = getattr(mt.nn, name)(wide[1], wide[0]).numpy()
        np.testing.assert_array_equal(y, full.astype(y.dtype))


def test_the_gradient_of_a_half_precision_loss_is_rounded_once():
    x, z = mt.cast(mt.constant(normal(3, 40)), "float16"), probabilities(3, 40)

    def slope(x):
        return gradient(lambda x: mt.nn.softmax_cross_entropy_with_logits(z, x), x)

    wide = np.abs(slope(x.numpy().astype("float32")) - slope(x).astype("float32"))
    assert wide.max() <= 2**-12  # half a unit in the last place of numbers below 1, labels' too


X = np.zeros((2, 3))
T = np.zeros((2, 4))
BAD = [
    (ValueError, r"value of 5 .*\[0, 3\)", lambda: getattr(mt.nn, SPARSE)([0, 5], X)),
    (ValueError, "value of 3 ", lambda: getattr(mt.nn, SPARSE)([0, 3], X)),
    (ValueError, "value of -1", lambda: getattr(mt.nn, SPARSE)([-1, 0], X)),
    (TypeError, "integers", lambda: getattr(mt.nn, SPARSE)([0.0, 1.0], X)),
    (ValueError, r"labels have shape \(2, 1\)", lambda: getattr(mt.nn, SPARSE)([[0], [1]], X)),
    (ValueError, "labels", lambda: getattr(mt.nn, SPARSE)(0, np.float64(1))),
    (ValueError, r"\(2, 4\).*\(2, 3\)", lambda: getattr(mt.nn, SOFTMAX)(T, X)),
    (ValueError, "axis 2", lambda: getattr(mt.nn, SOFTMAX)(X, X, 2)),
    (TypeError, "int", lambda: getattr(mt.nn, SOFTMAX)(X, [1, 2, 3])),
    (ValueError, "equal", lambda: getattr(mt.nn, SIGMOID)(X[:1], X)),
    (TypeError, "int", lambda: getattr(mt.nn, SIGMOID)(mt.constant([1, 0]), mt.constant([1.0, 2]))),
    (TypeError, "logits", lambda: getattr(mt.nn, SIGMOID)()),
    (ValueError, "equal", lambda: getattr(mt.nn, WEIGHTED)(X[:1], X, 1.0)),
    (ValueError, "pos_weight", lambda: getattr(mt.nn, WEIGHTED)(X, X, np.ones(4))),
    (ValueError, "targets", lambda: mt.nn.in_top_k([0], X, 1)),
    (TypeError, "targets", lambda: mt.nn.in_top_k([0.0, 1.0], X, 1)),
    (TypeError, "t must be floats", lambda: mt.nn.l2_loss([1, 2])),
]


@pytest.mark.parametrize(("error", "words", "call"), BAD)
def test_illegal_losses_are_refused_with_the_reason(error, words, call):
    with pytest.raises(error, match=words):
        call()
