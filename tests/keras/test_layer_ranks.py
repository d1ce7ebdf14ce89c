"""Layers made of one class for one, two and three axes: what a program and a reader see of them."""

import inspect
import pickle
import re

import numpy as np
import pytest

import minitensor as mt
from minitensor.keras.layers.spatial import Spatial
from minitensor.ops import array

LAYERS = mt.keras.layers
PUBLIC = {name: layer for name in LAYERS.__all__ if inspect.isclass(layer := getattr(LAYERS, name))}
OF_RANK = {
    name: layer
    for name, layer in PUBLIC.items()
    if issubclass(layer, Spatial) and name == layer.__name__
}
SECTIONS = ["Args:", "Raises:", "Example:", "Source:"]
NEEDED = {"filters": 4, "kernel_size": 3, "pool_size": 2, "output_size": 2}


def made(layer, **arguments):
    """A layer made with the least arguments."""
    parameters = inspect.signature(layer).parameters.values()
    least = {p.name: NEEDED[p.name] for p in parameters if p.name in NEEDED}
    return layer(**least | arguments)


def explained(text):
    """The arguments that the Args section of a docstring explains, ours or Keras'."""
    arguments = re.split(
        r"^(?:Args|Attributes|Call arguments|Input shape|Raises)", text, flags=re.M
    )
    rows = re.findall(r"^ {4}((?:\w+, )*\w+):", arguments[1], re.M) if len(arguments) > 1 else []
    return {name for row in rows for name in row.split(", ")}


def levels(cls):
    """How many classes there are from this one to `object`, on the longest way."""
    return 0 if cls is object else 1 + max(levels(base) for base in cls.__bases__)


def test_there_are_as_many_as_keras_has_and_the_adaptive_ones():
    assert len(OF_RANK) == 3 + 3 + 2 + 2 + 6 + 6 + 6 + 9 + 3


def test_the_docstring_is_whole_and_in_the_words_of_its_rank():
    for name, layer in OF_RANK.items():
        text = inspect.getdoc(layer)
        found = [text.find(f"\n\n{section}") for section in SECTIONS]
        assert -1 not in found, name
        assert found == sorted(found), name
        assert f"Source: keras.layers.{name}" in text
        assert f"tf.keras.layers.{name}(" in text, name
        assert "import minitensor as tf" in text, name
        assert not re.search(r"[{}]", text), name
        things = {1: "signals|sequences|step", 2: "image", 3: "volumes"}[layer.rank]
        assert re.search(things, text.split("\n\n")[0]), name


def test_each_argument_is_explained_and_each_that_keras_explains(tf):
    for name, layer in OF_RANK.items():
        ours = explained(inspect.getdoc(layer))
        assert ours == set(inspect.signature(layer).parameters), name
        theirs = explained(inspect.getdoc(getattr(tf.keras.layers, name)) or "")
        # Like these, ConvLSTM's `unroll` is one of Keras' **kwargs.
        assert theirs <= ours | {"trainable", "dtype", "name", "unroll"}, name


def test_the_config_has_the_words_and_the_values_of_keras(tf):
    for name, layer in OF_RANK.items():
        ours = made(layer, name="x").get_config()
        theirs = made(getattr(tf.keras.layers, name), name="x").get_config()
        plain = {k: v for k, v in theirs.items() if not isinstance(v, dict) and k in ours}
        assert set(theirs) >= set(ours) - {"activity_regularizer", "autocast"}, name
        for key, value in plain.items():
            assert np.array_equal(ours[key], value), (name, key)


def test_each_is_a_class_of_its_own_that_is_found_by_name():
    for name, layer in OF_RANK.items():
        assert (layer.__name__, layer.__qualname__) == (name, name)
        assert layer.__module__.startswith("minitensor.keras.layers.")
        assert layer.__init__.__qualname__ == f"{name}.__init__"
        assert pickle.loads(pickle.dumps(layer)) is layer
        again = layer.from_config(made(layer).get_config())
        assert type(again) is layer
        others = [c for c in OF_RANK.values() if c is not layer]
        assert not any(isinstance(again, other) for other in others), name


def test_a_subclass_calls_the_constructor_of_its_rank():
    class Mine(LAYERS.Conv2D):
        def __init__(self, filters, **kwargs):
            super().__init__(filters, 3, padding="same", **kwargs)

    layer = Mine(2, name="mine")
    assert (layer.strides, layer.dilation_rate, layer.rank) == ((1, 1), (1, 1), 2)
    assert layer(np.ones((1, 5, 5, 3), np.float32)).shape == (1, 5, 5, 2)
    assert Mine.from_config(layer.get_config()).filters == 2
    words = str(inspect.signature(LAYERS.Conv2D.__init__))
    assert "kernel_size: 'Any', strides: 'Any' = (1, 1), padding: 'str' = 'valid'" in words


