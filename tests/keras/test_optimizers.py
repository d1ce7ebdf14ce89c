"""Optimizers and schedules against tf.keras: 50 steps of every rule, with every option."""

import sys
from pathlib import Path

import numpy as np
import pytest
from keras_peer import floatx

import minitensor as mt
from minitensor.keras import optimizers
from minitensor.keras.engine.weight import Weight
from minitensor.keras.optimizers import schedules

STEPS = 50
SHAPES = [(3, 3, 2, 4), (5,)]

RULES = {
    "SGD": [{"learning_rate": 0.05}, {"momentum": 0.9}, {"momentum": 0.8, "nesterov": True}],
    "RMSprop": [{"learning_rate": 0.01}, {"rho": 0.7, "momentum": 0.7, "centered": True}],
    "Adagrad": [{"learning_rate": 0.1}, {"initial_accumulator_value": 0.0, "epsilon": 1e-3}],
    "Adadelta": [{"learning_rate": 1.0}, {"rho": 0.8, "epsilon": 1e-4}],
    "Adam": [{"learning_rate": 0.01}, {"beta_1": 0.5, "beta_2": 0.9}, {"amsgrad": True}],
    "AdamW": [{"learning_rate": 0.01}, {"weight_decay": 0.1, "amsgrad": True}],
    "Adamax": [{"learning_rate": 0.01}, {"beta_1": 0.5, "beta_2": 0.9}],
    "Nadam": [{"learning_rate": 0.01}, {"beta_1": 0.5, "epsilon": 1e-3}],
    "Lion": [{"learning_rate": 0.01}, {"beta_1": 0.5, "beta_2": 0.9}],
}
OPTIONS = [
    {"weight_decay": 0.02, "clipnorm": 0.5},
    {"clipvalue": 0.1, "use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 7},
    {"global_clipnorm": 0.7, "loss_scale_factor": 4.0, "gradient_accumulation_steps": 4},
    {"gradient_accumulation_steps": 3, "use_ema": True, "weight_decay": 0.1},
]
# Numbers that float32 holds exactly: Keras rounds others to float32 also for float64 variables.
EXACT_BETAS = {"beta_1": 0.875, "beta_2": 1 - 2**-10}
EXACT_EPSILON = {"epsilon": 2.0**-20}
EXACT = {
    "SGD": {"momentum": 0.875, "nesterov": True},
    "RMSprop": {"rho": 0.875, "momentum": 0.75, **EXACT_EPSILON},
    "Adagrad": {"initial_accumulator_value": 0.125, **EXACT_EPSILON},
    "Adadelta": {"rho": 0.875, **EXACT_EPSILON},
    "Adam": EXACT_BETAS | EXACT_EPSILON,
    "AdamW": EXACT_BETAS | EXACT_EPSILON | {"weight_decay": 0.125},
    "Adamax": EXACT_BETAS | EXACT_EPSILON,
    "Lion": EXACT_BETAS,
}


def noisy(dtype):
    """Where variables start, and a function to the gradients of noisy quadratics there."""
    draw = np.random.default_rng(3)
    start, target = ([draw.normal(size=s).astype(dtype) for s in SHAPES] for _ in range(2))

    def gradients(values):
        pairs = zip(values, target, strict=True)
        return [(x - t + 0.3 * draw.normal(size=x.shape)).astype(dtype) for x, t in pairs]

    return start, gradients


def trajectory(library, make, dtype, steps=STEPS):
    """Variables after each step, and the state after the last."""
    start, gradients = noisy(dtype)
    variables = [library.Variable(x) for x in start]
    optimizer = make(library.keras.optimizers)
    seen = []
    for _ in range(steps):
        grads = [library.constant(g) for g in gradients([x.numpy() for x in variables])]
        optimizer.apply_gradients(zip(grads, variables, strict=True))
        seen.append([x.numpy() for x in variables])
    return seen, [np.asarray(v) for v in optimizer.variables]


def close(a, b, tolerance, what):
    assert a.shape == b.shape
    limit = tolerance * max(1.0, np.abs(b).max(initial=0))
    np.testing.assert_allclose(a, b, rtol=0, atol=limit, err_msg=what)


def assert_same_path(tf, make, dtype="float32", tolerance=1e-6):
    with floatx(tf, dtype):
        ours, state = trajectory(mt, make, dtype)
        theirs, other = trajectory(tf, make, dtype)
    for step, pairs in enumerate(zip(ours, theirs, strict=True)):
        for a, b in zip(*pairs, strict=True):
            close(a, b, tolerance, f"step {step}")
    for number, (a, b) in enumerate(zip(state, other, strict=True)):
        close(a, b, tolerance, f"state {number}")


@pytest.mark.parametrize(("name", "own"), [(n, own) for n, each in RULES.items() for own in each])
def test_fifty_steps_of_every_rule_are_keras(tf, name, own):
    assert_same_path(tf, lambda rules: getattr(rules, name)(**own))


FEW = ("SGD", "RMSprop", "Adam")  # the others share the same lines


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize(
    "name", [n if n in FEW else pytest.param(n, marks=pytest.mark.slow) for n in RULES]
)
def test_fifty_steps_of_every_rule_with_every_option_are_keras(tf, name, options):
    assert_same_path(tf, lambda rules: getattr(rules, name)(learning_rate=0.02, **options))


@pytest.mark.parametrize("name", EXACT)
def test_fifty_steps_in_float64_are_keras_to_1e_12(tf, name):
    def make(rules):
        return getattr(rules, name)(learning_rate=2.0**-6, **EXACT[name])

    assert_same_path(tf, make, "float64", 1e-12)


def test_fifty_steps_of_nadam_in_float64_are_the_papers():
    """Keras has 0.96 in float32 there, so the formula is written out here."""
    start, gradients = noisy("float64")
    variables = [mt.Variable(x) for x in start]
    x, m, v, product = [*start], [0.0, 0.0], [0.0, 0.0], 1.0
    rate = mt.keras.Variable(np.float64(0.02), name="rate")
    nadam = optimizers.Nadam(lambda: rate)
    for t in range(1, STEPS + 1):
        grads = gradients([w.numpy() for w in variables])
        nadam.apply([mt.constant(g) for g in grads], variables)
        u, ahead = (0.9 * (1 - 0.5 * 0.96**k) for k in (t, t + 1))
        product *= u
        for i, g in enumerate(grads):
            m[i] = 0.9 * m[i] + 0.1 * g
            v[i] = 0.999 * v[i] + 0.001 * g * g
            mean = ahead * m[i] / (1 - product * ahead) + (1 - u) * g / (1 - product)
            x[i] = x[i] - 0.02 * mean / (np.sqrt(v[i] / (1 - 0.999**t)) + 1e-7)
            close(variables[i].numpy(), x[i], 1e-12, f"step {t}")


# ----- the learning rate -----


def test_lr_is_taken_as_learning_rate_with_a_warning_that_names_it():
    with pytest.warns(DeprecationWarning, match="learning_rate") as seen:
        adam = optimizers.Adam(lr=1e-4)
    assert seen[0].filename == __file__
    assert float(adam.learning_rate) == np.float32(1e-4)
    assert "lr" not in adam.get_config()
    assert float(optimizers.Adam.from_config(adam.get_config()).lr) == np.float32(1e-4)


def test_decay_is_refused_and_the_schedule_of_the_same_formula_named():
    with pytest.raises(ValueError, match=r"InverseTimeDecay\(0.01, 1, 1e-06\)"):
        optimizers.SGD(decay=1e-6)


def test_an_argument_that_no_optimizer_has_is_refused():
    with pytest.raises(ValueError, match=r"Argument\(s\) not recognized: {'momentun': 0.9}"):
        optimizers.SGD(momentun=0.9)


def test_the_learning_rate_can_be_assigned_in_three_ways():
    sgd = optimizers.SGD(0.1)
    sgd.learning_rate = 0.2
    assert float(sgd.lr) == np.float32(0.2)
    sgd.lr = 0.3
    assert float(sgd.learning_rate) == np.float32(0.3)
    sgd.learning_rate.assign(0.4)
    x = mt.Variable([1.0])
    sgd.apply([mt.constant([1.0])], [x])
    np.testing.assert_allclose(x.numpy(), 0.6, rtol=1e-6)


def test_a_schedule_sees_the_number_of_steps_and_cannot_be_overwritten_by_a_number(tf):
    def make(rules):
        return rules.SGD(rules.schedules.ExponentialDecay(0.5, 3, 0.5, staircase=True))

    assert_same_path(tf, make)
    sgd = make(optimizers)
    assert len(sgd.variables) == 1
    with pytest.raises(TypeError, match="not settable"):
        sgd.learning_rate = 0.1


def test_a_function_of_no_arguments_is_a_learning_rate():
    rates = iter([0.5, 0.25])
    x, sgd = mt.Variable([1.0]), optimizers.SGD(lambda: next(rates))
    for left in (0.5, 0.25):
        sgd.apply([mt.constant([1.0])], [x])
        assert x.numpy() == left


# ----- steps -----


def test_a_variable_without_gradient_stays_and_is_named_in_a_warning(tf):
    for library in (mt, tf):
        x, y = library.Variable([1.0]), library.Variable([1.0])
        sgd = library.keras.optimizers.SGD(0.5)
        with pytest.warns(UserWarning, match="Gradients do not exist for variables"):
            sgd.apply_gradients([(None, x), (library.constant([1.0]), y)])
        assert (x.numpy(), y.numpy()) == (1.0, 0.5)
        with pytest.raises(ValueError, match="No gradients provided for any variable"):
            sgd.apply_gradients([(None, x), (None, y)])


def test_wrong_gradients_and_unknown_variables_are_told_before_anything_changes():
    x, sgd = mt.Variable([1.0, 2.0]), optimizers.SGD()
    with pytest.raises(ValueError, match="must already be built"):
        sgd.apply([mt.constant([1.0, 1.0])])
    with pytest.raises(ValueError, match=r"shape \(3,\), the variable \(2,\)"):
        sgd.apply([mt.constant([1.0, 1.0, 1.0])], [x])
    with pytest.raises(ValueError, match="2 gradients for 1 variables"):
        sgd.apply([mt.constant([1.0, 1.0])] * 2, [x])
    with pytest.raises(ValueError, match="Unknown variable"):
        sgd.apply([mt.constant([1.0])], [mt.Variable([1.0])])
    assert int(sgd.iterations) == 0
    assert sgd.apply([]) is None
    np.testing.assert_array_equal(x.numpy(), [1.0, 2.0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"clipnorm": 1.0, "clipvalue": 1.0}, "Only one of `clipnorm`, `clipvalue`"),
        ({"use_ema": True, "ema_momentum": 1.5}, "`ema_momentum` must be in the range"),
        ({"use_ema": True, "ema_overwrite_frequency": 0.5}, "must be an integer >= 1 or None"),
        ({"gradient_accumulation_steps": 1}, "must be an integer >= 2"),
        ({"learning_rate": "fast"}, "`learning_rate` should be float"),
        ({"momentum": 1.5}, "`momentum` must be a float between"),
    ],
)
def test_arguments_out_of_range_are_refused_in_keras_words(tf, options, message):
    for library in (mt, tf):
        with pytest.raises(ValueError, match=message):
            library.keras.optimizers.SGD(**options)


