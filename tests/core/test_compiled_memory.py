"""Compiled kernels that memory bounds, against plain formulas in float64 and against TensorFlow.

The sizes are no multiples of anything that a kernel works in; NUMBA_DISABLE_JIT=1 runs all of this
as plain Python. Without numba NumPy is held to the same.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from importlib.util import find_spec

import numpy as np
import pytest

import minitensor as mt
from minitensor.autograd.variable import unshared
from minitensor.backend import numpy as be
from minitensor.backend import settings
from minitensor.backend.numpy import blocks, memory
from minitensor.backend.numpy.elementwise import bias_activation_into
from minitensor.window import Window

SIZES = (0, 1, 7, 16, 33, 100)
DTYPES = ("float32", "float64")
NUMBA = find_spec("numba") is not None
needs_numba = pytest.mark.skipif(not NUMBA, reason="only the compiled kernels promise it")


@pytest.fixture(autouse=True, params=["one piece", "shared pieces"])
def tile(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Compiled kernels whatever the size; or cut as finely as they can be, for several threads."""
    if request.param == "shared pieces":
        pytest.importorskip("numba")
        monkeypatch.setattr(blocks, "SHARED_WORK", 0)
        from minitensor.backend.numpy.compiled import flat

        monkeypatch.setattr(flat, "PIECE", 1)
    with settings.algorithm("tile") if NUMBA else nullcontext():
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
            assert size == 0 or np.shares_memory(found, old) == (NUMBA and given is arrays)
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
    assert (x.array.ctypes.data == memory) == (NUMBA and who == "nobody")
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


# ----- batch normalisation -----

PIXELS = [(0, 3), (1, 1), (2, 3, 1, 5), (3, 7, 5, 6), (130, 16), (5, 40, 3), (2, 33), (200, 300)]


def statistics_of(x: np.ndarray) -> np.ndarray:
    wide = x.reshape(-1, x.shape[-1]).astype(np.longdouble)
    return np.stack([wide.mean(0), wide.var(0)])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", PIXELS, ids=str)
@pytest.mark.parametrize("mean", [0, 1000])
def test_moments_keep_their_digits_whatever_the_mean(mean, shape, dtype):
    (x,) = draw(shape, dtype=dtype)
    x += x.dtype.type(mean)
    with np.errstate(all="ignore"):
        found, right = (
            be.moments(x),
            statistics_of(x) if x.size else np.full((2, shape[-1]), np.nan),
        )
    close(found[0], right[0], 2, scale=mean + 1)
    close(found[1], right[1], 100 if mean and dtype == "float64" else 24)  # merged in float64


