"""The depthwise kernels on the emulator: forward, input gradient, filter gradient.

Expected values are the NumPy backend's in float64, by the definition: loops over taps. A result
may differ by 8 * 2^-24 * (the sum of |products|), as in minitensor/parity/bounds.py, and by one
last digit more where it is rounded to float16.
"""

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from minitensor.backend import numpy as twin
from minitensor.backend.emulator import device, order
from minitensor.backend.host import depthwise, grid
from minitensor.backend.settings import algorithm
from minitensor.parity.bounds import UNIT, ulp
from minitensor.window import Window

OPS = ("conv2d", "conv2d_transpose", "conv2d_kernel_grad")
FLOATS = ("float32", "float64", "float16")
SPECIAL = [(k, s) for k in (3, 5, 7) for s in (1, 2)]


def operands(op, window, n, multiplier, dtype, seed=0):
    """The two arrays that `op` takes, rounded to `dtype`."""
    rng = np.random.default_rng(seed)
    c = window.groups
    shapes = {
        "x": (n, *window.size, c),
        "y": (n, *window.out, c * multiplier),
        "kernel": (*window.kernel, 1, c * multiplier),
    }
    names = {"conv2d": "x kernel", "conv2d_transpose": "y kernel", "conv2d_kernel_grad": "x y"}
    return [rng.standard_normal(shapes[name]).astype(dtype) for name in names[op].split()]


def check(op, window, n=2, multiplier=1, dtype="float32", arrays=None):
    """`op` on the emulator is the twin's in float64, within the bound."""
    arrays = arrays or operands(op, window, n, multiplier, dtype)
    got = getattr(depthwise, op)(device, *arrays, window)
    wide = [array.astype("float64") for array in arrays]
    with algorithm("direct"):
        exact = getattr(twin, op)(*wide, window)
        size = getattr(twin, op)(*map(np.abs, wide), window)
    bound = 8 * UNIT["float64" if dtype == "float64" else "float32"] * size
    if dtype == "float16":
        bound = bound + ulp(np.abs(exact), dtype)
    assert (got.dtype, got.shape) == (dtype, exact.shape)
    assert (np.abs(device.to_numpy(got).astype("float64") - exact) <= bound).all()


@st.composite
def geometries(draw, kernels, strides, dilations):
    """(window, N, M): channels that fill packs and channels that do not, pads of any kind."""
    kernel, stride = draw(kernels), draw(strides)
    pads = [draw(st.tuples(st.integers(-1, 4), st.integers(-1, 4))) for _ in "hw"]
    size = draw(st.tuples(st.integers(1, 12), st.integers(1, 12)))
    groups, multiplier = draw(st.sampled_from([4, 8, 12, 3])), draw(st.sampled_from([1, 1, 2]))
    window = Window.of(size, kernel, stride, pads, draw(dilations), groups)
    assume(min(window.padded) > 0)
    return window, draw(st.integers(0, 2)), multiplier


CUT = Window.of((9, 9), (3, 3), (2, 2), ((-1, 2), (-1, 2)), groups=4)  # a pad that cuts
squares = st.sampled_from([3, 5, 7]).map(lambda k: (k, k))
even_strides = st.sampled_from([(1, 1), (2, 2)])
small = st.tuples(st.integers(1, 3), st.integers(1, 3))


@settings(max_examples=40)
@given(geometries(squares, even_strides, st.just((1, 1))), st.sampled_from(OPS))
@example((CUT, 1, 1), "conv2d")
@example((CUT, 1, 1), "conv2d_transpose")
@example((CUT, 1, 1), "conv2d_kernel_grad")
def test_every_geometry_of_the_special_kernels_is_the_twins(case, op):
    window, n, multiplier = case
    check(op, window, n, multiplier)


@settings(max_examples=40)
@given(geometries(small, small, small), st.sampled_from(OPS))
@example((Window.of((0, 3), (1, 1), (1, 1), ((1, 1), (0, 0)), groups=4), 1, 1), "conv2d_transpose")
@example((Window.of((0, 3), (1, 1), (1, 1), ((1, 1), (0, 0)), groups=4), 1, 1), "conv2d")
def test_every_other_geometry_is_the_twins(case, op):
    window, n, multiplier = case
    check(op, window, n, multiplier)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize(("k", "s"), SPECIAL)
@pytest.mark.parametrize("op", OPS)
def test_each_special_kernel_is_the_twins(op, k, s, dtype):
    check(op, Window.of((9, 14), (k, k), (s, s), "SAME", groups=8), dtype=dtype)  # two full strips


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("multiplier", [1, 3])
@pytest.mark.parametrize("op", OPS)
def test_each_general_kernel_is_the_twins(op, multiplier, dtype):
    window = Window.of((9, 8), (3, 2), (2, 1), ((1, 2), (0, 1)), (1, 3), groups=5)
    check(op, window, multiplier=multiplier, dtype=dtype)


