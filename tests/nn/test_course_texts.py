"""The worked examples of the course texts, number for number, through `minitensor.nn`.

Names carry the example's id in the project's inventory (A001: the notebook, A002: the article,
A004: the book chapter). Whole numbers must be equal; printed float32 to their printed digits.
"""

import numpy as np
import pytest

import minitensor as mt

# The kernel of all examples of transposed convolution, in both texts.
KERNEL = [[-1.0, 2, -3], [4, -5, 6], [-7, 8, -9]]


def image(rows):
    """A matrix as one image of one channel."""
    return mt.constant(np.array(rows, np.float32)[None, :, :, None])


def bank(rows):
    """A matrix as one filter of one channel."""
    return mt.constant(np.array(rows, np.float32)[:, :, None, None])


def plane(tensor):
    """The matrix of one image of one channel."""
    return tensor.numpy()[0, :, :, 0]


def counting(side):
    """1, 2, 3, ... in rows."""
    return image(np.arange(1, side * side + 1).reshape(side, side))


def random_normal(*shape):
    return mt.random.normal(list(shape))


# ----- A001: the notebook -----


@pytest.mark.parametrize(
    ("size", "pad", "taps", "stride"), [(5, 0, 3, 1), (5, 1, 3, 1), (6, 0, 3, 2), (28, 2, 5, 3)]
)
def test_a001_2_the_size_law(size, pad, taps, stride):
    pads = [[0, 0], [pad, pad], [pad, pad], [0, 0]]
    y = mt.nn.conv2d(mt.ones([1, size, size, 1]), mt.ones([taps, taps, 1, 1]), stride, pads)
    assert y.shape[1] == (size + 2 * pad - taps) // stride + 1


NO_PADS, ONE_EACH = [[0, 0]] * 4, [[0, 0], [1, 1], [1, 1], [0, 0]]


@pytest.mark.parametrize(
    ("strides", "padding", "shape"),
    [
        (1, NO_PADS, [2, 3, 3, 4]),
        (1, ONE_EACH, [2, 5, 5, 4]),
        (1, "SAME", [2, 5, 5, 4]),
        (3, "SAME", [2, 2, 2, 4]),
    ],
)
def test_a001_3_and_a004_6_shapes_of_conv2d(strides, padding, shape):
    y = mt.nn.conv2d(random_normal(2, 5, 5, 3), random_normal(3, 3, 3, 4), strides, padding)
    assert repr(y.shape) == f"TensorShape({shape})"


def test_a001_3_a_bias_is_broadcast():
    y = mt.nn.conv2d(random_normal(2, 5, 5, 3), random_normal(3, 3, 3, 4), 3, "SAME")
    assert repr((y + mt.zeros([4])).shape) == "TensorShape([2, 2, 2, 4])"


def test_a001_3_the_conv_layer():
    layer = mt.keras.layers.Conv2D(4, kernel_size=3, strides=1, padding="SAME")
    assert repr(layer(random_normal(2, 5, 5, 3)).shape) == "TensorShape([2, 5, 5, 4])"


def test_a001_5_a_dilated_layer():
    layer = mt.keras.layers.Conv2D(1, kernel_size=3, strides=1, dilation_rate=2)
    assert repr(layer(random_normal(1, 7, 7, 1)).shape) == "TensorShape([1, 3, 3, 1])"


def test_a001_5_dilated_conv2d():
    y = mt.nn.conv2d(random_normal(1, 7, 7, 1), random_normal(3, 3, 1, 1), 1, "VALID", dilations=2)
    assert repr(y.shape) == "TensorShape([1, 3, 3, 1])"


STRIDED = [[-67.0, -77], [-117, -127]]
STRIDED_BACK = [
    [67.0, -134, 278, -154, 231],
    [-268, 335, -710, 385, -462],
    [586, -770, 1620, -870, 1074],
    [-468, 585, -1210, 635, -762],
    [819, -936, 1942, -1016, 1143],
]