@needs_numba
def test_moments_of_a_mean_that_jumps_from_block_to_block_keep_their_digits():
    """The distances of a block are from the mean of the one before: here that is far off."""
    (x,) = draw((640, 260))  # so wide that a row is one pixel
    x[:, 1] = np.repeat([0, 1e4, 0, 0, -3e4], 128) + 1e-2 * x[:, 1]
    x[:, 2] = np.repeat([4e18, 0, 4e18, -4e18, 1e18], 128)
    x[:, 3] = np.repeat([5, 1, 2, 3, 4], 128)
    x[:, 4], x[0, 4] = 1, 1e6
    with np.errstate(over="ignore"):
        found, right = be.moments(x), statistics_of(x)
    np.testing.assert_allclose(found, right.astype("d"), rtol=2e-6, atol=1e-6)
    for start in range(0, 640, 128):  # where the spread is small
        found, right = be.moments(x[start : start + 128]), statistics_of(x[start : start + 128])
        np.testing.assert_allclose(found[1], right[1].astype("d"), rtol=4e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_stays_in_its_channel(value):
    for at in range(0, 300, 37):
        (x,) = draw((300, 6))
        x[at, 2] = value
        with np.errstate(all="ignore"):
            found = be.moments(x)
            y = be.batch_norm(x, found, *np.ones((2, 6), "f"), 1e-3)
            sums = be.batch_norm_sums(x, x, found, 1e-3)
            back = be.batch_norm_grad(x, x, found, np.ones(6, "f"), 1e-3, sums)
        for each in (found, y, sums, back):
            assert np.isnan(each[..., 2]).any()
            assert np.isfinite(np.delete(each, 2, axis=-1)).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", PIXELS, ids=str)
def test_batch_normalisation_and_its_gradients_are_the_formulas(shape, dtype):
    pair, (scale, offset) = draw(shape, shape, dtype=dtype), draw(*[shape[-1:]] * 2, dtype=dtype)
    statistics = np.stack([scale + 2, scale**2 + 0.1])
    factor = 1 / np.sqrt(statistics[1].astype("d") + 1e-3)
    over, pixels = tuple(range(len(shape) - 1)), max(pair[0].size // shape[-1], 1)
    for x, g in (pair, [np.repeat(a, 2, axis=-1)[..., ::2] for a in pair]):
        n = (x - statistics[0].astype("d")) * factor
        close(be.batch_norm(x, statistics, scale, offset, 1e-3), n * scale + offset, 16, scale=40)
        sums = be.batch_norm_sums(g, x, statistics, 1e-3)
        right = np.stack([g.astype("d").sum(over), (g * n).sum(over)])
        close(sums, right, 16, scale=10 * abs(n).max(initial=1) * np.sqrt(pixels))
        back = be.batch_norm_grad(g, x, statistics, scale, 1e-3, sums)
        means = right / pixels
        close(back, scale * factor * (g - means[0] - n * means[1]), 64, scale=40)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [*PIXELS, (100000, 3)], ids=str)
def test_sums_of_rows_keep_their_digits(shape, dtype):
    (x,) = draw(shape, dtype=dtype)
    x = abs(x)
    right = x.astype(np.longdouble).sum(tuple(range(x.ndim - 1))).astype("d")
    for given in (x, np.asfortranarray(x)):
        close(be.sum_rows(given), right, 16 if dtype == "float32" else 64)


def test_where_chooses_bit_by_bit():
    x = np.array([*SPECIAL, 1, 2, 3] * 400, "f")
    for condition in (x > 0, np.isnan(x), np.zeros(x.shape, bool)):
        found = be.where(condition, x, np.zeros((), "f"))
        assert found.tobytes() == np.where(condition, x, np.float32(0)).tobytes()


def test_sums_have_the_same_bits_for_any_number_of_threads(monkeypatch):
    pytest.importorskip("numba")
    from minitensor.backend.numpy.compiled import flat

    monkeypatch.setattr(flat, "PIECE", 64)
    x, g = draw((1111, 8), (1111, 8))
    found = []
    for threads in (1, 2, 3):
        monkeypatch.setattr(flat, "num_threads_for", lambda work, threads=threads: threads)
        statistics = be.moments(x)
        found.append([statistics, be.batch_norm_sums(g, x, statistics, 1e-3)])
    for again in found[1:]:
        assert all((a == b).all() for a, b in zip(again, found[0], strict=True))


# ----- activations -----

SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 6.0, 5.5, -3.0, 7.0, 1e-45]


def clipped(x: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.where(np.isnan(x), x, np.minimum(np.maximum(x, low), high))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [*PIXELS, (0,), (5,)], ids=str)
@pytest.mark.parametrize("activation", ["linear", "relu", "relu6"])
def test_bias_and_activation_are_one_rounding(activation, shape, dtype):
    x, bias = (4 * a for a in draw(shape, shape[-1:], dtype=dtype))
    x.reshape(-1)[: min(x.size, 10)] = SPECIAL[: x.size]
    low, high = {"linear": (-np.inf, np.inf), "relu": (0, np.inf), "relu6": (0, 6)}[activation]
    right = clipped(x + bias, low, high)
    for given in (x, np.repeat(x, 2, axis=-1)[..., ::2]):
        before = given.copy()
        np.testing.assert_array_equal(be.bias_activation(given, bias, activation), right)
        np.testing.assert_array_equal(given, before)
    bias_activation_into(x, x, bias, activation)
    np.testing.assert_array_equal(x, right)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("high", [None, 6.0])
def test_a_gate_lets_pass_what_is_above_zero_and_below_its_limit(high, size, dtype):
    x, g = draw((size, 3), (size, 3), dtype=dtype)
    x.reshape(-1)[: min(x.size, 10)] = SPECIAL[: x.size]
    g.reshape(-1)[::5] = np.nan
    right = [
        b if a > 0 and (high is None or a < high) else 0
        for a, b in zip(x.reshape(-1).tolist(), g.reshape(-1).tolist(), strict=True)
    ]
    for a, b in ((x, g), (np.asfortranarray(x), np.repeat(g, 2, axis=1)[:, ::2])):
        found = be.gate(b, a, high)
        np.testing.assert_array_equal(found.reshape(-1), right)
        assert found.dtype == dtype


