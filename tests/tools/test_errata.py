"""The mistakes of the course texts, row by row of examples/ERRATA.md.

Each check asserts what is right, and that what is printed is wrong.
"""

import inspect
import re
from pathlib import Path

import numpy as np
import pytest

import minitensor as mt
from minitensor import models
from minitensor.keras import applications, layers

PAGE = (Path(__file__).parents[2] / "examples" / "ERRATA.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (E\d{3}-\d+) \|", PAGE, re.MULTILINE)
CHECKS = {}


def erratum(name):
    """Registers the check of one row."""

    def keep(check):
        assert name not in CHECKS
        CHECKS[name] = check
        return check

    return keep


def test_page_and_checks_have_the_same_rows():
    assert sorted(CHECKS) == sorted(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_the_right_value_holds_and_the_printed_one_does_not(tf, name):
    CHECKS[name](tf)


def params(*parts):
    """Parameters of layers of so many inputs, outputs: a dense layer with bias."""
    return sum((a + 1) * b for a, b in parts)


def drawn(shape, *stack):
    """The output shape of layers on one image of this shape."""
    net = mt.keras.Sequential([mt.keras.Input(shape), *stack])
    return net.output_shape[1:]


# ----- 000 -----


@erratum("E000-1")
def learning_rate_is_the_name(tf):
    with pytest.raises(ValueError, match="lr"):
        tf.keras.optimizers.Adam(lr=1e-4)
    with pytest.warns(DeprecationWarning, match="learning_rate"):
        ours = mt.keras.optimizers.Adam(lr=1e-4)
    assert float(ours.learning_rate) == pytest.approx(1e-4)


@erratum("E000-2")
def places_become_fewer_and_channels_more(tf):
    height, width, channels = drawn((5, 5, 1), layers.Conv2D(16, 3))
    assert height * width == 9 < 25
    assert channels == 16 > 1


@erratum("E000-3")
def the_stem_loses_a_border(tf):
    assert models.resnet18().layers[1].output.shape == (None, 30, 30, 64)
    assert drawn((32, 32, 3), layers.Conv2D(64, 3, padding="same")) == (32, 32, 64)


@erratum("E000-4")
def adding_by_a_new_layer_each_time_adds_no_weights(tf):
    x = mt.constant([[1.0, 2.0]])
    once = layers.Add()
    assert np.array_equal(layers.add([x, x]).numpy(), once([x, x]).numpy())
    assert once.weights == []


# ----- 001 -----


@erratum("E001-1")
def no_device_type_is_called_gpu0(tf):
    for library in (mt, tf):
        assert library.config.list_physical_devices("GPU0") == []
        assert library.config.list_physical_devices("CPU") != []


def pads(size, taps, step):
    """Zeros that SAME needs."""
    return max((-(-size // step) - 1) * step + taps - size, 0)


@erratum("E001-2")
def same_pads_by_the_window_not_to_a_multiple_of_the_step(tf):
    for taps, total in ((3, 1), (1, 0), (5, 3)):
        assert pads(5, taps, 3) == total
        x, w = mt.random.normal([1, 5, 5, 1]), mt.random.normal([taps, taps, 1, 1])
        around = [
            [0, 0],
            [total // 2, total - total // 2],
            [total // 2, total - total // 2],
            [0, 0],
        ]
        explicit = mt.nn.conv2d(x, w, 3, around)
        for library in (mt, tf):
            same = library.nn.conv2d(x.numpy(), w.numpy(), 3, "SAME")
            np.testing.assert_allclose(same.numpy(), explicit.numpy(), atol=1e-5)
    assert [5 + pads(5, taps, 3) for taps in (1, 5)] == [5, 8]  # not 6


@erratum("E001-3")
def a_transpose_recovers_the_shape_only(tf):
    x = mt.reshape(mt.range(1.0, 26.0), [1, 5, 5, 1])
    w = mt.reshape(mt.constant([-1.0, 2, -3, 4, -5, 6, -7, 8, -9]), [3, 3, 1, 1])
    back = mt.nn.conv2d_transpose(mt.nn.conv2d(x, w, 2, "VALID"), w, [1, 5, 5, 1], 2, "VALID")
    assert back.shape == x.shape
    assert np.abs(back.numpy() - x.numpy()).max() > 100


# ----- 002 -----


@erratum("E002-1")
def the_listing_builds_densenet121(tf):
    options = {"weights": None, "classes": 5}
    assert applications.DenseNet121(**options).count_params() == 7_042_629
    assert applications.MobileNetV2(**options).count_params() == 2_264_389


@erratum("E002-2")
def a_batch_has_32_images(tf):
    images = mt.data.Dataset.from_tensor_slices(np.zeros((100, 2))).shuffle(1024).batch(32)
    assert next(iter(images)).shape[0] == 32 != 50


@erratum("E002-3")
def pooling_makes_8_by_8_of_16_by_16(tf):
    assert drawn((16, 16, 3), layers.MaxPooling2D(2)) == (8, 8, 3)
    assert np.prod((16, 16, 3)) != 16 * 163


@erratum("E002-4")
def vaild_is_no_padding(tf):
    for keras in (mt.keras, tf.keras):
        assert keras.layers.Conv2D(1, 3, padding="valid").padding == "valid"
        with pytest.raises(ValueError, match="vaild"):
            keras.layers.Conv2D(1, 3, padding="vaild")


@erratum("E002-5")
def a_glued_line_number_is_no_python(tf):
    compile("class CNN: pass", "listing", "exec")
    with pytest.raises(SyntaxError):
        compile("1class CNN: pass", "listing", "exec")


@erratum("E002-6")
def the_structure_needs_no_network(tf):
    assert applications.MobileNetV2(weights=None).count_params() == 3_538_984
    with pytest.raises(ValueError, match="no weights are downloaded"):
        applications.MobileNetV2()


# ----- 003 -----


@erratum("E003-1")
def a_kernel_of_three_channels_wants_three(tf):
    w = mt.zeros([5, 5, 3, 6])
    assert mt.nn.conv2d(mt.zeros([1, 32, 32, 3]), w, 1, "VALID").shape == (1, 28, 28, 6)
    assert params((75, 6)) == 456
    with pytest.raises(ValueError, match="30 channels"):
        mt.nn.conv2d(mt.zeros([1, 32, 32, 30]), w, 1, "VALID")


@erratum("E003-2")
def strides_are_steps(tf):
    x, w = mt.zeros([1, 32, 32, 3]), mt.zeros([5, 5, 3, 1])
    assert mt.nn.conv2d(x, w, [1, 2, 2, 1], "VALID").shape[1] == 14
    assert mt.nn.conv2d(x, w, [1, 5, 5, 1], "VALID").shape[1] == 6


@erratum("E003-3")
def the_layouts_begin_with_n(tf):
    x, w = mt.zeros([1, 8, 8, 3]), mt.zeros([3, 3, 3, 1])
    assert mt.nn.conv2d(x, w, 1, "SAME", data_format="NHWC").shape == (1, 8, 8, 1)
    for wrong in ("MHWC", "MCHW"):
        with pytest.raises(ValueError, match=wrong):
            mt.nn.conv2d(x, w, 1, "SAME", data_format=wrong)


@erratum("E003-4")
def the_kernel_called_sobel_is_a_laplacian(tf):
    ramp = np.tile(np.arange(5.0), (5, 1))[None, :, :, None]
    printed = [[-1.0, -1, -1], [-1, 8, -1], [-1, -1, -1]]
    sobel = [[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    found = [
        mt.nn.conv2d(mt.constant(ramp), np.reshape(k, (3, 3, 1, 1)), 1, "VALID").numpy()
        for k in (printed, sobel)
    ]
    assert (found[0] == 0).all()
    assert (found[1] == 8).all()


@erratum("E003-5")
def the_argument_is_out_depth(tf):
    assert "out_depth" in inspect.signature(models.vgg_block).parameters
    scope = {}
    exec("def conv(ksize, in_depth, output_depth): return ksize + [in_depth, out_depth]", scope)
    with pytest.raises(NameError, match="out_depth"):
        scope["conv"]([3, 3], 3, 64)


@erratum("E003-6")
def the_orphan_table_is_no_overlapping_maximum(tf):
    table = np.array([[1, 6, 5], [7, 10, 9], [7, 10, 8]])
    x = np.random.default_rng(0).integers(0, 11, (1, 5, 5, 1)).astype("float32")
    for taps in (2, 3):
        y = mt.nn.max_pool2d(x, taps, 1, "VALID").numpy()[0, :, :, 0]
        rows = zip(y[:, :-2], y[:, 1:-1], y[:, 2:], strict=True)
        assert all((middle <= np.maximum(left, right)).all() for left, middle, right in rows)
    assert table[0, 1] > max(table[0, 0], table[0, 2])
    for below in (0, 1):  # windows beside one another: two inputs, one table
        spread = table.repeat(2, 0).repeat(2, 1) - below * np.tile([[0, 1], [1, 1]], (3, 3))
        y = mt.nn.max_pool2d(spread[None, :, :, None].astype("float32"), 2, 2, "VALID")
        assert np.array_equal(y.numpy()[0, :, :, 0], table)


def trainable(net):
    return sum(w.shape.num_elements() for w in net.trainable_weights)


def module_ends(net):
    found = [x.output.shape[-1] for x in net.layers if isinstance(x, layers.Concatenate)]
    return [found[i] for i in (1, 6, 8)]


@erratum("E003-7")
def the_five_by_five_has_its_own_width(tf):
    assert module_ends(models.googlenet()) == [480, 832, 1024]
    assert module_ends(models.googlenet(as_printed=True)) == [416, 736, 944]


@erratum("E003-8")
def modules_4d_and_5b_have_the_widths_of_the_paper(tf):
    in_4d = (512 + 1 + 25 * 64) * (32 - 24)  # channels in, beta, what the 5x5 sees
    in_5b = (832 + 1 + 9 * 384) * (192 - 182)
    assert trainable(models.googlenet()) == 5_979_194 == 5_919_400 + in_4d + in_5b
    paper = models.inception_v1(classes=10, input_shape=(32, 32, 3)).layers
    widths = [x.filters for x in paper if isinstance(x, layers.Conv2D)]
    assert widths.count(24) == 2  # those of 4b and 4c
    assert 182 not in widths


@erratum("E003-9")
def a_residual_block_ends_with_a_sum(tf):
    x = mt.keras.Input((4, 4, 8))
    assert models.residual_block(x, 2, 8).node.inputs[0].node.layer.__class__ is layers.Add

    def printed(x, width, depth):
        if x.shape[-1] == depth:
            shortcut = x
        else:
            shortcut = models.conv_norm(x, depth, 1, relu=False)
            residual = models.conv_norm(shortcut, width, 1)
            residual = models.conv_norm(residual, depth, 1, relu=False)

    assert printed(x, 2, 16) is None


@erratum("E003-10")
def the_code_under_the_heading_concatenates(tf):
    x = mt.keras.Input((4, 4, 64))
    assert models.dense_block(x, 32, 1).shape[-1] == 96
    assert models.residual_block(x, 16, 64).shape[-1] == 64


@erratum("E003-11")
def a_transition_halves_and_does_not_shift(tf):
    assert models.transition(mt.keras.Input((8, 8, 64)), 32).shape == (None, 4, 4, 32)
    assert not hasattr(models, "translation")


@erratum("E003-12")
def the_text_rounds_its_logs_wrongly(tf):
    for log, text in ((0.7366, 0.72), (0.9849, 0.97), (0.7644, 0.75)):
        assert round(log, 2) != text
    assert [round(log, 2) for log in (0.9716, 0.7366, 0.9849, 0.7644)] == [0.97, 0.74, 0.98, 0.76]


@erratum("E003-13")
def ten_steps_see_no_whole_epoch(tf):
    assert 10 * 64 / 50_000 < 0.02
    assert 10_000 * 64 / 50_000 == 12.8


@erratum("E003-14")
def the_code_begins_with_a_tenth(tf):
    schedule = mt.keras.optimizers.schedules.PiecewiseConstantDecay([11_999], [0.1, 0.01])
    rates = [float(schedule(step)) for step in (0, 11_999, 12_000)]
    assert rates == pytest.approx([0.1, 0.1, 0.01])
    assert rates[0] != pytest.approx(0.01)


@erratum("E003-15")
def dropout_scales_while_training(tf):
    x = np.ones((4, 100), "float32")
    for keras in (mt.keras, tf.keras):
        drop = keras.layers.Dropout(0.5)
        assert set(np.unique(drop(x, training=True).numpy())) == {0.0, 2.0}
        assert np.array_equal(drop(x, training=False).numpy(), x)


@erratum("E003-16")
def three_names_were_never_there(tf):
    for library in (mt, tf):
        assert not hasattr(library.nn, "dropuout")
        assert hasattr(library.nn, "dropout")
        for axis in ("up_{}down", "left_{}right"):
            assert not hasattr(library.image, "random_flip_" + axis.format("and_"))
            assert hasattr(library.image, "random_flip_" + axis.format(""))


@erratum("E003-17")
def mes_and_adgrad_are_unknown(tf):
    for keras in (mt.keras, tf.keras):
        assert keras.losses.get("mse") is not None
        assert type(keras.optimizers.get("adagrad")).__name__ == "Adagrad"
        for room, wrong in ((keras.losses, "mes"), (keras.optimizers, "adgrad")):
            with pytest.raises(ValueError, match=wrong):
                room.get(wrong)


def gradient(loss, p):
    p = mt.Variable(p)
    with mt.GradientTape() as tape:
        value = loss(p)
    return tape.gradient(value, p).numpy()


@erratum("E003-18")
def the_gradient_of_one_parameter_is_its_own(tf):
    p, rate = [1.0, -2.0, 5.0], 1e-2
    found = gradient(lambda q: rate * mt.reduce_sum(q * q), p)
    np.testing.assert_allclose(found, 2 * rate * np.array(p), rtol=1e-6)
    assert not np.allclose(found, 2 * rate * np.roll(p, 1))


@erratum("E003-19")
def slim_halves_its_l2_and_keras_does_not(tf):
    p, rate = [1.0, -2.0, 5.0], 1e-2
    slim = gradient(lambda q: rate * mt.nn.l2_loss(q), p)
    keras = gradient(mt.keras.regularizers.L2(rate), p)
    np.testing.assert_allclose(slim, rate * np.array(p), rtol=1e-6)
    np.testing.assert_allclose(keras, 2 * slim, rtol=1e-6)


@erratum("E003-20")
def the_size_law_has_a_floor(tf):
    side = mt.nn.conv2d(mt.zeros([1, 6, 6, 1]), mt.zeros([3, 3, 1, 1]), 2, "VALID").shape[1]
    assert side == int((6 - 3) / 2) + 1 != (6 - 3) / 2 + 1


@erratum("E003-21")
def the_two_small_alexnets_are_two(tf):
    assert models.alexnet_cifar().count_params() == 1_068_298
    assert models.alexnet_cifar_keras().count_params() == 576_778


# ----- 004 -----


@erratum("E004-1")
def vgg13_has_nine_million_parameters(tf):
    net = models.vgg13()
    convolutions = sum(x.count_params() for x in net.layers if isinstance(x, layers.Conv2D))
    dense = sum(x.count_params() for x in net.layers if isinstance(x, layers.Dense))
    assert (convolutions, dense, net.count_params()) == (9_404_992, 165_514, 9_570_506)
    assert params((512, 256), (256, 128), (128, 100)) == 177_124
    assert 940_000 + 177_000 != 950_000


@erratum("E004-2")
def the_middle_dense_layer_has_128_units(tf):
    assert params((512, 256), (256, 128), (128, 10)) == 165_514
    assert params((512, 256), (256, 64), (64, 10)) == 148_426
    assert [x.units for x in models.vgg13().layers if isinstance(x, layers.Dense)] == [256, 128, 10]


@erratum("E004-3")
def one_by_one_by_three_by_four_is_twelve(tf):
    layer = layers.SeparableConv2D(4, 3, use_bias=False)
    layer.build((None, 8, 8, 3))
    assert [w.shape.num_elements() for w in layer.weights] == [27, 12]
    assert layer.count_params() == 39 != 27 + 14


@erratum("E004-4")
def the_largest_of_2_0_3_1_is_3(tf):
    window = np.reshape([2.0, 0, 3, 1], (1, 2, 2, 1))
    assert mt.nn.max_pool2d(window, 2, 1, "VALID").numpy().item() == 3 != 1


@erratum("E004-5")
def minus_signs_matter(tf):
    x = mt.Variable(np.linspace(-2, 2, 9))
    with mt.GradientTape() as tape:
        y = mt.sigmoid(x)
    slope = tape.gradient(y, x).numpy()
    assert slope.min() == pytest.approx(0.105, abs=1e-3)
    assert slope.max() == pytest.approx(0.25)
    k, p, s, i = 3, 0, 2, 2
    spread = i + (i - 1) * (s - 1)
    padded = spread + 2 * (k - p - 1)
    assert (spread, padded, padded - k + 1) == (3, 7, 5)
    x, w = mt.ones([1, i, i, 1]), mt.ones([k, k, 1, 1])
    assert mt.nn.conv2d_transpose(x, w, [1, 5, 5, 1], s, "VALID").shape[1] == 5
    assert k - p - 1 == 2 != 301


@erratum("E004-6")
def six_by_six_gives_two_by_two(tf):
    assert drawn((6, 6, 1), layers.Conv2D(1, 3, strides=2)) == (2, 2, 1)
    assert drawn((6, 6, 1), layers.Conv2D(1, 3, strides=1)) == (4, 4, 1)


@erratum("E004-7")
def the_listing_pads(tf):
    x, w = mt.zeros([2, 5, 5, 3]), mt.zeros([3, 3, 3, 4])
    sides = [mt.nn.conv2d(x, w, 1, [[0, 0], [p, p], [p, p], [0, 0]]).shape[1] for p in (1, 0)]
    assert sides == [5, 3]


@erratum("E004-8")
def a_listing_is_counted_twice(tf):
    printed, right = [7, 8, 8, 10], [7, 8, 9, 10]
    assert np.diff(right).tolist() == [1, 1, 1]
    assert np.diff(printed).tolist() != [1, 1, 1]


@erratum("E004-9")
def the_stem_is_the_eighteenth_layer(tf):
    weighty = [
        x
        for x in models.resnet18().layers
        if isinstance(x, layers.Dense) or (isinstance(x, layers.Conv2D) and x.kernel_size == (3, 3))
    ]
    assert len(weighty) == 18 == 1 + 8 * 2 + 1
    assert 8 * 2 + 1 != 18


@erratum("E004-10")
def alexnet_has_no_window_of_seven(tf):
    net = models.alexnet(classes=2, input_shape=(67, 67, 3))
    sizes = [x.kernel_size[0] for x in net.layers if isinstance(x, layers.Conv2D)]
    assert sizes == [11, 5, 3, 3, 3]
    assert 7 not in sizes


@erratum("E004-11")
def googlenet_has_a_ninth_of_alexnet(tf):
    ratio = models.inception_v1().count_params() / models.alexnet().count_params()
    assert ratio == pytest.approx(6_998_552 / 60_965_224)
    assert 1 / 9 < ratio < 1 / 8 < 1 / 2


@erratum("E004-12")
def the_differences_fit_one_of_the_two_rates(tf):
    printed = {"vgg": 7.4, "googlenet": 6.7}
    assert printed["vgg"] == pytest.approx(15.3 - 7.9)
    assert printed["googlenet"] == pytest.approx(7.4 - 0.7)
    assert printed["vgg"] != pytest.approx(16.4 - 7.9)


@erratum("E004-13")
def lenet5_has_three_dense_layers(tf):
    kinds = [type(x).__name__ for x in models.lenet5().layers]
    assert (kinds.count("Conv2D"), kinds.count("Dense")) == (2, 3)


@erratum("E004-14")
def the_norm_of_keras_adds_a_thousandth(tf):
    x = 1e-3 * np.array([[-1.0], [1.0]], "float32")
    for keras in (mt.keras, tf.keras):
        y = keras.layers.BatchNormalization()(x, training=True).numpy()
        assert y[1, 0] == pytest.approx(1e-3 / np.sqrt(1e-6 + 1e-3), rel=1e-4)
        assert abs(y[1, 0] - 1e-3 / np.sqrt(1e-6 + 1e-8)) > 0.9


@erratum("E004-15")
def a_transpose_with_gaps_is_longer_in_keras(tf):
    k, s, i = 2, 3, 2
    for keras in (mt.keras, tf.keras):
        y = keras.layers.Conv2DTranspose(1, k, s)(np.zeros((1, i, i, 1), "float32"))
        assert y.shape[1] == i * s + max(k - s, 0) == 6 != (i - 1) * s + k
    for side in (5, 6):
        for nn in (mt.nn, tf.nn):
            y = nn.conv2d_transpose(
                np.zeros((1, i, i, 1), "float32"),
                np.zeros((k, k, 1, 1), "float32"),
                [1, side, side, 1],
                s,
                "VALID",
            )
            assert y.shape[1] == side


@erratum("E004-16")
def norms_learn_nothing_of_a_call_without_training(tf):
    x = mt.keras.Input((8, 8, 4))
    net = mt.keras.Model(x, models.basic_block(x, 4))
    images = np.random.default_rng(0).normal(3.0, 2.0, (2, 8, 8, 4)).astype("float32")

    def statistics():
        return [w.numpy().copy() for w in net.non_trainable_weights]

    before = statistics()
    plain = net(images).numpy()
    assert all(np.array_equal(a, b) for a, b in zip(before, statistics(), strict=True))
    assert not np.allclose(plain, net(images, training=True).numpy())
    assert not any(np.array_equal(a, b) for a, b in zip(before, statistics(), strict=True))
