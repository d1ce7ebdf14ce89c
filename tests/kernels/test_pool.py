"""The kernels that move, compare and average pixels, on the emulator: columns, pooling, transpose.

Expected values are the NumPy twin's in float64, or worked out on paper. Sums may differ by
8 * 2^-24 * (the sum of the sizes of what was added), as in minitensor/parity/bounds.py, and by one
last digit more where they are rounded to float16; what is only copied may not differ at all.
"""

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from minitensor.backend import numpy as twin
from minitensor.backend.emulator import device, order
from minitensor.backend.host import columns, grid, pool
from minitensor.backend.host.arrays import transpose
from minitensor.parity.bounds import UNIT, ulp
from minitensor.window import Window

ORDERS = ("forward", "reverse", "random")
FLOATS = ("float32", "float64", "float16")
ADJOINTS = {  # each from the side of the places to the side of the pixels
    "put_tap": (pool.put_tap, twin.put_tap),
    "avg_pool_grad": (pool.avg_pool_grad, twin.avg_pool_grad),
    "col2im": (columns.col2im, twin.col2im),
}
ODD = Window.of((7, 9), (3, 2), (2, 1), ((1, 2), (0, 1)), (1, 2))
OVERLAP = Window.of((9, 8), (3, 3), (2, 2), ((1, 1), (1, 0)))
CUT = Window.of((6, 5), (2, 2), (1, 2), ((-1, 2), (1, -1)))  # a negative pad cuts the image
BLIND = Window.of((1, 1), (2, 2), (1, 1), ((1, 1), (1, 1)), (2, 2))  # sees padding only


def numbers(shape, seed=0):
    """Float64 with many ties, and exact in float16."""
    return np.random.default_rng(seed).integers(-40, 40, shape) / 8.0


def assert_sum(got, exact, size, dtype):
    """`got` is `exact` up to the roundings of a sum whose terms have the total `size`."""
    bound = 8 * UNIT["float64" if dtype == "float64" else "float32"] * size
    if dtype == "float16":
        bound = bound + ulp(np.abs(exact), dtype)
    assert (got.dtype, got.shape) == (dtype, exact.shape)
    assert (np.abs(device.to_numpy(got).astype("float64") - exact) <= bound).all()


def assert_same(got, expected):
    assert (got.dtype, got.shape) == (expected.dtype, expected.shape)
    np.testing.assert_array_equal(device.to_numpy(got), expected)


def places(window, n, c, seed=1):
    return numbers((n, *window.out, c), seed)


@st.composite
def geometries(draw):
    """(window, N, C): small, strided, dilated, padded unevenly, cut, or empty."""

    def pair(low, high):
        return draw(st.tuples(st.integers(low, high), st.integers(low, high)))

    pads = (pair(-1, 3), pair(-1, 3))
    window = Window.of(pair(1, 7), pair(1, 4), pair(1, 3), pads, pair(1, 3))
    assume(min(window.padded) > 0)
    return window, draw(st.integers(0, 3)), draw(st.sampled_from([1, 3, 4, 8]))


@pytest.mark.parametrize("name", ORDERS)
@pytest.mark.parametrize("c", [8, 3])
@pytest.mark.parametrize("dtype", [*FLOATS, "int32", "uint8"])
def test_choices_are_the_twins_in_any_order_of_threads(name, c, dtype):
    x = np.abs(numbers((2, *ODD.size, c))).astype(dtype)
    index = twin.window_argmax(x, ODD)
    with order(name, seed=3):
        assert_same(pool.max_pool(device, x, ODD), twin.max_pool(x, ODD))
        assert_same(pool.window_argmax(device, x, ODD), index)
        assert_same(pool.take_tap(device, x, index, ODD), twin.take_tap(x, index, ODD))
        assert_same(columns.im2col(device, x, ODD), twin.im2col(x, ODD))


@pytest.mark.parametrize("name", ORDERS)
@pytest.mark.parametrize("c", [8, 3])
@pytest.mark.parametrize("dtype", FLOATS)
def test_means_are_the_twins_in_any_order_of_threads(name, c, dtype):
    x = numbers((2, *OVERLAP.size, c))
    with order(name, seed=4):
        y = pool.avg_pool(device, x.astype(dtype), OVERLAP)
    assert_sum(y, twin.avg_pool(x, OVERLAP), twin.avg_pool(np.abs(x), OVERLAP), dtype)


@pytest.mark.parametrize("name", ORDERS)
@pytest.mark.parametrize("c", [8, 3])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("op", ADJOINTS)
def test_gathered_gradients_are_the_twins_in_any_order_of_threads(op, name, c, dtype):
    with order(name, seed=5):
        check_adjoint(op, OVERLAP, 2, c, dtype)


