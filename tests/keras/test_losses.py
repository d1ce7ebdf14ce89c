"""Losses against tf.keras: values, gradients with random cotangents, second derivatives."""

import numpy as np
import pytest
from against import derivatives
from keras_peer import floatx

import minitensor as mt
from minitensor.keras import losses

DRAW = np.random.default_rng(0)
N, C = 6, 5


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


NUMBERS = DRAW.normal(size=(N, C)), DRAW.normal(size=(N, C))
POSITIVE = DRAW.random((N, C)) + 0.1, DRAW.random((N, C)) + 0.1
SIGNS = np.sign(DRAW.normal(size=(N, C))), DRAW.normal(size=(N, C))
BITS = DRAW.integers(0, 2, (N, C)).astype(float)
LOGITS = 3 * DRAW.normal(size=(N, C))
CLASSES = DRAW.integers(0, C, N)
ONE_HOT = np.eye(C)[CLASSES]
SOFT = softmax(DRAW.normal(size=(N, C)))
PROBABILITIES = softmax(LOGITS)
UNNORMED = 3 * PROBABILITIES
CHANCES = 1 / (1 + np.exp(-LOGITS))

CASES = [
    ("MeanSquaredError", {}, *NUMBERS),
    ("MeanAbsoluteError", {}, *NUMBERS),
    ("MeanAbsolutePercentageError", {}, *NUMBERS),
    ("MeanSquaredLogarithmicError", {}, *POSITIVE),
    ("Huber", {}, *NUMBERS),
    ("Huber", {"delta": 0.4}, *NUMBERS),
    ("LogCosh", {}, *NUMBERS),
    ("CosineSimilarity", {}, *NUMBERS),
    ("CosineSimilarity", {"axis": 0}, *NUMBERS),
    ("Hinge", {}, *SIGNS),
    ("Hinge", {}, BITS, LOGITS),
    ("SquaredHinge", {}, *SIGNS),
    ("CategoricalHinge", {}, ONE_HOT, LOGITS),
    ("KLDivergence", {}, SOFT, PROBABILITIES),
    ("Poisson", {}, *POSITIVE),
    ("Dice", {}, BITS, CHANCES),
    ("Dice", {"axis": 1}, BITS, CHANCES),
    ("CategoricalCrossentropy", {}, ONE_HOT, PROBABILITIES),
    ("CategoricalCrossentropy", {}, SOFT, UNNORMED),
    ("CategoricalCrossentropy", {"from_logits": True}, ONE_HOT, LOGITS),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, ONE_HOT, LOGITS),
    ("CategoricalCrossentropy", {"axis": 0}, SOFT, UNNORMED),
    ("SparseCategoricalCrossentropy", {}, CLASSES, UNNORMED),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, CLASSES, LOGITS),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, CLASSES[:, None], LOGITS),
    ("SparseCategoricalCrossentropy", {"ignore_class": int(CLASSES[0])}, CLASSES, PROBABILITIES),
    ("SparseCategoricalCrossentropy", {"ignore_class": -1, "from_logits": True},
     np.where(CLASSES[0] == CLASSES, -1, CLASSES), LOGITS),
    ("BinaryCrossentropy", {}, BITS, CHANCES),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, BITS, LOGITS),
    ("BinaryFocalCrossentropy", {}, BITS, CHANCES),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "gamma": 1.5}, BITS, CHANCES),
    ("BinaryFocalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, BITS, LOGITS),
    ("CategoricalFocalCrossentropy", {}, ONE_HOT, UNNORMED),
    ("CategoricalFocalCrossentropy", {"from_logits": True, "alpha": 0.5, "label_smoothing": 0.1},
     ONE_HOT, LOGITS),
]  # fmt: skip
TWICE = {"MeanSquaredError", "CategoricalCrossentropy", "SparseCategoricalCrossentropy"}
TWICE |= {"BinaryCrossentropy", "LogCosh", "KLDivergence"}


def close(a, b, tolerance=1e-10):
    a, b = np.asarray(a), np.asarray(b)
    assert (a.shape, a.dtype) == (b.shape, b.dtype)
    size = max(1.0, float(np.abs(b).max(initial=0)))
    np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * size)


