"""Programs in the style of tutorials and books, the same text in TensorFlow and here."""

import numpy as np
import pytest
from keras_peer import close, same_weights

import minitensor as mt

RANDOM = np.random.default_rng(7)
X = RANDOM.random((8, 8, 8, 3), "float32")
Y = RANDOM.random((8, 2), "float32")


def body(keras):
    """inputs, outputs of a small convolutional network."""
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, activation="relu", name="features")(inputs)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return inputs, keras.layers.Dense(2, name="head")(x)


def own_step(tf):
    """A Model with its own train_step, made of inputs and outputs."""

    class Mine(tf.keras.Model):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(self(x, training=True) - y))
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
            return {"mse": loss}

    return Mine


def test_a_subclass_of_model_with_its_own_train_step_is_drawn_from_inputs_to_outputs(tf):
    ours, theirs = (own_step(each)(*body(each.keras)) for each in (mt, tf))
    same_weights(ours, theirs)
    losses = []
    for model, keras in ((ours, mt.keras), (theirs, tf.keras)):
        model.compile(optimizer=keras.optimizers.SGD(0.1))
        losses.append(model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0).history)
    np.testing.assert_allclose(losses[0]["mse"], losses[1]["mse"], rtol=1e-5)
    assert isinstance(ours, mt.keras.Functional)
    assert ours.get_layer("features").filters == 4


def test_a_drawn_subclass_may_have_arguments_and_a_subclass_of_its_own():
    class Named(mt.keras.Model):
        def __init__(self, inputs, outputs, weight):
            super().__init__(inputs=inputs, outputs=outputs, name="named")
            self.weight = weight

    class Further(Named):
        pass

    for cls in (Named, Further, Named):
        model = cls(*body(mt.keras), weight=3)
        assert (model.name, model.weight, model(X).shape.as_list()) == ("named", 3, [8, 2])


def test_a_class_that_is_written_with_call_is_not_drawn():
    class Written(mt.keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = mt.keras.layers.Dense(2)

        def call(self, x):
            return self.dense(x)

    assert not isinstance(Written(), mt.keras.Functional)


@pytest.mark.parametrize("listed", ["inputs", "outputs", "both"])
def test_a_list_of_one_input_or_output_is_no_list(tf, listed):
    def make(keras):
        x, y = body(keras)
        return keras.Model(
            inputs=x if listed == "outputs" else [x], outputs=y if listed == "inputs" else [y]
        )

    ours, theirs = make(mt.keras), make(tf.keras)
    same_weights(ours, theirs)
    close(ours.predict(X, verbose=0), theirs.predict(X, verbose=0), 1e-5)
    close(ours(X), theirs(X), 1e-5)
    assert ours.output_shape == theirs.output_shape == (None, 2)
    assert ours.input_shape == theirs.input_shape == (None, 8, 8, 3)


def test_a_feature_extractor_with_listed_inputs_begins_a_sequential(tf):
    def make(keras):
        whole = keras.Sequential(
            [keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, name="c"), keras.layers.Flatten()]
        )
        features = keras.Model(inputs=whole.inputs, outputs=whole.get_layer("c").output)
        return keras.Sequential(
            [features, keras.layers.GlobalMaxPooling2D(), keras.layers.Dense(3)]
        )

    ours, theirs = make(mt.keras), make(tf.keras)
    theirs.build((None, 8, 8, 3))
    same_weights(ours, theirs)
    close(ours(X), theirs(X), 1e-5)


def test_an_activation_can_be_taken_off_a_layer(tf):
    """As programs for Grad-CAM do with the last one."""
    results = []
    for keras in (mt.keras, tf.keras):
        model = keras.Model(*body(keras))
        for layer in (model.layers[1], model.layers[-1]):
            layer.activation = None
        values = [np.full(w.shape, 0.1 * (i % 2 - 1)) for i, w in enumerate(model.weights)]
        model.set_weights(values)
        results.append(model(X))
    close(*results, 1e-5)
    assert np.asarray(results[0]).min() > 0  # relu in between would leave 0


def batches(keras):
    """A Sequence over X and Y that counts epochs."""

    class Batches(keras.utils.Sequence):
        def __init__(self):
            super().__init__()
            self.epochs = 0

        def __len__(self):
            return 2

        def __getitem__(self, index):
            part = slice(4 * index, 4 * index + 4)
            return X[part], Y[part]

        def on_epoch_end(self):
            self.epochs += 1

    return Batches()


def test_a_sequence_gives_batches_by_number(tf):
    ours, theirs = (keras.Model(*body(keras)) for keras in (mt.keras, tf.keras))
    same_weights(ours, theirs)
    found = []
    for model, keras in ((ours, mt.keras), (theirs, tf.keras)):
        model.compile("sgd", "mse")
        data = batches(keras)
        history = model.fit(data, epochs=2, shuffle=False, verbose=0).history
        assert data.epochs >= 2
        found.append([*history["loss"], model.evaluate(data, verbose=0)])
        close(model.predict(data, verbose=0), model.predict(X, verbose=0), 1e-6)
    np.testing.assert_allclose(*found, rtol=1e-5)


