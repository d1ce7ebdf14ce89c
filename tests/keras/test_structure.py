"""What a layer owns is found once and kept; every change of it is seen, and `fit` stays cheap."""

import copy
import pickle
import sys

import numpy as np
import pytest

import minitensor as tf
from minitensor import keras

layers = keras.layers


class Blocks(keras.Model):
    """Its layers lie in a list."""

    def __init__(self):
        super().__init__()
        self.blocks = [layers.Dense(2), layers.Dense(2)]
        self.scale = tf.Variable(1.0)

    def call(self, inputs):
        for block in self.blocks:
            inputs = block(inputs)
        return inputs * self.scale


def built():
    model = Blocks()
    model(np.ones((1, 2), np.float32))
    assert len(model.weights) == 5
    return model


def other():
    layer = layers.Dense(2)
    layer.build((1, 2))
    return layer


def appended(model, layer):
    model.blocks.append(layer)


def exchanged(model, layer):
    model.blocks[1] = layer


def in_a_tuple(model, layer):
    model.more = (layer,)


def in_a_dictionary_inside(model, layer):
    model.blocks[0].more = {"head": layer}


def as_an_attribute(model, layer):
    model.blocks[0].head = layer


CHANGES = (appended, exchanged, in_a_tuple, in_a_dictionary_inside, as_an_attribute)


@pytest.mark.parametrize("change", CHANGES)
def test_a_layer_that_comes_is_seen(change):
    model, layer = built(), other()
    change(model, layer)
    assert any(w is layer.kernel for w in model.weights)
    assert layer in model.all_layers()


def test_what_goes_is_seen():
    model = built()
    gone = model.blocks.pop()
    assert gone not in model.all_layers()
    model.scale = None
    assert len(model.weights) == 2
    model.blocks[0].head = other()
    assert len(model.weights) == 4
    del model.blocks[0].head
    assert len(model.weights) == 2


def test_what_learns_is_asked_each_time():
    model = built()
    model.blocks[0].trainable = False
    assert len(model.trainable_weights) == 3
    model.scale.trainable = False
    assert len(model.trainable_weights) == 2
    assert model.weights[0] is model.scale  # the model's own come first
    model.blocks[0].kernel.trainable = True
    assert len(model.trainable_weights) == 3


def test_a_metric_that_comes_is_seen():
    model = built()
    model.compile(loss="mse")
    count = len(model.metrics)
    model.blocks[0].mean = keras.metrics.Mean()
    assert len(model.metrics) == count + 1
    model.kept = []
    assert len(model.metrics) == count + 1
    model.kept.append(keras.metrics.Sum())
    assert len(model.metrics) == count + 2


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_a_copy_looks_for_itself(copied):
    layer = other()
    assert len(layer.weights) == 2
    twin = copied(layer)
    twin.extra = tf.Variable(2.0)
    assert len(twin.weights) == 3
    assert len(layer.weights) == 2


def test_a_layer_unfrozen_in_the_middle_of_fit_learns_from_the_next_step_on():
    class Unfreeze(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(self.model.blocks[0].kernel.numpy())
            if batch == 1:
                self.model.blocks[0].trainable = True

    seen, model = [], built()
    model.compile("sgd", "mse")
    model.optimizer.build(model.trainable_weights)
    model.blocks[0].trainable = False
    x = np.ones((8, 2), np.float32)
    model.fit(x, 3 * x, batch_size=2, verbose=0, callbacks=[Unfreeze()])
    assert (seen[0] == seen[1]).all()
    assert (seen[2] != seen[1]).any()


# ----- what a step of fit costs -----


def python_calls(run):
    """Calls of functions written in Python, inside the package."""
    count = 0

    def hear(frame, event, _):
        nonlocal count
        count += event == "call" and "minitensor" in frame.f_code.co_filename

    sys.setprofile(hear)
    try:
        run()
    finally:
        sys.setprofile(None)
    return count


def per_step(run):
    run(2)
    return (python_calls(lambda: run(6)) - python_calls(lambda: run(2))) / 4


def test_a_step_of_fit_makes_few_calls_more_than_the_same_step_under_a_tape():
    """Data, checks, the mean loss, hooks: 174 of 2,825; 2,349 of 7,596 in the first draft."""
    x, y = np.ones((12, 8, 8, 1), np.float32), np.zeros((12, 3), np.float32)
    model = keras.Sequential([keras.Input((8, 8, 1))])
    for _ in range(4):
        model.add(layers.Conv2D(2, 3, padding="same", activation="relu"))
    model.add(layers.Flatten())
    model.add(layers.Dense(3))
    model.compile("sgd", "mse")

    def bare(steps):
        for _ in range(steps):
            weights = model.trainable_variables
            with tf.GradientTape() as tape:
                loss = keras.losses.MeanSquaredError()(y[:2], model(x[:2], training=True))
            model.optimizer.apply(tape.gradient(loss, weights), weights)

    def fit(steps):
        model.fit(x[: 2 * steps], y[: 2 * steps], batch_size=2, verbose=0)

    assert per_step(fit) - per_step(bare) < 220
