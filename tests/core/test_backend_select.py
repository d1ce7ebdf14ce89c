"""The choice by bits equals NumPy's `where`, bit for bit."""

import numpy as np
import pytest

from minitensor.backend.numpy.elementwise import SMALL, where

SHAPES = [
    ((20, 30, 10), (20, 30, 10)),
    ((20, 30, 10), (10,)),
    ((20, 1, 10), (30, 1)),
    ((20, 30, 10), ()),
    ((), (20, 30, 10)),
]


def drawn(shape, dtype, seed):
    """Numbers of every kind: NaN, both infinities and both zeros among them."""
    x = 3 * np.random.default_rng(seed).normal(size=shape)
    if np.dtype(dtype).kind == "f" and x.ndim:
        x.flat[:5] = np.nan, np.inf, -np.inf, 0.0, -0.0
    return x.astype(dtype)


@pytest.mark.parametrize(
    "dtype", ["float16", "float32", "float64", "int8", "uint8", "int64", "bool"]
)
@pytest.mark.parametrize(("left", "right"), SHAPES)
def test_it_chooses_the_same_bits_as_numpy(left, right, dtype):
    x, y = drawn(left, dtype, 0), drawn(right, dtype, 1)
    condition = np.random.default_rng(2).random((20, 30, 10)) > 0.5
    assert condition.size > SMALL
    ours, theirs = where(condition, x, y), np.where(condition, x, y)
    assert ours.dtype == theirs.dtype
    assert ours.tobytes() == theirs.tobytes()


@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_both_zeros_keep_their_sign(zero):
    condition = np.arange(2 * SMALL) % 3 > 0
    y = where(condition, np.ones(2 * SMALL), np.array(zero))
    np.testing.assert_array_equal(np.signbit(y[~condition]), np.signbit(zero))


def test_what_is_not_chosen_does_not_spoil_the_result():
    condition = np.arange(2 * SMALL) % 2 == 0
    y = where(condition, np.ones(2 * SMALL), np.full(2 * SMALL, np.nan))
    assert (y[condition] == 1).all()


def test_strided_arrays_are_read_in_their_own_order():
    x = np.arange(2.0 * SMALL).reshape(64, -1)
    condition = x.T % 3 == 0
    np.testing.assert_array_equal(where(condition, x.T, -x.T), np.where(condition, x.T, -x.T))
