"""The loss that fit, evaluate and their kin report, for every reduction, against Keras."""

import numpy as np
import pytest

import minitensor as mt

REDUCTIONS = ["sum", "none", None, "mean_with_sample_weight", "sum_over_batch_size", "mean"]
X = np.arange(10, dtype="float32").reshape(5, 2)
Y = np.ones((5, 3), "float32")
WEIGHTS = np.arange(5, dtype="float32")


def everything_reported(keras, reduction, outputs, weighted, shape=(3,)):
    """What all ways to train and to test report, and the weights afterwards."""
    x = keras.Input((2,))
    y = keras.layers.Dense(3, kernel_initializer="ones")(x)
    if len(shape) > 1:
        y = keras.layers.Reshape(shape)(y)
    heads = [y, *(keras.layers.Rescaling(2.0)(y) for _ in range(outputs - 1))]
    model = keras.Model(x, heads if outputs > 1 else y)
    loss = keras.losses.MeanSquaredError(reduction=reduction)
    losses = {"loss": loss} if outputs == 1 else {"loss": [loss] * 2, "loss_weights": [1.0, 0.5]}
    # Keras' graphs weigh a last batch that is smaller as much as a whole one: so not in a graph
    model.compile(keras.optimizers.SGD(0.001), **losses, run_eagerly=True)
    truth = Y.reshape(-1, *shape)
    targets, weights = (truth, WEIGHTS) if outputs == 1 else ([truth, 2 * truth], [WEIGHTS] * 2)
    more = {"sample_weight": weights if weighted else None}
    fitted = model.fit(X, targets, batch_size=2, verbose=0, shuffle=False, **more).history
    found = [list(fitted.values())]
    for step in (model.evaluate, model.test_on_batch, model.train_on_batch):
        quiet = {"verbose": 0, "batch_size": 2} if step == model.evaluate else {}
        found.append(step(X, targets, **quiet, **more))
    return [*found, *model.get_weights()]


def sorted_(numbers):
    """The numbers without their order: each library has the names in its own."""
    return np.sort(np.atleast_1d(numbers), 0)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_what_is_reported_for_a_reduction(tf, reduction, outputs, weighted):
    mine = everything_reported(mt.keras, reduction, outputs, weighted)
    theirs = everything_reported(tf.keras, reduction, outputs, weighted)
    for ours, keras in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(sorted_(ours), sorted_(keras), rtol=1e-5)


@pytest.mark.parametrize("outputs", [1, 2])
def test_a_loss_for_each_pixel(tf, outputs):
    mine = everything_reported(mt.keras, "none", outputs, False, (3, 1))
    theirs = everything_reported(tf.keras, "none", outputs, False, (3, 1))
    for ours, keras in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(sorted_(ours), sorted_(keras), rtol=1e-5)


def test_what_regularizers_add_is_shared_out_among_losses_of_samples():
    """Keras refuses this. The update follows the sum of the losses and the penalty, once."""
    found = {}
    for reduction in ("sum", "none"):
        dense = mt.keras.layers.Dense(3, kernel_initializer="ones", kernel_regularizer="l2")
        model = mt.keras.Sequential([mt.keras.Input((2,)), dense])
        loss = mt.keras.losses.MeanSquaredError(reduction=reduction)
        model.compile(mt.keras.optimizers.SGD(0.001), loss)
        found[reduction] = [model.train_on_batch(X, Y), *model.get_weights()]
    assert found["none"][0] == pytest.approx(found["sum"][0] / 5)
    for ours, other in zip(found["none"][1:], found["sum"][1:], strict=True):
        np.testing.assert_allclose(ours, other, rtol=1e-6)


def test_nan_among_the_losses_of_samples_is_counted():
    model = mt.keras.Sequential([mt.keras.Input((2,)), mt.keras.layers.Dense(3)])
    model.compile("sgd", mt.keras.losses.MeanSquaredError(reduction="none"))
    bad = X.copy()
    bad[1, 0] = np.nan
    with pytest.raises(ArithmeticError, match=r"the loss is shape \(5,\): 1 of 5 values are nan"):
        model.train_on_batch(bad, Y)
