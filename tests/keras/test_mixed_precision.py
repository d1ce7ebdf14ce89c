"""Mixed precision against tf.keras: policies, layers, loss scaling, files, whole trainings."""

import json
import warnings
from contextlib import nullcontext

import numpy as np
import pytest
from keras_peer import same_weights
from mixed_trajectories import GROWTH, NETS, RECORD, trajectory

import minitensor as mt
from minitensor.backend import emulator
from minitensor.keras.engine.dtype_policy import forget_dtype_policy
from minitensor.keras.training.finite import NonFiniteError

MIXED = ("mixed_float16", "mixed_bfloat16")
PRECISION = {"mixed_float16": 2.0**-10, "mixed_bfloat16": 2.0**-7}  # from 1 to the next number


@pytest.fixture(autouse=True)
def _usual_policy():
    yield
    forget_dtype_policy()


@pytest.fixture
def both(tf):
    """Both libraries, and a policy for both."""

    def policy(name):
        for library in (mt, tf):
            library.keras.mixed_precision.set_global_policy(name)

    before = tf.keras.config.dtype_policy()
    yield policy
    tf.keras.config.set_dtype_policy(before)


# ----- policies -----

GIVEN = [
    *MIXED, "float32", "float16", "int32", "bool", np.float64, None, "mixed", "foo", "half",
    "mixed_float32", 3, {"class_name": "DTypePolicy", "config": {"name": "mixed_float16"}},
]  # fmt: skip


def _answer(function, *args):
    """What a call gives, or the error and how it begins."""
    try:
        found = function(*args)
    except (TypeError, ValueError) as error:
        return type(error).__name__, str(error)[:60]
    return found and (found.name, found.compute_dtype, found.variable_dtype, repr(found))


@pytest.mark.parametrize("given", GIVEN, ids=str)
def test_policies_are_read_as_keras_reads_them(both, tf, given):
    assert _answer(mt.keras.dtype_policies.get, given) == _answer(
        tf.keras.dtype_policies.get, given
    )
    both("float32")
    ours, theirs = (k.config.set_dtype_policy for k in (mt.keras, tf.keras))
    assert _answer(ours, given) == _answer(theirs, given)
    assert _answer(mt.keras.config.dtype_policy) == _answer(tf.keras.config.dtype_policy)


def test_a_policy_is_equal_to_its_like_and_is_written_as_keras_writes_it(tf):
    ours, theirs = mt.keras.DTypePolicy("mixed_float16"), tf.keras.DTypePolicy("mixed_float16")
    assert ours == mt.keras.mixed_precision.Policy("mixed_float16") != mt.keras.DTypePolicy()
    written = mt.keras.dtype_policies.serialize(ours)
    assert written == tf.keras.dtype_policies.serialize(theirs)
    assert mt.keras.dtype_policies.deserialize(written) == ours
    assert mt.keras.saving.deserialize_keras_object(written) == ours


def test_clear_session_forgets_the_policy(both, tf):
    both("mixed_float16")
    for library in (mt, tf):
        library.keras.backend.clear_session()
        assert library.keras.config.dtype_policy().name == "float32"


def test_losses_metrics_and_inputs_stay_in_float32(both, tf):
    both("mixed_float16")
    for keras in (mt.keras, tf.keras):
        assert keras.losses.MeanSquaredError().dtype == "float32"
        assert keras.metrics.Mean().dtype == "float32"
        assert keras.Input((3,)).dtype == "float32"


# ----- layers -----

