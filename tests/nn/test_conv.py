"""The convolution family against TensorFlow: values, first and second derivatives, float64.

TensorFlow on a CPU has no float64 gradient of dilated or grouped convolutions; there the other
side is TensorFlow as well, on a kernel with zeros between its taps, or group by group.
"""

import numpy as np
import pytest
from against import assert_agree

import minitensor as mt


def normal(*shape):
    """Seeded by its shape, so that no test depends on another."""
    return np.random.default_rng(shape).normal(size=shape)


# ----- conv2d -----

EXPLICIT = [[0, 0], [2, 0], [1, 3], [0, 0]]


@pytest.mark.parametrize("padding", ["SAME", "VALID", EXPLICIT])
@pytest.mark.parametrize("strides", [1, 2, [1, 3], [4], [1, 3, 2, 1]])
@pytest.mark.parametrize("taps", [(1, 1), (2, 3), (4, 4)])
def test_conv2d_up_to_the_second_order(tf, taps, strides, padding):
    assert_agree(
        tf,
        lambda x, k: mt.nn.conv2d(x, k, strides, padding),
        lambda x, k: tf.nn.conv2d(x, k, strides, padding),
        normal(2, 7, 6, 3),
        normal(*taps, 3, 2),
    )


@pytest.mark.parametrize("seed", range(40))
def test_conv2d_with_strides_dilations_and_groups_forward(tf, seed):
    rng = np.random.default_rng(seed)
    groups, inner, outer = (int(n) for n in rng.integers(1, 4, 3))
    taps, strides, dilations = (rng.integers(1, 4, 2).tolist() for _ in range(3))
    size = [
        int(n + (k - 1) * d) for n, k, d in zip(rng.integers(1, 6, 2), taps, dilations, strict=True)
    ]
    pads = rng.integers(0, 4, (2, 2)).tolist()
    padding = ["SAME", "VALID", [[0, 0], *pads, [0, 0]]][rng.integers(3)]
    x = rng.normal(size=(2, *size, groups * inner))
    kernel = rng.normal(size=(*taps, inner, groups * outer))
    arrays, words = (x, kernel, strides, padding), {"dilations": dilations}
    expected = tf.nn.conv2d(*arrays, **words).numpy()
    np.testing.assert_allclose(mt.nn.conv2d(*arrays, **words).numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("dilations", [2, [1, 3], [3, 2]])
def test_dilated_conv2d_up_to_the_second_order(tf, dilations, padding):
    rates = dilations if isinstance(dilations, list) else [dilations] * 2
    assert_agree(
        tf,
        lambda x, k: mt.nn.conv2d(x, k, 1, padding, dilations=dilations),
        lambda x, k: tf.nn.convolution(x, k, 1, padding, dilations=rates),
        normal(2, 8, 9, 2),
        normal(3, 2, 2, 3),
    )


@pytest.mark.parametrize("padding", ["SAME", "VALID", EXPLICIT])
def test_strided_and_dilated_conv2d_up_to_the_second_order(tf, padding):
    def with_zeros_between_taps(x, kernel):
        spread = tf.pad(tf.reshape(kernel, [3, 1, 2, 1, 2, 3]), [[0, 0], [0, 1]] * 2 + [[0, 0]] * 2)
        return tf.nn.conv2d(x, tf.reshape(spread, [6, 4, 2, 3])[:5, :3], [2, 3], padding)

    assert_agree(
        tf,
        lambda x, k: mt.nn.conv2d(x, k, [2, 3], padding, dilations=2),
        with_zeros_between_taps,
        normal(2, 8, 9, 2),
        normal(3, 2, 2, 3),
    )


@pytest.mark.parametrize("strides", [1, 2])
def test_grouped_conv2d_up_to_the_second_order(tf, strides):
    def by_group(x, kernel):
        pairs = zip(tf.split(x, 3, -1), tf.split(kernel, 3, -1), strict=True)
        return tf.concat([tf.nn.conv2d(a, k, strides, "SAME") for a, k in pairs], -1)

    assert_agree(
        tf,
        lambda x, k: mt.nn.conv2d(x, k, strides, "SAME"),
        by_group,
        normal(2, 5, 6, 6),
        normal(3, 3, 2, 6),
    )


def test_channels_first_conv2d_up_to_the_second_order(tf):
    def through_channels_last(x, kernel):
        y = tf.nn.conv2d(tf.transpose(x, [0, 2, 3, 1]), kernel, [2, 1], EXPLICIT)
        return tf.transpose(y, [0, 3, 1, 2])

    pads = [[0, 0], [0, 0], *EXPLICIT[1:3]]
    assert_agree(
        tf,
        lambda x, k: mt.nn.conv2d(x, k, [1, 1, 2, 1], pads, "NCHW"),
        through_channels_last,
        normal(2, 3, 5, 6),
        normal(3, 2, 3, 4),
    )


def test_conv2d_keeps_leading_axes_as_tensorflow(tf):
    arrays = normal(2, 3, 5, 6, 2), normal(3, 3, 2, 4)
    expected = tf.nn.conv2d(*arrays, 2, "SAME").numpy()
    np.testing.assert_allclose(mt.nn.conv2d(*arrays, 2, "SAME").numpy(), expected, atol=1e-12)


def test_int32_conv2d_wraps_around_as_tensorflow(tf):
    draw = np.random.default_rng(0).integers
    x = draw(-(2**30), 2**30, (1, 5, 5, 3), dtype=np.int32)
    kernel = draw(-(2**30), 2**30, (3, 3, 3, 2), dtype=np.int32)
    expected = tf.nn.conv2d(x, kernel, 1, "SAME").numpy()
    np.testing.assert_array_equal(mt.nn.conv2d(x, kernel, 1, "SAME").numpy(), expected)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_conv2d_in_fewer_digits_is_the_float64_result_rounded(tf, dtype):
    """Within one unit in the last place of the type, float32 within eight."""
    x, kernel = (tf.cast(normal(*shape), dtype).numpy() for shape in [(2, 6, 6, 8), (3, 3, 8, 4)])
    exact = tf.nn.conv2d(x.astype("f8"), kernel.astype("f8"), 1, "SAME").numpy()
    actual = mt.nn.conv2d(x, kernel, 1, "SAME").numpy()
    assert actual.dtype == x.dtype
    digits = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 8 * 2.0**-24}[dtype]
    size = tf.nn.conv2d(np.abs(x).astype("f8"), np.abs(kernel).astype("f8"), 1, "SAME").numpy()
    scale = size if dtype == "float32" else np.abs(exact) + 2.0**-20 * size
    assert np.all(np.abs(actual.astype("f8") - exact) <= digits * scale)


