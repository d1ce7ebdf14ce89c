"""Convolutions of integers and of unlike arguments, as TensorFlow has them.

All else stands in the parity table against it: minitensor/parity/cases/conv.py.
"""

import numpy as np

import minitensor as mt


def normal(*shape):
    """Seeded by its shape, so that no test depends on another."""
    return np.random.default_rng(shape).normal(size=shape)


def test_a_numpy_array_beside_a_tensor_takes_its_dtype_as_in_tensorflow(tf):
    x, kernel = normal(1, 4, 4, 1), normal(3, 3, 1, 1).astype("float32")
    theirs = tf.nn.conv2d(x, tf.constant(kernel), 1, "SAME")
    ours = mt.nn.conv2d(x, mt.constant(kernel), 1, "SAME")
    assert ours.dtype.name == theirs.dtype.name == "float32"
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-5, atol=1e-6)


def test_int32_conv2d_wraps_around_as_tensorflow(tf):
    """On NumPy: the emulator tells of a signed overflow, which C++ leaves undefined."""
    draw = np.random.default_rng(0).integers
    x = draw(-(2**30), 2**30, (1, 5, 5, 3), dtype=np.int32)
    kernel = draw(-(2**30), 2**30, (3, 3, 3, 2), dtype=np.int32)
    expected = tf.nn.conv2d(x, kernel, 1, "SAME").numpy()
    np.testing.assert_array_equal(mt.nn.conv2d(x, kernel, 1, "SAME").numpy(), expected)
