"""What a program overrides in a class of Keras is called, and its result is what counts."""

import functools

import numpy as np
import pytest

import minitensor as mt


def standardised(keras, ops, rank):
    """A convolution whose kernels are standardised first, as in weight standardisation."""

    class Standardised(getattr(keras.layers, f"Conv{rank}D")):
        def convolution_op(self, inputs, kernel):
            mean = ops.mean(kernel, axis=tuple(range(rank + 1)), keepdims=True)
            return super().convolution_op(inputs, kernel - mean) * 2.0

    return Standardised


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("rank", [2, 3])
def test_a_convolution_of_one_s_own(tf, rank, data_format, bias):
    """Keras' Conv1D does not ask for it; ours does, as Conv2D and Conv3D of both."""
    x = np.random.default_rng(0).normal(size=(2, *[5] * rank, 3)).astype("float32")
    settings = {"use_bias": bias, "activation": "tanh", "strides": 2, "padding": "same"}
    ours = standardised(mt.keras, _Ops, rank)(4, 3, data_format=data_format, **settings)
    theirs = standardised(tf.keras, tf.keras.ops, rank)(4, 3, **settings)
    theirs(x)
    last = data_format == "channels_last"
    given = x if last else np.moveaxis(x, -1, 1)
    ours(given)
    weights = [w + 0.1 for w in theirs.get_weights()]
    ours.set_weights(weights), theirs.set_weights(weights)
    with mt.GradientTape() as tape:
        y = ours(given)
    with tf.GradientTape() as their_tape:
        other = theirs(x)
    found = np.asarray(y) if last else np.moveaxis(np.asarray(y), 1, -1)
    np.testing.assert_allclose(found, other, rtol=1e-5, atol=1e-6)
    pairs = zip(
        tape.gradient(y, ours.trainable_weights),
        their_tape.gradient(other, theirs.trainable_weights),
        strict=True,
    )
    for a, b in pairs:
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_a_convolution_of_one_s_own_of_a_signal_and_of_one_layer():
    x = mt.ones([1, 5, 2])
    layer = standardised(mt.keras, _Ops, 1)(2, 3, padding="causal", kernel_initializer="ones")
    np.testing.assert_array_equal(layer(x), np.zeros((1, 5, 2)))
    alone = mt.keras.layers.Conv2D(2, 3)
    alone.convolution_op = lambda inputs, kernel: mt.zeros([1, 3, 3, 2])
    assert not np.any(alone(mt.ones([1, 5, 5, 2])))


class _Ops:
    mean = staticmethod(mt.reduce_mean)


# ----- which hooks are called -----

HOOKS = {
    "Layer": """compute_output_shape compute_output_spec compute_mask get_config save_own_variables
        load_own_variables get_build_config build_from_config""",
    "Model": """train_step test_step predict_step make_train_function make_test_function
        make_predict_function compute_loss compute_metrics get_metrics_result reset_metrics
        get_config get_compile_config compile_from_config get_build_config build_from_config
        save_own_variables load_own_variables compute_output_shape compute_output_spec""",
    "Optimizer": """apply_gradients apply build update_step get_config save_own_variables
        load_own_variables finalize_variable_values add_variable_from_reference""",
    "Metric": "update_state result reset_state get_config",
    "Loss": "__call__ call get_config",
    "Callback": """set_params set_model on_train_begin on_train_end on_epoch_begin on_epoch_end
        on_train_batch_begin on_train_batch_end on_test_begin on_test_end on_test_batch_begin
        on_test_batch_end on_predict_begin on_predict_end on_predict_batch_begin
        on_predict_batch_end on_batch_begin on_batch_end""",
    "Schedule": "__call__ get_config",
    "Initializer": "__call__ get_config",
    "Regularizer": "__call__ get_config",
    "Constraint": "__call__ get_config",
}


def noted(kind, base, called):
    """A subclass that notes which of its hooks are called."""

    def noting(name):
        @functools.wraps(getattr(base, name))
        def hook(self, *args, **kwargs):
            called.add((kind, name))
            return getattr(super(cls, self), name)(*args, **kwargs)

        return hook

    cls = type(f"Noted{kind}", (base,), {name: noting(name) for name in HOOKS[kind].split()})
    return cls


