"""Arithmetic, arrays, reductions and matrices: three orders against central differences, digits.

Against TensorFlow they stand in the parity table: minitensor/parity/cases/core.py.
"""

import ml_dtypes
import numpy as np
import pytest

import minitensor as mt


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def positive(*shape, seed=0):
    return np.abs(normal(*shape, seed=seed)) + 0.5


ZEROS = np.array([[0.5, 0.0, -1.5], [0.0, 0.0, 2.0], [1.0, 3.0, -2.0]])

# A function of a library and its float64 arguments.
DIFFERENTIABLE = {
    "x + y": (lambda m, x, y: x + y, normal(3, 1), normal(2, 1, 4)),
    "x - y": (lambda m, x, y: x - y, normal(3, 1), normal(2, 1, 4)),
    "x * y": (lambda m, x, y: x * y, normal(3, 1), normal(2, 1, 4)),
    "x / y": (lambda m, x, y: x / y, normal(3, 1), positive(2, 1, 4)),
    "x % y": (lambda m, x, y: x % y, normal(3, 1), positive(2, 1, 4)),
    "x ** y": (lambda m, x, y: x**y, positive(3, 1), normal(2, 1, 4)),
    "numbers beside": (lambda m, x: (2 - x) / 3 + 1 / x * 0.5 - 2**x - (-x), positive(4)),
    "x @ y": (lambda m, x, y: x @ y, normal(2, 1, 3, 2), normal(4, 2, 3)),
    "abs": (lambda m, x: abs(x), normal(4)),
    "square": (lambda m, x: m.square(x), normal(4)),
    "sqrt": (lambda m, x: m.sqrt(x), positive(4)),
    "rsqrt": (lambda m, x: m.math.rsqrt(x), positive(4)),
    "reciprocal": (lambda m, x: m.math.reciprocal(x), positive(4)),
    "exp": (lambda m, x: m.exp(x), normal(4)),
    "expm1": (lambda m, x: m.math.expm1(x), normal(4)),
    "log": (lambda m, x: m.math.log(x), positive(4)),
    "log1p": (lambda m, x: m.math.log1p(x), positive(4)),
    "tanh": (lambda m, x: m.tanh(x), normal(4)),
    "sigmoid": (lambda m, x: m.sigmoid(x), normal(4)),
    "log_sigmoid": (lambda m, x: m.math.log_sigmoid(x), normal(4)),
    "softplus": (lambda m, x: m.math.softplus(x), normal(4)),
    "erf": (lambda m, x: m.math.erf(x), normal(4)),
    "erfc": (lambda m, x: m.math.erfc(x), normal(4)),
    "sin cos tan": (lambda m, x: m.sin(x) * m.cos(x) * m.tan(x), normal(4)),
    "asin acos": (lambda m, x: m.asin(x) * m.acos(x), 0.5 * np.tanh(normal(4))),
    "atan": (lambda m, x: m.atan(x), normal(4)),
    "sinh cosh": (lambda m, x: m.sinh(x) * m.cosh(x), normal(4)),
    "maximum": (lambda m, x, y: m.maximum(x, y), normal(3, 1), normal(1, 4, seed=1)),
    "minimum": (lambda m, x, y: m.minimum(x, y), normal(3, 1), normal(1, 4, seed=1)),
    "squared_difference": (
        lambda m, x, y: m.math.squared_difference(x, y),
        normal(3, 1),
        normal(4),
    ),
    "clip_by_value": (lambda m, x: m.clip_by_value(x, -0.5, 0.5), normal(9)),
    "clip_by_norm": (lambda m, x: m.clip_by_norm(x, 0.7, axes=[1]), normal(3, 4)),
    "clip_by_global_norm": (
        lambda m, x, y: m.clip_by_global_norm([x, y], 0.7)[0],
        normal(3),
        normal(2, 2),
    ),
    "add_n": (lambda m, x, y: m.add_n([x, y, x * y]), normal(3), normal(3)),
    "where": (lambda m, x, y: m.where([[True], [False]], x, y), normal(3), normal(2, 1)),
    "reduce_sum": (lambda m, x: m.reduce_sum(x * x, axis=[0, -1]), normal(2, 3, 4)),
    "reduce_mean": (lambda m, x: m.reduce_mean(x * x, axis=1, keepdims=True), normal(2, 3, 4)),
    "reduce_max": (lambda m, x: m.reduce_max(x, axis=1) ** 2, normal(2, 3, 4)),
    "reduce_min": (lambda m, x: m.reduce_min(x) ** 2, normal(2, 3)),
    "reduce_prod": (lambda m, x: m.reduce_prod(x, axis=1), normal(2, 3, 4)),
    "reduce_logsumexp": (lambda m, x: m.reduce_logsumexp(x, axis=[1]), normal(2, 3, 4)),
    "reduce_variance": (lambda m, x: m.math.reduce_variance(x, axis=0), normal(4, 2)),
    "reduce_std": (lambda m, x: m.math.reduce_std(x, axis=0, keepdims=True), normal(4, 2)),
    "reduce_euclidean_norm": (lambda m, x: m.math.reduce_euclidean_norm(x, axis=1), normal(2, 3)),
    "cumsum": (lambda m, x: m.cumsum(x * x, axis=1, exclusive=True), normal(2, 4)),
    "reversed cumsum": (lambda m, x: m.cumsum(x * x, axis=0, reverse=True), normal(3, 4)),
    "cumprod": (lambda m, x: m.math.cumprod(x, axis=1, reverse=True), normal(2, 4)),
    "exclusive cumprod": (lambda m, x: m.math.cumprod(x, axis=1, exclusive=True), normal(2, 5)),
    "sort": (lambda m, x: m.sort(x * x, axis=0, direction="DESCENDING"), normal(4, 2)),
    "top_k": (lambda m, x: m.math.top_k(x * x, k=2).values, normal(2, 5)),
    "reshape": (lambda m, x: m.reshape(x * x, [3, -1]), normal(2, 6)),
    "transpose": (lambda m, x: m.transpose(x * x, [2, 0, 1]), normal(2, 3, 4)),
    "squeeze expand": (lambda m, x: m.expand_dims(m.squeeze(x * x, [1]), -1), normal(2, 1, 3)),
    "broadcast_to": (lambda m, x: m.broadcast_to(x * x, [2, 3, 4]), normal(3, 1)),
    "tile": (lambda m, x: m.tile(x * x, [2, 3]), normal(2, 3)),
    "reverse": (lambda m, x: m.reverse(x * x, [0, -1]), normal(2, 3)),
    "concat": (lambda m, x, y: m.concat([x, y * y, x], -1), normal(2, 3), normal(2, 1)),
    "stack": (lambda m, x, y: m.stack([x, y * y, x], axis=1), normal(2, 3), normal(2, 3)),
    "unstack": (lambda m, x: m.unstack(x * x, axis=1), normal(2, 3)),
    "split": (lambda m, x: m.split(x * x, [1, -1, 2], axis=1), normal(2, 6)),
    "pad": (lambda m, x: m.pad(x * x, [[1, 2], [0, 1]], constant_values=3), normal(2, 3)),
    "reflected pad": (lambda m, x: m.pad(x * x, [[1, 1], [2, 0]], "reflect"), normal(2, 3)),
    "symmetric pad": (lambda m, x: m.pad(x * x, [[2, 1], [3, 0]], "SYMMETRIC"), normal(2, 3)),
    "gather": (lambda m, x: m.gather(x * x, [[0, 2], [2, 2]], axis=1), normal(2, 3)),
    "batched gather": (
        lambda m, x: m.gather(x * x, [[0, 1], [1, 1]], axis=2, batch_dims=1),
        normal(2, 3, 4),
    ),
    "slice": (lambda m, x: m.slice(x * x, [0, 1], [2, -1]), normal(3, 4)),
    "[]": (lambda m, x: (x * x)[1, ..., ::-1, None] + x[0, 1], normal(2, 3, 4)),
    "boolean_mask": (lambda m, x: m.boolean_mask(x * x, [True, False, True]), normal(3, 2)),
    "[mask]": (lambda m, x: (x * x)[x > 0], normal(3, 2)),
    "matmul": (lambda m, x, y: m.matmul(x, y, True, True), normal(2, 3, 2), normal(2, 4, 3)),
    "tensordot": (
        lambda m, x, y: m.tensordot(x, y, [[0, 2], [1, 0]]),
        normal(2, 3, 4),
        normal(4, 2),
    ),
    "norm": (lambda m, x: m.norm(x, axis=1), normal(2, 3)),
    "p-norm": (lambda m, x: m.norm(x, ord=3, axis=0, keepdims=True), normal(2, 3)),
    "einsum": (lambda m, x, y: m.einsum("ij,jk->ki", x, y), normal(2, 3), normal(3, 4)),
    "einsum of one": (lambda m, x: m.einsum("ijk->ki", x * x), normal(2, 3, 4)),
    "einsum batched": (
        lambda m, x, y: m.einsum("...ij,...jk->...ik", x, y),
        normal(2, 2, 3),
        normal(1, 3, 2),
    ),
    "einsum diagonal": (lambda m, x: m.einsum("ii->i", x * x), normal(3, 3)),
    "einsum trace": (lambda m, x: m.einsum("ii", x * x), normal(3, 3)),
    "linspace": (lambda m, x, y: m.linspace(x, y, 4, axis=1), normal(3), normal(3, seed=1)),
}


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_three_orders_of_gradients_equal_central_differences(name):
    function, *arrays = DIFFERENTIABLE[name]

    def as_one(*x):
        y = function(mt, *x)
        parts = list(y) if isinstance(y, list | tuple) else [y]
        return mt.concat([mt.reshape(part, [-1]) for part in parts], 0)

    mt.check_gradients(as_one, *arrays, order=3, tolerance=1e-5)