@pytest.mark.parametrize("name", ["forward", "reverse", "random"])
@pytest.mark.parametrize("groups", [12, 3])
@pytest.mark.parametrize("op", OPS)
def test_threads_may_run_in_any_order(op, groups, name):
    with order(name, seed=7):
        check(op, Window.of((9, 8), (3, 3), (2, 2), "SAME", groups=groups), n=3)


@pytest.mark.parametrize("width", [7, 8, 9])
@pytest.mark.parametrize("op", OPS)
def test_strips_that_the_padding_shifts_cover_every_pixel(op, width):
    check(op, Window.of((6, width), (3, 3), (2, 2), ((1, 1), (1, 1)), groups=8))


@pytest.mark.parametrize("op", OPS)
def test_the_same_bits_come_out_in_every_order(op):
    window = Window.of((9, 8), (3, 3), (1, 1), "SAME", groups=8)
    arrays = operands(op, window, 3, 1, "float32")
    results = []
    for name in ("forward", "reverse", "random"):
        with order(name, seed=8):
            results.append(getattr(depthwise, op)(device, *arrays, window).tobytes())
    assert len(set(results)) == 1


def test_more_channels_than_a_warp_has_lanes_are_blocks_of_their_own():
    check("conv2d_kernel_grad", Window.of((4, 3), (3, 3), groups=132), n=1)


@pytest.mark.parametrize("groups", [4, 3])
def test_many_partial_filters_are_added_in_two_steps(groups):
    window = Window.of((40, 3), (3, 3), (1, 1), "SAME", groups=groups)
    check("conv2d_kernel_grad", window, n=64 if groups == 4 else 3)


@pytest.mark.parametrize("groups", [4, 3])
@pytest.mark.parametrize("op", OPS)
def test_kernels_walk_on_where_a_grid_ends(op, groups, monkeypatch):
    monkeypatch.setattr(grid, "BLOCKS", 1)
    check(op, Window.of((90, 4), (3, 3), (1, 1), "SAME", groups=groups), n=3)


def test_ones_count_the_taps_on_real_pixels():
    ones = np.ones((1, 3, 3, 4), "float32")
    window = Window.of((3, 3), (3, 3), padding="SAME", groups=4)
    y = depthwise.conv2d(device, ones, np.ones((3, 3, 1, 4), "float32"), window)
    assert y[0, :, :, 0].tolist() == [[4, 6, 4], [6, 9, 6], [4, 6, 4]]


def test_output_o_reads_input_o_over_multiplier():
    x = np.array([10, 20], "float32").reshape(1, 1, 1, 2)
    kernel = np.array([1, 2, 3, 4], "float32").reshape(1, 1, 1, 4)
    y = depthwise.conv2d(device, x, kernel, Window.of((1, 1), (1, 1), groups=2))
    assert y.ravel().tolist() == [10, 20, 60, 80]


@pytest.mark.parametrize("op", OPS)
def test_views_with_strides_are_read_as_what_they_show(op):
    window = Window.of((6, 7), (3, 3), padding="SAME", groups=8)
    arrays = operands(op, window, 2, 1, "float32")
    views = [np.repeat(array, 2, axis=-1)[..., ::2] for array in arrays]
    assert not any(view.flags.c_contiguous for view in views)
    check(op, window, arrays=views)


@pytest.mark.parametrize("op", OPS)
def test_addresses_between_two_packs_are_read_number_by_number(op):
    window = Window.of((6, 7), (3, 3), padding="SAME", groups=8)
    arrays = operands(op, window, 2, 1, "float32")
    moved = [np.append(0, a).astype("float32")[1:].reshape(a.shape) for a in arrays]
    assert all(array.ctypes.data % 16 == 4 for array in moved)
    check(op, window, arrays=moved)


@pytest.mark.parametrize("op", OPS)
def test_an_empty_batch_gives_an_empty_batch_or_a_zero_filter(op):
    window = Window.of((6, 7), (3, 3), padding="SAME", groups=8)
    y = getattr(depthwise, op)(device, *operands(op, window, 0, 1, "float32"), window)
    assert y.size == (3 * 3 * 8 if op == "conv2d_kernel_grad" else 0)
    assert (y == 0).all()


def test_bfloat16_is_computed_in_float32_and_rounded_once():
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    x = np.array([256, 1, 1, 1], bfloat16).reshape(1, 2, 2, 1)  # 256 + 1 is 256 in bfloat16
    window = Window.of((2, 2), (2, 2), groups=1)
    y = depthwise.conv2d(device, x, np.ones((2, 2, 1, 1), bfloat16), window)
    assert (y.dtype, y.item()) == (bfloat16, bfloat16(259))
