"""Norms, losses and rearrangements spelled out of elementwise ops, sums and reshapes."""

from __future__ import annotations

import functools
from operator import attrgetter

import numpy as np


def called(proof, name):
    """The proof of several functions, told which of them it speaks for."""
    return functools.update_wrapper(functools.partial(proof, name=name), proof)


def lrn(tf, input, depth_radius=5, bias=1, alpha=1, beta=0.5):
    """x / (bias + alpha * sum of x^2 over the channels c-r ... c+r) ^ beta."""
    channels = int(input.shape[-1])
    squares = tf.pad(input * input, [(0, 0)] * 3 + [(depth_radius, depth_radius)])
    parts = [squares[..., j : j + channels] for j in range(2 * depth_radius + 1)]
    return input * tf.pow(bias + alpha * tf.add_n(parts), -beta)


def fused_batch_norm(
    tf,
    x,
    scale,
    offset,
    mean=None,
    variance=None,
    epsilon=1e-3,
    data_format="NHWC",
    is_training=True,
    exponential_avg_factor=1.0,
):
    """Normalise with the biased variance; return the unbiased one."""
    if data_format == "NCHW":
        x = tf.transpose(x, [0, 2, 3, 1])
    if is_training:
        axes = list(range(len(x.shape) - 1))
        center = tf.reduce_mean(x, axis=axes)
        spread = tf.reduce_mean(tf.square(x - center), axis=axes)
        count = int(np.prod(x.shape[:-1]))
        factor = exponential_avg_factor
        unbiased = spread * (count / max(count - 1, 1))
        old = 1 - factor
        new_mean = center if factor == 1 else mean * old + center * factor
        new_variance = unbiased if factor == 1 else variance * old + unbiased * factor
    else:
        center, spread = mean, variance
        new_mean, new_variance = mean, variance
    y = (x - center) * tf.math.rsqrt(spread + epsilon) * scale + offset
    if data_format == "NCHW":
        y = tf.transpose(y, [0, 3, 1, 2])
    return y, new_mean, new_variance


def moments(tf, x, axes, keepdims=False):
    """The mean and the biased variance, both with all of their derivatives."""
    axes = list(range(len(x.shape))) if axes is None else axes
    mean = tf.reduce_mean(x, axis=axes, keepdims=True)
    variance = tf.reduce_mean(tf.square(x - mean), axis=axes, keepdims=True)
    if keepdims:
        return mean, variance
    return tf.squeeze(mean, axis=axes), tf.squeeze(variance, axis=axes)


def normalise(tf, x, axes, epsilon):
    """(x - mean) / sqrt(biased variance + epsilon) over `axes`."""
    center = x - tf.reduce_mean(x, axis=axes, keepdims=True)
    variance = tf.reduce_mean(center * center, axis=axes, keepdims=True)
    return center / tf.sqrt(variance + epsilon)


def layer_normalization(tf, x, scale, offset, axis=-1, epsilon=1e-3):
    """Normalise each example over `axis`, then scale and shift there."""
    axes = sorted(a % len(x.shape) for a in ([axis] if isinstance(axis, int) else axis))
    shape = [int(n) if i in axes else 1 for i, n in enumerate(x.shape)]
    return normalise(tf, x, axes, epsilon) * tf.reshape(scale, shape) + tf.reshape(offset, shape)


def instance_normalization(tf, x, scale, offset, epsilon=1e-3):
    """Normalise each channel of each image by itself."""
    return normalise(tf, x, list(range(1, len(x.shape) - 1)), epsilon) * scale + offset


