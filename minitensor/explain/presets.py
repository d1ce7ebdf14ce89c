"""The course texts' examples, by the ids of the inventory: `minitensor explain --preset A001-6`."""

from __future__ import annotations

from typing import Any

import numpy as np

_KERNEL = [[-1, 2, -3], [4, -5, 6], [-7, 8, -9]]
_DIGIT = [
    [0, 0, 0, 0, 0, 0, 0],
    [0, 1, 0, 1, 2, 1, 0],
    [0, 0, 2, 2, 0, 1, 0],
    [0, 1, 1, 0, 2, 1, 0],
    [0, 0, 2, 1, 1, 0, 0],
    [0, 2, 1, 1, 2, 0, 0],
    [0, 0, 0, 0, 0, 0, 0],
]
_DIGIT_KERNEL = [[0, 0, -1], [0, 1, 0], [-2, 0, 2]]
_CHAPTER = [[1, -1, 0, 2, 0], [-1, -2, 2, 3, 1], [1, 2, -2, 1, 0]]  # rows 1 to 3 of its image


def _counting(*shape: int, start: int = 1) -> np.ndarray:
    """start, start + 1, ... in this shape."""
    return np.arange(start, start + np.prod(shape), dtype=np.float32).reshape(shape)


def _conv(x: Any, w: Any, **settings: Any) -> tuple[str, dict[str, Any]]:
    return "conv2d", {"input": x, "filters": w, "strides": 1, "padding": "VALID", **settings}


def _back(y: Any, size: int, **settings: Any) -> tuple[str, dict[str, Any]]:
    words = {"output_shape": [size, size], "padding": "VALID", **settings}
    return "conv2d_transpose", {"input": y, "filters": _KERNEL, **words}


PRESETS: dict[str, tuple[str, dict[str, Any]]] = {
    "A000-1": _conv(_counting(1, 5, 5, 3), _counting(3, 3, 3, 16)),
    "A001-3": _conv(_counting(2, 5, 5, 3), _counting(3, 3, 3, 4), strides=3, padding="SAME"),
    "A001-5": _conv(_counting(7, 7), _counting(3, 3), dilations=2),
    "A001-6": _conv(_counting(5, 5), _KERNEL, strides=2),
    "A001-7": _back([[-67, -77], [-117, -127]], 5, strides=2),
    "A001-8": _back([[12.10025, 4.844719], [24.131506, -16.067171]], 6, strides=2),
    "A001-9": _back([[-56, -61], [-76, -81]], 4, strides=1),
    "A002-2": _conv(_DIGIT, _DIGIT_KERNEL, bias=[1]),
    "A002-3": _conv(_DIGIT, _DIGIT_KERNEL, bias=[1], strides=2),
    "A002-4": ("max_pool2d", {"input": _counting(1, 16, 16, 3), "ksize": 2, "strides": 2}),
    "A003-1": _conv(_counting(1, 32, 32, 3), _counting(5, 5, 3, 6)),
    "A004-4": _conv(_CHAPTER, [[-1, 1, 2], [1, -1, 3], [0, -1, -2]]),
    "A004-9": _conv(_counting(3, 3, start=0), _counting(2, 2, start=0)),
    "A004-10": ("max_pool2d", {"input": [[1, -1], [-1, -2]], "ksize": 2}),
    "A004-14": _conv(_counting(7, 7), _counting(3, 3), dilations=2),
    "A004-15": _back([[20.438847, 19.160788], [0.8098897, -28.30303]], 6, strides=2),
    "A004-16": _conv(_counting(4, 4), _KERNEL),
    "A004-17": (
        "separable_conv2d",
        {
            "input": _counting(1, 5, 5, 3),
            "depthwise_filter": _counting(3, 3, 3, 1),
            "pointwise_filter": _counting(1, 1, 3, 4),
            "strides": 1,
            "padding": "SAME",
        },
    ),
}

# An example beside which a course text is wrong: the row of examples/ERRATA.md.
ERRATA = {
    "A001-3": "E001-2",
    "A001-7": "E001-3",
    "A002-4": "E002-3",
    "A003-1": "E003-1",
    "A004-10": "E004-4",
    "A004-15": "E004-6",
    "A004-17": "E004-3",
}


def preset(name: str) -> tuple[str, dict[str, Any]]:
    """The op and the arguments of an example.

    Raises:
        ValueError: there is none of this id; says which there are.
    """
    if name not in PRESETS:
        raise ValueError(f"--preset {name}: legal are {', '.join(PRESETS)}")
    op, arguments = PRESETS[name]
    return op, dict(arguments)
