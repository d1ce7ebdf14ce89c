"""Pooling against paper arithmetic and central differences; fractional pools against TensorFlow.

All others stand in the parity table against it: minitensor/parity/cases/pool.py.
"""

import numpy as np
import pytest
from against import assert_agree

import minitensor as mt
from minitensor.ops import pool

EXPLICIT = [[0, 0], [1, 0], [0, 1], [0, 0]]


def spread(*shape, dtype=np.float64, seed=0):
    """All elements different, at least a tenth apart: no ties."""
    order = np.random.default_rng(seed).permutation(int(np.prod(shape)))
    return (0.1 * order - 0.05 * order.size).reshape(shape).astype(dtype)


def images(*rows):
    """One image of one channel."""
    return mt.constant(np.array(rows, np.float64)[None, :, :, None])


def gradient(function, x):
    with mt.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return tape.gradient(y, x).numpy()


@pytest.mark.parametrize("name", ["max_pool3d", "avg_pool3d"])
def test_3d_pools_have_every_order_in_float64(name):
    x = spread(1, 4, 3, 5, 2)
    mt.check_gradients(lambda x: getattr(mt.nn, name)(x, 2, [2, 1, 2], "SAME"), x, order=3)


@pytest.mark.parametrize(("name", "axes"), [("1d", (0, 2, 1)), ("2d", (0, 3, 1, 2)), ("3d", None)])
@pytest.mark.parametrize("kind", ["max", "avg"])
def test_channels_first_is_the_transpose_of_channels_last(kind, name, axes):
    axes = axes or (0, 4, 1, 2, 3)
    words = {"1d": "NCW", "2d": "NCHW", "3d": "NCDHW"}
    x = spread(2, *[5, 4, 6][: len(axes) - 2], 3)
    pool = getattr(mt.nn, f"{kind}_pool{name}")
    first = pool(x.transpose(axes), 2, 2, "SAME", words[name]).numpy()
    np.testing.assert_array_equal(first, pool(x, 2, 2, "SAME").numpy().transpose(axes))


def test_stride_dilation_and_explicit_padding_together_have_every_order():
    x = spread(1, 6, 5, 2)
    for kind in ("MAX", "AVG"):
        mt.check_gradients(
            lambda x, kind=kind: mt.nn.pool(x, [2, 2], kind, [2, 1], EXPLICIT, None, [1, 2]),
            x,
            order=3,
        )


# ----- ties, NaN, infinity, borders -----


def test_tied_maximum_sends_the_gradient_to_the_first():
    got = gradient(lambda x: mt.nn.max_pool2d(x, 2, 2, "VALID"), images([1, 1], [1, 1]))
    np.testing.assert_array_equal(got.ravel(), [1, 0, 0, 0])


def test_tied_maximum_of_a_volume_sends_the_gradient_to_the_first():
    got = gradient(lambda x: mt.nn.max_pool3d(x, 2, 2, "VALID"), mt.ones([1, 2, 2, 2, 1]))
    np.testing.assert_array_equal(got.ravel(), [1, 0, 0, 0, 0, 0, 0, 0])


def test_gradients_of_overlapping_windows_add_up():
    got = gradient(lambda x: mt.nn.max_pool2d(x, 3, 1, "SAME"), mt.ones([1, 3, 3, 1]))
    np.testing.assert_array_equal(got.ravel(), [4, 2, 0, 2, 1, 0, 0, 0, 0])


@pytest.mark.parametrize("row", [[np.nan, 1.0], [1.0, np.nan], [np.nan, np.nan]])
def test_nan_is_the_maximum_and_gets_the_gradient(row):
    def pooled(x):
        return mt.nn.max_pool2d(x, [1, 2], 2, "VALID")

    assert np.isnan(pooled(images(row)).numpy()).all()
    first = int(np.argmax(np.isnan(row)))
    np.testing.assert_array_equal(gradient(pooled, images(row)).ravel(), np.eye(2)[first])


def test_a_window_of_minus_infinity_is_minus_infinity_also_beside_padding():
    x = images(*np.full((3, 3), -np.inf))
    assert (mt.nn.max_pool2d(x, 2, 2, "SAME").numpy() == -np.inf).all()


