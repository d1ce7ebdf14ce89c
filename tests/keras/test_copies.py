"""Copies by `copy` and `pickle`, and fits inside of fits: joblib, ray, cross-validation do this."""

import copy
import pickle

import numpy as np
import pytest

import minitensor as tf

k = tf.keras
X = np.random.default_rng(0).random((8, 6, 6, 1)).astype("float32")
Y = np.random.default_rng(1).integers(0, 3, 8)
WAYS = {"deepcopy": copy.deepcopy, "pickle": lambda thing: pickle.loads(pickle.dumps(thing))}
OPTIMIZERS = {
    "Adam": lambda: k.optimizers.Adam(0.01),
    "SGD": lambda: k.optimizers.SGD(
        k.optimizers.schedules.ExponentialDecay(0.1, 2, 0.9), momentum=0.9
    ),
    "AdamW": lambda: k.optimizers.AdamW(use_ema=True, ema_overwrite_frequency=3),
    "RMSprop": lambda: k.optimizers.RMSprop(gradient_accumulation_steps=2, centered=True),
    **{
        name: getattr(k.optimizers, name)
        for name in ("Adadelta", "Adagrad", "Adamax", "Lion", "Nadam")
    },
}


def listed():
    return k.Sequential(
        [
            k.Input((6, 6, 1)),
            k.layers.Conv2D(2, 3, activation="relu"),
            k.layers.BatchNormalization(),
            k.layers.Flatten(),
            k.layers.Dropout(0.5, seed=1),
            k.layers.Dense(3, "softmax"),
        ]
    )


def drawn():
    x = k.Input((6, 6, 1))
    y = k.layers.Conv2D(2, 3)(x)
    end = k.Sequential([k.Input((4, 4, 2)), k.layers.Flatten(), k.layers.Dense(3, "softmax")])
    return k.Model(x, end(k.layers.Add()([y, y]) * 2.0))


def deep():
    x = y = k.Input((6, 6, 1))
    for _ in range(150):
        y = k.layers.Conv2D(1, 1)(y)
    return k.Model(x, k.layers.Dense(3, "softmax")(k.layers.Flatten()(y)))


class Subclassed(k.Model):
    def __init__(self):
        super().__init__()
        self.flat, self.dense = k.layers.Flatten(), k.layers.Dense(3, "softmax")
        self.seen = k.metrics.Mean()

    def call(self, x):
        return self.dense(self.flat(x))


def compiled(make, optimizer, trained):
    model = make()
    optimizer = optimizer()
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    if trained:
        model.fit(X, Y, verbose=0)
    return model


def trained_on(model):
    """The history and the weights after two epochs, from the same random numbers."""
    tf.random.set_seed(1)
    history = model.fit(X, Y, batch_size=4, epochs=2, verbose=0).history
    return history, model.get_weights() + [v.numpy() for v in model.optimizer.variables]