def check_adjoint(op, window, n, c, dtype):
    ours, theirs = ADJOINTS[op]
    g = places(window, n, c * window.taps if op == "col2im" else c)
    taps = np.random.default_rng(2).integers(0, window.taps, g.shape).astype(np.int32)
    rest = (taps, window) if op == "put_tap" else (window,)
    got = ours(device, g.astype(dtype), *rest)
    assert_sum(got, theirs(g, *rest), theirs(np.abs(g), *rest), dtype)


@settings(max_examples=60)
@given(geometries())
@example((BLIND, 1, 4))
@example((CUT, 2, 4))
@example((Window.of((9, 9), (3, 3), (2, 2), "SAME"), 1, 8))
@example((Window.of((8, 8), (2, 2), (2, 2)), 1, 4))
@example((Window.of((0, 3), (1, 1), (1, 1), ((1, 1), (0, 0))), 1, 4))
def test_every_geometry_is_the_twins(case):
    window, n, c = case
    x = numbers((n, *window.size, c)).astype("float32")
    index = twin.window_argmax(x, window)
    assert_same(pool.max_pool(device, x, window), twin.max_pool(x, window))
    assert_same(pool.window_argmax(device, x, window), index)
    assert_same(pool.take_tap(device, x, index, window), twin.take_tap(x, index, window))
    assert_same(columns.im2col(device, x, window), twin.im2col(x, window))
    means = [twin.avg_pool(y, window) for y in (x.astype("float64"), np.abs(x, dtype="float64"))]
    assert_sum(pool.avg_pool(device, x, window), *means, "float32")
    for op in ADJOINTS:
        check_adjoint(op, window, n, c, "float32")


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("c", [1, 8])
def test_the_first_of_equal_maxima_wins(dtype, c):
    x = np.array([1, 3, 3, 3], dtype).reshape(1, 2, 2, 1).repeat(c, -1)
    index = pool.window_argmax(device, x, Window.of((2, 2), (2, 2)))
    assert_same(index, np.full((1, 1, 1, c), 1, np.int32))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("c", [1, 8])
def test_the_first_nan_is_the_maximum(dtype, c):
    x = np.array([np.inf, np.nan, np.inf, np.nan], dtype).reshape(1, 2, 2, 1).repeat(c, -1)
    window = Window.of((2, 2), (2, 2))
    assert np.isnan(pool.max_pool(device, x, window)).all()
    assert (pool.window_argmax(device, x, window) == 1).all()


def test_the_first_pixel_of_minus_infinities_wins_and_not_the_padding_before_it():
    window = Window.of((2, 2), (3, 3), (1, 1), ((1, 0), (1, 0)))
    x = np.full((1, 2, 2, 4), -np.inf, "float32")
    assert (pool.window_argmax(device, x, window) == 4).all()  # tap (1, 1) lies on pixel (0, 0)


@pytest.mark.parametrize(
    ("dtype", "lowest"),
    [("float32", -np.inf), ("int8", -128), ("uint8", 0), ("int64", -(2**63)), ("uint64", 0)],
)
def test_a_window_that_sees_only_padding_has_the_lowest_value_and_tap_0(dtype, lowest):
    x = np.ones((1, 1, 1, 4), dtype)
    assert (pool.max_pool(device, x, BLIND) == lowest).all()
    assert (pool.window_argmax(device, x, BLIND) == 0).all()


def test_large_unsigned_integers_keep_their_order():
    x = np.array([1, 2**63 + 5, 2**63, 7], "uint64").reshape(1, 2, 2, 1)
    window = Window.of((2, 2), (2, 2))
    assert_same(pool.max_pool(device, x, window), np.array([[[[2**63 + 5]]]], "uint64"))
    assert pool.window_argmax(device, x, window).item() == 1


def test_a_mean_counts_real_pixels_only():
    x = np.arange(1.0, 10.0, dtype="float32").reshape(1, 3, 3, 1)
    y = pool.avg_pool(device, x, Window.of((3, 3), (2, 2), (2, 2), ((1, 0), (1, 0))))
    assert_same(y[0, :, :, 0], np.array([[1.0, 2.5], [5.5, 7.0]], "float32"))


def test_a_mean_over_nothing_but_padding_is_zero():
    assert (pool.avg_pool(device, np.ones((1, 1, 1, 4), "float32"), BLIND) == 0).all()


def test_taps_that_are_none_of_the_windows_are_taken_as_zero():
    index = np.array([4, -1, 3, 0], np.int32).reshape(1, 2, 2, 1)  # 4 and -1 lie on pixels, too
    x = np.full((1, 4, 4, 1), 5, "float32")
    y = pool.take_tap(device, x, index, Window.of((4, 4), (2, 2), (2, 2)))
    assert y.ravel().tolist() == [0, 0, 5, 5]


