"""The explorer page: what is in the file, and that TensorFlow and the engine say its numbers."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import record_explorer as recorder

import minitensor as mt
from minitensor import cli
from minitensor.explain import explore, presets

GOLDEN = json.loads((explore.PARTS / "golden.json").read_text())
CASES = GOLDEN["cases"]
WORDS = json.loads((explore.PARTS / "words.json").read_text())
PAGE = explore.page()
SCRIPTS = "\n".join(path.read_text() for path in explore.PARTS.rglob("*.js"))
CSP = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
ASKS = (
    r"https?:|//[a-z]+\.|src\s*=|href\s*=|@import|url\((?!#hatch)|fetch\(|XMLHttp"
    r"|WebSocket|import\("
)


# ----- the file -----


def test_the_page_is_small_and_asks_nobody():
    assert len(PAGE.encode()) < 400_000
    launches = explore._json(json.loads((explore.PARTS / "launches.json").read_text()))
    assert PAGE.count(launches) == 1  # kernels' texts, in which a function is called fetch
    assert re.findall(ASKS, PAGE.replace(launches, "")) == []
    assert f'http-equiv="Content-Security-Policy" content="{CSP}"' in PAGE
    assert "<!-- " not in PAGE  # every part was put in


def test_the_command_writes_it(tmp_path, capsys):
    target = tmp_path / "page.html"
    assert cli.main(["explore", "-o", str(target)]) == 0
    assert target.read_text(encoding="utf-8") == PAGE
    assert cli.main(["explore", "-o", str(tmp_path / "none" / "page.html")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_line_of_a_script_fits_a_screen():
    assert [line for line in SCRIPTS.splitlines() if len(line) > 120] == []


def test_every_script_is_joined_once():
    files = {path.relative_to(explore.PARTS).with_suffix("").as_posix()
             for path in explore.PARTS.rglob("*.js")}  # fmt: skip
    assert sorted(files) == sorted(explore.SCRIPTS)


def test_every_word_has_both_languages_with_the_same_numbers_in_them():
    for key, pair in WORDS.items():
        numbers = [sorted(set(re.findall(r"{(\w+)}", text))) for text in pair]
        assert all(pair), key
        assert numbers[0] == numbers[1], key
        assert re.search("[一-鿿]", pair[1]) or pair[0] == pair[1], f"{key} is not Chinese"


def test_every_word_that_a_script_says_is_there_and_none_is_idle():
    told = set(re.findall(r"say\(\"(\w+)\"", SCRIPTS))
    assert told <= set(WORDS) | set(explore.WORDS)
    named = set(re.findall(r"\"(\w+)\"", SCRIPTS))  # also chosen by a condition, or from a list
    built = re.findall(r"`(\w+_)\${[\w.]+}`", SCRIPTS)  # `panel_${name}`
    switched = ("cot_", "kind_", "training_")  # `${field}_${value}`
    known = (*built, *switched, "E0")
    assert [key for key in WORDS if key not in named and not key.startswith(known)] == []


def test_every_erratum_is_a_row_of_the_list():
    rows = (Path(__file__).parents[2] / "examples" / "ERRATA.md").read_text()
    for name, erratum in presets.ERRATA.items():
        assert f"| {erratum} |" in rows
        assert name in presets.PRESETS
        assert erratum in WORDS


# ----- the recorded answers -----


def engine(case) -> dict[str, np.ndarray]:
    """What this engine answers to a recorded call, by its own functions of tf.nn."""
    given = {name: mt.constant(recorder.unpacked(a)) for name, a in case["arrays"].items()}
    g = given.pop("g")
    if case["op"] == "norm":
        given |= {n: mt.constant(case[n], mt.float64) for n in ("scale", "offset")}
    with mt.GradientTape() as tape:
        tape.watch(given)
        y = forward(case, given, g.shape)
    back = tape.gradient(y, given, output_gradients=g)
    return {"y": y.numpy(), **{f"d{name}": array.numpy() for name, array in back.items()}}


def forward(case, given, shape):
    """The op itself, with strides, padding, dilations and groups as they come."""
    x, words = given["x"], {"strides": case.get("strides"), "padding": case.get("padding")}
    if not isinstance(words["padding"], str | None):
        words["padding"] = [[0, 0], *words["padding"], [0, 0]]
    match case["op"]:
        case "conv2d":
            y = mt.nn.conv2d(x, given["w"], **words, dilations=case["dilations"])
            return y + mt.constant(case.get("bias", [0]), mt.float64)
        case "conv2d_transpose":
            return mt.nn.conv2d_transpose(
                x, given["w"], shape, **words, dilations=case["dilations"]
            )
        case "separable_conv2d":
            kh, kw, _, channels = given["w"].shape
            depthwise = mt.reshape(given["w"], (kh, kw, channels, 1))
            words["strides"] = [1, *words["strides"], 1]
            return mt.nn.separable_conv2d(x, depthwise, given["v"], **words)
        case "max_pool2d" | "avg_pool2d":
            return getattr(mt.nn, case["op"])(x, case["ksize"], **words)
    return normalised(case, given)


def normalised(case, given):
    """By the layers of Keras' interface, whose weights are set."""
    x, affine = given["x"], (given["scale"], given["offset"])
    if "given" in case:
        mean, variance = (mt.constant(case["given"][n], mt.float64) for n in ("mean", "variance"))
        return mt.nn.batch_normalization(x, mean, variance, affine[1], affine[0], case["epsilon"])
    kind = case["kind"]
    groups = {"layer": 1, "group": 2, "instance": x.shape[3]}
    if kind in groups:
        layer = mt.keras.layers.GroupNormalization(
            groups[kind], epsilon=case["epsilon"], scale=False, center=False, dtype="float64"
        )
        return layer(x) * affine[0] + affine[1]
    layer = mt.keras.layers.BatchNormalization(scale=False, center=False, dtype="float64")
    return layer(x, training=True) * affine[0] + affine[1]