def derived(library, name, options, y_true, y_pred, weight, reduction):
    """[loss, its gradient with a random cotangent, the second derivative along a vector]."""
    dtype = "float64"
    truth = library.constant(y_true if y_true.dtype.kind == "i" else y_true.astype(dtype))
    loss = getattr(library.keras.losses, name)(reduction=reduction, **options)

    def losses_of(x):
        return loss(truth, x, sample_weight=weight)

    order = 2 if name in TWICE else 1
    found = derivatives(library, losses_of, [y_pred.astype(dtype)], order, seed=5)
    return [array for part in found for array in part]


@pytest.mark.parametrize(("name", "options", "y_true", "y_pred"), CASES)
def test_values_and_derivatives_are_keras(tf, name, options, y_true, y_pred):
    with floatx(tf, "float64"):
        one = getattr(tf.keras.losses, name)(reduction="none", **options)
        shape = np.asarray(one(y_true, y_pred)).shape
        weight = np.random.default_rng(1).random(shape[:1])
        for reduction, weights in (("sum_over_batch_size", None), ("none", weight), ("sum", None)):
            case = name, options, y_true, y_pred, weights if shape else None, reduction
            for a, b in zip(derived(mt, *case), derived(tf, *case), strict=True):
                close(a, b, 1e-8 if name == "LogCosh" else 1e-10)  # Keras has log 2 in float32


@pytest.mark.parametrize(("name", "options", "y_true", "y_pred"), CASES)
def test_values_in_float32_are_keras(tf, name, options, y_true, y_pred):
    mine = getattr(losses, name)(**options)(y_true, y_pred)
    close(mine, getattr(tf.keras.losses, name)(**options)(y_true, y_pred), 1e-6)


@pytest.mark.parametrize("reduction", losses.loss.REDUCTIONS)
@pytest.mark.parametrize("shape", [None, (), (1,), (N,), (N, 1), (N, C), (N, C, 1)])
def test_reductions_and_weights_are_keras(tf, reduction, shape):
    weight = None if shape is None else np.asarray(DRAW.random(shape), "float32")
    images = [x[..., None] for x in NUMBERS]  # one loss per sample and per pixel
    for truth, guess in [NUMBERS, images] if shape in (None, ()) else [images]:
        truth, guess = NUMBERS if shape == (N,) else (truth, guess)
        mine = losses.MeanSquaredError(reduction)(truth, guess, weight)
        close(mine, tf.keras.losses.MeanSquaredError(reduction)(truth, guess, weight), 1e-6)