def test_a_numpy_array_beside_a_tensor_takes_its_dtype_as_in_tensorflow(tf):
    x, kernel = normal(1, 4, 4, 1), normal(3, 3, 1, 1).astype("float32")
    theirs = tf.nn.conv2d(x, tf.constant(kernel), 1, "SAME")
    ours = mt.nn.conv2d(x, mt.constant(kernel), 1, "SAME")
    assert ours.dtype.name == theirs.dtype.name == "float32"
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-5, atol=1e-6)


# ----- conv1d, conv3d, convolution, atrous -----


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("stride", [1, [2], [1, 3, 1]])
def test_conv1d_up_to_the_second_order(tf, stride, padding):
    assert_agree(
        tf,
        lambda x, k: mt.nn.conv1d(x, k, stride, padding),
        lambda x, k: tf.nn.conv1d(x, k, stride, padding),
        normal(2, 8, 3),
        normal(3, 3, 2),
    )


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("strides", [[1, 1, 1, 1, 1], [1, 2, 1, 3, 1]])
def test_conv3d_up_to_the_second_order(tf, strides, padding):
    assert_agree(
        tf,
        lambda x, k: mt.nn.conv3d(x, k, strides, padding),
        lambda x, k: tf.nn.conv3d(x, k, strides, padding),
        normal(2, 4, 5, 4, 2),
        normal(3, 2, 3, 2, 2),
    )


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_dilated_convolution_up_to_the_second_order(tf, rank, padding):
    words = {"padding": padding, "dilations": [2, 1, 2][:rank]}
    assert_agree(
        tf,
        lambda x, k: mt.nn.convolution(x, k, **words),
        lambda x, k: tf.nn.convolution(x, k, **words),
        normal(2, *[6, 4, 5][:rank], 2),
        normal(*[3, 2, 2][:rank], 2, 2),
    )