def test_no_layer_is_more_than_six_levels_deep():
    deep = {name: levels(layer) for name, layer in PUBLIC.items() if levels(layer) > 6}
    assert not deep


WINDOWED = [
    *("Conv1D", "Conv2D", "Conv3D", "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D"),
    *("SeparableConv2D", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D"),
    *("AveragePooling1D", "AveragePooling2D", "AveragePooling3D"),
]


@pytest.mark.parametrize("name", WINDOWED)
def test_an_error_names_the_layer_and_its_class(name):
    layer = made(PUBLIC[name], name="mine")
    rank = layer.rank
    layer(np.ones((1, *[4] * rank, 2), np.float32))
    with pytest.raises(ValueError, match=rf"{name} 'mine': a kernel of .* taps.*padded image"):
        layer(np.ones((1, *[1] * rank, 2), np.float32))


@pytest.mark.parametrize(
    ("make", "x", "words"),
    [
        (
            lambda: LAYERS.GlobalMaxPooling2D(name="mine"),
            "flags",
            "GlobalMaxPooling2D 'mine': dtype",
        ),
        (lambda: LAYERS.AdaptiveMaxPooling2D(2, name="mine"), "flags", "'mine': dtype bool"),
        (lambda: LAYERS.UpSampling2D(2, None, "area", name="mine"), "flags", "UpSampling2D 'mine'"),
        (lambda: LAYERS.Conv2D(1, 3, name="mine"), "small", "Conv2D 'mine': Computed"),
        (lambda: LAYERS.MaxPooling2D(3, name="mine"), "small", "MaxPooling2D 'mine': Computed"),
        (lambda: LAYERS.Cropping2D(1, name="mine"), "small", "Cropping2D 'mine': Values in"),
    ],
)
def test_an_error_names_the_layer_where_no_window_slides_or_none_is_there_yet(make, x, words):
    inputs = {"flags": np.ones((1, 4, 4, 1), bool), "small": mt.keras.Input((2, 2, 1))}
    with pytest.raises((TypeError, ValueError), match=words):
        make()(inputs[x])


def test_two_types_of_floats_are_told_by_the_layer():
    layer = LAYERS.Conv2D(1, 2, autocast=False, name="mine")
    with pytest.raises(TypeError, match=r"Conv2D 'mine': input is float64 but kernel is float32"):
        layer(np.ones((1, 4, 4, 1)))
    with pytest.raises(TypeError, match=r"MaxPooling2D 'mine': dtype bool"):
        LAYERS.MaxPooling2D(2, name="mine")(np.ones((1, 4, 4, 1), bool))


def test_nothing_is_reshaped_that_has_its_shape(monkeypatch):
    """One image op is one op: no reshape stands before or after it."""
    x, kernel = mt.ones([1, 4, 4, 2]), mt.ones([2, 2, 2, 3])
    layers = [LAYERS.Conv2D(3, 2), LAYERS.Conv2DTranspose(3, 2), LAYERS.MaxPooling2D(2)]
    layers += [LAYERS.AveragePooling2D(2), LAYERS.Conv2D(3, 2, use_bias=False)]
    for layer in layers:
        layer(x)
    monkeypatch.setattr(array, "reshape", None)  # called, it would raise
    for call in (
        *layers,
        lambda x: mt.nn.conv2d(x, kernel, 1, "SAME"),
        lambda x: mt.nn.max_pool2d(x, 2, 2, "SAME"),
        lambda x: mt.nn.pool(x, [2, 2], "AVG"),
    ):
        assert call(x).ndim == 4
    with pytest.raises(TypeError):
        mt.nn.conv2d(x[None], kernel, 1, "SAME")  # leading axes are folded


def test_a_layer_looks_its_window_up(monkeypatch):
    """The second call of a size reads no word again: the window is remembered."""
    from minitensor.nn import arguments

    layer = LAYERS.Conv2D(3, 2, padding="same")
    layer(np.ones((1, 4, 4, 2), np.float32))
    monkeypatch.setattr(arguments, "planes", None)  # called, it would raise
    for word in ("spatial", "padding", "channels_last"):
        monkeypatch.setattr(arguments, word, None)
    assert layer(np.ones((1, 4, 4, 2), np.float32)).shape == (1, 4, 4, 3)
