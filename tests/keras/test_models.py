"""The networks of the course: sizes against the texts and the papers, numbers against Keras.

The peer of a network is the same file of `minitensor/models`, run on TensorFlow: see nets_peer.
"""

import functools
from itertools import pairwise, permutations

import numpy as np
import pytest
from keras_peer import TOLERANCE
from nets_peer import assert_same_net, assert_same_steps, images, on_keras

import minitensor as mt
from minitensor import models
from minitensor.keras import layers
from minitensor.models import NETWORKS


@pytest.fixture(scope="session")
def peer(tf, tmp_path_factory):
    """The room `models` on TensorFlow."""
    return on_keras(tf, tmp_path_factory.mktemp("peer"))


# ----- how many parameters -----


def conv(taps, channels, filters, bias=1):
    return taps * taps * channels * filters + bias * filters


def densenet_arithmetic(growth=32, blocks=(6, 12, 24, 16), classes=10):
    """Trainable parameters, layer by layer; beta and no gamma before each convolution."""
    total, channels = conv(7, 3, 64), 64
    for number, depth in enumerate(blocks):
        if number:
            total += channels + conv(1, channels, channels // 2, bias=0)
            channels //= 2
        for _ in range(depth):
            total += channels + conv(3, channels, growth, bias=0)
            channels += growth
    return total + channels + conv(1, channels, classes)


def unet_arithmetic(widths=(16, 32, 64, 128), channels=1, classes=2):
    down = zip((channels, *widths), widths, strict=False)
    total = sum(conv(3, a, b) + conv(3, b, b) for a, b in down)
    for below, width in zip(widths[:0:-1], widths[-2::-1], strict=True):
        total += conv(2, below, width) + conv(3, 2 * width, width) + conv(3, width, width)
    return total + conv(1, widths[0], classes)


GENERATOR = 100 * 16 * 1024 + conv(5, 1024, 512, 0) + conv(5, 512, 256, 0) + conv(5, 256, 128, 0)
GENERATOR += 2 * (1024 + 512 + 256 + 128) + conv(5, 128, 3)
DISCRIMINATOR = conv(5, 3, 128) + conv(5, 128, 256, 0) + conv(5, 256, 512, 0)
DISCRIMINATOR += conv(5, 512, 1024, 0) + 2 * (256 + 512 + 1024) + 16 * 1024 + 1

# What training changes. Seeds: inventory A001...A004; papers and Keras' page where they say it.
TRAINABLE = {
    "mlp": 335_114,
    "mnist_cnn": 3_274_634,
    "lenet5": 60_074,
    "lenet5_norms": 60_118,
    "lenet5_original": conv(5, 1, 6) + conv(5, 6, 16) + 401 * 120 + 121 * 84 + 85 * 10,
    "alexnet_cifar": 1_068_298,
    "alexnet_cifar_keras": 576_778,
    "alexnet": 60_965_224,  # "60 million": Caffe's bvlc_alexnet
    "vgg11": 9_220_480 + 165_514,
    "vgg13": 9_404_992 + 165_514,
    "vgg16": 14_714_688 + 165_514,
    "vgg19": 20_024_384 + 165_514,
    "googlenet": 5_979_194,
    "googlenet_as_printed": 5_308_304,
    "inception_v1": 6_998_552,  # Caffe's bvlc_googlenet without its auxiliary classifiers
    "resnet_bottleneck": 866_186,
    "resnet18": 11_176_970,
    "resnet34": 21_288_842,
    "resnet50": 25_583_592,
    "resnet101": 44_601_832,
    "resnet152": 60_268_520,
    "densenet": densenet_arithmetic(),
    "densenet121": 7_978_856,
    "mobilenet": 4_231_976,
    "mobilenet_v2": 3_504_872,
    "xception": 22_855_952,
    "inception_v3": 23_817_352,
    "conv_bn_net": conv(3, 1, 6) + conv(5, 6, 16) + 785 * 10,
    "dcgan_generator": GENERATOR,
    "dcgan_discriminator": DISCRIMINATOR,
    "context_network": 64 * 21**2 + 8 * 21,
    "unet": unet_arithmetic(),
}
TOTAL = {
    "lenet5_norms": 60_162,
    "resnet18": 11_184_778,
    "resnet34": 21_304_074,
    "resnet50": 25_636_712,
    "resnet101": 44_707_176,
    "resnet152": 60_419_944,
    "densenet121": 8_062_504,
    "mobilenet": 4_253_864,
    "mobilenet_v2": 3_538_984,
    "xception": 22_910_480,
    "inception_v3": 23_851_784,
}


def test_every_network_has_a_known_size():
    assert set(NETWORKS) == set(TRAINABLE)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_has_as_many_parameters_as_the_texts_say(name):
    net = NETWORKS[name]()
    assert sum(w.shape.num_elements() for w in net.trainable_weights) == TRAINABLE[name]
    if name in TOTAL:
        assert net.count_params() == TOTAL[name]


@pytest.mark.parametrize(
    ("build", "total"),
    [
        (functools.partial(models.vgg13, 100), 9_582_116),
        (functools.partial(models.resnet18, 100), 11_230_948),
        (functools.partial(models.inception_v1, auxiliary=True), 13_378_280),
        (functools.partial(models.context_network, 5, True), None),
    ],
    ids=["vgg13-100", "resnet18-100", "inception_v1-auxiliary", "context_network-large"],
)
def test_a_variant_has_as_many_parameters_as_the_texts_say(build, total):
    widths = [5 * n for n in (1, 2, 2, 4, 8, 16, 32, 32)]
    large = sum(conv(3, a, b) for a, b in pairwise(widths)) + conv(1, 160, 5)
    assert build().count_params() == (total or large)


# ----- what shape -----


def shapes(net, *kinds):
    """Shapes of one image behind the layers of these classes."""
    return [layer.output.shape[1:] for layer in net.layers if isinstance(layer, kinds)]


def test_lenet5_shrinks_as_the_chapter_says():
    net = models.lenet5()
    found = [s[0] for s in shapes(net, layers.Conv2D, layers.MaxPooling2D, layers.Flatten)]
    assert found == [26, 13, 11, 5, 400]


def test_lenet5_of_the_paper_shrinks_as_its_figure_says():
    net = models.lenet5_original()
    found = shapes(net, layers.Conv2D, layers.AveragePooling2D, layers.Flatten)
    assert found == [(28, 28, 6), (14, 14, 6), (10, 10, 16), (5, 5, 16), (400,)]


def test_the_two_small_alexnets_differ_in_their_second_convolution():
    ours = [shapes(n(), layers.Conv2D) for n in (models.alexnet_cifar, models.alexnet_cifar_keras)]
    assert [s[1] for s in ours] == [(13, 13, 64), (9, 9, 64)]


def test_alexnet_pools_to_six_by_six():
    pools = shapes(models.alexnet(classes=2), layers.MaxPooling2D)
    assert pools == [(27, 27, 96), (13, 13, 256), (6, 6, 256)]


def test_vgg13_pools_down_to_one_pixel():
    sides = [s[0] for s in shapes(models.vgg13(), layers.MaxPooling2D)]
    assert sides == [16, 8, 4, 2, 1]


@pytest.mark.parametrize(
    ("as_printed", "channels"), [(False, [480, 832, 1024]), (True, [416, 736, 944])]
)
def test_googlenet_as_printed_has_fewer_channels(as_printed, channels):
    found = shapes(models.googlenet(as_printed=as_printed), layers.Concatenate)
    assert [found[i][-1] for i in (1, 6, 8)] == channels
    assert [found[i][0] for i in (1, 6, 8)] == [8, 4, 2]


def test_resnet18_has_the_sides_of_the_text():
    sides = [s[0] for s in shapes(models.resnet18(), layers.MaxPooling2D, layers.Add)]
    assert sides == [30, 30, 30, 15, 15, 8, 8, 4, 4]


def test_the_small_resnet_has_the_shapes_of_the_seed():
    found = shapes(models.resnet_bottleneck(), layers.Add)
    assert found[::2] == [(8, 8, 128), (4, 4, 256), (2, 2, 512)]


# ----- parts -----


def test_subsampling_takes_every_second_pixel():
    x = mt.keras.Input((5, 5, 2))
    net = mt.keras.Model(x, models.subsample(x, 2))
    pixels = images(1, 5, 5, 2)
    assert np.array_equal(net(pixels).numpy(), pixels[:, ::2, ::2])


def test_a_residual_block_of_zeros_passes_positive_pixels_on():
    x = mt.keras.Input((4, 4, 8))
    net = mt.keras.Model(x, models.residual_block(x, 2, 8))
    for w in net.trainable_weights:
        w.assign(mt.zeros(w.shape))
    pixels = np.abs(images(1, 4, 4, 8))
    assert np.array_equal(net(pixels).numpy(), pixels)


def test_a_context_network_begins_as_the_identity_of_positive_pixels():
    pixels = np.abs(images(1, 9, 9, 4))
    assert np.array_equal(models.context_network(4)(pixels).numpy(), pixels)


def test_a_pixel_of_the_context_network_sees_67_by_67():
    net = models.context_network(1)
    for w in net.weights:
        w.assign(mt.ones(w.shape))
    x = mt.Variable(mt.ones([1, 81, 81, 1]))
    with mt.GradientTape() as tape:
        middle = net(x)[0, 40, 40, 0]
    rows = np.flatnonzero(tape.gradient(middle, x).numpy()[0, :, 40, 0])
    assert (rows[0], rows[-1]) == (40 - 33, 40 + 33)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: models.vgg([1], [8, 16], 10), "num_convs"),
        (lambda: models.unet(input_shape=(60, 64, 1)), "divisible by 8"),
    ],
)
def test_what_cannot_be_built_is_said(build, words):
    with pytest.raises(ValueError, match=words):
        build()