LAYERS = {
    "Dense": lambda k: k.layers.Dense(4, activation="relu"),
    "Dense softmax": lambda k: k.layers.Dense(4, activation="softmax"),
    "Conv2D": lambda k: k.layers.Conv2D(4, 3, activation="relu"),
    "Conv2D kept": lambda k: k.layers.Conv2D(4, 3, padding="same", kernel_regularizer="l2"),
    "Conv1D": lambda k: k.Sequential([k.layers.Reshape((36, 4)), k.layers.Conv1D(3, 3)]),
    "Conv2DTranspose": lambda k: k.layers.Conv2DTranspose(4, 3, strides=2),
    "DepthwiseConv2D": lambda k: k.layers.DepthwiseConv2D(3),
    "SeparableConv2D": lambda k: k.layers.SeparableConv2D(4, 3),
    "EinsumDense": lambda k: k.layers.EinsumDense("abcd,de->abce", (None, None, 3), bias_axes="e"),
    "BatchNormalization": lambda k: k.layers.BatchNormalization(),
    "LayerNormalization": lambda k: k.layers.LayerNormalization(),
    "GroupNormalization": lambda k: k.layers.GroupNormalization(2),
    "PReLU": lambda k: k.layers.PReLU(),
    "Softmax": lambda k: k.layers.Softmax(),
    "MaxPooling2D": lambda k: k.layers.MaxPooling2D(2),
    "AveragePooling2D": lambda k: k.layers.AveragePooling2D(2),
    "GlobalAveragePooling2D": lambda k: k.layers.GlobalAveragePooling2D(),
    "Rescaling": lambda k: k.layers.Rescaling(0.5),
    "UpSampling2D": lambda k: k.layers.UpSampling2D(2, interpolation="bilinear"),
    "float32 inside": lambda k: k.Sequential(
        [k.layers.Conv2D(3, 3), k.layers.Dense(3, dtype="float32"), k.layers.Dense(2)]
    ),
    "policy of its own": lambda k: k.layers.Dense(3, dtype=k.DTypePolicy("float64")),
    "ConvLSTM1D": lambda k: k.layers.ConvLSTM1D(2, 2),
}


@pytest.mark.parametrize("policy", MIXED)
@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_computes_as_keras_does(both, tf, name, policy):
    """Outputs of the same type and equal up to it; gradients of float32 weights in float32."""
    both(policy)
    x = np.random.default_rng(0).normal(size=(4, 6, 6, 4)).astype("float32")
    found, layers = [], [LAYERS[name](library.keras) for library in (mt, tf)]
    for library, layer in zip((mt, tf), layers, strict=True):
        layer(library.constant(x))
    same_weights(*layers)
    for library, layer in zip((mt, tf), layers, strict=True):
        with library.GradientTape() as tape:
            y = layer(library.constant(x), training=True)
            loss = library.reduce_sum(library.cast(y, "float32") ** 2)
        grads = tape.gradient(loss, layer.trainable_variables)
        kinds = [v.dtype if isinstance(v.dtype, str) else v.dtype.name for v in layer.weights]
        found.append((y.dtype.name, kinds, [g.dtype.name for g in grads]))
        found.append([np.asarray(v, "float32") for v in (y, *grads, *layer.get_weights())])
    (mine, values, theirs, others) = found
    assert mine == theirs
    for a, b in zip(values, others, strict=True):
        assert np.abs(a - b).max() <= 8 * PRECISION[policy] * np.abs(b).max()  # sums of 200 terms


class Reading(mt.keras.layers.Layer):
    """Notes the types that its weights have in a call."""

    def build(self, shape):
        self.cast_weight = self.add_weight((2,), "ones")
        self.kept = self.add_weight((2,), "ones", autocast=False)
        self.count = self.add_weight((), "zeros", dtype="int32", trainable=False)

    def call(self, x):
        weights = (self.cast_weight, self.kept, self.count)
        self.seen = [[w.dtype.name, mt.convert_to_tensor(w).dtype.name] for w in weights]
        self.cast_weight.assign(self.cast_weight * 2)
        return x * self.cast_weight


def test_weights_are_read_in_the_type_of_the_call_and_only_there():
    layer = Reading(dtype="mixed_float16")
    assert layer(mt.ones((1, 2))).dtype == "float16"
    assert layer.seen == [["float16"] * 2, ["float32"] * 2, ["int32"] * 2]
    assert layer.cast_weight.dtype == layer.cast_weight.value.dtype == "float32"
    assert layer.cast_weight.numpy().tolist() == [2.0, 2.0]
    layer = Reading(dtype="mixed_float16", autocast=False)
    assert layer(mt.ones((1, 2))).dtype == "float32"
    assert layer.seen[0] == ["float32"] * 2


