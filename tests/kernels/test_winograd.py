"""Winograd's transforms around a GEMM, against the definition in float64.

The bound is derived, not measured: S is what the sums would be if nothing cancelled, the three
transforms taken with the absolute values of their matrices, and every term of S passes through at
most C + ROUNDINGS roundings on its way to a result:

                input B^T d B    filter G g G^T    product, sum over C    output A^T m A
    F(2x2,3x3)  2 * 2            2 * 3             C                      2 * 3
    F(4x4,3x3)  2 * 4            2 * (3 + 1)       C                      2 * 5

A row of n terms rounds n times at most, in two dimensions; G of F(4x4,3x3) has constants, 1/6 and
1/24, that are rounded themselves.
"""

from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
from backends import KERNEL_BACKENDS
from numpy.lib.stride_tricks import sliding_window_view

from minitensor.backend import emulator
from minitensor.backend.host import winograd
from minitensor.backend.numpy import direct
from minitensor.window import Window

ORDERS = {"emulator": ("forward", "reverse", "random"), "cuda": ("any",)}
PLACES = [(name, order) for name in KERNEL_BACKENDS for order in ORDERS[name]]
ROUNDINGS = {2: 16, 4: 26}
ABSOLUTE = {  # |B^T|, |G|, |A^T| of the paper
    2: (
        [[1, 0, 1, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 1, 0, 1]],
        [[1, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0.5], [0, 0, 1]],
        [[1, 1, 1, 0], [0, 1, 1, 1]],
    ),
    4: (
        [[4, 0, 5, 0, 1, 0], [0, 4, 4, 1, 1, 0], [0, 4, 4, 1, 1, 0],
         [0, 2, 1, 2, 1, 0], [0, 2, 1, 2, 1, 0], [0, 4, 0, 5, 0, 1]],
        np.array([[6, 0, 0], [4, 4, 4], [4, 4, 4], [1, 2, 4], [1, 2, 4], [0, 0, 24]]) / 24,
        [[1, 1, 1, 1, 1, 0], [0, 1, 1, 2, 2, 0], [0, 1, 1, 4, 4, 0], [0, 1, 1, 8, 8, 1]],
    ),
}  # fmt: skip
GEOMETRIES = {  # F(2x2,3x3) where both tiles would multiply as often
    "same, tiles of 4": Window.of((8, 7), (3, 3), (1, 1), "SAME"),
    "valid, tiles of 2": Window.of((8, 4), (3, 3), (1, 1), "VALID"),
    "lopsided pads": Window.of((13, 7), (3, 3), (1, 1), ((0, 2), (1, 5))),
    "one place": Window.of((3, 3), (3, 3)),
    "pads beyond kernel": Window.of((4, 3), (3, 3), (1, 1), ((3, 4), (4, 3))),
}
CHANNELS = {"dense": (5, 3, 1), "groups": (4, 6, 2), "many": (40, 9, 1)}
OPS = ("conv2d", "conv2d_transpose")


@pytest.fixture(params=PLACES, ids=" ".join)
def device(request):
    """A device; the emulator in three orders of threads and blocks."""
    name, order = request.param
    if name != "emulator":
        yield import_module(f"minitensor.backend.{name}").device
        return
    with emulator.order(order, seed=3):
        yield emulator.device


