"""What lesson 14 shows: against TensorFlow's Keras, and what the committed run says."""

from __future__ import annotations

import json

import numpy as np
import pytest

import minitensor as mt
from minitensor.lesson import seen


@pytest.fixture(scope="module")
def network():
    return seen.Network()


def test_maps_and_gradients_are_those_of_keras(tf, network):
    image, theirs = seen.two_digits(), seen.Network(tf)
    theirs.head = network.head
    for ours, wanted in zip(network.slopes(image, 4), theirs.slopes(image, 4), strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=1e-4, atol=1e-5 * np.abs(wanted).max())


def test_a_number_of_the_fourth_convolution_sees_fourteen_rows_of_pixels(network):
    held = mt.constant(np.random.default_rng(0).random((1, 24, 24, 1), np.float32))
    with mt.GradientTape() as tape:
        tape.watch(held)
        value = mt.reduce_sum(network.last(held)[0, seen.MIDDLE, seen.MIDDLE])
    rows = np.flatnonzero(np.abs(tape.gradient(value, held).numpy()[0]).sum((1, 2)))
    assert (rows[0], rows[-1]) == (6, 19)
    assert seen.field(seen.MIDDLE) == slice(6, 20)


def test_the_part_of_a_digit_excites_as_much_as_on_its_canvas(network):
    images, labels = seen.drawn_digits()
    shown = seen.placed(images[labels < 5][:200], np.random.default_rng(0))
    most = np.asarray(network.last(shown))[..., 3].max()
    canvas = np.zeros((1, 24, 24, 1), np.float32)
    canvas[0, 6:20, 6:20, 0] = network.best_part(3)
    found = np.asarray(network.last(canvas))[0, seen.MIDDLE, seen.MIDDLE, 3]
    assert found == pytest.approx(most, rel=0.3)  # where its canvas ends, zeros begin earlier


def test_the_committed_transfer_beats_training_from_nothing_in_every_seed():
    rows = seen.transfer()["rows"]

    def at_20(way):
        return np.array([row["accuracy"]["20"] for row in rows if row["way"] == way])

    assert len(at_20("from nothing")) == 5
    assert (at_20("features of 0 to 4") - at_20("from nothing")).min() >= 0.18


@pytest.mark.slow
def test_the_transfer_runs(tmp_path, monkeypatch):
    from benchmarks import transfer

    for name, few in {"EPOCHS": 1, "STEPS": 2, "COUNTS": (1, 20)}.items():
        monkeypatch.setattr(transfer, name, few)
    transfer.main(["--seeds", "1", "--out", str(tmp_path)])
    folder = tmp_path / "lessons"
    assert [row["way"] for row in json.loads((folder / "transfer.json").read_text())["rows"]] == [
        "features of 0 to 4",
        "features of chance",
        "from nothing",
        "pixels",
    ]
    assert (folder / "transfer.png").read_bytes()[:4] == b"\x89PNG"
    with np.load(folder / "vgg13_features.npz") as kept:
        assert kept["arr_0"].shape == (3, 3, 1, 16)
