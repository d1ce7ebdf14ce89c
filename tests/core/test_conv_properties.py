"""What must hold of convolutions whatever TensorFlow says: adjoints, routes to the same number.

Geometries are drawn by hypothesis; expected values come from loops (`reference_numpy`), from
simpler ops, or from two sides of an identity.
"""

import tracemalloc

import numpy as np
import pytest
import reference_numpy as reference
from hypothesis import given
from hypothesis import strategies as st

import minitensor as mt
from minitensor.backend.numpy import blocked, depthwise, direct, matrix
from minitensor.ops import conv as ops
from minitensor.window import Window, extent

PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))
SOME_GROUPS = st.integers(1, 3)


@st.composite
def geometries(draw, groups=SOME_GROUPS):
    """(rng, N, inner C, inner O, Window): small images, every stride, dilation, padding, groups."""
    kernel, dilation = draw(PAIRS), draw(st.tuples(st.integers(1, 2), st.integers(1, 3)))
    stride = draw(st.tuples(st.integers(1, 4), st.integers(1, 3)))
    size = draw(st.tuples(st.integers(1, 7), st.integers(1, 7)))
    pads = [draw(st.tuples(st.integers(0, 2), st.integers(0, 2))) for _ in size]
    short = [
        max(extent(k, d) - n - sum(p), 0)
        for n, k, d, p in zip(size, kernel, dilation, pads, strict=True)
    ]
    pads = [(before, after + s) for (before, after), s in zip(pads, short, strict=True)]
    padding = draw(st.sampled_from(["SAME", pads]))
    window = Window.of(size, kernel, stride, padding, dilation, draw(groups))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return rng, draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(1, 2)), window


def operands(rng, n, c, o, window):
    """x, kernel and y of a window, float64."""
    x = rng.normal(size=(n, *window.size, c * window.groups))
    kernel = rng.normal(size=(*window.kernel, c, o * window.groups))
    y = rng.normal(size=(n, *window.out, o * window.groups))
    return x, kernel, y


def words(window):
    """The window as arguments of mt.nn.conv2d."""
    return {
        "strides": window.stride,
        "padding": [[0, 0], *map(list, window.pad), [0, 0]],
        "dilations": window.dilation,
    }


# ----- adjoints -----


@given(geometries())
def test_conv_its_transpose_and_its_kernel_gradient_are_one_trilinear_form(geometry):
    x, kernel, y = operands(*geometry)
    window = geometry[-1]
    forward = np.sum(ops.conv2d(x, kernel, window=window).numpy() * y)
    by_x = np.sum(ops.conv2d_transpose(y, kernel, window=window).numpy() * x)
    by_kernel = np.sum(ops.conv2d_kernel_grad(x, y, window=window).numpy() * kernel)
    np.testing.assert_allclose([by_x, by_kernel], forward, rtol=1e-10, atol=1e-10)


@given(geometries())
def test_im2col_and_col2im_are_adjoint(geometry):
    x, _, _ = operands(*geometry)
    rng, window = geometry[0], geometry[-1]
    columns = ops.im2col(x, window=window).numpy()
    other = rng.normal(size=columns.shape)
    back = ops.col2im(other, window=window).numpy()
    np.testing.assert_allclose(np.sum(columns * other), np.sum(x * back), rtol=1e-10, atol=1e-10)


@given(geometries(groups=st.just(1)))
def test_the_gradient_of_im2col_is_col2im(geometry):
    x, _, _ = operands(*geometry)
    rng, window = geometry[0], geometry[-1]
    g = rng.normal(size=(len(x), *window.out, window.taps * x.shape[-1]))
    x = mt.constant(x)
    with mt.GradientTape() as tape:
        tape.watch(x)
        columns = ops.im2col(x, window=window)
    gradient = tape.gradient(columns, x, mt.constant(g))
    np.testing.assert_array_equal(gradient.numpy(), ops.col2im(g, window=window).numpy())


# ----- routes to the same number -----