def test_no_tape_learns_of_a_step_and_gradients_behind_it_are_right():
    x = mt.Variable([3.0])
    with mt.GradientTape() as tape:
        y = x * x
        optimizers.Adam(0.1).apply([mt.constant([1.0])], [x])
        z = y * 2.0
    np.testing.assert_array_equal(tape.gradient(z, x).numpy(), [12.0])


def test_a_constraint_holds_after_every_step():
    x = Weight([0.5, 3.0], name="kernel", constraint=lambda w: mt.maximum(w, 0.0))
    optimizers.SGD(1.0).apply([mt.constant([1.0, 1.0])], [x])
    np.testing.assert_array_equal(x.numpy(), [0.0, 2.0])


def test_averages_become_the_values_at_the_end(tf):
    ends = []
    for library in (mt, tf):
        start, gradients = noisy("float32")
        variables = [library.Variable(x) for x in start]
        adam = library.keras.optimizers.Adam(0.1, use_ema=True, ema_momentum=0.5)
        for _ in range(5):
            adam.apply([library.constant(g) for g in gradients(start)], variables)
        adam.finalize_variable_values(variables)
        ends.append([x.numpy() for x in variables])
    for a, b in zip(*ends, strict=True):
        close(a, b, 1e-6, "average")


def test_some_variables_can_be_left_out_of_weight_decay(tf):
    ends = []
    for library in (mt, tf):
        x, y, z = (library.Variable([1.0], name=n) for n in ("bias", "kernel", "other"))
        rule = library.keras.optimizers.SGD(0.1, weight_decay=0.5)
        rule.exclude_from_weight_decay(var_list=[z], var_names=["bias"])
        rule.apply([library.constant([0.0])] * 3, [x, y, z])
        ends.append([float(v.numpy()[0]) for v in (x, y, z)])
    assert ends[0] == ends[1] == [1.0, pytest.approx(0.95), 1.0]


