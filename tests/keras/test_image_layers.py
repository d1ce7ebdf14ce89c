"""The layers that resize, cut and disturb images: their arithmetic against Keras, their draws."""

import numpy as np
import pytest
from keras_peer import assert_same, close

import minitensor as mt
from minitensor.keras.layers.random_geometry import affine

LAYERS = mt.keras.layers
draw = np.random.default_rng(0)
X = draw.uniform(0, 255, (3, 7, 6, 2)).astype("float32")
BYTES = draw.integers(0, 256, (2, 7, 6, 3)).astype("uint8")


def first(x):
    """The same images with the channels first."""
    return np.moveaxis(x, -1, 1)


# ----- size -----


@pytest.mark.parametrize(
    "make",
    [
        lambda k: k.layers.Resizing(4, 9),
        lambda k: k.layers.Resizing(4, 9, interpolation="nearest"),
        lambda k: k.layers.Resizing(4, 3, interpolation="lanczos3", antialias=True),
        lambda k: k.layers.Resizing(4, 4, crop_to_aspect_ratio=True),
        lambda k: k.layers.Resizing(3, 8, crop_to_aspect_ratio=True),
        lambda k: k.layers.Resizing(10, 10, pad_to_aspect_ratio=True, fill_value=3.0),
        lambda k: k.layers.Resizing(4, 16, pad_to_aspect_ratio=True),
        lambda k: k.layers.CenterCrop(4, 3),
        lambda k: k.layers.CenterCrop(7, 6),
        lambda k: k.layers.CenterCrop(4, 8),
        lambda k: k.layers.CenterCrop(9, 3),
    ],
)
def test_sizes_are_changed_as_by_keras(tf, make):
    ours, theirs = assert_same(tf, make, X, training=None, dtype="float32")
    assert ours.compute_output_shape((None, None, 6, 2)) == theirs.compute_output_shape(
        (None, None, 6, 2)
    )
    assert_same(tf, make, X[0], training=None, dtype="float32", grads=False)


def test_methods_that_tensorflow_has_no_derivative_of_or_only_a_table(tf):
    make = lambda k: k.layers.Resizing(4, 9, interpolation="area")  # noqa: E731
    assert_same(tf, make, X, training=None, dtype="float32", grads=False)
    make = lambda k: k.layers.Resizing(14, 5, interpolation="bicubic")  # noqa: E731
    assert_same(tf, make, X, training=None, dtype="float32", tolerance=1e-3)


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest", "bicubic"])
def test_resized_bytes_stay_bytes(tf, interpolation):
    ours, theirs = (k.layers.Resizing(5, 9, interpolation) for k in (mt.keras, tf.keras))
    a, b = np.asarray(ours(BYTES)), np.asarray(theirs(BYTES))
    assert a.dtype == b.dtype == np.uint8
    away = np.abs(a.astype(int) - b)  # 1 where a number is as near to both integers
    assert away.max() <= (interpolation != "nearest")
    assert away.mean() < 0.04
    assert np.asarray(LAYERS.CenterCrop(2, 2)(BYTES)).dtype == np.float32


def test_sizes_are_changed_with_the_channels_first(tf):
    for make in (
        lambda k, order: k.layers.Resizing(4, 9, data_format=order),
        lambda k, order: k.layers.CenterCrop(4, 3, data_format=order),
        lambda k, order: k.layers.RandomTranslation(0.5, 0.5, seed=2, data_format=order),
    ):
        last = make(mt.keras, "channels_last")(X)
        ours = make(mt.keras, "channels_first")
        close(np.asarray(ours(first(X))), first(np.asarray(last)), 1e-6)
        shape = ours.compute_output_shape((None, 2, 7, 6))
        assert shape == (None, *first(np.asarray(last)).shape[1:])