def test_padding_never_wins_over_negative_pixels():
    x = images([-3, -1], [-2, -4])
    assert (mt.nn.max_pool2d(x, 3, 1, "SAME").numpy() == -1).all()


def test_avg_pool_at_a_corner_divides_by_the_four_real_pixels():
    x = images([1, 2, 3], [4, 5, 6], [7, 8, 9])
    y = mt.nn.avg_pool2d(x, 3, 1, "SAME").numpy()[0, :, :, 0]
    np.testing.assert_allclose(y, [[3, 3.5, 4], [4.5, 5, 5.5], [6, 6.5, 7]])


def test_avg_pool_of_a_volume_divides_by_the_real_pixels():
    y = mt.nn.avg_pool3d(mt.ones([1, 3, 3, 3, 1], "float64"), 3, 1, "SAME").numpy()
    np.testing.assert_allclose(y, 1, rtol=1e-15)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d", "max_pool3d", "avg_pool3d"])
def test_half_precision_is_float32_rounded_once(dtype, name):
    x = mt.cast(mt.constant(np.random.default_rng(0).normal(size=(1, 5, 5, 5, 2))), dtype)
    x = x if name.endswith("3d") else x[0]

    def both(x):
        y = getattr(mt.nn, name)(x, 3, 2, "SAME")
        return y, gradient(lambda x: getattr(mt.nn, name)(x, 3, 2, "SAME"), x)

    (y, g), (wide_y, wide_g) = both(x), both(mt.cast(x, "float32"))
    np.testing.assert_array_equal(y.numpy(), wide_y.numpy().astype(y.dtype))
    np.testing.assert_array_equal(g, wide_g.astype(g.dtype))


def test_an_empty_batch_gives_an_empty_result():
    assert mt.nn.max_pool2d(mt.zeros([0, 4, 6, 3]), 2, 2, "VALID").shape == (0, 2, 3, 3)
    assert mt.nn.avg_pool3d(mt.zeros([0, 4, 6, 4, 3]), 2, 2, "SAME").shape == (0, 2, 3, 2, 3)


# ----- argmax and channels -----


def test_max_pool_with_argmax_has_a_second_order():
    mt.check_gradients(
        lambda x: mt.nn.max_pool_with_argmax(x, 2, 2, "SAME")[0], spread(1, 5, 4, 2), order=3
    )


def test_max_pool_over_channels_has_gradients_in_both_layouts():
    x = spread(1, 4, 2, 3)
    last, first = [1, 1, 1, 3], [1, 2, 1, 1]
    mt.check_gradients(lambda x: mt.nn.max_pool(x, last, last, "VALID"), x, order=2)
    mt.check_gradients(lambda x: mt.nn.max_pool(x, first, first, "VALID", "NCHW"), x, order=2)


# ----- fractional -----


@pytest.mark.parametrize("overlapping", [False, True])
@pytest.mark.parametrize("kind", ["max", "avg"])
def test_fractional_pools_of_tensorflows_regions_equal_tensorflow(tf, kind, overlapping):
    x = spread(2, 7, 10, 3)
    ratio = [1, 1.5, 1.4, 1]
    name = f"fractional_{kind}_pool"
    _, rows, columns = getattr(tf.nn, name)(x, ratio, False, overlapping, 3)
    words = {"rows": rows.numpy(), "columns": columns.numpy(), "overlapping": overlapping}
    assert_agree(
        tf,
        lambda x: getattr(pool, f"fractional_{kind}_pool")(x, **words),
        lambda x: getattr(tf.nn, name)(x, ratio, False, overlapping, 3)[0],
        x,
        order=1,  # TensorFlow has no second one
    )


@pytest.mark.parametrize("overlapping", [False, True])
@pytest.mark.parametrize("kind", ["max", "avg"])
def test_fractional_pools_have_every_order(kind, overlapping):
    pool = getattr(mt.nn, f"fractional_{kind}_pool")
    mt.check_gradients(
        lambda x: mt.exp(pool(x, 1.5, overlapping=overlapping, seed=1)[0]),
        spread(1, 4, 5, 2),
        order=3,
    )


