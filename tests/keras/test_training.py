"""compile, fit, evaluate, predict and the steps on one batch, against Keras' own."""

import warnings

import numpy as np
import pytest
from keras_peer import floatx, same_weights

import minitensor as mt

RNG = np.random.default_rng(0)
X = RNG.normal(size=(23, 6))
CLASSES = RNG.integers(0, 3, 23)
ONE_HOT = np.eye(3)[CLASSES]
BITS = RNG.integers(0, 2, (23, 1))
WEIGHTS = RNG.random(23)
IMAGES = RNG.integers(0, 256, (13, 6, 6, 2), dtype=np.uint8)


def dense(units=3, activation="softmax", **options):
    def make(keras):
        return keras.Sequential(
            [
                keras.Input((6,)),
                keras.layers.Dense(5, activation="tanh", **options),
                keras.layers.Dense(units, activation=activation),
            ]
        )

    return make


def conv_net(keras):
    return keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            keras.layers.Rescaling(1 / 256),
            keras.layers.Conv2D(3, 3, activation="relu"),
            keras.layers.BatchNormalization(momentum=0.5, epsilon=2**-10),
            keras.layers.Flatten(),
            keras.layers.Dense(2),
        ]
    )


def two_heads(keras):
    x = keras.Input((6,), name="x")
    hidden = keras.layers.Dense(4, activation="tanh", name="hidden")(x)
    a = keras.layers.Dense(3, activation="softmax", name="a")(hidden)
    b = keras.layers.Dense(1, activation="sigmoid", name="b")(hidden)
    return keras.Model(x, [a, b])


def two_named(keras):
    model = two_heads(keras)
    a, b = model.outputs
    return keras.Model(model.input, {"first": a, "second": b})


class Pair:
    """The same model in both libraries, with the same weights, compiled in the same way."""

    def __init__(self, tf, make, settings=None):
        self.tf = tf
        with floatx(tf, "float64"):
            self.ours, self.theirs = make(mt.keras), make(tf.keras)
            same_weights(self.ours, self.theirs)
            for model, keras in ((self.ours, mt.keras), (self.theirs, tf.keras)):
                options = settings(keras) if callable(settings) else dict(settings or {})
                model.compile(**{"optimizer": "sgd"} | options, run_eagerly=True)

    def each(self, act):
        """[act(ours), act(theirs)] where floats are 64 bit."""
        with floatx(self.tf, "float64"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return act(self.ours), act(self.theirs)

    def fit(self, *data, **options):
        """Both train; their histories and weights are equal. Returns ours."""
        options = {"verbose": 0, "shuffle": False, "batch_size": 5} | options
        ours, theirs = self.each(lambda model: model.fit(*data, **options))
        assert ours.epoch == theirs.epoch
        assert list(ours.history) == list(theirs.history)
        for name, values in theirs.history.items():
            np.testing.assert_allclose(ours.history[name], values, rtol=1e-8, err_msg=name)
        for a, b in zip(self.ours.get_weights(), self.theirs.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-10)
        return ours.history

    def same(self, act):
        """Both answer the same numbers, in the same lists and dictionaries."""
        ours, theirs = self.each(act)
        assert_same_structure(ours, theirs)
        return ours


def assert_same_structure(a, b):
    if isinstance(b, dict):
        assert list(a) == list(b)
        for name in b:
            assert_same_structure(a[name], b[name])
    elif isinstance(b, list | tuple):
        assert type(a) is type(b)
        assert len(a) == len(b)
        for left, right in zip(a, b, strict=True):
            assert_same_structure(left, right)
    else:
        assert type(a) is type(b)
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-12)


SPARSE = {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}


# ----- fit -----


@pytest.mark.parametrize(
    ("make", "settings", "y"),
    [
        (dense(), SPARSE, CLASSES),
        (dense(), SPARSE | {"metrics": ["acc", "ce"][:1]}, CLASSES[:, None]),
        (dense(), {"loss": "categorical_crossentropy", "metrics": ["accuracy"]}, ONE_HOT),
        (dense(1, "sigmoid"), {"loss": "binary_crossentropy", "metrics": ["accuracy"]}, BITS),
        (dense(1, None), {"loss": "mse", "metrics": ["mae", "mse"]}, X[:, :1]),
        (dense(1, None), {"loss": "mse"}, X[:, 0]),
    ],
    ids=["sparse", "sparse column", "one hot", "binary", "mse", "mse of a flat target"],
)
def test_a_dense_net_learns_as_in_keras(tf, make, settings, y):
    Pair(tf, make, settings).fit(X, y, epochs=2)


