"""LeNet-5 after 50 steps on every kind of batch; `test_training.py` runs it on 1, 2 and 4 ranks."""

import sys
from itertools import product

import numpy as np

import minitensor as tf
from minitensor import keras
from minitensor.keras import layers, losses

CASES = list(product(("float64", "float32"), (False, True), (False, True)))
EPOCHS, BATCH = 10, 20  # five steps an epoch


def lenet5(norms):
    """The course's, on 16x16 images; batch normalisation over all replicas, or none.

    A bias in front of a norm has the derivative 0: Adam would divide rounding errors by each other.
    """
    norm = [layers.BatchNormalization(synchronized=True)] if norms else []
    return keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            *(
                layers.Conv2D(6, 3, use_bias=not norms),
                *norm,
                layers.MaxPooling2D(2),
                layers.ReLU(),
            ),
            *(layers.Conv2D(16, 3), layers.MaxPooling2D(2), layers.ReLU(), layers.Flatten()),
            *(layers.Dense(120, activation="relu"), layers.Dense(84, activation="relu")),
            layers.Dense(10, kernel_regularizer="l2"),
        ]
    )


def train(strategy, dtype, norms, ragged):
    """Weights, losses, accuracies, what evaluate says and what predict gives."""
    keras.config.set_floatx(dtype)
    keras.utils.set_random_seed(3)
    random = np.random.default_rng(0)
    x = random.normal(size=(93 if ragged else 100, 16, 16, 1)).astype(dtype)
    y = random.integers(0, 10, len(x))
    if ragged:  # the last batch, of 13, is 4 + 4 + 4 + 1 on four replicas, and of 81 samples 1
        x, y = x[:81], y[:81]
    with strategy.scope():
        model = lenet5(norms)
        loss = losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss, metrics=["accuracy"])
    history = model.fit(x, y, batch_size=BATCH, epochs=EPOCHS, verbose=0).history
    return {
        "weights": np.concatenate([w.ravel() for w in model.get_weights()]),
        "loss": np.array(history["loss"]),
        "accuracy": np.array(history["accuracy"]),
        "evaluate": np.array(model.evaluate(x, y, batch_size=BATCH, verbose=0)),
        "predict": model.predict(x, batch_size=BATCH, verbose=0),
    }


def all_cases(strategy):
    """{"float64/False/False/weights": array, ...}"""
    return {
        "/".join(map(str, (*case, name))): value
        for case in CASES
        for name, value in train(strategy, *case).items()
    }


if __name__ == "__main__":
    found = tf.distribute.MultiWorkerMirroredStrategy()
    np.savez(f"{sys.argv[1]}.{found.worker}.npz", **all_cases(found))
    keras.config.set_floatx("float32")