def test_a001_6_counting_pixels_by_two():
    y = mt.nn.conv2d(counting(5), bank(KERNEL), strides=2, padding="VALID")
    np.testing.assert_array_equal(plane(y), STRIDED)


def test_a001_6_the_listing_itself():
    x = mt.range(25) + 1
    x = mt.reshape(x, [1, 5, 5, 1])
    x = mt.cast(x, mt.float32)
    w = mt.constant([[-1, 2, -3.0], [4, -5, 6], [-7, 8, -9]])
    w = mt.expand_dims(w, axis=2)
    w = mt.expand_dims(w, axis=3)
    out = mt.nn.conv2d(x, w, strides=2, padding="VALID")
    np.testing.assert_array_equal(mt.squeeze(out).numpy(), STRIDED)


def test_a001_7_transposed_back_to_five_by_five():
    back = mt.nn.conv2d_transpose(
        image(STRIDED), bank(KERNEL), strides=2, padding="VALID", output_shape=[1, 5, 5, 1]
    )
    np.testing.assert_array_equal(plane(back), STRIDED_BACK)


def test_a001_7_a_transpose_does_not_undo_the_values():
    again = mt.nn.conv2d(image(STRIDED_BACK), bank(KERNEL), 2, "VALID")
    np.testing.assert_array_equal(plane(again), [[-33018, -36782], [-49742, -51178]])


SIX_BY_SIX = [
    [-12.10025, 24.2005, -41.14547, 9.689438, -14.534157, 0],
    [48.401, -60.50125, 91.98038, -24.223595, 29.068314, 0],
    [-108.83326, 145.06502, -199.14264, 6.6234093, 4.599045, 0],
    [96.526024, -120.65753, 80.52035, 80.33585, -96.40303, 0],
    [-168.92055, 193.05205, -104.71335, -128.53737, 144.60454, 0],
    [0, 0, 0, 0, 0, 0],
]


def responses(function, shape):
    """The matrix of a linear function of a matrix: one column per element."""
    units = np.eye(int(np.prod(shape)), dtype=np.float32).reshape(-1, *shape)
    return np.stack([plane(function(unit)).ravel() for unit in units], axis=1)


def test_a001_8_the_input_hidden_in_a_printed_transpose():
    def back(rows):
        return mt.nn.conv2d_transpose(image(rows), bank(KERNEL), [1, 6, 6, 1], 2, "VALID")

    printed = np.array(SIX_BY_SIX)
    hidden, *_ = np.linalg.lstsq(responses(back, (2, 2)), printed.ravel(), rcond=None)
    expected = [[12.10025, 4.844719], [24.131506, -16.067171]]
    np.testing.assert_allclose(hidden.reshape(2, 2), expected, atol=5e-6)
    again = plane(back(hidden.reshape(2, 2)))
    np.testing.assert_allclose(again, printed, atol=2e-5)
    np.testing.assert_array_equal(again[5], np.zeros(6))
    np.testing.assert_array_equal(again[:, 5], np.zeros(6))


UNSTRIDED = [[-56.0, -61], [-76, -81]]
UNSTRIDED_BACK = [
    [56.0, -51, 46, 183],
    [-148, -35, 35, -123],
    [88, 35, -35, 63],
    [532, -41, 36, 729],
]


def test_a001_9_counting_pixels_by_one():
    y = mt.nn.conv2d(counting(4), bank(KERNEL), 1, "VALID")
    np.testing.assert_array_equal(plane(y), UNSTRIDED)


def test_a001_9_transposed_back_to_four_by_four():
    back = mt.nn.conv2d_transpose(image(UNSTRIDED), bank(KERNEL), [1, 4, 4, 1], 1, "VALID")
    np.testing.assert_array_equal(mt.squeeze(back).numpy(), UNSTRIDED_BACK)


