"""Metrics against tf.keras, after several batches, with and without weights."""

import inspect
import json

import numpy as np
import pytest
from keras_peer import floatx

import minitensor as mt
from minitensor.keras import losses, metrics

N, C, BATCHES = 8, 5, 3


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def batches(kind):
    """Three batches of (truth, prediction): what a metric of this kind is for."""
    draw = np.random.default_rng(4)
    for _ in range(BATCHES):
        numbers = draw.normal(size=(2, N, C)).astype("float32")
        chances = draw.random((N, C)).astype("float32")
        chances[0] = [0.0, 1.0, 0.5, 0.25, 0.75]  # on the thresholds, too
        bits = draw.integers(0, 2, (N, C)).astype("float32")
        classes = draw.integers(0, C, N)
        maps = softmax(draw.normal(size=(2, 3, 4, C))).astype("float32")
        one_hot, scores = np.eye(C, dtype="float32")[classes], softmax(numbers[1])
        yield {
            "numbers": (numbers[0], numbers[1]),
            "positive": (chances, 1.5 - bits),
            "rounded": (numbers[0].round(), numbers[1].round()),
            "bits": (bits, chances),
            "column": (bits[:, :1], chances[:, 0]),
            "flat": (bits[:, 0], chances[:, 0]),
            "logits": (bits, 3 * numbers[0]),
            "one_hot": (one_hot, scores),
            "classes": (classes, scores),
            "classes_column": (classes[:, None], scores),
            "soft": (softmax(numbers[0]), scores),
            "maps": (draw.integers(0, C, (2, 3, 4)), maps),
            "regions": (draw.integers(-1, 3, (2, 3, 4)), draw.integers(0, 3, (2, 3, 4))),
            "values": (numbers[0],),
            "value": (numbers[0, 0, 0],),
            "ids": (classes, draw.permuted(np.tile(np.arange(C), (N, 1)), axis=1)),
        }[kind]


CASES = [
    ("Mean", {}, "values"), ("Mean", {}, "value"), ("Sum", {}, "values"),
    ("Accuracy", {}, "rounded"), ("BinaryAccuracy", {}, "bits"),
    ("BinaryAccuracy", {"threshold": 0.3}, "column"),
    ("CategoricalAccuracy", {}, "one_hot"), ("SparseCategoricalAccuracy", {}, "classes"),
    ("SparseCategoricalAccuracy", {}, "classes_column"), ("SparseCategoricalAccuracy", {}, "maps"),
    ("TopKCategoricalAccuracy", {"k": 2}, "one_hot"),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, "classes"),
    ("SparseTopKCategoricalAccuracy", {"k": 3}, "maps"),
    ("SparseTopKCategoricalAccuracy", {"k": 2, "from_sorted_ids": True}, "ids"),
    ("MeanSquaredError", {}, "numbers"), ("RootMeanSquaredError", {}, "numbers"),
    ("MeanAbsoluteError", {}, "numbers"), ("MeanAbsolutePercentageError", {}, "positive"),
    ("MeanSquaredLogarithmicError", {}, "positive"), ("LogCoshError", {}, "numbers"),
    ("CosineSimilarity", {}, "numbers"), ("Hinge", {}, "logits"), ("SquaredHinge", {}, "logits"),
    ("CategoricalHinge", {}, "one_hot"), ("KLDivergence", {}, "soft"), ("Poisson", {}, "positive"),
    ("BinaryCrossentropy", {}, "bits"),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "logits"),
    ("CategoricalCrossentropy", {}, "one_hot"),
    ("SparseCategoricalCrossentropy", {}, "classes"),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}, "classes"),
    ("TruePositives", {}, "bits"), ("FalsePositives", {"thresholds": 0.25}, "bits"),
    ("TrueNegatives", {"thresholds": [0.2, 0.5, 0.75]}, "bits"),
    ("FalseNegatives", {"thresholds": [0.0, 0.5, 1.0]}, "flat"),
    ("Precision", {}, "bits"), ("Precision", {"thresholds": [0.0, 0.25, 0.5, 0.75, 1.0]}, "column"),
    ("Precision", {"top_k": 2}, "one_hot"), ("Precision", {"class_id": 1}, "bits"),
    ("Recall", {}, "flat"), ("Recall", {"top_k": 2, "class_id": 3}, "one_hot"),
    ("Recall", {"thresholds": [0.1, 0.7]}, "bits"),
    ("AUC", {}, "flat"), ("AUC", {"curve": "PR"}, "bits"), ("AUC", {"num_thresholds": 7}, "bits"),
    ("AUC", {"curve": "PR", "summation_method": "majoring"}, "bits"),
    ("AUC", {"curve": "PRGAIN", "num_thresholds": 9}, "column"),
    ("AUC", {"summation_method": "minoring", "thresholds": [0.25, 0.5, 0.6]}, "bits"),
    ("AUC", {"curve": "PR", "thresholds": [0.25, 0.5, 0.75]}, "bits"),
    ("AUC", {"multi_label": True, "label_weights": [1.0, 2.0, 3.0, 0.5, 0.0]}, "bits"),
    ("AUC", {"multi_label": True, "num_labels": C, "curve": "PR", "thresholds": [0.2]}, "bits"),
    ("AUC", {"label_weights": [1.0, 2.0, 3.0, 0.5, 0.0]}, "bits"),
    ("AUC", {"from_logits": True}, "logits"),
    ("F1Score", {}, "one_hot"), ("F1Score", {"average": "macro", "threshold": 0.3}, "bits"),
    ("FBetaScore", {"average": "micro", "beta": 2.0}, "one_hot"),
    ("FBetaScore", {"average": "weighted", "beta": 0.5, "threshold": 0.5}, "bits"),
    ("MeanIoU", {"num_classes": 3}, "regions"),
    ("MeanIoU", {"num_classes": C, "sparse_y_pred": False}, "maps"),
    ("MeanIoU", {"num_classes": 3, "ignore_class": 1}, "regions"),
    ("IoU", {"num_classes": 3, "target_class_ids": [0, 2]}, "regions"),
    ("BinaryIoU", {"threshold": 0.4}, "bits"),
    ("OneHotIoU", {"num_classes": C, "target_class_ids": [1]}, "one_hot"),
    ("OneHotMeanIoU", {"num_classes": C}, "one_hot"),
]  # fmt: skip


