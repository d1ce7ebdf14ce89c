"""Normalization against Keras: what it learns from arrays and batches, values, configs, files."""

import numpy as np
import pytest
from keras_peer import assert_same, close, floatx

import minitensor as mt

draw = np.random.default_rng(0)
X = draw.normal(3.0, 2.0, size=(6, 4, 5, 3))


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("axis", [-1, None, 1, (1, -1), (3, 1), ()])
def test_it_learns_mean_and_variance_as_keras_does(tf, axis, invert):
    def make(k):
        layer = k.layers.Normalization(axis=axis, invert=invert)
        layer.adapt(X)
        return layer

    with floatx(tf, "float64"):
        ours, theirs = make(mt.keras), make(tf.keras)
        close(ours(X), theirs(X), 1e-12)
    close(ours.mean, theirs.mean, 1e-12)
    close(ours.variance, theirs.variance, 1e-12)
    for a, b in zip(ours.weights, theirs.weights, strict=True):
        assert (a.path.split("/")[-1], a.dtype.name) == (b.path.split("/")[-1], b.dtype)
        close(a, b, 1e-12)
    mine = ours.get_config()
    assert {n: v for n, v in theirs.get_config().items() if n not in ("name", "dtype")} == {
        n: v for n, v in mine.items() if n not in ("name", "dtype")
    }


@pytest.mark.parametrize(
    ("axis", "mean", "variance"),
    [
        (-1, 2.0, 4.0),
        (-1, [1.0, 2, 3], [1.0, 0, 4]),
        ((1, 3), [0.0, 1, 2], [1.0, 2, 3]),
        ((1, 3), X[0, :, 0], X[0, :, 0] ** 2),
        (None, 1.0, 0.0),
    ],
)
@pytest.mark.parametrize("invert", [False, True])
def test_given_moments_are_broadcast_as_by_keras(tf, axis, mean, variance, invert):
    def make(k):
        return k.layers.Normalization(axis, mean, variance, invert)

    ours, theirs = assert_same(tf, make, X)
    mine, other = ours.get_config(), theirs.get_config()
    assert [mine[n] for n in ("axis", "mean", "variance", "invert")] == [
        other[n] for n in ("axis", "mean", "variance", "invert")
    ]


class _Batches(mt.keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, i):
        return X[2 * i : 2 * i + 2], i


@pytest.mark.parametrize(
    "data",
    [
        lambda: mt.data.Dataset.from_tensor_slices(X).batch(4),
        lambda: mt.data.Dataset.from_tensor_slices((X, np.arange(6))).batch(4),
        lambda: [X[:1], X[1:2], X[2:]],
        lambda: ((x[None], 0) for x in X),
        _Batches,
        lambda: mt.constant(X),
    ],
)
def test_batches_are_weighted_by_their_sizes(data):
    layer = mt.keras.layers.Normalization(dtype="float64")
    layer.adapt(data())
    np.testing.assert_allclose(layer.mean.numpy().ravel(), X.mean((0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(layer.variance.numpy().ravel(), X.var((0, 1, 2)), rtol=1e-12)


def test_single_samples_of_a_data_set_are_batched():
    layer = mt.keras.layers.Normalization(axis=None)
    layer.adapt(mt.data.Dataset.from_tensor_slices(np.arange(300.0)))
    assert layer.mean.numpy().item() == 149.5


def test_files_pass_both_ways(tf, tmp_path):
    def model(k):
        layer = k.layers.Normalization(axis=-1)
        layer.adapt(X.astype("float32"))
        return k.Sequential([k.Input((4, 5, 3)), layer, k.layers.Flatten(), k.layers.Dense(2)])

    for writer, reader in ((mt.keras, tf.keras), (tf.keras, mt.keras)):
        written = model(writer)
        written.save(tmp_path / "m.keras")
        read = reader.models.load_model(tmp_path / "m.keras")
        close(read.predict(X, verbose=0), written.predict(X, verbose=0), 1e-5)
        written.save_weights(tmp_path / "m.weights.h5")
        fresh = model(reader)
        fresh.load_weights(tmp_path / "m.weights.h5")
        close(fresh.predict(X, verbose=0), written.predict(X, verbose=0), 1e-5)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda k: k.layers.Normalization(mean=1.0), "both `mean` and `variance`"),
        (lambda k: k.layers.Normalization(mean=1.0, variance=[1.0]), "same shape"),
        (lambda k: k.layers.Normalization(mean=[[1.0]], variance=[[1.0]]), "axes"),
        (lambda k: k.layers.Normalization(axis=4).adapt(X), r"\[-ndim, ndim\)"),
        (lambda k: k.layers.Normalization().build((None, None)), "known shape"),
        (lambda k: k.layers.Normalization().adapt([]), "no batches"),
        (lambda k: k.layers.Normalization().adapt([X, X[..., :2]]), "axis"),
        (lambda k: k.layers.Normalization(mean=0, variance=1).adapt(X), "already"),
    ],
)
def test_what_does_not_fit_is_refused(wrong, says):
    with pytest.raises(ValueError, match=says):
        wrong(mt.keras)
    with pytest.raises(TypeError, match="Received"):
        mt.keras.layers.Normalization().adapt(3)
