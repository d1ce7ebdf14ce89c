"""Tensor-core convolutions, and each machine wrapper of kernels/common.cuh by itself.

On the emulator, in three orders of threads and blocks, and on a GPU where there is one. Factors
are rounded to TF32 or float16 first and then multiplied in float64 by the NumPy twin's definition,
so a bound covers the float32 sums alone: 8 * 2^-24 * S with S = sum of |products|, as in
minitensor/parity/bounds.py, and half a unit of float16 where the result is one. Wrappers are
given small whole numbers, which no machine may round.
"""

from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
from backends import KERNEL_BACKENDS

from minitensor.backend import emulator, settings
from minitensor.backend.host import product, tensor
from minitensor.backend.numpy import direct
from minitensor.window import Window

ORDERS = {"emulator": ("forward", "reverse", "random"), "cuda": ("any",)}
PLACES = [(name, order) for name in KERNEL_BACKENDS for order in ORDERS[name]]
GEOMETRIES = {
    "same": Window.of((9, 8), (3, 3), (1, 1), "SAME"),
    "pointwise": Window.of((5, 7), (1, 1)),
    "pointwise strided": Window.of((5, 7), (1, 1), (2, 3)),
    "strided": Window.of((9, 11), (3, 4), (2, 3), "SAME"),
    "stride beyond kernel": Window.of((11, 9), (2, 1), (4, 3), "VALID"),
    "dilated and strided": Window.of((13, 12), (3, 3), (2, 3), "SAME", (3, 2)),
    "lopsided pads": Window.of((6, 5), (3, 3), (1, 2), ((0, 3), (2, 1))),
    "pads beyond kernel": Window.of((4, 4), (2, 2), (1, 1), ((3, 2), (0, 4))),
    "taps on padding only": Window.of((2, 2), (3, 3), (1, 1), "SAME", (4, 4)),
}
CHANNELS = {  # dtype, C, O, G; each fills its last tile or slice differently
    "tf32": ("float32", 8, 12, 1),
    "tf32, groups": ("float32", 24, 16, 2),
    "tf32, wide": ("float32", 12, 72, 1),
    "tf32, copied one by one": ("float32", 3, 5, 1),
    "float16": ("float16", 16, 8, 1),
    "float16, groups": ("float16", 16, 48, 2),
    "float16, wide": ("float16", 40, 72, 1),
}
LONG = Window.of((24, 24), (2, 1), (1, 1), "SAME")  # many places for few taps
OPS = ("conv2d", "conv2d_transpose", "conv2d_kernel_grad")


@pytest.fixture(params=PLACES, ids=" ".join)
def device(request):
    """A device; the emulator in three orders of threads and blocks."""
    name, order = request.param
    if name != "emulator":
        yield import_module(f"minitensor.backend.{name}").device
        return
    with emulator.order(order, seed=3):
        yield emulator.device


@pytest.fixture
def emulated():
    """The emulator, for facts that no order of threads can change."""
    return emulator.device


