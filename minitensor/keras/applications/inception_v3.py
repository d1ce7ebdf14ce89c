"""Inception v3: windows of several sizes beside one another, long ones split in two thin ones."""

from __future__ import annotations

from typing import Any

from minitensor.keras import layers
from minitensor.keras.applications._common import Request, application, channel_axis, network, norm
from minitensor.keras.applications.imagenet_utils import decode_predictions, of_mode
from minitensor.keras.engine.functional import Functional

__all__ = ["InceptionV3", "decode_predictions", "preprocess_input"]

AVERAGE, MAXIMUM = "average", "maximum"
Branch = list[Any]  # of (filters, rows, columns), with "/2" if it halves, AVERAGE and MAXIMUM

preprocess_input = of_mode("tf")


@application("inception_v3", "weights=None, input_shape=(75, 75, 3), classes=10", 21823274)
def InceptionV3(request: Request) -> Functional:  # noqa: N802 -- Keras' name
    """94 convolutions, most in 11 mixed blocks: 23,851,784 parameters.

    y = concat of the branches along the channels

    Source: keras.applications.InceptionV3; Szegedy et al. 2015, arXiv 1512.00567, table 1
    """
    return network(request, _body, size=299, least=75)


def _body(x: Any) -> Any:
    x = _chain(x, [(32, 3, 3, "/2"), (32, 3, 3, "valid"), (64, 3, 3), MAXIMUM])
    x = _chain(x, [(80, 1, 1, "valid"), (192, 3, 3, "valid"), MAXIMUM])
    for number, branches in enumerate(_mixed_blocks()):
        x = _concatenated([_chain(x, branch) for branch in branches], f"mixed{number}")
    for number in (9, 10):
        x = _forked(x, number)
    return x


def _mixed_blocks() -> list[list[Branch]]:
    """Blocks 0...8: at 1/8 of the sides, then 1/16, then 1/32."""
    return [
        *(_eighth(after_pool) for after_pool in (32, 64, 64)),
        [[(384, 3, 3, "/2")], [(64, 1, 1), (96, 3, 3), (96, 3, 3, "/2")], [MAXIMUM]],
        *(_sixteenth(width) for width in (128, 160, 160, 192)),
        [
            [(192, 1, 1), (320, 3, 3, "/2")],
            [(192, 1, 1), (192, 1, 7), (192, 7, 1), (192, 3, 3, "/2")],
            [MAXIMUM],
        ],
    ]


def _eighth(after_pool: int) -> list[Branch]:
    return [
        [(64, 1, 1)],
        [(48, 1, 1), (64, 5, 5)],
        [(64, 1, 1), (96, 3, 3), (96, 3, 3)],
        [AVERAGE, (after_pool, 1, 1)],
    ]


def _sixteenth(width: int) -> list[Branch]:
    flat, tall = (width, 1, 7), (width, 7, 1)
    return [
        [(192, 1, 1)],
        [(width, 1, 1), flat, (192, 7, 1)],
        [(width, 1, 1), tall, flat, tall, (192, 1, 7)],
        [AVERAGE, (192, 1, 1)],
    ]


def _forked(x: Any, number: int) -> Any:
    """Blocks 9 and 10, at 1/32: two of their branches end side by side."""
    ends: tuple[Branch, Branch] = [(384, 1, 3)], [(384, 3, 1)]
    one = _chain(x, [(320, 1, 1)])
    three = _chain(x, [(384, 1, 1)])
    three = _concatenated([_chain(three, end) for end in ends], f"mixed9_{number - 9}")
    double = _chain(x, [(448, 1, 1), (384, 3, 3)])
    double = _concatenated([_chain(double, end) for end in ends])
    pooled = _chain(x, [AVERAGE, (192, 1, 1)])
    return _concatenated([one, three, double, pooled], f"mixed{number}")


def _chain(x: Any, branch: Branch) -> Any:
    for step in branch:
        if step == AVERAGE:
            x = layers.AveragePooling2D(3, strides=1, padding="same")(x)
        elif step == MAXIMUM:
            x = layers.MaxPooling2D(3, strides=2)(x)
        else:
            x = _conv(x, *step)
    return x


def _conv(x: Any, filters: int, rows: int, columns: int, how: str = "same") -> Any:
    strides, padding = (2, "valid") if how == "/2" else (1, how)
    x = layers.Conv2D(filters, (rows, columns), strides, padding, use_bias=False)(x)
    return layers.Activation("relu")(norm(x, scale=False))


def _concatenated(branches: list[Any], name: str | None = None) -> Any:
    return layers.concatenate(branches, axis=channel_axis(), name=name)
