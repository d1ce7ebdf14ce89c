"""The networks of keras.applications: layer for layer, name for name, number for number Keras'."""

import functools
import json
from functools import partial

import h5py
import numpy as np
import pytest
from nets_peer import assert_same_net, draw_weights, images, lively, settle

import minitensor as mt
from minitensor.keras import applications
from minitensor.keras.engine import defaults
from minitensor.keras.serialization import names

NETS = ["VGG16", "VGG19", "ResNet50", "MobileNet", "MobileNetV2", "DenseNet121"]
NETS += ["Xception", "InceptionV3", "ResNet50V2", "EfficientNetB0", "MobileNetV3Small"]
LARGE = {"VGG16", "VGG19", "DenseNet121"}
OTHERS = ["ResNet101", "ResNet152", "DenseNet169", "DenseNet201", "ResNet101V2", "ResNet152V2"]
OTHERS += ["MobileNetV3Large", *(f"EfficientNetB{size}" for size in range(1, 8))]
NO_DROPOUT = {"MobileNet": {"dropout": 0.0}, "MobileNetV3Small": {"dropout_rate": 0.0}}
LEAST = {"Xception": 71, "InceptionV3": 75}


def slow(*values):
    return pytest.param(*values, marks=pytest.mark.slow)


def side(name):
    return LEAST.get(name, 32)


def logits(library, name, **options):
    """A network of ten classes on the smallest images it takes."""
    shape = (side(name), side(name), 3)
    options = {"weights": None, "classes": 10, "input_shape": shape} | options
    if name.startswith("MobileNetV3"):  # the images here are near 0
        options = {"include_preprocessing": False} | options
    return getattr(library.keras.applications, name)(classifier_activation=None, **options)


def fresh(tf):
    """Both libraries name layers from the beginning."""
    names.clear()
    tf.keras.backend.clear_session()


def assert_same_logits(ours, theirs, share=1e-4):
    x = images(2, *ours.input_shape[1:])
    mine, other = ours(x).numpy(), theirs(x).numpy()
    lively(other)
    assert np.abs(mine - other).max() <= share * np.abs(other).max()


def _of_keras(layers):
    """Those that Keras lists: x + 3.0 is an operation there, and no layer."""
    return [x for x in layers if type(x).__name__ != "Arithmetic"]


# ----- the same network -----


@pytest.mark.parametrize("name", [slow(n) if n in LARGE else n for n in NETS])
def test_layers_and_logits_are_those_of_keras(tf, name):
    fresh(tf)
    ours, theirs = logits(mt, name), logits(tf, name)
    assert ours.name == theirs.name
    assert [(type(x).__name__, x.name) for x in _of_keras(ours.layers)] == [
        (type(x).__name__, x.name) for x in theirs.layers
    ]
    assert [w.path for w in ours.weights] == [w.path for w in theirs.weights]
    assert ours.output_shape == theirs.output_shape
    assert ours.count_params() == theirs.count_params()
    draw_weights(ours, theirs)
    assert_same_logits(ours, theirs)


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_the_larger_ones_are_those_of_keras_too(tf, name):
    fresh(tf)
    ours, theirs = logits(mt, name), logits(tf, name)
    assert [w.path for w in ours.weights] == [w.path for w in theirs.weights]
    draw_weights(ours, theirs)
    assert_same_logits(ours, theirs)


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in NETS if n != "EfficientNetB0"])  # it draws
def test_gradients_and_statistics_in_training_are_those_of_keras(tf, name):
    """Batches of eight, since a norm over two numbers magnifies rounding without bound."""
    options = NO_DROPOUT.get(name, {})
    mine, other = (functools.partial(logits, library, name, **options) for library in (mt, tf))
    assert_same_net(tf, mine, other, images(8, side(name), side(name), 3), training=True)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "total"), [("VGG16", 138_357_544), ("VGG19", 143_667_240)])
def test_vgg_for_imagenet_has_its_published_size(name, total):
    """The others: test_models."""
    assert getattr(applications, name)(weights=None).count_params() == total


# ----- what can be asked for -----


