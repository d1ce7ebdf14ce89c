"""Configs: every object that both libraries have goes to Keras and back; models as JSON."""

import inspect
import json
import subprocess
import sys

import numpy as np
import pytest
from keras_models import functional, nested, outputs, sequential, shuffle, subclassed

from minitensor import keras
from minitensor.keras.serialization.objects import deserialize, serialize

ROOMS = (
    *("layers", "initializers", "regularizers", "constraints", "losses", "metrics", "optimizers"),
    "optimizers.schedules",
)
BASES = {
    *("Layer", "InputSpec", "Loss", "Metric", "Optimizer", "LearningRateSchedule", "Initializer"),
    *("Regularizer", "Constraint", "Lambda", "Variable", "Wrapper", "LossScaleOptimizer"),
}
# Arguments other than the defaults, by name, where a class takes them.
SETTINGS = {
    "units": 3, "filters": 4, "kernel_size": 3, "pool_size": 2, "strides": 1, "padding": "same",
    "activation": "relu", "use_bias": False, "rate": 0.25, "stddev": 0.5, "factor": 0.2,
    "scale": 0.5, "height": 4, "width": 5, "target_shape": (2, 3), "dims": (2, 1),
    "kernel_regularizer": "l2", "kernel_constraint": "max_norm", "seed": 3, "axis": -1, "n": 2,
    "kernel_initializer": "he_normal", "bias_initializer": "ones", "epsilon": 0.01, "size": 2,
    "momentum": 0.5, "name": "other", "trainable": False, "l1": 0.1, "l2": 0.2, "value": 2.0,
    "mean": 0.5, "minval": -2.0, "maxval": 2.0, "mode": "fan_out", "gain": 2.0, "max_value": 2.0,
    "min_value": 0.1, "learning_rate": 0.02, "beta_1": 0.5, "rho": 0.8, "nesterov": True,
    "initial_learning_rate": 0.3, "decay_steps": 7, "decay_rate": 0.9, "alpha": 0.1, "k": 2,
    "boundaries": [2, 4], "values": [0.3, 0.2, 0.1], "initial_decay_steps": 5, "threshold": 0.3,
    "num_classes": 4, "target_class_ids": [1], "from_logits": True, "label_smoothing": 0.1,
    "delta": 0.7, "gamma": 1.5, "clipnorm": 0.3, "cropping": 1, "dilation_rate": 1, "groups": 2,
    "output_size": 2, "height_factor": 0.1, "width_factor": 0.2, "fn": "mse",
    "data_format": "channels_last", "first_decay_steps": 5, "depth_multiplier": 2, "power": 2.0,
    "negative_slope": 0.2, "offset": 0.1, "start_from": 1, "shape": (3,),
}  # fmt: skip
OTHER = {
    "layers.Dot": {"axes": (1, 1), "normalize": True},
    "layers.EinsumDense": {"equation": "abc,cd->abd", "output_shape": (None, 4), "bias_axes": "d"},
    "layers.MultiHeadAttention": {"num_heads": 2, "key_dim": 3, "use_bias": False},
    "layers.Normalization": {"mean": 0.5, "variance": 2.0},
    "layers.RandomFlip": {"mode": "vertical"},
    "layers.ZeroPadding1D": {"padding": 1},
    "layers.ZeroPadding2D": {"padding": 1},
    "layers.ZeroPadding3D": {"padding": 1},
    "regularizers.OrthogonalRegularizer": {"mode": "columns", "factor": 0.2},
    "regularizers.orthogonal_regularizer": {"mode": "columns", "factor": 0.2},
}


def classes():
    """The names of all classes that a file of a model may mention."""
    import importlib

    found = []
    for room in ROOMS:
        module = importlib.import_module(f"minitensor.keras.{room}")
        for name, thing in vars(module).items():
            if inspect.isclass(thing) and hasattr(thing, "from_config") and name not in BASES:
                found += [] if name[0] == "_" else [f"{room}.{name}"]
    return sorted(found)


def found(library, path):
    for name in path.split("."):
        library = getattr(library, name, None)
    return library


def arguments(path, theirs, library):
    """Arguments for a class of a library, of those that Keras' class takes."""
    names = set(inspect.signature(theirs.__init__).parameters)
    if "kwargs" in names and path.startswith("layers") and "InputLayer" not in path:
        names |= {"name", "trainable"}
    inner = {"layer": library.layers.Conv2D(4, 3, name="inner")} if "layer" in names else {}
    return {name: SETTINGS[name] for name in names & SETTINGS.keys()} | OTHER.get(path, inner)


def as_json(value):
    return json.loads(json.dumps(value))