def test_bfloat16_is_computed_in_float32_and_rounded_once():
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    x = np.array([256, 1, 1, 1], bfloat16).reshape(1, 2, 2, 1)  # 256 + 1 is 256 in bfloat16
    y = pool.avg_pool(device, x, Window.of((2, 2), (2, 2)))
    assert y.dtype == bfloat16
    assert y.item() == bfloat16(259 / 4)


@pytest.mark.parametrize("n", [0, 2])
def test_an_image_without_rows_gives_what_padding_gives(n):
    window = Window.of((0, 2), (1, 1), (1, 1), ((1, 0), (0, 0)))
    x = np.ones((n, 0, 2, 4), "float32")
    assert_same(pool.max_pool(device, x, window), np.full((n, 1, 2, 4), -np.inf, "float32"))
    assert_same(columns.im2col(device, x, window), np.zeros((n, 1, 2, 4), "float32"))


def test_views_with_strides_are_read_as_what_they_show():
    base = numbers((9, 4, 7, 16)).astype("float32")
    x = base.transpose(1, 2, 0, 3)[::2, :, :, 1::2]  # (2, 7, 9, 8)
    assert_same(pool.max_pool(device, x, ODD), twin.max_pool(x, ODD))
    assert_same(columns.im2col(device, x, ODD), twin.im2col(x, ODD))
    assert_same(transpose(device, x, (0, 3, 1, 2)), x.transpose(0, 3, 1, 2))


def test_addresses_between_two_packs_are_read_number_by_number():
    x = numbers(2 * 7 * 9 * 8 + 1).astype("float32")[1:].reshape(2, 7, 9, 8)
    assert x.ctypes.data % 16 == 4
    assert_same(pool.max_pool(device, x, ODD), twin.max_pool(x, ODD))
    assert_same(columns.im2col(device, x, ODD), twin.im2col(x, ODD))


@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32", "float64", "complex128"])
@pytest.mark.parametrize("groups", [2, 3])
def test_columns_of_groups_lie_apart(dtype, groups):
    x = numbers((2, 5, 4, 12)).astype(dtype)
    window = Window.of((5, 4), (2, 3), (1, 2), "SAME", (2, 1), groups)
    shape = (groups, 2 * window.out[0] * window.out[1], window.taps * 12 // groups)
    got = device.empty(shape, x.dtype)
    columns.gather(device, x, window, got)
    parts = [twin.im2col(part, window) for part in np.split(x, groups, axis=-1)]
    assert_same(got, np.stack(parts).reshape(shape))


def test_group_columns_are_added_back_to_their_channels():
    window = Window.of((5, 4), (2, 3), (1, 2), "SAME", (2, 1), groups=2)
    parts = numbers((2, 2, *window.out, window.taps * 4))
    x = device.empty((2, 5, 4, 8), "float64")
    columns.scatter(device, device.asarray(parts), x, window)
    expected = np.concatenate([twin.col2im(part, window) for part in parts], axis=-1)
    assert_same(x, expected)


@pytest.mark.parametrize("name", ORDERS)
@pytest.mark.parametrize("dtype", ["bool", "float16", "float32", "complex64"])
@pytest.mark.parametrize("shape", [(2, 37, 5, 8), (2, 3, 5, 8)], ids=["tiles", "thin"])
def test_a_batched_transpose_is_numpys_in_any_order_of_threads(name, dtype, shape):
    x = numbers(shape).astype(dtype)
    with order(name, seed=6):
        assert_same(transpose(device, x, (0, 2, 3, 1)), x.transpose(0, 2, 3, 1))


@settings(max_examples=60)
@given(st.lists(st.integers(0, 7), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_every_permutation_is_numpys_and_contiguous(shape, shuffler):
    axes = list(range(len(shape)))
    shuffler.shuffle(axes)
    x = numbers(shape).astype("float32")
    y = transpose(device, x, tuple(axis - len(shape) for axis in axes))
    assert_same(y, x.transpose(axes))
    assert y.flags.c_contiguous


def test_kernels_walk_on_where_a_grid_ends(monkeypatch):
    monkeypatch.setattr(grid, "BLOCKS", 1)
    monkeypatch.setattr("minitensor.backend.host.arrays.GRID_LIMIT", 1)
    x = numbers((3, 70, 4, 4)).astype("float32")
    window = Window.of((70, 4), (3, 1))
    assert_same(pool.max_pool(device, x, window), twin.max_pool(x, window))
    assert_same(columns.im2col(device, x, window), twin.im2col(x, window))
    for axes in ((0, 2, 3, 1), (0, 3, 1, 2)):
        assert_same(transpose(device, x, axes), x.transpose(axes))
