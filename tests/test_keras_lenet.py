"""A whole training: 200 steps of LeNet-5 on real digits, from the weights and batches of tf.keras.

Rounding differs between the libraries, and training amplifies it; at every step the losses must
still agree to a thousandth.
"""

import numpy as np
import pytest

import minitensor as mt
from minitensor.data import read_digits

STEPS, BATCH = 200, 32
RULES = {
    "momentum": lambda keras: keras.optimizers.SGD(0.01, momentum=0.9),
    "adam": lambda keras: keras.optimizers.Adam(0.001),
}


def lenet(keras):
    """Seed 004's network: 60,074 parameters."""
    layers = keras.layers
    net = keras.Sequential(
        [
            layers.Conv2D(6, kernel_size=3, strides=1),  # (N, 26, 26, 6)
            layers.MaxPooling2D(pool_size=2, strides=2),  # (N, 13, 13, 6)
            layers.ReLU(),
            layers.Conv2D(16, kernel_size=3, strides=1),  # (N, 11, 11, 16)
            layers.MaxPooling2D(pool_size=2, strides=2),  # (N, 5, 5, 16)
            layers.ReLU(),
            layers.Flatten(),  # (N, 400)
            layers.Dense(120, activation="relu"),
            layers.Dense(84, activation="relu"),
            layers.Dense(10),
        ]
    )
    net.build(input_shape=(None, 28, 28, 1))
    return net


def batches():
    """Digits of 8 x 8 pixels, blown up to 28 x 28 as the course has them.

    Smoothly: where neighbouring pixels are equal, rounding decides which one MaxPooling takes.
    """
    digits = read_digits()
    large = mt.image.resize(digits.images, [28, 28], method="bicubic").numpy()
    order = np.random.default_rng(0).permuted(
        np.tile(np.arange(len(digits.labels)), STEPS * BATCH // len(digits.labels) + 1)
    )
    for step in range(STEPS):
        chosen = order[step * BATCH : (step + 1) * BATCH]
        yield large[chosen], np.eye(10, dtype="float32")[digits.labels[chosen]]


def trained(library, net, rule):
    """The loss at each step, as the seed computes it."""
    criterion = library.keras.losses.CategoricalCrossentropy(from_logits=True)
    optimizer, found = rule(library.keras), []
    for images, labels in batches():
        with library.GradientTape() as tape:
            loss = criterion(library.constant(labels), net(library.constant(images)))
        grads = tape.gradient(loss, net.trainable_variables)
        optimizer.apply_gradients(zip(grads, net.trainable_variables, strict=True))
        found.append(float(loss))
    return np.array(found)


@pytest.mark.parametrize("rule", RULES)
def test_two_hundred_steps_have_the_losses_of_keras(tf, rule):
    tf.keras.utils.set_random_seed(1)
    ours, theirs = lenet(mt.keras), lenet(tf.keras)
    assert ours.count_params() == theirs.count_params() == 60_074
    ours.set_weights(theirs.get_weights())
    mine, other = trained(mt, ours, RULES[rule]), trained(tf, theirs, RULES[rule])
    np.testing.assert_allclose(mine, other, rtol=1e-3)
    assert mine[-10:].mean() < 0.5 < mine[:10].mean()  # it has learnt