@pytest.mark.parametrize("pseudo_random", [False, True])
@pytest.mark.parametrize("seed", range(1, 6))
def test_fractional_regions_have_two_lengths_and_fill_the_image(pseudo_random, seed):
    _, rows, columns = mt.nn.fractional_max_pool(spread(1, 25, 9, 1), 1.4, pseudo_random, seed=seed)
    for sequence, n, regions in ((rows, 25, 17), (columns, 9, 6)):
        lengths = np.diff(sequence.numpy())
        assert (len(lengths), lengths.sum(), sequence.numpy()[0]) == (regions, n, 0)
        assert set(lengths) == {1, 2}


def test_fractional_pooling_of_ratio_one_is_the_identity():
    x = spread(1, 3, 4, 2)
    np.testing.assert_array_equal(mt.nn.fractional_max_pool(x, 1)[0].numpy(), x)


# ----- errors -----

X = np.zeros((1, 5, 6, 4))
BAD = [
    (ValueError, "at least 1", lambda: mt.nn.max_pool2d(X, 0, 2, "SAME")),
    (ValueError, "at least 1", lambda: mt.nn.avg_pool2d(X, 2, 0, "SAME")),
    (TypeError, "must be integers", lambda: mt.nn.max_pool2d(X, 2, 1.5, "SAME")),
    (ValueError, r"spans \(6, 6\)", lambda: mt.nn.max_pool2d(X, 6, 1, "VALID")),
    (ValueError, "spans", lambda: mt.nn.max_pool3d(X[None], 7, 1, "VALID")),
    (
        ValueError,
        "smaller than the window",
        lambda: mt.nn.max_pool2d(X, 2, 2, [[0, 0], [3, 0], [0, 0], [0, 0]]),
    ),
    (
        ValueError,
        "no pixel",
        lambda: mt.nn.pool(X[:, :1, :1], [2, 2], "MAX", padding="SAME", dilations=[3, 3]),
    ),
    (TypeError, "SAME", lambda: mt.nn.avg_pool2d(X, 2, 2, EXPLICIT)),
    (TypeError, "SAME", lambda: mt.nn.max_pool_with_argmax(X, 2, 2, EXPLICIT)),
    (ValueError, "4 axes", lambda: mt.nn.max_pool2d(X[0], 2, 2, "SAME")),
    (ValueError, "4 axes", lambda: mt.nn.avg_pool2d(X[None], 2, 2, "SAME")),
    (ValueError, "3, 4 or 5 axes", lambda: mt.nn.max_pool(X[0, 0], 2, 2, "SAME")),
    (ValueError, "upper case", lambda: mt.nn.pool(X, [2, 2], "max")),
    (ValueError, "list", lambda: mt.nn.pool(X, 2, "MAX")),
    (ValueError, "upper case", lambda: mt.nn.max_pool2d(X, 2, 2, "same")),
    (ValueError, "data_format", lambda: mt.nn.max_pool2d(X, 2, 2, "SAME", "NHCW")),
    (TypeError, "list", lambda: mt.nn.max_pool2d([[1.0]], 2, 2, "SAME")),
    (TypeError, "int32", lambda: mt.nn.avg_pool2d(X.astype("int32"), 2, 2, "SAME")),
    (ValueError, "divide", lambda: mt.nn.max_pool(X, [1, 1, 1, 3], [1, 1, 1, 3], "VALID")),
    (ValueError, "own", lambda: mt.nn.max_pool(X, [1, 2, 1, 2], [1, 2, 1, 2], "VALID")),
    (ValueError, "NHWC", lambda: mt.nn.max_pool_with_argmax(X, 2, 2, "SAME", "NCHW")),
    (ValueError, "int64", lambda: mt.nn.max_pool_with_argmax(X, 2, 2, "SAME", output_dtype="f4")),
]


@pytest.mark.parametrize(("error", "words", "call"), BAD)
def test_illegal_pools_are_refused_with_the_reason(error, words, call):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize("zeros", [(-0.0, 0.0), (0.0, -0.0)])
@pytest.mark.parametrize("channels", [1, 3, 64])
def test_of_a_positive_and_a_negative_zero_the_first_is_the_maximum(zeros, channels):
    x = np.repeat(np.array(zeros).reshape(1, 2, 1), channels, axis=2)
    y = mt.nn.max_pool1d(x, 2, 2, "VALID").numpy()
    assert (np.signbit(y) == np.signbit(zeros[0])).all()