@given(geometries())
def test_conv2d_and_both_adjoints_equal_loops_over_outputs(geometry):
    x, kernel, y = operands(*geometry)
    w = geometry[-1]
    integers = (w.stride, w.dilation, w.pad, w.groups)
    expected = reference.conv(x, kernel, *integers)
    np.testing.assert_allclose(mt.nn.conv2d(x, kernel, **words(w)).numpy(), expected, atol=1e-12)
    back = reference.conv_transpose(y, kernel, w.size, *integers)
    actual = mt.nn.conv2d_transpose(y, kernel, [len(x), *w.size, x.shape[-1]], **words(w))
    np.testing.assert_allclose(actual.numpy(), back, atol=1e-12)


@given(geometries(groups=st.just(1)))
def test_columns_times_the_kernel_matrix_is_conv2d(geometry):
    x, kernel, _ = operands(*geometry)
    window = geometry[-1]
    columns = ops.im2col(x, window=window).numpy()
    product = columns @ kernel.reshape(-1, kernel.shape[-1])
    np.testing.assert_allclose(
        mt.nn.conv2d(x, kernel, **words(window)).numpy(), product, atol=1e-12
    )


@given(geometries(groups=st.just(1)), st.integers(1, 3))
def test_depthwise_is_one_convolution_per_channel(geometry, channels):
    rng, n, m, _, window = geometry
    x = rng.normal(size=(n, *window.size, channels))
    bank = rng.normal(size=(*window.kernel, channels, m))
    expected = reference.depthwise(x, bank, window.stride, window.dilation, window.pad)
    y = mt.nn.depthwise_conv2d(
        x, bank, [1, *window.stride, 1], words(window)["padding"], None, window.dilation
    )
    np.testing.assert_allclose(y.numpy(), expected, atol=1e-12)


@given(geometries(groups=st.just(1)), st.integers(1, 3))
def test_depthwise_is_a_grouped_convolution(geometry, channels):
    rng, n, m, _, window = geometry
    x = rng.normal(size=(n, *window.size, channels))
    bank = rng.normal(size=(*window.kernel, channels, m))
    grouped = bank.reshape(*window.kernel, 1, channels * m)
    y = mt.nn.depthwise_conv2d(
        x, bank, [1, *window.stride, 1], words(window)["padding"], None, window.dilation
    )
    np.testing.assert_allclose(
        y.numpy(), mt.nn.conv2d(x, grouped, **words(window)).numpy(), atol=1e-12
    )


@given(geometries())
def test_same_is_the_explicit_pads_it_stands_for(geometry):
    x, kernel, _ = operands(*geometry)
    w = geometry[-1]
    pads = reference.same_pads(w.size, w.kernel, w.stride, w.dilation)
    explicit = mt.nn.conv2d(x, kernel, w.stride, [[0, 0], *pads, [0, 0]], dilations=w.dilation)
    same = mt.nn.conv2d(x, kernel, w.stride, "SAME", dilations=w.dilation)
    np.testing.assert_array_equal(same.numpy(), explicit.numpy())


@given(geometries())
def test_valid_is_no_padding(geometry):
    x, kernel, _ = operands(*geometry)
    w = geometry[-1]
    padded = np.pad(x, [(0, 0), *w.pad, (0, 0)])
    valid = mt.nn.conv2d(padded, kernel, w.stride, "VALID", dilations=w.dilation)
    explicit = mt.nn.conv2d(x, kernel, **words(w))
    np.testing.assert_allclose(valid.numpy(), explicit.numpy(), atol=1e-12)


@given(geometries())
def test_dilation_is_a_kernel_with_zeros_between_its_taps(geometry):
    x, kernel, _ = operands(*geometry)
    w = geometry[-1]
    reach = [extent(k, d) for k, d in zip(w.kernel, w.dilation, strict=True)]
    stuffed = np.zeros((*reach, *kernel.shape[2:]))
    stuffed[:: w.dilation[0], :: w.dilation[1]] = kernel
    expected = mt.nn.conv2d(x, stuffed, w.stride, words(w)["padding"])
    actual = mt.nn.conv2d(x, kernel, **words(w))
    np.testing.assert_allclose(actual.numpy(), expected.numpy(), atol=1e-12)


