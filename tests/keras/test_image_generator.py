"""ImageDataGenerator against Keras: the same draws, the same images, the same batches."""

import inspect
import warnings

import numpy as np
import pytest

import minitensor as mt

PIL = pytest.importorskip("PIL.Image", reason="images in files need pillow")
OURS = mt.keras.preprocessing.image
draw = np.random.default_rng(0)
X = draw.uniform(0, 255, size=(7, 9, 6, 3)).astype("float32")
Y = np.array([0, 1, 2, 0, 1, 2, 0])

SETTINGS = {
    "nothing": {},
    "rescale": {"rescale": 1 / 255},
    "rotation": {"rotation_range": 40},
    "shift": {"width_shift_range": 0.3, "height_shift_range": 0.2},
    "pixels": {"width_shift_range": 3, "height_shift_range": [1, 2]},
    "shear": {"shear_range": 20.0, "fill_mode": "reflect"},
    "zoom": {"zoom_range": 0.4, "fill_mode": "constant", "cval": 7.0},
    "zooms": {"zoom_range": [0.5, 0.9], "interpolation_order": 0},
    "wrap": {"rotation_range": 90, "width_shift_range": 0.9, "fill_mode": "wrap"},
    "flips": {"horizontal_flip": True, "vertical_flip": True},
    "channels": {"channel_shift_range": 60.0},
    "brightness": {"brightness_range": (0.3, 1.7)},
    "all": {
        "rotation_range": 30,
        "width_shift_range": 0.2,
        "shear_range": 5,
        "zoom_range": 0.2,
        "channel_shift_range": 20,
        "horizontal_flip": True,
        "brightness_range": (0.5, 1.5),
        "rescale": 1 / 255,
    },
    "samplewise": {"samplewise_center": True, "samplewise_std_normalization": True},
    "function": {"preprocessing_function": lambda x: x[::-1] * 0.5},
}


def generators(tf, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [k.preprocessing.image.ImageDataGenerator(**settings) for k in (mt.keras, tf.keras)]


def same(ours, theirs, size=255.0):
    a, b = np.asarray(ours), np.asarray(theirs)
    assert (a.shape, a.dtype) == (b.shape, b.dtype)
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=2e-5 * size)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
def test_batches_are_those_of_keras(tf, settings, layout):
    if layout == "channels_first" and "brightness_range" in settings:
        pytest.skip("Keras lights images with their channels last only")
    x = X if layout == "channels_last" else X.transpose(0, 3, 1, 2)
    ours, theirs = generators(tf, data_format=layout, **settings)
    flows = [g.flow(x, Y, batch_size=3, seed=4) for g in (ours, theirs)]
    assert len(flows[0]) == len(flows[1]) == 3
    for _ in range(5):
        for a, b in zip(*(next(flow) for flow in flows), strict=True):
            same(a, b)
    flows = [g.flow(x, batch_size=3, shuffle=False, seed=1) for g in (ours, theirs)]
    for i in (2, 0):
        same(flows[0][i], flows[1][i])


def test_without_a_seed_numpy_s_shared_generator_says_all(tf):
    found = []
    for g in generators(tf, rotation_range=20, horizontal_flip=True):
        np.random.seed(3)  # noqa: NPY002 -- as programs for Keras 2 do
        flow = g.flow(X, Y, batch_size=4)
        found.append([next(flow), next(flow), g.random_transform(X[0]), flow[1]])
    same(found[0][0][0], found[1][0][0])
    same(found[0][1][1], found[1][1][1])
    same(found[0][2], found[1][2])
    same(found[0][3][0], found[1][3][0])


@pytest.mark.parametrize(
    "settings",
    [
        {"featurewise_center": True},
        {"featurewise_std_normalization": True},
        {"zca_whitening": True, "zca_epsilon": 1e-2},
        {"featurewise_center": True, "rescale": 0.5},
    ],
)
@pytest.mark.parametrize("augment", [False, True])
def test_what_fit_finds_is_what_keras_finds(tf, settings, augment):
    small = X[:, :3, :3]
    both = generators(tf, rotation_range=10, **settings)
    for g in both:
        g.fit(small, augment=augment, rounds=2, seed=5)
    for name in ("mean", "std", "zca_whitening_matrix"):
        a, b = (getattr(g, name) for g in both)
        assert (a is None) == (b is None)
        if b is not None:
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3)
    a, b = (next(g.flow(small, batch_size=7, seed=2)) for g in both)
    np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("subset", ["training", "validation"])
def test_subsets_weights_and_more_inputs(tf, subset):
    found = []
    for g in generators(tf, validation_split=0.45, rescale=2.0):
        flow = g.flow((X, np.arange(7)), Y, 3, subset=subset, shuffle=False)
        found.append([flow.n, *next(flow)[0], next(flow)[1]])
        weighted = g.flow(X, Y, 3, sample_weight=np.arange(7.0), shuffle=False)
        found[-1] += next(weighted)
    for a, b in zip(*found, strict=True):
        same(a, b)