@pytest.mark.parametrize(
    ("rate", "padding"),
    [(1, "SAME"), (1, "VALID"), (2, "SAME"), (2, "VALID"), (2, EXPLICIT), ([2, 3], EXPLICIT)],
)
def test_atrous_conv2d_up_to_the_second_order(tf, rate, padding):
    assert_agree(
        tf,
        lambda x, k: mt.nn.atrous_conv2d(x, k, rate, padding),
        lambda x, k: tf.nn.atrous_conv2d(x, k, rate, padding),
        normal(2, 8, 9, 2),
        normal(3, 2, 2, 3),
    )


# ----- transposes -----


def legal_sizes(places, taps, stride, padding):
    """Image sizes whose strided convolution has that many places, by the rules of the guide."""
    smallest = (places - 1) * stride + (1 if padding == "SAME" else taps)
    return range(smallest, smallest + stride)


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("taps", [1, 2, 3, 4])
def test_conv2d_transpose_for_every_legal_size(tf, taps, stride, padding):
    y, kernel = normal(2, 3, 2, 2), normal(taps, taps, 3, 2)
    for height in legal_sizes(3, taps, stride, padding):
        for width in legal_sizes(2, taps, stride, padding):
            words = ([2, height, width, 3], stride, padding)
            assert_agree(
                tf,
                lambda y, k, words=words: mt.nn.conv2d_transpose(y, k, *words),
                lambda y, k, words=words: tf.nn.conv2d_transpose(y, k, *words),
                y,
                kernel,
                order=1,
            )


def test_conv2d_transpose_up_to_the_second_order(tf):
    words = ([2, 6, 8, 3], [2, 3], "SAME")
    assert_agree(
        tf,
        lambda y, k: mt.nn.conv2d_transpose(y, k, *words),
        lambda y, k: tf.nn.conv2d_transpose(y, k, *words),
        normal(2, 3, 3, 2),
        normal(3, 4, 3, 2),
    )


def test_conv2d_transpose_with_explicit_pads(tf):
    words = ([2, 5, 6, 3], 2, [[0, 0], [1, 0], [2, 1], [0, 0]])
    assert_agree(
        tf,
        lambda y, k: mt.nn.conv2d_transpose(y, k, *words),
        lambda y, k: tf.nn.conv2d_transpose(y, k, *words),
        normal(2, 2, 4, 2),
        normal(3, 3, 3, 2),
    )


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_conv1d_transpose_up_to_the_second_order(tf, stride, padding):
    size = legal_sizes(3, 3, stride, padding)[-1]
    assert_agree(
        tf,
        lambda y, k: mt.nn.conv1d_transpose(y, k, [2, size, 3], stride, padding),
        lambda y, k: tf.nn.conv1d_transpose(y, k, [2, size, 3], stride, padding),
        normal(2, 3, 2),
        normal(3, 3, 2),
    )


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_conv3d_transpose_up_to_the_second_order(tf, padding):
    shape = [2, *(legal_sizes(n, 2, 2, padding)[-1] for n in (2, 1, 2)), 3]
    assert_agree(
        tf,
        lambda y, k: mt.nn.conv3d_transpose(y, k, shape, [1, 2, 2, 2, 1], padding),
        lambda y, k: tf.nn.conv3d_transpose(y, k, shape, [1, 2, 2, 2, 1], padding),
        normal(2, 2, 1, 2, 2),
        normal(2, 2, 2, 3, 2),
    )


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_conv_transpose_dispatches_as_tensorflow(tf, rank):
    arrays = normal(2, *[3] * rank, 2), normal(*[3] * rank, 3, 2)
    words = ([2, *[6] * rank, 3], 2)
    expected = tf.nn.conv_transpose(*arrays, *words).numpy()
    np.testing.assert_allclose(mt.nn.conv_transpose(*arrays, *words).numpy(), expected, atol=1e-12)