PRINTED_BY_A_RANDOM_LAYER = [
    [1.896018, 26.08768, 57.787025, 34.44299],
    [24.278782, 89.65541, 82.10664, 14.191902],
    [1.3896465, 47.111137, -0.22128582, -53.176964],
    [-38.092247, -34.26138, -7.313441, -14.992759],
]
HIDDEN_KERNEL = [
    [-0.033857, -0.428971, -0.564639],
    [-0.387600, -0.547635, 0.517113],
    [0.501214, -0.083381, 0.185096],
]


def test_a001_10_the_kernel_hidden_in_a_printed_output():
    def through(kernel):
        return mt.nn.conv2d_transpose(image(UNSTRIDED), bank(kernel), [1, 4, 4, 1], 1, "VALID")

    matrix = responses(through, (3, 3))
    printed = np.array(PRINTED_BY_A_RANDOM_LAYER)
    hidden, *_ = np.linalg.lstsq(matrix, printed.ravel(), rcond=None)
    assert np.linalg.matrix_rank(matrix) == 9
    np.testing.assert_allclose(hidden.reshape(3, 3), HIDDEN_KERNEL, atol=1e-6)
    assert np.abs(hidden).max() < np.sqrt(6 / 18)  # drawn by glorot_uniform
    np.testing.assert_allclose(plane(through(hidden.reshape(3, 3))), printed, atol=1e-5)


def test_a001_10_the_layer_with_that_kernel_prints_that_output():
    layer = mt.keras.layers.Conv2DTranspose(1, kernel_size=3, strides=1, padding="VALID")
    layer(image(UNSTRIDED))
    layer.kernel.assign(bank(HIDDEN_KERNEL))
    y = plane(layer(image(UNSTRIDED)))
    np.testing.assert_allclose(y, PRINTED_BY_A_RANDOM_LAYER, atol=2e-4)  # six digits of kernel


# ----- A002: the article -----

DIGITS = [
    [0, 0, 0, 0, 0, 0, 0],
    [0, 1, 0, 1, 2, 1, 0],
    [0, 0, 2, 2, 0, 1, 0],
    [0, 1, 1, 0, 2, 1, 0],
    [0, 0, 2, 1, 1, 0, 0],
    [0, 2, 1, 1, 2, 0, 0],
    [0, 0, 0, 0, 0, 0, 0],
]
W, B = [[0, 0, -1], [0, 1, 0], [-2, 0, 2]], [1.0]
FIVE_BY_FIVE = [
    [6, 5, -2, 1, 2],
    [3, 0, 3, 2, -2],
    [4, 2, -1, 0, 0],
    [2, 1, 2, -1, -3],
    [1, 1, 1, 3, 1],
]


def biased(strides, padding):
    return plane(mt.nn.bias_add(mt.nn.conv2d(image(DIGITS), bank(W), strides, padding), B))


def test_a002_2_the_seven_by_seven_image():
    np.testing.assert_array_equal(biased(1, "VALID"), FIVE_BY_FIVE)


def test_a002_2_through_the_layer_with_constant_initializers():
    layer = mt.keras.layers.Conv2D(
        filters=1,
        kernel_size=[3, 3],
        kernel_initializer=lambda shape, dtype=None: np.reshape(W, shape).astype("float32"),
        bias_initializer=lambda shape, dtype=None: np.reshape(B, shape).astype("float32"),
    )
    np.testing.assert_array_equal(plane(layer(image(DIGITS))), FIVE_BY_FIVE)


def test_a002_2_a_conv_neuron_has_ten_numbers_and_a_dense_one_fifty():
    assert (bank(W).shape.num_elements() + len(B), image(DIGITS).shape.num_elements() + 1) == (
        10,
        50,
    )


def test_a002_3_stride_two_keeps_every_other_position():
    np.testing.assert_array_equal(biased(2, "VALID"), [[6, -2, 2], [4, -1, 0], [1, 1, 1]])


def test_a002_3_same_keeps_the_size():
    y = biased(1, "SAME")
    assert y.shape == (7, 7)
    np.testing.assert_array_equal(y[0], [3, 1, 1, 5, 1, -3, -1])


