"""Names of Keras 2 and corners of Keras 3 that other people's programs use."""

import numpy as np
import pytest

import minitensor as mt

k = mt.keras
layers = k.layers


def test_reset_states_is_reset_state():
    mean = k.metrics.Mean()
    mean.update_state([1.0, 3.0])
    mean.reset_states()
    assert float(mean.result()) == 0.0


def test_words_of_reductions(tf):
    words = ("NONE", "SUM", "SUM_OVER_BATCH_SIZE", "AUTO")
    for word in words:
        assert getattr(k.losses.Reduction, word) == getattr(tf.keras.losses.Reduction, word)
        found = k.losses.MeanSquaredError(reduction=getattr(k.losses.Reduction, word))
        assert found([[0.0], [0.0]], [[1.0], [3.0]]).shape.ndims == (word == "NONE")


def test_the_older_optimizers_are_the_present_ones():
    legacy = k.optimizers.legacy
    for name in ("SGD", "Adadelta", "Adagrad", "Adam", "Adamax", "Nadam", "Optimizer", "RMSprop"):
        assert getattr(legacy, name) is getattr(k.optimizers, name)
    assert float(legacy.SGD(0.5, decay=0.0).learning_rate) == 0.5
    with pytest.raises(ValueError, match="InverseTimeDecay"):
        legacy.SGD(0.5, decay=0.1)


def test_an_input_layer_takes_the_old_names_of_its_shape():
    for old in ({"input_shape": (3,)}, {"batch_input_shape": (None, 3)}):
        assert k.Sequential([layers.InputLayer(**old), layers.Dense(2)]).input_shape == (None, 3)
    with pytest.raises(ValueError, match=r"unrecognized keyword arguments \['shap'\]"):
        layers.InputLayer(shap=(3,))


def test_layers_are_serialized_like_other_objects(tf):
    for keras in (k, tf.keras):
        config = keras.layers.serialize(keras.layers.Dense(3, name="d", activation="relu"))
        assert (config["class_name"], config["config"]["units"]) == ("Dense", 3)
        assert k.layers.deserialize(config).get_config()["activation"] == "relu"

    class Own(layers.Layer):
        def __init__(self, factor):
            super().__init__()
            self.factor = factor

    own = Own(3)
    own.trainable = False
    other = layers.deserialize(layers.serialize(own), custom_objects={"Own": Own})
    assert (other.factor, other.name, other.trainable) == (3, own.name, False)


@pytest.mark.parametrize("aggregation", [None, "uniform_average", "variance_weighted_average"])
@pytest.mark.parametrize("regressors", [0, 2])
@pytest.mark.parametrize("weights", [None, (4,), (4, 1), (4, 3)])
def test_r2_score(tf, aggregation, regressors, weights):
    draw = np.random.default_rng(0)
    batches = [draw.normal(size=(2, 4, 3)).astype("float32") for _ in range(3)]
    given = None if weights is None else draw.random(weights).astype("float32")
    found = []
    for keras in (k, tf.keras):
        metric = keras.metrics.R2Score(aggregation, regressors)
        for y_true, y_pred in batches:
            metric.update_state(y_true, y_true + 0.3 * y_pred, sample_weight=given)
        found.append(np.asarray(metric.result()))
        metric.reset_state()
        metric.update_state(np.array([[1.0], [2.0]]).repeat(3, 1), np.zeros((2, 3)))
        found.append(np.asarray(metric.result()))
    np.testing.assert_allclose(found[0], found[2], rtol=1e-4)
    np.testing.assert_allclose(found[1], found[3], rtol=1e-4)


def test_r2_score_refuses_what_it_cannot_score():
    with pytest.raises(ValueError, match="expects 2D inputs"):
        k.metrics.R2Score()([1.0, 2.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="class_aggregation"):
        k.metrics.R2Score("mean")
    with pytest.raises(ValueError, match="num_regressors"):
        k.metrics.R2Score(num_regressors=-1)
    with pytest.warns(UserWarning, match="More independent predictors"):
        k.metrics.R2Score(num_regressors=9)([[1.0], [2.0]], [[1.0], [2.0]])


# ----- subclassed models in files -----


def plain(keras):
    class Net(keras.Model):
        def __init__(self, units, act="relu"):
            super().__init__()
            self.first = keras.layers.Dense(units, activation=act)
            self.last = keras.layers.Dense(1)

        def call(self, x, training=None):
            return self.last(self.first(x))

    return Net


def with_config(keras):
    class Net(plain(keras)):
        def __init__(self, units, **kwargs):
            super().__init__(units)
            self.units = units

        def get_config(self):
            return {"units": self.units}

    return Net


X, Y = np.random.default_rng(0).random((6, 3)).astype("float32"), np.ones((6, 1), "float32")


@pytest.mark.parametrize("make", [plain, with_config])
def test_a_subclassed_model_comes_back_from_its_config(tmp_path, make):
    net = make(k)
    model = net(4)
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "net.keras")
    other = k.models.load_model(tmp_path / "net.keras", custom_objects={"Net": net})
    np.testing.assert_array_equal(other(X), model(X))
    assert type(other) is net
    mt.random.set_seed(0)
    mine = model.fit(X, Y, verbose=0).history
    mt.random.set_seed(0)
    assert other.fit(X, Y, verbose=0).history == mine
    assert type(k.models.model_from_json(model.to_json(), {"Net": net})) is net
    with pytest.raises(ValueError, match="Could not locate class"):
        k.models.load_model(tmp_path / "net.keras")
    with pytest.raises(ValueError, match="file cannot name"):
        model.save(tmp_path / "net.h5")


def test_subclassed_models_go_to_keras_and_come_from_it(tf, tmp_path):
    for writes, reads in ((k, tf.keras), (tf.keras, k)):
        model = with_config(writes)(4)
        model(X)
        model.save(tmp_path / "net.keras")
        objects = {"Net": with_config(reads)}
        other = reads.models.load_model(tmp_path / "net.keras", custom_objects=objects)
        np.testing.assert_allclose(other(X), model(X), rtol=1e-5)


def test_a_subclassed_model_without_a_shape_is_not_saved(tmp_path):
    with pytest.raises(ValueError, match="call it on data, or build it, before it is saved"):
        plain(k)(4).save(tmp_path / "net.keras")


# ----- what Keras 3 took away -----


def test_models_still_have_the_shapes_that_layers_lost():
    model = k.Sequential([k.Input((3,)), layers.Dense(2)])
    assert (model.input_shape, model.output_shape) == ((None, 3), (None, 2))
    with pytest.raises(AttributeError, match="begin it with"):
        k.Sequential().output_shape  # noqa: B018


def test_inputs_by_the_names_of_keras_2():
    x = k.Input((3,))
    model = k.Model(x, layers.Dense(1)(x))
    for use in (lambda: model.get_layer("input_1"), lambda: model({"input_1": X})):
        with pytest.raises(ValueError, match=r"not 'input_1': give Input\(..., name='input_1'\)"):
            use()


def test_training_is_given_by_name_as_keras_says(tf):
    words = "Only input tensors may be passed as positional arguments.*keyword argument: True"
    for library in (mt, tf):
        for name, settings in (("BatchNormalization", ()), ("Dropout", (0.5,))):
            layer = getattr(library.keras.layers, name)(*settings)
            for given in (library.ones([2, 3]), library.keras.Input((3,))):
                with pytest.raises(ValueError, match=words):
                    layer(given, True)