@pytest.mark.parametrize(("padding", "size"), [("SAME", (4, 4)), ("VALID", (8, 8))])
def test_atrous_conv2d_transpose_up_to_the_second_order(tf, padding, size):
    shape = [2, *size, 3]
    assert_agree(
        tf,
        lambda y, k: mt.nn.atrous_conv2d_transpose(y, k, shape, 2, padding),
        lambda y, k: tf.nn.atrous_conv2d_transpose(y, k, shape, 2, padding),
        normal(2, 4, 4, 2),
        normal(3, 3, 3, 2),
    )


# ----- depthwise and separable -----


@pytest.mark.parametrize("padding", ["SAME", "VALID", EXPLICIT])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("multiplier", [1, 2])
def test_depthwise_conv2d_up_to_the_second_order(tf, multiplier, stride, padding):
    strides = [1, stride, stride, 1]
    assert_agree(
        tf,
        lambda x, k: mt.nn.depthwise_conv2d(x, k, strides, padding),
        lambda x, k: tf.nn.depthwise_conv2d(x, k, strides, padding),
        normal(2, 6, 7, 3),
        normal(3, 2, 3, multiplier),
    )


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_dilated_depthwise_conv2d_up_to_the_second_order(tf, padding):
    words = ([1, 1, 1, 1], padding, None, [2, 3])
    assert_agree(
        tf,
        lambda x, k: mt.nn.depthwise_conv2d(x, k, *words),
        lambda x, k: tf.nn.depthwise_conv2d(x, k, *words),
        normal(2, 6, 7, 3),
        normal(3, 2, 3, 2),
    )


@pytest.mark.parametrize("stride", [1, 2])
def test_depthwise_backprops_up_to_the_second_order(tf, stride):
    x, kernel = normal(2, 6, 7, 3), normal(3, 2, 3, 2)
    strides = [1, stride, stride, 1]
    g = normal(*tf.nn.depthwise_conv2d(x, kernel, strides, "SAME").shape)
    assert_agree(
        tf,
        lambda k, g: mt.nn.depthwise_conv2d_backprop_input([2, 6, 7, 3], k, g, strides, "SAME"),
        lambda k, g: tf.nn.depthwise_conv2d_backprop_input([2, 6, 7, 3], k, g, strides, "SAME"),
        kernel,
        g,
    )
    assert_agree(
        tf,
        lambda x, g: mt.nn.depthwise_conv2d_backprop_filter(x, [3, 2, 3, 2], g, strides, "SAME"),
        lambda x, g: tf.nn.depthwise_conv2d_backprop_filter(x, [3, 2, 3, 2], g, strides, "SAME"),
        x,
        g,
    )


@pytest.mark.parametrize("words", [([1, 2, 2, 1], "SAME"), ([1, 1, 1, 1], "VALID", None, [2, 2])])
def test_separable_conv2d_up_to_the_second_order(tf, words):
    assert_agree(
        tf,
        lambda x, d, p: mt.nn.separable_conv2d(x, d, p, *words),
        lambda x, d, p: tf.nn.separable_conv2d(x, d, p, *words),
        normal(2, 6, 7, 3),
        normal(3, 3, 3, 2),
        normal(1, 1, 6, 4),
    )