def test_a_conv_net_on_uint8_images_learns_as_in_keras(tf):
    def settings(keras):
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        return {
            "optimizer": keras.optimizers.SGD(0.0625, momentum=0.5),
            "loss": loss,
            "metrics": ["accuracy"],
        }

    labels = np.arange(13) % 2
    pair = Pair(tf, conv_net, settings)
    pair.fit(IMAGES, labels, epochs=2, validation_data=(IMAGES[:4], labels[:4]))
    pair.same(lambda model: model.predict(IMAGES, batch_size=4, verbose=0))


def test_regularizers_are_part_of_the_loss(tf):
    def make(keras):
        rule = keras.regularizers.L2(0.1)
        return dense(kernel_regularizer=rule, activity_regularizer=keras.regularizers.L1(0.01))(
            keras
        )

    Pair(tf, make, SPARSE).fit(X, CLASSES, epochs=2)


@pytest.mark.parametrize(
    "options",
    [
        {"validation_split": 0.3},
        {"validation_split": 0.3, "validation_data": (X[:5], CLASSES[:5])},
        {"validation_data": (X[:7], CLASSES[:7], WEIGHTS[:7]), "validation_batch_size": 3},
        {"validation_data": (X, CLASSES), "validation_steps": 2, "validation_batch_size": 4},
        {"validation_data": (X[:5], CLASSES[:5]), "validation_freq": 2, "epochs": 4},
        {"validation_data": (X[:5], CLASSES[:5]), "validation_freq": [1, 3], "epochs": 3},
        {"class_weight": {0: 2.0, 2: 0.5}},
        {"sample_weight": WEIGHTS},
        {"sample_weight": WEIGHTS, "validation_split": 0.3},
        {"initial_epoch": 2, "epochs": 4},
        {"steps_per_epoch": 2, "epochs": 3},
        {"steps_per_epoch": 4, "batch_size": None},
        {"batch_size": None},
        {"batch_size": 100},
    ],
    ids=range(14),
)
def test_every_argument_of_fit_does_what_it_does_in_keras(tf, options):
    pair = Pair(tf, dense(), SPARSE | {"weighted_metrics": ["accuracy", "mse"][:1]})
    pair.fit(X, CLASSES, **{"epochs": 2} | options)


def test_batches_from_a_generator_with_steps(tf):
    def batches():
        while True:
            for i in range(0, 20, 4):
                yield X[i : i + 4], CLASSES[i : i + 4], WEIGHTS[i : i + 4]

    pair = Pair(tf, dense(), SPARSE)
    options = {"epochs": 2, "steps_per_epoch": 3, "verbose": 0}
    ours, theirs = pair.each(lambda model: model.fit(batches(), **options).history)
    assert_same_structure(ours, theirs)
    pair.same(lambda model: model.evaluate(batches(), steps=4, verbose=0))


def test_batches_from_a_dataset_are_those_of_the_arrays(tf):
    pair = Pair(tf, dense(), SPARSE)
    ours, theirs = pair.each(
        lambda model: (
            model.fit(
                (mt if model is pair.ours else tf)
                .data.Dataset.from_tensor_slices((X, CLASSES))
                .batch(5),
                epochs=2,
                verbose=0,
                validation_data=(X[:4], CLASSES[:4]),
                class_weight={0: 3.0, 1: 0.5, 2: 1.0},
            ).history
        )
    )
    assert_same_structure(ours, theirs)


def test_a_dataset_that_ends_early_warns_and_the_next_epoch_begins_it_again(tf):
    pair = Pair(tf, dense(), SPARSE)
    data = mt.data.Dataset.from_tensor_slices((X, CLASSES)).batch(8)
    with pytest.warns(UserWarning, match="ran out of data"):
        history = pair.ours.fit(data, epochs=2, steps_per_epoch=4, verbose=0)
    assert len(history.epoch) == 2