def assert_goes_on_alike(model, other):
    """A copy is trained like the original, and neither changes the other."""
    before = model.get_weights()
    history, weights = trained_on(other)
    for kept, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, now)
    mine, own_weights = trained_on(model)
    assert history == mine
    for a, b in zip(weights, own_weights, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("make", [listed, drawn, deep])
def test_a_compiled_model_goes_on_in_its_copy(make, trained, way):
    model = compiled(make, OPTIMIZERS["Adam"], trained)
    other = WAYS[way](model)
    assert other.to_json() == model.to_json()
    assert other.layers[0].output.shape == model.layers[0].output.shape
    assert_goes_on_alike(model, other)


@pytest.mark.parametrize("way", WAYS)
def test_a_subclassed_model_goes_on_in_its_copy(way):
    model = compiled(Subclassed, OPTIMIZERS["Adam"], True)
    assert_goes_on_alike(model, WAYS[way](model))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_goes_on_in_the_copy_of_its_model(optimizer, way):
    model = compiled(listed, OPTIMIZERS[optimizer], True)
    assert_goes_on_alike(model, WAYS[way](model))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_copy_of_an_optimizer_alone_goes_on_with_variables_of_the_same_shapes(optimizer, way):
    one, make = tf.Variable([1.0, -2.0]), OPTIMIZERS[optimizer]
    original = make()
    for _ in range(3):
        original.apply([2.0 * one], [one])
    other, new = WAYS[way](original), tf.Variable(one.numpy())
    for _ in range(3):
        original.apply([2.0 * one], [one])
        other.apply([2.0 * new], [new])
    np.testing.assert_array_equal(one, new)
    assert int(other.iterations) == int(original.iterations)
    unused = WAYS[way](make())
    unused.apply([2.0 * new], [new])
    with pytest.raises(ValueError, match="Unknown variable"):
        other.apply([tf.ones([1])], [tf.Variable([1.0])])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "make",
    [
        lambda: k.layers.Dense(3),
        lambda: k.layers.RandomFlip(seed=1),
        lambda: k.losses.Huber(0.5),
        lambda: k.metrics.AUC(),
        lambda: k.metrics.MeanAbsoluteError(),
        lambda: k.initializers.HeNormal(3),
        lambda: k.callbacks.EarlyStopping(),
        lambda: k.Input((3,)),
        lambda: k.optimizers.schedules.CosineDecay(0.1, 3),
    ],
)
def test_parts_of_models_have_copies_too(make, way):
    thing = make()
    other = WAYS[way](thing)
    assert type(other) is type(thing)
    if hasattr(thing, "get_config"):
        assert other.get_config() == thing.get_config()


def test_a_layer_is_copied_without_the_models_that_it_was_drawn_into():
    dense, x = k.layers.Dense(2), k.Input((3,))
    k.Model(x, k.layers.Dense(1)(dense(x)))
    other = copy.deepcopy(dense)
    assert other._nodes == []
    assert len(dense._nodes) == 1
    np.testing.assert_array_equal(other.kernel, dense.kernel)
    shallow = copy.copy(k.Model(x, dense(x)))
    assert [len(layer._nodes) for layer in shallow.layers] == [1, 2]


def test_model_from_config_draws_what_a_functional_config_says():
    model = drawn()
    other = k.Model.from_config(model.get_config())
    assert type(other) is type(model)
    other.set_weights(model.get_weights())
    np.testing.assert_array_equal(other(X), model(X))

    class Mine(k.Model):
        pass

    x = k.Input((3,))
    mine = Mine(x, k.layers.Dense(1)(x))
    assert type(Mine.from_config(mine.get_config())) is Mine


class Fits(k.callbacks.Callback):
    """Fits, tests and asks a model at some hook."""

    def __init__(self, other=None):
        super().__init__()
        self.other, self.found = other, []

    def on_epoch_end(self, epoch, logs=None):
        model = self.other or self.model
        self.found.append(model.fit(X, Y, verbose=0).history)
        model.evaluate(X, Y, verbose=0)
        model.predict(X, verbose=0)


def test_a_model_is_fitted_in_a_callback_of_a_fit():
    model = compiled(listed, OPTIMIZERS["Adam"], False)
    for callback in (Fits(), Fits(compiled(drawn, OPTIMIZERS["Adam"], False))):
        history = model.fit(X, Y, epochs=3, verbose=0, callbacks=[callback])
        assert len(history.history["loss"]) == 3
        assert history.epoch == [0, 1, 2]
        assert [len(found["loss"]) for found in callback.found] == [1, 1, 1]
        assert model.history is history
        assert model._fit is None
    assert int(model.optimizer.iterations) == 3 + 3 + 3


def test_a_model_is_copied_in_a_callback_of_its_fit():
    copies = []

    class Keeps(k.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            copies.extend(way(self.model) for way in WAYS.values())

    model = compiled(listed, OPTIMIZERS["Adam"], False)
    model.fit(X, Y, verbose=0, callbacks=[Keeps()])
    for other in copies:
        assert other._fit is None
        np.testing.assert_array_equal(other(X), model(X))
