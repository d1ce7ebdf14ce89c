"""The kernels of normalisation, losses, activations and updates, on the emulator.

Kernels are compared with formulas in float64, in three orders of threads and blocks. Bounds follow
from dtype and length, as in minitensor/parity/bounds.py: 8 u S for sums with S = sum of |terms|,
2 (n + 16) u S for curves, half a unit more where the result is rounded to half precision, and
1e-12 S for float64, in which the formula itself errs as much.
"""

import numpy as np
import pytest

from minitensor.backend import emulator
from minitensor.backend import numpy as twin
from minitensor.backend.host import elementwise, loss, norm, optimizer

DEVICE = emulator.device
DTYPES = ["float16", "float32", "float64"]
EPSILON = 1e-3


@pytest.fixture(params=["forward", "reverse", "random"], autouse=True)
def order(request):
    """Each test in three orders of threads and blocks."""
    with emulator.order(request.param, seed=7):
        yield


def normal(*shape, seed=0, dtype="float32", mean=0.0):
    return (np.random.default_rng(seed).normal(size=shape) + mean).astype(dtype)


def wide(*arrays):
    return [np.asarray(a, "float64") for a in arrays]


def on_device(*arrays):
    return [DEVICE.asarray(a) for a in arrays]


def assert_close(got, expected, scale, factor=8):
    """|got - expected| <= factor * u * scale, and half a unit of half precision."""
    got = DEVICE.to_numpy(got)
    bound = (1e-12 if got.dtype == np.float64 else factor * 2.0**-24) * np.abs(scale)
    if got.dtype == np.float16:
        bound = bound + np.maximum(2.0**-11 * np.abs(expected), 2.0**-25)
    assert got.shape == np.shape(expected)
    assert (np.abs(got.astype("float64") - expected) <= bound).all()


def per_channel(x):
    """float64 x, its mean and variance."""
    x = np.asarray(x, "float64").reshape(-1, x.shape[-1])
    return x, x.mean(0), x.var(0)


# One channel; channels that fill no warp; several blocks of channels; packs; one row; and more
# blocks of rows than a warp has lanes to merge them.
SHAPES = [(3001, 1), (37, 3), (5, 7, 2, 33), (300, 8), (65, 160), (1, 5), (1, 16), (1100, 33)]


# ----- batch normalisation -----


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_moments_are_mean_and_biased_variance(shape, dtype):
    x = normal(*shape, dtype=dtype, mean=2)
    got = norm.moments(DEVICE, *on_device(x))
    rows, mean, variance = per_channel(x)
    assert got.dtype == ("float64" if dtype == "float64" else "float32")
    assert_close(got[0], mean, np.abs(rows).mean(0))
    assert_close(got[1], variance, variance + np.abs(mean) * np.sqrt(variance))


def test_moments_keep_their_digits_far_from_zero():
    x = normal(2000, 4, mean=1e4)  # a sum of squares would keep no digit of a variance of 1
    got = norm.moments(DEVICE, *on_device(x))
    _, mean, variance = per_channel(x)
    assert_close(got[0], mean, np.abs(mean))
    assert_close(got[1], variance, variance + np.abs(mean) * np.sqrt(variance))


def test_moments_of_no_row_are_nan():
    assert np.isnan(norm.moments(DEVICE, *on_device(np.zeros((0, 5), "float32")))).all()


def test_moments_of_no_channel_are_empty():
    assert norm.moments(DEVICE, *on_device(np.zeros((5, 0), "float32"))).shape == (2, 0)


def test_moments_read_a_view_as_what_it_shows():
    x = normal(40, 6, 3)
    (view,) = on_device(x)
    got = norm.moments(DEVICE, view.transpose(0, 2, 1)[:, :, 1:])
    _, mean, variance = per_channel(x.transpose(0, 2, 1)[:, :, 1:])
    np.testing.assert_allclose(got, [mean, variance], rtol=1e-5, atol=1e-6)