def test_repeated_data_goes_on_in_the_next_epoch(tf):
    data = mt.data.Dataset.range(6).map(lambda i: (mt.cast(mt.fill([1, 1], i), "float32"), [0.0]))
    seen = []

    class Spy(mt.keras.Model):
        def train_step(self, data):
            seen.append(int(data[0].numpy()[0, 0]))
            return {"loss": 0.0}

    model = Spy()
    model.compile("sgd", "mse")
    model.fit(data.repeat(), epochs=2, steps_per_epoch=4, verbose=0)
    assert seen == [0, 1, 2, 3, 4, 5, 0, 1]


# ----- several outputs -----

BOTH = {"loss": ["sparse_categorical_crossentropy", "binary_crossentropy"]}


@pytest.mark.parametrize(
    "settings",
    [
        BOTH,
        BOTH | {"loss_weights": [0.3, 2.0], "metrics": ["accuracy", "accuracy"]},
        BOTH | {"metrics": [["accuracy"], ["mae", "accuracy"]]},
        BOTH | {"metrics": {"b": ["accuracy", "mse"]}, "weighted_metrics": {"b": "accuracy"}},
        {
            "loss": {"b": "mse", "a": "sparse_categorical_crossentropy"},
            "loss_weights": {"a": 1.0, "b": 0.5},
        },
    ],
    ids=str,
)
def test_two_outputs_as_a_list(tf, settings):
    pair = Pair(tf, two_heads, settings)
    pair.fit(X, [CLASSES, BITS], epochs=2, sample_weight=WEIGHTS)


def test_two_outputs_are_evaluated_and_predicted(tf):
    pair = Pair(tf, two_heads, BOTH | {"metrics": [["accuracy"], ["mae", "accuracy"]]})
    pair.same(lambda model: model.evaluate(X, [CLASSES, BITS], verbose=0))
    pair.same(lambda model: model.evaluate(X, [CLASSES, BITS], verbose=0, return_dict=True))
    pair.same(lambda model: model.predict(X, verbose=0))


def test_inputs_and_targets_by_their_names(tf):
    pair = Pair(tf, two_heads, BOTH | {"metrics": [["accuracy"], []]})
    pair.fit({"x": X}, {"b": BITS, "a": CLASSES}, epochs=2)


def test_sample_weights_by_the_names_of_the_outputs_are_those_of_a_list():
    def loss(y, weights):
        mt.random.set_seed(0)
        model = two_heads(mt.keras)
        model.compile("sgd", BOTH["loss"])
        return model.train_on_batch(X, y, weights)

    names = loss({"b": BITS, "a": CLASSES}, {"b": 2 * WEIGHTS, "a": WEIGHTS})
    assert names == loss([CLASSES, BITS], [WEIGHTS, 2 * WEIGHTS])


@pytest.mark.parametrize("loss", ["mse", {"first": "mse", "second": "mae"}], ids=str)
def test_two_outputs_as_a_dictionary(tf, loss):
    pair = Pair(tf, two_named, {"loss": loss, "metrics": {"second": ["accuracy"]}})
    y = {"second": BITS, "first": ONE_HOT}
    pair.fit(X, y, epochs=2)
    pair.same(lambda model: model.predict(X, verbose=0))
    pair.same(lambda model: model.train_on_batch(X[:5], {n: v[:5] for n, v in y.items()}))