def gelu_of(x: np.ndarray, approximate: bool) -> tuple[np.ndarray, np.ndarray]:
    """gelu and its slope."""
    x = x.astype("d")
    if approximate:
        v = 2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
        e = np.exp(-abs(v))
        phi, rise = np.where(x < 0, e, 1) / (1 + e), 2 * math.sqrt(2 / math.pi)
        return x * phi, phi + x * e / (1 + e) ** 2 * rise * (1 + 3 * 0.044715 * x * x)
    phi = np.array([math.erfc(-v / math.sqrt(2)) / 2 for v in x.tolist()])
    return x * phi, phi + x * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)


@needs_numba
@pytest.mark.parametrize("approximate", [False, True])
def test_gelu_keeps_the_digits_of_its_tails(approximate):
    x = np.linspace(-9 if approximate else -13, 9, 4003, dtype="f")
    (g,), (y, slope) = draw(x.shape), gelu_of(x, approximate)
    close(be.gelu(x, approximate), y, 60 if approximate else 4, scale=1e-30)  # v ulps in exp(-v)
    close(be.gelu_grad(g, x, approximate), g * slope, 8)
    close(be.gelu(x.astype("d"), approximate), y, 300, scale=1 if approximate else 1e-30)
    with np.errstate(all="ignore"):
        for value in SPECIAL:
            one = np.full(3, value, "f")
            with settings.algorithm("direct"):
                right = be.gelu(one, approximate), be.gelu_grad(one, one, approximate)
            close(be.gelu(one, approximate), right[0], 16)  # where 1 + tanh cancels
            close(be.gelu_grad(one, one, approximate), right[1], 16)


# ----- softmax cross entropy -----


def cross_entropy(labels: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    labels, x = labels.astype(np.longdouble), x.astype(np.longdouble)
    e = np.exp(x - x.max(-1, keepdims=True, initial=-np.inf))
    p = e / e.sum(-1, keepdims=True)
    return -(labels * np.log(p)).sum(-1), p * labels.sum(-1, keepdims=True) - labels


@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (5, 10), (2, 3, 63), (4, 64), (2, 65), (3, 200)])
@pytest.mark.parametrize("scale", [1, 30])
def test_cross_entropy_of_rows_of_any_length(scale, shape):
    labels, x, g = draw(shape, shape, shape[:-1])
    x *= scale
    loss, slope = cross_entropy(labels, x)
    for a, b in ((labels, x), [np.repeat(a, 2, axis=-1)[..., ::2] for a in (labels, x)]):
        size = (abs(labels) * (abs(x).max() * 2 + np.log(shape[-1]) + 1)).sum(-1).max()
        close(be.softmax_cross_entropy(a, b), loss.astype("d"), 8, scale=size)
        close(
            *(be.softmax_cross_entropy_grad(g, a, b), (g[..., None] * slope).astype("d")),
            *(16, abs(g).max() * abs(labels).sum(-1).max()),
        )


def test_cross_entropy_of_logits_that_are_far_apart_or_not_finite():
    x = np.array(
        [
            [0, -1e4, 88, 3e38],
            [-3e38, -3e38, -100, -90],
            [np.nan, 0, 1, 2],
            [0, 1, 2, np.nan],
            [np.inf, 0, 1, 2],
            [-np.inf, 0, 1, 2],
            [-np.inf] * 4,
        ],
        "float32",
    )
    labels, g = np.eye(4, dtype="f")[[0, 3, 1, 1, 2, 1, 0]], np.ones(7, "f")
    with np.errstate(all="ignore"):
        found = be.softmax_cross_entropy(labels, x), be.softmax_cross_entropy_grad(g, labels, x)
        with settings.algorithm("direct"):
            right = be.softmax_cross_entropy(labels, x), be.softmax_cross_entropy_grad(g, labels, x)
    for ours, plain in zip(found, right, strict=True):
        np.testing.assert_allclose(ours, plain, rtol=1e-6, atol=1e-6)


def test_the_exponential_is_right_to_its_last_digit():
    pytest.importorskip("numba")
    from minitensor.backend.numpy.compiled.exponential import exp_below

    x = -np.linspace(0, 110, 4001, dtype="f")
    with np.errstate(all="ignore"):
        found, right = np.array([exp_below(v) for v in x]), np.exp(x.astype("d"))
        assert np.isnan(exp_below(np.float32(np.nan)))
        assert exp_below(np.float32(-np.inf)) == 0
    assert (abs(found - right) <= 1.5 * np.spacing(right.astype("f"))).all()