def test_a_random_crop_is_one_box_for_the_whole_batch():
    x = np.arange(2 * 8 * 9, dtype="float32").reshape(2, 8, 9, 1)
    layer, seen = LAYERS.RandomCrop(3, 4, seed=0), set()
    for _ in range(100):
        y = layer(x, training=True).numpy()[..., 0]
        top, left = divmod(int(y[0, 0, 0]), 9)
        assert (y == x[:, top : top + 3, left : left + 4, 0]).all()
        seen.add((top, left))
    assert {top for top, _ in seen} == set(range(6))
    assert {left for _, left in seen} == set(range(6))
    assert (layer(x, training=False).numpy() == x).all()


@pytest.mark.parametrize("size", [(7, 4), (5, 6), (9, 4), (9, 9), (7, 6)])
def test_images_too_small_for_a_random_crop_are_resized_as_by_keras(tf, size):
    assert_same(tf, lambda k: k.layers.RandomCrop(*size), X, training=True, dtype="float32")


# ----- colours -----


@pytest.mark.parametrize("value_range", [(0, 255), [0.0, 1.0]])
def test_brightness_moves_by_a_share_of_the_range(tf, value_range):
    for f in (0.25, -0.5):
        assert_same(
            tf,
            lambda k, f=f: k.layers.RandomBrightness((f, f), value_range),
            X / 255 * value_range[1],
            training=True,
            dtype="float32",
        )


def test_contrast_is_scaled_around_the_mean_of_each_channel(tf):
    factors = np.array([0.5, 1.0, 1.7], "float32").reshape(3, 1, 1, 1)
    ours = LAYERS.RandomContrast(0.5).contrasted(mt.constant(X), mt.constant(factors)).numpy()
    theirs = tf.keras.layers.RandomContrast(0.5).transform_images(
        tf.constant(X), {"contrast_factor": factors}
    )
    close(ours, np.asarray(theirs), 1e-5)


def test_each_image_has_its_own_number_within_the_limits():
    x = np.full((2000, 1, 1, 1), 100, "float32")
    moved = LAYERS.RandomBrightness((-0.1, 0.3), seed=0)(x, training=True).numpy().ravel() - 100
    assert -25.5 <= moved.min() < -25 < 76 < moved.max() <= 76.5
    assert abs(moved.mean() - 25.5) < 2
    pair = np.array([90, 110], "float32").reshape(1, 1, 2, 1).repeat(2000, 0)
    y = LAYERS.RandomContrast((0.2, 0.5), seed=0)(pair, training=True).numpy()
    scale = (y[:, 0, 1, 0] - y[:, 0, 0, 0]) / 20
    assert 0.8 <= scale.min() < 0.81 < 1.49 < scale.max() <= 1.5


# ----- geometry -----

MODES = ("reflect", "wrap", "constant", "nearest")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
@pytest.mark.parametrize(
    "make",
    [
        lambda k, *a: k.layers.RandomRotation((0.1, 0.1), *a, fill_value=9.0),
        lambda k, *a: k.layers.RandomRotation((-0.37, -0.37), *a),
        lambda k, *a: k.layers.RandomZoom((0.2, 0.2), None, *a),
        lambda k, *a: k.layers.RandomZoom((-0.3, -0.3), (0.9, 0.9), *a, fill_value=9.0),
        lambda k, *a: k.layers.RandomTranslation((0.31, 0.31), (-0.52, -0.52), *a),
        lambda k, *a: k.layers.RandomTranslation((-0.97, -0.97), (0.9, 0.9), *a, fill_value=9.0),
    ],
)
def test_pixels_are_moved_as_by_keras(tf, make, mode, interpolation):
    close(
        make(mt.keras, mode, interpolation)(X, training=True).numpy(),
        np.asarray(make(tf.keras, mode, interpolation)(X, training=True)),
        1e-5,
    )


@pytest.mark.parametrize("mode", MODES)
def test_places_far_outside_are_found_as_by_tensorflow(tf, mode):
    maps = np.array([[3.3, 0.4, -17.2, 0.3, -2.9, 11.4]] * 3, "float32")
    for interpolation in ("bilinear", "nearest"):
        theirs = tf.raw_ops.ImageProjectiveTransformV3(
            images=X,
            transforms=np.pad(maps, [(0, 0), (0, 2)]),
            output_shape=X.shape[1:3],
            fill_value=5.0,
            interpolation=interpolation.upper(),
            fill_mode=mode.upper(),
        )
        ours = affine(mt.constant(X), maps, interpolation, mode, 5.0)
        close(ours.numpy(), np.asarray(theirs), 2e-5)