def python_calls(function):
    """How many calls of Python functions of the package one call makes."""
    home = str(Path(mt.__file__).parent)
    found = []

    def see(frame, event, argument):
        if event == "call" and frame.f_code.co_filename.startswith(home):
            found.append(frame.f_code.co_name)

    sys.setprofile(see)
    try:
        function()
    finally:
        sys.setprofile(None)
    return len(found)


@pytest.mark.parametrize("rule", [optimizers.Adam(), optimizers.SGD(momentum=0.9)])
def test_a_step_finds_its_variables_and_settings_once(rule):
    """What is there per step stays; what is there per variable is the update and little more."""
    few, many = ([mt.Variable([1.0, 2.0]) for _ in range(n)] for n in (10, 20))
    gradient = mt.constant([0.5, 0.5])
    steps = []
    for variables in (few, many):
        optimizer = type(rule).from_config(rule.get_config())
        for _ in range(2):  # the first makes the slots
            calls = python_calls(lambda o=optimizer, v=variables: o.apply([gradient] * len(v), v))
        steps.append(calls)
    assert steps[0] <= 170
    assert (steps[1] - steps[0]) / 10 <= 14


def test_a_rule_written_as_in_the_docs_of_keras_runs_in_both(tf):
    def path(library):
        class Momentum(library.keras.optimizers.Optimizer):
            def __init__(self, **kwargs):
                super().__init__(**kwargs)
                self.momentum = 0.5

            def build(self, variables):
                super().build(variables)
                self.kept = [self.add_variable_from_reference(v, name="m") for v in variables]

            def update_step(self, gradient, variable, learning_rate):
                rate = library.cast(learning_rate, variable.dtype)
                m = self.kept[self._get_variable_index(variable)]
                self.assign(m, m * self.momentum - gradient * rate)
                self.assign_add(variable, m)

        return trajectory(library, lambda _: Momentum(learning_rate=0.1), "float32", 5)[0][-1]

    for a, b in zip(path(mt), path(tf), strict=True):
        close(a, b, 1e-6, "own rule")


