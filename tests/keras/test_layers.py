"""The layers without windows against Keras: activations, merging, reshaping, dropout, Lambda."""

import inspect
import json

import numpy as np
import pytest
from keras_peer import assert_same, close

import minitensor as mt

draw = np.random.default_rng(0)
X = draw.normal(size=(2, 4, 5, 3))
SPREAD = draw.normal(scale=4.0, size=(3, 8))


# ----- activations -----

NAMES = (
    *("relu", "leaky_relu", "relu6", "softmax", "celu", "elu", "selu", "softplus", "softsign"),
    *("squareplus", "soft_shrink", "sparse_plus", "silu", "swish", "gelu", "glu", "tanh"),
    *("tanh_shrink", "sigmoid", "sparse_sigmoid", "exponential", "hard_sigmoid", "hard_silu"),
    *("hard_swish", "hard_tanh", "hard_shrink", "linear", "mish", "log_softmax", "log_sigmoid"),
)


@pytest.mark.parametrize("name", NAMES)
def test_an_activation_by_name_is_that_of_keras(tf, name):
    def make(keras):
        if name != "glu":
            return keras.layers.Activation(name)
        x = keras.Input((8,))  # Keras' Activation gives its output the shape of its input
        return keras.Model(x, keras.layers.Lambda(keras.activations.glu, output_shape=(4,))(x))

    # TensorFlow keeps their constants in float32.
    assert_same(tf, make, SPREAD, dtype="float32" if name in ("leaky_relu", "gelu") else "float64")


def test_sparsemax_is_the_nearest_point_whose_coordinates_are_positive_and_sum_to_1():
    # Keras 3.15 gives 0 wherever two or more coordinates stay.
    x = np.array([[0.5, 0.3, -2.0], [3.0, 1.0, 0.0], [1.2, 0.4, 0.0]])
    y = mt.keras.activations.sparsemax(mt.constant(x)).numpy()
    close(y, np.array([[0.6, 0.4, 0.0], [1.0, 0.0, 0.0], [0.9, 0.1, 0.0]]), 1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("slope", "most", "threshold"),
    [
        *((0.0, None, 0.0), (0.25, None, 0.0), (0.0, 6, 0.0), (0.2, 3.0, 0.0), (0.0, 3.0, 1.0)),
        *((0.3, None, 1.0), (0.3, 6, 1.0), (0.1, 6, 0.0)),
    ],
)
def test_relu_has_a_slope_a_top_and_a_threshold(tf, slope, most, threshold, dtype):
    assert_same(tf, lambda k: k.layers.ReLU(most, slope, threshold), SPREAD, dtype=dtype)


@pytest.mark.parametrize(
    "make",
    [
        lambda k: k.layers.LeakyReLU(negative_slope=0.25),
        lambda k: k.layers.LeakyReLU(0.5),
        lambda k: k.layers.ELU(0.7),
        lambda k: k.layers.PReLU("random_uniform"),
        lambda k: k.layers.PReLU("ones", shared_axes=[1, 2]),
        lambda k: k.layers.Softmax(),
        lambda k: k.layers.Softmax(axis=1),
        lambda k: k.layers.Softmax(axis=[1, 2]),
        lambda k: k.layers.Identity(),
        lambda k: k.layers.Activation(lambda x: k.activations.relu(x, 0.25)),
        lambda k: k.layers.Activation(lambda x: k.activations.softmax(x, axis=None)),
        lambda k: k.layers.Activation(lambda x: k.activations.threshold(x, 0.2, -1.0)),
        lambda k: k.layers.Activation(lambda x: k.activations.elu(x, alpha=0.3)),
    ],
)
def test_activation_layers_are_those_of_keras(tf, make):
    assert_same(tf, make, X)