def test_the_policy_of_a_layer_can_be_changed():
    layer = mt.keras.layers.Dense(2)
    layer(mt.ones((1, 3)))
    layer.dtype_policy = "mixed_bfloat16"
    assert (layer.compute_dtype, layer.variable_dtype, layer.dtype) == (
        "bfloat16",
        *2 * ("float32",),
    )
    assert layer(mt.ones((1, 3))).dtype == "bfloat16"


# ----- loss scaling -----


def test_the_scale_moves_as_in_keras(tf):
    """Growth after 3 finite steps, halving at infinities and NaN; None is no gradient."""
    draw = np.random.default_rng(1)
    rules = [
        library.keras.optimizers.LossScaleOptimizer(
            library.keras.optimizers.Adam(0.1), initial_scale=8.0, dynamic_growth_steps=3
        )
        for library in (mt, tf)
    ]
    weights = [[library.Variable([1.0, 2.0]), library.Variable(3.0)] for library in (mt, tf)]
    for step in range(30):
        g = draw.normal(size=2).astype("float32")
        if step in (2, 10, 11, 20):
            g[0] = np.nan if step == 11 else np.inf
        seen = []
        for library, rule, (a, b) in zip((mt, tf), rules, weights, strict=True):
            scaled = float(rule.scale_loss(library.constant(2.0)))
            rule.apply([library.constant(g * scaled), library.constant(scaled)], [a, b])
            state = rule.dynamic_scale, rule.step_counter, rule.iterations
            seen.append([scaled, *(float(np.asarray(value)) for value in state)])
        assert seen[0] == seen[1], step
        np.testing.assert_allclose(weights[0][0].numpy(), weights[1][0].numpy(), rtol=1e-5)
    assert [v.shape.as_list() for v in rules[0].variables] == [
        v.shape.as_list() for v in rules[1].variables
    ]


def _classifier(keras, **settings):
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4),
            keras.layers.Activation("softmax", dtype="float32"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", **settings)
    return model


@pytest.mark.parametrize("policy", ["float32", *MIXED])
@pytest.mark.parametrize("auto", [True, False])
def test_compile_scales_the_loss_as_keras_does(both, tf, policy, auto):
    both(policy)
    ours, theirs = (_classifier(k, auto_scale_loss=auto).optimizer for k in (mt.keras, tf.keras))
    assert type(ours).__name__ == type(theirs).__name__
    if auto and policy == "mixed_float16":
        assert ours.name == theirs.name == "loss_scale_optimizer"
    wrapped = mt.keras.optimizers.LossScaleOptimizer(mt.keras.optimizers.SGD())
    model = _classifier(mt.keras)
    model.compile(wrapped, "mse")
    assert model.optimizer is wrapped


@pytest.mark.parametrize(
    "wrong", [{"dynamic": False}, {"clipnorm": 1.0}, {"beta": 1}], ids=lambda w: next(iter(w))
)
def test_what_belongs_to_the_inner_optimizer_is_refused_there(tf, wrong):
    said = []
    for keras in (mt.keras, tf.keras):
        with pytest.raises(ValueError, match="LossScaleOptimizer") as error:
            keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(), **wrong)
        said.append(str(error.value)[:60])
    assert said[0] == said[1]


def test_steps_that_overflow_are_left_out_and_a_hopeless_training_stops():
    """A batch too large for float16 changes nothing but the scale; NaN for ever stops."""
    mt.keras.mixed_precision.set_global_policy("mixed_float16")
    model = _classifier(mt.keras)
    x, y = np.ones((8, 3), "float32"), np.zeros(8)
    before = model.get_weights()
    model.fit(x * 1e6, y, batch_size=4, verbose=0)
    assert float(model.optimizer.dynamic_scale) == 2.0**13
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    with pytest.raises(NonFiniteError, match="inputs of the model are not finite"):
        model.fit(x * np.nan, y, batch_size=1, epochs=10, verbose=0)
    assert float(model.optimizer.dynamic_scale) < 2.0**-24


