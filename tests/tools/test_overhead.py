"""What a call costs beyond its arithmetic: Python calls are counted, and no op is in vain."""

import sys
from pathlib import Path

import pytest

import minitensor as mt
from minitensor.autograd.finite import Watcher

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.overhead import entered, microseconds, sides

SIDES = sides()
IMAGE = mt.ones([1, 4, 4, 2])
CALLS = {
    "conv1d": lambda x: mt.nn.conv1d(x[0], mt.ones([3, 2, 2]), 1, "SAME"),
    "conv2d": lambda x: mt.nn.conv2d(x, mt.ones([3, 3, 2, 2]), 1, "SAME"),
    "conv2d_transpose": lambda x: mt.nn.conv2d_transpose(
        x, mt.ones([3, 3, 2, 2]), [1, 4, 4, 2], 1, "SAME"
    ),
    "depthwise_conv2d": lambda x: mt.nn.depthwise_conv2d(
        x, mt.ones([3, 3, 2, 1]), [1, 1, 1, 1], "SAME"
    ),
    "max_pool2d": lambda x: mt.nn.max_pool2d(x, 2, 2, "VALID"),
    "avg_pool2d": lambda x: mt.nn.avg_pool2d(x, 2, 2, "VALID"),
    "layers.MaxPooling2D": mt.keras.layers.MaxPooling2D(),
    "layers.AveragePooling2D": mt.keras.layers.AveragePooling2D(2),
}


@pytest.mark.parametrize("name", ["nn.conv2d", "keras.layers.Conv2D"])
def test_a_convolution_of_nine_pixels_enters_at_most_110_functions(name):
    assert len(entered(SIDES[name])) <= 110


def test_the_backend_alone_enters_fewer_functions_and_takes_less_time():
    assert len(entered(SIDES["backend.conv2d"])) < len(entered(SIDES["nn.conv2d"]))
    times = microseconds(SIDES, rounds=20)
    assert min(times["backend.conv2d"]) < min(times["keras.layers.Conv2D"])


@pytest.mark.parametrize("name", CALLS)
def test_an_op_that_has_its_shape_already_records_no_reshape(name):
    with Watcher() as seen:
        CALLS[name](IMAGE)
    alike = [
        event.op
        for event in seen._events
        if event.op == "reshape" and event.inputs[0].shape == event.outputs[0].shape
    ]
    assert not alike