def test_gradients_of_products_are_right_where_factors_are_zero():
    for axis in (0, 1):
        mt.check_gradients(lambda x: mt.reduce_prod(x, axis=axis), ZEROS, order=3)  # noqa: B023
        mt.check_gradients(lambda x: mt.math.cumprod(x, axis=axis), ZEROS, order=3)  # noqa: B023


HALF = {
    "sum": lambda m, x: m.reduce_sum(x, axis=0),
    "mean": lambda m, x: m.reduce_mean(x, axis=1),
    "variance": lambda m, x: m.math.reduce_variance(x, axis=0),
    "logsumexp": lambda m, x: m.reduce_logsumexp(x, axis=0),
    "prod": lambda m, x: m.reduce_prod(x[:8], axis=0),
    "cumsum": lambda m, x: m.cumsum(x, axis=0),
    "matmul": lambda m, x: m.matmul(x, x, transpose_a=True),
    "einsum": lambda m, x: m.einsum("ij,ik->jk", x, x),
    "sigmoid": lambda m, x: m.sigmoid(x),
    "rsqrt": lambda m, x: m.math.rsqrt(m.abs(x)),
    "erf": lambda m, x: m.math.erf(x),
    "softplus": lambda m, x: m.math.softplus(x),
    "power": lambda m, x: m.pow(m.abs(x), m.abs(x)),
    "max": lambda m, x: m.reduce_max(x, axis=0),
    "sort": lambda m, x: m.sort(x, axis=0),
    "pad": lambda m, x: m.pad(x, [[1, 0], [0, 1]]),
}


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
@pytest.mark.parametrize("name", HALF)
def test_half_precision_is_float32_rounded_once(name, dtype):
    x = normal(300, 4).astype(dtype)
    once = np.asarray(HALF[name](mt, mt.constant(x.astype(np.float32)))).astype(dtype)
    ours = np.asarray(HALF[name](mt, mt.constant(x)))
    assert ours.dtype == dtype
    np.testing.assert_array_equal(ours, once)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_gradients_that_sum_in_half_precision_do_not_stick(dtype):
    ones = mt.constant(np.ones([4096, 2], dtype))
    row = mt.constant(np.zeros([2], dtype))
    with mt.GradientTape() as tape:
        tape.watch(row)
        y = ones + row + mt.gather(row, np.array([0, 1]))
    assert np.asarray(tape.gradient(y, row)).astype(float).tolist() == [8192.0, 8192.0]


