"""Names, order and defaults of arguments are Keras', letter for letter."""

import importlib
import importlib.util
import inspect
from typing import Unpack, get_args, get_origin, get_type_hints

import pytest

from minitensor import keras

ROOMS = (
    *("activations", "callbacks", "constraints", "initializers", "layers", "losses", "metrics"),
    *("optimizers", "optimizers.schedules", "regularizers", "applications"),
)
# Our own, and names that Keras 2 had.
NOT_IN_KERAS = {
    *("LocalResponseNormalization", "LossFunctionWrapper", "Arithmetic", "BCE", "bce"),
    *("kl_divergence", "log_cosh", "mean_absolute_error", "mean_absolute_percentage_error"),
    *("mean_squared_error", "mean_squared_logarithmic_error"),
}
# An input of a dense tensor, and what a layer asks of one: fewer things can be said.
NARROWER = {"InputLayer", "InputSpec"}


def exported():
    """(room, name) of every class and function in the rooms that are there."""
    for room in ROOMS:
        if importlib.util.find_spec(f"minitensor.keras.{room}"):
            module = importlib.import_module(f"minitensor.keras.{room}")
            home = module.__name__
            own = (n for n, x in vars(module).items() if getattr(x, "__module__", "") == home)
            names = set(getattr(module, "__all__", own)) - NARROWER
            public = (n for n in sorted(names) if not n.startswith("_"))
            yield from ((room, n) for n in public if _is_code(getattr(module, n)))


def _is_code(thing):
    return inspect.isclass(thing) or inspect.isfunction(thing)


def found(root, room, name):
    for part in room.split("."):
        root = getattr(root, part)
    return getattr(root, name, None)


def arguments(thing):
    """[(name, default)], where a callable or an enumeration stands by its name."""
    call = thing.__init__ if inspect.isclass(thing) else thing
    if call is object.__init__:
        return []
    parameters = list(inspect.signature(call).parameters.values())[inspect.isclass(thing) :]
    return [(_stars(p) + p.name, _named(p.default)) for p in parameters]


def _stars(parameter):
    marks = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}
    return marks.get(parameter.kind, "")


def _named(value):
    return getattr(value, "__name__", None) or getattr(value, "name", None) or value


def without_stars(pairs):
    return [pair for pair in pairs if not pair[0].startswith("*")]


def typed_keywords(cls):
    """The names in the TypedDict that annotates **kwargs, of the class and those above it."""
    hints = [get_type_hints(base.__init__).get("kwargs") for base in cls.__mro__[:-1]]
    told = [get_args(hint)[0] for hint in hints if get_origin(hint) is Unpack]
    return {name for names in told for name in get_type_hints(names)}


@pytest.mark.parametrize(("room", "name"), list(exported()))
def test_the_arguments_are_keras_s(tf, room, name):
    mine, theirs = found(keras, room, name), found(tf.keras, room, name)
    if theirs is None:
        assert name in NOT_IN_KERAS
        return
    ours, expected = arguments(mine), arguments(theirs)
    if name == "Optimizer":  # Keras' hands all on to the base of every backend
        expected = arguments(next(c for c in theirs.__mro__ if c.__name__ == "BaseOptimizer"))
    if not without_stars(expected):  # **kwargs, or nothing: those of the base
        expected = arguments(getattr(mine, "__base__", None) or mine) if ours else []
    if room == "optimizers" and inspect.isclass(mine):  # the common ones are **kwargs, by name only
        ours, expected = without_stars(ours), without_stars(expected)
        common = {name for name, _ in expected[len(ours) :]} - {"kwargs"}
        assert common <= typed_keywords(mine)
        expected = expected[: len(ours)]
    assert ours == expected