# ----- pooling: the definition, pixel by pixel -----

WINDOWS = {
    "2x2": Window.of((5, 6), (2, 2), (2, 2)),
    "3x3 /2 same": Window.of((7, 8), (3, 3), (2, 2), "SAME"),
    "3x3 /1 same": Window.of((4, 5), (3, 3), (1, 1), "SAME"),
    "global": Window.of((5, 3), (5, 3)),
    "one tap": Window.of((4, 3), (1, 1), (2, 1)),
    "gaps": Window.of((7, 7), (2, 1), (4, 3)),
    "dilated": Window.of((9, 8), (3, 2), (1, 2), "SAME", (2, 3)),
    "lopsided": Window.of((4, 5), (3, 2), (2, 1), ((0, 3), (2, 1))),
    "on padding only": Window.of((1, 2), (2, 2), (1, 1), "SAME", (3, 3)),
    "wide": Window.of((9, 9), (7, 8), (1, 1), "SAME"),
}


def under(window: Window, i: int, j: int) -> list[tuple[int, int, int]]:
    """Of the real pixels under window (i, j): tap, row, column."""
    found = []
    for tap in range(window.taps):
        at = divmod(tap, window.kernel[1])
        row, column = (
            place * stride + t * apart - pad[0]
            for place, stride, t, apart, pad in zip(
                (i, j), window.stride, at, window.dilation, window.pad, strict=True
            )
        )
        if 0 <= row < window.size[0] and 0 <= column < window.size[1]:
            found.append((tap, row, column))
    return found


def pooled(x: np.ndarray, g: np.ndarray, window: Window) -> list[np.ndarray]:
    """Maxima, their taps, means, and both gradients."""
    shape = (len(x), *window.out, x.shape[-1])
    top, tap, mean = np.full(shape, -np.inf), np.zeros(shape, int), np.zeros(shape)
    spread, put = np.zeros(x.shape), np.zeros(x.shape)
    for n, i, j, c in np.ndindex(*shape):
        real = under(window, i, j)
        values = [float(x[n, row, column, c]) for _, row, column in real]
        for value, (number, _, _) in zip(values, real, strict=True):
            best = top[n, i, j, c]
            if number == real[0][0] or value > best or (value != value and best == best):
                top[n, i, j, c], tap[n, i, j, c] = value, number
        mean[n, i, j, c] = sum(values) / max(len(values), 1)
        for number, row, column in real:
            spread[n, row, column, c] += g[n, i, j, c] / len(real)
            if number == tap[n, i, j, c]:
                put[n, row, column, c] += g[n, i, j, c]
    return [top, tap, mean, spread, put]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [1, 3, 67])
@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
def test_pools_are_their_definition_with_ties_and_nan(window, channels, dtype):
    random = np.random.default_rng(3)
    x = random.integers(-2, 3, (3, *window.size, channels)).astype(dtype)  # many ties
    x.reshape(-1)[random.integers(0, x.size, 3)] = [np.nan, -np.inf, np.inf]
    x[2] = np.where(random.random(x[2].shape) < 0.3, np.nan, x[2])
    (g,) = draw((3, *window.out, channels), dtype=dtype)
    with np.errstate(all="ignore"):
        top, tap, mean, spread, put = pooled(x, g, window)
        strided = [np.repeat(a, 2, axis=-1)[..., ::2] for a in (x, g)]
        for x, g in ((x, g), strided):  # noqa: B020
            np.testing.assert_array_equal(be.max_pool(x, window), top)
            index = be.window_argmax(x, window)
            np.testing.assert_array_equal(index, tap)
            assert index.dtype == np.int32
            close(be.avg_pool(x, window), mean)
            close(be.avg_pool_grad(g, window), spread, 16)
            close(be.put_tap(g, index, window), put, 16)
            close(be.max_pool_grad(g, x, window), put, 16)
            found = be.take_tap(x, index, window)
            np.testing.assert_array_equal(found, np.where(np.isinf(top) & (top < 0), found, top))


