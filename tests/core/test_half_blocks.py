"""Half precision by compiled kernels: bits against NumPy's and ml_dtypes' own conversions."""

from __future__ import annotations

import tracemalloc

import ml_dtypes
import numpy as np
import pytest
from compiled_faults import in_plain_python

import minitensor as mt
from minitensor.backend import numpy as backend
from minitensor.backend import settings
from minitensor.backend.half import WORTH
from minitensor.backend.numpy import half as doors
from minitensor.backend.numpy import memory
from minitensor.ops import math
from minitensor.window import Window

pytest.importorskip("numba")
from minitensor.backend.numpy.compiled import half

HALVES = [np.dtype("float16"), np.dtype(ml_dtypes.bfloat16)]
SAME = Window.of((14, 14), (3, 3), (1, 1), "SAME")


@pytest.fixture(params=[True, False], ids=["by the processor", "by arithmetic"])
def _by_either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param and not half.CONVERTS:
        pytest.skip("this processor has no conversion of float16")
    monkeypatch.setattr(half, "CONVERTS", request.param)


def bits(x: np.ndarray) -> np.ndarray:
    """Those of x, all NaNs alike."""
    unsigned = x.view(f"u{x.itemsize}")
    return np.where(np.isnan(x.astype("float32")), 1, unsigned)


@pytest.mark.usefixtures("_by_either")
@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_every_half_is_widened_as_numpy_does(dtype: np.dtype) -> None:
    every = np.arange(2**16, dtype=np.uint16).view(dtype)
    np.testing.assert_array_equal(bits(half.widened(every)), bits(every.astype("float32")))


@pytest.mark.usefixtures("_by_either")
@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_numbers_are_rounded_as_numpy_does(dtype: np.dtype) -> None:
    with np.errstate(all="ignore"):
        every = np.arange(2**16, dtype=np.uint16).view(dtype).astype("float64")
        middle = ((every[:-1] + every[1:]) / 2).astype("float32")  # ties, and beside them
        up, down = (np.nextafter(middle, np.float32(to)) for to in (np.inf, -np.inf))
        any_bits = np.random.default_rng(0).integers(0, 2**32, 10**6, np.uint32).view("float32")
        x = np.concatenate([every.astype("float32"), middle, up, down, any_bits])
        expected = x.astype(dtype)
    np.testing.assert_array_equal(bits(half.rounded(x, dtype)), bits(expected))


@pytest.mark.usefixtures("_by_either")
@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_the_plain_meaning_is_the_same(dtype: np.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    in_plain_python(monkeypatch.setattr)
    some = np.arange(0, 2**16, 37, dtype=np.uint16).view(dtype)
    x = half.widened(some)
    np.testing.assert_array_equal(bits(x), bits(some.astype("float32")))
    near = np.nextafter(x, np.float32(0))
    with np.errstate(all="ignore"):
        for numbers in (x, near):
            found = half.rounded(numbers, dtype)
            np.testing.assert_array_equal(bits(found), bits(numbers.astype(dtype)))


@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_convolutions_by_images_round_once(
    dtype: np.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors, "BLOCK_BYTES", 3 * 14 * 14 * 8 * 4)  # three images at a time
    rng = np.random.default_rng(0)
    shapes = (7, 14, 14, 8), (3, 3, 8, 8), (8,)
    x, kernel, bias = (rng.integers(-3, 4, s).astype(dtype) for s in shapes)  # sums are exact
    x32, kernel32, bias32 = (a.astype("float32") for a in (x, kernel, bias))
    with settings.algorithm("tile"):
        for op, these, wide in (
            (backend.conv2d, (x, kernel), (x32, kernel32)),
            (backend.conv2d_transpose, (x, kernel), (x32, kernel32)),
            (backend.conv2d_kernel_grad, (x, x), (x32, x32)),
        ):
            found = op(*these, SAME)
            assert found.dtype == dtype
            np.testing.assert_array_equal(bits(found), bits(op(*wide, SAME).astype(dtype)))
        found = backend.conv2d_bias_activation(x, kernel, bias, SAME, "relu")
        exact = backend.conv2d_bias_activation(x32, kernel32, bias32, SAME, "relu")
    np.testing.assert_array_equal(bits(found), bits(exact.astype(dtype)))


def test_no_copy_of_all_images_in_float32_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST", 0)  # what is kept for the next call is not traced
    window = Window.of((64, 64), (1, 1), (2, 2))
    x, kernel = np.ones((64, 64, 64, 32), "float16"), np.ones((1, 1, 32, 32), "float16")
    backend.conv2d(x, kernel, window)
    tracemalloc.start()
    y = backend.conv2d(x, kernel, window)
    extra = tracemalloc.get_traced_memory()[1] - 2 * y.nbytes  # itself, and its parts
    tracemalloc.stop()
    assert extra <= 1.5 * doors.BLOCK_BYTES < 2 * x.nbytes


@pytest.mark.parametrize("high", [None, 6.0])
@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_a_gate_opens_as_in_float32(dtype: np.dtype, high: float | None) -> None:
    """For every number, zeros of both signs, infinities and NaN among them."""
    every = np.arange(2**16, dtype=np.uint16).view(dtype)
    x = every.astype("float32")
    is_open = (x > 0) & (x < (np.inf if high is None else high)) | ((x == np.inf) & (high is None))
    g = np.random.default_rng(0).permutation(every)
    expected = np.where(is_open, bits(g), 0)
    np.testing.assert_array_equal(bits(backend.gate(g, every, high)), expected)


@pytest.mark.parametrize("dtype", HALVES, ids=str)
@pytest.mark.parametrize("name", ["add", "multiply", "divide", "maximum", "exp"])
def test_large_arrays_are_computed_as_small_ones_are(dtype: np.dtype, name: str) -> None:
    """In float32 and rounded once: so does NumPy, a number at a time."""
    draw = np.random.default_rng(0)
    a, b = (draw.normal(size=3 * WORTH).astype(dtype) for _ in range(2))
    op = getattr(math, name)
    arrays = [a, b][: 1 if name == "exp" else 2]
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(*arrays)
    found = op(*map(mt.constant, arrays)).numpy()
    assert found.dtype == dtype
    apart = np.abs(bits(found).astype(int) - bits(expected).astype(int))
    assert apart.max() <= (name == "exp")  # whose float32 has two authors