def normal(shape, dtype="float32", seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def whole(*shape, dtype="float32", seed=0):
    """Whole numbers from -8 to 8: all their products and sums are exact."""
    return np.random.default_rng(seed).integers(-8, 9, shape).astype(dtype)


def tf32(x):
    """x to the 10 bits after the point that TF32 keeps, ties away from zero, in float64."""
    fraction, exponent = np.frexp(x.astype("float64"))
    scaled = np.abs(fraction) * 2**11
    return np.ldexp(np.copysign(np.floor(scaled + 0.5), fraction), exponent - 11)


def factors(op, dtype, channels, outputs, window, images=2):
    """Random arguments of `op`."""
    x = normal((images, *window.size, channels), dtype, 1)
    y = normal((images, *window.out, outputs), dtype, 2)
    kernel = normal((*window.kernel, channels // window.groups, outputs), dtype, 3)
    return {"conv2d": (x, kernel), "conv2d_transpose": (y, kernel), "conv2d_kernel_grad": (x, y)}[
        op
    ]


def assert_right(got, op, arrays, window):
    """Against the definition in float64, on rounded factors."""
    exact = [tf32(a) if a.dtype == "float32" else a.astype("float64") for a in arrays]
    expected = getattr(direct, op)(*exact, window)
    bound = 8 * 2.0**-24 * getattr(direct, op)(*map(np.abs, exact), window)
    if got.dtype == "float16":
        bound += np.maximum(2.0**-11 * np.abs(expected), 2.0**-25)
    assert got.shape == expected.shape
    assert got.dtype == arrays[0].dtype
    assert (np.abs(got.astype("float64") - expected) <= bound).all()


def run(device, op, arrays, window, *more):
    on_device = [device.asarray(a) for a in arrays]
    return device.to_numpy(getattr(tensor, op)(device, *on_device, window, *more))


# ----- convolutions -----


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_tensor_cores_agree_with_the_definition(device, geometry, channels, op):
    dtype, c, o, groups = CHANNELS[channels]
    window = replace(GEOMETRIES[geometry], groups=groups)
    arrays = factors(op, dtype, c, o, window)
    assert_right(run(device, op, arrays, window), op, arrays, window)


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("channels", [(72, 136), (64, 48)], ids=["128 x 128", "128 x 64"])
def test_the_largest_tile_agrees_with_the_definition(device, monkeypatch, channels, dtype, op):
    monkeypatch.setattr(tensor, "_FULL", 1)  # a GPU so small that one block fills it
    window = Window.of((8, 9), (2, 2), (1, 1), "SAME")
    arrays = factors(op, dtype, *channels, window)
    assert_right(run(device, op, arrays, window), op, arrays, window)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_sum_that_blocks_share_is_right(device, dtype):
    arrays = factors("conv2d_kernel_grad", dtype, 8, 8, LONG)
    assert_right(
        run(device, "conv2d_kernel_grad", arrays, LONG), "conv2d_kernel_grad", arrays, LONG
    )


def test_a_sum_that_blocks_share_is_added_in_a_fixed_order(emulated):
    arrays = factors("conv2d_kernel_grad", "float32", 8, 8, LONG)
    results = []
    for order in ("forward", "reverse", "random"):
        with emulator.order(order, seed=5):
            results.append(run(emulated, "conv2d_kernel_grad", arrays, LONG))
    assert (results[0] == results[1]).all()
    assert (results[0] == results[2]).all()


@pytest.mark.parametrize(("limit", "splits"), [(2**26, 9), (1600, 3), (9, None)])
def test_blocks_share_a_sum_as_far_as_the_workspace_holds_their_parts(
    emulated, monkeypatch, limit, splits
):
    borrow, shapes = emulated.workspace, []
    monkeypatch.setattr(emulated, "workspace", lambda *a: shapes.append(a[0]) or borrow(*a))
    monkeypatch.setattr(product, "workspace_limit", lambda: limit)
    arrays = factors("conv2d_kernel_grad", "float32", 8, 8, LONG)
    got = run(emulated, "conv2d_kernel_grad", arrays, LONG)
    assert_right(got, "conv2d_kernel_grad", arrays, LONG)
    # 1152 places are 72 slices of 16, which is work for 9 blocks; each result has 128 numbers.
    assert shapes == ([(splits, 2, 1, 8, 8)] if splits else [])


def test_float32_factors_lose_the_13_bits_that_tf32_has_not(device):
    x = np.float32([1 + 2**-12, 1 + 2**-11, 1 + 3 * 2**-11, -1 - 2**-11]).reshape(1, 2, 2, 1)
    got = run(device, "conv2d", (x, np.ones((1, 1, 1, 1), "float32")), Window.of((2, 2), (1, 1)))
    assert got.ravel().tolist() == [1, 1 + 2**-10, 1 + 2**-9, -1 - 2**-10]


@pytest.mark.parametrize(("dtype", "outputs"), [("float32", 8), ("float32", 5), ("float16", 8)])
def test_bias_and_relu_come_with_the_result(device, dtype, outputs):
    window = Window.of((4, 5), (3, 3), (1, 1), "SAME")
    x, kernel = whole(2, 4, 5, 8, dtype=dtype), whole(3, 3, 8, outputs, dtype=dtype, seed=1)
    bias = whole(outputs, dtype=dtype, seed=2)
    got = run(device, "conv2d", (x, kernel), window, device.asarray(bias), True)
    expected = direct.conv2d(x.astype("float64"), kernel.astype("float64"), window) + bias
    assert (got == np.maximum(expected, 0)).all()


def test_relu_keeps_a_nan(emulated):
    x = np.full((1, 1, 1, 4), np.nan, "float32")
    kernel, window = np.ones((1, 1, 4, 4), "float32"), Window.of((1, 1), (1, 1))
    assert np.isnan(run(emulated, "conv2d", (x, kernel), window, None, True)).all()


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_view_is_read_as_what_it_shows_wherever_it_begins(device, dtype):
    window = Window.of((4, 3), (2, 2))
    x, kernel = normal((2, 4, 6, 8), dtype)[:, :, ::2], normal((2, 2, 8, 8), dtype)
    memory = device.asarray(np.zeros(x.size + 1, dtype))
    shifted = memory[1:].reshape(x.shape)  # contiguous, and no multiple of 16 bytes
    shifted[...] = device.asarray(x)
    for view in (device.asarray(x), shifted):
        got = device.to_numpy(tensor.conv2d(device, view, device.asarray(kernel), window))
        assert_right(got, "conv2d", (np.ascontiguousarray(x), kernel), window)


def test_float32_is_served_only_to_those_who_asked(monkeypatch):
    window = Window.of((4, 4), (3, 3))
    assert not tensor.fits("conv2d", np.dtype("float32"), 8, 8, window)
    with settings.algorithm("tensor"):
        assert tensor.fits("conv2d", np.dtype("float32"), 3, 5, window)
    monkeypatch.setattr(tensor, "tensor_float_32", lambda: True)
    assert tensor.fits("conv2d", np.dtype("float32"), 3, 5, window)


def test_float16_is_served_where_a_group_is_made_of_eights():
    window, half = Window.of((4, 4), (3, 3), groups=2), np.dtype("float16")
    assert tensor.fits("conv2d", half, 16, 32, window)
    assert not tensor.fits("conv2d", half, 24, 32, window)
    assert not tensor.fits("conv2d", half, 16, 24, window)
    assert tensor.fits("conv2d_transpose", half, 24, 32, window)  # copies run along o alone
    assert not tensor.fits("conv2d", np.dtype("float64"), 16, 32, window)


# ----- wrappers, one by one -----


def launch(device, kernel, *arrays):
    """`arrays` after one warp ran `kernel` on them."""
    arrays = [device.asarray(a) for a in arrays]
    sizes = [arrays[0].size] if kernel in ("wrap_round_tf32", "wrap_half") else []
    device.launch(kernel, 1, 32, *arrays, *sizes)
    return [device.to_numpy(a) for a in arrays]


def test_round_tf32_keeps_10_bits_with_ties_away_from_zero(device):
    x = np.concatenate([normal(500), np.float32([1, 1 + 2**-11, -1 - 2**-11, 3e38, 1e-30, 0])])
    got = launch(device, "wrap_round_tf32", x, np.zeros_like(x))[1]
    assert (got == tf32(x)).all()


def test_round_tf32_keeps_nan_and_infinities(device):
    x = np.float32([np.nan, np.inf, -np.inf])
    got = launch(device, "wrap_round_tf32", x, np.zeros_like(x))[1]
    np.testing.assert_array_equal(got, x)


def test_half_rounds_to_nearest_even_and_keeps_denormals_and_infinities(device):
    edges = [0, -0.0, 65504, 65519, 65520, 1e-7, 6e-8, 2.9e-8, 1 + 2**-11, 1 + 3 * 2**-11, np.inf]
    x = np.concatenate([normal(300), np.float32([*edges, -np.inf, np.nan])])
    with np.errstate(over="ignore"):
        expected = x.astype("float16")
    _, half, back = launch(device, "wrap_half", x, np.zeros_like(expected), np.zeros_like(x))
    np.testing.assert_array_equal(half, expected)
    np.testing.assert_array_equal(back, expected.astype("float32"))


def test_mma_tf32_is_a_matrix_product_added_to_what_was_there(device):
    a, b, d = whole(16, 8), whole(8, 8, seed=1), whole(16, 8, seed=2)
    assert (launch(device, "wrap_mma_tf32", a, b, d.copy())[2] == a @ b + d).all()


def test_mma_f16_is_a_matrix_product_added_to_what_was_there(device):
    a, b = whole(16, 16, dtype="float16"), whole(16, 8, dtype="float16", seed=1)
    d = whole(16, 8, seed=2)
    got = launch(device, "wrap_mma_f16", a, b, d.copy())[2]
    assert (got == a.astype("float32") @ b.astype("float32") + d).all()


@pytest.mark.parametrize("transposed", [0, 1])
def test_load_matrix_hands_each_lane_two_neighbours_of_a_row(device, transposed):
    matrices = np.arange(256, dtype="float16").reshape(4, 8, 8)
    words = np.zeros((32, 4, 2), "float16")
    got = launch(device, f"wrap_load_matrix<{transposed}>", matrices, words)[1]
    rows = matrices.swapaxes(1, 2) if transposed else matrices
    # Lane 4 * row + pair holds columns 2 * pair and 2 * pair + 1: (4, row, pair, 2) of the rows.
    expected = rows.reshape(4, 8, 4, 2).transpose(1, 2, 0, 3).reshape(32, 4, 2)
    assert (got == expected).all()


@pytest.mark.parametrize("size", [4, 16])
def test_copy_async_brings_what_is_valid_and_zeros_for_the_rest(device, size):
    x, valid = whole(64, size // 4) + 9, np.arange(64, dtype="int32") % 3 % 2
    got = launch(device, f"wrap_copy_async<{size}>", x, valid, np.zeros_like(x))[2]
    assert (got == x * valid[:, None]).all()
