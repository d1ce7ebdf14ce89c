"""Masks: what layers make of them, and what losses and metrics leave out, against Keras."""

import warnings

import numpy as np
import pytest

import minitensor as mt
from minitensor.keras.engine.masking import mask_of

X = np.random.default_rng(0).integers(0, 3, (4, 5, 2)).astype("float32")
Y = np.random.default_rng(1).normal(size=(4, 5, 3)).astype("float32")
WEIGHTS = np.arange(20, dtype="float32").reshape(4, 5)


@pytest.fixture
def sides(tf):
    """The module keras and functions for symbolic tensors too, ours and theirs."""
    return (mt.keras, mt), (tf.keras, tf.keras.ops)


def marker(keras, ops):
    """A layer whose mask is where the first channel is not 0."""

    class Marks(keras.layers.Layer):
        def call(self, inputs):
            return inputs * 1.0

        def compute_mask(self, inputs, mask=None):
            return ops.not_equal(inputs[..., 0], 0.0)

    return Marks()


def passer(keras, supports):
    """A layer of a program's own that passes the mask on, or not."""

    class Passes(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.supports_masking = supports

        def call(self, inputs):
            return inputs * 2.0

    return Passes()


def taker(keras, ops):
    """A layer that is given the mask."""

    class Takes(keras.layers.Layer):
        supports_masking = True

        def call(self, inputs, mask=None):
            return inputs if mask is None else inputs * ops.cast(mask, "float32")[..., None]

        def compute_mask(self, inputs, mask=None):
            return mask

    return Takes()


def everything(keras, ops, between, reduction="sum_over_batch_size"):
    """What a model with a mask reports, and its weights after a step."""
    x = keras.Input((5, 2))
    y = between(keras, ops, marker(keras, ops)(x))
    dense = keras.layers.Dense(3, kernel_initializer="ones")
    model = keras.Model(x, dense(y))
    model.compile(
        keras.optimizers.SGD(0.01),
        keras.losses.MeanSquaredError(reduction=reduction),
        metrics=["mae", keras.metrics.MeanSquaredError(name="m")],
        weighted_metrics=[keras.metrics.MeanAbsoluteError(name="w")],
    )
    found = []
    for weights in (None, WEIGHTS):
        logs = model.test_on_batch(X, Y, sample_weight=weights, return_dict=True)
        found += [logs[name] for name in sorted(logs)]
    model.train_on_batch(X, Y)
    return [*found, *model.get_weights()]


def layer(name, *args, **kwargs):
    return lambda keras, ops, x: getattr(keras.layers, name)(*args, **kwargs)(x)


def merged(name, other):
    def between(keras, ops, x):
        return getattr(keras.layers, name)()([x, other(keras, ops, x)])

    return between


BETWEEN = {
    "nothing": lambda keras, ops, x: x,
    "one's own": lambda keras, ops, x: passer(keras, True)(x),
    "takes it": lambda keras, ops, x: taker(keras, ops)(x),
    "a model": lambda keras, ops, x: keras.Sequential([taker(keras, ops), passer(keras, True)])(x),
    **{name: layer(name) for name in ("ReLU", "LeakyReLU", "ELU", "Identity", "Flatten")},
    **{name: layer(name) for name in ("LayerNormalization", "UnitNormalization")},
    "Dropout": layer("Dropout", 0.0),
    "Rescaling": layer("Rescaling", 2.0),
    "Activation": layer("Activation", "tanh"),
    "ActivityRegularization": layer("ActivityRegularization", 0.1),
    "Conv1D": layer("Conv1D", 2, 1, kernel_initializer="ones"),
    "Lambda": layer("Lambda", lambda x: x * 2.0, output_shape=(5, 2)),
    "Lambda with mask": lambda keras, ops, x: keras.layers.Lambda(
        lambda x: x * 2.0, output_shape=(5, 2), mask=lambda x, mask: ops.equal(x[..., 1], 1.0)
    )(x),
    "GlobalAveragePooling1D": lambda keras, ops, x: keras.layers.RepeatVector(5)(
        keras.layers.GlobalAveragePooling1D()(x)
    ),
    **{
        f"{name} with {what}": merged(name, other)
        for name in ("Add", "Multiply", "Maximum", "Average", "Subtract", "Concatenate")
        for what, other in {
            "a mask": lambda keras, ops, x: marker(keras, ops)(keras.layers.Rescaling(-1.0)(x)),
            "none": lambda keras, ops, x: passer(keras, False)(x),
        }.items()
    },
}


@pytest.mark.parametrize("between", [name for name in BETWEEN if name != "Flatten"])
@pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask")
def test_what_a_mask_leaves_out_between_layers(sides, between):
    ours, theirs = (everything(*side, BETWEEN[between]) for side in sides)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("reduction", ["sum", "mean", "mean_with_sample_weight", "none", None])
def test_what_a_mask_leaves_out_for_a_reduction(sides, reduction):
    ours, theirs = (everything(*side, BETWEEN["nothing"], reduction) for side in sides)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=1e-6)


def test_two_outputs_have_masks_of_their_own(sides):
    found = []
    for keras, ops in sides:
        x = keras.Input((5, 2))
        marked = marker(keras, ops)(x)
        model = keras.Model(x, [marked, passer(keras, True)(keras.layers.Rescaling(1.0)(x))])
        model.compile(loss=["mse", "mae"])
        found.append(model.test_on_batch(X, [Y[..., :2], Y[..., :2]]))
    np.testing.assert_allclose(np.sort(found[0]), np.sort(found[1]), rtol=1e-5)


def test_a_mask_and_the_labels_that_a_loss_ignores_are_left_out_together(sides):
    found = []
    labels = np.random.default_rng(3).integers(-1, 3, (4, 5))
    for keras, ops in sides:
        dense = keras.layers.Dense(3, "softmax", kernel_initializer="ones")
        model = keras.Sequential([keras.Input((5, 2)), marker(keras, ops), dense])
        model.compile(loss=keras.losses.SparseCategoricalCrossentropy(ignore_class=-1))
        found.append(model.test_on_batch(X, labels))
    np.testing.assert_allclose(*found, rtol=1e-5)


def test_each_argument_has_its_mask_and_a_model_is_given_one(tf):
    seen = {}

    class Two(mt.keras.layers.Layer):
        def call(self, query, value, query_mask=None, value_mask=None):
            seen.update(query=query_mask, value=value_mask)
            return query

    marked = marker(mt.keras, mt)(mt.constant(X))
    Two()(marked, value=mt.constant(X))
    assert seen["value"] is None
    np.testing.assert_array_equal(seen["query"], X[..., 0] != 0)
    model = mt.keras.Sequential([taker(mt.keras, mt)])
    theirs = tf.keras.Sequential([taker(tf.keras, tf.keras.ops)])
    mask = X[..., 1] > 0
    ours = model(mt.constant(X), mask=mt.constant(mask))
    np.testing.assert_array_equal(ours, theirs(tf.constant(X), mask=tf.constant(mask)))
    np.testing.assert_array_equal(mask_of(ours), mask)


def test_a_layer_without_masks_says_that_it_loses_one():
    marked = marker(mt.keras, mt)(mt.constant(X))
    with pytest.warns(UserWarning, match="does not support masking and will therefore destroy"):
        y = passer(mt.keras, False)(marked)
    assert mask_of(y) is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        passer(mt.keras, False)(mt.constant(X))
