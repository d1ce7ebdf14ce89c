"""What exact resume and Ctrl-C ask of fit: the place in the data, random state, whole steps."""

import json
import signal

import numpy as np
import pytest

import minitensor as mt
from minitensor import keras

X = np.random.default_rng(0).normal(size=(22, 3)).astype("float32")
Y = np.random.default_rng(1).integers(0, 2, 22)


def net(seed=0):
    mt.random.set_seed(seed)
    layers = [keras.layers.Dense(4), keras.layers.BatchNormalization(), keras.layers.Dropout(0.5)]
    model = keras.Sequential([keras.Input((3,)), *layers, keras.layers.Dense(2)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), loss, metrics=["accuracy"])
    return model


def arrays():
    return {"x": X, "y": Y, "batch_size": 5}


def dataset():
    data = mt.data.Dataset.from_tensor_slices((X, Y)).shuffle(7).batch(5)
    return {"x": data}


def endless():
    data = mt.data.Dataset.from_tensor_slices((X, Y)).shuffle(7).batch(5).repeat()
    return {"x": data, "steps_per_epoch": 4}


SOURCES = {"arrays": arrays, "dataset": dataset, "repeated, with steps": endless}


class Keeper(keras.callbacks.Callback):
    """Keeps the state at one boundary between steps, as BackupAndRestore would write it."""

    def __init__(self, hook, at):
        super().__init__()
        self._at, self.kept = at, None
        setattr(self, hook, self._keep)

    def _keep(self, index, logs=None):
        progress = self.model._fit.progress
        if self._at == (progress.epoch, progress.step):
            variables = [*self.model.weights, *self.model.optimizer.variables]
            fit = progress.state()
            metrics = fit.pop("metrics")
            written = json.loads(json.dumps(fit)) | {"metrics": metrics}
            self.kept = [v.numpy() for v in variables], written


class Restorer(keras.callbacks.Callback):
    def __init__(self, kept):
        super().__init__()
        self._values, self._fit = kept

    def on_train_begin(self, logs=None):
        for variable, value in zip(
            [*self.model.weights, *self.model.optimizer.variables], self._values, strict=True
        ):
            variable.assign(value)
        self.model._fit.resume_from = self._fit


def run(source, callback, seed=0):
    options = {"epochs": 3, "verbose": 0, "validation_data": (X[:6], Y[:6])}
    model = net(seed)
    history = model.fit(**SOURCES[source](), **options, callbacks=[callback])
    return model, history


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    ("hook", "at"),
    [
        ("on_train_batch_end", (1, 2)),
        ("on_train_batch_begin", (1, 0)),
        ("on_epoch_end", (2, 0)),
        ("on_train_batch_end", (0, 4)),
        ("on_test_batch_end", (1, 4)),
    ],
)
def test_a_fit_that_goes_on_from_any_boundary_ends_with_the_same_bits(source, hook, at):
    if source != "repeated, with steps" and at[1] == 4:
        at = (at[0], 5)  # the last step of an epoch
    keeper = Keeper(hook, at)
    whole, history = run(source, keeper)
    resumed, rest = run(source, Restorer(keeper.kept), seed=99)
    for a, b in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    first = at[0]
    assert rest.epoch == history.epoch[first:]
    assert rest.history == {name: values[first:] for name, values in history.history.items()}


def test_data_that_became_shorter_are_refused():
    keeper = Keeper("on_train_batch_end", (1, 3))
    run("arrays", keeper)
    with pytest.raises(ValueError, match="give fit the same data as before"):
        net().fit(
            X[:9], Y[:9], batch_size=5, epochs=2, verbose=0, callbacks=[Restorer(keeper.kept)]
        )


class Interrupting(keras.layers.Layer):
    """Ctrl-C comes while this layer computes; so many times."""

    def __init__(self, times, **options):
        super().__init__(**options)
        self.times = times
        self.calls = 0

    def call(self, x):
        self.calls += 1
        if self.calls == 3:
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)
        return x

    def compute_output_shape(self, input_shape):
        return input_shape


def interrupted(times, callback):
    layer = Interrupting(times)
    model = keras.Sequential([keras.Input((3,)), layer, keras.layers.Dense(2)])
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, batch_size=5, verbose=0, callbacks=[callback])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    return model


class Told(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.heard = []

    def on_interrupt(self):
        self.heard.append(("interrupt", self.model._fit.progress.step))

    def on_train_end(self, logs=None):
        self.heard.append("end")


def test_ctrl_c_waits_until_the_step_is_whole():
    told = Told()
    model = interrupted(1, told)
    assert told.heard == [("interrupt", 3)]
    assert int(model.optimizer.iterations) == 3


def test_a_second_ctrl_c_does_not_wait():
    told = Told()
    model = interrupted(2, told)
    assert int(model.optimizer.iterations) == 2
    assert told.heard == [("interrupt", 2)]


def test_ctrl_c_waits_in_a_fit_that_a_callback_of_a_fit_runs():
    class Inside(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            inner.fit(X, Y, batch_size=5, verbose=0, callbacks=[told])

    told = Told()
    inner = keras.Sequential([keras.Input((3,)), Interrupting(1), keras.layers.Dense(2)])
    inner.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(KeyboardInterrupt):
        net().fit(X, Y, batch_size=5, verbose=0, callbacks=[Inside()])
    assert told.heard == [("interrupt", 3)]
    assert int(inner.optimizer.iterations) == 3
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_the_program_is_left_alone():
    came = []
    before = signal.signal(signal.SIGINT, lambda *_: came.append(1))
    try:
        layer = Interrupting(1)
        model = keras.Sequential([keras.Input((3,)), layer, keras.layers.Dense(2)])
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.fit(X, Y, batch_size=5, verbose=0)
    finally:
        signal.signal(signal.SIGINT, before)
    assert came == [1]
