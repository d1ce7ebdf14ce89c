"""Operators of symbolic tensors, and functions of tf.* applied to them: in models and in files."""

import operator
import pickle
import subprocess
import sys

import numpy as np
import pytest

import minitensor as tf
from minitensor import keras

X = np.random.default_rng(0).uniform(-2, 2, (3, 4)).astype("float32")


def saved(model, folder):
    model.save(folder / "model.keras")
    return keras.models.load_model(folder / "model.keras")


EXPRESSIONS = {
    "-x": lambda x: -x,
    "abs": abs,
    "x**2": lambda x: x**2,
    "2**x": lambda x: 2**x,
    "x%2": lambda x: x % 2,
    "2%x": lambda x: 2.5 % x,
    "x//2": lambda x: x // 2,
    "7//x": lambda x: 7 // x,
    "x@x": lambda x: x @ np.ones((4, 2), "float32"),
    "1-x": lambda x: 1 - x,
    "1/x": lambda x: 1 / x,
    "x+x": lambda x: x + x * x - x / 2,
    "x<1": lambda x: x < 1,
    "logic": lambda x: ((x >= 0) & (x <= 1)) | ~(x > -1) ^ (x != 0),
    "[0]": lambda x: x[:, 0],
    "[...]": lambda x: x[..., None, 1:3],
    "array*x": lambda x: np.arange(4, dtype="float32") * x,
    "tensor-x": lambda x: tf.constant(X[0]) - x,
    "tensor<x": lambda x: tf.constant(X[0]) < x,
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_operator_gives_what_it_gives_of_numbers_also_when_it_was_saved(name, tmp_path):
    expression, x = EXPRESSIONS[name], keras.Input((4,))
    y = expression(x)
    model = keras.Model(x, y)
    expected = np.asarray(expression(tf.constant(X)))
    assert y.dtype == expected.dtype.name
    for one in (model, saved(model, tmp_path), keras.models.clone_model(model)):
        np.testing.assert_allclose(one(X), expected, 1e-6)
    assert [layer.name for layer in model.layers] == [x.node.layer.name]


def test_operators_need_no_import_of_layers():
    program = "from minitensor import keras; print((1 - keras.Input((8, 8, 3))).shape)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout == "(None, 8, 8, 3)\n", run.stderr


TF = {
    "nn.relu": lambda x: tf.nn.relu(x),
    "reduce_mean": lambda x: tf.reduce_mean(x, axis=1, keepdims=True),
    "concat": lambda x: tf.concat([x, tf.math.log(tf.abs(x))], axis=-1),
    "shape": lambda x: tf.reshape(x, [tf.shape(x)[0] * 2, -1]),
    "clip": lambda x: tf.clip_by_value(x, -1.0, 1.0),
    "where": lambda x: tf.where(x > 0, x, tf.zeros_like(x)),
    "matmul": lambda x: tf.linalg.matmul(x, x, transpose_b=True),
    "top_k": lambda x: tf.math.top_k(x, 2).values,
    "image": lambda x: tf.image.resize(tf.reshape(x, [-1, 2, 2, 1]), [4, 4]),
    "mod": lambda x: tf.math.floormod(7, tf.cast(x, tf.int32) + 9),
}


@pytest.mark.parametrize("name", TF)
def test_a_function_of_tf_becomes_an_operation_that_is_saved(name, tmp_path):
    function, x = TF[name], keras.Input((4,))
    model = keras.Model(x, function(x))
    expected = np.asarray(function(tf.constant(X)))
    for one in (model, saved(model, tmp_path)):
        np.testing.assert_allclose(one(X), expected, 1e-5)
    assert len(model.outputs[0].shape) == expected.ndim
    assert "tf." in model.operations[-1].name or name in ("top_k",)


def test_a_file_may_name_functions_of_tensors_only():
    make = keras.ops.TFOpLambda.from_config
    for name in ("io.read_file", "keras.utils.get_file", "nn._symbolic", "function", "os.system"):
        with pytest.raises(ValueError, match="there is no function of tensors"):
            make({"function": name})


def test_gradients_pass_operations(tmp_path):
    x = keras.Input((4,))
    model = keras.Model(x, keras.ops.mean(keras.layers.Dense(3)(x) ** 2))
    model.compile("sgd", loss=lambda t, p: p)
    before = model.get_weights()[0]
    model.train_on_batch(X, np.zeros(3, "float32"))
    assert not np.array_equal(before, model.get_weights()[0])


def test_a_symbolic_tensor_says_that_it_has_no_values():
    x = keras.Input((4,))
    for use in (bool, list, float, np.asarray):
        with pytest.raises(TypeError, match="no values"):
            use(x)
    assert (x == x) is True


def test_functions_of_tensors_are_still_themselves():
    for function in (tf.nn.relu, tf.math.log, tf.linalg.matmul, tf.image.resize):
        assert pickle.loads(pickle.dumps(function)) is function
    assert tf.sigmoid(operator.neg(tf.constant(0.0))).numpy() == 0.5


@pytest.mark.parametrize("name", ["Dense", "Concatenate", "Model", "Sequential"])
def test_input_and_output_are_those_of_the_first_call_as_in_keras(tf, name):
    def first(library):
        a, b = library.Input((2,)), library.Input((2,))
        if name == "Concatenate":
            layer, given = library.layers.Concatenate(), ([a, b], [b, a])
        elif name == "Model":
            layer, given = library.Model(a, library.layers.Dense(2)(a)), (b, a)
        elif name == "Sequential":
            layer, given = library.Sequential([library.layers.Dense(2)]), (a, b)
        else:
            layer, given = library.layers.Dense(2), (a, b)
        outputs = [layer(x) for x in given]
        found = layer.input if isinstance(layer.input, list) else [layer.input]
        return [x is a for x in found], [y is layer.output for y in outputs]

    assert first(keras) == first(tf.keras)


def test_a_layer_that_was_not_called_has_no_output():
    layer = keras.layers.Dense(2)
    layer(np.ones((1, 2), np.float32))
    with pytest.raises(AttributeError, match="no output: it was never called on symbolic"):
        _ = layer.output


KERAS_2 = """
import json, sys
import numpy as np, tensorflow as tf
from tensorflow.python import keras
from tensorflow.python.keras.saving.saved_model.json_utils import get_json_type
x = keras.Input((5, 4, 3))
y, s = x[:, 1:, ..., ::2], tf.shape(x)
results = [y, x[:, 0], x[:, None], tf.nn.relu(y + 1.0) * 2.0, tf.reshape(x, [s[0], -1]), 1 - x]
results += [tf.concat([y, y], axis=-1), tf.reduce_mean(x, [1, 2]), x ** 2, x > 0, abs(-x)]
results += [tf.transpose(x, [0, 2, 1, 3]), tf.image.resize(x, [3, 3]), tf.stack([s[0], s[1]])]
model = keras.Model(x, results)
text = json.dumps({"class_name": "Functional", "config": model.get_config()}, default=get_json_type)
open(sys.argv[1] + "/model.json", "w").write(text)
image = np.random.default_rng(0).normal(size=(2, 5, 4, 3)).astype("float32")
np.savez(sys.argv[1] + "/values.npz", image, *(np.asarray(y) for y in model(image)))
"""


@pytest.mark.usefixtures("tf")
def test_operations_of_keras_2_are_read(tmp_path):
    """TensorFlow keeps a copy of that Keras; slices and operators have other names there."""
    run = [sys.executable, "-c", KERAS_2, str(tmp_path)]
    subprocess.run(run, check=True, capture_output=True)
    model = keras.models.model_from_json((tmp_path / "model.json").read_text())
    with np.load(tmp_path / "values.npz") as values:
        image, *expected = values.values()
    for mine, other in zip(model(image), expected, strict=True):
        np.testing.assert_allclose(mine.numpy(), other, 1e-5, 1e-5)
