"""How far apart two right answers may be: one table, derived, and never tuned until green.

u is the unit roundoff (2^-53, 2^-24, 2^-11, 2^-8), n the number of elements of the largest
argument, no less than the terms of any sum. S is how large the terms were that got summed,
measured in float64 by the same op and gradients:

    family     S
    linear     the answer for |x|, |c|, |v|: what the sums would be if nothing cancelled
    selection  the answer for x, |c|, |v|: values are copies, only cotangents are summed
    smooth     |y| + |J| |x|: how far y moves when every argument moves by its own roundoff,
               the largest of TRIALS random moves of relative size STEP; for gradients the
               largest of the tensor, because they are computed from values of that size
               (tanh' = 1 - y^2 cannot be right to the last digit of a number near 0)

    dtype      linear, selection              smooth
    float64    1e-12 S                        2 (n + 16) u S
    float32    8 u S                          2 (n + 16) u S
    halves     float32's + 1 ulp of y         float32's + 1 ulp of y + 8 u S

8 u S: a sum in any order errs by at most (terms) u S; blocked sums as fast kernels make them stay
below 4.4 u S at 576 terms (measured), and both sides err. 2 (n + 16): both sides, n terms, and 16
roundings for the curve around them. Halves: linear ops compute in float32 and round once; a curve
or its gradient is several ops that each round, eight at most; separable_conv2d and a broadcast
matmul are two linear kernels and round between them: 2 u S more. In halves we are held to the
float64 truth; TensorFlow may be off by a sum rounded after every term: (n + 16) u max S.
Under `set_conv_precision("fast")`, where neighbours are computed together, S of a convolution is
the largest of its tensor. NaN and infinities are compared exactly, denormals are not drawn.
"""

from __future__ import annotations

import numpy as np

from minitensor.backend.settings import algorithm, conv_precision
from minitensor.parity.answers import attempt
from minitensor.parity.case import HALVES, Case, T, draw, fill
from minitensor.parity.driver import Orders, Perturbation, Side, differentiate, keep
from minitensor.parity.ops import describe, family

UNIT = {"float64": 2.0**-53, "float32": 2.0**-24, "float16": 2.0**-11, "bfloat16": 2.0**-8}
STEP = 1e-7
TRIALS = 3

Arrays = list[list[np.ndarray]]  # orders -> arrays


@np.errstate(invalid="ignore", over="ignore")  # special values: see the masks
def scales(side: Side, case: Case) -> Arrays:
    """S for every array of every order of a case that `side` can do in float64."""
    kind = family(case)
    if kind != "smooth":
        on_tensors = _magnitude if kind == "linear" else keep
        return [[np.abs(y) for y in part] for part in _values(side, case, on_tensors, _magnitude)]
    center = _values(side, case, keep, keep)
    spread = [[np.zeros_like(y) for y in part] for part in center]
    for trial in range(TRIALS):
        moved = _values(side, case, _mover(trial), _mover(trial))
        for far, parts, near in zip(spread, moved, center, strict=False):
            triples = zip(far, parts, near, strict=True)
            far[:] = [np.fmax(s, np.abs(y - x) / STEP) for s, y, x in triples]
    pairs = (zip(*parts, strict=True) for parts in zip(center, spread, strict=True))
    found = [[np.abs(y) + s for y, s in pair] for pair in pairs]
    return found[:1] + [[_level(s) for s in part] for part in found[1:]]


@np.errstate(invalid="ignore", over="ignore")
def bound(case: Case, dtype: str, expected: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """The largest difference from `expected` that our rounding explains, per element."""
    expected = np.abs(expected.astype("float64"))
    scale = np.where(np.isfinite(scale), scale, np.where(np.isfinite(expected), expected, 0.0))
    if "conv" in case.op and conv_precision() == "fast":
        scale = _level(scale)
    smooth = family(case) == "smooth"
    if dtype == "float64" and not smooth:
        return 1e-12 * scale
    unit = UNIT["float64" if dtype == "float64" else "float32"]
    single = (2 * (longest(case) + 16) if smooth else 8) * unit * scale
    if dtype not in HALVES:
        return single
    between = 8 if smooth else 2 * (describe(case.op).kernels - 1)
    return single + ulp(expected, dtype) + between * UNIT[dtype] * scale


def their_slack(case: Case, dtype: str, scale: np.ndarray) -> np.ndarray:
    """What TensorFlow may be off beyond `bound`: in halves, a sum rounded after every term."""
    if dtype not in HALVES:
        return np.zeros_like(scale)
    return (longest(case) + 16) * UNIT[dtype] * _level(scale)


def longest(case: Case) -> int:
    """The number of elements of the largest argument."""
    return max((int(np.prod(spec.shape)) for spec in case.tensors), default=1)


def ulp(values: np.ndarray, dtype: str) -> np.ndarray:
    """The distance between neighbours of `dtype` at `values`, never below the smallest normal's."""
    smallest = 2.0 ** (-14 if dtype == "float16" else -126)
    magnitude = np.where(np.isfinite(values), np.maximum(values, smallest), smallest)
    return 2 * UNIT[dtype] * 2.0 ** np.floor(np.log2(magnitude))


def _values(
    side: Side, case: Case, on_tensors: Perturbation, on_cotangents: Perturbation
) -> Arrays:
    """The orders of a case in float64, its inputs and cotangents shaken first."""
    tensors = []
    for i, array in enumerate(draw(case, "float64")):
        if array.dtype.kind == "f":
            array = on_tensors(array.astype("float64"), f"{case.key} {i}")
        tensors.append(side.tensor(array))

    def run(order: int) -> Orders:
        return differentiate(side, side.function(case.op), case, tensors, order, on_cotangents)

    with algorithm("direct"):
        found = attempt(run, side.array, case.orders("float64")).orders
    return [[np.asarray(y, "float64") for y in part] for part in found if part is not None]


def _level(scale: np.ndarray) -> np.ndarray:
    """The largest finite element, everywhere."""
    return np.full_like(scale, scale[np.isfinite(scale)].max(initial=0.0))


def _magnitude(array: np.ndarray, _: str) -> np.ndarray:
    return np.abs(array)


def _mover(trial: int) -> Perturbation:
    """A perturbation that moves every element up or down by STEP of itself."""

    def move(array: np.ndarray, seed: str) -> np.ndarray:
        signs = fill(T(array.shape, "truth"), f"{seed} {trial}", "float64")
        return array * (1 + STEP * (2 * signs - 1))

    return move