def factors(op, channels, outputs, window, images=3):
    """Random arguments of `op`."""
    generator = np.random.default_rng(1)
    shape = (*window.size, channels) if op == "conv2d" else (*window.out, outputs)
    kernel = generator.normal(size=(3, 3, channels // window.groups, outputs))
    return generator.normal(size=(images, *shape)).astype("float32"), kernel.astype("float32")


def run(device, op, arrays, window, *more):
    on_device = [device.asarray(a) for a in arrays]
    return device.to_numpy(getattr(winograd, op)(device, *on_device, window, *more))


def as_forward(op, arrays, window):
    """`op` as a conv2d: its arguments in float64, its window."""
    x, kernel = (a.astype("float64") for a in arrays)
    if op == "conv2d":
        return x, kernel, window
    groups = np.split(kernel[::-1, ::-1], window.groups, axis=3)
    turned = np.concatenate([g.swapaxes(2, 3) for g in groups], axis=3)
    pad = tuple((2 - before, 2 - after) for before, after in window.pad)
    return x, turned, replace(window, size=window.out, pad=pad)


def terms(x, kernel, window):
    """S, for one group."""
    tile = winograd.tile_size(window)
    before, g, after = (np.array(matrix, "float64") for matrix in ABSOLUTE[tile])
    (h, w), room = window.out, [max(sum(pair), 0) + 8 for pair in window.pad]
    image = np.pad(np.abs(x), [(0, 0), (8, room[0]), (8, room[1]), (0, 0)])
    image = image[:, 8 - window.pad[0][0] :, 8 - window.pad[1][0] :]
    tiles = sliding_window_view(image, (tile + 2, tile + 2), axis=(1, 2))
    tiles = tiles[:, : h + tile - 1 : tile, : w + tile - 1 : tile]  # (n, i, j, c, u, v)
    values = np.einsum("pu,nijcuv,qv->nijcpq", before, tiles, before)
    filters = np.einsum("pu,uvco,qv->pqco", g, np.abs(kernel), g)
    sums = np.einsum("nijcpq,pqco->nijopq", values, filters)
    found = np.einsum("ap,nijopq,bq->niajbo", after, sums, after)  # (n, i, a, j, b, o)
    n, i, a, j, b, o = found.shape
    return found.reshape(n, i * a, j * b, o)[:, :h, :w]


def bound(op, arrays, window):
    """(C + ROUNDINGS) u S."""
    x, kernel, forward = as_forward(op, arrays, window)
    xs, kernels = (np.split(a, window.groups, axis=3) for a in (x, kernel))
    scale = np.concatenate([terms(*pair, forward) for pair in zip(xs, kernels, strict=True)], 3)
    return (kernel.shape[2] + ROUNDINGS[winograd.tile_size(forward)]) * 2.0**-24 * scale


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_winograd_agrees_with_the_definition(device, geometry, channels, op):
    c, o, groups = CHANNELS[channels]
    window = replace(GEOMETRIES[geometry], groups=groups)
    arrays = factors(op, c, o, window)
    got = run(device, op, arrays, window)
    expected = getattr(direct, op)(*(a.astype("float64") for a in arrays), window)
    assert got.shape == expected.shape
    assert got.dtype == "float32"
    assert (np.abs(got - expected) <= bound(op, arrays, window)).all()


def test_the_tile_that_multiplies_less_is_taken_and_the_exacter_of_two():
    sizes = {(3, 3): 2, (4, 4): 2, (6, 6): 4, (8, 8): 2, (9, 9): 4, (226, 226): 4}
    assert {n: winograd.tile_size(Window.of(n, (3, 3))) for n in sizes} == sizes


def test_blocks_of_one_image_agree_with_the_definition_too(device, monkeypatch):
    monkeypatch.setattr(winograd, "workspace_limit", lambda: 1)
    window = Window.of((9, 8), (3, 3), (1, 1), "SAME")
    arrays = factors("conv2d", 5, 7, window, images=4)
    expected = direct.conv2d(*(a.astype("float64") for a in arrays), window)
    got = run(device, "conv2d", arrays, window)
    assert (np.abs(got - expected) <= bound("conv2d", arrays, window)).all()


def test_the_workspace_keeps_to_its_limit(monkeypatch):
    device, window = emulator.device, Window.of((8, 8), (3, 3), (1, 1), "SAME")
    taken, borrow = [], device.workspace
    monkeypatch.setattr(device, "workspace", lambda *a: taken.append(np.prod(a[0])) or borrow(*a))
    monkeypatch.setattr(winograd, "workspace_limit", lambda: 20_000)
    run(device, "conv2d", factors("conv2d", 4, 4, window, images=4), window)
    filters, *scratch = (4 * taken[0], *taken[1:])
    assert filters == 36 * 4 * 4 * 4
    # 17 696 bytes are left, an image takes 36 points x 4 tiles x 8 channels x 4 bytes = 4 608.
    assert [4 * size for size in scratch] == [3 * 2304] * 2 + [2304] * 2


@pytest.mark.parametrize("relu", [False, True])
def test_bias_and_relu_come_with_the_result(device, relu):
    window = Window.of((6, 5), (3, 3), (1, 1), "SAME")
    arrays = factors("conv2d", 4, 3, window)
    bias = np.float32([-3, 0, 4])
    got = run(device, "conv2d", arrays, window, device.asarray(bias), relu)
    expected = run(device, "conv2d", arrays, window) + bias
    assert (got == (np.maximum(expected, 0) if relu else expected)).all()


def test_a_nan_reaches_its_tiles_and_no_other():
    window = Window.of((14, 14), (3, 3))  # 12 x 12 places: 3 x 3 tiles of 4
    x, kernel = factors("conv2d", 1, 1, window, images=1)
    x[0, 1, 7] = np.nan
    got = np.isnan(run(emulator.device, "conv2d", (x, kernel), window)[0, :, :, 0])
    assert got[:4, 4:8].all()
    assert got.sum() == 16


def test_winograd_serves_3x3_windows_of_stride_1_in_float32():
    plain, float32 = Window.of((8, 8), (3, 3)), np.dtype("float32")
    assert winograd.fits("conv2d", float32, plain)
    assert winograd.fits("conv2d_transpose", float32, plain)
    assert not winograd.fits("conv2d_kernel_grad", float32, plain)
    assert not winograd.fits("conv2d", np.dtype("float64"), plain)
    for other in ({"kernel": (3, 2)}, {"stride": (1, 2)}, {"dilation": (2, 1)}):
        assert not winograd.fits("conv2d", float32, replace(plain, **other))