@pytest.mark.parametrize("shape", [(0, 4, 4, 2), (2, 4, 4, 0)])
def test_pools_of_nothing_are_nothing(shape):
    window = Window.of((4, 4), (2, 2), (2, 2))
    x = np.zeros(shape, "f")
    y = be.max_pool(x, window)
    assert y.shape == be.avg_pool(x, window).shape == (shape[0], 2, 2, shape[3])
    assert be.avg_pool_grad(y, window).shape == shape
    assert be.put_tap(y, be.window_argmax(x, window), window).shape == shape


@pytest.mark.parametrize("nan", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_nan_in_each_position_of_a_window_is_its_maximum(nan):
    window, x = Window.of((2, 2), (2, 2)), np.arange(4.0, dtype="f").reshape(1, 2, 2, 1)
    x[0][nan] = np.nan
    assert np.isnan(be.max_pool(x, window)).all()
    assert be.window_argmax(x, window).item() == nan[0] * 2 + nan[1]


def test_large_means_are_as_exact_as_sums_of_rows_and_columns():
    """Bound: a rounding for each row and each column, of the mean of magnitudes."""
    (x,) = draw((1, 56, 56, 3))
    x += 100
    window = Window.of((56, 56), (56, 56))
    right = x.astype("d").mean((1, 2), keepdims=True)
    assert (abs(be.avg_pool(x, window) - right) <= 113 * 2**-24 * abs(x).mean()).all()


# ----- memory that is lent anew -----


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> dict[int, list[np.ndarray]]:
    monkeypatch.setattr(memory, "_kept", kept := {})
    monkeypatch.setattr(memory._Loan.__del__, "__defaults__", (kept,))
    return kept


def test_memory_comes_back_with_the_last_view_and_is_lent_again(kept):
    first = memory.empty((300, 1000), "f")
    where, view = first.ctypes.data, first[5:7].T
    assert where % memory.LINE == 0
    del first
    other = memory.empty((300, 1000), "f")
    assert other.ctypes.data != where
    view[...] = 7
    other[...] = 8
    assert (view == 7).all()
    del view
    assert memory.empty((1000, 300), "f").ctypes.data == where  # and is gone again
    assert memory.empty((300, 1001), "f").ctypes.data not in (where, other.ctypes.data)
    assert [len(blocks) for blocks in kept.values()] == [1, 1]


def test_small_arrays_are_not_kept_and_of_large_ones_not_too_many(kept, monkeypatch):
    for _ in range(3):
        memory.empty((10, 10), "f")
    assert not kept
    monkeypatch.setattr(memory, "MOST", 5 * 2**20)
    for size in (2**18, 2**18 + 1, 2**18 + 2, 2**18 + 3, 2**18 + 4, 2**18):
        memory.empty((size,), "f")
    assert sum(size * len(blocks) for size, blocks in kept.items()) <= 5 * 2**20
    assert max(kept) == 4 * (2**18 + 4) + memory.LINE  # the first size went, and came again


def test_threads_never_share_what_is_lent(kept):
    def work(number: int) -> bool:
        for k in range(300):
            array = memory.empty((2**17 + k % 3,), "f")
            array[:] = number
            part = array[3:9]
            del array
            if not (part == number).all():
                return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(work, range(6)))


# ----- faults, one in each kernel at least: each is seen by a test above -----


def pools(name: str = "3x3 /2 same", channels: int = 3) -> None:
    test_pools_are_their_definition_with_ties_and_nan(WINDOWS[name], channels, "float32")


