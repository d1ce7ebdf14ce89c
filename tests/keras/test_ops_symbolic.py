"""Calls on symbolic tensors are the operations of Keras, in a model and in files both ways.

Functions of keras.ops, all in one model; of keras.activations and applications; masks.
"""

import keras_ops
import numpy as np
import pytest

import minitensor as mt
from minitensor.autograd.tree import flatten

# What runs functions of the program or gives no tensors, or needs the batch's size.
LEFT = ["lambda", "map(", "scan(", "jvp", "is_tensor", "shape(C)", "where(b)", "cond(", "view("]
LEFT += ["reshape(A, (3, 2))", "repeat(A, [1, 2], axis=0)", "vsplit", "scatter_update(M", "(G"]
# Where Keras refuses its own symbolic tensors, cannot compute on this machine or read its file.
LEFT += ["unstack", "trapezoid(A, B)", "weights=F", "map_coordinates", "rearrange", "take_along"]
LEFT += ["adaptive_", "append(A, D, axis=0)", "heaviside(A, 0.5)", "hstack([B, F])", "A[:1]"]
LEFT += ["searchsorted([", "digitize", "scatter([[", "scatter_update(A", "perspective", "W, 2, 3"]
LEFT += ["X, W[:, :, :1", "histogram", "softmax(C, axis=(1, 2))", "channels_first", "cross(M"]
FLOATS = set("ABCDEFHMPQSTUVWXYZ")


def cases():
    """The last two calls of each function: those with settings."""
    count, chosen = {}, []
    for call in reversed(keras_ops.cases()):
        name = call.partition("(")[0]
        used = keras_ops.used(call)
        plain = FLOATS.issuperset(used) or call in keras_ops.CASES
        fits = used and plain and not any(word in call for word in LEFT)
        if fits and count.get(name, 0) < 2:
            chosen.append(call)
            count[name] = count.get(name, 0) + 1
    return chosen


CASES = cases()
KERAS_IS_WRONG = {"multi_hot(k, 3)", "corrcoef(C[0])"}


def symbols(keras):
    """A symbolic tensor for each array; a first axis of 2 is the batch, and may vary."""
    keras.utils.clear_session()
    return {
        name: keras.Input(
            batch_shape=(None, *x.shape[1:]) if x.shape[:1] == (2,) else x.shape,
            dtype=x.dtype.name,
            name=f"input_{name}_{'of_floats' if name.isupper() else 'whole'}",
        )
        for name, x in keras_ops.ARRAYS.items()
        if x.ndim
    }


def model(keras):
    given = symbols(keras)
    outputs = [keras_ops.called(call, keras.ops, given) for call in CASES]
    return keras.Model(given, flatten(outputs)), [len(flatten(y)) for y in outputs]


@pytest.fixture(scope="module")
def both(tf):
    """Our model of all calls, Keras', and of each output the call."""
    (ours, counts), (theirs, same) = model(mt.keras), model(tf.keras)
    wrong = [c for c, n, m in zip(CASES, counts, same, strict=True) if n != m]
    assert not wrong
    return ours, theirs, [c for c, n in zip(CASES, counts, strict=True) for _ in range(n)]


def of_ours(tensor):
    entry = tensor.node.layer._config_entry()
    return entry["module"], entry["class_name"]


def of_theirs(tensor):
    made = type(tensor._keras_history.operation)
    return made.__module__, made.__name__


def values(model):
    return [
        np.asarray(y) for y in flatten(model({n: x for n, x in keras_ops.ARRAYS.items() if x.ndim}))
    ]


def same(mine, other, calls):
    wrong = [
        call
        for a, b, call in zip(mine, other, calls, strict=True)
        if a.shape != b.shape
        or not np.allclose(a.astype(float), b.astype(float), 1e-3, 1e-3, equal_nan=True)
    ]
    assert not wrong


def test_each_call_is_the_operation_of_keras(both):
    ours, theirs, calls = both
    wrong = {
        call: (of_ours(a), of_theirs(b))
        for a, b, call in zip(ours.outputs, theirs.outputs, calls, strict=True)
        if of_ours(a) != of_theirs(b)
    }
    assert not wrong


def test_shapes_and_types_are_found_as_in_keras(both):
    ours, theirs, calls = both
    wrong = {}
    for a, b, call in zip(ours.outputs, theirs.outputs, calls, strict=True):
        pairs = zip(a.shape, b.shape, strict=False)  # where one leaves a size open, it may be any
        fit = len(a.shape) == len(b.shape) and all(n == m or None in (n, m) for n, m in pairs)
        if not fit or a.dtype != b.dtype:
            wrong[call] = f"{a.shape} {a.dtype}, Keras {tuple(b.shape)} {b.dtype}"
    assert set(wrong) <= KERAS_IS_WRONG, wrong


def test_the_model_computes_what_keras_computes(both):
    ours, theirs, calls = both
    same(values(ours), values(theirs), calls)


def test_each_reads_what_the_other_wrote(both, tf, tmp_path):
    ours, theirs, calls = both
    ours.save(tmp_path / "ours.keras")
    theirs.save(tmp_path / "theirs.keras")
    expected = values(ours)
    same(values(mt.keras.models.load_model(tmp_path / "ours.keras")), expected, calls)
    same(values(mt.keras.models.load_model(tmp_path / "theirs.keras")), expected, calls)
    same(values(tf.keras.models.load_model(tmp_path / "ours.keras")), expected, calls)


# ----- small models, one by one -----