@pytest.mark.parametrize("path", classes())
def test_a_config_means_the_same_to_keras_and_comes_back(tf, path):
    """ours -> Keras -> ours -> Keras: both objects of Keras have the same config."""
    ours, theirs = found(keras, path), found(tf.keras, path)
    if theirs is None:
        pytest.skip(f"Keras has no {path}")
    made = ours(**arguments(path, theirs, keras))
    first = theirs.from_config(as_json(made.get_config()))
    back = ours.from_config(as_json(first.get_config()))
    second = theirs.from_config(as_json(back.get_config()))
    config = as_json(first.get_config())
    assert as_json(second.get_config()) == config
    written = as_json(made.get_config())
    kept = {key for key in written.keys() & config.keys() if not _rich(written[key], config[key])}
    for key in kept:  # Keras rounds some numbers to float32
        one, other = written[key], config[key]
        assert one == other or abs(one - other) < 1e-6 * abs(other), key


def _rich(one, other):
    """Whether a value is an object, or one that stands for several."""
    return isinstance(one, dict | list | str) or isinstance(other, dict | list)


@pytest.mark.parametrize("path", classes())
def test_an_object_of_keras_is_ours_by_its_full_description(tf, path):
    theirs = found(tf.keras, path)
    if theirs is None:
        pytest.skip(f"Keras has no {path}")
    ours = found(keras, path)
    made = theirs(**arguments(path, theirs, tf.keras))
    description = as_json(tf.keras.utils.serialize_keras_object(made))
    assert type(deserialize(description)) is ours
    again = tf.keras.utils.deserialize_keras_object(as_json(serialize(deserialize(description))))
    config = as_json(made.get_config())
    assert {key: as_json(again.get_config())[key] for key in config} == config


@pytest.mark.parametrize("make", [sequential, functional, nested])
def test_the_architecture_of_a_model_goes_both_ways_as_json(tf, make):
    theirs = shuffle(make(tf.keras))
    ours = keras.models.model_from_json(theirs.to_json())
    back = tf.keras.models.model_from_json(ours.to_json())
    for model in (ours, back):
        model.set_weights(theirs.get_weights())
        for a, b in zip(outputs(model), outputs(theirs), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5)
    assert back.get_config()["layers"][0] == theirs.get_config()["layers"][0]
    live = type(ours).from_config(theirs.get_config())
    assert [w.shape for w in live.weights] == [w.shape for w in ours.weights]


@pytest.mark.parametrize("make", [sequential, functional, nested])
def test_the_architecture_of_our_model_comes_back(make):
    model = make(keras)
    again = keras.models.model_from_json(model.to_json())
    assert json.loads(again.to_json()) == json.loads(model.to_json())
    same = type(model).from_config(as_json(model.get_config()))
    assert [w.shape for w in same.weights] == [w.shape for w in model.weights]


def test_several_inputs_in_lists_and_dictionaries_come_back(tf):
    def make(library, pack):
        x, y = library.Input((3,), name="x"), library.Input((3,), name="y")
        z = library.layers.Subtract(name="z")([x, y])
        return library.Model(pack(x, y), pack(z, x))

    value = [np.full((2, 3), 5.0, "f4"), np.full((2, 3), 2.0, "f4")]
    for pack in (lambda a, b: [a, b], lambda a, b: {"x": a, "y": b}):
        ours = keras.models.model_from_json(make(tf.keras, pack).to_json())
        theirs = tf.keras.models.model_from_json(make(keras, pack).to_json())
        wanted = pack(np.full((2, 3), 3.0), value[0])
        for model in (ours, theirs):
            got = model(pack(*value))
            for key in range(2) if isinstance(wanted, list) else wanted:
                np.testing.assert_array_equal(np.asarray(got[key]), wanted[key])


def test_models_that_are_called_twice_and_at_the_end_go_both_ways(tf):
    def make(library):
        i = library.Input((3,))
        inner = library.Model(i, library.layers.Dense(3)(i), name="inner")
        sequential = library.Sequential([library.Input((3,)), library.layers.Dense(3)], name="s")
        x = library.Input((3,))
        y = sequential(inner(sequential(inner(x))))
        return library.Model(x, [inner(y), y, sequential(y)])

    x = np.linspace(-1, 1, 6).reshape(2, 3)
    theirs = make(tf.keras)
    ours = keras.models.model_from_json(theirs.to_json())
    back = tf.keras.models.model_from_json(ours.to_json())
    again = keras.models.model_from_json(ours.to_json())
    for model in (ours, back, again):
        model.set_weights(theirs.get_weights())
        for a, b in zip(model(x), theirs(x), strict=True):
            np.testing.assert_allclose(np.asarray(a), np.asarray(b), atol=1e-5)