def test_an_output_without_a_loss_is_not_trained(tf):
    pair = Pair(tf, two_heads, {"loss": ["sparse_categorical_crossentropy", None]})
    before = pair.ours.get_layer("b").get_weights()
    pair.fit(X, [CLASSES, BITS])
    for a, b in zip(before, pair.ours.get_layer("b").get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_metrics_of_one_name_get_numbers(tf):
    settings = SPARSE | {"metrics": ["accuracy", "accuracy"], "weighted_metrics": ["accuracy"]}
    history = Pair(tf, dense(), settings).fit(X, CLASSES, sample_weight=WEIGHTS)
    assert list(history) == ["accuracy", "accuracy_1", "loss", "weighted_accuracy"]


# ----- one batch -----


@pytest.mark.parametrize(
    "settings", [{"loss": "mse"}, {"loss": "mse", "metrics": ["mae"]}], ids=["loss", "metrics"]
)
@pytest.mark.parametrize("return_dict", [False, True])
def test_steps_on_a_batch_return_what_keras_returns(tf, settings, return_dict):
    pair = Pair(tf, dense(1, None), settings)
    y = X[:, :1]
    options = {"return_dict": return_dict}
    pair.same(lambda model: model.train_on_batch(X, y, **options))
    pair.same(lambda model: model.train_on_batch(X, y, WEIGHTS, **options))
    pair.same(lambda model: model.test_on_batch(X, y, WEIGHTS, **options))
    pair.same(lambda model: model.predict_on_batch(X))


def test_class_weights_of_one_batch(tf):
    pair = Pair(tf, dense(), SPARSE)
    pair.same(lambda model: model.train_on_batch(X, CLASSES, class_weight={1: 4.0}))
    with pytest.raises(ValueError, match="cannot be specified at the same time"):
        pair.ours.train_on_batch(X, CLASSES, WEIGHTS, class_weight={1: 4.0})


def test_a_train_step_of_ones_own(tf):
    def make(keras):
        library = mt if keras is mt.keras else tf

        class Own(keras.Model):
            def __init__(self):
                super().__init__()
                self.dense = keras.layers.Dense(1)
                self.mean = keras.metrics.Mean(name="mean_loss")

            def call(self, x):
                return self.dense(x)

            def train_step(self, data):
                x, y = data
                with library.GradientTape() as tape:
                    loss = library.reduce_mean(library.abs(self(x, training=True) - y))
                gradients = tape.gradient(loss, self.trainable_variables)
                self.optimizer.apply_gradients(
                    zip(gradients, self.trainable_variables, strict=True)
                )
                self.mean.update_state(loss)
                return {"mean_loss": self.mean.result(), "last": loss}

        model = Own()
        model(library.constant(X[:1]))
        return model

    history = Pair(tf, make).fit(X, X[:, :1], epochs=2)
    assert list(history) == ["last", "mean_loss"]


def test_compute_loss_of_ones_own_without_training(tf):
    def make(keras):
        library = mt if keras is mt.keras else tf

        class Own(keras.Sequential):
            def compute_loss(self, x, y, y_pred, sample_weight):
                return library.reduce_mean(library.square(y_pred)) * 3.0

        return Own([keras.Input((6,)), keras.layers.Dense(2)])

    Pair(tf, make, {"loss": "mse"}).fit(X, X[:, :2])


def test_losses_that_a_layer_adds(tf):
    def make(keras):
        library = mt if keras is mt.keras else tf

        class Adds(keras.layers.Layer):
            def call(self, x):
                self.add_loss(0.1 * library.reduce_sum(library.square(x)))
                return x

        return keras.Sequential([keras.Input((6,)), keras.layers.Dense(2), Adds()])

    Pair(tf, make, {"loss": "mse"}).fit(X, X[:, :2], epochs=2)


@pytest.mark.parametrize(
    "options",
    [
        {"clipnorm": 0.125},
        {"clipvalue": 0.03125},
        {"global_clipnorm": 0.125},
        {"gradient_accumulation_steps": 2},
        {"use_ema": True, "ema_momentum": 0.5},
    ],
    ids=str,
)
def test_clipping_accumulation_and_averages_of_the_optimizer(tf, options):
    def settings(keras):
        return SPARSE | {"optimizer": keras.optimizers.SGD(0.0625, momentum=0.5, **options)}

    Pair(tf, dense(), settings).fit(X, CLASSES, epochs=2)


def two_inputs(keras):
    p, q = keras.Input((6,), name="p"), keras.Input((6,), name="q")
    both = keras.layers.Add()([keras.layers.Dense(6)(p), q])
    return keras.Model([p, q], keras.layers.Dense(1)(both))


@pytest.mark.parametrize(
    "x", [[X, 2 * X], (X, 2 * X), {"q": 2 * X, "p": X}], ids=["list", "tuple", "dictionary"]
)
def test_two_inputs_come_as_a_list_a_tuple_or_a_dictionary(tf, x):
    pair = Pair(tf, two_inputs, {"loss": "mse"})
    pair.fit(x, X[:, :1])
    if isinstance(x, dict):
        pair.same(lambda model: model.predict(x, verbose=0))


def test_a_model_of_models_with_a_compile_of_its_own():
    """A GAN as the courses write it: no `call`, two optimizers, its own step."""

    class Gan(mt.keras.Model):
        def __init__(self):
            super().__init__()
            self.one = mt.keras.Sequential([mt.keras.Input((6,)), mt.keras.layers.Dense(1)])

        def compile(self, one_optimizer, loss):
            super().compile()
            self.one_optimizer, self.loss_of = one_optimizer, loss

        def train_step(self, data):
            with mt.GradientTape() as tape:
                loss = self.loss_of(mt.zeros([data.shape[0], 1]), self.one(data))
            weights = self.one.trainable_variables
            gradients = tape.gradient(loss, weights)
            self.one_optimizer.apply_gradients(zip(gradients, weights, strict=True))
            return {"g_loss": loss}

    model = Gan()
    model.compile(mt.keras.optimizers.SGD(0.01), mt.keras.losses.MeanSquaredError())
    losses = model.fit(X, epochs=4, verbose=0).history["g_loss"]
    assert losses[-1] < losses[0]


def test_metrics_that_layers_keep_are_reset_and_told(tf):
    def make(keras):
        class Keeps(keras.layers.Layer):
            def __init__(self):
                super().__init__()
                self.seen = keras.metrics.Sum(name="seen")

            def call(self, x):
                self.seen.update_state(x)
                return x

        return keras.Sequential([keras.Input((6,)), Keeps(), keras.layers.Dense(1)])

    pair = Pair(tf, make, {"loss": "mse", "metrics": ["mae"]})
    assert [len(w) for w in (pair.ours.weights, pair.theirs.weights)] == [2, 2]
    assert list(pair.fit(X, X[:, :1], epochs=2)) == ["loss", "mae", "seen"]


# ----- order -----


def order_of(model_seed, **options):
    """Which samples come, in three epochs."""
    seen = []

    class Spy(mt.keras.Model):
        def train_step(self, data):
            seen.append([int(i) for i in data.numpy()[:, 0]])
            return {"loss": 0.0}

    mt.random.set_seed(model_seed)
    model = Spy()
    model.compile("sgd")
    model.fit(np.arange(10.0)[:, None], epochs=3, batch_size=4, verbose=0, **options)
    return [[*a, *b, *c] for a, b, c in zip(*[iter(seen)] * 3, strict=True)]


def test_shuffle_takes_every_sample_once_in_another_order_each_epoch():
    epochs = order_of(0)
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in [*epochs, range(10)]}) == 4
    assert order_of(0) == epochs != order_of(1)


