"""What is known about a tensor beside its values: which logits made these probabilities, say.

A note lives as long as its tensor. Keras keeps `_keras_logits` and `_keras_mask` in this way.
"""

from __future__ import annotations

import weakref
from typing import Any

from minitensor.autograd import Tensor

_notes: dict[int, tuple[weakref.ref[Tensor], dict[str, Any]]] = {}


def note(tensor: Tensor, **facts: Any) -> Tensor:
    """Remembers facts about a tensor, and returns it.

    Example:
        >>> import minitensor as mt
        >>> y = note(mt.constant(0.5), logits=0.0)
        >>> noted(y, "logits"), noted(mt.constant(0.5), "logits")
        (0.0, None)
    """
    key = id(tensor)
    if key not in _notes:
        _notes[key] = weakref.ref(tensor, lambda _: _notes.pop(key, None)), {}
    _notes[key][1].update(facts)
    return tensor


def noted(tensor: Any, fact: str) -> Any:
    """A fact about a tensor, or None."""
    ref, facts = _notes.get(id(tensor), (lambda: None, {}))
    return facts.get(fact) if ref() is tensor else None