def test_operators_between_tensors_go_both_ways(tf):
    def make(library):
        x, y = library.Input((3,)), library.Input((3,))
        return library.Model([x, y], (2.0 * x + y) / 4.0 - (1.0 - x) * y / x + np.float32(0.5))

    x, y = np.full((1, 3), 2.0, "f4"), np.full((1, 3), 3.0, "f4")
    ours = keras.models.model_from_json(make(tf.keras).to_json())
    theirs = tf.keras.models.model_from_json(make(keras).to_json())
    again = keras.models.model_from_json(make(keras).to_json())
    for model in (ours, theirs, again):
        np.testing.assert_array_equal(np.asarray(model([x, y])), np.full((1, 3), 3.75))


def test_configs_of_keras_2_are_read():
    """Calls as lists of [layer, call, output, arguments]; `batch_input_shape`; no modules."""

    def layer(name, config, *inbound):
        return {"class_name": name, "config": config, "name": config["name"],
                "inbound_nodes": [list(inbound)] if inbound else []}  # fmt: skip

    config = {
        "name": "old",
        "layers": [
            layer("InputLayer", {"batch_input_shape": [None, 4], "dtype": "float32", "name": "i"}),
            layer("Dense", {"name": "d", "units": 4, "activation": "relu"}, ["i", 0, 0, {}]),
            layer("Add", {"name": "a"}, ["i", 0, 0, {}], ["d", 0, 0, {}]),
        ],
        "input_layers": [["i", 0, 0]],
        "output_layers": [["a", 0, 0]],
    }
    model = keras.models.model_from_json(json.dumps({"class_name": "Functional", "config": config}))
    model.set_weights([np.eye(4), np.ones(4)])
    x = np.asarray([[1.0, 2.0, 3.0, 4.0]])
    np.testing.assert_array_equal(model(x).numpy(), [[3.0, 5.0, 7.0, 9.0]])


def test_a_batch_shape_told_to_the_first_layer_is_read_from_keras_2():
    config = [{"class_name": "Dense", "config": {"units": 2, "batch_input_shape": [None, 3]}}]
    text = json.dumps({"class_name": "Sequential", "config": {"name": "s", "layers": config}})
    assert keras.models.model_from_json(text).count_params() == 8


# ----- what a program adds -----


class Twice(keras.layers.Layer):
    """A layer of a program."""

    def call(self, x):
        return 2.0 * x


def triple(x):
    return 3.0 * x


def custom():
    layers = [keras.layers.Flatten(), Twice(name="t"), keras.layers.Activation(triple)]
    return keras.Sequential([keras.Input((2,)), *layers])


def test_a_programs_own_classes_and_functions_are_passed(tmp_path):
    model = custom()
    with pytest.raises(ValueError, match=r"Could not locate.*custom_objects=\{'Twice'"):
        keras.models.model_from_json(model.to_json())
    own = {"Twice": Twice, "triple": triple}
    again = keras.models.model_from_json(model.to_json(), custom_objects=own)
    assert again(np.asarray([[1.0, 2.0]])).numpy().tolist() == [[6.0, 12.0]]
    model.save(tmp_path / "x.keras")
    assert keras.models.load_model(tmp_path / "x.keras", own)(np.ones((1, 2)))[0, 1] == 6
    with keras.saving.custom_object_scope(own):
        assert keras.models.load_model(tmp_path / "x.keras")(np.ones((1, 2)))[0, 1] == 6