def test_shuffle_within_batches_keeps_the_batches():
    for epoch in order_of(0, shuffle="batch"):
        assert [sorted(epoch[:4]), sorted(epoch[4:8]), sorted(epoch[8:])] == [
            [0, 1, 2, 3],
            [4, 5, 6, 7],
            [8, 9],
        ]


def test_shuffle_false_keeps_the_order():
    assert order_of(0, shuffle=False) == [list(range(10))] * 3


# ----- hooks -----


def test_the_hooks_come_in_keras_order_with_the_same_logs(tf):
    def recorder(keras):
        told = []

        class Spy(keras.callbacks.Callback):
            pass

        def hook(name):
            def called(self, *args, logs=None):
                logs = args[-1] if args and isinstance(args[-1], dict) else logs
                index = args[0] if args and isinstance(args[0], int) else None
                told.append((name, index, sorted(logs or {})))

            return called

        for name in dir(keras.callbacks.Callback):
            if name.startswith("on_"):
                setattr(Spy, name, hook(name))
        return Spy(), told

    pair = Pair(tf, dense(), SPARSE)
    listeners = {pair.ours: recorder(mt.keras), pair.theirs: recorder(tf.keras)}
    pair.each(
        lambda model: model.fit(
            X, CLASSES, epochs=2, verbose=0, validation_split=0.5, callbacks=[listeners[model][0]]
        )
    )
    pair.each(lambda model: model.predict(X, verbose=0, callbacks=[listeners[model][0]]))
    assert listeners[pair.ours][1] == listeners[pair.theirs][1]