# ----- A004: the book chapter -----

WINDOW = [[1, -1, 0], [-1, -2, 2], [1, 2, -2]]
FILTER = [[-1, 1, 2], [1, -1, 3], [0, -1, -2]]
ROWS = [[1, -1, 0, 2, 0], [-1, -2, 2, 3, 1], [1, 2, -2, 1, 0]]  # recovered from the figures


def test_a004_4_a_window_is_multiplied_and_added_up():
    product = mt.constant(WINDOW) * mt.constant(FILTER)
    np.testing.assert_array_equal(product.numpy(), [[-1, -1, 0], [-1, 2, 6], [0, -2, 4]])
    assert mt.reduce_sum(product).numpy() == 7
    assert plane(mt.nn.conv2d(image(WINDOW), bank(FILTER), 1, "VALID")) == 7


def test_a004_4_the_first_row_of_outputs():
    y = mt.nn.conv2d(image(ROWS), bank(FILTER), 1, "VALID")
    np.testing.assert_array_equal(plane(y), [[7, 10, 3]])


def test_a004_4_some_fourth_row_makes_the_next_output_minus_one():
    """The chapter prints -1 there; the figure with the row is lost, so the row is solved for."""
    known = image([*ROWS[1:], [0, 0, 0, 0, 0]])
    first = plane(mt.nn.conv2d(known, bank(FILTER), 1, "VALID"))[0, 0]
    row = np.array([0, -1 - first, 0, 0, 0]) / FILTER[2][1]
    y = mt.nn.conv2d(image([*ROWS, row]), bank(FILTER), 1, "VALID")
    assert plane(y)[1, 0] == -1


@pytest.mark.parametrize(("channels", "total"), [((7, -11, -1), -5), ((10, 20, 20), 50)])
def test_a004_5_channels_are_added(channels, total):
    """Each channel's own number, by a window that gives 7 scaled to it, then one sum."""
    factors = np.array(channels, np.float32) / 7
    x = mt.constant(np.array(WINDOW, np.float32)[None, :, :, None] * factors)  # (1, 3, 3, 3)
    kernel = mt.constant(np.repeat(np.array(FILTER, np.float32)[:, :, None, None], 3, axis=2))
    apart = mt.nn.depthwise_conv2d(x, kernel, [1, 1, 1, 1], "VALID")
    np.testing.assert_allclose(apart.numpy().ravel(), channels, rtol=1e-6)
    together = mt.nn.conv2d(x, kernel, 1, "VALID")
    np.testing.assert_allclose(together.numpy().ravel(), [total], rtol=1e-6)


def test_a004_5_stride_two_on_five_by_five():
    y = mt.nn.conv2d(counting(5), bank(FILTER), 2, "VALID")
    assert y.shape == (1, 2, 2, 1)


def test_a004_5_one_pixel_of_padding_keeps_five_by_five():
    x = image([*ROWS, [0] * 5, [0] * 5])
    y = mt.nn.conv2d(x, bank(FILTER), 1, [[0, 0], [1, 1], [1, 1], [0, 0]])
    assert y.shape == (1, 5, 5, 1)


def test_a004_5_the_padded_output_starts_with_one_and_zero():
    """Only the recovered rows reach the first row of outputs."""
    y = mt.nn.conv2d(image(ROWS), bank(FILTER), 1, [[0, 0], [1, 0], [1, 1], [0, 0]])
    np.testing.assert_array_equal(plane(y)[0, :2], [1, 0])


def test_a004_6_an_unequal_kernel_and_stride():
    y = mt.nn.conv2d(random_normal(2, 5, 5, 3), random_normal(3, 4, 3, 4), (2, 1), "SAME")
    assert repr(y.shape) == "TensorShape([2, 3, 5, 4])"


