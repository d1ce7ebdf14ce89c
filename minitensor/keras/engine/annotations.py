"""What is known about a tensor beside its values: which logits made these probabilities, say.

An annotation lives as long as its tensor. Keras keeps `_keras_logits` and `_keras_mask` so.
"""

from __future__ import annotations

import weakref
from typing import Any

from minitensor.autograd import Tensor

_known: dict[str, dict[int, tuple[weakref.ref[Tensor], Any]]] = {}  # by fact and tensor


def annotate(tensor: Tensor, **facts: Any) -> Tensor:
    """Remembers facts about a tensor, and returns it.

    Example:
        >>> import minitensor as tf
        >>> from minitensor.keras.engine.annotations import annotate, annotation
        >>> y = annotate(tf.constant(0.5), logits=0.0)
        >>> annotation(y, "logits"), annotation(tf.constant(0.5), "logits")
        (0.0, None)
    """
    key = id(tensor)
    for fact, value in facts.items():
        kept = _known.setdefault(fact, {})

        def forget(_: Any, kept: dict[int, Any] = kept) -> None:
            kept.pop(key, None)

        kept[key] = weakref.ref(tensor, forget), value
    return tensor


def annotation(tensor: Any, fact: str) -> Any:
    """A fact about a tensor, or None."""
    kept = _known.get(fact)
    if not kept:
        return None
    ref, value = kept.get(id(tensor), (lambda: None, None))
    return value if ref() is tensor else None


def are_noted(fact: str) -> bool:
    """Whether this fact is known of any tensor now."""
    return bool(_known.get(fact))