def test_a_class_is_found_though_nobody_has_imported_its_room():
    """The registry knows no class: the package tells it what imports each room."""
    program = (
        "import sys\n"
        "from minitensor.keras.serialization import objects\n"
        "assert 'minitensor.keras.layers' not in sys.modules\n"
        "print(objects.deserialize({'class_name': 'Flatten', 'config': {'name': 'flat'}}).name)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "flat\n", done.stderr


def test_registered_classes_need_not_be_passed():
    @keras.saving.register_keras_serializable("mine")
    class Half(keras.layers.Layer):
        def __init__(self, factor=0.5, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def call(self, x):
            return self.factor * x

    model = keras.Sequential([keras.Input((2,)), Half(0.25)])
    again = keras.models.model_from_json(model.to_json())
    assert again(np.asarray([[1.0, 2.0]])).numpy().tolist() == [[0.25, 0.5]]
    assert keras.saving.get_registered_name(Half) == "mine>Half"
    assert keras.saving.get_registered_object("mine>Half") is Half


# ----- what is refused -----


def dense(**change):
    config = {"class_name": "Dense", "module": "keras.layers", "config": {"units": 2}}
    layers = [
        {"class_name": "InputLayer", "config": {"batch_shape": [None, 3]}},
        config | {"registered_name": None} | change,
    ]
    return json.dumps({"class_name": "Sequential", "config": {"name": "s", "layers": layers}})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (dense(class_name="Dence"), r"'keras.layers.Dence'. The nearest that there is: Dense"),
        (dense(module="os", class_name="system"), "Could not locate class 'os.system'"),
        (dense(module="torch.layers"), "Could not locate class 'torch.layers.Dense'"),
        (dense(module="builtins", class_name="eval"), "Could not locate class 'builtins.eval'"),
        (dense(class_name="Layer.__init__"), "Could not locate"),
        (dense(module="keras.layers", class_name="np"), "Could not locate"),
        (dense(config={"units": 2, "spam": 1}), "spam"),
        (dense(config={"units": "many"}), "units|many"),
        (dense(config={"units": -2}), "units|-2"),
        (dense(config={"units": 10**12}), "takes 12000000000000 bytes"),
        (dense(config={"activation": {"class_name": "__lambda__", "config": {}}}), "code"),
        (
            dense(class_name="Lambda", config={"function": ["4wEAAAA=", None, None]}),
            "function|code|callable",
        ),
        (
            dense(config={"units": 2, "activation": {
                "class_name": "function", "module": "os", "config": "system"}}),
            "Could not locate function 'os.system'",
        ),
        ("", "Expecting value"),
        ("[1]", "must be an object"),
        ("{}", "where a model is expected"),
        ('{"class_name": "Dense", "config": {"units": 2}}', "where a model is expected"),
        ('{"class_name": 3, "config": {}}', "class_name must be a text"),
        ('{"a": 1, "a": 2}', "stands twice"),
        ("[" * 100000, "damaged|recursion|RecursionError"),
        ('{"a":' * 100000 + "1" + "}" * 100000, "damaged"),
        (" " * (2**26 + 1), "at most"),
    ],
)  # fmt: skip
def test_json_that_describes_no_model_is_refused(text, words):
    with pytest.raises(ValueError, match=words):
        keras.models.model_from_json(text)


def test_cycles_and_missing_calls_are_refused():
    tensor = {"class_name": "__keras_tensor__", "config": {"keras_history": ["b", 0, 0]}}
    node = {"args": [tensor], "kwargs": {}}
    entry = {"class_name": "Flatten", "config": {"name": "b"}, "inbound_nodes": [node]}
    start = {"class_name": "InputLayer", "config": {"batch_shape": [None, 3], "name": "i"}}
    for output, words in ((["b", 0, 0], "its own output"), (["b", 1, 0], "lacks call 1")):
        config = {"layers": [start, entry], "input_layers": ["i", 0, 0], "output_layers": output}
        with pytest.raises(ValueError, match=words):
            keras.models.model_from_json(json.dumps({"class_name": "Functional", "config": config}))


def test_a_lambda_cannot_be_written():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Activation(lambda x: x + 1.0)])
    with pytest.raises((TypeError, ValueError), match="lambda"):
        model.to_json()


def test_a_subclassed_model_is_made_again_by_its_class_and_needs_a_shape():
    model = subclassed(keras)
    model.built = False
    with pytest.raises(ValueError, match="subclassed"):
        model.to_json()


def test_a_subclassed_model_of_keras_is_refused(tf):
    with pytest.raises(ValueError, match="subclassed"):
        keras.from_keras(subclassed(tf.keras))


# ----- copies -----


@pytest.mark.parametrize("make", [sequential, functional, nested])
def test_a_clone_has_its_own_weights_and_gives_the_same_with_equal_ones(make):
    model = shuffle(make(keras))
    clone = keras.models.clone_model(model)
    assert not {id(w) for w in clone.weights} & {id(w) for w in model.weights}
    assert [layer.name for layer in clone.layers] == [layer.name for layer in model.layers]
    clone.set_weights(model.get_weights())
    for a, b in zip(outputs(clone), outputs(model), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_clone_may_have_other_layers_and_lambdas():
    layers = [keras.layers.Dense(2, name="d"), keras.layers.Activation(lambda x: x + 1.0)]
    model = keras.Sequential([keras.Input((2,)), *layers])

    def wider(layer):
        return keras.layers.Dense(5) if layer.name == "d" else layer

    assert keras.models.clone_model(model).layers[1](np.zeros((1, 2))).numpy().tolist() == [[1, 1]]
    assert keras.models.clone_model(model, clone_function=wider).output_shape == (None, 5)
