"""A loss or gradient that is NaN or infinite: training stops before the update and names the op."""

import numpy as np
import pytest

import minitensor as mt
from minitensor import keras
from minitensor.keras.training.finite import NonFiniteError

X = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
Y = np.zeros((8, 3), "float32")


class Planted(keras.layers.Layer):
    """A layer that computes what a test says."""

    def __init__(self, function, **options):
        super().__init__(**options)
        self._function = function

    def call(self, x):
        return self._function(x)

    def compute_output_shape(self, input_shape):
        return input_shape


def net(function, loss="mse"):
    mt.random.set_seed(0)
    layers = [keras.Input((3,)), keras.layers.Dense(3, name="first")]
    layers += [keras.layers.BatchNormalization(), keras.layers.Dropout(0.5)]
    layers += [Planted(function, name="planted"), keras.layers.Dense(3, name="last")]
    model = keras.Sequential(layers, name="net")
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), loss)
    return model


def zeros_in_some(x):
    return mt.maximum(x, 0.0)


PLANTED = {
    "log": (lambda x: mt.math.log(zeros_in_some(x)), "log"),
    "divide": (lambda x: 1.0 / zeros_in_some(x), "divide"),
    "overflow": (lambda x: mt.exp(1000.0 * mt.abs(x) + 1000.0), "exp"),
    "root of a negative": (lambda x: mt.sqrt(x - 10.0), "sqrt"),
    "power": (lambda x: mt.pow(zeros_in_some(x), -1.0), "power"),
    "inf - inf": (lambda x: mt.exp(x + 1000.0) - mt.exp(x + 1000.0), "exp"),
    "the first of two": (
        lambda x: mt.math.log(zeros_in_some(x)) + mt.exp(mt.abs(x) + 1000.0),
        "log",
    ),
    "after harmless infinities": (
        lambda x: mt.math.log(zeros_in_some(x)) + mt.exp(mt.math.log(zeros_in_some(x)) * 1.0),
        "log",
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_the_op_and_the_layer_where_it_began_are_named(name):
    function, op = PLANTED[name]
    with pytest.raises(NonFiniteError) as caught:
        net(function).fit(X, Y, verbose=0)
    assert (caught.value.op, caught.value.layer) == (op, "net/planted")
    assert "at step 0 of epoch 0" in str(caught.value)
    assert "(8, 3)" in str(caught.value)
    assert isinstance(caught.value, ArithmeticError)


def test_infinities_that_do_no_harm_are_not_blamed():
    def function(x):
        masked = mt.where(x > 0.0, mt.math.log(zeros_in_some(x) * 0.0), x)  # -inf on purpose
        harmless = mt.nn.softmax(mt.stop_gradient(masked))
        bad = mt.exp(1000.0 + mt.abs(x))
        return harmless * 0.0 + bad

    def only_mask(x):
        return x + mt.stop_gradient(mt.exp(mt.math.log(mt.zeros_like(x))))

    with pytest.raises(NonFiniteError) as caught:
        net(function).train_on_batch(X, Y)
    assert caught.value.op == "exp"
    assert np.isfinite(net(only_mask).train_on_batch(X, Y))


def test_a_derivative_that_is_infinite_is_named_though_the_loss_is_finite():
    with pytest.raises(NonFiniteError, match="derivative of the op 'sqrt'") as caught:
        net(lambda x: mt.sqrt(0.0 * x * x)).train_on_batch(X, Y + 1)
    assert caught.value.layer == "net/planted"
    assert "first/kernel" in str(caught.value)


def test_a_loss_that_overflows_is_outside_of_the_layers():
    def loss(y, y_pred):
        return mt.reduce_mean(mt.exp(mt.abs(y_pred) * 1e4 + 1e3), -1)

    with pytest.raises(NonFiniteError, match=r"outside of the layers") as caught:
        net(lambda x: x, loss).train_on_batch(X, Y)
    assert caught.value.op == "exp"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ((np.where(X > 1, np.nan, X), Y), "The inputs of the model are not finite"),
        ((X, Y + np.float32(np.inf)), "The targets of the model are not finite"),
        ((X, Y, np.full(8, np.nan, "float32")), "The sample weights of the model are not finite"),
    ],
    ids=["inputs", "targets", "weights of samples"],
)
def test_data_that_are_not_finite_are_named(data, words):
    with pytest.raises(NonFiniteError, match=words) as caught:
        net(lambda x: x).train_on_batch(*data)
    assert caught.value.op is None


