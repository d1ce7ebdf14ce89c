"""Errors that name the nearest thing, and say of what stays out why: `stays_out.py` knows.

A leaf: all may read it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

_COMMON = 4  # letters that a name and a longer one begin with, to be near


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was meant, if one is near enough to say so."""
    import difflib  # 2 ms, and seldom needed

    names = list(known)
    same = [other for other in names if other.lower() == name.lower()]
    alike = [other for other in names if other[:1].lower() == name[:1].lower()]
    near = same or difflib.get_close_matches(name, alike, n=1, cutoff=0.75)
    longer = [n for n in names if len(name) >= _COMMON and n.startswith(name)]
    return next(iter([*near, *sorted(longer, key=len)]), None)


def told(path: str, known: Iterable[str], elsewhere: Iterable[str] = ()) -> str:
    """What is said of a dotted name, "tf.nn.conv2", that is not there.

    Args:
        path: the name.
        known: what is there in the same place.
        elsewhere: dotted names of other places with the same last part.

    Example:
        >>> from minitensor.missing import told
        >>> told("tf.nn.conv2", ["conv2d", "relu"])
        'minitensor has no tf.nn.conv2; the nearest is tf.nn.conv2d'
    """
    from minitensor.stays_out import topic_of

    place, _, name = path.rpartition(".")
    inside = path.removeprefix("tf.")
    lacks = f"minitensor has no {path}"
    if there := ", ".join(elsewhere):
        return f"{lacks}; it has {there}"
    topic = topic_of(inside)
    if topic is not None:
        return f"{lacks} ({topic.title}): {topic.why}; {topic.instead}"
    near = nearest(name, known)
    return f"{lacks}; the nearest is {place}.{near}" if near else lacks


class MissingNameError(AttributeError):
    """An AttributeError whose words are found when somebody reads them: most are only caught."""

    def __init__(self, words: Callable[[], str]) -> None:
        super().__init__()
        self._words = words

    def __str__(self) -> str:
        return self._words()


def refused(place: str, name: str, known: Iterable[str]) -> AttributeError:
    """The error of a module without a name: with `told`'s words, for private names plain."""
    if name[:1] == "_":
        return AttributeError(f"module {place!r} has no attribute {name!r}")
    return MissingNameError(lambda: told(f"{place}.{name}", known))


def refusing(place: str, module: str) -> Callable[[str], object]:
    """The `__getattr__` of a module that TensorFlow calls `place`."""

    def refuse(name: str) -> object:
        raise refused(place, name, vars(sys.modules[module]))

    return refuse


class Hinting:
    """A class whose objects say what is nearest to an attribute that they lack."""

    __slots__ = ()

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            if name[:1] == "_":
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            if hasattr(type(self), name):  # a property that has no answer says why itself
                return super().__getattribute__(name)
            raise MissingNameError(lambda: lacking(self, name))


# What programs of Keras 2 and TensorFlow 1 ask an object for, and what there is now.
RENAMED = {
    "output_shape": "Keras 3 has it in layer.output.shape",
    "input_shape": "Keras 3 has it in layer.input.shape",
    "make_one_shot_iterator": "iter(dataset) gives an iterator",
    "make_initializable_iterator": "iter(dataset) gives an iterator",
    "eval": "there are no sessions: .numpy() is the value",
    "op": "there are no graphs: nothing is known of where a tensor came from",
    "graph": "there are no graphs",
    "initializer": "a variable has its value from the beginning",
    "fit_generator": "model.fit takes generators",
    "evaluate_generator": "model.evaluate takes generators",
    "predict_generator": "model.predict takes generators",
    "predict_classes": "model.predict(x).argmax(-1) gives classes",
    "predict_proba": "model.predict gives probabilities",
    "get_weights_by_name": "model.get_layer(name).get_weights()",
}


def lacking(thing: object, name: str) -> str:
    """What is said of an attribute that an object lacks."""
    from minitensor.stays_out import topic_of

    kind = type(thing).__name__
    lacks = f"{kind!r} object has no attribute {name!r}"
    if name in RENAMED:
        return f"{lacks}: {RENAMED[name]}"
    topic = topic_of(f"{kind}.{name}")
    near = nearest(name, [n for n in dir(thing) if n[:1] != "_"])
    if topic is not None and near is None:
        return f"{lacks} ({topic.title}): {topic.why}; {topic.instead}"
    return f"{lacks}; the nearest is {near!r}" if near else lacks
