"""The NumPy backend against definitions written anew: einsum over explicitly padded patches.

Every algorithm serves every geometry here: unequal strides and dilations, strides beyond the
kernel, groups, depthwise, lopsided pads. The blocked ones run a second time cut into single rows
that threads share, which is what large images get.
"""

from __future__ import annotations

import importlib
import re
import sys
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from importlib.util import find_spec
from queue import SimpleQueue
from typing import Any

import hypothesis
import ml_dtypes
import numpy as np
import pytest
import threadpoolctl
from hypothesis import strategies as st

from minitensor import config
from minitensor.backend import numpy as backend
from minitensor.backend import settings
from minitensor.backend.numpy import blocked, blocks, choice, memory, threads
from minitensor.backend.numpy.matrix import dense_matrix
from minitensor.window import Window

GEOMETRIES = {
    "same": Window.of((7, 6), (3, 3), (1, 1), "SAME"),
    "valid": Window.of((7, 6), (3, 2), (1, 1), "VALID"),
    "pointwise": Window.of((5, 4), (1, 1)),
    "pointwise strided": Window.of((5, 4), (1, 1), (2, 3)),
    "stride 2 same": Window.of((8, 8), (3, 3), (2, 2), "SAME"),
    "unequal stride": Window.of((9, 11), (3, 4), (2, 3), "SAME"),
    "stride beyond kernel": Window.of((11, 9), (2, 1), (4, 3), "VALID"),
    "stride beyond kernel same": Window.of((7, 7), (2, 2), (3, 3), "SAME"),
    "dilated": Window.of((9, 8), (3, 2), (1, 1), "SAME", (2, 3)),
    "dilated and strided": Window.of((13, 12), (3, 3), (2, 3), "SAME", (3, 2)),
    "lopsided pads": Window.of((6, 5), (3, 3), (1, 2), ((0, 3), (2, 1))),
    "pads beyond kernel": Window.of((4, 4), (2, 2), (1, 1), ((3, 2), (0, 4))),
    "even kernel": Window.of((6, 6), (4, 4), (1, 1), "SAME"),
    "stem": Window.of((12, 12), (7, 7), (2, 2), "SAME"),
    "taps on padding only": Window.of((2, 2), (3, 3), (1, 1), "SAME", (4, 4)),
    "windows on padding only": Window.of((1, 2), (2, 2), (1, 1), "SAME", (3, 3)),
}
CHANNELS = {  # C, O, G
    "dense": (3, 5, 1),
    "wide": (32, 24, 1),
    "one channel": (1, 4, 1),
    "groups": (6, 4, 2),
    "depthwise": (4, 4, 4),
    "depthwise twice": (3, 6, 3),
}
CASES = [
    pytest.param(replace(w, groups=c[2]), *c[:2], id=f"{a}, {b}")
    for a, w in GEOMETRIES.items()
    for b, c in CHANNELS.items()
]
BIG = Window.of((32, 32), (3, 3), (1, 1), "SAME")
needs_numba = pytest.mark.skipif(not find_spec("numba"), reason="numba compiles these kernels")


# ----- the oracles -----


def naive_patches(x: np.ndarray, window: Window) -> np.ndarray:
    """(N, h, w, kh, kw, C), gathered pixel by pixel from an image padded by np.pad."""
    return np.pad(x, ((0, 0), *window.pad, (0, 0)))[:, *naive_indices(window)]


