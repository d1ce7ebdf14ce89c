"""Poolings, borders and larger images against Keras: values, gradients, sizes, refusals."""

import numpy as np
import pytest
from keras_peer import assert_same

import minitensor as mt

LAYERS = mt.keras.layers
SIZES = {1: (9,), 2: (7, 6), 3: (4, 5, 6)}


def images(rank, first=False):
    """Seeded signals, images or volumes of 3 channels."""
    shape = (2, 3, *SIZES[rank]) if first else (2, *SIZES[rank], 3)
    return np.random.default_rng(rank).normal(size=shape)


def same(tf, name, settings, x, **options):
    def make(keras):
        return getattr(keras.layers, name)(**settings)

    ours, theirs = assert_same(tf, make, x, **options)
    assert tuple(ours.compute_output_shape(x.shape)) == tuple(ours(x).shape)
    unknown = (None,) * x.ndim if "Global" in name else (None, *x.shape[1:-1], None)
    assert tuple(ours.compute_output_shape(unknown)) == tuple(theirs.compute_output_shape(unknown))


def assert_first_is_last(name, settings, rank):
    """channels_first gives, and gives back, the transposed numbers of channels_last."""
    x = images(rank)
    to_first, to_last = (0, rank + 1, *range(1, rank + 1)), (0, *range(2, rank + 2), 1)
    results = []
    for data_format, image in (("channels_last", x), ("channels_first", x.transpose(to_first))):
        image = mt.constant(image)
        layer = getattr(LAYERS, name)(**settings, data_format=data_format, dtype="float64")
        with mt.GradientTape() as tape:
            tape.watch(image)
            y = layer(image)
            loss = mt.reduce_sum(mt.sin(y))
        assert layer.compute_output_shape(image.shape) == tuple(y.shape)
        results.append([y.numpy(), tape.gradient(loss, image).numpy()])
    turned = [t if t.ndim == 2 else t.transpose(to_last) for t in results[1]]
    for mine, other in zip(results[0], turned, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("kind", ["Max", "Average"])
@pytest.mark.parametrize(
    "settings",
    [
        {"pool_size": 2},
        {"pool_size": 3, "strides": 2, "padding": "same"},
        {"pool_size": 2, "strides": 1, "padding": "SAME"},
        {"pool_size": (3, 2, 2), "strides": (1, 2, 1)},
    ],
)
def test_a_pooling_is_keras_s(tf, kind, rank, settings):
    cut = {key: v[:rank] if isinstance(v, tuple) else v for key, v in settings.items()}
    cut |= {"padding": cut.get("padding", "valid").lower()}  # Keras takes no other case here
    dtype = "float32" if rank == 3 else "float64"  # TensorFlow has no other volumes on a CPU
    same(tf, f"{kind}Pooling{rank}D", cut, images(rank), dtype=dtype)
    assert_first_is_last(f"{kind}Pooling{rank}D", cut | {"padding": cut["padding"].upper()}, rank)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("kind", ["Max", "Average"])
@pytest.mark.parametrize("keepdims", [False, True])
def test_a_global_pooling_is_keras_s(tf, kind, rank, keepdims):
    name = f"Global{kind}Pooling{rank}D"
    same(tf, name, {"keepdims": keepdims}, images(rank))
    same(tf, name, {"keepdims": keepdims, "data_format": "channels_first"}, images(rank, True))


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("kind", ["Max", "Average"])
@pytest.mark.parametrize("size", [(4, 3, 5), (1, 4, 2), (7, 2, 3)])
def test_an_adaptive_pooling_is_keras_s(tf, kind, rank, size):
    name, settings = f"Adaptive{kind}Pooling{rank}D", {"output_size": size[:rank]}
    dtype = "float32" if rank == 3 else "float64"
    grads = kind == "Average"  # TensorFlow's of the maximum are partly memory nobody wrote
    same(tf, name, settings, images(rank), dtype=dtype, grads=grads)
    assert_first_is_last(name, settings, rank)


@pytest.mark.parametrize("reduce", [mt.reduce_max, mt.reduce_mean])
def test_an_adaptive_pooling_reduces_slices_and_sends_gradients_back_to_them(reduce):
    """Paper arithmetic: 7 pixels for 3 windows are 0-2, 2-4, 4-6; 5 for 2 are 0-2, 2-4."""
    name = {"reduce_max": "Max", "reduce_mean": "Average"}[reduce.__name__]
    layer = getattr(LAYERS, f"Adaptive{name}Pooling2D")((3, 2), dtype="float64")
    x = mt.constant(np.random.default_rng(0).normal(size=(1, 7, 5, 2)))
    with mt.GradientTape(persistent=True) as tape:
        tape.watch(x)
        windows = [reduce(x[:, i : i + 3, j : j + 3], [1, 2]) for i in (0, 2, 4) for j in (0, 2)]
        expected = mt.reshape(mt.stack(windows, axis=1), (1, 3, 2, 2))
        y = layer(x)
        losses = [mt.reduce_sum(mt.sin(t)) for t in (y, expected)]
    np.testing.assert_allclose(y.numpy(), expected.numpy(), rtol=1e-12)
    mine, other = (tape.gradient(loss, x).numpy() for loss in losses)
    np.testing.assert_allclose(mine, other, rtol=1e-12, atol=1e-15)


def test_the_maximum_of_integers_stays_an_integer_and_the_global_mean_does_not(tf):
    x = np.random.default_rng(0).integers(0, 255, (1, 4, 4, 3)).astype(np.uint8)
    for name in ("GlobalMaxPooling2D", "GlobalAveragePooling2D"):

        def make(keras, name=name):
            return getattr(keras.layers, name)()

        assert_same(tf, make, x, dtype="float32", grads=False)
    assert LAYERS.MaxPooling2D()(x).dtype == mt.uint8
    with pytest.raises(TypeError, match=r"uint8.*tf\.cast.*Rescaling"):
        LAYERS.AveragePooling2D(2)(x)


@pytest.mark.parametrize(
    ("name", "settings", "rank"),
    [
        ("ZeroPadding1D", {}, 1),
        ("ZeroPadding1D", {"padding": (2, 0)}, 1),
        ("ZeroPadding2D", {}, 2),
        ("ZeroPadding2D", {"padding": 2}, 2),
        ("ZeroPadding2D", {"padding": ((0, 1), (2, 3))}, 2),
        ("ZeroPadding2D", {"padding": (1, 2)}, 2),
        ("ZeroPadding3D", {}, 3),
        ("ZeroPadding3D", {"padding": (0, 1, 2)}, 3),
        ("ZeroPadding3D", {"padding": ((0, 1), (2, 3), (1, 0))}, 3),
        ("Cropping2D", {}, 2),
        ("Cropping2D", {"cropping": 2}, 2),
        ("Cropping2D", {"cropping": ((0, 1), (2, 3))}, 2),
        ("Cropping2D", {"cropping": (1, 0)}, 2),
        ("Cropping3D", {}, 3),
        ("Cropping3D", {"cropping": ((0, 1), (2, 0), (1, 1))}, 3),
        ("UpSampling2D", {}, 2),
        ("UpSampling2D", {"size": (1, 3)}, 2),
        ("UpSampling3D", {}, 3),
        ("UpSampling3D", {"size": (1, 2, 3)}, 3),
    ],
)
def test_borders_and_repetitions_are_keras_s(tf, name, settings, rank):
    same(tf, name, settings, images(rank))
    same(tf, name, settings | {"data_format": "channels_first"}, images(rank, first=True))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("Cropping1D", {}),
        ("Cropping1D", {"cropping": (0, 3)}),
        ("Cropping1D", {"cropping": 2}),
        ("UpSampling1D", {}),
        ("UpSampling1D", {"size": 3}),
    ],
)
def test_what_has_no_data_format_is_keras_s_too(tf, name, settings):
    same(tf, name, settings, images(1))


