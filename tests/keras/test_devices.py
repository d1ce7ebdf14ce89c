"""Keras models on the emulator: the kernels of the GPU train them as NumPy does."""

import numpy as np
import pytest

import minitensor as mt
from minitensor import keras
from minitensor.keras import layers

OPTIMIZERS = {
    "sgd": lambda: keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "adam": lambda: keras.optimizers.Adam(0.01, clipnorm=1.0),
    "adamw": lambda: keras.optimizers.AdamW(0.01),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.01),
    "nadam": lambda: keras.optimizers.Nadam(0.01),
}


def net():
    return keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.Conv2D(4, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(2),
            layers.SeparableConv2D(4, 3, padding="same", activation="relu"),
            layers.Conv2DTranspose(3, 3, strides=2, padding="same"),
            layers.LayerNormalization(),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.25),
            layers.Dense(5, kernel_regularizer="l2"),
        ]
    )


def trained(device, optimizer, fit):
    """Losses and weights of three steps on one device."""
    rng = np.random.default_rng(0)
    x, y = rng.random((24, 8, 8, 2)), rng.integers(0, 5, 24)
    with mt.device(device):
        mt.random.set_seed(3)
        model = net()
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer=OPTIMIZERS[optimizer](), loss=loss, metrics=["accuracy"])
        assert {w.device for w in model.weights} == {mt.constant(0.0).device}
        if fit:
            losses = model.fit(x, y, batch_size=8, epochs=1, verbose=0).history["loss"]
        else:
            losses = [model.train_on_batch(x[i : i + 8], y[i : i + 8])[0] for i in (0, 8, 16)]
        return losses, model.get_weights(), model.predict(x, verbose=0)


@pytest.fixture
def float64():
    """In float64 rounding cannot hide a difference: an update divides by small numbers."""
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx("float32")


@pytest.mark.parametrize(
    ("optimizer", "fit"), [*((name, False) for name in OPTIMIZERS), ("sgd", True)]
)
def test_a_model_trains_on_the_emulator_as_on_numpy(float64, optimizer, fit):
    ours, theirs = (trained(device, optimizer, fit) for device in ("emulator", "cpu"))
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-10)
    for a, b in zip([*ours[1], ours[2]], [*theirs[1], theirs[2]], strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-9)


def test_weights_are_made_where_the_first_input_lies():
    with mt.device("emulator"):
        x = mt.ones([1, 4, 4, 1])
    layer = layers.Conv2D(2, 3)
    assert layer(x).device.endswith("EMULATOR:0")
    assert layer.kernel.device.endswith("EMULATOR:0")