@pytest.fixture
def folder(tmp_path):
    for name, count in (("cats", 5), ("dogs", 3), ("owls", 4)):
        (tmp_path / name / "more").mkdir(parents=True)
        for i in range(count):
            pixels = draw.integers(0, 255, size=(8, 7, 3)).astype("uint8")
            place = tmp_path / name / ("more" if i == 2 else "") / f"{i}.png"
            PIL.fromarray(pixels).save(place)
        (tmp_path / name / "note.txt").write_text("no image")
    return tmp_path


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"class_mode": "sparse", "color_mode": "grayscale", "interpolation": "bilinear"},
        {"class_mode": "binary", "classes": ["owls", "cats"], "color_mode": "rgba"},
        {"class_mode": None, "shuffle": False},
        {"class_mode": "input", "subset": "training"},
        {"subset": "validation", "keep_aspect_ratio": True},
    ],
)
def test_folders_are_read_as_by_keras(tf, folder, capsys, options):
    found = []
    for g in generators(tf, rotation_range=20, rescale=1 / 255, validation_split=0.4):
        flow = g.flow_from_directory(folder, target_size=(6, 5), batch_size=4, seed=3, **options)
        found.append((flow, next(flow), next(flow)))
    said = capsys.readouterr().out.splitlines()
    assert said[0] == said[1]
    (ours, *mine), (theirs, *other) = found
    for name in ("samples", "num_classes", "class_indices", "image_shape", "filenames"):
        assert getattr(ours, name) == getattr(theirs, name)
    same(ours.classes, theirs.classes)
    assert list(map(str, ours.filepaths)) == list(map(str, theirs.filepaths))
    for a, b in zip(mine, other, strict=True):
        pairs = zip(a, b, strict=True) if isinstance(a, tuple) else [(a, b)]
        for one, two in pairs:
            same(one, two, 1.0)


def test_images_are_kept_and_models_learn_from_them(folder, tmp_path):
    g = OURS.ImageDataGenerator(rescale=1 / 255, horizontal_flip=True)
    (tmp_path / "kept").mkdir()
    flow = g.flow_from_directory(
        folder, (8, 8), classes=["cats", "dogs"], batch_size=4, save_to_dir=tmp_path / "kept"
    )
    layers = mt.keras.layers
    model = mt.keras.Sequential([layers.Flatten(), layers.Dense(2, activation="softmax")])
    model.compile("sgd", "categorical_crossentropy")
    history = model.fit(flow, epochs=2, verbose=0)
    assert len(history.history["loss"]) == 2
    assert len(list((tmp_path / "kept").iterdir())) >= 8
    assert model.predict(flow, verbose=0).shape == (8, 2)
    assert len(model.fit(flow, steps_per_epoch=1, epochs=1, verbose=0).history["loss"]) == 1


def test_an_affine_map_takes_any_axes(tf):
    theirs = tf.keras.preprocessing.image.apply_affine_transform
    for mode in ("nearest", "constant", "reflect", "wrap"):
        for order in (0, 1):
            given = {"theta": 33, "tx": 2.3, "ty": -5.1, "shear": 9, "zx": 0.7, "zy": 1.4}
            given |= {"fill_mode": mode, "order": order, "cval": 3.0}
            axes = {"row_axis": 0, "col_axis": 1, "channel_axis": 2}
            same(OURS.apply_affine_transform(X[0], **given, **axes), theirs(X[0], **given, **axes))


@pytest.mark.parametrize("name", ["ImageDataGenerator", "NumpyArrayIterator", "DirectoryIterator"])
def test_arguments_are_keras_s(tf, name):
    ours, theirs = (
        inspect.signature(getattr(k.preprocessing.image, name)) for k in (mt.keras, tf.keras)
    )
    assert [(p.name, p.default) for p in ours.parameters.values()] == [
        (p.name, p.default) for p in theirs.parameters.values()
    ]
    for method in ("flow", "flow_from_directory", "fit") if name == "ImageDataGenerator" else ():
        ours, theirs = (
            inspect.signature(getattr(k.preprocessing.image.ImageDataGenerator, method))
            for k in (mt.keras, tf.keras)
        )
        assert [(p.name, p.default) for p in ours.parameters.values()] == [
            (p.name, p.default) for p in theirs.parameters.values()
        ]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: OURS.ImageDataGenerator(zoom_range=(1, 2, 3)), "zoom_range"),
        (lambda: OURS.ImageDataGenerator(data_format="x"), "data_format"),
        (lambda: OURS.ImageDataGenerator(validation_split=1.5), "validation_split"),
        (lambda: OURS.ImageDataGenerator(brightness_range=1.0), "brightness_range"),
        (lambda: OURS.ImageDataGenerator().flow(X[0]), "rank 4"),
        (lambda: OURS.ImageDataGenerator().flow(X, Y[:3]), "same length"),
        (lambda: OURS.ImageDataGenerator().flow(X, subset="both"), "subset"),
        (
            lambda: OURS.ImageDataGenerator(validation_split=0.2).flow(X, Y, subset="training"),
            "class",
        ),
        (lambda: OURS.ImageDataGenerator().fit(X[0]), "rank 4"),
        (lambda: OURS.ImageDataGenerator(fill_mode="x", shear_range=1).flow(X)[0], "fill_mode"),
        (lambda: OURS.ImageDataGenerator().flow(X)[1], "length 1"),
    ],
)
def test_what_does_not_fit_is_refused(wrong, says):
    with pytest.raises(ValueError, match=says):
        wrong()
