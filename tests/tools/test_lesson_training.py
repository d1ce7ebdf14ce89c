"""What lesson 12 shows, against TensorFlow's Keras: walks, dropout's mean, both forms of L2."""

from __future__ import annotations

import numpy as np
import pytest

import minitensor as mt
from minitensor.lesson import walks


@pytest.mark.parametrize("rate", [0.01, 0.04, 0.08, 0.1])
def test_three_optimizers_take_the_same_twenty_steps_as_keras(tf, rate):
    ours = walks.Walks(rate).places
    for one, name in zip(walks.optimizers(tf, rate), walks.NAMES, strict=True):
        place = tf.Variable(walks.START)
        for step in range(1, 21):
            one.apply_gradients([(tf.constant([1.0, 25.0]) * place, place)])
            np.testing.assert_allclose(ours[name][step], place.numpy(), rtol=1e-4, atol=1e-5)


def test_gradient_descent_follows_the_powers_on_paper():
    x, y = walks.Walks(0.04).places["gradient descent"].T
    np.testing.assert_allclose(x, 10 * 0.96 ** np.arange(21), rtol=1e-5)
    np.testing.assert_allclose(y, [1, *[0] * 20], atol=1e-6)


def test_the_words_of_a_walk_say_where_it_ends():
    assert "gradient descent (1.8869, 1)" in walks.Walks(0.08).told("en")
    assert "梯度下降 (1.8869, 1)" in walks.Walks(0.08).told("zh")


@pytest.mark.parametrize("rate", [0.2, 0.5, 0.8])
def test_dropout_keeps_the_mean_as_keras_does(tf, rate):
    x = np.full((200, 200), 10, np.float32)
    for library in (mt, tf):
        out = np.asarray(library.keras.layers.Dropout(rate, seed=3)(x, training=True))
        deviation = 10 * np.sqrt(rate / (1 - rate) / x.size)
        assert abs(out.mean() - 10) < 5 * deviation
        np.testing.assert_allclose(np.unique(out), [0, 10 / (1 - rate)], rtol=1e-6)


def test_both_gradients_of_l2_are_those_of_tensorflow(tf):
    w = np.array([[2, -4], [0.5, 3]], np.float32)
    for of in (
        lambda lib: lambda v: lib.keras.regularizers.L2(0.1)(v),
        lambda lib: lambda v: 0.1 * lib.nn.l2_loss(v),
    ):
        found = []
        for library in (mt, tf):
            held = library.Variable(w)
            with library.GradientTape() as tape:
                loss = of(library)(held)
            found.append(np.asarray(tape.gradient(loss, held)))
        np.testing.assert_allclose(*found, rtol=1e-6)