@pytest.mark.parametrize(
    "make",
    [
        lambda k: k.layers.LeakyReLU(),
        lambda k: k.layers.Activation(lambda x: k.activations.gelu(x, approximate=True)),
    ],
)
def test_layers_whose_constants_tensorflow_keeps_in_float32(tf, make):
    assert_same(tf, make, X, dtype="float32")


def test_softmax_gives_masked_places_no_probability(tf):
    mask = draw.random((3, 8)) < 0.5
    mask[0] = False
    mask[1, 0] = True
    for at_a_place in (SPREAD[1, 0], np.nan):
        x = SPREAD.copy()
        x[1, 0] = at_a_place  # a NaN reaches the places that count
        ours = mt.keras.layers.Softmax()(mt.constant(x), mask=mt.constant(mask)).numpy()
        theirs = tf.keras.layers.Softmax(dtype="float64")(x, mask=mask).numpy()
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6)


def test_an_activation_is_found_and_named_as_by_keras(tf):
    for name in NAMES:
        ours, theirs = (
            k.activations.serialize(k.activations.get(name)) for k in (mt.keras, tf.keras)
        )
        assert ours == theirs
    assert mt.keras.activations.get(None) is mt.keras.activations.linear
    assert mt.keras.activations.deserialize("relu") is mt.keras.activations.relu
    with pytest.raises(ValueError, match="Could not interpret activation function identifier"):
        mt.keras.activations.get("rely")


# ----- merging -----

OTHERS = [draw.normal(size=X.shape) for _ in range(2)]


