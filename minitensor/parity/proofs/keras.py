"""What Keras should give, spelled out of ops, where it gives something else."""

from __future__ import annotations


def keras_ops(tf, *args, name, **settings):
    """What the function of that name is by its definition."""
    return PROOFS[name](tf, *args, **settings)


def eye(tf, N, M, k):
    """1 where j - i is k, in N rows and M columns."""
    return tf.constant([[float(j - i == k) for j in range(M)] for i in range(N)])


def rot90(tf, array, k):
    """Half a turn: both axes backwards."""
    assert k == 2
    return tf.reverse(array, [0, 1])


def trace(tf, x, offset, axis1, axis2):
    """The sums of diagonals over the first and the last of three axes."""
    assert (offset, axis1, axis2) == (1, 0, 2)
    return tf.add_n([x[i, :, i + 1] for i in range(min(x.shape[0], x.shape[2] - 1))])


def vstack(tf, xs):
    """Vectors as the rows of a matrix."""
    return tf.concat([tf.reshape(x, [1, -1]) for x in xs], 0)


def isclose(tf, x1, x2):
    """Within 1e-5 of x2 and 1e-8; an infinity is close to itself alone."""
    near = tf.abs(x1 - x2) <= 1e-8 + 1e-5 * tf.abs(x2)
    return (x1 == x2) | (near & tf.math.is_finite(x2))


def add(tf, x1, x2):
    """A column added to each of the last matrices of x1, row by row."""
    return tf.stack([x1[..., i, :] + x2[i] for i in range(x2.shape[0])], -2)


def of_number(function):
    """A function of a tensor and a number, which becomes a tensor of the same type."""
    return lambda tf, x, **number: function(tf, x, tf.constant(*number.values(), x.dtype))


PROOFS = {f.__name__: f for f in (eye, rot90, trace, vstack, isclose, add)} | {
    "arctan2": of_number(lambda tf, x, y: tf.atan2(x, y)),
    "hypot": of_number(lambda tf, x, y: tf.sqrt(x * x + y * y)),
    "mod": of_number(lambda tf, x, y: tf.math.floormod(x, y)),
    "logaddexp": of_number(lambda tf, x, y: tf.math.log(tf.exp(x) + tf.exp(y))),
    "logaddexp2": of_number(lambda tf, x, y: tf.math.log(2**x + 2**y) / tf.math.log(0 * x + 2)),
    "heaviside": of_number(lambda tf, x, y: tf.where(x == 0, y, tf.cast(x > 0, x.dtype))),
    "leaky_relu": of_number(lambda tf, x, y: tf.where(x > 0, x, y * x)),
}


def einsum_dense_shape(tf, x, equation, units):
    """The shape of the product itself."""
    kernel = tf.zeros([x.shape[-1], units], x.dtype)
    return tf.constant(list(tf.einsum(equation, x, kernel).shape))


def restored_from_a_list(tf, x):
    """A product with ones is a sum."""
    return tf.reduce_sum(x, axis=-1, keepdims=True)