CHECKS = {
    "updates": lambda: [
        test_updates_are_the_papers_and_change_only_what_is_given_away(rule, 7, "float32")
        for rule in UPDATES
    ],
    "moments": lambda: test_moments_keep_their_digits_whatever_the_mean(
        1000, (5, 40, 3), "float32"
    ),
    "jumps": test_moments_of_a_mean_that_jumps_from_block_to_block_keep_their_digits,
    "norm": lambda: test_batch_normalisation_and_its_gradients_are_the_formulas(
        (130, 16), "float32"
    ),
    "rows": lambda: test_sums_of_rows_keep_their_digits((3, 7, 5, 6), "float32"),
    "bias": lambda: test_bias_and_activation_are_one_rounding("relu6", (2, 3, 1, 5), "float32"),
    "gate": lambda: test_a_gate_lets_pass_what_is_above_zero_and_below_its_limit(6.0, 7, "float32"),
    "where": test_where_chooses_bit_by_bit,
    "gelu": lambda: test_gelu_keeps_the_digits_of_its_tails(False),
    "tanh": lambda: test_gelu_keeps_the_digits_of_its_tails(True),
    "entropy": lambda: test_cross_entropy_of_rows_of_any_length(1, (2, 65)),
    "special": test_cross_entropy_of_logits_that_are_far_apart_or_not_finite,
    "pools": pools,
    "gaps": lambda: pools("gaps"),
    "padding": lambda: pools("on padding only"),
    "many": lambda: pools("2x2", 67),
}
FAULTS = """
optimizer _adam             : + left_1              : + beta_1                  : updates
optimizer _adam             : np.sqrt(square)       : square                    : updates
optimizer _sgd_momentum     : momentum * fast       : momentum * velocity[0]    : updates
norm _moments               : _is_far(rest          : False and (rest           : jumps
norm _add_distances         : range(fours, len(x))  : range(fours, fours)       : moments
norm _is_far                : or squares[c] ==      : and squares[c] ==         : jumps
norm _move                  : rest[c] /             : 3 * rest[c] /             : jumps
norm _merge                 : (rows * share)        : share                     : moments
norm _batch_norm            : * factor[c]           : * factor[0]               : norm
norm _batch_norm_sums       : first + BLOCK         : first + 1                 : norm
norm _add_products          : range(pairs, len(x))  : range(pairs, pairs)       : norm
norm _batch_norm_grad       : + level[c]            : - level[c]                : norm
norm _sum_rows              : first + BLOCK         : first + 1                 : rows
norm _add_rows              : range(fours, len(x))  : range(fours, fours)       : rows
elementwise _between        : return high if         : return low if           : bias
elementwise _bias           : bias[c]               : bias[0]                   : bias
elementwise _bias_in_place  : bias[c]               : bias[0]                   : bias
elementwise _gate           : not x[k] >= high      : not x[k] > high           : gate
elementwise _gate           : x[k] > 0              : x[k] >= 0                 : gate
elementwise _choose         : dtype.type(0)         : dtype.type(-0.0)          : where
gelu _bell                  : fused(z, z, -square)  : 0 * square                : gelu
gelu _phi                   : u = t - _HALF         : u = t                     : gelu
gelu _size                  : z < _FAR              : z < 9                     : gelu
gelu _gelu_grad             : bell * _DENSITY       : bell                      : gelu
gelu _falling               : z * z                 : z                         : tanh
gelu _gelu_by_tanh          : x[k] < 0              : x[k] < 1                  : tanh
gelu _gelu_by_tanh_grad     : * share * share       : * share                   : tanh
loss _total                 : range(1, len(sums))   : range(2, len(sums))       : entropy
loss _shift                 : x[k] - top            : x[k]                      : special
loss _losses                : - log)                : + log)                    : entropy
loss _gradients             : g[r, 0]               : g[0, 0]                   : entropy
pool _seen                  : axis.taps)            : axis.taps - 1)            : pools
pool _set_larger            : or a[k] != a[k]       : and a[k] == a[k]          : pools
pool _set_sum               : + b[k]                : - b[k]                    : pools
pool _divide                : /=                    : *=                        : pools
pool _add_divided           : a[k] /                : a[0] /                    : pools
pool _add_where             : index[k] == tap       : index[k] <= tap           : pools
pool _find                  : a[k] > top            : a[k] >= top               : pools
pool _max_row               : fill(best, -np.inf)   : fill(best, 0)             : padding
pool _mean_rows             : max(height * width, 1): 4                         : pools
pool _clear                 : fill(x[row], 0.0)     : fill(x[row], 1.0)         : gaps
pool _spread                : new = row + 1         : new = row                 : pools
pool _winners               : * columns.taps + tap) : * columns.taps + v)       : pools
pool _put                   : row * columns.taps    : row                       : pools
pool _give                  : channels - c, width   : 1, width                  : many
"""


@pytest.mark.parametrize("row", range(FAULTS.strip().count("\n") + 1))
def test_a_fault_in_a_kernel_is_seen(row, monkeypatch, request):
    if "shared" in request.node.name:
        pytest.skip("once is enough")
    pytest.importorskip("numba")
    from compiled_faults import in_plain_python, plant

    where, old, new, check = re.split(r"\s*: +", FAULTS.strip().split("\n")[row])
    in_plain_python(monkeypatch.setattr)
    with np.errstate(all="ignore"):
        CHECKS[check]()
        plant(where, old, new.strip(), monkeypatch.setattr)
        with pytest.raises((AssertionError, ValueError)):
            CHECKS[check]()