def naive_indices(window: Window) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the padded image that each tap of each output position reads."""
    (h, w), (kh, kw) = window.out, window.kernel
    rows = np.add.outer(np.arange(h) * window.stride[0], np.arange(kh) * window.dilation[0])
    columns = np.add.outer(np.arange(w) * window.stride[1], np.arange(kw) * window.dilation[1])
    return rows[:, None, :, None], columns[None, :, None, :]


def naive_fold(patches: np.ndarray, window: Window) -> np.ndarray:
    """(N, H, W, C): each entry of (N, h, w, kh, kw, C) added where it was gathered."""
    padded = np.zeros((len(patches), *window.padded, patches.shape[-1]), patches.dtype)
    np.add.at(padded, (slice(None), *naive_indices(window)), patches)
    (top, bottom), (left, right) = window.pad
    high, wide = window.padded
    return padded[:, top : high - bottom, left : wide - right]


def split(array: np.ndarray, groups: int) -> np.ndarray:
    return array.reshape(*array.shape[:-1], groups, array.shape[-1] // groups)


def merge(array: np.ndarray) -> np.ndarray:
    return array.reshape(*array.shape[:-2], array.shape[-2] * array.shape[-1])


def naive_conv2d(x: np.ndarray, kernel: np.ndarray, window: Window) -> np.ndarray:
    g = window.groups
    patches = split(naive_patches(x, window), g)
    return merge(np.einsum("nijuvgc,uvcgo->nijgo", patches, split(kernel, g)))


def naive_transpose(y: np.ndarray, kernel: np.ndarray, window: Window) -> np.ndarray:
    g = window.groups
    patches = np.einsum("nijgo,uvcgo->nijuvgc", split(y, g), split(kernel, g))
    return naive_fold(merge(patches), window)


def naive_kernel_grad(x: np.ndarray, y: np.ndarray, window: Window) -> np.ndarray:
    g = window.groups
    patches = split(naive_patches(x, window), g)
    return merge(np.einsum("nijuvgc,nijgo->uvcgo", patches, split(y, g)))


def draw(window: Window, c: int, o: int, dtype: str = "float64", n: int = 3) -> list[np.ndarray]:
    """Seeded normal x, kernel and y."""
    random = np.random.default_rng(7)
    shapes = (n, *window.size, c), (*window.kernel, c // window.groups, o), (n, *window.out, o)
    return [random.standard_normal(shape).astype(dtype) for shape in shapes]


def family(x: np.ndarray, kernel: np.ndarray, y: np.ndarray, window: Window) -> list[np.ndarray]:
    """All three ops of the backend."""
    return [
        backend.conv2d(x, kernel, window),
        backend.conv2d_transpose(y, kernel, window),
        backend.conv2d_kernel_grad(x, y, window),
    ]


def naive_family(
    x: np.ndarray, kernel: np.ndarray, y: np.ndarray, window: Window
) -> list[np.ndarray]:
    return [
        naive_conv2d(x, kernel, window),
        naive_transpose(y, kernel, window),
        naive_kernel_grad(x, y, window),
    ]


WAYS = ["by shape", "direct", "im2col", "matrix", pytest.param("tile", marks=needs_numba)]


@pytest.fixture(params=[*WAYS, "in single rows"])
def pinned(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Each way to compute a conv; the last cuts blocks as fine as they get and threads them."""
    if request.param in settings.ALGORITHMS:
        with settings.algorithm(request.param):
            yield request.param
        return
    if request.param == "in single rows":
        cut_finely(monkeypatch)
    yield request.param


