"""Layers of one name are refused when a model is made; one layer in several places is one layer,
also after it was saved and loaded."""

import numpy as np
import pytest

import minitensor as mt
from minitensor.keras.serialization import memory_budget

# ----- names -----


def two_layers(k):
    x = k.Input((2,))
    return k.Model(x, k.layers.Dense(2, name="a")(k.layers.Dense(2, name="a")(x)))


def two_inputs(k):
    x, y = k.Input((2,), name="a"), k.Input((2,), name="a")
    return k.Model([x, y], k.layers.Add()([x, y]))


def two_submodels(k):
    def inner():
        return k.Sequential([k.Input((2,)), k.layers.Dense(2)], name="a")

    x = k.Input((2,))
    return k.Model(x, inner()(inner()(x)))


def an_input_and_a_layer(k):
    x = k.Input((2,), name="a")
    return k.Model(x, k.layers.Dense(2, name="a")(x))


def two_in_a_row(k):
    return k.Sequential([k.Input((2,)), *(k.layers.Dense(2, name="a") for _ in range(2))])


def two_in_a_row_unbuilt(k):
    return k.Sequential([k.layers.Dense(2, name="a"), k.layers.ReLU(name="a")])


def the_input_of_a_row(k):
    return k.Sequential([k.Input((2,), name="a"), k.layers.Dense(2, name="a")])


def a_slash(k):
    return k.layers.Dense(2, name="a/b")


def no_text(k):
    return k.layers.Dense(2, name=3)


@pytest.mark.parametrize(
    "make",
    [
        two_layers,
        two_inputs,
        two_submodels,
        an_input_and_a_layer,
        two_in_a_row,
        two_in_a_row_unbuilt,
        the_input_of_a_row,
        a_slash,
        no_text,
    ],
)
def test_names_that_a_file_could_not_tell_apart_are_refused_as_by_keras(tf, make):
    for keras in (mt.keras, tf.keras):
        with pytest.raises(ValueError, match=r"used 2 times|unique names|cannot contain charac"):
            make(keras)


def test_a_name_inside_a_submodel_may_be_that_of_one_outside(tmp_path):
    inner = mt.keras.Sequential([mt.keras.Input((2,)), mt.keras.layers.Dense(2, name="a")])
    x = mt.keras.Input((2,))
    model = mt.keras.Model(x, mt.keras.layers.Dense(2, name="a")(inner(x)))
    assert_comes_back(model, tmp_path / "model.keras")


def test_a_layer_is_not_got_by_a_name_that_two_have():
    class Two(mt.keras.Model):
        def __init__(self):
            super().__init__()
            self.one = mt.keras.layers.Dense(1, name="a")
            self.other = mt.keras.layers.Dense(2, name="a")

    model = Two()
    with pytest.raises(ValueError, match="2 layers are called 'a'; ask by index"):
        model.get_layer("a")
    assert model.get_layer(index=1) is model.other


# ----- one layer in several places -----


def twice_in_a_row():
    dense = mt.keras.layers.Dense(2)
    return mt.keras.Sequential([mt.keras.Input((2,)), dense, mt.keras.layers.ReLU(), dense])


def outside_and_inside(inner):
    def make():
        dense = mt.keras.layers.Dense(2)
        sub, x = inner(dense), mt.keras.Input((2,))
        return mt.keras.Model(x, dense(sub(dense(x))))

    return make


def functional(dense):
    x = mt.keras.Input((2,))
    return mt.keras.Model(x, dense(x))


def listed(dense):
    return mt.keras.Sequential([mt.keras.Input((2,)), dense])


def in_two_submodels():
    dense, x = mt.keras.layers.Dense(2), mt.keras.Input((2,))
    return mt.keras.Model(x, functional(dense)(listed(dense)(functional(listed(dense))(x))))


def with_the_input_of_a_submodel():
    x = mt.keras.Input((2,))
    encoder = mt.keras.Model(x, mt.keras.layers.Dense(2)(x), name="encoder")
    return mt.keras.Model(x, mt.keras.layers.Dense(2)(encoder(x)))


SHARED = {
    "twice in a row": twice_in_a_row,
    "in a functional model": outside_and_inside(functional),
    "in a Sequential": outside_and_inside(listed),
    "two deep": outside_and_inside(lambda dense: listed(functional(dense))),
    "in two submodels": in_two_submodels,
    "an input": with_the_input_of_a_submodel,
}


def assert_comes_back(model, path):
    """A file gives a model of the same weights, as many, and the same outputs."""
    x = np.random.default_rng(0).normal(size=(3, 2)).astype("float32")
    model.save(path)
    loaded = mt.keras.models.load_model(path)
    assert loaded.count_params() == model.count_params()
    np.testing.assert_array_equal(loaded(x), model(x))
    for weights in ("new.weights.h5", "new.h5"):
        other = mt.keras.models.model_from_json(model.to_json())
        model.save_weights(path.parent / weights)
        other.load_weights(path.parent / weights)
        np.testing.assert_array_equal(other(x), model(x))
        assert len(other.weights) == len(model.weights)


@pytest.mark.parametrize("ending", [".keras", ".h5"])
@pytest.mark.parametrize("where", SHARED)
def test_a_layer_in_several_places_comes_back_as_one(tmp_path, where, ending):
    assert_comes_back(SHARED[where](), tmp_path / f"model{ending}")


def test_a_file_of_keras_with_a_layer_in_several_places(tf, tmp_path):
    """Keras 3.15 writes it right, and reads its own file wrong: its outputs change."""
    k, x = tf.keras, np.ones((2, 2), "float32")
    dense = k.layers.Dense(2)
    sub = k.Sequential([k.Input((2,)), dense])
    symbol = k.Input((2,))
    theirs = k.Model(symbol, dense(sub(dense(symbol))))
    theirs.save(tmp_path / "model.keras")
    ours = mt.keras.models.load_model(tmp_path / "model.keras")
    assert len(ours.weights) == 2
    np.testing.assert_allclose(ours(x), theirs(x), rtol=1e-6)


# ----- what could not be read again is not written -----


@pytest.mark.parametrize("kind", [functional, listed])
@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_models_in_models_a_hundred_deep_come_back(tmp_path, kind, ending):
    model = listed(mt.keras.layers.Dense(2))
    for _ in range(100):
        model = kind(model)
    assert_comes_back(model, tmp_path / f"model{ending}")


def test_deeper_models_are_not_saved(tmp_path):
    model = listed(mt.keras.layers.Dense(2))
    for _ in range(128):
        model = listed(model)
    for name, save in (("a.keras", model.save), ("a.weights.h5", model.save_weights)):
        with pytest.raises(ValueError, match="lie in each other more than 128 deep"):
            save(tmp_path / name)
        assert not (tmp_path / name).exists()


def test_settings_longer_than_is_read_are_not_saved(tmp_path, monkeypatch):
    monkeypatch.setattr(memory_budget, "LONGEST", 1000)
    model = listed(mt.keras.layers.Dense(2))
    for name in ("a.keras", "a.h5"):
        with pytest.raises(ValueError, match="where at most 1000 are read: keep large arrays"):
            model.save(tmp_path / name)
        assert not (tmp_path / name).exists()
