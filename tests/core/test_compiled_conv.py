"""The compiled convolutions: what is exact, what is not finite, every remainder, planted faults.

The judge is the plain definition, of integers or by algorithm("direct"). Shapes are tiny: all of
this runs a second time with NUMBA_DISABLE_JIT=1, where each kernel is the Python that it is
written in.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

pytest.importorskip("numba", reason="numba compiles these kernels")

from compiled_faults import in_plain_python, plant

from minitensor.backend import numpy as be
from minitensor.backend import settings
from minitensor.backend.numpy import blocks
from minitensor.backend.numpy.compiled.registers import ROWS, lanes
from minitensor.window import Window

JIT_IS_OFF = os.environ.get("NUMBA_DISABLE_JIT") == "1"
LANES = lanes(np.float32)
ODD = {"NaN": np.nan, "infinity": np.inf, "minus infinity": -np.inf}
WINDOWS = {
    "same": Window.of((4, 3), (3, 3), (1, 1), "SAME"),
    "stride": Window.of((5, 6), (2, 3), (2, 2), "SAME"),
    "dilated": Window.of((5, 5), (2, 2), (1, 2), ((1, 0), (0, 2)), (2, 3)),
    "beyond": Window.of((3, 4), (1, 2), (2, 3), ((0, 1), (2, 2))),
    "on padding": Window.of((1, 2), (2, 2), (1, 1), "SAME", (3, 3)),
}
CHANNELS = {  # C, O, G
    "few": (1, 2, 1),
    "many": (9, 3, 1),
    "groups": (4, 6, 2),
    "depthwise": (3, 3, 3),
    "depthwise twice": (2, 4, 2),
}
CASES = {
    f"{w}, {c}": (replace(window, groups=channels[2]), *channels[:2])
    for (w, window), (c, channels) in product(WINDOWS.items(), CHANNELS.items())
}


def family(x: np.ndarray, kernel: np.ndarray, y: np.ndarray, window: Window) -> list[np.ndarray]:
    return [
        be.conv2d(x, kernel, window),
        be.conv2d_transpose(y, kernel, window),
        be.conv2d_kernel_grad(x, y, window),
    ]


def whole(window: Window, c: int, o: int, n: int = 2, dtype: str = "float32") -> list[np.ndarray]:
    """x, kernel and y of small whole numbers: every sum of products is one that floats hold."""
    random = np.random.default_rng(c * 100 + o)
    shapes = (n, *window.size, c), (*window.kernel, c // window.groups, o), (n, *window.out, o)
    return [random.integers(-4, 5, shape).astype(dtype) for shape in shapes]


def assert_whole(window: Window, c: int, o: int, n: int = 2, dtype: str = "float32") -> None:
    """The tiles give the numbers of the definition, in integers."""
    arrays = whole(window, c, o, n, dtype)
    with settings.algorithm("direct"):
        right = family(*(array.astype(np.int64) for array in arrays), window)
    with settings.algorithm("tile"):
        found = family(*arrays, window)
    for ours, integers in zip(found, right, strict=True):
        assert ours.dtype == dtype
        np.testing.assert_array_equal(ours, integers)


# ----- whole numbers -----


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES)
def test_whole_numbers_are_exact(case: str, dtype: str) -> None:
    assert_whole(*CASES[case], dtype=dtype)


@pytest.mark.parametrize("o", [1, LANES - 1, LANES, LANES + 1, 4 * LANES, 5 * LANES + 3])
def test_whole_numbers_are_exact_whatever_remains_of_a_tile(o: int) -> None:
    for c in (1, 7, 8, 11, 12, 13) if not JIT_IS_OFF else (7, 13):
        assert_whole(Window.of((2, 3), (2, 2), (1, 1), "SAME"), c, o, n=1)
    assert_whole(Window.of((2, 3), (2, 3), (1, 1), "SAME", groups=o), o, o, n=1)
    assert_whole(Window.of((2, 3), (2, 2), (1, 2), "SAME", groups=2), 2 * o, 4, n=1)


@pytest.mark.parametrize("width", range(1, 2 * ROWS + 2))
def test_whole_numbers_are_exact_whatever_remains_of_a_row_of_places(width: int) -> None:
    for kernel, stride, groups in product((1, 3), (1, 2), (1, 5)):
        window = Window.of((2, width), (1, kernel), (1, stride), "SAME", groups=groups)
        assert_whole(window, 5, 5, n=1 + width % 3)


def test_whole_numbers_are_exact_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut for several threads, with little room for packed kernels."""
    monkeypatch.setattr(blocks, "SHARED_WORK", 0)
    before = settings.workspace_limit()
    settings.set_workspace_limit(2**12)
    try:
        for case in ("same, many", "stride, few", "dilated, groups", "same, depthwise twice"):
            assert_whole(*CASES[case], n=5)
        assert_whole(WINDOWS["same"], 8, 2 * LANES + 3, n=3)
    finally:
        settings.set_workspace_limit(before)


# ----- what is not finite -----


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize("case", CASES)
def test_what_is_not_finite_reaches_what_the_definition_says(case: str, odd: float) -> None:
    """In each position of the image, of the kernel and of the outputs, one after the other."""
    window, c, o = CASES[case]
    plain = whole(window, c, o, n=1)
    for which, array in enumerate(plain):
        for place in list(np.ndindex(array.shape))[:: 5 if JIT_IS_OFF else 1]:
            arrays = [each.copy() for each in plain]
            arrays[which][place] = odd
            with settings.algorithm("direct"), np.errstate(all="ignore"):
                right = family(*arrays, window)
            with settings.algorithm("tile"), np.errstate(all="ignore"):
                found = family(*arrays, window)
            for ours, theirs in zip(found, right, strict=True):
                np.testing.assert_array_equal(ours, theirs, f"{which} at {place}")