def test_a_callback_stops_training_after_the_step(tf):
    def stop(keras):
        class Stop(keras.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                self.model.stop_training = batch == 1

        return Stop()

    pair = Pair(tf, dense(), SPARSE)
    ours, theirs = pair.each(
        lambda model: (
            model.fit(
                X,
                CLASSES,
                batch_size=5,
                epochs=3,
                shuffle=False,
                verbose=0,
                callbacks=[stop(mt.keras if model is pair.ours else tf.keras)],
            ).history
        )
    )
    assert_same_structure(ours, theirs)


def test_history_of_a_second_fit_begins_anew(tf):
    pair = Pair(tf, dense(), SPARSE)
    first = pair.fit(X, CLASSES)
    assert pair.fit(X, CLASSES)["loss"] != first["loss"]
    assert pair.ours.history.params == {"verbose": 0, "epochs": 1, "steps": 5}


def test_names_of_metrics_are_those_of_keras(tf):
    pair = Pair(tf, two_heads, BOTH | {"metrics": [["accuracy"], ["mae"]]})
    pair.fit(X, [CLASSES, BITS])
    assert pair.ours.metrics_names == pair.theirs.metrics_names


# ----- errors -----


def compiled(**settings):
    model = dense()(mt.keras)
    model.compile("sgd", "sparse_categorical_crossentropy", **settings)
    return model


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda m: m.fit(X, CLASSES[:5]), "Data cardinality is ambiguous"),
        (lambda m: m.fit("data"), "Unrecognized data type"),
        (lambda m: m.fit(X, CLASSES, validation_split=1.0), "not sufficient to split"),
        (lambda m: m.fit(iter([(X, CLASSES)]), CLASSES), "`y` should not be passed"),
        (lambda m: m.fit(iter([]), verbose=0), "no batch"),
        (
            lambda m: m.fit(X, CLASSES, class_weight={}, sample_weight=WEIGHTS),
            "`class_weight` and `sample_weight`",
        ),
        (
            lambda m: m.fit(
                X, CLASSES, validation_data=(X, CLASSES), validation_freq="x", verbose=0
            ),
            "`validation_freq` to be a list or int",
        ),
        (lambda m: m.evaluate(X, CLASSES, stepz=3), "not recognized"),
        (lambda m: m.fit(X, [CLASSES, CLASSES], verbose=0), "different structures"),
        (lambda m: dense()(mt.keras).fit(X, CLASSES), "You must call `compile"),
    ],
    ids=range(10),
)
def test_what_cannot_be_is_said_before_training(act, words):
    with pytest.raises(ValueError, match=words):
        act(compiled())


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"metrics": "accuracy"}, "list, tuple, or dict"),
        ({"loss_weights": "1"}, "loss_weights"),
    ],
    ids=["metrics", "loss_weights"],
)
def test_compile_refuses_what_is_of_another_kind(settings, words):
    with pytest.raises(ValueError, match=words):
        compiled(**settings)


def test_settings_for_outputs_that_do_not_exist():
    model = two_heads(mt.keras)
    model.compile("sgd", {"a": "mse", "c": "mse"})
    with pytest.raises(ValueError, match="Expected keys"):
        model.fit(X, [ONE_HOT, BITS], verbose=0)


def test_a_metric_of_several_numbers_is_an_array_everywhere(tf, tmp_path):
    def told(keras):
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, "sigmoid", False)])
        model.set_weights([np.ones((2, 1), np.float32)])
        counts = [keras.metrics.Recall(thresholds=[0.3, 0.6]), keras.metrics.F1Score()]
        model.compile(keras.optimizers.SGD(0.0), "mse", metrics=counts, run_eagerly=True)
        data = np.ones((4, 2), np.float32), np.array([[1], [0], [1], [0]])
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.csv"
        logger = keras.callbacks.CSVLogger(path)
        history = model.fit(*data, verbose=0, callbacks=[logger]).history
        log = [cell for cell in path.read_text().split(",") if "[" in cell or "]" in cell]
        values = [*(v[0] for v in history.values()), *model.evaluate(*data, verbose=0)]
        values += [*model.train_on_batch(*data), *model.test_on_batch(*data)]
        return [type(v) for v in values], np.hstack(values), log

    ours, theirs = told(mt.keras), told(tf.keras)
    assert ours[0] == theirs[0]
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-6)
    assert ours[2] == theirs[2]
