"""Pascal VOC 2007 from files as they are unpacked; damaged annotations are errors, never more."""

import sys
from pathlib import Path

import numpy as np
import pytest

from minitensor.data import tfds

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
from small_data import make_small_data


@pytest.fixture
def annotation(tmp_path, monkeypatch):
    """The annotation of the first image; MINITENSOR_HOME is where it lies."""
    make_small_data(tmp_path)
    monkeypatch.setenv("MINITENSOR_HOME", str(tmp_path))
    return tmp_path / "datasets/VOCdevkit/VOC2007/Annotations/000001.xml"


def first():
    return next(iter(tfds.load("voc2007", split=tfds.Split.TRAIN)))


def test_an_element_has_the_photograph_and_its_boxes(annotation):
    element = first()
    assert element["image"].shape.as_list() == [48, 64, 3]
    assert np.asarray(element["objects"]["label"]).tolist() == [7]  # cat, the eighth of twenty
    box = np.asarray(element["objects"]["bbox"])
    assert box.tolist() == [[12 / 48, 16 / 64, 36 / 48, 48 / 64]]
    assert len(list(tfds.load("voc2007", split="train[:50%]"))) == 2


@pytest.mark.parametrize(
    "text",
    [
        "<annotation><object><name>cat</name>",
        "<annotation><object><name>unicorn</name></object></annotation>",
        '<!DOCTYPE a [<!ENTITY b "bbbb">]><annotation>&b;</annotation>',
        "<annotation>" + " " * 2**20 + "</annotation>",
        "<annotation><object><name>cat</name><bndbox><xmin>left</xmin></bndbox></object></annotation>",
    ],
    ids=["cut off", "unknown name", "entities", "too large", "no number"],
)
def test_a_damaged_annotation_is_an_error_that_names_it(annotation, text):
    annotation.write_text(text)
    with pytest.raises(ValueError, match=r"000001\.xml"):
        first()


def test_there_is_no_single_label(annotation):
    with pytest.raises(ValueError, match="as_supervised"):
        tfds.load("voc2007", split="train", as_supervised=True)
