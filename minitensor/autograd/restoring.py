"""What waits for parts of an object that are not there yet: told whenever one comes.

A checkpoint that is restored into a model without weights leaves values behind. Objects that can be
saved say here that they got a part; whoever waits for parts of that object is called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

waiting: WeakKeyDictionary[Any, Callable[[Any], None]] = WeakKeyDictionary()  # owner -> its giver


def got_part(owner: Any) -> None:
    """An object has a new part: who waits for it hands over what is meant for it."""
    if waiting and owner in waiting:
        waiting[owner](owner)