# ----- the same without the compiler -----

QUIET = "ignore::RuntimeWarning"  # NumPy would tell of each infinity
TINY = {  # and test_winograd.py by itself
    "test_compiled_conv.py": "not compiler and not fault",
    "test_compiled_memory.py": "one and not fault and not 67 and not 200",
}


@pytest.mark.parametrize("file", TINY)
def test_without_the_compiler_the_kernels_mean_the_same(file: str) -> None:
    """Each is the Python that it is written in, and NumPy looks at each index."""
    here = os.path.dirname(__file__)
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-x", "-k", TINY[file], "-W", QUIET]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", os.path.join(here, file)],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert "skipped" not in done.stdout


# ----- planted faults -----


def assert_transformed(c: int, o: int, dtype: str = "float64", odd: float = 0) -> None:
    """Winograd gives what the definition does."""
    window = Window.of((3, 5), (3, 3), (1, 1), "SAME")
    arrays = whole(window, c, o, 2, dtype)
    arrays[0][0, 0, 0, 0] = arrays[2][0, 2, 4, 0] = odd
    with settings.algorithm("direct"):
        right = family(*arrays, window)
    with settings.algorithm("winograd"):
        found = family(*arrays, window)
    for ours, theirs in zip(found, right, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-3)


SAME = WINDOWS["same"]
CHECKS = {name: lambda case=case: assert_whole(*case) for name, case in CASES.items()} | {
    "two panels": lambda: assert_whole(SAME, 1, 8 * LANES + 1, 1),
    "rows as they lie": lambda: assert_whole(SAME, 70, 8 * LANES, 1),
    "two heights": lambda: assert_whole(SAME, 13, 3, 1),
    "long rows": lambda: assert_whole(
        Window.of((1, 14), (1, 3), groups=5 * LANES), 5 * LANES, 5 * LANES, 1
    ),
    "a long sum": lambda: assert_whole(SAME, 40, 3, 1),
    "a long pixel": lambda: assert_whole(Window.of((2, 3), (2, 2)), 1, 150, 1),
    "points": lambda: assert_transformed(2, 3),
    "registers": lambda: assert_transformed(20, 3 * LANES),
    "points, NaN": lambda: assert_transformed(2, 3, "float32", np.nan),
}
FAULTS = """
direct _convolve_tiles      | xat, panel * size    | xat, 0               | two panels
few_places _multiply        | * terms + first      | * terms              | rows as they lie
few_places _multiply        | * outputs + panel    | * outputs            | rows as they lie
few_places _multiply        | min(DEEP, terms - first) | terms - first    | rows as they lie
few_places _multiply        | (place * outputs     | (place               | rows as they lie
direct _convolve_tiles      | sums, left           | sums, left - 1       | same, many
direct _taps                | b += width           | b += 1               | same, many
direct _taps                | sums = nothing       | pass                 | a long sum
packing _pack               | outputs + first      | outputs              | same, groups
packing _pack_turned        | (taps - 1 - tap)     | tap                  | same, many
few_channels _add_tiles     | n * places_size      | 0                    | stride, few
few_channels _add_tiles     | rows, outputs        | rows, outputs - 1    | stride, few
chain dot                   | sums = nothing       | pass                 | a long pixel
chain wait                  | level += 1           | level += 2           | a long sum
chain total                 | chains % 2           | chains % 3           | a long sum
filter_grad met             | size - 1 - offset    | size - offset        | same, many
filter_grad _seen           | last + 1             | last                 | beyond, many
filter_grad _sum_taps       | v * axes.dilation_w  | v                    | dilated, many
filter_grad _sum_places     | columns[0] * axes.stride_w | columns[0]     | beyond, many
filter_grad _copy_lines     | to + before] = 0     | to + before] = 1     | same, few
filter_grad _pack_pixels    | target += plane      | target += height     | two heights
filter_grad _pack_places    | += axes.outputs      | += many              | same, groups
depthwise _convolve_tiles   | [v, 1] * outputs     | [v, 1]               | same, depthwise
depthwise _convolve_tiles   | outputs, taps        | 1, taps              | long rows
depthwise _sum_rows         | axes.dilation_h - axes.top | axes.dilation_h | same, depthwise twice
depthwise _sum_places       | b += axes.outputs    | b += many            | long rows
winograd _multiply          | pixels, inputs       | pixels, inputs - 1   | points
winograd _multiply          | panel // width       | panel                | registers
winograd_grad _sum_tiles    | t * across + o       | t * across           | registers
points kernel_to_points     | outputs - o          | 1                    | points
points kernel_from_points   | o, size, SEEN        | o, lane, SEEN        | points
points pixels_to_points     | if whole             | if True              | registers
points places_to_points     | at + o, ROWS * row   | at + o, row          | points
points places_from_points   | finite(sums)         | True                 | points, NaN
points _start               | t % ROWS             | 0                    | points
points _find                | i * DOWN - field.top | i * DOWN             | points
"""


@pytest.mark.parametrize("row", FAULTS.strip().split("\n"))
def test_a_fault_in_a_kernel_is_seen(row: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, old, new, check = (part.strip() for part in row.split("|"))
    in_plain_python(monkeypatch.setattr)
    plant(where, old, new, monkeypatch.setattr)
    with pytest.raises((AssertionError, ValueError, IndexError)), np.errstate(all="ignore"):
        CHECKS[check]()


def test_without_a_fault_nothing_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    in_plain_python(monkeypatch.setattr)
    with np.errstate(all="ignore"):
        for check in CHECKS.values():
            check()
