"""What is missing is told well: pages that are current, and errors that name the right thing."""

import json
import runpy
import subprocess
import sys
import types
from pathlib import Path

import pytest

import minitensor as mt
from minitensor.missing import nearest
from minitensor.stays_out import STAYS_OUT, topic_of

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def names():
    return runpy.run_path(str(DOCS / "names.py"), run_name="names")


def test_the_pages_are_current(names):
    """Else: python docs/names.py"""
    for path, text in names["pages"]().items():
        assert path.read_text() == text, f"{path.name} is old: python docs/names.py"


def test_the_record_is_what_tensorflow_says(tf, names):
    """Else: python docs/names.py --record

    Asked in a process of its own: tf.keras is loaded at its first use, and looks otherwise then.
    """
    ask = f"import json, runpy; say = runpy.run_path({str(DOCS / 'names.py')!r})['of_tensorflow']"
    answer = subprocess.run(
        [sys.executable, "-c", f"{ask}; print(json.dumps(say()))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert names["recorded"]() == json.loads(answer.stdout.splitlines()[-1])


def test_every_reason_is_that_of_some_name():
    record = json.loads((DOCS.parent / "tests/support/tf_names.json").read_text())["names"]
    named = [f"{place}.{name}".strip(".") for place, found in record.items() for name in found]
    topics = {topic_of(name) for name in named}
    assert set(STAYS_OUT) <= topics


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Session", "Graphs and sessions of TensorFlow 1"),
        ("saved_model", "SavedModel): a SavedModel is a graph"),
        ("lite", "model.save writes a .keras file"),
        ("RaggedTensor", "Ragged and sparse tensors"),
        ("keras.layers.LSTM", "Recurrent layers"),
        ("keras.layers.Embedding", "tf.one_hot and keras.layers.Dense"),
        ("conv2", "minitensor has no tf.conv2"),
        ("keras.Sequental", "the nearest is tf.keras.Sequential"),
    ],
)
def test_the_package_says_why_and_what_is_nearest(name, words):
    place, _, last = name.rpartition(".")
    owner = mt
    for part in filter(None, place.split(".")):
        owner = getattr(owner, part)
    with pytest.raises(AttributeError) as told:
        getattr(owner, last)
    said = str(told.value)
    assert words in said


def test_every_module_says_what_is_missing():
    record = json.loads((DOCS.parent / "tests/support/tf_names.json").read_text())["names"]
    silent = []
    for place in record:
        owner = mt
        for part in filter(None, place.split(".")):
            owner = getattr(owner, part, None)
        if isinstance(owner, types.ModuleType):
            with pytest.raises(AttributeError) as told:
                owner.no_such_name  # noqa: B018
            silent += [place] * (not str(told.value).startswith("minitensor has no tf."))
    assert not silent


@pytest.mark.parametrize("word", ["Modul", "errros", "strin", "compat", "estimator", "flags"])
def test_no_name_misleads(word):
    """Module was said to be double, errors zeros, string train."""
    near = nearest(word, ["double", "zeros", "train", "config", "multiply", "tile"])
    assert near is None


@pytest.mark.parametrize(
    ("make", "name", "words"),
    [
        (lambda: mt.data.Dataset.range(3), "shufle", "the nearest is 'shuffle'"),
        (lambda: mt.data.Dataset.range(3), "make_one_shot_iterator", "iter(dataset)"),
        (lambda: mt.ones([2]), "nunpy", "the nearest is 'numpy'"),
        (lambda: mt.ones([2]), "eval", "there are no sessions: .numpy() is the value"),
        (lambda: mt.Variable(1.0), "asign", "the nearest is 'assign'"),
        (lambda: mt.keras.layers.Dense(2), "unit", "the nearest is 'units'"),
        (lambda: mt.keras.layers.Flatten(), "output_shape", "layer.output.shape"),
        (lambda: mt.keras.Sequential(), "fit_generator", "model.fit takes generators"),
        (lambda: mt.keras.optimizers.Adam(), "aply_gradients", "'apply_gradients'"),
    ],
)
def test_objects_hint_at_the_attribute_that_was_meant(make, name, words):
    thing = make()
    assert not hasattr(thing, name)
    assert getattr(thing, name, 5) == 5
    with pytest.raises(AttributeError) as told:
        getattr(thing, name)
    assert words in str(told.value)
    assert f"{type(thing).__name__!r} object has no attribute {name!r}" in str(told.value)


def test_a_setting_by_position_is_refused_as_in_keras(tf):
    for keras in (mt.keras, tf.keras):
        for call in ("layer(x, True)", "layer(keras.Input((2,)), True)"):
            names = {"keras": keras, "layer": keras.layers.Dropout(0.5), "x": tf.ones([1, 2])}
            if keras is mt.keras:
                names["x"] = mt.ones([1, 2])
            with pytest.raises(ValueError, match="Only input tensors may be passed as positional"):
                eval(call, names)