@pytest.mark.parametrize("method", ["bilinear", "bicubic", "lanczos3", "lanczos5", "area"])
def test_interpolated_images_are_keras_s(tf, method):
    differentiable = method in ("bilinear", "bicubic")  # in TensorFlow; here all are
    settings = {"size": (2, 3), "interpolation": method}
    options = {"dtype": "float32", "tolerance": 1e-5, "grads": differentiable}
    if method == "bicubic":  # TensorFlow reads its weights from a table of 1024 distances
        options["tolerance"] = 2e-3
    same(tf, "UpSampling2D", settings, images(2), **options)
    settings |= {"data_format": "channels_first"}
    same(tf, "UpSampling2D", settings, images(2, first=True), **options)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "lanczos3"])
def test_larger_images_of_integers_stay_integers(tf, interpolation):
    x = np.random.default_rng(0).integers(0, 255, (1, 3, 4, 2)).astype(np.uint8)

    def make(keras):
        return keras.layers.UpSampling2D(2, interpolation=interpolation)

    assert_same(tf, make, x, grads=False)


def test_a_pooling_knows_its_receptive_field():
    assert LAYERS.MaxPooling2D((3, 2), (2, 1)).receptive_field == ((3, 2), (2, 1))
    assert LAYERS.AveragePooling1D(4).receptive_field == ((4, 4),)
    assert LAYERS.UpSampling2D().receptive_field is None


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: LAYERS.MaxPooling2D(0), "`pool_size`.*pool_size=0"),
        (lambda: LAYERS.MaxPooling2D((2, 2, 2)), "`pool_size`.*tuple of 2"),
        (lambda: LAYERS.MaxPooling2D(2, 0), "`strides`.*strides=0"),
        (lambda: LAYERS.MaxPooling1D(2, padding="causal"), "`padding`.*'causal'"),
        (lambda: LAYERS.AveragePooling3D(2, data_format="NHWC"), "`data_format`.*'NHWC'"),
        (
            lambda: LAYERS.MaxPooling2D(5)(np.ones((1, 4, 4, 1))),
            "5, 5. pixels.*smaller kernel",
        ),
        (lambda: LAYERS.GlobalMaxPooling2D()(np.ones((1, 4, 1))), "ndim=4, found ndim=3"),
        (lambda: LAYERS.ZeroPadding2D("a"), "`padding`.*tuple of 2.*'a'"),
        (lambda: LAYERS.ZeroPadding2D((1, 2, 3)), r"`padding`.*\(1, 2, 3\)"),
        (lambda: LAYERS.ZeroPadding2D(-1), "padding.*at least 0"),
        (lambda: LAYERS.ZeroPadding1D(True), "padding.*True"),
        (lambda: LAYERS.Cropping2D(((1, 2), (3, 4, 5))), r"cropping.*\(3, 4, 5\)"),
        (lambda: LAYERS.Cropping2D(2)(np.ones((1, 4, 5, 1))), "`cropping`.*smaller.*4, 5"),
        (lambda: LAYERS.Cropping2D().compute_output_shape((4, 5, 1)), r"4 axes.*\(4, 5, 1\)"),
        (lambda: LAYERS.MaxPooling1D().compute_output_shape((4, 5)), r"3 axes.*\(4, 5\)"),
        (lambda: LAYERS.UpSampling2D(0), "`size`.*size=0"),
        (lambda: LAYERS.UpSampling1D(2.5), r"`size`.*2\.5"),
        (lambda: LAYERS.UpSampling1D([2]), r"`size`.*\[2\]"),
        (lambda: LAYERS.UpSampling1D((2,)), r"`size`.*\(2,\)"),
        (lambda: LAYERS.UpSampling2D(2, interpolation="mitchell"), "`interpolation`.*'mitchell'"),
    ],
)
def test_what_is_not_legal_is_named(make, words):
    with pytest.raises((ValueError, TypeError), match=words):
        make()


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("MaxPooling2D", {"pool_size": 3}),
        ("AveragePooling1D", {"pool_size": 3, "strides": 1}),
        ("GlobalMaxPooling3D", {"keepdims": True}),
        ("ZeroPadding1D", {}),
        ("ZeroPadding2D", {"padding": (1, 2)}),
        ("Cropping1D", {"cropping": 2}),
        ("Cropping3D", {"cropping": 2}),
        ("UpSampling1D", {}),
        ("UpSampling2D", {"size": 3}),
    ],
)
def test_the_config_is_keras_s_and_makes_the_same_layer(tf, name, settings):
    ours = getattr(LAYERS, name)(**settings, name="one")
    theirs = getattr(tf.keras.layers, name)(**settings, name="one").get_config()
    mine = ours.get_config()
    for key in theirs.keys() - {"dtype"}:
        assert mine[key] == theirs[key], key
    assert type(ours).from_config(mine).get_config() == mine