def differ(found, answers) -> list[str]:
    """Which answers are not as recorded, rounding apart."""
    bad = []
    for name, recorded in answers.items():
        if name not in found:
            continue
        array = np.asarray(found[name])
        values = array.reshape(recorded["shape"]).ravel()[:: recorded["every"]]
        if not np.allclose(values, recorded["values"], rtol=1e-9, atol=1e-9):
            bad.append(name)
    return bad


def label(case) -> str:
    """For messages."""
    return f"{case.get('preset', '')} {case['op']} {case.get('kind', '')} {case.get('padding')}"


def test_a_hundred_and_fifty_calls_are_recorded_all_examples_among_them():
    assert len(CASES) == 150
    assert {c["preset"] for c in CASES if "preset" in c} == set(presets.PRESETS)
    assert all({"y", "dx"} <= set(c["answers"]) for c in CASES)
    assert sum("dw" in c["answers"] for c in CASES) > 80


def test_the_engine_says_what_is_recorded():
    bad = {label(c): d for c in CASES if (d := differ(engine(c), c["answers"]))}
    assert bad == {}


def test_a_wrong_record_is_seen():
    case = json.loads(json.dumps(CASES[3]))
    case["answers"]["dw"]["values"][2] += 1e-6 * abs(case["answers"]["dw"]["values"][2])
    assert differ(engine(case), case["answers"]) == ["dw"]


def test_tensorflow_says_what_is_recorded(tf):
    assert tf.__version__.split(".")[:2] == GOLDEN["tensorflow"].split(".")[:2]
    fresh = json.loads(json.dumps(recorder.calls()))
    asked = [{k: v for k, v in c.items() if k != "answers"} for c in CASES]
    assert fresh == asked, "the calls are others: python tests/support/record_explorer.py"
    bad = {label(c): d for c in CASES if (d := differ(recorder.answers(tf, c), c["answers"]))}
    assert bad == {}


@pytest.mark.parametrize(("name", "output"), [
    ("A001-6", [1, 2, 2, 1]), ("A001-7", [1, 5, 5, 1]), ("A000-1", [1, 3, 3, 16]),
    ("A001-3", [2, 2, 2, 4]), ("A002-4", [1, 8, 8, 3]), ("A003-1", [1, 28, 28, 6]),
])  # fmt: skip
def test_an_example_has_the_shape_that_the_course_text_prints(name, output):
    assert explore.example(name)["output"] == output