@pytest.mark.parametrize(
    "name", ["Add", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"]
)
def test_three_tensors_are_merged_as_by_keras(tf, name):
    assert_same(tf, lambda k: getattr(k.layers, name)(), X, *OTHERS)


@pytest.mark.parametrize("name", ["Add", "Subtract", "Multiply", "Maximum", "Concatenate"])
def test_two_tensors_are_merged_as_by_keras(tf, name):
    assert_same(tf, lambda k: getattr(k.layers, name)(), X, OTHERS[0], dtype="float32")


@pytest.mark.parametrize("shape", [(2, 1, 1, 3), (2, 4, 1, 3), (2, 3), (2, 5, 1), (2, 1)])
def test_merged_tensors_are_broadcast_after_the_batch(tf, shape):
    assert_same(tf, lambda k: k.layers.Add(), X, draw.normal(size=shape))
    assert_same(tf, lambda k: k.layers.Multiply(), draw.normal(size=shape), X)


@pytest.mark.parametrize("axis", [1, 2, 3, -2])
def test_concatenation_along_any_axis(tf, axis):
    other = draw.normal(size=[n + 1 if i == axis % 4 else n for i, n in enumerate(X.shape)])
    assert_same(tf, lambda k: k.layers.Concatenate(axis=axis), X, other)


def test_short_functions_merge_tensors_and_symbolic_tensors(tf):
    for name in ("add", "subtract", "multiply", "average", "maximum", "minimum", "concatenate"):

        def make(k, name=name):
            x, y = k.Input((4, 5, 3)), k.Input((4, 5, 3))
            return k.Model([x, y], getattr(k.layers, name)([x, y]))

        assert_same(tf, make, X, OTHERS[0])
        ours = getattr(mt.keras.layers, name)([mt.constant(X), mt.constant(OTHERS[0])])
        theirs = getattr(tf.keras.layers, name)([X, OTHERS[0]], dtype="float32")
        close(ours, theirs, 1e-6)


def test_tensors_that_do_not_fit_are_refused_before_they_are_merged():
    add, x = mt.keras.layers.Add, mt.zeros([2, 3])
    with pytest.raises(ValueError, match="list of at least 1 input"):
        add()(x)
    with pytest.raises(ValueError, match="incompatible shapes"):
        add()([x, mt.zeros([2, 4])])
    with pytest.raises(ValueError, match="different batch sizes"):
        add()([x, mt.zeros([3, 3])])
    with pytest.raises(ValueError, match="exactly 2 inputs"):
        mt.keras.layers.Subtract()([x, x, x])
    with pytest.raises(ValueError, match="except for the concatenation axis"):
        mt.keras.layers.Concatenate(axis=0)([x, mt.zeros([2, 4])])
    with pytest.raises(ValueError, match="except for the concatenation axis"):
        mt.keras.layers.Concatenate()([x, mt.zeros([2, 3, 1])])


def test_operators_between_symbolic_tensors_and_numbers_are_layers(tf):
    def make(k):
        x, y = k.Input((4, 5, 3)), k.Input((4, 5, 3))
        z = (x + y) * 0.5 - (2.0 - x) / (y * y + 1.0)
        return k.Model([x, y], [1.0 / (z * z + 2.0), x - y, 3.0 * x, 1.0 + y, z / 4.0 - 1.0])

    assert_same(tf, make, X, OTHERS[0])


# ----- reshaping -----


@pytest.mark.parametrize(
    "make",
    [
        lambda k: k.layers.Flatten(),
        lambda k: k.layers.Flatten(data_format="channels_first"),
        lambda k: k.layers.Reshape((5, 12)),
        lambda k: k.layers.Reshape((-1, 6)),
        lambda k: k.layers.Reshape([60]),
        lambda k: k.layers.Permute((3, 1, 2)),
        lambda k: k.layers.Permute((2, 1, 3)),
    ],
)
def test_reshaping_layers_are_those_of_keras(tf, make):
    ours, theirs = assert_same(tf, make, X)
    for shape in ((None, 4, 5, 3), (7, 4, 5, 3)):
        assert tuple(ours.compute_output_shape(shape)) == tuple(theirs.compute_output_shape(shape))


def test_sizes_that_may_vary_stay_open(tf):
    for make in (
        lambda k: k.layers.Flatten(),
        lambda k: k.layers.Reshape((-1, 3)),
        lambda k: k.layers.Permute((2, 1)),
        lambda k: k.layers.Activation("relu"),
        lambda k: k.layers.Dropout(0.5),
        lambda k: k.layers.BatchNormalization(),
    ):
        ours, theirs = (make(k).compute_output_shape((None, None, 3)) for k in (mt.keras, tf.keras))
        assert tuple(ours) == tuple(theirs)
    for name in ("Add", "Concatenate", "Multiply"):
        shapes = [(None, None, 3), (None, 4, 3)]
        ours, theirs = (
            getattr(k.layers, name)().compute_output_shape(shapes) for k in (mt.keras, tf.keras)
        )
        assert tuple(ours)[::2] == tuple(theirs)[::2]


def test_a_vector_is_repeated(tf):
    assert_same(tf, lambda k: k.layers.RepeatVector(4), SPREAD)


def test_flatten_makes_a_row_of_one_number_of_a_vector(tf):
    assert_same(tf, lambda k: k.layers.Flatten(), draw.normal(size=4))


def test_shapes_of_other_sizes_are_refused():
    with pytest.raises(ValueError, match="total size of the tensor must be unchanged"):
        mt.keras.layers.Reshape((7,))(mt.zeros([2, 8]))
    with pytest.raises(ValueError, match="total size of the tensor must be unchanged"):
        mt.keras.layers.Reshape((-1, 3))(mt.zeros([2, 8]))
    with pytest.raises(ValueError, match="one of which may be -1"):
        mt.keras.layers.Reshape((-1, -1))
    with pytest.raises(ValueError, match="consecutive and start from 1"):
        mt.keras.layers.Permute((0, 1))
    with pytest.raises(TypeError, match="integer value for `n`"):
        mt.keras.layers.RepeatVector(2.0)


# ----- dropout, noise, penalties -----

LAYERS = mt.keras.layers


@pytest.mark.parametrize(
    "make",
    [
        lambda k: k.layers.Dropout(0.5),
        lambda k: k.layers.SpatialDropout2D(0.5),
        lambda k: k.layers.GaussianNoise(0.5),
        lambda k: k.layers.ActivityRegularization(0.1, 0.2),
    ],
)
def test_outside_training_nothing_is_disturbed(tf, make):
    assert_same(tf, make, X)


def test_dropout_drops_at_its_rate_and_keeps_the_mean():
    y = LAYERS.Dropout(0.3, seed=1)(mt.ones([400, 500]), training=True).numpy()
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.7)}
    assert abs((y == 0).mean() - 0.3) < 5 * np.sqrt(0.21 / y.size)
    assert not LAYERS.Dropout(1.0)(mt.ones([3]), training=True).numpy().any()
    assert LAYERS.Dropout(0.0)(mt.ones([3]), training=True).numpy().all()