def test_moved_pixels_have_the_derivative_of_what_was_computed():
    for mode in MODES:
        layer = LAYERS.RandomRotation((0.1, 0.1), mode, dtype="float64")
        x = mt.constant(X[:1, :4, :4].astype("float64"))
        mt.check_gradients(lambda x, layer=layer: layer(x, training=True), x)


def test_a_flip_mirrors_half_of_the_images(tf):
    x = np.arange(4, dtype="float32").reshape(1, 2, 2, 1).repeat(400, 0)
    for mode, mirrored in (
        ("horizontal", [1, 0, 3, 2]),
        ("vertical", [2, 3, 0, 1]),
        ("horizontal_and_vertical", [3, 2, 1, 0]),
    ):
        for keras in (mt.keras, tf.keras):
            y = np.asarray(keras.layers.RandomFlip(mode, seed=1)(x, training=True)).reshape(400, 4)
            flipped = (y == mirrored).all(axis=1)
            assert (flipped | (y == [0, 1, 2, 3]).all(axis=1)).all()
            assert 150 < flipped.sum() < 250


@pytest.mark.parametrize(
    "make",
    [
        lambda: LAYERS.RandomFlip(seed=3),
        lambda: LAYERS.RandomRotation(0.3, seed=3),
        lambda: LAYERS.RandomZoom(0.3, 0.2, seed=3),
        lambda: LAYERS.RandomTranslation(0.3, 0.2, seed=3),
        lambda: LAYERS.RandomContrast(0.3, seed=3),
        lambda: LAYERS.RandomBrightness(0.3, seed=3),
    ],
)
def test_each_image_and_each_call_has_its_own_draw_and_each_run_the_same(make):
    x = X[:1].repeat(8, 0)
    one, other = make(), make()
    a, b = (one(x, training=True).numpy() for _ in range(2))
    assert any((a[0] != image).any() for image in a)
    assert (a != b).any()
    assert (a == other(x, training=True).numpy()).all()
    assert (make()(x, training=False).numpy() == x).all()
    assert (make()(x).numpy() == a).all()  # called alone, they act, as in Keras
    assert make()(BYTES, training=True).dtype == np.float32


def test_augmentations_act_in_the_training_of_a_model_only():
    model = mt.keras.Sequential([LAYERS.RandomTranslation(0.5, 0.5, seed=0), LAYERS.Flatten()])
    flat = X.reshape(3, -1)
    assert (model(X, training=False).numpy() == flat).all()
    assert (model(X, training=True).numpy() != flat).any()


def test_settings_of_image_layers_are_checked_when_they_are_made():
    for make, message in (
        (lambda: LAYERS.RandomRotation(1.5), "in the range"),
        (lambda: LAYERS.RandomRotation([0.1, 0.2, 0.3]), "in the range"),
        (lambda: LAYERS.RandomZoom(-1.0), "in the range"),
        (lambda: LAYERS.RandomZoom(0.1, fill_mode="mirror"), "fill_mode"),
        (lambda: LAYERS.RandomTranslation(0.1, 0.1, interpolation="cubic"), "interpolation"),
        (lambda: LAYERS.RandomContrast(-0.5), "in the range"),
        (lambda: LAYERS.RandomBrightness(0.5, value_range=3), "value_range"),
        (lambda: LAYERS.RandomFlip("sideways"), "mode"),
        (lambda: LAYERS.Resizing(0, 3), "height"),
        (lambda: LAYERS.Resizing(3, 3, "cubic"), "interpolation"),
        (
            lambda: LAYERS.Resizing(3, 3, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True),
            "Only one of",
        ),
        (lambda: LAYERS.RandomFlip()(np.zeros((2, 2), "float32")), "rank 3 or 4"),
    ):
        with pytest.raises(ValueError, match=message):
            make()
