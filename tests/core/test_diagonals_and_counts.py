"""Diagonals, bands, counts, masks and searches against TensorFlow, slopes by random cotangents."""

import numpy as np
import pytest

import minitensor as mt

RNG = np.random.default_rng(0)
X, D = RNG.normal(size=(2, 4, 3)), RNG.normal(size=(2, 3, 3))
N = RNG.integers(0, 4, (2, 5)).astype(np.int32)
ALIGN = ("RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT", "RIGHT_RIGHT")
SMOOTH = {  # of one float tensor
    **{f"diag_part {k}": (X, lambda tf, x, k=k: tf.linalg.diag_part(x, k=k)) for k in (0, 1, -2)},
    **{f"diag {k}": (X[0], lambda tf, x, k=k: tf.linalg.diag(x, k=k)) for k in (0, 1, -2)},
    **{
        f"band {a}": (X, lambda tf, x, a=a: tf.linalg.diag_part(x, k=(-2, 1), align=a))
        for a in ALIGN
    },
    **{f"diags {a}": (D, lambda tf, x, a=a: tf.linalg.diag(x, k=(-1, 1), align=a)) for a in ALIGN},
    **{
        f"set_diag {a}": (D, lambda tf, x, a=a: tf.linalg.set_diag(X, x, k=(-2, 0), align=a))
        for a in ALIGN
    },
    "set_diag of one": (X, lambda tf, x: tf.linalg.set_diag(x, X[:, :2, 0], k=1)),
    "padded": (X, lambda tf, x: tf.linalg.diag_part(x, k=(-3, 1), padding_value=np.float64(7))),
    "rows": (X[0, 0], lambda tf, x: tf.linalg.diag(x, num_rows=3, num_cols=5)),
    **{
        f"band_part {b}": (X, lambda tf, x, b=b: tf.linalg.band_part(x, *b))
        for b in ((0, 0), (1, 0), (-1, 1), (0, -1), (4, 3))
    },
    "trace": (X, lambda tf, x: tf.linalg.trace(x)),
    "matvec": (X, lambda tf, x: tf.linalg.matvec(x, X[0, 0])),
    "matvec transposed": (X, lambda tf, x: tf.linalg.matvec(x, X[:, :, 0], transpose_a=True)),
    "average": (X, lambda tf, x: tf.nn.compute_average_loss(x)),
    "average of more": (X, lambda tf, x: tf.nn.compute_average_loss(x, global_batch_size=8)),
    "regularization": (X, lambda tf, x: tf.nn.scale_regularization_loss(x)),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_values_and_slopes_are_tensorflows(name, tf):
    given, function = SMOOTH[name]
    found = []
    for library in (mt, tf):
        x = library.constant(given)
        with library.GradientTape() as tape:
            tape.watch(x)
            y = function(library, x)
        g = np.random.default_rng(1).normal(size=y.shape)
        slope = tape.gradient(y, x, output_gradients=library.constant(g))
        found.append((y.numpy(), slope.numpy()))
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


ALL_OVER = {  # diagonals that leave nothing of x, or of which nothing is
    **{
        f"set_diag {sizes}": ((sizes, (*sizes[:-2], min(sizes[-2:]))), "set_diag", {})
        for sizes in ((1, 1), (3, 1, 1), (2, 0, 3), (0, 2), (3, 0), (0, 2, 2))
    },
    "set_diag of all": (((2, 2), (3, 2)), "set_diag", {"k": (-1, 1)}),
    **{f"diag_part {s}": ((s,), "diag_part", {}) for s in ((1, 1), (2, 0), (0, 2, 3))},
    **{f"diag {s}": ((s,), "diag", {"padding_value": 0.5}) for s in ((1,), (0,), (3, 0))},
}


@pytest.mark.parametrize("name", ALL_OVER)
def test_diagonals_that_are_all_or_nothing_have_slopes_of_zeros(name, tf):
    sizes, op, settings = ALL_OVER[name]
    arrays = [np.random.default_rng(2).normal(size=size) for size in sizes]
    found = []
    for library in (mt, tf):
        xs = [library.constant(array) for array in arrays]
        with library.GradientTape() as tape:
            tape.watch(xs)
            y = getattr(library.linalg, op)(*xs, **settings)
        found.append([y.numpy(), *(g.numpy() for g in tape.gradient(y, xs))])
    for ours, theirs in zip(*found, strict=True):
        assert ours.shape == theirs.shape
        np.testing.assert_array_equal(ours, theirs)


COUNTS = {
    **{
        f"bincount {s}": lambda tf, s=s: tf.math.bincount(N, **s)
        for s in ({}, {"axis": -1}, {"minlength": 6}, {"maxlength": 3}, {"binary_output": True})
    },
    "bincount of weights": lambda tf: tf.math.bincount(N, np.float32(N) / 2),
    "bincount of nothing": lambda tf: tf.math.bincount(tf.constant([], tf.int32), minlength=2),
    "confusion_matrix": lambda tf: tf.math.confusion_matrix([0, 1, 2], [0, 2, 2]),
    "confusion_matrix of weights": lambda tf: tf.math.confusion_matrix(
        [[0], [1]], [0, 1], 3, [0.5, 2.0], tf.float32
    ),
    "searchsorted": lambda tf: [
        tf.searchsorted([1, 3, 3, 5], [0, 3, 9], side) for side in ("left", "right")
    ],
    "searchsorted rows": lambda tf: tf.searchsorted(
        [[1, 3], [2, 4]], [[3], [3]], out_type=tf.int64
    ),
    "sequence_mask": lambda tf: [
        tf.sequence_mask([1, 3, 2]),
        tf.sequence_mask([[1], [0]], 2, tf.float32),
        tf.sequence_mask(2),
        tf.sequence_mask(tf.constant([], tf.int32)),
    ],
    "saturate_cast": lambda tf: [
        tf.saturate_cast([300.0, -5.0, 1.7], tf.uint8),
        tf.saturate_cast([3e9, -3e9], tf.int32),
        tf.saturate_cast([300, -5], tf.int8),
        tf.saturate_cast([1e10, -np.inf], tf.float16),
        tf.saturate_cast([3e9, 5e9], tf.uint32),
        tf.saturate_cast(np.array([2**40]), tf.int32),
    ],
    "weighted average": lambda tf: tf.nn.compute_average_loss(
        np.float32(X[:, 0]), sample_weight=np.float32([1, 2])
    ),
}


@pytest.mark.parametrize("name", COUNTS)
def test_counts_are_tensorflows(name, tf):
    ours, theirs = (COUNTS[name](library) for library in (mt, tf))
    pairs = zip(ours, theirs, strict=True) if isinstance(ours, list) else [(ours, theirs)]
    for mine, yours in pairs:
        assert mine.dtype.name == yours.dtype.name
        assert mine.shape == tuple(yours.shape)
        np.testing.assert_allclose(mine.numpy(), yours.numpy(), rtol=1e-6)


REFUSED = {
    "a vector": lambda tf: tf.linalg.diag_part([1.0]),
    "trace of a vector": lambda tf: tf.linalg.trace([1.0]),
    "no such diagonal": lambda tf: tf.linalg.diag_part(X, k=3),
    "too long": lambda tf: tf.linalg.set_diag(X, np.ones((2, 4))),
    "too few rows": lambda tf: tf.linalg.diag([1.0, 2.0], num_rows=1),
    "inconsistent": lambda tf: tf.linalg.diag([1.0, 2.0], num_rows=3, num_cols=4),
    "too many": lambda tf: tf.linalg.band_part(X, 5, 0),
    "negative": lambda tf: tf.math.bincount([-1, 2]),
    "out of bound": lambda tf: tf.math.confusion_matrix([0, 1], [0, 2], 2),
    "negative class": lambda tf: tf.math.confusion_matrix([-1], [0]),
    "side": lambda tf: tf.searchsorted([1], [1], "x"),
    "scalar": lambda tf: tf.searchsorted([1, 3], 2),
    "rows": lambda tf: tf.searchsorted([[1, 3]], [[3], [3]]),
    "bool": lambda tf: tf.saturate_cast([1], tf.bool),
    "no axes": lambda tf: tf.nn.compute_average_loss(1.0),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_tensorflow_refuses_is_refused(name, tf):
    with pytest.raises(Exception):  # noqa: B017, PT011 (its own kinds of error)
        REFUSED[name](tf)
    with pytest.raises((TypeError, ValueError)):
        REFUSED[name](mt)


def test_a_number_beyond_int64_is_cut_where_tensorflow_overflows():
    assert mt.saturate_cast([1e30], mt.int64).numpy()[0] > 2**62
