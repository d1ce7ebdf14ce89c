"""What models are called and trained with: lists of one, dictionaries, batch sizes, PyDatasets."""

import sys

import numpy as np
import pytest

import minitensor as mt
from minitensor.autograd.tree import flatten

X, Y = np.ones((4, 3), "float32"), np.ones((4, 2), "float32")


def compiled(model):
    model.compile("sgd", "mse")
    return model


def listed(k, **known):
    first = [k.Input((3,), **known)] if known is not None else []
    return compiled(k.Sequential([*first, k.layers.Dense(2, kernel_initializer="ones")]))


def drawn(k, **known):
    x = k.Input((3,), name="a", **known)
    return compiled(k.Model(x, k.layers.Dense(2, kernel_initializer="ones", name="o")(x)))


def of_two(k, keyed=False):
    x, y = k.Input((3,), name="a"), k.Input((3,), name="b")
    o = k.layers.Dense(2, name="o", kernel_initializer="ones")(x)
    p = k.layers.Dense(2, name="p", kernel_initializer="zeros")(k.layers.Add()([x, y]))
    inputs, outputs = ({"a": x, "b": y}, {"o": o, "p": p}) if keyed else ([x, y], [o, p])
    return compiled(k.Model(inputs, outputs))


# ----- a list of one -----


@pytest.mark.parametrize("make", [listed, drawn])
@pytest.mark.parametrize("wrap", [lambda x: [x], lambda x: (x,)])
def test_a_list_of_one_input_is_that_input(tf, make, wrap):
    ours, theirs = make(mt.keras), make(tf.keras)
    np.testing.assert_allclose(ours(wrap(X)), theirs(wrap(X)))
    for method in ("predict", "predict_on_batch"):
        quiet = {"verbose": 0} if method == "predict" else {}
        found = [getattr(model, method)(wrap(X), **quiet) for model in (ours, theirs)]
        np.testing.assert_allclose(*found)
    for targets in (Y, [Y]):
        found = [model.fit([X], targets, verbose=0).history["loss"] for model in (ours, theirs)]
        np.testing.assert_allclose(*found, rtol=1e-5)
        found = [model.evaluate([X], targets, verbose=0) for model in (ours, theirs)]
        np.testing.assert_allclose(*found, rtol=1e-5)
    found = [model.train_on_batch([X], [Y]) for model in (ours, theirs)]
    np.testing.assert_allclose(*found, rtol=1e-5)


def test_a_list_of_one_input_builds_a_row_of_layers():
    model = mt.keras.Sequential([mt.keras.layers.Dense(2)])
    assert model([X]).shape == (4, 2)
    assert model.input_shape == (4, 3)


@pytest.mark.parametrize("given", [[X], (X,), {"a": X}, [X, X]])
def test_a_layer_says_that_it_takes_one_tensor(given):
    with pytest.raises(ValueError, match=r"expected one tensor, found a (list|tuple|dict) of \d"):
        mt.keras.layers.Dense(2)(given)


# ----- dictionaries -----


@pytest.mark.parametrize("keyed", [False, True])
@pytest.mark.parametrize("given", [{"a": X, "c": X}, {"a": X}, {}])
def test_a_dictionary_without_an_input_names_expected_and_received(tf, keyed, given):
    for k in (mt.keras, tf.keras):
        words = rf"Missing data for input \"\w\".*{list(given)}.*\['a', 'b'\]".replace(
            "[]", r"\[\]"
        )
        with pytest.raises(ValueError, match=words):
            of_two(k, keyed)(given)
    with pytest.raises(ValueError, match="Missing data for input"):
        of_two(mt.keras, keyed).fit(given or {"z": X}, [Y, Y], verbose=0)


def test_a_dictionary_for_one_input_is_read_by_its_name(tf):
    for k in (mt.keras, tf.keras):
        with pytest.raises(ValueError, match="Missing data for input"):
            drawn(k)({"zz": X})
    np.testing.assert_allclose(drawn(mt.keras)({"a": X}), drawn(tf.keras)({"a": X}))


@pytest.mark.parametrize("keyed", [False, True])
def test_more_inputs_in_a_dictionary_are_not_looked_at(tf, keyed):
    given = {"b": X, "c": X, "a": 2 * X}
    ours, theirs = of_two(mt.keras, keyed)(given), of_two(tf.keras, keyed)(given)
    for a, b in zip(flatten(ours), tf.nest.flatten(theirs), strict=True):
        np.testing.assert_allclose(a, b)


@pytest.mark.parametrize("keyed", [False, True])
@pytest.mark.parametrize("targets", [{"o": Y, "q": Y}, {"o": Y, "p": Y, "q": Y}, {"q": Y}])
def test_targets_under_other_names_name_expected_and_received(tf, keyed, targets):
    """Keras refuses them in words of its inside: "Expected float32, but got o"."""
    given = {"a": X, "b": X}
    with pytest.raises(
        ValueError, match=rf"called \['q'\].*\['o', 'p'\], received \{list(targets)}"
    ):
        of_two(mt.keras, keyed).fit(given, targets, verbose=0)
    with pytest.raises((TypeError, ValueError, KeyError)):
        of_two(tf.keras, keyed).fit(given, targets, verbose=0)
    with pytest.raises(ValueError, match=r"called \['q'\]"):
        of_two(mt.keras, keyed).fit(given, [Y, Y], sample_weight={"o": Y[:, 0], "q": Y[:, 0]})