def test_a004_6_the_layer_with_an_unequal_kernel_and_stride():
    layer = mt.keras.layers.Conv2D(4, kernel_size=(3, 4), strides=(2, 1), padding="SAME")
    assert repr(layer(random_normal(2, 5, 5, 3)).shape) == "TensorShape([2, 3, 5, 4])"


def test_a004_6_the_layer_shows_its_variables():
    layer = mt.keras.layers.Conv2D(4, kernel_size=3, strides=1, padding="SAME")
    layer(random_normal(2, 5, 5, 3))
    kernel, bias = layer.trainable_variables
    assert kernel is layer.kernel
    assert bias is layer.bias
    assert (kernel.shape, bias.shape) == ((3, 3, 3, 4), (4,))
    assert np.abs(kernel.numpy()).max() <= np.sqrt(6 / (27 + 36))
    np.testing.assert_array_equal(bias.numpy(), np.zeros(4))


def test_a004_9_the_gradient_of_a_convolution():
    x, w = image(np.arange(9).reshape(3, 3)), bank(np.arange(4).reshape(2, 2))
    with mt.GradientTape() as tape:
        tape.watch([x, w])
        o = mt.nn.conv2d(x, w, 1, "VALID")
        loss = mt.reduce_sum(o)
    dx, dw = tape.gradient(loss, [x, w])
    np.testing.assert_array_equal(plane(o), [[19, 25], [37, 43]])
    np.testing.assert_array_equal(plane(dx), [[0, 1, 1], [2, 6, 4], [2, 5, 3]])
    np.testing.assert_array_equal(dw.numpy()[:, :, 0, 0], [[8, 12], [20, 24]])


