"""Long sums of the compiled kernels are short chains: their error does not grow with their length.

Judged by the same sums in float64 through im2col; in units of 2^-24 sum |x| |w|, each output's own.
"""

from __future__ import annotations

from math import ceil, log2

import numpy as np
import pytest

from minitensor.backend import numpy as backend
from minitensor.backend import settings
from minitensor.backend.numpy import threads
from minitensor.window import Window

pytest.importorskip("numba")
from minitensor.backend.numpy.compiled.chain import pieces

SAME = Window.of((8, 8), (3, 3), (1, 1), "SAME")


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.standard_normal(shape)


def after_relu(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.maximum(rng.standard_normal(shape), 0)


def positive(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.random(shape)


def third(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.full(shape, 1 / 3)


def worst(op: str, a: np.ndarray, b: np.ndarray, window: Window) -> float:
    """The largest error of op(a, b), in units."""
    a, b = (np.ascontiguousarray(array, "float32") for array in (a, b))
    with settings.algorithm("tile"):
        found = getattr(backend, op)(a, b, window)
    with settings.algorithm("im2col"):
        exact = getattr(backend, op)(a.astype("float64"), b.astype("float64"), window)
        size = getattr(backend, op)(abs(a).astype("float64"), abs(b).astype("float64"), window)
    return float((abs(found - exact) / np.maximum(2**-24 * size, 1e-300)).max())


@pytest.mark.parametrize("channels", [64, 512, 2048])
@pytest.mark.parametrize("fill", [normal, after_relu, positive, third])
@pytest.mark.parametrize("op", ["conv2d", "conv2d_transpose"])
def test_sums_over_channels_are_within_eight_units(op, fill, channels) -> None:
    rng = np.random.default_rng(channels)
    x = fill(rng, (2, 8, 8, channels))
    kernel = fill(rng, (3, 3, channels, 16) if op == "conv2d" else (3, 3, 16, channels))
    assert worst(op, x, kernel, SAME) <= 8


@pytest.mark.parametrize("fill", [normal, after_relu, positive, third])
@pytest.mark.parametrize(("images", "size"), [(8, 16), (32, 32), (64, 4), (2, 112)])
def test_sums_over_places_are_within_eight_units(images, size, fill) -> None:
    rng = np.random.default_rng(size)
    x, y = fill(rng, (images, size, size, 16)), fill(rng, (images, size, size, 16))
    window = Window.of((size, size), (3, 3), (1, 1), "SAME")
    blocks = images * size * size / 1280 + 8  # that are added one after another
    assert worst("conv2d_kernel_grad", x, y, window) <= 8 + (blocks if fill is third else 0)


@pytest.mark.parametrize("fill", [normal, positive, third])
def test_images_of_few_channels_and_depthwise_sums_are_within_eight_units(fill) -> None:
    rng = np.random.default_rng(3)
    y, kernel = fill(rng, (2, 8, 8, 512)), fill(rng, (3, 3, 3, 512))
    assert worst("conv2d_transpose", y, kernel, SAME) <= 8
    x, kernel = fill(rng, (2, 40, 40, 8)), fill(rng, (31, 31, 1, 8))
    wide = Window.of((40, 40), (31, 31), (1, 1), "SAME", groups=8)
    assert worst("conv2d", x, kernel, wide) <= 8
    assert worst("conv2d_transpose", x, kernel, wide) <= 8
    assert worst("conv2d_kernel_grad", x, x, wide) <= 8


@pytest.mark.parametrize("channels", [1, 7, 21, 33, 64, 65, 128, 700])
def test_the_proved_bound_holds_for_equal_numbers(channels: int) -> None:
    rng = np.random.default_rng(channels)
    x = np.broadcast_to(rng.random((24, 1, 1, 1)), (24, 8, 8, channels))
    kernel = np.broadcast_to(rng.random((1, 1, 1, 96)), (3, 3, channels, 96))
    chains = 2 * 9 * channels / 64 + 1
    assert worst("conv2d", x, kernel, SAME) <= 64 + ceil(log2(chains))


def test_threads_do_not_change_the_bits() -> None:
    rng = np.random.default_rng(0)
    x, kernel = (rng.random(s).astype("float32") for s in ((16, 8, 8, 96), (3, 3, 96, 70)))
    before, found = threads.num_threads(), []
    try:
        for number in (1, 2, 3):
            threads.set_num_threads(number)
            with settings.algorithm("tile"):
                found.append(backend.conv2d(x, kernel, SAME).tobytes())
    finally:
        threads.set_num_threads(before)
    assert found[0] == found[1] == found[2]


def test_pieces_are_even_and_no_longer_than_a_chain() -> None:
    assert pieces(192) == [(0, 64), (64, 64), (128, 64)]
    assert pieces(130) == [(0, 44), (44, 44), (88, 42)]
    assert pieces(5) == [(0, 5)]