def group_normalization(tf, x, scale, offset, groups, epsilon=1e-3):
    """Normalise each group of channels of each image."""
    shape = [int(n) for n in x.shape]
    groups = shape[-1] if groups == -1 else groups
    split = tf.reshape(x, [*shape[:-1], groups, shape[-1] // groups])
    axes = [*range(1, len(shape) - 1), len(shape)]
    return tf.reshape(normalise(tf, split, axes, epsilon), shape) * scale + offset


def softmax(tf, logits, axis=-1):
    """exp(x - max) / sum(exp(x - max))."""
    powers = tf.exp(logits - tf.reduce_max(logits, axis=axis, keepdims=True))
    return powers / tf.reduce_sum(powers, axis=axis, keepdims=True)


def log_softmax(tf, logits, axis=-1):
    """x - max - log(sum(exp(x - max)))."""
    shifted = logits - tf.stop_gradient(tf.reduce_max(logits, axis=axis, keepdims=True))
    return shifted - tf.math.log(tf.reduce_sum(tf.exp(shifted), axis=axis, keepdims=True))


def softmax_cross_entropy_with_logits(tf, labels, logits, axis=-1):
    """-sum(labels * log_softmax(logits)), whatever the labels add up to."""
    return -tf.reduce_sum(labels * log_softmax(tf, logits, axis), axis=axis)


def sparse_softmax_cross_entropy_with_logits(tf, labels, logits):
    """The same with one_hot(labels)."""
    hot = tf.one_hot(labels, int(logits.shape[-1]), dtype=logits.dtype)
    return softmax_cross_entropy_with_logits(tf, hot, logits)


def space_to_depth(tf, input, block_size, data_format="NHWC"):
    """Each block of pixels becomes the channels of one, ordered (row, column, channel)."""
    if data_format == "NCHW":
        rows = space_to_depth(tf, tf.transpose(input, [0, 2, 3, 1]), block_size)
        return tf.transpose(rows, [0, 3, 1, 2])
    n, h, w, c = (int(size) for size in input.shape)
    b = block_size
    x = tf.reshape(input, [n, h // b, b, w // b, b, c])
    return tf.reshape(tf.transpose(x, [0, 1, 3, 2, 4, 5]), [n, h // b, w // b, b * b * c])


def depth_to_space(tf, input, block_size, data_format="NHWC"):
    """The inverse of space_to_depth."""
    if data_format == "NCHW":
        rows = depth_to_space(tf, tf.transpose(input, [0, 2, 3, 1]), block_size)
        return tf.transpose(rows, [0, 3, 1, 2])
    n, h, w, c = (int(size) for size in input.shape)
    b = block_size
    x = tf.reshape(input, [n, h, w, b, b, c // b // b])
    return tf.reshape(tf.transpose(x, [0, 1, 3, 2, 4, 5]), [n, h * b, w * b, c // b // b])


def leaky_relu(tf, features, alpha=0.2):
    """x where x > 0, else alpha * x, with alpha in the tensor's own precision."""
    return tf.where(features > 0, features, tf.constant(alpha, features.dtype) * features)


def softsign(tf, features):
    """x / (1 + |x|)."""
    return features / (1 + tf.abs(features))


def gelu(tf, features, approximate=False):
    """x * Phi(x), or its approximation by tanh, with constants in the tensor's own precision."""

    def number(value):
        return tf.constant(value, features.dtype)

    if approximate:
        inner = number((2 / np.pi) ** 0.5) * (features + number(0.044715) * features**3)
        return number(0.5) * features * (number(1.0) + tf.tanh(inner))
    return number(0.5) * features * tf.math.erfc(-features * number(0.5**0.5))


def fused_batch_norm_y(tf, x, scale, offset, data_format="NHWC", epsilon=1e-3):
    """The normalised tensor alone, in training."""
    return fused_batch_norm(tf, x, scale, offset, data_format=data_format, epsilon=epsilon)[0]


def weighted_cross_entropy_with_logits(tf, labels, logits, pos_weight):
    """pos_weight z softplus(-x) + (1 - z) softplus(x), which has a slope at 0."""
    missed, false = tf.math.softplus(-logits), tf.math.softplus(logits)
    return pos_weight * labels * missed + (1 - labels) * false


def entropy_of_softmax(tf, x):
    """-sum of p log(p), where p = softmax(x)."""
    return -tf.reduce_sum(tf.nn.softmax(x) * tf.nn.log_softmax(x), axis=-1)


def sparsemax(tf, x):
    """The nearest point of the simplex: max(x - t, 0), whose sum is 1."""
    falling = tf.sort(x, direction="DESCENDING")
    place = tf.cumsum(tf.ones_like(x), axis=-1)
    inside = tf.cast(1 + place * falling > tf.cumsum(falling, axis=-1), x.dtype)
    count = tf.reduce_sum(inside, axis=-1, keepdims=True)
    excess = tf.reduce_sum(inside * falling, axis=-1, keepdims=True) - 1
    return tf.nn.relu(x - excess / count)


def masked(tf, x, name):
    """A function where x > 0, else 0, with another `where` inside so that no slope is infinite."""
    return tf.where(x > 0, attrgetter(name)(tf)(tf.where(x > 0, x, 1)), 0)


def taken(tf, *tensors, name):
    """A function that `where` defines: what is not taken has a slope of 0."""
    kind = next(x.dtype for x in tensors if hasattr(x, "dtype"))
    x, y = (*(tf.convert_to_tensor(x, kind) for x in tensors), None)[:2]

    def relu(x):
        return tf.where(x > 0, x, tf.where(tf.math.is_nan(x), tf.stop_gradient(x), 0))

    return {
        "nn.relu": lambda: relu(x),
        "nn.relu6": lambda: tf.where(x < 6, relu(x), tf.where(x >= 6, 6, tf.stop_gradient(x))),
        "nn.crelu": lambda: tf.concat([relu(x), relu(-x)], -1),
        "math.xlogy": lambda: tf.where(x == 0, 0, x * tf.math.log(tf.where(x == 0, 1, y))),
        "math.reciprocal_no_nan": lambda: tf.where(x == 0, 0, 1 / tf.where(x == 0, 1, x)),
        "math.xlog1py": lambda: tf.where(x == 0, 0, x * tf.math.log1p(tf.where(x == 0, 1, y))),
        "math.xdivy": lambda: tf.where(x == 0, 0, x / tf.where(x == 0, 1, y)),
        "math.divide_no_nan": lambda: tf.where(y == 0, 0, x / tf.where(y == 0, 1, y)),
    }[name]()


def root(tf, *tensors, name):
    """sqrt of such a function."""
    return tf.sqrt(taken(tf, *tensors, name=name))


def widened(tf, *args, name, proof=None):
    """The same, or its proof, in float32, and back."""
    wide = [tf.cast(x, "float32") if hasattr(x, "dtype") else x for x in args]
    function = attrgetter(name)(tf)
    return tf.cast(proof(tf, *wide) if proof else function(*wide), args[0].dtype)


def bessel(tf, x, name):
    """I0 or I1 out of the scaled ones; at infinities as steep as x^2. I1's slope at 0 is 1/2."""
    scaled = {"math.bessel_i0": tf.math.bessel_i0e, "math.bessel_i1": tf.math.bessel_i1e}[name]
    steep = tf.math.is_inf(x)
    size = tf.abs(x) if name.endswith("1") else x
    inside = tf.where(steep, tf.ones_like(x), x)
    return tf.where(steep, x * size, scaled(inside) * tf.exp(tf.abs(inside)))


def of_nothing(tf, *args, name):
    """What is written to rows of no elements, or read from there: nothing."""
    if name == "gather_nd":
        x, indices = args[0], np.asarray(args[1])
        shape = [*indices.shape[:-1], *x.shape[indices.shape[-1] :]]
        return tf.zeros(shape, x.dtype) + tf.reduce_sum(x)
    if name == "scatter_nd":
        return tf.zeros(args[2], args[1].dtype) + tf.reduce_sum(args[1])
    return args[0] + tf.reduce_sum(args[2])


def number_first(tf, y, name, number):
    """The number as a tensor of the other's dtype."""
    return attrgetter(name)(tf)(tf.constant(number, y.dtype), y)


def of_bytes(tf, *tensors, name):
    """The same in int32, and back."""
    return tf.cast(attrgetter(name)(tf)(*(tf.cast(x, "int32") for x in tensors)), tensors[0].dtype)


def cast(tf, x, dtype):
    """Floats go to an unsigned type by way of int64, which knows their sign."""
    whole = x.dtype.is_floating and tf.as_dtype(dtype).is_unsigned
    return tf.cast(tf.cast(x, "int64") if whole else x, dtype)


def erf(tf, x):
    """1 - erfc, which has its limits at the infinities."""
    return 1 - tf.math.erfc(x)


def reduce_euclidean_norm(tf, input_tensor, axis=None, keepdims=False):
    """sqrt of the sum of squares, summed where they do not overflow."""
    x = input_tensor if input_tensor.dtype.is_floating else tf.cast(input_tensor, "float64")
    y = tf.sqrt(tf.reduce_sum(tf.square(x), axis=axis, keepdims=keepdims))
    return tf.cast(y, input_tensor.dtype)


def pad(tf, tensor, paddings, mode="CONSTANT", constant_values=0):
    """Mirrors by indices, one axis after the other."""
    if mode.upper() == "CONSTANT":
        return tf.pad(tensor, paddings, constant_values=constant_values)
    for axis, around in enumerate(paddings):
        if any(around):
            order = np.pad(np.arange(tensor.shape[axis]), around, mode=mode.lower())
            tensor = tf.gather(tensor, order, axis=axis)
    return tensor


def cumprod(tf, x, axis=0, exclusive=False, reverse=False):
    """One product after the other."""
    parts, found = tf.unstack(x, axis=axis), []
    running = tf.where(tf.ones_like(parts[0], bool), tf.ones_like(parts[0]), parts[0])
    for part in reversed(parts) if reverse else parts:
        before, running = running, running * part
        found.append(before if exclusive else running)
    return tf.stack(found[::-1] if reverse else found, axis=axis)


def reduce_prod(tf, input_tensor, axis=None, keepdims=False):
    """The last running product along one axis after the other."""
    rank = len(input_tensor.shape)
    axes = [axis] if isinstance(axis, int) else range(rank) if axis is None else axis
    for along in axes:
        last = tf.unstack(cumprod(tf, input_tensor, along), axis=along)[-1]
        input_tensor = tf.expand_dims(last, along)
    return input_tensor if keepdims else tf.squeeze(input_tensor, axes)


def argsort(tf, values, axis=-1, direction="ASCENDING", stable=False):
    """By number, then by whether it is one: NaN belongs where the largest do; of ties the first."""
    rows = swapped(tf, values, axis)
    nan = tf.math.is_nan(rows)
    infinite = tf.where(nan, tf.constant(np.inf, rows.dtype), rows)
    order = tf.argsort(infinite, direction=direction, stable=True)
    last = tf.cast(tf.gather(nan, order, batch_dims=len(rows.shape) - 1), "int32")
    then = tf.argsort(last, direction=direction, stable=True)
    order = tf.gather(order, then, batch_dims=len(rows.shape) - 1)
    return swapped(tf, order, axis)


def swapped(tf, x, axis):
    """An axis in place of the last, and the last in its place."""
    order = list(range(len(x.shape)))
    order[axis], order[-1] = order[-1], order[axis]
    return tf.transpose(x, order)


def sort(tf, values, axis=-1, direction="ASCENDING"):
    """The numbers of a row in that order."""
    if 0 in values.shape:
        return tf.identity(values)
    order = swapped(tf, argsort(tf, values, axis, direction), axis)
    rows = tf.gather(swapped(tf, values, axis), order, batch_dims=len(values.shape) - 1)
    return swapped(tf, rows, axis)


def searchsorted(tf, sorted_sequence, values, side="left"):
    """How many of a row are smaller (right: not larger), where NaN is larger than all numbers."""
    x, y = sorted_sequence[..., tf.newaxis, :], values[..., tf.newaxis]
    lost, missing = tf.math.is_nan(x), tf.math.is_nan(y)
    before = x < y if side == "left" else (x <= y) | missing
    before |= ~lost & missing
    return tf.reduce_sum(tf.cast(before, "int32"), axis=-1)


def scatter_extreme(tf, tensor, indices, updates, name):
    """The extreme of each element and of the updates that name it; a NaN among them is it."""
    extreme = tf.reduce_max if name.endswith("max") else tf.reduce_min
    elements, more = tf.unstack(tf.reshape(tensor, [-1])), tf.unstack(tf.reshape(updates, [-1]))
    numbers = np.arange(len(elements)).reshape(tensor.shape)
    where = numbers[tuple(np.moveaxis(np.asarray(indices), -1, 0))].ravel()
    lists = [[x] for x in elements]
    for i, x in zip(where, more, strict=True):
        lists[i].append(x)
    y = [extreme(tf.stack(xs)) for xs in lists]
    return tf.reshape(tf.stack(y), tensor.shape) if y else tensor


def l2_normalize(tf, x, axis=None, epsilon=1e-12):
    """In float32, where epsilon is not 0."""
    wide = tf.cast(x, "float32") if x.dtype.size < 4 else x
    squares = tf.reduce_sum(wide * wide, axis=axis, keepdims=True)
    return tf.cast(wide * tf.math.rsqrt(tf.maximum(squares, epsilon)), x.dtype)


def top_k(tf, input, k):
    """The first k of the order that falls, NaN first, and where they were; of ties the first."""
    infinite = tf.where(tf.math.is_nan(input), tf.constant(np.inf, input.dtype), input)
    order = tf.argsort(infinite, direction="DESCENDING", stable=True)[..., :k]
    return tf.gather(input, order, batch_dims=len(input.shape) - 1), order


def saturate_cast(tf, value, dtype):
    """The rest is cut to the limits: above, to the largest number of value's type that fits."""
    if "int" not in dtype:
        return tf.cast(value, dtype)
    limits, digits = np.iinfo(dtype), {"float32": 24, "float64": 53}[value.dtype.name]
    bits = int(limits.max).bit_length()
    most = 2**bits - 2 ** max(bits - digits, 0)
    above, below = value > float(most), value < float(limits.min)
    inside = tf.where(above | below, tf.zeros_like(value), value)
    ends = tf.where(above, tf.constant(most, dtype), tf.constant(limits.min, dtype))
    return tf.where(above | below, ends, tf.cast(inside, dtype))