def close(a, b, tolerance=1e-6):
    a, b = np.asarray(a), np.asarray(b)
    assert (a.shape, a.dtype) == (b.shape, b.dtype)
    size = max(1.0, float(np.abs(b).max(initial=0)))
    np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * size)


def weights_for(kind):
    """None, and what may weigh the batches of this kind."""
    draw = np.random.default_rng(6)
    if kind in ("value", "regions"):
        return [None]
    shape = (2, 3, 4) if kind == "maps" else (N,)
    return [None, draw.random(shape).astype("float32")]


@pytest.mark.parametrize(("name", "options", "kind"), CASES)
def test_metrics_are_keras_after_every_batch_and_after_a_reset(tf, name, options, kind):
    ours, theirs = (getattr(k.metrics, name)(**options) for k in (mt.keras, tf.keras))
    whole_numbers = "IoU" in name
    for weight in weights_for(kind):
        weight = (3 * weight).astype(int) if whole_numbers and weight is not None else weight
        if name == "BinaryIoU" and weight is not None:
            continue  # one weight per sample, where it wants one per element
        for batch in batches(kind):
            for metric in (ours, theirs):
                metric.update_state(*batch, sample_weight=weight)
            close(ours.result(), theirs.result())
        for a, b in zip(ours.variables, theirs.variables, strict=True):
            close(a, b)
        ours.reset_state()
        theirs.reset_state()
        assert all(not v.numpy().any() for v in ours.variables)


@pytest.mark.parametrize("name", ["Mean", "Sum", "MeanSquaredError", "MeanAbsoluteError"])
@pytest.mark.parametrize("shape", [(N, 1), (N, C), ()])
def test_weights_of_every_shape_are_keras(tf, name, shape):
    weight = np.asarray(np.random.default_rng(0).random(shape), "float32")
    draw = np.random.default_rng(1)
    pair = [draw.normal(size=(N, C, 2)).astype("float32") for _ in range(2)]
    batch = pair[:1] if name in ("Mean", "Sum") else pair
    close(*(getattr(k.metrics, name)()(*batch, weight) for k in (mt.keras, tf.keras)))


def test_metrics_in_float64_are_keras(tf):
    draw = np.random.default_rng(3)
    pair = draw.random((2, N, C))
    with floatx(tf, "float64"):
        for name in ("MeanSquaredError", "RootMeanSquaredError", "F1Score", "Precision", "AUC"):
            close(*(getattr(k.metrics, name)()(*pair) for k in (mt.keras, tf.keras)), 1e-12)