@pytest.mark.parametrize(
    ("name", "pooling"),
    [
        *(("VGG16", "avg"), ("ResNet50", "max"), ("MobileNet", None), slow("DenseNet121", "avg")),
        *(("ResNet50V2", "max"), ("EfficientNetB0", "avg"), ("MobileNetV3Small", "avg")),
    ],
)
def test_without_a_top_the_end_is_named_and_shaped_as_in_keras(tf, name, pooling):
    fresh(tf)
    ours, theirs = (
        getattr(lib.keras.applications, name)(weights=None, include_top=False, pooling=pooling)
        for lib in (mt, tf)
    )
    assert ours.name == theirs.name
    assert [x.name for x in _of_keras(ours.layers)] == [x.name for x in theirs.layers]
    assert (ours.input_shape, ours.output_shape) == (theirs.input_shape, theirs.output_shape)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("MobileNet", {"alpha": 0.5, "depth_multiplier": 2, "input_shape": (33, 40, 1)}),
        ("MobileNetV2", {"alpha": 0.35, "input_shape": (35, 47, 3)}),
        ("MobileNetV3Small", {"alpha": 0.75, "minimalistic": True, "input_shape": (35, 47, 3)}),
        ("MobileNetV3Small", {"alpha": 1.25, "include_preprocessing": False, "dropout_rate": 0}),
    ],
)
def test_mobile_networks_of_other_widths_are_those_of_keras(tf, name, options, request):
    """In float64: with these weights Keras itself is 1e-4 of the largest logit off in float32."""
    request.addfinalizer(partial(tf.keras.config.set_dtype_policy, tf.keras.config.dtype_policy()))
    for lib in (mt, tf):
        request.addfinalizer(partial(lib.keras.config.set_floatx, "float32"))
        lib.keras.config.set_floatx("float64")
    fresh(tf)
    ours, theirs = (
        getattr(lib.keras.applications, name)(
            weights=None, classes=3, classifier_activation=None, **options
        )
        for lib in (mt, tf)
    )
    assert (ours.name, ours.count_params()) == (theirs.name, theirs.count_params())
    assert [x.name for x in _of_keras(ours.layers)] == [x.name for x in theirs.layers]
    draw_weights(ours, theirs)
    if None not in ours.input_shape[1:]:
        assert_same_logits(ours, theirs, 1e-7)  # Keras keeps 1/6 in float32


def test_a_wide_mobilenet_v2_is_wide_to_the_end():
    """6.2 million parameters on Keras' page."""
    assert applications.MobileNetV2(weights=None, alpha=1.4).count_params() == 6_156_712


def test_a_network_continues_a_given_tensor():
    x = mt.keras.Input((32, 32, 3))
    y = mt.keras.layers.Rescaling(2.0)(x)
    net = applications.MobileNetV2(input_tensor=y, alpha=0.35, weights=None, classes=4)
    plain = applications.MobileNetV2((32, 32, 3), alpha=0.35, weights=None, classes=4)
    plain.set_weights(net.get_weights())
    assert [x.name for x in net.layers[:2]] == [net.inputs[0].node.layer.name, "rescaling"]
    pixels = images(1, 32, 32, 3)
    np.testing.assert_allclose(net(pixels).numpy(), plain(2 * pixels).numpy(), atol=1e-6)


@pytest.mark.parametrize("name", ["MobileNetV2", slow("Xception")])
def test_channels_first_gives_the_same_logits(name):
    last = logits(mt, name)
    defaults.set_image_data_format("channels_first")
    try:
        first = logits(mt, name, input_shape=(3, side(name), side(name)))
    finally:
        defaults.set_image_data_format("channels_last")
    first.set_weights(last.get_weights())
    x = images(1, side(name), side(name), 3)
    a, b = last(x).numpy(), first(x.transpose(0, 3, 1, 2)).numpy()
    np.testing.assert_allclose(a, b, rtol=0, atol=1e-5 * np.abs(a).max())


WRONG = [
    ("VGG16", {"weights": "nowhere.h5"}, "path to the weights file"),
    ("VGG16", {"weights": None, "input_shape": (31, 32, 3)}, "at least 32x32"),
    ("InceptionV3", {"weights": None, "input_shape": (74, 80, 3)}, "at least 75x75"),
    ("Xception", {"weights": None, "input_shape": (70, 80, 3)}, "at least 71x71"),
    ("VGG16", {"weights": None, "input_shape": (32, 32)}, "tuple of three integers"),
    ("VGG16", {"weights": None, "input_shape": (None, None, 3)}, "static `input_shape`"),
    ("ResNet50", {"classes": 10}, "`classes` should be 1000"),
    ("ResNet50", {"input_shape": (32, 32, 3)}, "should be"),
    ("ResNet50", {"include_top": False, "input_shape": (32, 32, 1)}, "must have 3 channels"),
    ("MobileNet", {"alpha": 0.25, "classifier_activation": "relu"}, "Only `None` and `softmax`"),
    ("MobileNet", {"depth_multiplier": 2}, "depth multiplier must be 1"),
    ("MobileNet", {"alpha": 0.3}, "alpha can be one of"),
]


