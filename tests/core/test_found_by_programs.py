"""What random programs (tests/fuzz/tape.py) found: every kind, against TensorFlow, live."""

import inspect
import operator

import numpy as np
import pytest

import minitensor as mt
from minitensor.math import elementwise

UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
SMOOTH = """abs square math.reciprocal sqrt math.rsqrt exp math.expm1 math.log math.log1p sigmoid
    math.softplus math.erf math.erfc sin cos tan asin acos atan sinh cosh tanh math.log_sigmoid
    nn.elu nn.selu nn.silu nn.leaky_relu nn.softsign nn.softmax nn.log_softmax"""
INTEGERS = (*UNSIGNED, "int8", "int16", "int32", "int64")


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("axis", [None, 0, 1, [0, 1]])
def test_the_length_of_integers_is_cut_off(tf, dtype, axis):
    x = np.array([[3, 5, 0], [2, 1, 1]], dtype)
    theirs, ours = (m.math.reduce_euclidean_norm(x, axis=axis, keepdims=True) for m in (tf, mt))
    assert ours.dtype.name == theirs.dtype.name == dtype
    assert ours.numpy().tolist() == theirs.numpy().tolist()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", ["math.floormod", "math.mod"])
def test_a_remainder_of_0_has_the_sign_of_x(tf, dtype, name):
    x = np.array([0, -0.0, 2, -2, 2, -2, 5, -5, 3], dtype)
    y = np.array([-1, 1, -1, 1, 1, -1, 3, 3, -2], dtype)
    theirs, ours = (np.asarray(operator.attrgetter(name)(m)(x, y)) for m in (tf, mt))
    np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(np.signbit(ours), np.signbit(theirs))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("exponent", [0.5, -0.5, 1.5, 2.0, 0.0])
def test_a_power_is_that_of_ieee_754_whether_its_exponent_is_one_number_or_many(
    tf, dtype, exponent
):
    x = np.array([np.inf, -np.inf, 0, -0.0, 4, -4, np.nan], dtype)
    many = np.full(7, exponent, dtype)
    theirs, *ours = (np.asarray(y) for y in (tf.pow(x, many), mt.pow(x, many), mt.pow(x, exponent)))
    for y in ours:
        np.testing.assert_allclose(y, theirs, rtol=1e-3)
        real = ~np.isnan(theirs)
        np.testing.assert_array_equal(np.signbit(y[real]), np.signbit(theirs[real]))


@pytest.mark.parametrize("slope", [np.inf, -np.inf])
@pytest.mark.parametrize("approximate", [False, True])
def test_an_infinite_slope_passes_gelu_where_tensorflow_takes_it_from_itself(slope, approximate):
    x = mt.constant([0.25, 2.0, -0.5, -2.0, -3.0], "float64")  # it falls below -0.75
    with mt.GradientTape() as tape:
        tape.watch(x)
        y = mt.nn.gelu(x, approximate)
    g = tape.gradient(y, x, mt.fill([5], np.float64(slope)))
    np.testing.assert_array_equal(g, slope * np.array([1, 1, 1, -1, -1]))