def test_an_address_between_packs_is_read_one_by_one():
    flat = normal(4 * 50 + 1)
    (whole,) = on_device(flat)
    got = norm.moments(DEVICE, whole[1:].reshape(50, 4))
    np.testing.assert_allclose(got[0], flat[1:].reshape(50, 4).mean(0), atol=1e-6)


def parameters(x):
    """Statistics of x and a scale and offset, in the dtype that goes with x."""
    c, kind = x.shape[-1], "float64" if x.dtype == "float64" else "float32"
    _, mean, variance = per_channel(x)
    scale, offset = normal(c, seed=1, dtype=kind, mean=2), normal(c, seed=2, dtype=kind)
    return np.stack([mean, variance]).astype(kind), scale, offset


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("relu", "adds"), [(False, False), (True, False), (True, True)])
def test_batch_norm_is_its_formula(shape, dtype, relu, adds):
    x, more = normal(*shape, dtype=dtype, mean=1), normal(*shape, seed=3, dtype=dtype)
    statistics, scale, offset = parameters(x)
    arrays = on_device(x, statistics, scale, offset)
    residual = DEVICE.asarray(more) if adds else None
    got = norm.batch_norm(DEVICE, *arrays, EPSILON, relu, residual)
    x, statistics, scale, offset, more = wide(x, statistics, scale, offset, more * adds)
    centred = (x - statistics[0]) / np.sqrt(statistics[1] + EPSILON) * scale
    y = centred + offset + more
    size = np.abs(centred) + np.abs(offset) + np.abs(more)
    assert_close(got, np.maximum(y, 0) if relu else y, size)


def test_batch_norm_of_nothing_is_nothing():
    vectors = on_device(np.ones((2, 3), "f"), np.ones(3, "f"), np.ones(3, "f"))
    x = DEVICE.asarray(np.zeros((0, 3), "float32"))
    assert norm.batch_norm(DEVICE, x, *vectors, EPSILON).shape == (0, 3)


def test_relu_of_a_nan_is_a_nan():
    x = DEVICE.asarray(np.full((2, 1), np.nan, "float32"))
    vectors = on_device(np.ones((2, 1), "f"), np.ones(1, "f"), np.ones(1, "f"))
    assert np.isnan(norm.batch_norm(DEVICE, x, *vectors, EPSILON, True)).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_batch_norm_sums_are_the_gradients_of_offset_and_scale(shape, dtype):
    x, g = normal(*shape, dtype=dtype, mean=1), normal(*shape, seed=3, dtype=dtype)
    statistics, _, _ = parameters(x)
    got = norm.batch_norm_sums(DEVICE, *on_device(g, x, statistics), EPSILON)
    c = x.shape[-1]
    x, g, statistics = wide(x.reshape(-1, c), g.reshape(-1, c), statistics)
    n = (x - statistics[0]) / np.sqrt(statistics[1] + EPSILON)
    assert_close(got, [g.sum(0), (g * n).sum(0)], [np.abs(g).sum(0), np.abs(g * n).sum(0)])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("given", [False, True])
def test_batch_norm_grad_is_its_formula(shape, dtype, given):
    x, g = normal(*shape, dtype=dtype, mean=1), normal(*shape, seed=3, dtype=dtype)
    statistics, scale, _ = parameters(x)
    arrays = on_device(g, x, statistics, scale)
    sums = norm.batch_norm_sums(DEVICE, *arrays[:3], EPSILON) if given else None
    got = norm.batch_norm_grad(DEVICE, *arrays, EPSILON, sums)
    c = x.shape[-1]
    x, g, statistics, scale = wide(x.reshape(-1, c), g.reshape(-1, c), statistics, scale)
    inverse = 1 / np.sqrt(statistics[1] + EPSILON)
    n = (x - statistics[0]) * inverse
    dx = scale * inverse * (g - g.mean(0) - n * (g * n).mean(0))
    size = np.abs(g) + np.abs(g).mean(0) + np.abs(n) * np.abs(g * n).mean(0)
    assert_close(got, dx.reshape(shape), (scale * inverse * size).reshape(shape))