@pytest.mark.parametrize("at", [20, 28])
def test_replicas_leave_out_the_same_steps(at):
    """What is too large for float16 lies in the batch of one replica, and both know."""
    x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
    x[at] = 1e6  # in the second batch, the first or the second half of it
    found = []
    for scope in (nullcontext(), mt.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope()):
        mt.keras.utils.set_random_seed(0)
        mt.keras.mixed_precision.set_global_policy("mixed_float16")
        with scope:
            model = _classifier(mt.keras)
        model.fit(x, np.arange(64) % 4, batch_size=16, epochs=2, shuffle=False, verbose=0)
        rule = model.optimizer
        found.append([float(rule.dynamic_scale), int(rule.iterations), *model.get_weights()])
    assert found[0][:2] == found[1][:2] == [2.0**13, 6]
    for a, b in zip(found[0][2:], found[1][2:], strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-3)


# ----- files -----


def _trained(keras):
    model = _classifier(keras)
    model.train_on_batch(np.full((4, 3), 1e6, "float32"), np.zeros(4))
    model.train_on_batch(np.eye(4, 3, dtype="float32"), np.arange(4))
    return model


@pytest.mark.parametrize("form", ["keras", "h5"])
@pytest.mark.parametrize("writes", ["ours", "theirs"])
def test_models_go_to_keras_and_back(both, tf, tmp_path, writes, form):
    both("mixed_float16")
    libraries = (mt.keras, tf.keras) if writes == "ours" else (tf.keras, mt.keras)
    path = str(tmp_path / f"model.{form}")
    model = _trained(libraries[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(path)
    if form == "keras":
        warnings.simplefilter("error")
    other = libraries[1].models.load_model(path)
    assert [layer.dtype_policy.name for layer in other.layers] == ["mixed_float16", "float32"]
    rules = model.optimizer, other.optimizer
    assert type(rules[1]).__name__ == "LossScaleOptimizer"
    assert [float(np.asarray(rule.dynamic_scale)) for rule in rules] == [2.0**14] * 2
    if (writes, form) == ("ours", "h5"):  # of which Keras gives the inner optimizer nothing
        return
    assert [int(np.asarray(rule.iterations)) for rule in rules] == [1, 1]
    for a, b in zip(rules[0].variables, rules[1].variables, strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-6)
    x = np.eye(4, 3, dtype="float32")
    np.testing.assert_allclose(model.predict(x, verbose=0), other.predict(x, verbose=0), atol=1e-3)


def test_weights_go_to_keras_and_back(both, tf, tmp_path):
    both("mixed_float16")
    ours, theirs = _trained(mt.keras), _trained(tf.keras)
    ours.save_weights(tmp_path / "ours.weights.h5")
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    kept = ours.get_weights()
    ours.load_weights(tmp_path / "theirs.weights.h5")
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert np.array_equal(a, b)
    theirs.load_weights(tmp_path / "ours.weights.h5")
    for a, b in zip(kept, theirs.get_weights(), strict=True):
        assert a.dtype == "float32"
        assert np.array_equal(a, b)


def test_configs_go_to_keras_and_back(both, tf):
    layers = (mt.keras.layers, tf.keras.layers)
    for policy in (*MIXED, "float32"):
        for mine, other in (layers, layers[::-1]):
            config = mine.Conv2D(2, 3, dtype=policy).get_config()
            assert other.Conv2D.from_config(config).dtype_policy.name == policy
    both("mixed_float16")
    models = _classifier(mt.keras), _classifier(tf.keras)
    both("float32")
    for model, keras in zip(models, (tf.keras, mt.keras), strict=True):
        again = keras.Sequential.from_config(model.get_config())
        assert [layer.compute_dtype for layer in again.layers] == ["float16", "float32"]
    rule = mt.keras.optimizers.LossScaleOptimizer(mt.keras.optimizers.SGD(0.5), 4.0, 7, "scaled")
    theirs = tf.keras.optimizers.deserialize(mt.keras.optimizers.serialize(rule))
    ours = mt.keras.optimizers.deserialize(tf.keras.optimizers.serialize(theirs))
    assert ours.get_config() == rule.get_config() == theirs.get_config()


# ----- on a device -----


def _a_step(device, policy):
    """The loss and the weights after a step of a small network there."""
    layers = mt.keras.layers
    mt.keras.utils.set_random_seed(0)
    mt.keras.mixed_precision.set_global_policy(policy)
    with mt.device(device):
        model = mt.keras.Sequential(
            [
                mt.keras.Input((6, 6, 8)),
                layers.Conv2D(16, 3, activation="relu"),
                layers.Flatten(),
                layers.Dense(3),
                layers.Activation("softmax", dtype="float32"),
            ]
        )
        model.compile(mt.keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
        x = np.random.default_rng(0).normal(size=(2, 6, 6, 8)).astype("float32")
        return [model.train_on_batch(x, np.array([0, 2])), *model.get_weights()]


@pytest.mark.parametrize("policy", MIXED)
def test_a_mixed_model_trains_on_the_emulator_by_kernels_of_its_type(policy, monkeypatch):
    """float16 on tensor cores, as 8 channels fill a pack; bfloat16, which no kernel takes, not."""
    seen, launch = [], type(emulator.device).launch

    def noting(self, kernel, *arguments, **settings):
        seen.append(kernel)
        return launch(self, kernel, *arguments, **settings)

    expected = _a_step("cpu", policy)
    monkeypatch.setattr(type(emulator.device), "launch", noting)
    for a, b in zip(_a_step("emulator", policy), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=PRECISION[policy])
    half = [kernel for kernel in seen if kernel.startswith("conv_tensor_f16")]
    assert bool(half) == (policy == "mixed_float16"), seen


# ----- whole trainings -----


@pytest.mark.parametrize("policy", MIXED)
@pytest.mark.parametrize("net", NETS)
def test_200_steps_are_those_of_keras(net, policy):
    """Recorded: losses and last predictions up to the type, the same scale after every step."""
    recorded = json.loads(RECORD.read_text())[f"{net} {policy}"]
    found = trajectory(mt, net, policy)
    assert found["scales"] == recorded["scales"]
    assert found["made"] == recorded["made"]
    if policy == "mixed_float16":
        steps = np.diff(np.log2(found["scales"]))
        assert {*steps} == {-1.0, 0.0, 1.0} or net == "resnet_block", "halved and doubled"
        assert len(found["scales"]) > 4 * GROWTH
    for name in ("losses", "last"):
        a, b = np.array(found[name]), np.array(recorded[name])
        assert np.array_equal(np.isfinite(a), np.isfinite(b))
        assert np.nanmax(np.abs(a - b)) <= PRECISION[policy]


@pytest.mark.slow
def test_three_epochs_end_where_float32_ends():
    """Of the bundled UCI digits, shifted by a pixel, as nothing may be downloaded; 5 seeds."""
    parts = mt.keras.datasets.digits.load_data()
    images, labels = (np.concatenate(pair) for pair in zip(*parts, strict=True))
    order = np.random.default_rng(0).permutation(len(images))
    images, labels = images[order, ..., None].astype("float32") / 16, labels[order]
    wide = np.pad(images[500:], ((0, 0), (1, 1), (1, 1), (0, 0)))
    x = np.concatenate([wide[:, a : a + 8, b : b + 8] for a in range(3) for b in range(3)])
    points = {}
    for policy in ("float32", *MIXED):
        found = []
        for seed in range(5):
            mt.keras.utils.set_random_seed(seed)
            mt.keras.mixed_precision.set_global_policy(policy)
            model = _small_network(mt.keras, 3 * (len(x) // 64 + 1))
            model.fit(x, np.tile(labels[500:], 9), batch_size=64, epochs=3, verbose=0)
            found.append(100 * model.evaluate(images[:500], labels[:500], verbose=0)[1])
        points[policy] = np.mean(found)
    assert points["float32"] > 98, points
    assert min(points[policy] for policy in MIXED) > points["float32"] - 0.3, points


def _small_network(keras, steps):
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10),
            layers.Activation("softmax", dtype="float32"),
        ]
    )
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    model.compile(
        keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model
