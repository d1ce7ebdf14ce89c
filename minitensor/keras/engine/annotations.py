"""What is known about a tensor beside its values: which logits made these probabilities, say.

An annotation lives as long as its tensor. Keras keeps `_keras_logits` and `_keras_mask` so.
"""

from __future__ import annotations

import weakref
from typing import Any

from minitensor.autograd import Tensor

_annotations: dict[int, tuple[weakref.ref[Tensor], dict[str, Any]]] = {}


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
    if key not in _annotations:
        _annotations[key] = weakref.ref(tensor, lambda _: _annotations.pop(key, None)), {}
    _annotations[key][1].update(facts)
    return tensor


def annotation(tensor: Any, fact: str) -> Any:
    """A fact about a tensor, or None."""
    ref, facts = _annotations.get(id(tensor), (lambda: None, {}))
    return facts.get(fact) if ref() is tensor else None