def test_a_weight_that_was_not_finite_is_named():
    model = net(lambda x: x)
    kernel = model.get_layer("last").kernel
    kernel.assign(np.full((3, 3), np.nan))
    with pytest.raises(NonFiniteError, match=f"The weights {kernel.path} were not finite"):
        model.train_on_batch(X, Y)


def test_the_model_is_as_it_was_before_the_step():
    bad = {"now": False}
    model = net(lambda x: mt.math.log(x * 0.0) if bad["now"] else x)
    model.train_on_batch(X, Y)
    before = [w.copy() for w in model.get_weights()]
    slots = [v.numpy() for v in model.optimizer.variables]
    random = mt.backend.generator.state()
    bad["now"] = True
    with pytest.raises(NonFiniteError, match="in train_on_batch, update 1"):
        model.train_on_batch(X, Y)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(slots, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a, b.numpy())
    assert mt.backend.generator.state() == random
    bad["now"] = False
    assert np.isfinite(model.train_on_batch(X, Y))


def test_the_step_and_the_epoch_are_told():
    class Spoil(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 1 and self.model._fit.progress.epoch == 2:
                self.model.get_layer("last").bias.assign([np.inf] * 3)

    with pytest.raises(NonFiniteError, match="at step 1 of epoch 2"):
        net(lambda x: x).fit(X, Y, batch_size=3, epochs=4, verbose=0, callbacks=[Spoil()])


def test_nan_is_let_through_to_a_callback_that_handles_it():
    model = net(lambda x: mt.math.log(x * 0.0))
    history = model.fit(X, Y, epochs=3, verbose=0, callbacks=[keras.callbacks.TerminateOnNaN()])
    assert len(history.epoch) == 1


def test_a_train_step_of_ones_own_is_looked_at_afterwards():
    class Own(keras.Model):
        def train_step(self, data):
            return {"accuracy": float("nan"), "g_loss": float("inf")}

    model = Own()
    model.compile("sgd")
    with pytest.raises(NonFiniteError, match="g_loss is inf"):
        model.fit(X, verbose=0)


def test_the_op_in_a_gradient_of_ones_own_is_named():
    @mt.custom_gradient
    def strange(x):
        return x * 1.0, lambda upstream: mt.math.log(upstream * 0.0)

    with pytest.raises(NonFiniteError, match="derivative of the op 'strange'"):
        net(strange).train_on_batch(X, Y)


def test_nothing_stands_among_the_tapes_while_all_is_well():
    from minitensor.autograd import recording

    seen = []
    net(lambda x: seen.append(len(recording.active.tapes)) or x).train_on_batch(X, Y)
    assert seen[-1] == 1


# ----- tf.debugging -----


def test_check_numerics_passes_finite_tensors_on_and_refuses_others(tf):
    x = mt.constant([1.0, 2.0])
    assert mt.debugging.check_numerics(x, "x") is x
    words = "here : Tensor had NaN"
    with pytest.raises(tf.errors.InvalidArgumentError, match=words):
        tf.debugging.check_numerics([1.0, np.nan], "here")
    with pytest.raises(FloatingPointError, match=words):
        mt.debugging.check_numerics([1.0, np.nan], "here")


def test_enabled_numerics_stop_at_the_op_until_disabled():
    mt.debugging.enable_check_numerics()
    mt.debugging.enable_check_numerics()
    try:
        with pytest.raises(FloatingPointError, match="op 'divide'"):
            mt.constant([1.0]) / 0.0
    finally:
        mt.debugging.disable_check_numerics()
    assert np.isinf((mt.constant([1.0]) / 0.0).numpy())