@pytest.mark.parametrize(("name", "options", "words"), WRONG)
def test_what_keras_refuses_is_refused(tf, monkeypatch, tmp_path, name, options, words):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", _no_download)
    with pytest.raises(ValueError, match=words):
        getattr(applications, name)(**options)
    with pytest.raises(ValueError, match=r"\w"):
        getattr(tf.keras.applications, name)(**options)


def _no_download(*args, **kwargs):
    raise ValueError("a test never downloads")


def test_a_given_tensor_and_another_shape_contradict_each_other():
    x = mt.keras.Input((32, 32, 3))
    with pytest.raises(ValueError, match="must equal input_shape"):
        applications.MobileNetV2((64, 64, 3), input_tensor=x, weights=None)


def test_an_array_is_no_symbolic_tensor():
    with pytest.raises(ValueError, match=r"keras\.Input"):
        applications.VGG16(input_tensor=np.zeros((1, 32, 32, 3)), weights=None, include_top=False)


def test_densenet_refuses_channels_first():
    defaults.set_image_data_format("channels_first")
    try:
        with pytest.raises(ValueError, match="channels_first"):
            applications.DenseNet121(weights=None)
    finally:
        defaults.set_image_data_format("channels_last")


def test_two_channels_are_unusual():
    with pytest.warns(UserWarning, match="2 input channels"):
        applications.MobileNet((32, 32, 2), weights=None, alpha=0.25, classes=2)


# ----- trained weights -----

ENDINGS = [".weights.h5", ".keras", ".ckpt"]
QUICK = ["MobileNet", "EfficientNetB0", "MobileNetV3Small", "MobileNetV2"]
FILES = [(n, e) if n in QUICK else slow(n, e) for n in NETS + OTHERS for e in ENDINGS]


def passed_on(tf, model, reader, name, path):
    """What `reader` makes of the file that a model of either library writes: a whole one, too."""
    if path.suffix == ".keras":
        model.save(str(path))
        return reader.keras.models.load_model(str(path))
    read = logits(reader, name)
    if path.suffix == ".ckpt":
        writer = mt if isinstance(model, mt.keras.Model) else tf
        writer.train.Checkpoint(model=model).write(str(path))
        reader.train.Checkpoint(model=read).read(str(path)).assert_consumed()
        settle(read)
        return read
    model.save_weights(str(path))
    read.load_weights(str(path))
    return read


@pytest.mark.parametrize(("name", "ending"), FILES)
def test_files_of_keras_are_read_and_ours_go_back(tf, tmp_path, name, ending):
    theirs, twin = logits(tf, name), logits(mt, name)
    draw_weights(twin, theirs)
    ours = passed_on(tf, theirs, mt, name, tmp_path / f"theirs{ending}")
    assert_same_logits(ours, theirs)
    ours.set_weights([0.99 * w for w in ours.get_weights()])
    back = passed_on(tf, ours, tf, name, tmp_path / f"ours{ending}")
    assert_same_logits(ours, back)


def test_a_path_brings_the_weights(tf, tmp_path):
    theirs = logits(tf, "MobileNet", alpha=0.25)
    theirs.save_weights(str(tmp_path / "some.weights.h5"))
    ours = logits(mt, "MobileNet", alpha=0.25, weights=str(tmp_path / "some.weights.h5"))
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("home", ["MINITENSOR_HOME", "KERAS_HOME", "HOME"])
def test_imagenet_finds_the_file_that_keras_has_downloaded(tf, tmp_path, monkeypatch, home):
    """In Keras' old form, as those files are."""
    from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

    theirs = tf.keras.applications.MobileNet(weights=None, alpha=0.25, include_top=False)
    folder = tmp_path / ("models" if home != "HOME" else ".keras/models")
    folder.mkdir(parents=True)
    with h5py.File(folder / "mobilenet_2_5_224_tf_no_top.h5", "w") as file:
        save_weights_to_hdf5_group(file, theirs)
    monkeypatch.setenv(home, str(tmp_path))
    with pytest.warns(UserWarning, match="loaded as the default"):
        ours = applications.MobileNet(alpha=0.25, include_top=False)
    assert ours.name == "mobilenet_0.25_224"
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("name", [*NETS, *OTHERS])
def test_imagenet_says_which_file_to_bring_where(monkeypatch, tmp_path, name):
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ValueError, match=r"no weights are downloaded.*\.keras/models"):
        getattr(applications, name)()