def test_a_target_under_the_wrong_name_for_one_output():
    with pytest.raises(ValueError, match=r"No output is called \['q'\]. Expected the keys \['o'\]"):
        drawn(mt.keras).fit(X, {"q": Y}, verbose=0)


def test_targets_that_no_loss_needs_may_be_left_out_of_a_dictionary():
    model = of_two(mt.keras)
    model.compile("sgd", {"o": "mse", "p": None})
    logs = [model.test_on_batch([X, X], y) for y in ({"o": Y}, {"o": Y, "p": Y}, [Y, Y])]
    assert logs[0] == logs[1] == logs[2]


# ----- batch sizes -----


@pytest.mark.parametrize("make", [listed, drawn])
def test_a_batch_size_that_was_told_is_not_asked_for(tf, make):
    for k in (mt.keras, tf.keras):
        model = make(k, batch_size=8)
        assert model.input_shape == (8, 3)
        assert model.output_shape == (8, 2)
        assert model(X).shape == (4, 2)
        assert model.predict(np.ones((10, 3)), batch_size=4, verbose=0).shape == (10, 2)
        model.fit(np.ones((10, 3)), np.ones((10, 2)), batch_size=8, verbose=0)
        assert tuple(model(k.Input((3,), batch_size=5)).shape) == (5, 2)
        inside = k.Sequential([k.Input((3,)), model])
        assert inside(X).shape == (4, 2)
        with pytest.raises(ValueError, match="incompatible with the layer"):
            model(np.ones((8, 4), "float32"))


# ----- weights -----


def test_the_value_of_a_weight_is_a_property_as_in_keras(tf):
    for library in (mt, tf):
        dense = library.keras.layers.Dense(2)
        dense.build((None, 3))
        assert dense.kernel.value.shape == (3, 2)
        assert int(library.keras.optimizers.SGD().iterations.value) == 0
    kernel = dense = mt.keras.layers.Dense(2)
    dense.build((None, 3))
    kernel = dense.kernel
    with mt.GradientTape() as tape:
        y = mt.reduce_sum(kernel.value * 3.0)
    np.testing.assert_array_equal(tape.gradient(y, kernel), np.full((3, 2), 3.0))
    assert mt.Variable(1.0).value().numpy() == 1.0  # a method where no layer owns it


# ----- PyDataset -----


class Numbered(mt.keras.utils.PyDataset):
    """Writes down what it is asked."""

    def __init__(self):
        super().__init__()
        self.asked = ""

    def __len__(self):
        return 3

    def __getitem__(self, index):
        self.asked += str(index)
        return X, Y

    def on_epoch_begin(self):
        self.asked += "("

    def on_epoch_end(self):
        self.asked += ")"


class Stops(mt.keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = batch == 1


@pytest.mark.parametrize(
    ("settings", "asked"),
    [
        ({"epochs": 2}, "(012)(012)"),
        ({"epochs": 3, "steps_per_epoch": 1}, "(0)(1)(2)"),
        ({"epochs": 1, "steps_per_epoch": 2}, "(01)"),
        ({"epochs": 2, "callbacks": [Stops()]}, "(01"),  # as in Keras
    ],
)
def test_a_pydataset_hears_of_each_epoch_once(settings, asked):
    for model in (listed(mt.keras), compiled(mt.keras.Sequential([mt.keras.layers.Dense(2)]))):
        data, built = Numbered(), model.built
        model.fit(data, verbose=0, shuffle=False, **settings)
        assert data.asked == ("" if built else "0") + asked  # one that is not built looks first
    held_out = Numbered()
    model.fit(X, Y, epochs=2, validation_data=held_out, verbose=0)
    assert held_out.asked == "(012)(012)"


def test_a_pydataset_hears_of_the_end_where_the_data_run_out():
    data = Numbered()
    with pytest.warns(UserWarning, match="ran out of data"):
        listed(mt.keras).fit(data, epochs=1, steps_per_epoch=5, verbose=0, shuffle=False)
    assert data.asked == "(012)"
    for method in ("evaluate", "predict"):
        data = Numbered()
        getattr(listed(mt.keras), method)(data, verbose=0)
        assert data.asked == "(012)"


# ----- no terminal -----


def test_a_program_without_a_terminal_trains(monkeypatch):
    """In a windowed program sys.stdout is None; Keras fails."""
    monkeypatch.setattr(sys, "stdout", None)
    model = listed(mt.keras)
    for verbose in ("auto", 1, 2):
        model.fit(X, Y, verbose=verbose)
        model.evaluate(X, Y, verbose=verbose)
    model.predict(X)
    model.summary()
    mt.keras.utils.Progbar(3).update(3)