# ----- near channels -----


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("c", "radius"), [(1, 2), (7, 0), (7, 2), (40, 5), (5, 9)])
def test_channel_sum_adds_the_near_channels(c, radius, dtype):
    x = normal(3, 5, 2, c, dtype=dtype)
    got = norm.channel_sum(DEVICE, *on_device(x), radius)
    near = np.abs(np.subtract.outer(np.arange(c), np.arange(c))) <= radius
    assert_close(got, wide(x)[0] @ near, np.abs(wide(x)[0]) @ near)


def test_a_thread_that_goes_on_by_the_grid_keeps_its_channel():
    x, bias = normal(400, 7), normal(7, seed=1)
    arrays, sums, y = (
        on_device(x, bias),
        DEVICE.empty(x.shape, x.dtype),
        DEVICE.empty(x.shape, x.dtype),
    )
    DEVICE.launch("channel_sum<float>", 2, 256, arrays[0], sums, 1, 7, x.size)
    DEVICE.launch("bias_activation<Linear, float, 1>", 2, 256, *arrays, y, 7, x.size)
    near = np.abs(np.subtract.outer(np.arange(7), np.arange(7))) <= 1
    np.testing.assert_allclose(sums, x @ near.astype("f"), atol=1e-6)
    np.testing.assert_array_equal(y, x + bias)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("beta", [0.5, 0.75, 1.0])
@pytest.mark.parametrize(("c", "radius"), [(1, 2), (7, 2), (40, 5)])
def test_local_response_is_its_formula(c, radius, beta, dtype):
    x = normal(3, 5, 2, c, dtype=dtype)
    got = norm.local_response(DEVICE, *on_device(x), radius, 1.5, 0.25, beta)
    near = np.abs(np.subtract.outer(np.arange(c), np.arange(c))) <= radius
    (x,) = wide(x)
    y = x * (1.5 + 0.25 * (x**2 @ near)) ** -beta
    assert_close(got, y, y, 2 * (2 * radius + 1 + 16))


# ----- losses -----


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1,), (3, 1), (5, 10), (2, 3, 33), (2, 1500)])
def test_softmax_cross_entropy_is_its_formula(shape, dtype):
    labels, x = np.abs(normal(*shape, dtype=dtype)), 5 * normal(*shape, seed=1, dtype=dtype)
    got = loss.softmax_cross_entropy(DEVICE, *on_device(labels, x))
    t, x = wide(labels, x)
    terms = -t * np.log(softmax(x))
    size = (t * (np.abs(x - x.max(-1, keepdims=True)) + np.log(shape[-1]) + 1)).sum(-1)
    assert_close(got, terms.sum(-1), size, 2 * (shape[-1] + 16))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(3, 1), (5, 10), (2, 3, 33), (2, 1500)])
def test_softmax_cross_entropy_grad_is_its_formula(shape, dtype):
    labels, x = np.abs(normal(*shape, dtype=dtype)), 5 * normal(*shape, seed=1, dtype=dtype)
    g = normal(*shape[:-1], seed=2, dtype=dtype)
    got = loss.softmax_cross_entropy_grad(DEVICE, *on_device(g, labels, x))
    g, t, x = wide(g[..., None], labels, x)
    part = softmax(x) * t.sum(-1, keepdims=True)
    size = np.abs(g) * (part * (1 + np.abs(x - x.max(-1, keepdims=True))) + t)
    assert_close(got, g * (part - t), size, 2 * (shape[-1] + 16))


def test_huge_logits_do_not_overflow():
    labels, x = on_device(np.array([[0, 1]], "float32"), np.array([[1e4, 0]], "float32"))
    np.testing.assert_array_equal(loss.softmax_cross_entropy(DEVICE, labels, x), [1e4])


