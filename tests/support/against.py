"""Compares two libraries that have `constant` and `GradientTape`: values and derivatives.

Order by order: v are random cotangents, h = gradients of sum <f_i, v_i>, and then h takes f's
place. So the second order is a random projection of the Hessian, for every pair of arguments.
"""

import numpy as np

import minitensor as mt


def derivatives(library, function, arrays, order, seed=0):
    """[[f], [first derivative per argument], [second ...], ...] as NumPy arrays."""
    tensors = [library.constant(array) for array in arrays]
    levels = [function]
    for depth in range(order):
        levels.append(_projected(library, levels[-1], seed + depth))
    return [[np.asarray(t) for t in _listed(level(*tensors))] for level in levels]


def _projected(library, function, seed):
    def gradients(*tensors):
        with library.GradientTape() as tape:
            tape.watch(tensors)
            results = _listed(function(*tensors))
        draw = np.random.default_rng(seed)
        cotangents = [
            library.constant(np.asarray(draw.normal(size=tuple(r.shape)), np.asarray(r).dtype))
            for r in results
        ]
        return tape.gradient(results, list(tensors), cotangents, "zero")

    return gradients


def _listed(results):
    return list(results) if isinstance(results, list | tuple) else [results]


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
