"""Compiled kernels that memory bounds, against plain formulas in float64 and against TensorFlow.

The sizes are no multiples of anything that a kernel works in; NUMBA_DISABLE_JIT=1 runs all of this
as plain Python.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import minitensor as mt
from minitensor.autograd.variable import unshared
from minitensor.backend import numpy as be
from minitensor.backend import settings
from minitensor.backend.numpy import blocks

SIZES = (0, 1, 7, 16, 33, 100)
DTYPES = ("float32", "float64")


@pytest.fixture(autouse=True, params=["one piece", "shared pieces"])
def tile(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Compiled kernels whatever the size; or cut as finely as they can be, for several threads."""
    if request.param == "shared pieces":
        pytest.importorskip("numba")
        monkeypatch.setattr(blocks, "SHARED_WORK", 0)
        from minitensor.backend.numpy.compiled import flat

        monkeypatch.setattr(flat, "FEWEST", 1)
    with settings.algorithm("tile"):
        yield


def draw(*shapes: tuple[int, ...], dtype: str = "float32") -> list[np.ndarray]:
    random = np.random.default_rng(5)
    return [random.standard_normal(shape).astype(dtype) for shape in shapes]


def close(found: np.ndarray, expected: np.ndarray, ulps: float = 8, scale: float = 1) -> None:
    """Within so many roundings of numbers of about this size."""
    assert found.shape == expected.shape
    bound = ulps * np.finfo(found.dtype).eps
    np.testing.assert_allclose(found, expected, rtol=bound, atol=bound * scale)


# ----- updates of weights -----


def adam_of_the_paper(w, m, v, g, rate, b1, b2, epsilon, t):
    w, m, v, g = (a.astype("float64") for a in (w, m, v, g))
    m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
    return w - rate * np.sqrt(1 - b2**t) / (1 - b1**t) * m / (np.sqrt(v) + epsilon), m, v


def momentum_of_the_paper(w, v, g, rate, momentum, nesterov):
    w, v, g = (a.astype("float64") for a in (w, v, g))
    v = momentum * v - rate * g
    return (w + momentum * v - rate * g if nesterov else w + v), v


UPDATES = {
    "adam": (be.adam, adam_of_the_paper, 4, (0.01, 0.9, 0.99, 1e-7, 3)),
    "momentum": (be.sgd_momentum, momentum_of_the_paper, 3, (0.1, 0.9, False)),
    "nesterov": (be.sgd_momentum, momentum_of_the_paper, 3, (0.1, 0.9, True)),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("rule", UPDATES)
def test_updates_are_the_papers_and_change_only_what_is_given_away(rule, size, dtype):
    update, paper, many, numbers = UPDATES[rule]
    arrays = draw(*[(size, 3)] * many, dtype=dtype)
    arrays[-2] = abs(arrays[-2])  # v of Adam is a mean of squares
    before = [array.copy() for array in arrays]
    expected = paper(*before, *numbers)
    strided = [np.repeat(array, 2, axis=1)[:, ::2] for array in arrays]
    for given in (arrays, strided):
        for found, right in zip(update(*given, *numbers), expected, strict=True):
            close(found, right)
            assert not any(np.shares_memory(found, array) for array in given)
        assert all((a == b).all() for a, b in zip(given, before, strict=True))
    for given in (arrays, strided):
        results = update(*given, *numbers, in_place=True)
        for found, right, old in zip(results, expected, given, strict=False):
            close(found, right)
            assert size == 0 or np.shares_memory(found, old) == (given is arrays)
        assert (given[-1] == before[-1]).all()


@pytest.mark.parametrize("rule", UPDATES)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_updates_keep_nan_and_infinities_where_they_are(rule, value):
    update, paper, many, numbers = UPDATES[rule]
    for place in range(many):
        arrays = [abs(a) for a in draw(*[(35,)] * many)]
        for array, at in zip(arrays, range(0, many * 5, 5), strict=True):
            array[at + place] = value
        with np.errstate(all="ignore"):
            expected = paper(*arrays, *numbers)
            found = update(*arrays, *numbers)
        for ours, right in zip(found, expected, strict=True):
            close(ours, right)


HOLDERS = {
    "nobody": lambda v: None,
    "a tensor": lambda v: v.read_value(),
    "a slice of it": lambda v: v[1:],
    "an array for reading": lambda v: np.asarray(v),
    "a view of that": lambda v: np.asarray(v)[1:],
    "dlpack": lambda v: np.from_dlpack(v),
    "the array": lambda v: v.array,
    "a view of the array": lambda v: v.array[1:],
    "another variable": lambda v: [other := mt.Variable([0.0]), setattr(other, "array", v.array)],
}


@pytest.mark.parametrize("optimizer", ["Adam", "SGD"])
@pytest.mark.parametrize("who", HOLDERS)
def test_an_update_writes_over_a_variable_only_if_nobody_else_holds_it(who, optimizer):
    momentum = {"momentum": 0.9} if optimizer == "SGD" else {}
    rule = getattr(mt.keras.optimizers, optimizer)(0.5, **momentum)
    x = mt.Variable([1.0, 2.0, 3.0])
    rule.apply([mt.constant([1.0, 1.0, 1.0])], [x])
    held, before, memory = HOLDERS[who](x), x.numpy(), x.array.ctypes.data
    assert unshared(x) == (who == "nobody" or held is None)
    rule.apply([mt.constant([1.0, 1.0, 1.0])], [x])
    assert (x.numpy() < before).all()
    assert (x.array.ctypes.data == memory) == (who == "nobody")
    if isinstance(held, list):
        held = held[0]
    if held is not None:
        assert (np.asarray(held) == before[-len(held) :]).all()


def test_what_a_view_shows_is_not_written_over():
    whole = np.arange(6.0, dtype="float32")
    x = mt.Variable([0.0, 0.0])
    x.array = whole[2:4]
    assert not unshared(x)


def test_a_tape_that_will_be_asked_again_keeps_the_old_weights():
    rule, x = mt.keras.optimizers.Adam(0.5), mt.Variable([1.0, 2.0])
    rule.build([x])
    with mt.GradientTape(persistent=True) as tape:
        y = x * x
    rule.apply([tape.gradient(y, x)], [x])
    assert tape.gradient(y, x).numpy().tolist() == [2, 4]
