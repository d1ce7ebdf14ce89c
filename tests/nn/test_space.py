"""Rearrangement and greyscale morphology: third order, ties, NaN, errors.

Against TensorFlow they stand in the parity table: minitensor/parity/cases/pool.py.
"""

import numpy as np
import pytest

import minitensor as mt

ONES = [1, 1, 1, 1]


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize(("name", "c"), [("space_to_depth", 3), ("depth_to_space", 8)])
def test_channels_first_is_the_transpose(name, c):
    x, function = normal(2, 4, 6, c), getattr(mt.nn, name)
    first = function(x.transpose(0, 3, 1, 2), 2, "NCHW").numpy()
    np.testing.assert_array_equal(first.transpose(0, 2, 3, 1), function(x, 2).numpy())


def test_blocks_and_pads_may_be_tensors():
    x, block, pads = normal(1, 4, 4, 1), mt.constant([2, 2]), mt.constant([[0, 0], [0, 0]])
    y = mt.nn.batch_to_space(mt.nn.space_to_batch(x, block, pads), block, pads)
    np.testing.assert_array_equal(y.numpy(), x)


def test_integers_are_rearranged_too():
    x = np.arange(16).reshape(1, 4, 4, 1)
    y = mt.nn.space_to_depth(x, 2)
    assert y.dtype == mt.int64
    np.testing.assert_array_equal(y.numpy()[0, 0, 0], [0, 1, 4, 5])


# ----- morphology -----


@pytest.mark.parametrize("name", ["dilation2d", "erosion2d"])
def test_morphology_has_every_order(name):
    words = ([1, 2, 1, 1], "SAME", "NHWC", [1, 1, 2, 1])
    mt.check_gradients(
        lambda x, f: mt.exp(getattr(mt.nn, name)(x, f, *words)),
        normal(1, 4, 5, 2),
        normal(2, 2, 2, seed=1),
        order=3,
    )


def test_the_first_of_tied_sums_gets_the_gradient():
    x, f = mt.zeros([1, 2, 2, 1]), mt.zeros([2, 2, 1])
    with mt.GradientTape() as tape:
        tape.watch([x, f])
        y = mt.nn.dilation2d(x, f, ONES, "VALID", "NHWC", ONES)
    for gradient in tape.gradient(y, [x, f]):
        np.testing.assert_array_equal(gradient.numpy().ravel(), [1, 0, 0, 0])


def test_nan_wins_and_minus_infinity_stays():
    x = np.array([np.nan, 1.0, 2.0, -np.inf, -np.inf]).reshape(1, 1, 5, 1)
    y = mt.nn.dilation2d(x, np.zeros((1, 2, 1)), ONES, "VALID", "NHWC", ONES).numpy()
    np.testing.assert_array_equal(y.ravel(), [np.nan, 2, 2, -np.inf])


X = np.zeros((1, 4, 6, 3))
F = np.zeros((2, 2, 3))
PADS = [[0, 0], [0, 0]]
BAD = [
    (ValueError, r"block_size 4 must divide .*\(4, 6\)", lambda: mt.nn.space_to_depth(X, 4)),
    (ValueError, "at least 2", lambda: mt.nn.space_to_depth(X, 1)),
    (ValueError, "3 channels", lambda: mt.nn.depth_to_space(X, 2)),
    (TypeError, "integers", lambda: mt.nn.depth_to_space(X, 2.0)),
    (ValueError, "4 axes", lambda: mt.nn.space_to_depth(X[0], 2)),
    (ValueError, "data_format", lambda: mt.nn.space_to_depth(X, 2, "NCWH")),
    (ValueError, r"\(3, 2\) must divide", lambda: mt.nn.space_to_batch(X, [3, 2], PADS)),
    (ValueError, "pair", lambda: mt.nn.space_to_batch(X, [2, 2], [[0, 0]])),
    (ValueError, "at least 0", lambda: mt.nn.space_to_batch(X, [2, 2], [[0, 0], [-1, 1]])),
    (ValueError, "at least 1", lambda: mt.nn.space_to_batch(X, [0, 2], PADS)),
    (ValueError, "batch of 1", lambda: mt.nn.batch_to_space(X, [2, 2], PADS)),
    (ValueError, "crops", lambda: mt.nn.batch_to_space(X, [1, 1], [[5, 0], [0, 0]])),
    (ValueError, "channels", lambda: mt.nn.dilation2d(X, F[..., :2], ONES, "SAME", "NHWC", ONES)),
    (ValueError, "3 axes", lambda: mt.nn.erosion2d(X, F[None], ONES, "SAME", "NHWC", ONES)),
    (ValueError, "NHWC", lambda: mt.nn.dilation2d(X, F, ONES, "SAME", "NCHW", ONES)),
    (TypeError, "list of 4", lambda: mt.nn.dilation2d(X, F, 1, "SAME", "NHWC", ONES)),
    (ValueError, "spans", lambda: mt.nn.dilation2d(X, F, ONES, "VALID", "NHWC", [1, 4, 1, 1])),
]


@pytest.mark.parametrize(("error", "words", "call"), BAD)
def test_illegal_rearrangements_are_refused_with_the_reason(error, words, call):
    with pytest.raises(error, match=words):
        call()