# ----- state and configuration -----


def test_all_state_is_in_the_variables_bit_for_bit():
    start, gradients = noisy("float32")
    every = {"weight_decay": 0.1, "use_ema": True, "gradient_accumulation_steps": 2}
    for name in RULES:
        grads = [[mt.constant(g) for g in gradients(start)] for _ in range(6)]
        one, other = (getattr(optimizers, name)(**every) for _ in range(2))
        x, y = ([mt.Variable(v) for v in start] for _ in range(2))
        for g in grads[:3]:
            one.apply(g, x)
        other.build(y)
        other.set_weights([v.numpy() for v in one.variables])
        for v, w in zip(x, y, strict=True):
            w.assign(v)
        for g in grads[3:]:
            one.apply(g, x)
            other.apply(g, y)
        for v, w in zip([*x, *one.variables], [*y, *other.variables], strict=True):
            np.testing.assert_array_equal(v.numpy(), w.numpy(), err_msg=name)


def test_variables_come_in_keras_order_under_keras_names(tf):
    names = []
    for library in (mt, tf):
        layer = library.keras.layers.Dense(2, name="dense")
        layer.build((None, 3))
        adam = library.keras.optimizers.Adam(
            use_ema=True, amsgrad=True, gradient_accumulation_steps=2, name="adam"
        )
        adam.build(layer.trainable_variables)
        names.append([(v.path, tuple(v.shape)) for v in adam.variables])
    assert names[0] == names[1]


def test_variables_are_written_and_read_under_their_numbers():
    adam, x = optimizers.Adam(), mt.Variable([1.0])
    adam.apply([mt.constant([1.0])], [x])
    store = {}
    adam.save_own_variables(store)
    assert list(store) == ["0", "1", "2", "3"]
    other = optimizers.Adam(0.5)
    other.build([x])
    other.load_own_variables(store)
    assert [v.numpy() for v in other.variables] == [v.numpy() for v in adam.variables]
    with pytest.warns(UserWarning, match="Skipping variable loading"):
        optimizers.Adam().load_own_variables(store)
    with pytest.raises(ValueError, match="not yet been built"):
        optimizers.Adam().set_weights([])


@pytest.mark.parametrize("name", RULES)
def test_configurations_are_keras_and_make_the_same_rule(tf, name):
    options = {"learning_rate": 0.25, "clipnorm": 0.5, "name": "rule"}
    mine = getattr(optimizers, name)(**options).get_config()
    assert mine == getattr(tf.keras.optimizers, name)(**options).get_config()
    assert getattr(optimizers, name).from_config(mine).get_config() == mine


