"""Functions of one, two and three spatial axes that share one docstring.

A family writes its docstring once, as a template: `{over}` in it is "u", "u, v" or "t, u, v", and
`{each:9}` is 9 for every axis. `of_rank(2, TEMPLATE)` fills it with the words of `WORDS` for two
axes, and puts the function's own docstring where `{example}` stands.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

LAYOUT = {1: "NWC", 2: "NHWC", 3: "NDHWC"}  # the default of `data_format`
WORDS: dict[int, dict[str, str]] = {
    1: {
        "images": "signals",
        "sizes": "W",
        "outputs": "w",
        "taps": "k",
        "at": "i",
        "over": "u",
        "seen": "i*s + u - before",
        "dilated": "i*s + u*d - before",
        "layouts": '"NWC" or "NCW"',
        "forms": "a number, [s] or [1, s, 1]",
        "numbers": "a number or a tuple of one",
        "pairs": "a number, or (before, after)",
        "scaled": "i // s",
    },
    2: {
        "images": "images",
        "sizes": "H, W",
        "outputs": "h, w",
        "taps": "kh, kw",
        "at": "i, j",
        "over": "u, v",
        "seen": "i*sh + u - top, j*sw + v - left",
        "dilated": "i*sh + u*dh - top, j*sw + v*dw - left",
        "layouts": '"NHWC" or "NCHW"',
        "forms": "a number, [s], [sh, sw] or one per axis",
        "numbers": "(height, width), or one number for both",
        "pairs": "a number, (height, width), or ((top, bottom), (left, right))",
        "scaled": "i // sh, j // sw",
    },
    3: {
        "images": "volumes",
        "sizes": "D, H, W",
        "outputs": "d, h, w",
        "taps": "kd, kh, kw",
        "at": "l, i, j",
        "over": "t, u, v",
        "seen": "l*sd + t - front, i*sh + u - top, j*sw + v - left",
        "dilated": "l*sd + t*dd - front, i*sh + u*dh - top, j*sw + v*dw - left",
        "layouts": '"NDHWC" or "NCDHW"',
        "forms": "a number, [s], [sd, sh, sw] or one per axis",
        "numbers": "(depth, height, width), or one number for all",
        "pairs": "a number, a number for each axis, or a pair (before, after) for each",
        "scaled": "l // sd, i // sh, j // sw",
    },
}


class _Each:
    """`{each:9}`: the text after the colon once per axis."""

    def __init__(self, rank: int) -> None:
        self.rank = rank

    def __format__(self, text: str) -> str:
        return ", ".join([text] * self.rank)


def of_rank(rank: int, template: str, **words: Any) -> Callable[[T], T]:
    """A decorator: the docstring is the template in the words of a rank, with the own as example.

    Example:
        >>> from minitensor.nn.ranks import of_rank
        >>> @of_rank(2, "Sums over {over} of {images} [{each:8}], by {how}. {example}", how="hand")
        ... def sums():
        ...     "Like this."
        >>> sums.__doc__
        'Sums over u, v of images [8, 8], by hand. Like this.'
    """

    def complete(thing: T) -> T:
        example = inspect.cleandoc(thing.__doc__ or "").replace("\n", "\n    ")
        fields = WORDS[rank] | words
        thing.__doc__ = inspect.cleandoc(template).format(
            rank=rank, each=_Each(rank), example=example, **fields
        )
        return thing

    return complete