def cut_finely(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of one row, shared by threads whatever the work; flips wherever they are legal."""
    monkeypatch.setattr(blocks, "COLUMN_BYTES", 1)
    monkeypatch.setattr(blocks, "FEWEST_POSITIONS", 1)
    monkeypatch.setattr(blocks, "SHARED_WORK", 0)
    monkeypatch.setattr(blocked, "OWN_SUM", 200)


# ----- convolution -----


@pytest.mark.parametrize(("window", "c", "o"), CASES)
def test_every_algorithm_gives_the_definition(pinned: str, window: Window, c: int, o: int) -> None:
    x, kernel, y = draw(window, c, o)
    for found, expected in zip(
        family(x, kernel, y, window), naive_family(x, kernel, y, window), strict=True
    ):
        assert found.shape == expected.shape
        assert found.flags.c_contiguous
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * (1 + abs(expected).max()))


@st.composite
def geometries(pick: st.DrawFn) -> tuple[Window, int, int]:
    """Any window over at most 9 pixels, and channels for it; the output may be empty."""

    def pair(low: int, high: int) -> tuple[int, int]:
        return pick(st.tuples(*[st.integers(low, high)] * 2))

    groups = pick(st.integers(1, 3))
    window = Window(
        pair(1, 9), pair(1, 4), pair(1, 4), pair(1, 3), (pair(0, 3), pair(0, 3)), groups
    )
    return window, *(groups * size for size in pair(1, 3))


@hypothesis.settings(max_examples=300, derandomize=True, deadline=None)
@hypothesis.given(geometries(), st.sampled_from(["direct", "im2col", "matrix", "tile", None]))
def test_any_geometry_gives_the_definition(
    case: tuple[Window, int, int], algorithm: str | None
) -> None:
    arrays = draw(*case, n=2)
    if algorithm == "tile" and not find_spec("numba"):
        algorithm = None
    with settings.algorithm(algorithm) if algorithm else nullcontext():
        found = family(*arrays, case[0])
    for ours, expected in zip(found, naive_family(*arrays, case[0]), strict=True):
        assert ours.shape == expected.shape
        np.testing.assert_allclose(ours, expected, atol=1e-12)


@pytest.mark.parametrize(("window", "c", "o"), CASES)
def test_float32_is_within_eight_roundings_of_the_sum_of_magnitudes(
    pinned: str, window: Window, c: int, o: int
) -> None:
    single = draw(window, c, o, "float32", n=2)
    exact = naive_family(*(array.astype("float64") for array in single), window)
    size = naive_family(*(abs(array).astype("float64") for array in single), window)
    for found, expected, scale in zip(family(*single, window), exact, size, strict=True):
        assert found.dtype == np.float32
        assert (abs(found - expected) <= 8 * 2**-24 * scale).all()


@pytest.mark.parametrize(("window", "c", "o"), CASES)
def test_the_three_ops_are_one_trilinear_form(window: Window, c: int, o: int) -> None:
    x, kernel, y = draw(window, c, o)
    forward, back, grad = family(x, kernel, y, window)
    np.testing.assert_allclose((back * x).sum(), (forward * y).sum(), rtol=1e-10)
    np.testing.assert_allclose((grad * kernel).sum(), (forward * y).sum(), rtol=1e-10)


@pytest.mark.parametrize("groups", [1, 2, 64])
def test_large_images_are_exact_to_float32(groups: int) -> None:
    window = replace(BIG, groups=groups)
    single = draw(window, 64, 64, "float32", n=5)
    exact = family(*(array.astype("float64") for array in single), window)
    size = family(*(abs(array).astype("float64") for array in single), window)
    for found, expected, scale in zip(family(*single, window), exact, size, strict=True):
        assert (abs(found - expected) <= 8 * 2**-24 * scale).all()


def test_large_kernels_split_their_gradient_over_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    window = Window.of((4, 4), (3, 3), (1, 1), "SAME")
    x, _, y = draw(window, 96, 200, n=9)
    monkeypatch.setattr(blocks, "SHARED_WORK", 0)
    monkeypatch.setattr(blocked, "OWN_SUM", 1)
    np.testing.assert_allclose(
        backend.conv2d_kernel_grad(x, y, window), naive_kernel_grad(x, y, window), atol=1e-10
    )


@pytest.mark.parametrize("window", GEOMETRIES.values(), ids=GEOMETRIES)
@pytest.mark.parametrize("algorithm", ["direct", "im2col", "depthwise"])
def test_a_nan_reaches_exactly_the_windows_that_touch_it(algorithm: str, window: Window) -> None:
    window = replace(window, groups=2 if algorithm == "depthwise" else 1)
    x, kernel, _ = draw(window, 2, 4, n=1)
    x[0, window.size[0] // 2, window.size[1] // 2] = np.nan
    touched = np.isnan(naive_patches(x, window)).any((3, 4, 5))
    with settings.algorithm(algorithm):
        found = np.isnan(backend.conv2d(x, kernel, window))
    assert (found == touched[..., None]).all()


def test_the_explicit_matrix_spreads_a_nan_over_the_image() -> None:
    x, kernel, _ = draw(GEOMETRIES["same"], 2, 3, n=2)
    x[0, 0, 0, 0] = np.nan
    with settings.algorithm("matrix"):
        y = backend.conv2d(x, kernel, GEOMETRIES["same"])
    assert np.isnan(y[0]).all()
    assert not np.isnan(y[1]).any()


def test_integers_wrap() -> None:
    window = Window.of((2, 2), (2, 2))
    x, kernel = np.full((1, 2, 2, 1), 2**30, np.int32), np.ones((2, 2, 1, 1), np.int32)
    found = backend.conv2d(x, kernel, window)
    assert found.dtype == np.int32
    assert found.ravel().tolist() == [0]


@pytest.mark.parametrize("half", [np.dtype("float16"), np.dtype(ml_dtypes.bfloat16)], ids=str)
@pytest.mark.parametrize("groups", [1, 16])
def test_half_precision_rounds_once(half: np.dtype, groups: int) -> None:
    window = replace(GEOMETRIES["unequal stride"], groups=groups)
    halves = [array.astype(half) for array in draw(window, 16, 16)]
    exact = family(*(array.astype("float32") for array in halves), window)
    for found, expected in zip(family(*halves, window), exact, strict=True):
        assert found.dtype == half
        assert (found == expected.astype(half)).all()


@pytest.mark.parametrize("empty", ["n", "c", "o", "size", "out"])
def test_empty_sizes_give_zeros_of_the_right_shape(pinned: str, empty: str) -> None:
    n, c, o, size = (0 if empty == name else 2 for name in ("n", "c", "o", "size"))
    window = Window.of((size, 3), (3 if empty == "out" else 2, 2), (1, 1), ((0, 0), (1, 0)))
    x, kernel, y = draw(window, c, o, n=n)
    for found, like in zip(family(x, kernel, y, window), (y, x, kernel), strict=True):
        assert found.shape == like.shape
        assert not found.any()


def test_inputs_may_be_strided_and_are_not_changed(pinned: str) -> None:
    window = replace(GEOMETRIES["unequal stride"], groups=2)
    plain = draw(window, 6, 4)
    strided = [np.repeat(np.asfortranarray(array), 2, axis=-1)[..., ::2] for array in plain]
    kept = [array.copy() for array in strided]
    assert not any(array.flags.c_contiguous for array in strided)
    for found, expected in zip(family(*strided, window), family(*plain, window), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-13)
    for array, before in zip(strided, kept, strict=True):
        np.testing.assert_array_equal(array, before)


def test_a_pointwise_conv_returns_memory_of_its_own() -> None:
    window = GEOMETRIES["pointwise"]
    x = draw(window, 3, 3)[0]
    y = backend.conv2d(x, np.eye(3).reshape(1, 1, 3, 3), window)
    np.testing.assert_array_equal(y, x)
    assert not np.shares_memory(y, x)
    assert not np.shares_memory(backend.im2col(x, window), x)


@pytest.mark.parametrize("groups", [1, 64])
def test_repeating_a_call_gives_the_same_bits(groups: int) -> None:
    window = replace(BIG, groups=groups)
    arrays = draw(window, 64, 64, "float32", n=6)
    first = family(*arrays, window)
    for _ in range(3):
        for again, before in zip(family(*arrays, window), first, strict=True):
            assert again.tobytes() == before.tobytes()


# ----- memory and threads -----


def extra_bytes(function: Callable[..., np.ndarray], *arguments: object) -> int:
    """The most memory a call holds beside its inputs and its output."""
    return traced(function, *arguments)[1]


@pytest.fixture
def limit() -> Iterator[Callable[[int], None]]:
    before = settings.workspace_limit()
    yield settings.set_workspace_limit
    settings.set_workspace_limit(before)


@pytest.mark.parametrize("mebibytes", [64, 4])
@pytest.mark.parametrize("op", ["conv2d", "conv2d_transpose", "conv2d_kernel_grad"])
def test_the_workspace_stays_within_its_limit(
    op: str, mebibytes: int, limit: Callable[[int], None]
) -> None:
    x, kernel, y = draw(BIG, 64, 64, "float32", n=128)
    limit(mebibytes * 2**20)
    arguments = {
        "conv2d": (x, kernel),
        "conv2d_transpose": (y, kernel),
        "conv2d_kernel_grad": (x, y),
    }
    assert extra_bytes(getattr(backend, op), *arguments[op], BIG) <= mebibytes * 2**20


@pytest.mark.parametrize("groups", [1, 64])
def test_blocks_shrink_to_a_small_workspace(groups: int, limit: Callable[[int], None]) -> None:
    window = Window.of((32, 32), (3, 3), (2, 2), "SAME", (3, 3), groups)
    x, kernel, y = draw(window, 64, 64, "float32", n=8)
    limit(2**20)
    for op, arguments in (
        (backend.conv2d, (x, kernel)),
        (backend.conv2d_transpose, (y, kernel)),
        (backend.conv2d_kernel_grad, (x, y)),
    ):
        assert extra_bytes(op, *arguments, window) <= 2**20


@pytest.mark.parametrize(
    ("shape", "kernel", "window"),
    [
        ((1, 1200, 1200, 4), (3, 3, 4, 4), {"dilation": (400, 400)}),
        ((1, 1500, 64, 7), (3, 1, 7, 4), {"dilation": (700, 1)}),
        ((2, 2000, 900, 4), (2, 2, 4, 4), {"stride": (300, 40)}),
        ((2, 60, 40, 3), (16, 1, 3, 1100), {}),
    ],
    ids=["dilated", "tall", "strided", "packed"],
)
@needs_numba
def test_compiled_kernels_keep_to_the_workspace_whatever_the_window(
    shape: tuple[int, ...], kernel: tuple[int, ...], window: dict[str, Any],
    limit: Callable[[int], None], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    seen = Window.of(shape[1:3], kernel[:2], padding="SAME", **window)
    rng = np.random.default_rng(0)
    sizes = shape, kernel, (shape[0], *seen.out, kernel[-1])
    x, w, y = (rng.integers(-2, 3, size).astype("float32") for size in sizes)  # sums are exact
    monkeypatch.setattr(memory, "MOST", 0)  # what is kept for the next call is not traced
    limit(2**21)
    with settings.algorithm("tile"):
        grad, extra = traced(backend.conv2d_kernel_grad, x, y, seen)
        back, more = traced(backend.conv2d_transpose, y, w, seen)
    assert max(extra, more) <= 2**21
    limit(2**26)
    with settings.algorithm("direct"):
        np.testing.assert_array_equal(grad, backend.conv2d_kernel_grad(x, y, seen))
        np.testing.assert_array_equal(back, backend.conv2d_transpose(y, w, seen))


def traced(function: Callable[..., np.ndarray], *arguments: object) -> tuple[np.ndarray, int]:
    """What a call gives, and the most memory that it held beside."""
    function(*arguments)
    tracemalloc.start()
    try:
        found = function(*arguments)
        return found, tracemalloc.get_traced_memory()[1] - found.nbytes
    finally:
        tracemalloc.stop()


def blas_threads() -> list[int]:
    return [info["num_threads"] for info in threadpoolctl.threadpool_info()]


def test_blas_has_one_thread_in_a_worker_and_its_own_again_after() -> None:
    def inside() -> list[list[int]]:
        return threads.parallel_products(lambda _: blas_threads(), [0, 1, 2], 2)

    threads._blas_libraries.cache_clear()  # numba may have loaded SciPy's, which is not ours
    with threadpoolctl.threadpool_limits(3):
        before = blas_threads()
        with ThreadPoolExecutor(1) as pool:
            from_another_thread = pool.submit(inside).result()
            assert blas_threads() == before
        for found in inside() + from_another_thread:
            assert set(found) == {1}
        assert blas_threads() == before


def test_overlapping_calls_are_right_and_leave_blas_as_it_was() -> None:
    arrays = draw(BIG, 16, 16, "float32", n=8)
    family(*arrays, BIG)  # numba, at its first call, loads one BLAS more
    with threadpoolctl.threadpool_limits(3), ThreadPoolExecutor(4) as pool:
        before = blas_threads()
        results = list(pool.map(lambda _: family(*arrays, BIG), range(8)))
        assert blas_threads() == before
    for result in results[1:]:
        for found, first in zip(result, results[0], strict=True):
            np.testing.assert_array_equal(found, first)


def test_without_threadpoolctl_there_is_one_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = draw(BIG, 16, 16, n=4)
    expected = family(*arrays, BIG)
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    threads._blas_libraries.cache_clear()
    try:
        assert threads.workers() == 1
        for found, before in zip(family(*arrays, BIG), expected, strict=True):
            np.testing.assert_allclose(found, before, atol=1e-10)
    finally:
        threads._blas_libraries.cache_clear()


def test_an_error_in_a_worker_comes_back() -> None:
    with pytest.raises(ZeroDivisionError):
        threads.parallel_map(lambda item: 1 // item, [1, 1, 0, 1], 2)


def test_a_thread_that_came_too_late_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is cancelled waits in its queue until the thread is free: hours, perhaps."""
    monkeypatch.setattr(threads, "cores", lambda: 2)
    inbox: SimpleQueue[threads.Helper] = SimpleQueue()  # that nobody serves
    monkeypatch.setattr(threads, "_crew", lambda process, size: [inbox])
    array = np.ones(9)
    alive = weakref.ref(array)
    threads.parallel_map(lambda item, held=array: item * held.size, [1, 2, 3], 2)
    del array
    assert alive() is None
    inbox.get()()  # and then it has nothing to do


# ----- settings -----


@pytest.mark.parametrize("groups", [1, 16])
def test_any_number_of_threads_gives_the_same_bits(groups: int) -> None:
    window = Window.of((24, 24), (3, 3), (1, 1), "SAME", groups=groups)
    arrays = draw(window, 16, 16, "float32", n=12)
    switch = config.threading
    found = []
    try:
        for number in (1, 2, 5):
            switch.set_intra_op_parallelism_threads(number)
            assert switch.get_intra_op_parallelism_threads() == threads.workers() == number
            assert set(blas_threads()) == {number}
            found.append(family(*arrays, window))
    finally:
        switch.set_intra_op_parallelism_threads(0)
    assert switch.get_intra_op_parallelism_threads() == 0
    for others in found[1:]:
        for one, other in zip(found[0], others, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("shapes", [[(20, 30), (27, 30)], [(3, 10), (3, 17)]])
@needs_numba
def test_wide_depthwise_kernels_are_not_unrolled(shapes: list[tuple[int, int]]) -> None:
    """The code that numba compiles would grow with the taps, or with the stride."""
    room = importlib.import_module("minitensor.backend.numpy.compiled.depthwise")
    compiled = []
    for taps, stride in shapes:
        window = Window.of((3, taps + 7 * stride), (1, taps), (1, stride), groups=40)
        x, kernel, _ = draw(window, 40, 40, n=2)
        with settings.algorithm("tile"):
            found = backend.conv2d(x, kernel, window)
        np.testing.assert_allclose(found, naive_conv2d(x, kernel, window), atol=1e-12)
        compiled.append(len(getattr(room._convolve_tiles, "signatures", ())))
    assert compiled[0] == compiled[1]


@pytest.mark.parametrize(
    ("number", "error", "words"), [(-1, ValueError, "-1 threads"), (2.0, TypeError, "an integer")]
)
def test_a_bad_number_of_threads_is_refused(number: Any, error: type, words: str) -> None:
    for which in ("intra", "inter"):
        with pytest.raises(error, match=f"set_{which}_op_parallelism_threads.*{words}"):
            getattr(config.threading, f"set_{which}_op_parallelism_threads")(number)


@needs_numba
def test_a_call_tells_which_algorithm_it_took(caplog: pytest.LogCaptureFixture) -> None:
    small = Window.of((4, 4), (3, 3))
    family(*draw(small, 2, 2, n=1), small)
    assert not caplog.messages
    with caplog.at_level("DEBUG", "minitensor"):
        family(*draw(small, 2, 2, n=1), small)
        family(*draw(BIG, 16, 16, n=4), BIG)
        with settings.algorithm("direct"):
            family(*draw(small, 2, 2, n=1), small)
    ways = [message.partition(" by ")[2] for message in caplog.messages]
    assert ways[:3] == ["blocked: chosen by shape"] * 3
    assert ways[3] == ways[4] == "compiled.direct: chosen by shape"
    assert ways[5] == "compiled.filter_grad: chosen by shape"
    assert ways[6:] == ["direct: direct"] * 3


def test_an_unknown_algorithm_is_refused_with_the_legal_names() -> None:
    with pytest.raises(ValueError, match=r"'fft'.*direct, im2col, matrix, depthwise, tile, tiled"):
        settings.algorithm("fft").__enter__()


@pytest.fixture
def forgetful() -> Iterator[None]:
    """What was found out about numba is found out anew, in the test and after it."""
    forget = choice._room.cache_clear, choice._room_by_default.cache_clear
    for each in forget:
        each()
    yield
    for each in forget:
        each()


def test_tiles_say_what_to_install_without_numba(
    monkeypatch: pytest.MonkeyPatch, forgetful: None
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with (
        settings.algorithm("tile"),
        pytest.raises(ValueError, match=r"'tile'.*no numba.*pip install .*\[fast\]"),
    ):
        family(*draw(BIG, 2, 2, n=1), BIG)


def without_numba(patch: pytest.MonkeyPatch) -> str:
    patch.setattr("importlib.util.find_spec", lambda name: None)
    return "no numba.*pip install"


def with_a_broken_numba(patch: pytest.MonkeyPatch) -> str:
    room = importlib.import_module("minitensor.backend.numpy.compiled")
    patch.setattr(room.direct, "conv2d", lambda *arguments: np.zeros(1))
    return r"numba does not work here \(ArithmeticError: 2 \* 2 is not 4\)"


@pytest.mark.parametrize(
    "broken", [without_numba, pytest.param(with_a_broken_numba, marks=needs_numba)]
)
def test_large_calls_say_once_what_numba_would_bring_and_are_computed_by_numpy(
    broken: Callable[[pytest.MonkeyPatch], str],
    monkeypatch: pytest.MonkeyPatch,
    forgetful: None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    words = broken(monkeypatch)
    assert choice.compiled(choice.LARGE - 1, np.float32) is None
    assert not caplog.messages
    for _ in range(2):
        assert choice.compiled(choice.LARGE, np.float32) is None
    (said,) = caplog.messages
    assert re.search(words, said)


@needs_numba
def test_only_large_calls_of_floats_are_compiled(
    monkeypatch: pytest.MonkeyPatch, forgetful: None
) -> None:
    assert choice.compiled(choice.LARGE, np.float32) is choice.compiled(choice.LARGE, np.float64)
    assert choice.compiled(choice.LARGE, np.float32) is not None
    assert choice.compiled(choice.LARGE - 1, np.float32) is None
    assert choice.compiled(choice.LARGE, np.int32) is None
    choice._room_by_default.cache_clear()
    monkeypatch.setenv("MINITENSOR_COMPILED", "0")
    assert choice.compiled(choice.LARGE, np.float32) is None


@pytest.mark.parametrize("rung", ["tiled", "register", "tensor"])
def test_a_rung_of_the_kernels_is_refused_where_numpy_computes(rung: str) -> None:
    arrays = draw(BIG, 2, 2, n=1)
    with (
        settings.algorithm(rung),
        pytest.raises(ValueError, match=rf"'{rung}'.*numpy.*direct, im2col, matrix, depthwise"),
    ):
        family(*arrays, BIG)


def test_a_pinned_algorithm_ends_with_its_block() -> None:
    with settings.algorithm("direct"):
        with settings.algorithm("matrix"):
            assert settings.pinned_algorithm() == "matrix"
        assert settings.pinned_algorithm() == "direct"
    assert settings.pinned_algorithm() is None


def test_depthwise_is_refused_where_groups_are_not_channels() -> None:
    x, kernel, _ = draw(BIG, 4, 4)
    message = "4 input channels of float64 in 1 groups"
    with settings.algorithm("depthwise"), pytest.raises(ValueError, match=message):
        backend.conv2d(x, kernel, BIG)


def test_a_workspace_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="got 0 bytes"):
        settings.set_workspace_limit(0)


def test_the_explicit_matrix_is_refused_when_it_would_be_large() -> None:
    window = Window.of((64, 64), (3, 3), (1, 1), "SAME")
    with pytest.raises(ValueError, match=r"32768 x 12288 would store .* more than 256 MiB"):
        dense_matrix(np.zeros((3, 3, 3, 8), "float32"), window)


@pytest.mark.parametrize(("window", "c", "o"), CASES)
def test_the_explicit_matrix_times_an_image_is_its_conv(window: Window, c: int, o: int) -> None:
    x, kernel, _ = draw(window, c, o, n=1)
    y = dense_matrix(kernel, window) @ x.ravel()
    np.testing.assert_allclose(y, naive_conv2d(x, kernel, window).ravel(), atol=1e-11)


# ----- patches and pooling -----


@pytest.mark.parametrize("window", GEOMETRIES.values(), ids=GEOMETRIES)
def test_im2col_rows_are_the_patches(window: Window) -> None:
    x = draw(window, 3, 1)[0]
    expected = naive_patches(x, window).reshape(len(x), *window.out, -1)
    np.testing.assert_array_equal(backend.im2col(x, window), expected)


@pytest.mark.parametrize("window", GEOMETRIES.values(), ids=GEOMETRIES)
def test_col2im_adds_each_entry_where_it_was_read(window: Window) -> None:
    columns = np.random.default_rng(1).standard_normal((2, *window.out, window.taps * 3))
    patches = columns.reshape(2, *window.out, *window.kernel, 3)
    np.testing.assert_allclose(
        backend.col2im(columns, window), naive_fold(patches, window), atol=1e-13
    )


def test_patches_of_nothing_have_the_right_shape() -> None:
    window = GEOMETRIES["same"]
    assert backend.im2col(np.zeros((0, 7, 6, 2)), window).shape == (0, 7, 6, 18)
    assert backend.im2col(np.zeros((2, 7, 6, 0)), window).shape == (2, 7, 6, 0)
    assert backend.col2im(np.zeros((0, 7, 6, 18)), window).shape == (0, 7, 6, 2)


def naive_argmax(x: np.ndarray, window: Window) -> np.ndarray:
    """The definition in plain words: walk the real taps, move on a larger value or a first NaN."""
    n, c = len(x), x.shape[-1]
    taps = naive_patches(x, window).reshape(n, *window.out, -1, c)
    real = naive_patches(np.ones_like(x), window).reshape(taps.shape) != 0
    index = np.zeros((n, *window.out, c), int)
    for position in np.ndindex(index.shape):
        best = None
        values = taps[position[:3]][:, position[3]]
        for tap in np.flatnonzero(real[position[:3]][:, position[3]]):
            if (
                best is None
                or values[tap] > values[best]
                or (np.isnan(values[tap]) and not np.isnan(values[best]))
            ):
                best = tap
        index[position] = best or 0
    return index


@pytest.mark.parametrize("window", GEOMETRIES.values(), ids=GEOMETRIES)
@pytest.mark.parametrize("kind", ["ties", "nan", "inf", "int32", "uint8", "float16", "bfloat16"])
def test_argmax_is_the_first_maximum_of_the_real_taps(window: Window, kind: str) -> None:
    random = np.random.default_rng(3)
    x = random.integers(0, 4, (2, *window.size, 3)).astype("float64")
    if kind in ("nan", "inf"):
        x = np.where(random.random(x.shape) < 0.5, np.nan if kind == "nan" else -np.inf, x - 4)
    elif kind != "ties":
        x = x.astype(np.dtype(ml_dtypes.bfloat16) if kind == "bfloat16" else kind)
    found = backend.window_argmax(x, window)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, naive_argmax(x.astype("float64"), window))


@pytest.mark.parametrize("window", GEOMETRIES.values(), ids=GEOMETRIES)
def test_take_reads_the_tap_and_put_adds_to_it(window: Window) -> None:
    random = np.random.default_rng(4)
    x, index = draw(window, 3, 1)[0], random.integers(0, window.taps, (3, *window.out, 3))
    x[0, 0, 0] = np.nan, np.inf, -np.inf
    g = random.standard_normal(index.shape)
    one_hot = np.eye(window.taps, dtype=bool)[index].transpose(0, 1, 2, 4, 3)
    patches = naive_patches(x, window).reshape(one_hot.shape)
    expected = np.where(one_hot, patches, 0).sum(3)
    np.testing.assert_array_equal(backend.take_tap(x, index.astype(np.int32), window), expected)
    columns = np.where(one_hot, g[..., None, :], 0).reshape(*g.shape[:3], *window.kernel, 3)
    np.testing.assert_allclose(
        backend.put_tap(g, index.astype(np.int32), window), naive_fold(columns, window), atol=1e-14
    )


def test_put_keeps_a_nan_to_its_own_pixel() -> None:
    window = Window.of((1, 3), (1, 2))
    g = np.array([np.nan, 1.0]).reshape(1, 1, 2, 1)
    index = np.array([0, 1], np.int32).reshape(1, 1, 2, 1)
    assert backend.put_tap(g, index, window).ravel().tolist()[1:] == [0.0, 1.0]


@pytest.mark.parametrize("window", GEOMETRIES.values(), ids=GEOMETRIES)
def test_the_mean_counts_real_pixels_only(window: Window) -> None:
    x = draw(window, 3, 1)[0]
    count = naive_patches(np.ones_like(x), window).sum((3, 4)).clip(1)
    expected = naive_patches(x, window).sum((3, 4)) / count
    np.testing.assert_allclose(backend.avg_pool(x, window), expected, atol=1e-14)


@pytest.mark.parametrize("window", GEOMETRIES.values(), ids=GEOMETRIES)
def test_the_gradient_of_the_mean_is_its_adjoint(window: Window) -> None:
    x, _, _ = draw(window, 3, 1)
    g = np.random.default_rng(5).standard_normal((3, *window.out, 3))
    ours = (backend.avg_pool_grad(g, window) * x).sum()
    np.testing.assert_allclose(ours, (backend.avg_pool(x, window) * g).sum(), rtol=1e-11)


def test_pooling_in_single_rows_is_pooling(monkeypatch: pytest.MonkeyPatch) -> None:
    window = Window.of((9, 8), (3, 3), (2, 1), "SAME", (1, 2))
    x = draw(window, 3, 1)[0]

    def all_five() -> list[np.ndarray]:
        index = backend.window_argmax(x, window)
        y, mean = backend.take_tap(x, index, window), backend.avg_pool(x, window)
        return [
            *(index, y, mean),
            *(backend.put_tap(y, index, window), backend.avg_pool_grad(y, window)),
        ]

    whole = all_five()
    cut_finely(monkeypatch)
    for found, expected in zip(all_five(), whole, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-14)


def test_pools_of_nothing_have_the_right_shape() -> None:
    window = GEOMETRIES["stride 2 same"]
    for n, c in ((0, 3), (2, 0)):
        x, index = np.zeros((n, 8, 8, c)), np.zeros((n, 4, 4, c), np.int32)
        assert backend.window_argmax(x, window).shape == (n, 4, 4, c)
        assert backend.take_tap(x, index, window).shape == (n, 4, 4, c)
        assert backend.put_tap(index.astype(float), index, window).shape == (n, 8, 8, c)
        assert backend.avg_pool(x, window).shape == (n, 4, 4, c)
        assert backend.avg_pool_grad(index.astype(float), window).shape == (n, 8, 8, c)


@pytest.mark.filterwarnings("error")
def test_overflow_on_a_worker_thread_is_as_quiet_as_on_ours():
    x = np.full((8, 32, 32, 32), 1e30, np.float32)  # enough work for every hand
    kernel = np.full((3, 3, 32, 32), 1e30, np.float32)
    window = Window.of((32, 32), (3, 3))
    with np.errstate(all="ignore"):
        assert np.isinf(backend.conv2d(x, kernel, window)).all()