@pytest.mark.parametrize("reduction", losses.loss.REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
def test_no_mean_counts_what_an_ignored_class_has(tf, reduction, weighted):
    truth = np.array([[0, 1, -1], [-1, 2, 2]])
    logits = np.random.default_rng(2).normal(size=(2, 3, 4)).astype("float32")
    weight = np.array([[1.0, 2.0, 3.0], [0.5, 1.0, 1.0]], "float32") if weighted else None
    options = {"from_logits": True, "ignore_class": -1, "reduction": reduction}
    mine = losses.SparseCategoricalCrossentropy(**options)(truth, logits, weight)
    theirs = tf.keras.losses.SparseCategoricalCrossentropy(**options)(truth, logits, weight)
    close(mine, theirs, 1e-6)


FUNCTIONS = sorted(set(losses.FUNCTIONS) - {"kld", "KLD", "logcosh"})


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_keras(tf, name):
    truth, guess = (CLASSES, PROBABILITIES) if name.startswith("sparse") else (SOFT, PROBABILITIES)
    truth = truth.astype("float32") if truth.dtype.kind == "f" else truth
    guess = guess.astype("float32")
    theirs = getattr(tf.keras.losses, name, None) or tf.keras.losses.get(name)
    close(losses.FUNCTIONS[name](truth, guess), theirs(truth, guess), 1e-6)
    assert losses.get(name) is losses.FUNCTIONS[name]


def test_the_seeds_calls_run(tf):
    one_hot, logits = ONE_HOT.astype("float32"), LOGITS.astype("float32")
    for library in (mt, tf):
        a = library.losses.categorical_crossentropy(one_hot, logits, from_logits=True)
        b = library.keras.losses.sparse_categorical_crossentropy(
            y_true=CLASSES, y_pred=library.nn.softmax(logits)
        )
        close(np.asarray(a), np.asarray(b), 1e-5)


# ----- probabilities whose logits are known -----

EXTREME = np.array([[200.0, 0.0, -200.0], [-90.0, 30.0, 5.0]], "float32")
NETS = [
    ("softmax", "categorical_crossentropy", np.eye(3)[[2, 0]]),
    ("softmax", "sparse_categorical_crossentropy", np.array([2, 0])),
    ("sigmoid", "binary_crossentropy", np.array([[0.0, 1, 1], [1, 0, 0]])),
]


@pytest.mark.parametrize(("activation", "name", "y_true"), NETS)
def test_after_an_activation_of_keras_the_loss_is_that_of_the_logits(tf, activation, name, y_true):
    y_true = y_true.astype("float32") if y_true.dtype.kind == "f" else y_true
    found = []
    for library in (mt, tf):
        x = library.constant(EXTREME)
        with library.GradientTape() as tape:
            tape.watch(x)
            y = getattr(library.keras.activations, activation)(x)
            loss = getattr(library.keras.losses, name)(y_true, y)
        found.append((np.asarray(loss), np.asarray(tape.gradient(loss, x))))
    for a, b in zip(*found, strict=True):
        close(a, b, 1e-6)
    assert found[0][0].max() > 20  # from the probabilities alone it would be at most -log(epsilon)


ENDS = {  # the sizes of a sample, and the layer that ends the model
    **{f"Dense of {n} axes": ([4, 3, 2][:n], ("Dense", 3)) for n in (1, 2, 3)},
    **{f"Conv{n}D": ([4, 3, 2, 2][: n + 1], (f"Conv{n}D", 3, 1)) for n in (1, 2, 3)},
    **{f"{n}D back": ([4, 3, 2, 2][: n + 1], (f"Conv{n}DTranspose", 3, 1)) for n in (1, 2, 3)},
    **{f"Separable{n}D": ([4, 3, 2][: n + 1], (f"SeparableConv{n}D", 3, 1)) for n in (1, 2)},
    **{f"Depthwise{n}D": ([4, 3, 3][: n + 1], (f"DepthwiseConv{n}D", 1)) for n in (1, 2)},
    "EinsumDense": ([4, 2], ("EinsumDense", "btc,cd->btd", (4, 3))),
    "Activation": ([4, 3], ("Activation",)),
    "Softmax": ([4, 3], ("Softmax",)),
    "Softmax of one axis in a list": ([4, 3], ("Softmax", [-1])),
    "Softmax of two axes": ([4, 3], ("Softmax", [-1, -2])),
}


@pytest.mark.parametrize("activation", ["softmax", "sigmoid", lambda x: x - x[:, :1]])
@pytest.mark.parametrize("end", ENDS)
def test_what_a_layer_ends_with_sees_its_shape_and_tells_the_loss_its_logits(tf, end, activation):
    shape, (name, *given) = ENDS[end]
    words = {} if name == "Softmax" else {"activation": activation}
    x = 40 * np.random.default_rng(0).normal(size=(2, *shape))

    def model(keras):
        start = keras.Input(shape)
        return keras.Model(start, getattr(keras.layers, name)(*given, **words)(start))

    with floatx(tf, "float64"):
        ours, theirs = (model(library.keras) for library in (mt, tf))
        ours.set_weights(theirs.get_weights())
        found = []
        for library, of in ((mt, ours), (tf, theirs)):
            y = of(library.constant(x))
            kind = "binary" if activation == "sigmoid" else "categorical"
            loss = getattr(library.keras.losses, f"{kind}_crossentropy")
            found += [np.asarray(y), np.asarray(loss(np.ones(y.shape) / y.shape[-1], y))]
    close(found[0], found[2], 1e-12)
    close(found[1], found[3], 1e-12)


@pytest.mark.parametrize(("activation", "name", "y_true"), NETS)
def test_logits_claimed_twice_are_warned_of(tf, activation, name, y_true):
    for library in (mt, tf):
        y = getattr(library.keras.activations, activation)(library.constant(EXTREME))
        with pytest.warns(UserWarning, match="received `from_logits=True`, but"):
            getattr(library.keras.losses, name)(y_true, y, from_logits=True)


def test_an_annotation_of_a_tensor_goes_with_the_tensor():
    from minitensor.keras.engine import annotations

    known = annotations._known.setdefault("logits", {})
    before = len(known)
    y = annotations.annotate(mt.constant(1.0), logits=2.0)
    assert len(known) == before + 1
    assert annotations.annotation(y, "logits") == 2.0
    del y
    assert len(known) == before


# ----- errors, names, configurations -----


def test_shapes_that_do_not_match_are_refused_in_keras_words(tf):
    wrong = np.ones((2, 4), "float32"), np.ones((2, 3), "float32")
    for keras in (mt.keras, tf.keras):
        for name in ("categorical_crossentropy", "binary_crossentropy"):
            with pytest.raises(ValueError, match="must have the same shape"):
                getattr(keras.losses, name)(*wrong)
        with pytest.raises(ValueError, match="same shape up until the last dimension"):
            keras.losses.sparse_categorical_crossentropy(np.array([1]), wrong[1])
        with pytest.raises(ValueError, match="Only axis=-1 is currently supported"):
            keras.losses.sparse_categorical_crossentropy(np.array([1, 1]), wrong[1], axis=0)
        with pytest.raises(ValueError, match="must be of type `int`"):
            keras.losses.categorical_crossentropy(*wrong, axis=True)
        with pytest.raises(ValueError, match="Invalid value for argument `reduction`"):
            keras.losses.Hinge(reduction="average")
        with pytest.raises(ValueError, match="Could not interpret loss identifier"):
            keras.losses.get("mean_cubed_error")
        with pytest.warns(SyntaxWarning, match="with num_classes > 1"):
            keras.losses.categorical_crossentropy(np.ones((2, 1)), np.ones((2, 1)))
        with pytest.raises(NotImplementedError):
            keras.losses.Loss()(1.0, 1.0)


def test_a_class_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="label value of 3 outside the valid range"):
        losses.sparse_categorical_crossentropy([0, 3], np.ones((2, 3)))