def test_a_sequence_is_shuffled_unless_told_otherwise():
    seen = []

    class Numbers(mt.keras.utils.PyDataset):
        def __len__(self):
            return 20

        def __getitem__(self, index):
            seen.append(index)
            return X[:1], Y[:1]

    model = mt.keras.Model(*body(mt.keras))
    model.compile("sgd", "mse")
    model.fit(Numbers(), verbose=0)
    assert sorted(seen[-20:]) == list(range(20)) != seen[-20:]


K_CALLS = {
    "binary_crossentropy": lambda K, t, p: K.binary_crossentropy(t, p),
    "categorical_crossentropy": lambda K, t, p: K.categorical_crossentropy(t, p),
    "argmax": lambda K, t, p: K.argmax(p),
    "concatenate": lambda K, t, p: K.concatenate([t, p]),
    "expand_dims": lambda K, t, p: K.expand_dims(p),
    "one_hot": lambda K, t, p: K.one_hot(K.argmax(t), 5),
    "permute_dimensions": lambda K, t, p: K.permute_dimensions(p, (1, 0)),
    "prod": lambda K, t, p: K.prod(p, axis=1),
    "std": lambda K, t, p: K.std(p, axis=0, keepdims=True),
    "var": lambda K, t, p: K.var(p),
    "focal": lambda K, t, p: -K.mean(t * K.pow(1 - p, 2.0) * K.log(p + K.epsilon())),
    "recall": lambda K, t, p: K.sum(K.round(K.clip(t * p, 0, 1))) / (K.sum(t) + K.epsilon()),
}


@pytest.mark.parametrize("name", K_CALLS)
def test_the_functions_of_the_backend_that_losses_are_written_with_are_keras(tf, name):
    p = RANDOM.random((6, 3), "float32")
    p /= p.sum(1, keepdims=True)
    t = np.eye(3, dtype="float32")[[0, 2, 1, 1, 0, 2]]
    ours, theirs = (
        K_CALLS[name](each.keras.backend, each.constant(t), each.constant(p)) for each in (mt, tf)
    )
    close(ours, theirs, 1e-5)


def test_a_dataset_is_reduced_and_cut_into_shards_as_tensorflows(tf):
    for each in (mt, tf):
        numbers = each.data.Dataset.range(7)
        assert int(numbers.reduce(each.constant(0, each.int64), lambda a, b: a + b)) == 21
        assert [int(n) for n in numbers.shard(3, 1)] == [1, 4]
        assert len(numbers.shard(3, 0)) == 3


def test_a_shard_that_is_not_there_is_an_error():
    with pytest.raises(ValueError, match="index must be below num_shards=2"):
        mt.data.Dataset.range(5).shard(2, 2)


def test_assertions_of_debugging_pass_and_fail_where_tensorflows_do(tf):
    for each in (mt, tf):
        each.debugging.assert_equal(each.constant([1, 2]), [1, 2])
        each.debugging.assert_near(each.constant([1.0]), [1.0000001])
        for check in (each.debugging.assert_equal, each.debugging.assert_near):
            with pytest.raises(Exception, match="my words"):
                check(each.constant([1.0]), [1.1], message="my words")


STAR = """
from tensorflow.keras.layers import *
from tensorflow.keras.models import *
x = Input((8, 8, 3))
y = Dense(2)(Flatten()(MaxPooling2D()(Conv2D(4, 3)(x))))
print(Model(x, y).output_shape, Sequential, concatenate)
"""


def test_a_star_import_brings_the_layers(tmp_path, capsys):
    from minitensor.run.mirror import installed

    with installed():
        exec(STAR, {})
    assert capsys.readouterr().out.startswith("(None, 2) <class")


def siamese(tf):
    """keras.io's Siamese network: batches of (anchor, positive, negative), no labels."""
    keras = tf.keras
    shapes = [keras.Input((4,)) for _ in range(3)]
    dense = keras.layers.Dense(2)

    class Siamese(keras.Model):
        def __init__(self):
            super().__init__()
            self.network = keras.Model(shapes, [dense(x) for x in shapes])

        def call(self, inputs):
            return self.network(inputs)

        def train_step(self, data):
            with tf.GradientTape() as tape:
                a, p, n = self.network(data)
                loss = tf.reduce_mean(tf.maximum((a - p) ** 2 - (a - n) ** 2 + 0.5, 0.0))
            weights = self.network.trainable_weights
            self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
            return {"loss": loss}

    return Siamese()


def test_a_train_step_may_take_batches_that_call_does_not(tf):
    ours, theirs = siamese(mt), siamese(tf)
    same_weights(ours.network, theirs.network)
    triples = tuple(RANDOM.random((3, 6, 4), "float32"))
    found = []
    for each, model in ((mt, ours), (tf, theirs)):
        model.compile(optimizer=each.keras.optimizers.SGD(0.1))
        data = each.data.Dataset.from_tensor_slices(triples).batch(3)
        found.append(model.fit(data, epochs=2, verbose=0).history["loss"])
    np.testing.assert_allclose(*found, rtol=1e-5)