@pytest.mark.parametrize(("i", "j"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_a004_9_an_output_moves_with_its_first_pixel_when_w00_moves(i, j):
    pixels = np.arange(9.0).reshape(3, 3)
    x, w = image(pixels), bank(np.arange(4).reshape(2, 2))
    with mt.GradientTape() as tape:
        tape.watch(w)
        o = mt.nn.conv2d(x, w, 1, "VALID")[0, i, j, 0]
    assert tape.gradient(o, w).numpy()[0, 0, 0, 0] == pixels[i, j]


def test_a004_10_the_first_row_of_max_pooling():
    y = mt.nn.max_pool2d(image(ROWS), 2, 1, "VALID")
    assert plane(y)[0, :2].tolist() == [1, 2]
    assert plane(y)[0, 3] == 3  # the text says 1: max(2, 0, 3, 1) is 3


def test_a004_10_the_first_window_of_average_pooling():
    assert plane(mt.nn.avg_pool2d(image(ROWS), 2, 1, "VALID"))[0, 0] == -0.75


@pytest.mark.parametrize(("taps", "stride", "side"), [(2, 1, 4), (3, 2, 2)])
def test_a004_10_sizes_of_pooling(taps, stride, side):
    y = mt.nn.max_pool2d(counting(5), taps, stride, "VALID")
    assert y.shape == (1, side, side, 1)


def test_a004_15_a_transpose_is_a_convolution_of_spread_and_padded_pixels():
    """Insert s - 1 zeros between pixels, pad k - p - 1 = 2, convolve with the flipped kernel."""
    spread = np.zeros((7, 7))
    spread[2:5:2, 2:5:2] = STRIDED
    y = mt.nn.conv2d(image(spread), bank(np.flip(KERNEL)), 1, "VALID")
    np.testing.assert_array_equal(plane(y), STRIDED_BACK)


@pytest.mark.parametrize(
    ("size", "taps", "stride", "a"), [(2, 3, 2, 0), (2, 3, 2, 1), (3, 4, 3, 2), (4, 2, 1, 0)]
)
def test_a004_15_the_output_size_law_with_its_remainder(size, taps, stride, a):
    out = (size - 1) * stride + taps + a
    assert (out - taps) % stride == a
    y = mt.ones([1, size, size, 1])
    x = mt.nn.conv2d_transpose(y, mt.ones([taps, taps, 1, 1]), [1, out, out, 1], stride, "VALID")
    assert x.shape == (1, out, out, 1)


def test_a004_15_the_six_by_six_example_of_the_chapter():
    hidden = image([[20.438847, 19.160788], [0.8098897, -28.30303]])
    x = mt.nn.conv2d_transpose(hidden, bank(KERNEL), [1, 6, 6, 1], 2, "VALID")
    printed = [-20.438847, 40.877693, -80.477325, 38.321575, -57.48236, 0]
    np.testing.assert_allclose(plane(x)[0], printed, rtol=1e-6)


def test_a004_15_the_same_input_fills_five_by_five_as_well():
    hidden = image([[20.438847, 19.160788], [0.8098897, -28.30303]])
    six = mt.nn.conv2d_transpose(hidden, bank(KERNEL), [1, 6, 6, 1], 2, "VALID")
    five = mt.nn.conv2d_transpose(hidden, bank(KERNEL), [1, 5, 5, 1], 2, "VALID")
    np.testing.assert_array_equal(plane(five), plane(six)[:5, :5])


@pytest.mark.parametrize(
    ("side", "stride", "shape", "nonzeros"),
    [(4, 1, (4, 16), 36), (5, 2, (4, 25), 36), (6, 2, (4, 36), 36)],
)
def test_a004_16_the_matrix_of_a_convolution(side, stride, shape, nonzeros):
    matrix = mt.nn.conv2d_matrix(bank(KERNEL), (side, side, 1), stride, "VALID")
    assert (matrix.shape, np.count_nonzero(matrix.toarray())) == (shape, nonzeros)


@pytest.mark.parametrize(
    ("side", "stride", "out", "back"),
    [(5, 2, STRIDED, STRIDED_BACK), (4, 1, UNSTRIDED, UNSTRIDED_BACK)],
)
def test_a004_16_the_matrix_and_its_transpose_give_the_printed_numbers(side, stride, out, back):
    matrix = mt.nn.conv2d_matrix(bank(KERNEL), (side, side, 1), stride, "VALID")
    there = matrix @ counting(side).numpy().ravel()
    np.testing.assert_array_equal(there, np.ravel(out))
    np.testing.assert_array_equal(matrix.T @ there, np.ravel(back))


@pytest.mark.parametrize(("stride", "padding", "side"), [(1, "VALID", 4), (3, "SAME", 6)])
def test_a004_16_the_sizes_of_the_chapter(stride, padding, side):
    y, kernel = mt.ones([1, 2, 2, 1]), mt.ones([3, 3, 1, 1])
    x = mt.nn.conv2d_transpose(y, kernel, [1, side, side, 1], stride, padding)
    assert x.shape == (1, side, side, 1)


def test_a004_17_a_separable_convolution_has_39_weights_instead_of_108():
    depthwise, pointwise = random_normal(3, 3, 3, 1), random_normal(1, 1, 3, 4)
    full = random_normal(3, 3, 3, 4)
    counts = [w.shape.num_elements() for w in (full, depthwise, pointwise)]
    assert counts == [108, 27, 12]
    x = random_normal(2, 5, 5, 3)
    separable = mt.nn.separable_conv2d(x, depthwise, pointwise, [1, 1, 1, 1], "SAME")
    assert separable.shape == mt.nn.conv2d(x, full, 1, "SAME").shape


def test_a004_17_separable_is_the_full_kernel_that_its_two_parts_multiply_to():
    depthwise, pointwise = random_normal(3, 3, 3, 1), random_normal(1, 1, 3, 4)
    full = mt.constant(depthwise.numpy() * pointwise.numpy())  # (3, 3, 3, 4)
    x = random_normal(2, 5, 5, 3)
    separable = mt.nn.separable_conv2d(x, depthwise, pointwise, [1, 1, 1, 1], "SAME")
    expected = mt.nn.conv2d(x, full, 1, "SAME").numpy()
    np.testing.assert_allclose(separable.numpy(), expected, atol=1e-5)