@pytest.mark.parametrize(("name", "options"), [(name, options) for name, options, _, _ in CASES])
def test_configurations_make_the_same_loss_and_hold_what_keras_hold(tf, name, options):
    mine = getattr(losses, name)(**options)
    config = mine.get_config()
    assert config.items() >= getattr(tf.keras.losses, name)(**options).get_config().items()
    assert losses.deserialize(losses.serialize(mine)).get_config() == config


def test_losses_are_found_by_name_class_config_and_as_functions():
    assert isinstance(losses.get("Huber"), losses.Huber)
    assert isinstance(losses.get(losses.Huber), losses.Huber)
    config = {"class_name": "Huber", "config": {"delta": 3.0}}
    assert losses.get(config).get_config()["delta"] == 3.0
    assert losses.get(None) is None
    assert losses.get(max) is max
    wrapped = losses.LossFunctionWrapper(losses.huber, delta=2.0, name="mine")
    again = losses.deserialize(losses.serialize(wrapped))
    assert (again.fn, again.name) == (losses.huber, "mine")
    assert again([[0.0]], [[3.0]]).numpy() == 4.0


def test_a_loss_of_ones_own_runs_in_both(tf):
    def value(keras):
        class Cubed(keras.losses.Loss):
            def call(self, y_true, y_pred):
                return (y_pred - y_true) * (y_pred - y_true) * (y_pred - y_true)

        return Cubed(reduction="sum")(np.array([0, 1]), np.array([2.0, 3.0], "float32"))

    close(value(mt.keras), value(tf.keras))