FUNCTIONS = {
    "binary_accuracy": "bits", "categorical_accuracy": "one_hot",
    "sparse_categorical_accuracy": "classes", "top_k_categorical_accuracy": "one_hot",
    "sparse_top_k_categorical_accuracy": "classes",
    "categorical_crossentropy": "one_hot", "hinge": "logits",
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_keras(tf, name):
    for batch in batches(FUNCTIONS[name]):
        close(getattr(metrics, name)(*batch), getattr(tf.keras.metrics, name)(*batch))


def test_no_tape_learns_of_a_metric():
    x = mt.constant([[1.0, 2.0]])
    with mt.GradientTape() as tape:
        tape.watch(x)
        mean = metrics.MeanSquaredError()([[0.0, 0.0]], x)
    assert tape.gradient(mean, x) is None


def test_a_metric_of_ones_own_runs_in_both(tf):
    def value(library):
        class Worst(library.keras.metrics.Metric):
            def __init__(self, name="worst", **kwargs):
                super().__init__(name=name, **kwargs)
                self.most = self.add_weight(name="most", initializer="zeros")
                self.inside = library.keras.metrics.Mean()

            def update_state(self, y_true, y_pred, sample_weight=None):
                error = library.abs(y_true - y_pred)
                self.inside.update_state(error)
                self.most.assign(library.maximum(self.most, library.reduce_max(error)))

            def result(self):
                return {"most": self.most, "mean": self.inside.result()}

        metric = Worst()
        found = metric(library.constant([1.0, 2.0]), library.constant([0.0, 5.0]))
        values = {key: float(np.asarray(x)) for key, x in found.items()}
        return values, [v.path.split("/")[-1] for v in metric.variables], len(metric.variables)

    assert value(mt) == value(tf) == ({"most": 3.0, "mean": 2.0}, ["most", "total", "count"], 3)


def test_a_metric_without_its_methods_says_so():
    with pytest.raises(NotImplementedError, match="no `update_state` method"):
        metrics.Metric()(1.0)
    with pytest.raises(NotImplementedError, match="no `result` method"):
        metrics.Metric().result()


# ----- errors, names, configurations -----


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda m: m.Precision(thresholds=1.5), r"Threshold values must be in \[0, 1\]"),
        (lambda m: m.AUC(num_thresholds=1), "must be an integer > 1"),
        (lambda m: m.AUC(curve="LR"), "Invalid AUC curve value"),
        (lambda m: m.AUC(summation_method="x"), "Invalid AUC summation"),
        (lambda m: m.AUC(num_labels=3), "needed only when `multi_label` is True"),
        (lambda m: m.AUC(multi_label=True)(np.ones(3), np.ones(3)), "must have rank 2"),
        (lambda m: m.FBetaScore(average="none"), "Invalid `average` argument value"),
        (lambda m: m.FBetaScore(beta=1), "Invalid `beta` argument value"),
        (lambda m: m.F1Score(threshold=2.0), "Invalid `threshold` argument value"),
        (lambda m: m.F1Score()(np.ones(3), np.ones(3)), "expects 2D inputs"),
        (lambda m: m.IoU(num_classes=2, target_class_ids=[2]), "out of range"),
        (lambda m: m.Recall(class_id=0)(np.ones(3), np.ones(3)), "must be a 2D array"),
        (lambda m: m.get("accuracyy"), "Could not interpret metric identifier"),
    ],
)
def test_what_makes_no_sense_is_refused_in_keras_words(tf, make, message):
    for keras in (mt.keras, tf.keras):
        with pytest.raises(ValueError, match=message):
            make(keras.metrics)


CLASSES = [n for n in metrics.__all__ if inspect.isclass(getattr(metrics, n))]
MADE = {"MeanMetricWrapper": {"fn": losses.huber}, "MeanIoU": {"num_classes": 3}}
MADE |= {"IoU": {"num_classes": 3, "target_class_ids": [1]}, "OneHotMeanIoU": {"num_classes": 3}}
MADE |= {"OneHotIoU": {"num_classes": 3, "target_class_ids": [1]}}


@pytest.mark.parametrize("name", CLASSES)
def test_configurations_make_the_same_metric_and_hold_what_keras_hold(tf, name):
    mine = getattr(metrics, name)(**MADE.get(name, {}))
    config = json.loads(json.dumps(mine.get_config()))
    if name != "MeanMetricWrapper":
        theirs = getattr(tf.keras.metrics, name)(**MADE.get(name, {}))
        expected = theirs.get_config()
        assert config.keys() >= expected.keys()
        assert getattr(theirs, "_direction", None) == mine._direction
        for key in expected.keys() - {"name", "dtype"}:
            assert config[key] == expected[key], key
        if name != "Metric":
            assert mine.name.rstrip("_0123456789") == expected["name"].rstrip("_0123456789")
    again = metrics.deserialize(json.loads(json.dumps(metrics.serialize(mine))))
    assert again.get_config() == config


def test_metrics_are_found_by_name_class_config_and_as_functions():
    for name in ("mse", "MSE", "mean_squared_error", "MeanSquaredError"):
        assert isinstance(metrics.get(name), metrics.MeanSquaredError)
    assert isinstance(metrics.get(metrics.AUC), metrics.AUC)
    assert metrics.get({"class_name": "AUC", "config": {"curve": "PR"}}).curve == "PR"
    assert metrics.get(None) is None
    assert metrics.get(max) is max