@pytest.mark.parametrize("slope", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("name", SMOOTH.split())
def test_an_infinite_slope_comes_out_as_infinite_as_it_went_in(tf, name, slope):
    found = []
    for engine in (tf, mt):
        x = engine.constant([0.25, 0.5, 0.75, -0.5, 2.0, -2.0, -3.0], "float64")
        with engine.GradientTape() as tape:
            tape.watch(x)
            y = operator.attrgetter(name)(engine)(x)
        found.append(tape.gradient(y, x, engine.fill([7], np.float64(slope))).numpy())
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("op", [operator.eq, operator.ne])
@pytest.mark.parametrize("other", [[1.0, 2.0, 3.0], [1.0, 2.0], [[1.0], [2.0]]])
def test_tensors_of_two_dtypes_are_not_compared_whatever_their_shapes(tf, op, other):
    for engine in (tf, mt):
        x, y = engine.constant([1, 2]), engine.constant(other)
        with pytest.raises((TypeError, tf.errors.InvalidArgumentError)):
            op(x, y)


@pytest.mark.parametrize("dtype", UNSIGNED)
def test_unsigned_integers_have_no_negative(tf, dtype):
    for engine in (tf, mt):
        for op in (operator.neg, engine.negative, engine.nn.crelu):
            with pytest.raises((TypeError, tf.errors.InvalidArgumentError)):
                op(engine.constant([3, 0], dtype))


@pytest.mark.parametrize("axis", [0, -1, 7])
def test_of_one_tensor_concat_reads_no_axis_and_of_a_scalar_reverse_reads_none(tf, axis):
    for value in (3.0, [3.0, 4.0]):
        theirs, ours = (m.concat([m.constant(value)], axis) for m in (tf, mt))
        assert ours.numpy().tolist() == theirs.numpy().tolist()
    assert mt.reverse(3.0, [axis]).numpy() == tf.reverse(3.0, [axis]).numpy()
    for engine in (tf, mt):
        with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
            engine.concat([[3.0], [4.0]], 7)


@pytest.mark.parametrize("mode", ["CONSTANT", "REFLECT", "SYMMETRIC"])
def test_a_scalar_is_padded_by_an_empty_matrix_and_an_axis_of_0_by_nothing(tf, mode):
    none = np.zeros((0, 2), "int32")
    assert mt.pad(3.0, none, mode).numpy() == tf.pad(3.0, none, mode).numpy()
    for engine in (tf, mt):
        with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
            engine.pad(3.0, [], mode)
        if mode == "REFLECT":  # of no elements it has none to mirror, even if none is wanted
            with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
                engine.pad(engine.zeros((4, 0)), [[1, 2], [0, 0]], mode)
        else:
            padded = engine.pad(engine.zeros((4, 0)), [[1, 2], [0, 0]], mode)
            assert tuple(padded.shape) == (7, 0)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("strides", [1, 2])
def test_a_tap_that_is_no_number_spoils_no_pixel_that_it_never_meets(strides, value):
    draw = np.random.default_rng(0)
    filters = draw.normal(size=(2, 2, 3, 1))
    filters[0, 0, 0, 0] = value  # meets channel 0, and no pixel of the last row and column
    x = mt.constant(draw.normal(size=(1, 4, 4, 3)))
    with mt.GradientTape() as tape:
        tape.watch(x)
        y = mt.nn.depthwise_conv2d(x, mt.constant(filters), [1, strides, strides, 1], "VALID")
    slope = tape.gradient(y, x).numpy()
    assert np.isfinite(slope[..., 1:]).all()
    assert np.isfinite(slope[:, -1, :, 0]).all()
    assert np.isfinite(slope[:, :, -1, 0]).all()
    assert not np.isfinite(slope[0, 0, 0, 0])


# the ledger: parity.of_bytes
WE_COMPUTE = {("uint8", name) for name in ("abs", "sign", "pow", "squared_difference")}


@pytest.mark.parametrize("dtype", ["int32", "uint8", "bool"])
def test_what_tensorflow_refuses_of_integers_is_refused(tf, dtype):
    wrong = []
    for name in {*elementwise.__all__, "zero_fraction"} - {"add_n"}:
        kept, count = [], 1
        for engine in (mt, tf):
            function = getattr(engine.math, name, None) or getattr(engine, name)
            if engine is mt:
                words = inspect.signature(function).parameters.values()
                count = sum(word.default is word.empty for word in words)
            try:
                kept.append(function(*[engine.constant([1, 2], dtype)] * count))
            except (TypeError, ValueError, tf.errors.OpError):
                kept.append(None)
        ours, theirs = kept
        if (theirs is None) != (ours is None) and (dtype, name) not in WE_COMPUTE:
            wrong.append(name)
    assert wrong == []


def test_the_next_float_has_no_slope_in_where_it_lies():
    x, y = mt.constant([1.0, 2.0]), mt.constant([3.0, 2.0])
    with mt.GradientTape() as tape:
        tape.watch([x, y])
        z = mt.math.nextafter(x, y)
    assert [g.numpy().tolist() for g in tape.gradient(z, [x, y])] == [[1, 1], [0, 0]]


def test_truth_values_lie_on_diagonals_and_are_counted(tf):
    x = np.array([[True, False], [True, True]])
    for engine in (tf, mt):
        linalg = engine.linalg
        assert linalg.diag_part(x).numpy().tolist() == [True, True]
        assert linalg.diag_part(x, k=1).numpy().tolist() == [False]
        assert linalg.diag(x[0]).numpy().tolist() == [[True, False], [False, False]]
        assert linalg.set_diag(x, x[0]).numpy().tolist() == [[True, False], [True, False]]
        assert engine.math.zero_fraction(x).numpy() == 0.25