@pytest.mark.parametrize("axis", [0, (0, 1), (0, 2), None])
def test_sums_of_many_rows_lose_no_digits(axis):
    x = np.random.default_rng(0).random((200_000, 2, 4), dtype=np.float32)
    exact = x.sum(axis=axis, dtype=np.float64)
    for y in (mt.reduce_sum(x, axis), mt.reduce_mean(x, axis) * float(x.size / exact.size)):
        np.testing.assert_allclose(y.numpy(), exact, rtol=3e-7)


def test_erf_is_within_two_units_in_the_last_place():
    import math

    x = np.concatenate([np.linspace(-6, 6, 40_001), [1e-300, 1e-20, 0.99999, 1.00001, 4.00001]])
    exact = np.array([math.erf(v) for v in x])
    assert np.all(np.abs(np.asarray(mt.math.erf(x)) - exact) <= 2 * np.spacing(np.abs(exact)))


def test_a_constant_does_not_share_the_memory_of_its_array():
    array = np.zeros(2)
    made = [mt.constant(array), mt.convert_to_tensor(array), mt.Variable(array)]
    array[:] = 1
    assert [t.numpy().tolist() for t in made] == [[0, 0]] * 3


def test_operators_work_on_variables_from_both_sides():
    v = mt.Variable([1.0, 2.0])
    assert (2 * v + np.ones(2) - v[0] == [2.0, 4.0]).numpy().all()