# ----- pixels and words -----


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
@pytest.mark.parametrize("layout", [None, "channels_last", "channels_first"])
@pytest.mark.parametrize("kind", ["uint8", "float32", "float64"])
def test_preprocessing_is_that_of_keras_and_leaves_its_input_alone(tf, mode, layout, kind):
    shape = (2, 3, 5, 4) if layout == "channels_first" else (2, 5, 4, 3)
    x = np.random.default_rng(0).integers(0, 256, shape).astype(kind)
    before = x.copy()
    theirs = tf.keras.applications.imagenet_utils.preprocess_input
    for one in (x, x[0]):
        ours = applications.imagenet_utils.preprocess_input(one, layout, mode)
        wanted = theirs(one.copy(), layout, mode)
        assert ours.dtype == wanted.dtype
        np.testing.assert_allclose(ours, wanted, rtol=0, atol=1e-4 if kind != "float64" else 1e-12)
        if kind != "uint8":
            found = applications.imagenet_utils.preprocess_input(mt.constant(one), layout, mode)
            np.testing.assert_allclose(found.numpy(), ours, rtol=1e-6)
    assert np.array_equal(x, before)


@pytest.mark.parametrize("name", NETS)
def test_each_network_prepares_pixels_as_its_peer_does(tf, name):
    module = getattr(applications, name).__module__.rpartition(".")[2]
    x = np.random.default_rng(0).uniform(0, 255, (1, 4, 4, 3)).astype("float32")
    ours, theirs = (getattr(lib.keras.applications, module) for lib in (mt, tf))
    wanted = theirs.preprocess_input(x.copy())
    np.testing.assert_allclose(ours.preprocess_input(x), wanted, rtol=0, atol=1e-4)


def test_preprocessing_can_be_part_of_a_model():
    x = mt.keras.Input((4, 4, 3))
    net = mt.keras.Model(x, applications.vgg16.preprocess_input(x))
    pixels = images(2, 4, 4, 3)
    wanted = applications.vgg16.preprocess_input(pixels)
    np.testing.assert_allclose(net(pixels).numpy(), wanted, rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "words"), [({"mode": "cafe"}, "mode"), ({"data_format": "x"}, "x")]
)
def test_preprocessing_refuses_what_it_does_not_know(options, words):
    with pytest.raises(ValueError, match=words):
        applications.imagenet_utils.preprocess_input(np.zeros((2, 2, 3)), **options)


def test_predictions_are_decoded_as_keras_does(tf, monkeypatch, tmp_path):
    index = {str(i): [f"n{i:08}", f"word {i}"] for i in range(1000)}
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "imagenet_class_index.json").write_text(json.dumps(index))
    monkeypatch.setenv("MINITENSOR_HOME", str(tmp_path))
    monkeypatch.setattr("keras.src.applications.imagenet_utils.CLASS_INDEX", index)
    p = np.random.default_rng(0).random((3, 1000))
    wanted = tf.keras.applications.vgg16.decode_predictions(p, top=4)
    assert applications.vgg16.decode_predictions(mt.constant(p), top=4) == wanted


@pytest.mark.parametrize("text", ["{}", "[]", '{"0": 1}'])
def test_a_broken_list_of_classes_is_said(monkeypatch, tmp_path, text):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "imagenet_class_index.json").write_text(text)
    monkeypatch.setenv("MINITENSOR_HOME", str(tmp_path))
    with pytest.raises(ValueError, match="no list of the 1000 classes"):
        applications.vgg16.decode_predictions(np.zeros((1, 1000)))


def test_decoding_says_which_file_to_bring(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ValueError, match=r"imagenet_class_index\.json"):
        applications.vgg16.decode_predictions(np.zeros((1, 1000)))