@given(st.integers(0, 999), st.integers(1, 3), st.integers(5, 9))
def test_dilation_is_a_plain_convolution_of_each_phase(seed, rate, size):
    """The space-to-batch route: every rate-th pixel is an image of its own."""
    rng = np.random.default_rng(seed)
    size = -(-size // rate) * rate
    x, kernel = rng.normal(size=(1, size, size, 2)), rng.normal(size=(2, 2, 2, 3))
    y = np.zeros((1, size - rate, size - rate, 3))
    for a in range(rate):
        for b in range(rate):
            phase = x[:, a::rate, b::rate]
            y[:, a::rate, b::rate] = mt.nn.conv2d(phase, kernel, 1, "VALID").numpy()
    actual = mt.nn.conv2d(x, kernel, 1, "VALID", dilations=rate)
    np.testing.assert_allclose(actual.numpy(), y, atol=1e-12)


@given(geometries(groups=st.integers(2, 3)))
def test_groups_are_convolutions_side_by_side(geometry):
    x, kernel, _ = operands(*geometry)
    w = geometry[-1]
    pairs = zip(np.split(x, w.groups, -1), np.split(kernel, w.groups, -1), strict=True)
    parts = [mt.nn.conv2d(a, k, **words(w)).numpy() for a, k in pairs]
    actual = mt.nn.conv2d(x, kernel, **words(w))
    np.testing.assert_allclose(actual.numpy(), np.concatenate(parts, -1), atol=1e-12)


# ----- one and three spatial axes -----


def drawn(rng, rank, groups):
    """size, taps, stride and dilation per axis; x and kernel."""
    size, taps = rng.integers(3, 7, rank), rng.integers(1, 4, rank)
    stride, dilation = rng.integers(1, 4, rank), rng.integers(1, 3, rank)
    x = rng.normal(size=(2, *size, 2 * groups))
    kernel = rng.normal(size=(*taps, 2, 3 * groups))
    return tuple(map(tuple, (size, taps, stride, dilation))), x, kernel


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("rank", "function"), [(1, "conv1d"), (3, "conv3d")])
def test_conv1d_and_conv3d_equal_loops_over_outputs(rank, function, seed, groups):
    rng = np.random.default_rng(seed)
    (size, taps, stride, dilation), x, kernel = drawn(rng, rank, groups)
    pads = reference.same_pads(size, taps, stride, dilation)
    full = [1, *map(int, stride), 1]
    y = getattr(mt.nn, function)(x, kernel, full, "SAME", dilations=[1, *map(int, dilation), 1])
    expected = reference.conv(x, kernel, stride, dilation, pads, groups)
    np.testing.assert_allclose(y.numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("rank", [1, 3])
def test_conv1d_and_conv3d_transpose_equal_loops_over_outputs(rank, seed, groups):
    rng = np.random.default_rng(seed)
    (size, taps, stride, dilation), x, kernel = drawn(rng, rank, groups)
    pads = reference.same_pads(size, taps, stride, dilation)
    sizes = reference.output_sizes(size, taps, stride, dilation, pads)
    y = rng.normal(size=(2, *sizes, 3 * groups))
    steps = [list(map(int, values)) for values in (stride, dilation)]
    actual = mt.nn.conv_transpose(y, kernel, x.shape, steps[0], "SAME", None, steps[1])
    expected = reference.conv_transpose(y, kernel, size, stride, dilation, pads, groups)
    np.testing.assert_allclose(actual.numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_convolution_dispatches_on_the_number_of_axes(rank):
    rng = np.random.default_rng(rank)
    (size, taps, stride, dilation), x, kernel = drawn(rng, rank, 1)
    steps = [list(map(int, values)) for values in (stride, dilation)]
    pads = reference.same_pads(size, taps, stride, dilation)
    y = mt.nn.convolution(x, kernel, steps[0], "SAME", None, steps[1])
    expected = reference.conv(x, kernel, stride, dilation, pads)
    np.testing.assert_allclose(y.numpy(), expected, atol=1e-12)


# ----- layouts, leading axes, empty axes -----


def test_channels_first_is_the_transposed_channels_last():
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(2, 5, 6, 4)), rng.normal(size=(3, 2, 2, 6))
    pads = [[0, 0], [1, 0], [0, 2], [0, 0]]
    last = mt.nn.conv2d(x, kernel, [1, 2, 1, 1], pads, dilations=[1, 2])
    first = mt.nn.conv2d(
        x.transpose(0, 3, 1, 2),
        kernel,
        [1, 1, 2, 1],
        [pads[0], pads[3], pads[1], pads[2]],
        "NCHW",
        [1, 2],
    )
    np.testing.assert_array_equal(first.numpy(), last.numpy().transpose(0, 3, 1, 2))


def test_channels_first_transpose_takes_its_output_shape_channels_first():
    rng = np.random.default_rng(1)
    y, kernel = rng.normal(size=(2, 3, 4, 4)), rng.normal(size=(3, 2, 5, 4))
    last = mt.nn.conv2d_transpose(y, kernel, [2, 6, 7, 5], 2)
    first = mt.nn.conv2d_transpose(
        y.transpose(0, 3, 1, 2), kernel, [2, 5, 6, 7], 2, data_format="NCHW"
    )
    np.testing.assert_array_equal(first.numpy(), last.numpy().transpose(0, 3, 1, 2))


@pytest.mark.parametrize("lead", [(2, 3), (1, 2, 2), (0, 2), (2, 0, 3)])
def test_extra_leading_axes_are_more_images(lead):
    rng = np.random.default_rng(2)
    x, kernel = rng.normal(size=(*lead, 4, 5, 2)), rng.normal(size=(2, 2, 2, 3))
    y = mt.nn.conv2d(x, kernel, 1, "SAME")
    assert y.shape == (*lead, 4, 5, 3)
    flat = mt.nn.conv2d(x.reshape(int(np.prod(lead)), 4, 5, 2), kernel, 1, "SAME")
    np.testing.assert_array_equal(y.numpy().reshape(flat.shape), flat.numpy())


@pytest.mark.parametrize(
    ("image", "bank", "out"),
    [
        ((0, 5, 6, 4), (3, 3, 4, 8), (0, 5, 6, 8)),
        ((2, 0, 6, 4), (3, 3, 4, 8), (2, 0, 6, 8)),
        ((2, 5, 6, 4), (3, 3, 4, 0), (2, 5, 6, 0)),
        ((0, 5, 4), (3, 4, 8), (0, 5, 8)),
        ((2, 0, 4), (3, 4, 8), (2, 0, 8)),
        ((2, 5, 4), (3, 4, 0), (2, 5, 0)),
        ((0, 3, 2, 3, 4), (3, 2, 3, 4, 8), (0, 3, 2, 3, 8)),
        ((2, 0, 2, 3, 4), (3, 2, 3, 4, 8), (2, 0, 2, 3, 8)),
        ((2, 3, 0, 3, 4), (3, 2, 3, 4, 8), (2, 3, 0, 3, 8)),
        ((2, 3, 2, 3, 4), (3, 2, 3, 4, 0), (2, 3, 2, 3, 0)),
    ],
)
def test_empty_axes_give_empty_outputs_and_zero_gradients(image, bank, out):
    x, kernel = mt.ones(image), mt.ones(bank)
    with mt.GradientTape() as tape:
        tape.watch([x, kernel])
        y = mt.nn.convolution(x, kernel, padding="SAME")
    by_x, by_kernel = tape.gradient(y, [x, kernel])
    assert y.shape == out
    np.testing.assert_array_equal(by_x.numpy(), np.zeros(image))
    np.testing.assert_array_equal(by_kernel.numpy(), np.zeros(bank))


@pytest.mark.parametrize("size", [(0, 4), (4, 0)])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_transposes_of_empty_axes_are_empty(rank, size):
    batch, width = size
    y, kernel = mt.ones([batch, *[width] * rank, 2]), mt.ones([*[3] * rank, 5, 2])
    x = mt.nn.conv_transpose(y, kernel, [batch, *[width * 2] * rank, 5], 2)
    assert x.shape == (batch, *[width * 2] * rank, 5)


def test_the_filter_gradient_of_an_empty_depthwise_batch_is_zero():
    gradient = mt.nn.depthwise_conv2d_backprop_filter(
        mt.ones([0, 5, 6, 4]), [3, 3, 4, 2], mt.ones([0, 5, 6, 8]), [1, 1, 1, 1], "SAME"
    )
    np.testing.assert_array_equal(gradient.numpy(), np.zeros((3, 3, 4, 2)))


def test_arrays_that_are_not_contiguous_give_the_same_result():
    rng = np.random.default_rng(3)
    wide, kernel = rng.normal(size=(4, 10, 6, 4)), rng.normal(size=(4, 3, 2, 3))
    x = wide[::2, ::-2, :, 1::2]
    y = mt.nn.conv2d(x, kernel[:, :, ::-1], 1, "VALID", dilations=[1, 2])
    copies = mt.nn.conv2d(x.copy(), kernel[:, :, ::-1].copy(), 1, "VALID", dilations=[1, 2])
    np.testing.assert_allclose(y.numpy(), copies.numpy(), atol=1e-12)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("function", ["conv2d", "conv3d"])
def test_half_precision_is_the_float32_sum_rounded_once(dtype, function):
    rng = np.random.default_rng(4)
    rank = int(function[4])
    x, kernel = rng.normal(size=(1, *[5] * rank, 8)), rng.normal(size=(*[3] * rank, 8, 2))
    halves = [mt.cast(mt.constant(a), dtype) for a in (x, kernel)]
    wide = [mt.cast(a, "float32") for a in halves]
    call = getattr(mt.nn, function)
    expected = mt.cast(call(*wide, [1] * (rank + 2), "SAME"), dtype)
    np.testing.assert_array_equal(call(*halves, [1] * (rank + 2), "SAME").numpy(), expected.numpy())


# ----- the matrix W' -----


@given(geometries())
def test_the_matrix_of_a_convolution_maps_x_to_y_and_its_transpose_y_to_x(geometry):
    x, kernel, y = operands(*geometry)
    w = geometry[-1]
    matrix = mt.nn.conv2d_matrix(kernel, x.shape[1:], **words(w))
    there = mt.nn.conv2d(x, kernel, **words(w)).numpy()
    back = mt.nn.conv2d_transpose(y, kernel, x.shape, **words(w)).numpy()
    for image in range(len(x)):
        np.testing.assert_allclose(matrix @ x[image].ravel(), there[image].ravel(), atol=1e-12)
        np.testing.assert_allclose(matrix.T @ y[image].ravel(), back[image].ravel(), atol=1e-12)


def test_of_the_matrix_few_numbers_are_stored():
    """A dense one would hold 4.3e9 numbers."""
    matrix = mt.nn.conv2d_matrix(mt.ones([3, 3, 8, 8]), (128, 64, 8), padding="SAME")
    assert matrix.shape == (65536, 65536)
    assert matrix.nnz == (3 * 128 - 2) * (3 * 64 - 2) * 64
    assert "the first 12 rows and 36 columns" in str(matrix)
    with pytest.raises(ValueError, match=r"a dense matrix \(65536, 65536\) would exceed 256 MiB"):
        matrix.toarray()


def test_a_matrix_that_would_be_too_large_is_refused():
    with pytest.raises(ValueError, match="conv2d_matrix"):
        mt.nn.conv2d_matrix(mt.ones([3, 3, 16, 16]), (256, 256, 16), padding="SAME")


@given(geometries())
def test_the_matrix_multiplies_as_scipys_does(geometry):
    x, kernel, y = operands(*geometry)
    matrix = mt.nn.conv2d_matrix(kernel, x.shape[1:], **words(geometry[-1]))
    theirs = pytest.importorskip("scipy.sparse").csr_array(matrix.toarray())
    np.testing.assert_array_equal(matrix.to_scipy().toarray(), theirs.toarray())
    images, outputs = (np.reshape(a, (len(a), -1)) for a in (x, y))
    for ours, expected in (
        (matrix @ images.T, theirs @ images.T),
        (outputs @ matrix, outputs @ theirs),
        (images[0] @ matrix.T, theirs @ images[0]),
        (np.asarray(matrix.T), theirs.toarray().T),
    ):
        np.testing.assert_allclose(ours, expected, atol=1e-12)


def test_the_matrix_multiplies_only_what_fits():
    matrix = mt.nn.conv2d_matrix(mt.ones([3, 3, 1, 1]), (4, 4, 1))
    with pytest.raises(ValueError, match=r"\(4, 16\) times an array \(4,\): legal are \(16,\)"):
        matrix @ np.ones(4)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_the_matrix_of_half_precision_filters_is_float32(dtype):
    matrix = mt.nn.conv2d_matrix(mt.cast(mt.ones([2, 2, 1, 1]), dtype), (3, 3, 1))
    assert (matrix.dtype.name, matrix.toarray().sum()) == ("float32", 16)


def test_the_matrix_of_no_place_has_no_row():
    assert mt.nn.conv2d_matrix(mt.ones([2, 2, 1, 3]), (0, 4, 1), padding="SAME").shape == (0, 0)


# ----- algorithms -----


@given(geometries(), st.sampled_from(["direct", "im2col", "matrix"]))
def test_pinned_algorithms_agree_with_loops_over_outputs(geometry, name):
    x, kernel, y = operands(*geometry)
    w = geometry[-1]
    integers = (w.stride, w.dilation, w.pad, w.groups)
    with mt.algorithm(name):
        there = ops.conv2d(x, kernel, window=w).numpy()
        back = ops.conv2d_transpose(y, kernel, window=w).numpy()
        bank = ops.conv2d_kernel_grad(x, y, window=w).numpy()
    np.testing.assert_allclose(there, reference.conv(x, kernel, *integers), atol=1e-12)
    expected = reference.conv_transpose(y, kernel, w.size, *integers)
    np.testing.assert_allclose(back, expected, atol=1e-12)
    np.testing.assert_allclose(np.sum(bank * kernel), np.sum(there * y), rtol=1e-10, atol=1e-10)


@given(geometries(groups=st.just(1)), st.integers(1, 3), st.integers(1, 2))
def test_the_depthwise_algorithm_agrees_with_loops_over_outputs(geometry, channels, multiplier):
    rng, n, _, _, plain = geometry
    w = Window(
        *[getattr(plain, f) for f in ("size", "kernel", "stride", "dilation", "pad")], channels
    )
    x, kernel, y = operands(rng, n, 1, multiplier, w)
    integers = (w.stride, w.dilation, w.pad, w.groups)
    with mt.algorithm("depthwise"):
        there = ops.conv2d(x, kernel, window=w).numpy()
        back = ops.conv2d_transpose(y, kernel, window=w).numpy()
        bank = ops.conv2d_kernel_grad(x, y, window=w).numpy()
    np.testing.assert_allclose(there, reference.conv(x, kernel, *integers), atol=1e-12)
    expected = reference.conv_transpose(y, kernel, w.size, *integers)
    np.testing.assert_allclose(back, expected, atol=1e-12)
    np.testing.assert_allclose(np.sum(bank * kernel), np.sum(there * y), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    ("name", "module"),
    [("direct", direct), ("im2col", blocked), ("matrix", matrix), ("depthwise", depthwise)],
)
def test_a_pinned_algorithm_is_the_one_that_runs(monkeypatch, name, module):
    monkeypatch.setattr(module, "conv2d", lambda x, kernel, window: np.full((1, 3, 3, 2), 7.0))
    with mt.algorithm(name):
        y = mt.nn.conv2d(mt.ones([1, 3, 3, 2]), mt.ones([1, 1, 1, 2]), 1, "SAME")
    np.testing.assert_array_equal(y.numpy(), np.full((1, 3, 3, 2), 7.0))


def test_an_algorithm_of_another_name_is_refused():
    with pytest.raises(ValueError, match="fft"), mt.algorithm("fft"):
        pass


# ----- memory -----

LARGE_X, LARGE_KERNEL = (128, 32, 32, 64), (3, 3, 64, 64)
SCRATCH = 64 * 2**20


def scratch_of(compute):
    """Bytes at the peak of `compute()`, beyond what it returns and what was there before."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        result = compute()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return peak - before - result.array.nbytes


def large():
    return mt.zeros(LARGE_X), mt.zeros(LARGE_KERNEL)


def test_a_large_conv2d_needs_at_most_64_mib_of_scratch():
    x, kernel = large()
    assert scratch_of(lambda: mt.nn.conv2d(x, kernel, 1, "SAME")) <= SCRATCH


@pytest.mark.parametrize("source", ["x", "kernel"])
def test_a_gradient_of_a_large_conv2d_needs_at_most_64_mib_of_scratch(source):
    x, kernel = large()
    wanted, g = {"x": x, "kernel": kernel}[source], mt.zeros(LARGE_X)
    with mt.GradientTape() as tape:
        tape.watch(wanted)
        y = mt.nn.conv2d(x, kernel, 1, "SAME")
    assert scratch_of(lambda: tape.gradient(y, wanted, g)) <= SCRATCH