def story(keras, folder):
    """The hooks that are called while a model is made, trained, saved and loaded."""
    called = set()

    class Scale(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.supports_masking = True

        def build(self, input_shape):
            made = {"initializer": rules[0], "regularizer": rules[1], "constraint": rules[2]}
            self.w = self.add_weight(shape=(input_shape[-1],), name="w", **made)

        def call(self, x):
            return x * self.w

        def compute_output_shape(self, input_shape):
            return input_shape

    rules = (
        noted("Initializer", keras.initializers.Ones, called)(),
        noted("Regularizer", keras.regularizers.L2, called)(0.1),
        noted("Constraint", keras.constraints.NonNeg, called)(),
    )
    Layer, Model = noted("Layer", Scale, called), noted("Model", keras.Model, called)
    Optimizer = noted("Optimizer", keras.optimizers.SGD, called)
    Metric = noted("Metric", keras.metrics.MeanSquaredError, called)
    Loss = noted("Loss", keras.losses.MeanSquaredError, called)
    Schedule = noted("Schedule", keras.optimizers.schedules.ExponentialDecay, called)
    callback = noted("Callback", keras.callbacks.Callback, called)()
    x, y = np.ones((4, 3, 2), "float32"), np.ones((4, 3, 2), "float32")
    inputs = keras.Input((3, 2))
    model = Model(inputs, Layer()(keras.layers.Masking()(inputs)))
    model.compile(Optimizer(Schedule(0.1, 9, 0.5), momentum=0.9), Loss(), metrics=[Metric()])
    for act in (model.fit, model.evaluate):
        act(x, y, callbacks=[callback], verbose=0)
    model.predict(x, callbacks=[callback], verbose=0)
    model.train_on_batch(x, y), model.test_on_batch(x, y), model.predict_on_batch(x)
    model.save(folder / "model.keras")
    own = {cls.__name__: cls for cls in (Layer, Model, Optimizer, Metric, Loss, Schedule)}
    own |= {type(rule).__name__: type(rule) for rule in rules}
    keras.models.load_model(folder / "model.keras", own)
    model.save_weights(folder / "model.weights.h5")
    model.load_weights(folder / "model.weights.h5")
    return called


def test_the_hooks_that_keras_calls_are_called(tf, tmp_path):
    (tmp_path / "ours").mkdir(), (tmp_path / "theirs").mkdir()
    theirs = story(tf.keras, tmp_path / "theirs")
    assert len(theirs) > 60
    assert story(mt.keras, tmp_path / "ours") == theirs


# ----- and what they say counts -----


def kept_by_name(keras):
    """A layer that keeps its weight under a name of its own, and builds itself by a word."""

    class Kept(keras.layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(input_shape[-1],), name="w", initializer="ones")

        def call(self, x):
            return x * self.w

        def compute_output_shape(self, input_shape):
            return input_shape

        def save_own_variables(self, store):
            store["half"] = np.asarray(self.w) / 2

        def load_own_variables(self, store):
            self.w.assign(np.asarray(store["half"]) * 2)

        def get_build_config(self):
            return {"channels": 3}

        def build_from_config(self, config):
            self.build((None, config["channels"]))

    return Kept


def test_a_layer_that_keeps_its_weights_itself(tf, tmp_path):
    for writer, reader in ((mt.keras, tf.keras), (tf.keras, mt.keras), (mt.keras, mt.keras)):
        model = writer.Sequential([writer.Input((3,)), kept_by_name(writer)()])
        model.set_weights([np.array([1.0, 2.0, 3.0], "float32")])
        model.save(tmp_path / "x.keras")
        model.save_weights(tmp_path / "x.weights.h5")
        Kept = kept_by_name(reader)
        read = reader.models.load_model(tmp_path / "x.keras", {"Kept": Kept})
        np.testing.assert_array_equal(read.get_weights()[0], [1, 2, 3])
        fresh = reader.Sequential([reader.Input((3,)), Kept()])
        fresh.load_weights(tmp_path / "x.weights.h5")
        np.testing.assert_array_equal(fresh.get_weights()[0], [1, 2, 3])


def test_a_loop_of_one_s_own_runs(tf):
    def run(keras):
        class Twice(keras.Model):
            def make_train_function(self, force=False):
                def train(iterator):
                    batch = next(iterator)
                    self.train_step(batch)
                    return self.train_step(batch)

                self.train_function = train

        x = keras.Input((2,))
        model = Twice(x, keras.layers.Dense(1, kernel_initializer="ones")(x))
        model.compile("sgd", "mse", run_eagerly=True)
        model.fit(np.ones((4, 2), "float32"), np.zeros((4, 1), "float32"), verbose=0)
        assert int(model.optimizer.iterations) == 2
        return model.get_weights()

    for a, b in zip(run(mt.keras), run(tf.keras), strict=True):
        np.testing.assert_allclose(a, b, 1e-6)


def test_a_layer_says_what_it_gives(tf):
    for keras in (mt.keras, tf.keras):

        class Sizes(keras.layers.Layer):
            def call(self, x):
                raise RuntimeError("it is not asked")

            def compute_output_spec(self, x, keras=keras):
                return keras.KerasTensor((None, 7), "int32")

        y = Sizes()(keras.Input((2,)))
        assert (tuple(y.shape), y.dtype) == ((None, 7), "int32")
