"""Winograd in the compiled room against the definition, and the setting that takes it."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest

import minitensor as tf
from minitensor.backend import numpy as backend
from minitensor.backend import settings
from minitensor.backend.numpy import choice
from minitensor.window import Window

pytest.importorskip("numba", reason="numba compiles these kernels")

from minitensor.backend.numpy.compiled import winograd, winograd_grad

SAME, UNIT = ((1, 1), (1, 1)), 2.0**-24
ODD = {"infinity": np.inf, "minus infinity": -np.inf, "NaN": np.nan}


def window_of(height: int, width: int, pad: object = SAME) -> Window:
    return Window.of((height, width), (3, 3), (1, 1), pad)


def naive_family(x: np.ndarray, kernel: np.ndarray, y: np.ndarray, window: Window) -> list:
    """All three by the definition: taps of a padded image."""
    (top, bottom), (left, right) = window.pad
    (h, w), (height, width) = window.out, window.size
    padded = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))
    back, forward, grad = np.zeros_like(padded), 0, np.zeros_like(kernel)
    for u, v in np.ndindex(3, 3):
        seen = padded[:, u : u + h, v : v + w]
        forward = forward + seen @ kernel[u, v]
        back[:, u : u + h, v : v + w] += y @ kernel[u, v].T
        grad[u, v] = np.tensordot(seen, y, ([0, 1, 2], [0, 1, 2]))
    return [forward, back[:, top : top + height, left : left + width], grad]


def family(x: np.ndarray, kernel: np.ndarray, y: np.ndarray, window: Window) -> list[np.ndarray]:
    return [
        backend.conv2d(x, kernel, window),
        backend.conv2d_transpose(y, kernel, window),
        backend.conv2d_kernel_grad(x, y, window),
    ]


def draw(window: Window, c: int, o: int, n: int = 2, dtype: str = "float64") -> list[np.ndarray]:
    random = np.random.default_rng(11)
    shapes = (n, *window.size, c), (3, 3, c, o), (n, *window.out, o)
    return [random.standard_normal(shape).astype(dtype) for shape in shapes]


@pytest.fixture
def pinned() -> Iterator[None]:
    with settings.algorithm("winograd"):
        yield


@pytest.fixture
def fast() -> Iterator[None]:
    settings.set_conv_precision("fast")
    yield
    settings.set_conv_precision("exact")


# ----- the numbers -----


@pytest.mark.parametrize("height", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 6, 7, 8, 9])
@pytest.mark.parametrize("pad", [SAME, ((0, 2), (3, 1)), ((4, 0), (0, 5))], ids=str)
def test_every_remainder_of_a_tile_gives_the_definition(
    height: int, width: int, pad: object, pinned: None
) -> None:
    window = window_of(height, width, pad)
    arrays = draw(window, 3, 5)
    for found, expected in zip(family(*arrays, window), naive_family(*arrays, window), strict=True):
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


CHANNELS = [(1, 1), (17, 70), (32, 16), (8, 33), (130, 200)]


@pytest.mark.parametrize(("c", "o"), CHANNELS)
@pytest.mark.parametrize("mebibytes", [64, 1 / 8])
def test_any_number_of_channels_gives_the_definition(
    c: int, o: int, mebibytes: float, pinned: None
) -> None:
    window = window_of(20, 22, "VALID")  # with little room, several blocks for each share
    arrays = draw(window, c, o)
    settings.set_workspace_limit(int(mebibytes * 2**20))
    try:
        found = family(*arrays, window)
    finally:
        settings.set_workspace_limit(64 * 2**20)
    for ours, expected in zip(found, naive_family(*arrays, window), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-12 * (1 + abs(expected).max()))


@pytest.mark.parametrize("c", [12, 64, 512])
def test_float32_is_within_the_bounds_that_the_setting_states(c: int, pinned: None) -> None:
    window = window_of(12, 13)
    single = draw(window, c, 40, dtype="float32")
    exact = naive_family(*(array.astype("float64") for array in single), window)
    size = naive_family(*(abs(array).astype("float64") for array in single), window)
    for found, expected, scale in zip(family(*single, window), exact, size, strict=True):
        assert found.dtype == np.float32
        assert (abs(found - expected) <= 8 * UNIT * scale).all()
        assert (abs(found - expected) <= 5 * UNIT * scale.max()).all()


def test_a_zero_beside_numbers_is_as_small_as_the_setting_says(pinned: None) -> None:
    window = window_of(16, 16)
    x, kernel, y = draw(window, 16, 16, dtype="float32")
    x[:, :, 5:] = 0  # so places from column 6 on see zeros alone
    y[:, :, 5:] = 0
    size = naive_family(abs(x), abs(kernel), abs(y), window)
    for found, scale in zip(family(x, kernel, y, window)[:2], size, strict=False):
        assert (abs(found[:, :, 6:]) <= 5 * UNIT * scale.max()).all()
        assert not found[:, :, 8:].any()  # tiles that see zeros alone


def test_whole_numbers_in_float64_come_out_whole_when_rounded(pinned: None) -> None:
    window = window_of(7, 9)
    random = np.random.default_rng(0)
    arrays = [random.integers(-9, 9, array.shape) for array in draw(window, 5, 4)]
    floats = [array.astype("float64") for array in arrays]
    for found, expected in zip(family(*floats, window), naive_family(*arrays, window), strict=True):
        np.testing.assert_array_equal(np.rint(found), expected)


def test_half_precision_rounds_once(pinned: None) -> None:
    window = window_of(6, 7)
    halves = [array.astype("float16") for array in draw(window, 4, 3)]
    wide = family(*(array.astype("float32") for array in halves), window)
    for found, expected in zip(family(*halves, window), wide, strict=True):
        assert (found == expected.astype("float16")).all()


# ----- what is not finite -----


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize("which", [0, 1, 2], ids=["x", "kernel", "y"])
def test_what_is_not_finite_reaches_what_the_definition_says(
    odd: float, which: int, pinned: None
) -> None:
    window = window_of(5, 6)
    plain = draw(window, 2, 18, dtype="float32")  # outputs in two registers
    clean = family(*plain, window)
    for place in np.ndindex(plain[which].shape):
        arrays = [array.copy() for array in plain]
        arrays[which][place] = odd
        with settings.algorithm("direct"):
            expected = family(*arrays, window)
        for ours, other, before in zip(family(*arrays, window), expected, clean, strict=True):
            bad = ~np.isfinite(other)
            np.testing.assert_array_equal(ours[bad], other[bad])
            np.testing.assert_allclose(ours[~bad], other[~bad], rtol=0, atol=1e-4)
            if which != 1 and ours is not expected[2] and len(ours) == 2:  # the other image
                assert ours[1 - place[0]].tobytes() == before[1 - place[0]].tobytes()


def test_what_overflows_on_the_way_is_computed_directly(pinned: None) -> None:
    window = window_of(4, 5)
    x, kernel, y = draw(window, 1, 1, n=1, dtype="float32")
    x[...], y[...], kernel[...] = 2e38, 2e38, 0.1  # the transform of the pixels overflows
    kernel[1, 1] = -0.7
    exact = naive_family(*(array.astype("float64") for array in (x, kernel, y)), window)
    for found, expected in zip(family(x, kernel, y, window)[:2], exact, strict=False):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e32)


# ----- threads and memory -----


def test_any_number_of_threads_gives_the_same_bits(
    monkeypatch: pytest.MonkeyPatch, pinned: None
) -> None:
    window = window_of(21, 30)
    for c, o in ((24, 48), (160, 192)):  # several shares of the tiles, and one
        arrays = draw(window, c, o, dtype="float32")
        results = []
        for threads in (1, 2, 3):
            for module in (winograd, winograd_grad):
                monkeypatch.setattr(module, "num_threads_for", lambda work, n=threads: n)
            results.append([found.tobytes() for found in family(*arrays, window)])
        assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("mebibytes", [64, 4])
@pytest.mark.parametrize("channels", [64, 512])
def test_the_workspace_stays_within_its_limit(channels: int, mebibytes: int, pinned: None) -> None:
    window = window_of(16, 16)
    x, kernel, y = draw(window, channels, channels, n=16, dtype="float32")
    calls = (
        (backend.conv2d, x, kernel),
        (backend.conv2d_transpose, y, kernel),
        (backend.conv2d_kernel_grad, x, y),
    )
    settings.set_workspace_limit(mebibytes * 2**20)
    try:
        for op, a, b in calls:
            op(a, b, window)
            tracemalloc.start()
            size = op(a, b, window).nbytes
            assert tracemalloc.get_traced_memory()[1] - size <= mebibytes * 2**20
            tracemalloc.stop()
    finally:
        tracemalloc.stop()
        settings.set_workspace_limit(64 * 2**20)


def test_without_the_compiler_the_kernels_mean_the_same() -> None:
    """Tiny shapes in a process with numba's JIT off, where each kernel is plain Python."""
    program = (
        "import sys; sys.path.insert(0, 'tests/core'); import test_winograd as t\n"
        "with t.settings.algorithm('winograd'):\n"
        "    for pad in (t.SAME, ((0, 2), (3, 1))):\n"
        "        window = t.window_of(3, 5, pad); arrays = t.draw(window, 3, 2)\n"
        "        for a, b in zip(t.family(*arrays, window), t.naive_family(*arrays, window)):\n"
        "            t.np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)\n"
        "    arrays[0][0, 0, 0, 0] = t.np.nan\n"
        "    assert t.np.isnan(t.family(*arrays, window)[0]).sum() == 3 * 2"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


# ----- the choice -----


@pytest.mark.parametrize(
    "other", [{"stride": (2, 2)}, {"dilation": (2, 1)}, {"kernel": (3, 2)}, {"groups": 2}], ids=str
)
def test_a_pinned_winograd_says_what_it_serves(other: dict, pinned: None) -> None:
    geometry = {"kernel": (3, 3), "stride": (1, 1), "dilation": (1, 1), "groups": 1} | other
    window = Window.of(
        (6, 6), geometry["kernel"], geometry["stride"], "SAME", geometry["dilation"],
        geometry["groups"],
    )  # fmt: skip
    kernel = np.ones((*window.kernel, 4 // window.groups, 4))
    message = r"'winograd'.*4 input channels of float64.*serves floats, 3x3 kernels, stride"
    with pytest.raises(ValueError, match=message):
        backend.conv2d(np.ones((1, 6, 6, 4)), kernel, window)


@pytest.mark.parametrize("name", ["tile", "winograd"])
def test_what_numba_compiles_refuses_integers(name: str) -> None:
    ones = np.ones((1, 4, 4, 1), np.int32)
    with settings.algorithm(name), pytest.raises(ValueError, match=r"int32.*it serves floats"):
        backend.conv2d(ones, ones[0, :3, :3, :, None], window_of(4, 4))


def took_winograd(images: int, size: int, c: int, o: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether all three ops take it for a shape, or none does."""
    window = window_of(size, size)
    arrays = draw(window, c, o, n=images, dtype="float32")
    taken = []
    with monkeypatch.context() as patch:
        for module in (winograd, winograd_grad):
            for op in ("conv2d", "conv2d_transpose", "conv2d_kernel_grad"):
                if hasattr(module, op):
                    known = getattr(module, op)
                    patch.setattr(
                        module, op, lambda *given, known=known: (taken.append(1), known(*given))[1]
                    )
        family(*arrays, window)
    assert len(taken) in (0, 3)
    return bool(taken)


def test_fast_takes_it_where_the_shape_gains_and_exact_never(
    monkeypatch: pytest.MonkeyPatch, fast: None
) -> None:
    choice.compiled(choice.LARGE, np.float32)
    assert took_winograd(2, 28, 64, 64, monkeypatch)
    assert took_winograd(32, 8, 64, 24, monkeypatch)
    assert not took_winograd(9, 28, 3, 64, monkeypatch)  # few channels
    assert not took_winograd(2, 7, 128, 128, monkeypatch)  # few tiles for so large a kernel
    assert not took_winograd(64, 2, 128, 128, monkeypatch)  # taps on padding, which direct skips
    with settings.algorithm("tile"):
        assert not took_winograd(2, 28, 64, 64, monkeypatch)
    settings.set_conv_precision("exact")
    assert not took_winograd(2, 28, 64, 64, monkeypatch)


def test_the_setting_is_public_and_refuses_other_words(fast: None) -> None:
    assert tf.config.conv_precision() == "fast"
    with pytest.raises(ValueError, match=r"got 'high'; it must be 'exact' or 'fast'"):
        tf.config.set_conv_precision("high")
