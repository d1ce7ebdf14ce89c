"""`tf.explain` and `minitensor explain`: the numbers of the course texts, laws, views, errors."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minitensor as mt
from minitensor import cli
from minitensor.explain import presets, views, words

ROOT = Path(__file__).parents[2]
COUNTING = np.arange(1, 26).reshape(5, 5)
KERNEL = [[-1, 2, -3], [4, -5, 6], [-7, 8, -9]]


def shown(capsys, *line: str) -> str:
    """What the command prints, single-spaced."""
    assert cli.main(["explain", *line]) == 0
    return " ".join(capsys.readouterr().out.split())


def refused(capsys, *line: str) -> str:
    """The one line with which the command refuses."""
    try:
        code = cli.main(["explain", *line])
    except SystemExit as end:  # of argparse
        code = end.code
    assert code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def plane(explanation) -> np.ndarray:
    """The numbers of the only channel, each as the sum of its terms."""
    shape = explanation.call.numbers.shape[1:3]
    sums = [explanation.terms(at).total for at in np.ndindex(*shape)]
    return np.reshape(sums, shape)


# ----- the course texts, part A of the inventory -----

A001_7 = [
    *([67, -134, 278, -154, 231], [-268, 335, -710, 385, -462]),
    *([586, -770, 1620, -870, 1074], [-468, 585, -1210, 635, -762]),
    [819, -936, 1942, -1016, 1143],
]
A001_9 = [[56, -51, 46, 183], [-148, -35, 35, -123], [88, 35, -35, 63], [532, -41, 36, 729]]
A002_2 = [
    *([6, 5, -2, 1, 2], [3, 0, 3, 2, -2], [4, 2, -1, 0, 0]),
    *([2, 1, 2, -1, -3], [1, 1, 1, 3, 1]),
]
PLANES = {
    "A001-6": [[-67, -77], [-117, -127]],
    "A001-7": A001_7,
    "A001-9": A001_9,
    "A002-2": A002_2,
    "A002-3": [[6, -2, 2], [4, -1, 0], [1, 1, 1]],
    "A004-4": [[7, 10, 3]],
    "A004-9": [[19, 25], [37, 43]],
    "A004-10": [[1]],
    "A004-16": [[-56, -61], [-76, -81]],
}


@pytest.mark.parametrize("name", PLANES)
def test_the_numbers_of_the_course_texts(name):
    op, arguments = presets.preset(name)
    np.testing.assert_array_equal(plane(mt.explain(op, **arguments)), PLANES[name])


def test_the_printed_row_of_the_six_by_six_example():
    op, arguments = presets.preset("A004-15")
    row = plane(mt.explain(op, **arguments))[0]
    expected = [-20.438847, 40.877693, -80.477325, 38.321575, -57.48236, 0]
    np.testing.assert_allclose(row, expected, rtol=1e-6)


def test_the_last_row_and_column_of_a001_8_are_zero_because_nothing_reaches_them(capsys):
    op, arguments = presets.preset("A001-8")
    found = mt.explain(op, **arguments)
    assert not plane(found)[5].any()
    assert len(found.terms((5, 2))) == 0
    assert "no number of the other arrays reaches it" in shown(
        capsys, "--preset", "A001-8", "--at", "5,5"
    )


@pytest.mark.parametrize(
    ("grad", "numbers"),
    [("input", [[0, 1, 1], [2, 6, 4], [2, 5, 3]]), ("filter", [[8, 12], [20, 24]])],
)
def test_the_gradients_of_a004_9(grad, numbers):
    op, arguments = presets.preset("A004-9")
    found = mt.explain(op, grad=grad, **arguments)
    shape = np.shape(numbers)
    at = [(0, *i) if grad == "input" else i for i in np.ndindex(*shape)]
    full = [(*i, 0) if grad == "input" else (*i, 0, 0) for i in at]
    assert np.reshape([found.terms(i).total for i in full], shape).tolist() == numbers


SHAPES = {"A000-1": (1, 3, 3, 16), "A001-3": (2, 2, 2, 4), "A001-5": (1, 3, 3, 1),
          "A002-4": (1, 8, 8, 3), "A003-1": (1, 28, 28, 6), "A004-14": (1, 3, 3, 1)}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_the_shapes_of_the_course_texts(name):
    op, arguments = presets.preset(name)
    assert mt.explain(op, **arguments).call.output.shape == SHAPES[name]


def test_the_multiply_adds_of_a_separable_convolution():
    """A004-17: 27 + 12 weights instead of 108."""
    op, arguments = presets.preset("A004-17")
    found = mt.explain(op, at=(0, 2, 2, 1), **arguments)
    assert len(found.terms()) == 3
    assert [len(step) for step in found.terms().before] == [9, 9, 9]


def test_the_patches_and_the_matrix_of_a004_16():
    found = mt.explain("conv2d", np.arange(1, 17).reshape(4, 4), KERNEL)
    dense = found.matrix.toarray()
    assert (dense.shape, np.count_nonzero(dense)) == ((4, 16), 36)
    assert found.im2col.array[0].tolist() == [1, 2, 3, 5, 6, 7, 9, 10, 11]
    assert found.im2col.pointers[3, 4].tolist() == [0, 2, 2, 0]


def test_every_example_of_the_course_texts_is_looked_at():
    elsewhere = {"A001-8", "A004-15", "A004-17"}  # whose numbers stand in the tests above
    assert {*PLANES, *SHAPES, *elsewhere} == set(presets.PRESETS)


# ----- laws -----


@pytest.mark.parametrize(
    ("settings", "law"),
    [
        (
            {"strides": 2, "padding": "VALID"},
            "height, width: floor((5 + 0 - 3)/2) + 1 = 2; SAME would pad 1 before, 1 after, "
            "because (3 - 1)*2 + 3 - 5 = 2, for ceil(5/2) = 3",
        ),
        (
            {"strides": 3, "padding": "SAME"},
            "height, width: ceil(5/3) = 2; SAME pads 0 before, 1 after, because (2 - 1)*3 + 3 - 5 "
            "= 1; the odd pixel goes after; VALID would give floor((5 - 3)/3) + 1 = 1",
        ),
        (
            {"dilations": 2},
            "height, width: 3 taps, 2 apart, span (3 - 1)*2 + 1 = 5 pixels; floor((5 + 0 - 5)/1) + "
            "1 = 1; SAME would pad 2 before, 2 after, because (5 - 1)*1 + 5 - 5 = 4, for ceil(5/1) "
            "= 5",
        ),
    ],
)
def test_laws_are_printed_with_their_numbers(settings, law):
    (step,) = mt.explain("conv2d", COUNTING, KERNEL, **settings).shape_steps
    assert str(step) == law


def test_the_law_of_a_transposed_convolution_says_which_sizes_are_legal():
    (step,) = mt.explain(
        "conv2d_transpose", np.ones((2, 2)), KERNEL, [5, 5], 2, "VALID"
    ).shape_steps
    assert "(2 - 1)*2 + 3 - 0 = 5 is the smallest; legal are 5 ... 6" in str(step)


@pytest.mark.parametrize("preset", presets.PRESETS)
@pytest.mark.parametrize("lang", words.LANGUAGES)
def test_every_preset_is_printed_in_both_languages(capsys, preset, lang):
    assert shown(capsys, "--preset", preset, "--lang", lang)


# ----- the command -----


def test_the_example_of_the_design(capsys):
    text = shown(capsys, "--preset", "A001-6", "--at", "0,0")
    for words_ in (
        "[1] [2] [3] 4 5",
        "1*-1 2*2 3*-3 -> -1 4 -9",
        "11*-7 12*8 13*-9 -> -77 96 -117",
    ):
        assert words_ in text
    assert "output[0, 0, 0, 0] = -67 the engine says -67, exactly the sum" in text


def test_every_view_is_printed(capsys):
    views = "terms,window,im2col,matrix,cost,code"
    text = shown(capsys, "--preset", "A001-6", "--view", views)
    for words_ in ("filters[0, 1, 0, 0] 2 = 4", "im2col (4, 9)", "matrix W' (4, 25), 36 / 100",
                   "multiply-adds", "F.conv2d("):  # fmt: skip
        assert words_ in text


def test_a_transposed_convolution_is_shown_in_three_ways_that_agree(capsys):
    text = shown(capsys, "--preset", "A001-7", "--at", "2,2", "--view", "scatter")
    for words_ in ("-9 * input[0, 0, 0, 0] -67 = 603", "zeros between the inputs (1, 1)",
                   "row 12 of W'^T", "all three: 1620", "1 1 2 1 1"):  # fmt: skip
        assert words_ in text


@pytest.mark.parametrize("seed", range(12))
def test_the_three_ways_agree_for_groups_dilations_and_strides(seed):
    draw = np.random.default_rng(seed)
    stride, dilation, groups, each = (int(draw.integers(1, n)) for n in (4, 3, 3, 3))
    taps, padding = draw.integers(1, 4, 2), ("VALID", "SAME")[seed % 2]
    y = draw.integers(-4, 5, (2, 3, 2, groups * each))
    w = draw.integers(-4, 5, (*taps, 2, groups * each))
    shape = [2, 3 * stride, 2 * stride, 2 * groups]  # of SAME
    settings = {"strides": stride, "padding": padding, "dilations": dilation}
    if padding == "VALID":
        shape = None
        y, w = y[..., :each], w[..., :each]
    found = mt.explain("conv2d_transpose", y, w, shape, **settings)
    at = tuple(int(draw.integers(n)) for n in found.call.output.shape)
    found = mt.explain("conv2d_transpose", y, w, shape, **settings, at=at)
    three = found.three_ways
    assert three.scattered == three.slid == three.multiplied == found.value


def test_a_stack_of_the_same_dilation_leaves_holes(capsys):
    text = shown(capsys, "--preset", "A001-5", "--view", "reach")
    assert "2 in a row: sees 9 pixels, reads 5 of them 1 · 2 · 3 · 2 · 1" in text


@pytest.mark.parametrize(("taps", "middle"), [(3, "1 to 2"), (4, "2 to 2")])
def test_overlaps_of_a_transposed_convolution_are_the_checkerboard(tf, capsys, taps, middle):
    """An even kernel of twice the stride reaches all alike; TensorFlow counts the same."""
    line = ("conv2d_transpose", "--input", "2x2", "--filter", f"{taps}x{taps}", "--stride", "2")
    text = shown(capsys, *line, "--view", "reach")
    assert f"those in the middle {middle} times" in text
    found = mt.explain("conv2d_transpose", np.ones((2, 2)), np.ones((taps, taps)), strides=2)
    y = tf.ones([1, views.INPUTS, 1])
    for times in (1, 2, 3):
        size = (y.shape[1] - 1) * 2 + taps
        y = tf.nn.conv1d_transpose(y, tf.ones([taps, 1, 1]), [1, size, 1], 2, "VALID")
        ((_, counts),) = found.reach(times)
        np.testing.assert_array_equal(counts, y.numpy().ravel())


def test_moving_statistics_are_those_of_keras(tf, capsys):
    import keras

    x = np.array([[1, 5], [2, 7], [3, 8], [6, 1]], "f")
    found = mt.explain("batch_norm", x, at=(0, 0, 0, 1)).moving
    for momentum, kept in found.kept.items():
        layer = keras.layers.BatchNormalization(momentum=momentum)
        for step in range(1, 101):
            layer(x, training=True)
            if step in views.STEPS:
                there = layer.moving_mean.numpy()[1], layer.moving_variance.numpy()[1]
                np.testing.assert_allclose(kept[views.STEPS.index(step)], there, rtol=1e-4)
    text = shown(capsys, "batch_norm", "--input", "1;2;3;6", "--view", "moving")
    assert "mean 3, variance 3.5 of 4 numbers" in text
    assert "4.6667, divided by n - 1" in text


def test_images_are_resized_by_weights_of_rows_and_columns(capsys):
    text = shown(capsys, "resize", "--input", "1 2;3 4", "--set", "size=4,4", "--at", "1,1")
    assert "1*0.75*0.75 2*0.75*0.25 -> 0.5625 0.375" in text
    assert "2 to 4: number i lies at (i + 1/2)*2/4 - 1/2" in text


def test_rows_of_a_large_im2col_are_counted_from_its_first(capsys):
    line = ("conv2d", "--input", "1x64x64x3", "--filter", "5x5x3x1", "--at", "30,20")
    text = shown(capsys, *line, "--view", "im2col")
    assert "[0, 30, 20] 5821 5822" in text  # pixel (30, 20, 0) of those that count from 1
    assert "shown: rows 1814 to 1825 of 3600" in text  # 30*60 + 20 = 1820 is the seventh


def test_a_bias_is_none_of_the_three_ways(capsys):
    line = ("conv2d_transpose", "--input", "1 2;3 4", "--filter", "1 2;3 4", "--set", "bias=5,")
    assert "all three: 20" in shown(capsys, *line, "--at", "1,1", "--view", "scatter")


def test_ties_of_a_maximum_are_named_and_the_first_wins(capsys):
    text = shown(capsys, "max_pool2d", "--input", "1 3;3 2", "--ksize", "2")
    assert "1*0 3*1 -> 0 3 3*0 2*0 -> 0 0" in text
    assert "2 numbers are equal here: the first one wins" in text


def test_json_holds_every_term(capsys):
    assert cli.main(["explain", "--preset", "A004-9", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["value"], found["exact"], len(found["terms"])) == (19, True, 4)
    assert found["terms"][1]["factors"][0] == {"name": "input", "at": [0, 0, 1, 0], "value": 1}


def test_an_array_comes_from_a_file_or_an_image(capsys, tmp_path):
    np.save(tmp_path / "x.npy", COUNTING)
    from PIL import Image

    Image.fromarray(np.full((8, 9, 3), 7, np.uint8)).save(tmp_path / "x.png")
    assert "= -67" in shown(capsys, "conv2d", "--input", str(tmp_path / "x.npy"), "--filter",
                            "-1 2 -3;4 -5 6;-7 8 -9", "--stride", "2")  # fmt: skip
    text = shown(capsys, "conv2d", "--input", str(tmp_path / "x.png"), "--filter", "1 1;1 1")
    assert "output[0, 0, 0, 0] = 84" in text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--preset A001-6 --at 9,9", "legal are 0..0, 0..1, 0..1, 0..0, or 0..1, 0..1 alone"),
        ("--preset A001-6 --at 0", "the output has the shape (1, 2, 2, 1)"),
        ("--preset A9", "legal are A000-1"),
        ("", "give an OP, or --preset"),
        ("conv9d --input 3x3", "these can: conv1d, conv2d"),
        ("conv2d --input 3x3", "--filter is missing"),
        ("conv2d --filter 3x3", "--input is missing"),
        ("conv2d --input 2x2 --filter 3x3", "spans (3, 3) pixels but the padded image has (2, 2)"),
        ("conv2d --input 3x3 --filter {text}.png", "no image; legal are numbers like"),
        ("conv2d --input 3x3 --filter {text}.npy", "no .npy file that holds numbers"),
        ("conv2d --input nowhere.npy --filter 3x3", "no such file"),
        ("conv2d --input one;two --filter 3x3", "legal are numbers like '1 2;3 4'"),
        ("conv2d --input 3x3 --filter 2x2 --padding up", "legal are same, valid"),
        ("conv2d --input 3x3 --filter 2x2 --grad logits", "has gradients in input, filters, bias"),
        ("conv2d --input 3x3x3 --filter 2x2 --groups 2", "must divide the 3 channels"),
        ("conv2d --input 3x3 --filter 2x2 --view all", "there are terms, window"),
        ("conv2d --input 3x3 --filter 2x2 --ksize 2", "conv2d has no such argument"),
        ("conv2d --input 3x3 --filter 2x2 --set a", "legal is NAME=VALUE"),
        ("max_pool2d --input 3x3", "max_pool2d needs ksize"),
        (
            "conv2d_transpose --input 2x2 --filter 3x3 --stride 2 --output-padding 2",
            "legal are 0 to 1",
        ),
        ("conv2d --input 3x3 --filter 2x2 --groups 0", "'0' is no number from 1 on"),
        ("conv2d --input 3x3 --filter 2x2 --padding 99999999", "too large for this machine"),
        ("conv2d --input 3x3 --filter 2x2 --output-gradients 2x2", "they need grad="),
        ("conv2d --input 99999x99999 --filter 2x2", "two to five numbers from 1 on, and at most"),
        ("max_pool2d --input 3x3 --ksize 2,2,2", "ksize must have length 1 or 2"),
        ("batch_norm --input 3x3 --set data_format=5", "must be one of ['NHWC', 'NCHW']"),
        ("conv2d --input 4x4 --filter 3x3 --view moving", "a batch_norm in training"),
        ("batch_norm --input 4x4 --view reach", "is for ops that slide a window"),
        ("resize --input 4x4 --set size=2,2 --set method=area", "'nearest' and 'bilinear'"),
        (
            "max_pool2d --input 3x3 --ksize 2 --view scatter",
            "is for the output of a conv2d_transpose",
        ),
    ],
)
def test_bad_input_is_one_line_that_says_what_is_legal(capsys, tmp_path, line, said):
    text = tmp_path / "text"
    for kind in ("png", "npy"):
        text.with_suffix(f".{kind}").write_text("hello")
    assert said in refused(capsys, *(word.format(text=text) for word in line.split()))


BIG = """
import resource, sys, time
import numpy as np
import minitensor as tf
import minitensor.explain.explanation
def rss():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
start, before = time.process_time(), rss()
draw = np.random.default_rng(0)
x, w = draw.normal(size=(1, 224, 224, 3)), draw.normal(size=(7, 7, 3, 8))
found = tf.explain("conv2d", x, w, 2, "SAME", at=(50, 60))
assert "of 224" in str(found)
for kind in ("png", "svg", "html"):
    found.save(f"{sys.argv[1]}.{kind}")
