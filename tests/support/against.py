"""Compares two libraries that have `constant` and `GradientTape`: values and derivatives.

The derivatives are those of `minitensor.autograd.check`: the second order is a random projection of
the Hessian, for every pair of arguments, cotangents included.
"""

import numpy as np

import minitensor as mt
from minitensor.autograd import check
from minitensor.parity.driver import flat


def derivatives(library, function, arrays, order, seed=0):
    """[[f], [first derivative per argument], [second ...], ...] as NumPy arrays."""

    def cotangents(depth, results):
        draw = np.random.default_rng(seed + depth)
        drawn = [draw.normal(size=tuple(r.shape)).astype(r.dtype.name) for r in results]
        return [library.constant(c) for c in drawn]

    orders = check.derivatives(
        library.GradientTape,
        lambda *tensors: flat(function(*tensors)),
        [library.constant(array) for array in arrays],
        order,
        cotangents,
        library.zeros_like,
        library.convert_to_tensor,
    )
    return [[np.asarray(t) for t in part] for part in orders]


def assert_agree(tf, ours, theirs, *arrays, order=2, tolerance=1e-10):
    """`ours` and `theirs` have equal values and derivatives up to `order`."""
    mine = derivatives(mt, ours, arrays, order)
    others = derivatives(tf, theirs, arrays, order)
    for level, (left, right) in enumerate(zip(mine, others, strict=True)):
        for k, (a, b) in enumerate(zip(left, right, strict=True)):
            assert a.shape == b.shape, (level, k)
            assert a.dtype == b.dtype, (level, k)
            size = max(1.0, float(np.abs(b).max(initial=0)))
            np.testing.assert_allclose(
                a, b, rtol=0, atol=tolerance * size, err_msg=f"order {level}, number {k}"
            )