# ----- the same numbers as Keras -----

SMALL = {
    "alexnet": {"classes": 10, "input_shape": (67, 67, 3)},
    "inception_v1": {"classes": 10, "input_shape": (32, 32, 3)},
    "dcgan_generator": {"width": 8},
    "dcgan_discriminator": {"width": 8},
    "densenet": {"block_layers": (2, 3, 2, 2)},
}
DROPS = {"alexnet", "inception_v1"}  # dropout: the libraries draw other numbers
SLOW = {
    "alexnet",
    "vgg11",
    "vgg16",
    "vgg19",
    "resnet34",
    "googlenet_as_printed",
    "googlenet",
    "inception_v1",
}
DEEP = {"googlenet", "resnet18", "vgg13"}  # float32 among the slow
APPLICATIONS = {"resnet50", "resnet101", "resnet152", "densenet121", "mobilenet", "mobilenet_v2"}
APPLICATIONS |= {"xception", "inception_v3"}  # compared in test_applications
COMPARED = sorted(set(NETWORKS) - APPLICATIONS)
NORMED = ["lenet5_norms", "conv_bn_net", "resnet_bottleneck", "googlenet", "resnet18"]
NORMED += ["resnet34", "densenet", "dcgan_generator", "dcgan_discriminator"]


def slow_if(name, slow):
    return pytest.param(name, marks=pytest.mark.slow) if name in slow else name