def each_way(tf, make, x, folder, exact=True):
    """`make(keras)` is a model of each side; both, and all readings of their files, agree on x."""
    ours, theirs = make(mt.keras), make(tf.keras)
    if exact:
        assert of_ours(ours.outputs[0]) == of_theirs(theirs.outputs[0])
    ours.set_weights(theirs.get_weights())
    expected = np.asarray(theirs(x))
    np.testing.assert_allclose(np.asarray(ours(x)), expected, 2e-4, 1e-4)
    for number, model in enumerate((ours, theirs)):
        model.save(path := folder / f"{number}.keras")
        for keras in (mt.keras, tf.keras):
            found = np.asarray(keras.models.load_model(path)(x))
            np.testing.assert_allclose(found, expected, 2e-4, 1e-4)


RELU = "relu(x)", "relu(x, 0.1)", "relu(x, max_value=6)", "relu(x, 0.1, 2.0, 0.5)"
ACTIVATIONS = """celu elu exponential gelu glu hard_shrink hard_sigmoid hard_tanh leaky_relu
    log_sigmoid log_softmax relu6 selu sigmoid silu swish soft_shrink softmax softplus softsign
    sparse_plus sparse_sigmoid squareplus tanh tanh_shrink"""
ACTIVATIONS = [f"{name}(x)" for name in ACTIVATIONS.split()] + ["threshold(x, 0.5, 0.1)", *RELU]
X = np.random.default_rng(0).uniform(-3, 9, (2, 4)).astype("float32")


@pytest.mark.parametrize("call", ACTIVATIONS)
def test_an_activation_of_a_symbolic_tensor_is_the_operation_of_keras(tf, call, tmp_path):
    def make(keras):
        x = keras.Input((4,))
        return keras.Model(x, keras_ops.called(call, keras.activations, {"x": x}))

    each_way(tf, make, X, tmp_path)


@pytest.mark.parametrize("name", ["hard_silu", "mish", "sparsemax"])
def test_those_that_keras_cannot_draw_or_computes_otherwise_are_saved_too(name, tmp_path):
    x = mt.keras.Input((4,))
    model = mt.keras.Model(x, getattr(mt.keras.activations, name)(x))
    model.save(tmp_path / "x.keras")
    expected = getattr(mt.keras.activations, name)(X).numpy()
    found = mt.keras.models.load_model(tmp_path / "x.keras")(X)
    np.testing.assert_allclose(found.numpy(), expected, 1e-5)


@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
def test_pixels_are_prepared_in_a_model(tf, mode, layout, tmp_path):
    shape = (3, 5, 4) if layout == "channels_first" else (5, 4, 3)

    def make(keras):
        x = keras.Input(shape)
        prepare = keras.applications.imagenet_utils.preprocess_input
        return keras.Model(x, keras.layers.Flatten()(prepare(x, layout, mode)))

    each_way(
        tf, make, 255 * keras_ops.R.random((2, *shape)).astype("float32"), tmp_path, exact=False
    )


MASKED = {  # layers after a mask; Keras draws how it is computed, as operations of the model
    "pooled": lambda k, x: k.GlobalAveragePooling1D()(x),
    "through a layer": lambda k, x: k.GlobalAveragePooling1D()(k.Dense(3)(x)),
    "query and value": lambda k, x: k.MultiHeadAttention(2, 3)(x, x),
    "added": lambda k, x: k.GlobalAveragePooling1D()(k.Add()([x, k.Dense(4)(x)])),
    "joined": lambda k, x: k.GlobalAveragePooling1D()(k.Concatenate(1)([x, k.Dense(4)(x)])),
    "in time": lambda k, x: k.TimeDistributed(k.Dense(2))(x),
    "normalized": lambda k, x: k.BatchNormalization()(x),
}


@pytest.mark.parametrize("name", MASKED)
def test_a_mask_reaches_the_layers_that_take_it_in_files_too(tf, name, tmp_path):
    def make(keras):
        x = keras.Input((5, 4))
        return keras.Model(x, MASKED[name](keras.layers, keras.layers.Masking()(x)))

    steps = keras_ops.R.normal(size=(2, 5, 4)).astype("float32")
    steps[0, 2:] = steps[1, 4:] = 0
    each_way(tf, make, steps, tmp_path, exact=False)


def test_functions_of_the_library_stand_in_files_by_their_names(tf, tmp_path):
    """Keras asks for them as `custom_objects`; here they are known."""
    settings = {"depth_radius": 1, "bias": 2.0}

    def make(lib):
        layer = lib.keras.layers.Lambda(lib.nn.local_response_normalization, arguments=settings)
        return lib.keras.Sequential([lib.keras.Input((4, 4, 5)), layer])

    x = keras_ops.R.normal(size=(2, 4, 4, 5)).astype("float32")
    names = "lrn", "local_response_normalization"
    for lib in (mt, tf):
        make(lib).save(path := tmp_path / f"{lib.__name__}.keras")
        for found in (
            mt.keras.models.load_model(path),
            tf.keras.models.load_model(path, dict.fromkeys(names, tf.nn.lrn)),
        ):
            expected = tf.nn.lrn(x, **settings)
            np.testing.assert_allclose(np.asarray(found(x)), expected, 1e-5)


def test_a_function_among_the_arguments_of_an_operation_is_saved(tmp_path):
    x = mt.keras.Input((3,))
    model = mt.keras.Model(x, mt.keras.ops.map(mt.keras.ops.sum, x))
    model.save(tmp_path / "x.keras")
    found = mt.keras.models.load_model(tmp_path / "x.keras")([[1.0, 2.0, 3.0]])
    assert found.numpy() == 6