def test_a_seed_gives_other_draws_at_each_call_and_the_same_in_each_run():
    for make in (lambda: LAYERS.Dropout(0.5, seed=3), lambda: LAYERS.GaussianNoise(0.5, seed=3)):
        runs = []
        for _ in range(2):
            layer = make()
            runs.append([layer(mt.ones([50]), training=True).numpy() for _ in range(2)])
        assert (runs[0][0] == runs[1][0]).all()
        assert (runs[0][1] == runs[1][1]).all()
        assert (runs[0][0] != runs[0][1]).any()


def test_a_training_that_goes_on_draws_what_an_uninterrupted_one_draws(tmp_path):
    def trained(*callbacks):
        mt.random.set_seed(0)
        stack = [LAYERS.Dense(8), LAYERS.Dropout(0.5, seed=1), LAYERS.Dense(1)]
        model = mt.keras.Sequential([mt.keras.Input((8,)), *stack])
        model.compile("sgd", "mse")
        x = np.random.default_rng(3).normal(size=(24, 8)).astype("float32")
        model.fit(x, x[:, :1], epochs=3, batch_size=8, verbose=0, callbacks=list(callbacks))
        return model.get_weights()

    class Stop(mt.keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise RuntimeError

    with pytest.raises(RuntimeError):
        trained(mt.keras.callbacks.BackupAndRestore(tmp_path), Stop())
    resumed = trained(mt.keras.callbacks.BackupAndRestore(tmp_path))
    for a, b in zip(resumed, trained(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_without_a_seed_the_seed_of_the_program_decides():
    def run():
        mt.random.set_seed(5)
        return LAYERS.Dropout(0.5)(mt.ones([50]), training=True).numpy()

    assert (run() == run()).all()


@pytest.mark.parametrize(
    ("layer", "shape", "over"),
    [
        (LAYERS.SpatialDropout1D(0.5, seed=0), (4, 5, 16), (1,)),
        (LAYERS.SpatialDropout2D(0.5, seed=0), (4, 5, 5, 16), (1, 2)),
        (LAYERS.SpatialDropout2D(0.5, "channels_first", seed=0), (4, 16, 5, 5), (2, 3)),
        (LAYERS.SpatialDropout3D(0.5, seed=0), (4, 3, 3, 3, 16), (1, 2, 3)),
        (LAYERS.Dropout(0.5, noise_shape=(None, 1, 16), seed=0), (4, 5, 16), (1,)),
    ],
)
def test_spatial_dropout_drops_whole_channels(layer, shape, over):
    y = layer(mt.ones(shape), training=True).numpy()
    assert (y.min(axis=over) == y.max(axis=over)).all()
    assert set(np.unique(y)) == {0, 2}


def test_noise_has_the_deviation_asked_for():
    y = LAYERS.GaussianNoise(0.5, seed=0)(mt.ones([100_000]), training=True).numpy()
    assert abs(y.mean() - 1) < 0.01
    assert abs(y.std() - 0.5) < 0.01


def test_a_layer_that_regularizes_its_activity_adds_to_the_loss(tf):
    ours, theirs = (k.layers.ActivityRegularization(l1=0.1, l2=0.2) for k in (mt.keras, tf.keras))
    for layer in (ours, theirs):
        layer(np.asarray(X, "float32"))
    close([np.asarray(x) for x in ours.losses], [np.asarray(x) for x in theirs.losses], 1e-5)


def test_settings_of_dropout_are_checked_when_it_is_made():
    with pytest.raises(ValueError, match="between 0 and 1"):
        LAYERS.Dropout(1.5)
    with pytest.raises(ValueError, match="noise_shape"):
        LAYERS.Dropout(0.5, noise_shape="all")
    with pytest.raises(ValueError, match="integer or None"):
        LAYERS.Dropout(0.5, seed=1.5)
    with pytest.raises(ValueError, match="between 0 and 1"):
        LAYERS.GaussianNoise(-1)


# ----- Lambda, Rescaling -----


def test_a_function_is_a_layer_with_a_shape(tf):
    def make(k):
        x = k.Input((4, 5, 3))
        y = k.layers.Lambda(lambda t, factor: t[:, ::2] * factor, arguments={"factor": 3.0})(x)
        z = k.layers.Lambda(lambda t: t[..., :2], output_shape=(2, 5, 2))(y)
        return k.Model(x, [y, z])

    ours, theirs = assert_same(tf, make, X)
    assert [t.shape for t in ours.outputs] == [t.shape for t in theirs.outputs]


def test_a_function_may_take_training():
    layer = LAYERS.Lambda(lambda x, training: x * (2.0 if training else 1.0))
    assert [layer([1.0], training=t).numpy()[0] for t in (True, False)] == [2, 1]


@pytest.mark.parametrize("x", [X, draw.integers(0, 255, (2, 3, 3, 3)).astype("uint8")])
def test_rescaling_gives_floats(tf, x):
    assert_same(tf, lambda k: k.layers.Rescaling(1 / 128, offset=-1), x, grads=x.dtype == float)
    assert_same(tf, lambda k: k.layers.Rescaling([1.0, 2.0, 3.0], [1, 0, 1]), x, grads=False)


# ----- on every backend -----


@pytest.mark.parametrize("device", ["CPU:0", "EMULATOR:0"])
def test_layers_stay_on_the_device_of_their_input(device):
    made = (
        *(LAYERS.PReLU(), LAYERS.BatchNormalization(), LAYERS.LayerNormalization()),
        *(LAYERS.GroupNormalization(3), LAYERS.Dropout(0.5), LAYERS.GaussianNoise(0.5)),
        *(LAYERS.Softmax(), LAYERS.Rescaling(2.0), LAYERS.Flatten(), LAYERS.UnitNormalization()),
        *(LAYERS.LocalResponseNormalization(), LAYERS.Arithmetic("add", [1.0, 2.0, 3.0])),
        *(LAYERS.RandomRotation(0.2), LAYERS.RandomFlip(), LAYERS.RandomContrast(0.5)),
        *(LAYERS.Resizing(3, 3), LAYERS.CenterCrop(1, 1), LAYERS.RandomCrop(1, 1)),
    )
    with mt.device(device):
        x = mt.constant(X[:1, :2, :2].astype("float32"))
    for layer in made:
        with mt.GradientTape() as tape:
            tape.watch(x)
            y = mt.keras.Sequential([layer])(x, training=True)
        assert y.device == x.device, layer.name
        assert tape.gradient(y, x).device == x.device, layer.name


# ----- arguments and configs -----

MADE = (
    *(lambda k: k.layers.Activation("relu"), lambda k: k.layers.ReLU(6, 0.1, 0.2)),
    *(lambda k: k.layers.LeakyReLU(0.2), lambda k: k.layers.PReLU(shared_axes=[1, 2])),
    *(lambda k: k.layers.ELU(0.3), lambda k: k.layers.Softmax(1), lambda k: k.layers.Identity()),
    *(lambda k: k.layers.Dropout(0.3, (None, 1), seed=2), lambda k: k.layers.SpatialDropout1D(0.3)),
    lambda k: k.layers.SpatialDropout2D(0.3, "channels_first", seed=1),
    *(lambda k: k.layers.SpatialDropout3D(0.3), lambda k: k.layers.GaussianNoise(0.2)),
    *(lambda k: k.layers.ActivityRegularization(0.1, 0.2), lambda k: k.layers.Flatten()),
    *(lambda k: k.layers.Reshape((2, -1)), lambda k: k.layers.Permute((2, 1))),
    *(lambda k: k.layers.RepeatVector(3), lambda k: k.layers.Add(name="sum")),
    *(lambda k: k.layers.Concatenate(axis=1), lambda k: k.layers.LayerNormalization(axis=[1, 2])),
    lambda k: k.layers.BatchNormalization(
        1, 0.9, beta_regularizer=k.regularizers.L2(0.1), gamma_constraint="max_norm"
    ),
    *(lambda k: k.layers.GroupNormalization(2), lambda k: k.layers.UnitNormalization([1, 2])),
    *(lambda k: k.layers.Rescaling(0.5, [1.0, 2.0]), lambda k: k.layers.Resizing(2, 3, "nearest")),
    *(lambda k: k.layers.CenterCrop(2, 3), lambda k: k.layers.RandomCrop(2, 3, seed=1)),
    *(lambda k: k.layers.RandomFlip("vertical"), lambda k: k.layers.RandomContrast([0.2, 0.3])),
    *(lambda k: k.layers.RandomBrightness(0.2), lambda k: k.layers.RandomRotation(0.2, "wrap")),
    *(lambda k: k.layers.RandomZoom(0.2), lambda k: k.layers.RandomTranslation(0.1, (0.1, 0.2))),
)


@pytest.mark.parametrize("make", MADE)
def test_a_config_goes_from_keras_to_us_and_back_unchanged(tf, make):
    def written(layer):
        return json.loads(json.dumps(layer.get_config()))

    ours, theirs = make(mt.keras), make(tf.keras)
    back = type(theirs).from_config(written(type(ours).from_config(written(theirs))))
    assert written(theirs).items() <= written(back).items()
    direct = written(type(theirs).from_config(written(ours)))
    own = {"name": ours.name}
    assert (written(theirs) | own).items() <= (direct | own).items()


SAID_OTHERWISE = ("module", "registered_name", "dtype", "name", "synchronized")


def plain(config):
    """A config without what each library says in its own way, and without what is None."""
    if isinstance(config, dict):
        found = {key: plain(value) for key, value in config.items() if value is not None}
        return {key: value for key, value in found.items() if key not in SAID_OTHERWISE}
    return [plain(value) for value in config] if isinstance(config, list | tuple) else config


def test_a_config_has_the_form_that_keras_gives_it(tf):
    for make in [
        *MADE,
        lambda k: k.layers.InputLayer((3,)),
        lambda k: k.layers.LayerNormalization(),
    ]:
        ours, theirs = made = make(mt.keras), make(tf.keras)
        if "Random" in type(ours).__name__:  # factors and the place of channels in other forms
            continue
        assert plain(ours.get_config()) == plain(theirs.get_config())
        if "Normalization" in type(ours).__name__:  # some know their axes better now
            for layer in made:
                layer.build((2, 4, 4, 6))
            assert plain(ours.get_config()) == plain(theirs.get_config())


def test_layers_have_the_arguments_and_defaults_of_keras(tf):
    for make in MADE:
        ours, theirs = (
            [
                (p.name, p.default, p.kind)
                for p in inspect.signature(type(make(keras)).__init__).parameters.values()
            ]
            for keras in (mt.keras, tf.keras)
        )
        if ours[-1][0] == "kwargs" and len(theirs) == 2:  # no arguments of its own
            continue
        assert ours == theirs, make(mt.keras)