def test_optimizers_are_found_by_name_in_any_case_by_config_and_by_class():
    assert isinstance(optimizers.get("adam"), optimizers.Adam)
    assert isinstance(optimizers.get("RMSprop"), optimizers.RMSprop)
    assert isinstance(optimizers.get(optimizers.SGD), optimizers.SGD)
    sgd = optimizers.SGD(schedules.CosineDecay(0.5, 10), momentum=0.5)
    assert optimizers.get(sgd) is sgd
    again = optimizers.deserialize(optimizers.serialize(sgd))
    assert again.get_config() == sgd.get_config()
    assert float(again.learning_rate) == 0.5
    assert optimizers.get(None) is None
    for wrong in ("adan", 3, int):
        with pytest.raises(ValueError, match="Could not interpret optimizer identifier"):
            optimizers.get(wrong)


def test_a_rule_that_nobody_has_is_told_with_the_nearest():
    with pytest.raises(AttributeError, match=r"the nearest is tf.keras.optimizers.Adam"):
        _ = optimizers.Adan


# ----- schedules -----

TENTH = {"initial_learning_rate": 0.1}
SCHEDULES = [
    ("ExponentialDecay", {**TENTH, "decay_steps": 10, "decay_rate": 0.9}),
    ("ExponentialDecay", {**TENTH, "decay_steps": 7, "decay_rate": 0.5, "staircase": True}),
    ("InverseTimeDecay", {**TENTH, "decay_steps": 10, "decay_rate": 0.9}),
    ("InverseTimeDecay", {**TENTH, "decay_steps": 7, "decay_rate": 0.5, "staircase": True}),
    ("PolynomialDecay", {**TENTH, "decay_steps": 50}),
    ("PolynomialDecay", {**TENTH, "decay_steps": 13, "power": 2.0, "cycle": True}),
    ("PiecewiseConstantDecay", {"boundaries": [10, 20], "values": [1.0, 0.5, 0.1]}),
    ("PiecewiseConstantDecay", {"boundaries": [15.0], "values": [1.0, 0.5]}),
    ("CosineDecay", {**TENTH, "decay_steps": 60, "alpha": 0.1}),
    ("CosineDecay", {"initial_learning_rate": 0.0, "decay_steps": 40, "warmup_target": 0.2,
                     "warmup_steps": 11}),
    ("CosineDecayRestarts", {**TENTH, "first_decay_steps": 9}),
    ("CosineDecayRestarts", {**TENTH, "first_decay_steps": 9, "t_mul": 1.0,
                             "m_mul": 0.7, "alpha": 0.1}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments"), SCHEDULES)
def test_schedules_are_keras_at_many_steps(tf, name, arguments):
    ours = getattr(schedules, name)(**arguments)
    theirs = getattr(tf.keras.optimizers.schedules, name)(**arguments)
    steps = [*range(40), 59, 60, 61, 100, 1000]
    mine = [float(ours(step)) for step in steps]
    np.testing.assert_allclose(mine, [float(theirs(s)) for s in steps], rtol=1e-6, atol=1e-8)
    assert float(ours(mt.Variable(np.int64(5)))) == mine[5]
    assert ours.get_config() == theirs.get_config()
    assert float(type(ours).from_config(ours.get_config())(7)) == mine[7]


def test_schedules_refuse_what_makes_no_sense():
    with pytest.raises(ValueError, match="`decay_steps` must be > 0"):
        schedules.ExponentialDecay(0.1, 0, 0.5)
    with pytest.raises(ValueError, match="length of boundaries should be 1 less"):
        schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2])
    with pytest.raises(NotImplementedError, match="must override `__call__"):
        schedules.LearningRateSchedule()(0)


@pytest.mark.parametrize("clip", ["clipnorm", "global_clipnorm", "clipvalue"])
def test_clipped_gradients_that_are_not_finite_are_keras(tf, clip):
    """One NaN makes a length NaN, and so the whole step."""
    for numbers in ([3.0, np.nan, 4.0], [3.0, np.inf, 4.0], [0.0, 0.0, 0.0], [3.0, 4.0, 0.0]):
        after = []
        for library in (mt, tf):
            weight = library.Variable([1.0, 1.0, 1.0])
            optimizer = library.keras.optimizers.SGD(1.0, **{clip: 1.0})
            optimizer.apply_gradients([(library.constant(numbers), weight)])
            after.append(weight.numpy())
        np.testing.assert_allclose(*after, rtol=1e-6)
