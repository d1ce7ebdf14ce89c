"""What both MobileNets share: how their names and files follow from the width and the image."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

from minitensor.keras import layers
from minitensor.keras.applications._common import Wanted, channel_axis, input_shape, norm

LEAST = 32


def with_name(
    wanted: Wanted,
    alpha: float,
    stem: str,
    sides: tuple[int, ...],
    alphas: tuple[float, ...],
    image: Any,
) -> tuple[Wanted, int, int | None]:
    """What was wanted with a name like "mobilenet_1.00_224", the usual side, and the side.

    Args:
        wanted: what was asked for.
        alpha: the width.
        stem: of the name.
        sides: of the images for which trained weights exist.
        alphas: widths for which they exist.
        image: the shape of one image if it is known.

    Raises:
        ValueError: "imagenet" with another width.
    """
    place = slice(1, 3) if channel_axis() == 1 else slice(0, 2)
    asked = image and tuple(image)[place]
    usual = asked[0] if asked and asked[0] == asked[1] and asked[0] in sides else 224
    rows, columns = input_shape(wanted, usual, LEAST)[place]
    if wanted.weights == "imagenet":
        if alpha not in alphas:
            raise ValueError(
                "If imagenet weights are being loaded, alpha can be one of "
                f"{alphas} only. Received alpha={alpha}"
            )
        if rows != columns or rows not in sides:
            rows = 224
            warnings.warn(
                f"`input_shape` is undefined or non-square, or `rows` is not in {list(sides)}. "
                "Weights for input shape (224, 224) will be loaded as the default.",
                stacklevel=3,
            )
    return replace(wanted, name=wanted.name or f"{stem}_{alpha:0.2f}_{rows}"), usual, rows


def norm_relu6(x: Any, norm_name: str, relu_name: str, **options: Any) -> Any:
    """Norm, and what is left between 0 and 6."""
    return layers.ReLU(6.0, name=relu_name)(norm(x, norm_name, **options))
