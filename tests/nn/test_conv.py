"""Convolutions of unlike arguments, as TensorFlow takes them.

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
