"""A name for each layer: "conv2d", "conv2d_1", ... in the order in which they are made."""

from __future__ import annotations

import re
from collections import Counter

_made: Counter[str] = Counter()


def snake_case(name: str) -> str:
    """Conv2DTranspose -> conv2d_transpose, as Keras writes it.

    Example:
        >>> from minitensor.keras.serialization.names import snake_case
        >>> snake_case("Conv2DTranspose"), snake_case("ReLU"), snake_case("BatchNormalization")
        ('conv2d_transpose', 're_lu', 'batch_normalization')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def fresh(of: type | str) -> str:
    """The next name for an object of this class, or the next one that begins so."""
    return numbered(of if isinstance(of, str) else snake_case(of.__name__).lstrip("_"), _made)


def numbered(stem: str, counts: Counter[str]) -> str:
    """The stem, with a number from the second time on."""
    number = counts[stem]
    counts[stem] += 1
    return f"{stem}_{number}" if number else stem


def clear() -> None:
    """Counts from the beginning again."""
    _made.clear()