@pytest.mark.parametrize("row", [(np.inf, 0), (np.nan, 0), (-np.inf, -np.inf), (-np.inf, 0)])
def test_special_logits_come_out_as_in_the_twin(row):
    labels, x = np.array([[0.5, 0.5]], "float32"), np.array([row], "float32")
    with np.errstate(all="ignore"):
        expected = twin.softmax_cross_entropy(labels, x)
    got = loss.softmax_cross_entropy(DEVICE, *on_device(labels, x))
    np.testing.assert_array_equal(got, expected)


# ----- bias and activation -----


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(7, 1), (3, 5, 6), (40, 16), (4, 3, 264), (0, 4)])
def test_bias_activation_rounds_once(shape, dtype):
    x, bias = 5 * normal(*shape, dtype=dtype), normal(shape[-1], seed=1, dtype=dtype)
    with np.errstate(all="ignore"):
        y = x + bias  # one rounding, by IEEE
    expected = {"linear": y, "relu": np.maximum(y, 0), "relu6": np.clip(y, 0, 6)}
    for name, values in expected.items():
        got = elementwise.bias_activation(DEVICE, *on_device(x, bias), name)
        np.testing.assert_array_equal(got, values)


@pytest.mark.parametrize("name", ["linear", "relu", "relu6"])
def test_bias_activation_of_a_nan_is_a_nan(name):
    x, bias = on_device(np.full((2, 4), np.nan, "float32"), np.zeros(4, "float32"))
    assert np.isnan(elementwise.bias_activation(DEVICE, x, bias, name)).all()


# ----- updates of weights -----


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (7,), (3, 5, 20), (0,)])
@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_momentum_is_keras_formula(shape, dtype, nesterov):
    w, v, g = (normal(*shape, seed=k, dtype=dtype) for k in range(3))
    got = optimizer.sgd_momentum(DEVICE, *on_device(w, v, g), 0.1, 0.9, nesterov)
    w, v, g = wide(w, v, g)
    step = 0.1 * g
    new = 0.9 * v - step
    moved = 0.9 * new - step if nesterov else new
    assert_close(got[0], w + moved, np.abs(w) + np.abs(v) + np.abs(step))
    assert_close(got[1], new, np.abs(v) + np.abs(step))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (7,), (3, 5, 20), (0,)])
def test_adam_is_keras_formula(shape, dtype):
    w, m, g = (normal(*shape, seed=k, dtype=dtype) for k in range(3))
    v = np.square(normal(*shape, seed=3, dtype=dtype))
    got = optimizer.adam(DEVICE, *on_device(w, m, v, g), 0.1, 0.9, 0.999, 1e-7, 3)
    w, m, v, g = wide(w, m, v, g)
    new_m, new_v = m + 0.1 * (g - m), v + 0.001 * (g * g - v)
    size = 0.1 * np.sqrt(1 - 0.999**3) / (1 - 0.9**3)
    moved = size * new_m / (np.sqrt(new_v) + 1e-7)
    extent = size * (np.abs(m) + np.abs(g)) / (np.sqrt(new_v) + 1e-7)
    assert_close(got[0], w - moved, np.abs(w) + extent, 2 * (1 + 16))
    assert_close(got[1], new_m, np.abs(m) + np.abs(g))
    assert_close(got[2], new_v, v + g * g)


def test_updates_leave_the_old_arrays_alone():
    w, m, v, g = on_device(*(np.full(8, k, "float32") for k in range(4)))
    optimizer.adam(DEVICE, w, m, v, g, 0.1, 0.9, 0.999, 1e-7, 1)
    optimizer.sgd_momentum(DEVICE, w, m, g, 0.1, 0.9, True)
    np.testing.assert_array_equal([w, m, v, g], [[k] * 8 for k in range(4)])