def pair(name, peer):
    """What makes a network of tests' size, ours and theirs."""
    options = SMALL.get(name, {})
    return tuple(functools.partial(nets[name], **options) for nets in (NETWORKS, peer.NETWORKS))


def batch(name, size=4):
    mine = functools.partial(NETWORKS[name], **SMALL.get(name, {}))
    shape = [24 if n is None else n for n in mine().input_shape[1:]]
    if len(shape) == 1:
        return np.random.default_rng(0).normal(size=(size, *shape))
    return images(size, *shape)


QUICK = {"mlp", "lenet5_norms", "alexnet_cifar", "resnet_bottleneck", "densenet", "conv_bn_net"}
QUICK |= {"dcgan_generator", "context_network", "unet"}  # of each family one
LRN = "lrn", "local_response_normalization"  # two names of a function that Keras must be told


@pytest.mark.parametrize("ending", [".ckpt", ".weights.h5", ".keras"])
@pytest.mark.parametrize("name", [slow_if(n, set(COMPARED) - QUICK) for n in COMPARED])
def test_files_go_both_ways(tf, peer, name, ending, tmp_path):
    makers = pair(name, peer)
    for (library, make), (reader, other) in permutations(zip((mt, tf), makers, strict=True)):
        model, path = make(), str(tmp_path / f"{library.__name__}{ending}")
        model(batch(name, 1).astype("float32"))
        if ending == ".keras":
            model.save(path)
            own = dict.fromkeys(LRN, tf.nn.lrn) if reader is tf else {}
            read = reader.keras.models.load_model(path, own)
        elif ending == ".ckpt":
            library.train.Checkpoint(model).write(path)
            reader.train.Checkpoint(read := other()).read(path).assert_consumed()
        else:
            model.save_weights(path)
            (read := other()).load_weights(path)
        for a, b in zip(model.get_weights(), read.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        if name not in DROPS:
            x = batch(name, 1).astype("float32")
            np.testing.assert_allclose(np.asarray(read(x)), np.asarray(model(x)), 1e-3, 1e-4)


@pytest.fixture
def slope(monkeypatch):
    """TensorFlow rounds the slope of a leaky relu to float32, also where all else is float64."""
    monkeypatch.setitem(TOLERANCE, "float64", 1e-7)


@pytest.mark.parametrize("name", [slow_if(n, SLOW) for n in COMPARED])
def test_float64_logits_and_gradients_are_those_of_keras(tf, peer, name, request):
    if name == "dcgan_discriminator":
        request.getfixturevalue("slope")
    assert_same_net(tf, *pair(name, peer), batch(name), training=name not in DROPS)


@pytest.mark.parametrize("name", [slow_if(n, SLOW | DEEP) for n in COMPARED])
def test_float32_logits_and_gradients_are_those_of_keras(tf, peer, name):
    """Evaluated: the norms of a small batch would magnify the rounding of float32."""
    assert_same_net(tf, *pair(name, peer), batch(name), dtype="float32")


@pytest.mark.slow
def test_the_whole_densenet_is_that_of_keras(tf, peer):
    assert_same_net(tf, models.densenet, peer.densenet, batch("densenet"), training=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", NORMED)
def test_evaluated_float64_networks_with_norms_are_those_of_keras(tf, peer, name, request):
    if name == "dcgan_discriminator":
        request.getfixturevalue("slope")
    assert_same_net(tf, *pair(name, peer), batch(name))


STEPS = {"googlenet", "resnet18", "resnet34"}


@pytest.mark.parametrize("name", [slow_if(n, STEPS) for n in NORMED])
def test_statistics_and_weights_after_three_steps_are_those_of_keras(tf, peer, name, request):
    if name == "dcgan_discriminator":
        request.getfixturevalue("slope")
    assert_same_steps(tf, *pair(name, peer), batch(name))


def test_auxiliary_classifiers_give_what_keras_gives(tf, peer):
    """Of module 4a and 4d, on the smallest image whose means of five pixels exist."""
    options = {"classes": 3, "auxiliary": True, "input_shape": (80, 80, 3)}
    mine, other = (functools.partial(m.inception_v1, **options) for m in (models, peer))
    assert_same_net(tf, mine, other, images(2, 80, 80, 3))