def test_the_same_seed_gives_the_same_numbers():
    def draw():
        return [
            mt.random.normal([3]).numpy(),
            mt.random.uniform([3], maxval=9, dtype="int64").numpy(),
            mt.random.shuffle(mt.range(9)).numpy(),
        ]

    mt.random.set_seed(7)
    first = draw()
    mt.random.set_seed(7)
    assert all(np.array_equal(a, b) for a, b in zip(first, draw(), strict=True))
    assert not np.array_equal(first[0], draw()[0])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_uniform_numbers_stay_below_maxval(dtype):
    y = mt.random.uniform([100_000], dtype=dtype, seed=1).numpy().astype(float)
    assert y.min() >= 0
    assert y.max() < 1
    assert abs(y.mean() - 0.5) < 0.01


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_truncated_normal_numbers_have_the_right_moments(dtype):
    y = mt.random.truncated_normal([100_000], 1.0, 2.0, dtype, seed=1).numpy().astype(float)
    assert np.abs(y - 1).max() <= 4
    assert abs(y.mean() - 1) < 0.02
    assert abs(y.std() / 2 - 0.87962566103423978) < 0.01  # of a normal cut at 2 sigma


def test_gradients_reach_the_mean_and_deviation_of_normal_numbers():
    mean = mt.constant(np.zeros(3))
    with mt.GradientTape() as tape:
        tape.watch(mean)
        y = mt.random.normal([2, 3], mean, dtype="float64")
    assert tape.gradient(y, mean).numpy().tolist() == [2.0, 2.0, 2.0]


@pytest.mark.parametrize(
    "op",
    [mt.identity, mt.squeeze, mt.transpose, lambda x: mt.reshape(x, [4])],
    ids=["identity", "squeeze", "transpose", "reshape"],
)
def test_a_tensor_does_not_change_with_the_array_it_was_made_of(op):
    x = np.ones((2, 2), np.float32)
    y = op(x)
    x[...] = 7
    assert (y.numpy() == 1).all()


def test_the_byte_order_of_an_array_does_not_matter():
    assert (mt.constant(np.array([1.0], ">f4")) + mt.constant([1.0])).numpy() == 2.0


def test_an_exclusive_running_sum_of_nothing_is_nothing():
    assert mt.cumsum(mt.zeros([0, 3]), exclusive=True).shape == (0, 3)


def test_gamma_has_the_mean_and_the_variance_of_its_distribution():
    y = mt.random.gamma([20000], [0.5, 3.0], beta=[[2.0], [4.0]], seed=1).numpy()
    alpha, beta = np.array([0.5, 3.0]), np.array([[2.0], [4.0]])
    assert (y.shape, y.dtype) == ((20000, 2, 2), np.float32)
    assert (y > 0).all()
    np.testing.assert_allclose(y.mean(0), alpha / beta, rtol=0.05)
    np.testing.assert_allclose(y.var(0), alpha / beta**2, rtol=0.1)
    with pytest.raises(ValueError, match="must be positive"):
        mt.random.gamma([2], -1.0)
