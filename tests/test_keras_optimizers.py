"""Optimizers and schedules against tf.keras: 50 steps of every rule, with every option."""

import numpy as np
import pytest
from keras_peer import floatx

import minitensor as mt
from minitensor.keras import optimizers

STEPS = 50
SHAPES = [(3, 3, 2, 4), (7, 5), (5,), ()]
TOLERANCE = {"float32": 1e-6, "float64": 1e-12}

RULES = {
    "SGD": [{"learning_rate": 0.05}, {"momentum": 0.9}, {"momentum": 0.8, "nesterov": True}],
    "RMSprop": [{"learning_rate": 0.01}, {"momentum": 0.7, "centered": True}, {"rho": 0.7}],
    "Adagrad": [{"learning_rate": 0.1}, {"initial_accumulator_value": 0.0, "epsilon": 1e-3}],
    "Adadelta": [{"learning_rate": 1.0}, {"rho": 0.8, "epsilon": 1e-4}],
    "Adam": [{"learning_rate": 0.01}, {"beta_1": 0.5, "beta_2": 0.9}, {"amsgrad": True}],
    "AdamW": [{"learning_rate": 0.01}, {"weight_decay": 0.1, "amsgrad": True}],
    "Adamax": [{"learning_rate": 0.01}, {"beta_1": 0.5, "beta_2": 0.9}],
    "Nadam": [{"learning_rate": 0.01}, {"beta_1": 0.5, "epsilon": 1e-3}],
    "Lion": [{"learning_rate": 0.01}, {"beta_1": 0.5, "beta_2": 0.9}],
}
OPTIONS = [
    {"weight_decay": 0.02},
    {"clipnorm": 0.5},
    {"clipvalue": 0.1},
    {"global_clipnorm": 0.7},
    {"loss_scale_factor": 4.0},
    {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 7},
    {"gradient_accumulation_steps": 4},
    {"gradient_accumulation_steps": 3, "use_ema": True, "clipnorm": 0.5, "weight_decay": 0.1},
]


def trajectory(library, make, dtype, steps=STEPS):
    """Variables and state after each step along noisy gradients of quadratics."""
    draw = np.random.default_rng(3)
    start, target = ([draw.normal(size=s).astype(dtype) for s in SHAPES] for _ in range(2))
    variables = [library.Variable(x) for x in start]
    optimizer = make(library.keras.optimizers)
    seen = []
    for _ in range(steps):
        grads = []
        for x, there in zip(variables, target, strict=True):
            noise = 0.3 * draw.normal(size=x.shape)
            grads.append(library.constant(((x.numpy() - there) + noise).astype(dtype)))
        optimizer.apply_gradients(zip(grads, variables, strict=True))
        seen.append([x.numpy() for x in variables])
    return seen, [np.asarray(v) for v in optimizer.variables]


def assert_same_path(tf, make, dtype="float64", tolerance=None):
    with floatx(tf, dtype):
        ours, state = trajectory(mt, make, dtype)
        theirs, other = trajectory(tf, make, dtype)
    tolerance = tolerance or TOLERANCE[dtype]
    for step, (mine, true) in enumerate(zip(ours, theirs, strict=True)):
        for a, b in zip(mine, true, strict=True):
            limit = tolerance * max(1.0, np.abs(b).max())
            np.testing.assert_allclose(a, b, rtol=0, atol=limit, err_msg=f"step {step}")
    assert [v.shape for v in state] == [v.shape for v in other]
    for a, b in zip(state, other, strict=True):
        limit = 10 * tolerance * max(1.0, np.abs(b).max())
        np.testing.assert_allclose(a, b, rtol=0, atol=limit, err_msg="state")


CASES = [(name, settings) for name, each in RULES.items() for settings in each]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "settings"), CASES)
def test_fifty_steps_of_every_rule_are_keras(tf, name, settings, dtype):
    assert_same_path(tf, lambda rules: getattr(rules, name)(**settings), dtype)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("name", ["SGD", "Adam", "Nadam"])
def test_every_option_that_rules_share_is_keras(tf, name, options):
    own = {"SGD": {"momentum": 0.9}}.get(name, {})
    assert_same_path(tf, lambda rules: getattr(rules, name)(learning_rate=0.02, **own, **options))
