"""No public name, argument, default, docstring section or config is lost between two versions."""

import json

import public_surface

import minitensor


def now():
    minitensor.keras.utils.clear_session()  # names count what other tests have made
    return json.loads(json.dumps(public_surface.surface(), default=repr))


def test_nothing_that_a_program_could_use_is_gone():
    assert not list(public_surface.lost(public_surface.recorded(), now()))


def test_a_loss_is_seen():
    before = public_surface.recorded()
    after = json.loads(json.dumps(before))
    del after["minitensor.nn"]["conv2d"]
    conv = after["minitensor.keras.layers"]["Conv2D"]
    conv["parameters"][0][2] = "4"
    conv["sections"].remove("Example")
    conv["config"].pop("groups")
    found = " ".join(public_surface.lost(before, after))
    for words in ("nn.conv2d is gone", "Conv2D: parameters", "lost Example", "Conv2D: config"):
        assert words in found
