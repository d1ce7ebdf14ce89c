"""Losses and metrics that are made from a function are classes like those written by hand."""

import inspect
import json
import pickle

import pytest

from minitensor import keras
from minitensor.keras.losses import classes as of_losses
from minitensor.keras.metrics import classes as of_metrics

TABLE = [
    (room, name, made)
    for room, table in (("losses", of_losses), ("metrics", of_metrics))
    for name, made in vars(table).items()
    if inspect.isclass(made) and made.__module__ == table.__name__ and name[0] != "_"
]
SECTIONS = {"losses": ("Args:", "Raises:", "Example:", "Source:")}
SECTIONS["metrics"] = ("Args:", "Example:", "Source:")
OTHERS = {"from_logits": True, "label_smoothing": 0.1, "delta": 0.5, "k": 3, "name": "other"}
OTHERS |= {"threshold": 0.25, "axis": 0, "gamma": 1.5, "alpha": 0.5, "reduction": "sum"}
# Settings that Keras forgets in its configs: what is read back has the default.
KERAS_LEAVES_OUT = {
    "losses.Huber": {"delta"},
    "losses.CosineSimilarity": {"axis"},
    "losses.SparseCategoricalCrossentropy": {"axis"},
    "metrics.CosineSimilarity": {"axis"},
    "metrics.SparseTopKCategoricalAccuracy": {"from_sorted_ids"},
}


def arguments(cls):
    parameters = list(inspect.signature(cls).parameters.values())
    return [(p.name, p.default, p.kind) for p in parameters]


def test_all_38_are_made():
    assert len(TABLE) == 18 + 20


def test_signatures_and_configs_are_keras_s(tf):
    for room, name, made in TABLE:
        theirs = getattr(getattr(tf.keras, room), name)
        assert arguments(made) == arguments(theirs), name
        assert arguments(made) == [
            (p.name, p.default, p.kind)
            for p in list(inspect.signature(made.__init__).parameters.values())[1:]
        ]
        chosen = {key: OTHERS[key] for key, _, _ in arguments(made) if key in OTHERS}
        for given in ({}, chosen):
            ours, expected = made(**given).get_config(), theirs(**given).get_config()
            left_out = KERAS_LEAVES_OUT.get(f"{room}.{name}", set())
            assert {key: ours[key] for key in ours.keys() - left_out} == expected, name
            json.dumps(ours)


def test_docstrings_have_every_section_and_no_word_of_the_function_s_call():
    for room, name, made in TABLE:
        text = inspect.getdoc(made)
        sentence, formula = text.split("\n\n")[:2]
        assert sentence.endswith("."), name
        assert "\n" not in sentence, name
        assert formula.startswith({"losses": "loss = ", "metrics": "result = "}[room]), name
        assert all(section in text for section in SECTIONS[room]), name
        assert f">>> tf.keras.{room}.{name}(" in text, name
        assert f"Source: keras.{room}.{name}" in text, name
        listed = text.partition("Args:\n")[2].partition("\n\n")[0]
        words = {w for line in listed.splitlines() for w in line.partition(":")[0].split(", ")}
        assert {w.strip() for w in words} == {key for key, _, _ in arguments(made)}, name


def test_they_are_found_by_name_pickled_and_made_again():
    for room, name, made in TABLE:
        assert made.__name__ == made.__qualname__ == name
        assert getattr(getattr(keras, room), name) is made
        assert made.__init__.__qualname__ == f"{name}.__init__"
        assert pickle.loads(pickle.dumps(made)) is made
        one = made(name="mine")
        description = keras.saving.serialize_keras_object(one)
        assert description["module"] == f"keras.{room}"
        other = keras.saving.deserialize_keras_object(description)
        assert type(other) is made
        assert other.get_config() == one.get_config()


def test_a_class_of_the_user_s_own_can_stand_on_one():
    class Half(keras.losses.Huber):
        def __init__(self, factor=0.5):
            super().__init__(delta=2.0, reduction="sum")
            self.factor = factor

        def call(self, y_true, y_pred):
            return self.factor * super().call(y_true, y_pred)

    whole = keras.losses.Huber(2.0, "sum")([[0.0]], [[3.0]])
    assert float(Half()([[0.0]], [[3.0]])) == float(whole) / 2
    assert Half(0.25).get_config() == {"factor": 0.25}
    assert Half.from_config({"factor": 0.25}).factor == 0.25


def test_wrong_arguments_are_told_by_the_name_of_the_class():
    with pytest.raises(TypeError, match=r"Huber.__init__\(\) got an unexpected .* 'gamma'"):
        keras.losses.Huber(gamma=1.0)
    with pytest.raises(TypeError, match=r"Accuracy.__init__\(\) too many positional arguments"):
        keras.metrics.Accuracy("a", None, 3)