print(time.process_time() - start, rss() - before)
"""


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: mt.explain("conv2d"), "needs input and filters; its arguments are input, filters"),
        (lambda: mt.explain("conv2d", None, KERNEL), "needs input"),
        (lambda: mt.explain("conv2d", [[1, 2], [3]], KERNEL), "as many numbers in each row"),
        (lambda: mt.explain("conv2d", "hello", KERNEL), "input must hold numbers, got <U5"),
        (lambda: mt.explain("conv2d", COUNTING, KERNEL, at=(0.5, 1)), "a list of integers"),
        (lambda: mt.explain("conv2d", COUNTING, KERNEL, at=1), "a list of integers"),
        (lambda: mt.explain("conv2d", COUNTING, KERNEL, grad=["input"]), "has gradients in input"),
        (lambda: mt.explain("conv2d", COUNTING, KERNEL).print(lang="xx"), "legal are en, zh"),
        (lambda: mt.explain("conv2d", COUNTING, KERNEL).reach(0), "at least once"),
        (lambda: mt.explain(mt.keras.layers.Conv2D, COUNTING), "cannot be explained"),
        (lambda: mt.explain(mt.keras.layers.Dense(2), "x"), "the input must hold numbers"),
        (lambda: mt.explain(mt.keras.Sequential([mt.keras.layers.Dense(2)]), COUNTING, at=(0, 1)),
         "a model has no one number"),
    ],
)  # fmt: skip
def test_a_bad_call_is_refused_in_one_line(call, said):
    with pytest.raises(ValueError, match=re.escape(said)) as refusal:
        call()
    assert "\n" not in str(refusal.value)


def test_what_is_typed_takes_the_dtype_of_a_file(capsys, tmp_path):
    np.save(tmp_path / "x.npy", np.eye(3))
    assert "= 1 " in shown(capsys, "conv2d", "--input", str(tmp_path / "x.npy"), "--filter", "1 2")


def test_infinities_and_nans_are_explained_as_the_engine_has_them():
    infinite = [[np.inf, 1], [2, -np.inf]]
    assert np.isnan(mt.explain("conv2d", infinite, [[1, 1], [1, 1]]).value)
    assert mt.explain("conv2d", infinite, [[1, 1]]).value == np.inf
    large = np.full((1, 2), 3e38, "f")
    assert mt.explain("conv2d", large, [[1, 1]]).value == np.inf


def test_big_arrays_are_cropped_around_the_number_in_two_seconds_and_200_mb(tmp_path):
    """With all three kinds of picture, and the import of matplotlib."""
    done = subprocess.run([sys.executable, "-c", BIG, str(tmp_path / "x")], capture_output=True,
                          text=True, check=True, cwd=ROOT)  # fmt: skip
    seconds, megabytes = map(float, done.stdout.split())
    assert seconds < 6  # 2.2, and 1.7 of one kind alone, where nothing else runs
    assert megabytes < 200
    assert (tmp_path / "x.html").stat().st_size < 300_000


# ----- the object -----


def test_an_explanation_is_printed_and_shown_in_a_notebook():
    found = mt.explain(mt.nn.conv2d, COUNTING, KERNEL, 2, "VALID")
    assert repr(found) == "<Explanation of conv2d: output[0, 0, 0, 0] = -67>"
    assert "exactly the sum" in str(found)
    shown = found._repr_html_()
    assert shown.count("<table ") == 3
    assert shown.count('class=" lit"') == 9 + 9 + 1
    assert "exactly the sum" in shown


def test_a_call_by_keywords_a_bias_and_a_gradient_that_comes_back():
    back = [[1, 0], [0, 0]]
    settings = {"input": np.arange(9.0).reshape(3, 3), "filters": [[1, 2], [3, 4]], "bias": [5]}
    assert mt.explain("conv2d", **settings).value == 32
    found = mt.explain("conv2d", grad="input", output_gradients=back, **settings)
    np.testing.assert_array_equal(plane(found), [[1, 2, 0], [3, 4, 0], [0, 0, 0]])
    assert mt.explain("conv2d", grad="bias", output_gradients=back, **settings).value == 1


def test_the_steps_of_batch_normalisation_backwards():
    found = mt.explain("batch_norm", [[1.0], [3.0], [5.0]], grad="x", output_gradients=[1, 0, 0])
    names = [step.name for step in found.terms().before]
    assert names == ["mean", "variance", "mean of g*scale", "mean of g*scale*standardised"]
    assert len(found.terms()) == 3


@pytest.mark.parametrize(
    ("language", "ops"), [("numpy", 13), ("tf", 14), ("keras", 10), ("torch", 9)]
)
def test_every_program_computes_the_same(tf, language, ops):
    import keras

    torch = pytest.importorskip("torch") if language == "torch" else None
    functional = torch and torch.nn.functional
    draw = np.random.default_rng(0)
    x, w = draw.normal(size=(2, 6, 5, 4)).astype("f"), draw.normal(size=(3, 2, 2, 6)).astype("f")
    d, y = draw.normal(size=(3, 2, 4, 2)).astype("f"), draw.normal(size=(2, 3, 2, 6)).astype("f")
    dense = draw.normal(size=(3, 2, 3, 6)).astype("f")
    vector = draw.normal(size=4).astype("f")
    labels = draw.uniform(size=(3, 4)).astype("f")
    calls = [
        ("conv2d", (x, w, 2, "SAME"), {"bias": np.ones(6, "f")}),
        ("conv2d", (x, w, 1, "VALID"), {"dilations": [1, 2]}),
        ("conv2d", (x, w, 1, [[0, 0], [1, 0], [2, 1], [0, 0]]), {}),
        ("conv1d", (x[:, 0], w[0], 1, "SAME"), {}),
        ("depthwise_conv2d", (x, d, 2, "SAME"), {}),
        ("conv2d_transpose", (y, dense, [2, 6, 4, 3], 2, "SAME"), {"bias": np.ones(3, "f")}),
        ("conv2d_transpose", (y, dense, [2, 8, 5, 3], [1, 2, 2, 1], "VALID"), {}),
        ("max_pool2d", (x, 2, 2, "SAME"), {}),
        ("avg_pool2d", (x, 2, 2, "SAME"), {}),
        ("global_avg_pool", (x,), {}),
        ("upsampling", (x, (2, 3)), {}),
        ("upsampling", (x, 2, "bilinear"), {}),
        ("upsampling", (x[0], [2]), {}),
        ("resize", (x, (5, 7)), {}),
        ("dense", (x[0, 0, :, :2], w[0, 0], ), {"bias": np.ones(6, "f")}),
        ("causal_conv1d", (x[:, 0], w[:, 0]), {"dilations": 2}),
        ("im2col", (x, (3, 2), 2, 1, "SAME"), {}),
        ("fused_batch_norm", (x, vector, vector), {}),
        ("layer_normalization", (x, vector, vector), {}),
        ("softmax_cross_entropy", (labels, x[0, :3, 0]), {}),
    ]  # fmt: skip
    ran = set()
    for op, arguments, settings in calls:
        found = mt.explain(op, *arguments, **settings)
        try:
            text = found.code(language)
        except ValueError:
            continue
        if language == "tf" and "tf.nn.layer" in text:
            continue  # ours alone
        given = {k: v.numpy() for k, v in found.call.arguments.items() if hasattr(v, "numpy")}
        scope = {**given, "np": np, "tf": tf, "keras": keras, "torch": torch, "F": functional}
        exec(text, scope)
        np.testing.assert_allclose(
            np.asarray(scope["output"]), found.call.output, atol=2e-5, err_msg=f"{op}: {text}"
        )
        ran.add(op)
    assert len(ran) >= ops


def test_a_program_that_keras_would_refuse_is_not_written():
    found = mt.explain("conv2d", np.ones((9, 9)), np.ones((3, 3)), 2, "VALID", dilations=2)
    with pytest.raises(ValueError, match="Keras refuses strides and dilations beyond 1"):
        found.code("keras")


def test_tensorflow_says_the_same(tf):
    for name in ("A001-6", "A001-7", "A004-9", "A004-17", "A004-10"):
        op, arguments = presets.preset(name)
        said = mt.explain(op, grad="input", **arguments).check("tf")
        assert "output: largest difference 0" in said or "e-0" in said
        assert "gradient in input" in said


def test_a_row_and_a_column_are_enough_of_a_matrix_that_is_normalised():
    found = mt.explain("batch_norm", [[1, 2], [3, 6]], at=(1, 0))  # mean 2, variance 1
    assert found.at == (1, 0, 0, 0)
    assert found.value == pytest.approx(1 / np.sqrt(1.001))
    with pytest.raises(ValueError, match=r"0..1, 0..0, 0..0, 0..1, or 0..1, 0..1 alone"):
        mt.explain("batch_norm", [[1, 2], [3, 6]], at=(2, 0))
