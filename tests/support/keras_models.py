"""Models that both libraries can make, for the tests of files: `make(keras)`."""

import numpy as np


def sequential(keras):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.Conv2D(3, 3, activation="relu", kernel_regularizer=keras.regularizers.L2(1e-3)),
            layers.BatchNormalization(),
            layers.SeparableConv2D(4, 3, padding="same"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(3, activation="softmax"),
        ]
    )


def functional(keras):
    """A layer that is called twice, a model inside, two outputs."""
    layers = keras.layers
    x = keras.Input((8, 8, 2), name="image")
    shared = layers.Conv2D(2, 3, padding="same")
    y = layers.Add()([x, shared(shared(x))])
    parts = [layers.BatchNormalization(), layers.Conv2D(2, 1), layers.Flatten()]
    inner = keras.Sequential(parts, name="inner")(y)
    outputs = [layers.Dense(2, name="p")(inner), layers.Dense(3, name="q")(inner)]
    return keras.Model(x, outputs, name="functional")


def nested(keras):
    inner = functional(keras)
    x = keras.Input((8, 8, 2))
    return keras.Model(x, keras.layers.Concatenate()(inner(x)))


def subclassed(keras):
    """Layers in attributes, lists, dictionaries, lists of lists, and twice; a weight of its own,
    a metric and an optimizer."""
    layers = keras.layers

    class Block(layers.Layer):
        def __init__(self, units):
            super().__init__()
            self._dense, self.norm = layers.Dense(units), layers.BatchNormalization()

        def call(self, x):
            return self.norm(self._dense(x))

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.many = [layers.Dense(4), layers.Dense(4, use_bias=False)]
            self.named = {"b": layers.Dense(3), "a": Block(3)}
            self._last = layers.Dense(2)
            self.again = self._last
            self.deep = [[layers.Dense(4)], [layers.Dense(4)]]
            self.encoder = keras.Sequential([layers.Dense(5), layers.Dense(8)])
            self.seen = keras.metrics.Mean(name="seen")
            self.other_optimizer = keras.optimizers.SGD(0.1)
            self.scale = self.add_weight(shape=(3,), name="scale")

        def call(self, x):
            for layer in (self.encoder, *self.many, self.deep[0][0], self.deep[1][0]):
                x = layer(x)
            return self._last((self.named["b"](x) + self.named["a"](x)) * self.scale)

    model = Net()
    model(np.zeros((1, 8), "float32"))
    return model


EVERY = (sequential, functional, nested, subclassed)


def sample(model):
    """An input that fits the model."""
    shape = (2, 8) if type(model).__name__ == "Net" else (2, 8, 8, 2)
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def outputs(model):
    """What the model gives for it, as arrays."""
    y = model(sample(model))
    return [np.asarray(value) for value in (y if isinstance(y, list | tuple) else [y])]


def shuffle(model, seed=1):
    """Gives every weight another value."""
    draw = np.random.default_rng(seed)
    model.set_weights([w + 0.1 * draw.random(w.shape) for w in model.get_weights()])
    return model


def compiled(model, keras):
    """The model with Adam's state."""
    loss, metric = keras.losses.MeanSquaredError(), keras.metrics.MeanAbsoluteError()
    model.compile(keras.optimizers.Adam(0.003), loss=loss, metrics=[metric])
    model.optimizer.build(model.trainable_variables)
    model.optimizer.iterations.assign(7)
    return model
