"""Tapes and variables: what is recorded, what a gradient is, and what TensorFlow would say.

Numbers are checked on paper; whole programs, written once and run with either library, against
TensorFlow.
"""

import inspect
import threading
from typing import NamedTuple

import numpy as np
import pytest

import minitensor as mt
from minitensor.autograd import primitive


def cube(x):
    return x * x * x


# ----- one tape -----


def test_a_tape_gives_its_gradients_once():
    x = mt.constant(3.0)
    with mt.GradientTape() as tape:
        tape.watch(x)
        y = cube(x)
    assert tape.gradient(y, x).numpy() == 27
    with pytest.raises(RuntimeError, match="persistent=True"):
        tape.gradient(y, x)


def test_a_persistent_tape_gives_them_again():
    x = mt.constant(3.0)
    with mt.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = cube(x)
        z = y * y
    assert [tape.gradient(t, x).numpy() for t in (y, z, y)] == [27, 6 * 3**5, 27]


def test_a_tape_that_gave_its_gradients_can_record_anew():
    x, tape = mt.constant(3.0), mt.GradientTape()
    for _ in range(2):
        with tape:
            tape.watch(x)
            y = cube(x)
        assert tape.gradient(y, x).numpy() == 27


def test_a_gradient_may_be_asked_for_inside_the_tape():
    x = mt.constant(3.0)
    with mt.GradientTape() as tape:
        tape.watch(x)
        assert tape.gradient(cube(x), x).numpy() == 27


def test_nothing_is_recorded_without_a_watched_input():
    x = mt.constant(3.0)
    with mt.GradientTape() as tape:
        y = cube(x)
    assert tape.gradient(y, x) is None


def test_what_happened_before_watching_is_not_recorded():
    x = mt.constant(3.0)
    with mt.GradientTape() as tape:
        y = x * x
        tape.watch(x)
        z = y * x
    assert tape.gradient(z, x).numpy() == 9


def test_reset_forgets_everything():
    x = mt.constant(3.0)
    with mt.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = cube(x)
        tape.reset()
        tape.watch(x)
        z = y * x
    assert tape.gradient(z, x).numpy() == 27
    assert tape.gradient(y, x) is None


def test_what_runs_inside_stop_recording_is_constant():
    x = mt.constant(3.0)
    with mt.GradientTape(persistent=True) as tape:
        tape.watch(x)
        with tape.stop_recording():
            y = x * x
        z = y * x
    assert tape.gradient(z, x).numpy() == 9


def test_stop_recording_outside_of_the_tape_is_an_error():
    with pytest.raises(ValueError, match="not recording"), mt.GradientTape().stop_recording():
        pass


def test_a_tape_cannot_be_entered_twice():
    tape = mt.GradientTape()
    with tape, pytest.raises(ValueError, match="already recording"):
        tape.__enter__()


def test_only_tensors_and_variables_can_be_watched():
    with mt.GradientTape() as tape, pytest.raises(ValueError, match="tensors or variables"):
        tape.watch(1.0)


def test_integers_are_not_watched():
    n = mt.constant(3)
    with mt.GradientTape() as tape:
        tape.watch(n)
        y = n * n
    assert tape.gradient(y, n) is None


def test_gradients_pass_through_integers_nowhere():
    x = mt.constant(3.7)
    with mt.GradientTape() as tape:
        tape.watch(x)
        y = mt.cast(mt.cast(x, "int32"), "float32") * x
    assert tape.gradient(y, x).numpy() == 3


def test_a_chain_of_twenty_thousand_ops_has_a_gradient():
    x = mt.constant(1.0)
    with mt.GradientTape() as tape:
        tape.watch(x)
        y = x
        for _ in range(20_000):
            y = y + x
    assert tape.gradient(y, x).numpy() == 20_001


def test_every_thread_has_its_own_tapes():
    x, seen = mt.constant(3.0), []
    with mt.GradientTape() as tape:
        tape.watch(x)
        thread = threading.Thread(target=lambda: seen.append(cube(x)))
        thread.start()
        thread.join()
    assert tape.gradient(seen[0], x) is None


def test_a_failed_op_leaves_the_tape_usable():
    x = mt.constant([1.0, 2.0])
    with mt.GradientTape() as tape:
        tape.watch(x)
        with pytest.raises(ValueError, match="broadcast"):
            _ = x + mt.ones([3])
        y = x * x
    assert tape.gradient(y, x).numpy().tolist() == [2, 4]


# ----- what gradient takes and gives -----


def test_unconnected_sources_have_no_gradient_or_zeros():
    x, z = mt.constant(3.0), mt.constant([1.0, 2.0])
    with mt.GradientTape(persistent=True) as tape:
        tape.watch([x, z])
        y = cube(x)
    assert tape.gradient(y, z) is None
    for zero in ("zero", mt.UnconnectedGradients.ZERO):
        first, second = tape.gradient(y, [x, z], unconnected_gradients=zero)
        assert first.numpy() == 27
        assert second.numpy().tolist() == [0, 0]


def test_output_gradients_weigh_the_target():
    x = mt.constant([1.0, 2.0])
    with mt.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    assert tape.gradient(y, x, output_gradients=np.array([10.0, 100.0])).numpy().tolist() == [
        20,
        400,
    ]


def test_output_gradients_of_another_shape_are_an_error():
    x = mt.constant([1.0, 2.0])
    with mt.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    with pytest.raises(ValueError, match=r"\(3,\).*\(2,\)"):
        tape.gradient(y, x, output_gradients=mt.ones([3]))


def test_several_targets_are_added():
    x = mt.constant(3.0)
    with mt.GradientTape() as tape:
        tape.watch(x)
        targets = {"a": x * x, "b": [2 * x]}
    assert tape.gradient(targets, x).numpy() == 8


def test_the_structure_of_the_sources_is_kept():
    class Pair(NamedTuple):
        a: object
        b: object

    x, y = mt.constant(3.0), mt.constant(4.0)
    with mt.GradientTape() as tape:
        tape.watch([x, y])
        z = x * y
    answer = tape.gradient(z, {"second": [y], "pair": Pair(x, (y, x))})
    assert list(answer) == ["second", "pair"]
    assert isinstance(answer["pair"], Pair)
    assert answer["second"][0].numpy() == 3
    assert answer["pair"].a.numpy() == 4
    assert [g.numpy() for g in answer["pair"].b] == [3, 4]


def test_the_gradient_of_a_target_to_itself_is_its_cotangent():
    x = mt.constant([3.0, 1.0])
    with mt.GradientTape() as tape:
        tape.watch(x)
    assert tape.gradient(x, x).numpy().tolist() == [1, 1]


def test_a_source_in_the_middle_stops_nothing():
    x = mt.constant(3.0)
    with mt.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        z = y * y
    gradients = tape.gradient(z, [x, y])
    assert [g.numpy() for g in gradients] == [4 * 27, 18]


def test_sources_that_are_no_tensors_are_a_type_error():
    with mt.GradientTape() as tape:
        pass
    with pytest.raises(TypeError, match="sources"):
        tape.gradient(mt.constant(1.0), 3.0)


def test_stop_gradient_is_a_constant_to_every_order():
    x = mt.constant(3.0)
    with mt.GradientTape() as outer:
        outer.watch(x)
        with mt.GradientTape() as inner:
            inner.watch(x)
            y = cube(x) * mt.stop_gradient(x)
        first = inner.gradient(y, x)
    assert first.numpy() == 81
    assert outer.gradient(first, x).numpy() == 54


# ----- tapes around tapes -----


def test_a_tape_around_a_tape_gives_the_second_order():
    x = mt.constant(2.0)
    with mt.GradientTape() as outer:
        outer.watch(x)
        with mt.GradientTape() as inner:
            inner.watch(x)
            y = cube(x)
        first = inner.gradient(y, x)
    assert outer.gradient(first, x).numpy() == 12


def test_five_tapes_give_the_fifth_order():
    x = mt.constant(np.float64(2.0))

    def derivative(order):
        if not order:
            return x**6
        with mt.GradientTape() as tape:
            tape.watch(x)
            y = derivative(order - 1)
        return tape.gradient(y, x)

    assert [derivative(k).numpy() for k in range(7)] == [64, 192, 480, 960, 1440, 1440, 720]


def test_an_inner_tape_does_not_see_what_the_outer_watches():
    x = mt.constant(2.0)
    with mt.GradientTape() as outer:
        outer.watch(x)
        with mt.GradientTape() as inner:
            y = cube(x)
        assert inner.gradient(y, x) is None
    assert outer.gradient(y, x).numpy() == 12


def test_a_persistent_tape_can_be_differentiated_by_itself():
    x = mt.constant(2.0)
    with mt.GradientTape(persistent=True) as tape:
        tape.watch(x)
        first = tape.gradient(cube(x), x)
    assert tape.gradient(first, x).numpy() == 12


# ----- variables -----


def test_trainable_variables_are_watched_when_they_are_read():
    v, frozen = mt.Variable(3.0), mt.Variable(2.0, trainable=False)
    with mt.GradientTape() as tape:
        y = v * v * frozen
    assert [w is v for w in tape.watched_variables()] == [True]
    gradients = tape.gradient(y, [v, frozen])
    assert gradients[0].numpy() == 12
    assert gradients[1] is None


def test_a_frozen_variable_can_be_watched():
    frozen = mt.Variable(2.0, trainable=False)
    with mt.GradientTape() as tape:
        tape.watch(frozen)
        y = cube(frozen)
    assert tape.gradient(y, frozen).numpy() == 12


def test_watch_accessed_variables_false_watches_none():
    v = mt.Variable(3.0)
    with mt.GradientTape(watch_accessed_variables=False) as tape:
        y = v * v
    assert tape.watched_variables() == ()
    assert tape.gradient(y, v) is None


def test_all_reads_of_a_variable_are_added():
    v = mt.Variable(3.0)
    with mt.GradientTape() as tape:
        y = v * v + v.read_value() * 2.0 + mt.identity(v)
    assert tape.gradient(y, v).numpy() == 9


def test_an_assignment_in_between_changes_later_reads_only():
    v = mt.Variable(3.0)
    with mt.GradientTape() as tape:
        before = v * v
        v.assign(10.0)
        y = before + v * v
    assert y.numpy() == 109
    assert tape.gradient(y, v).numpy() == 26


def test_a_tensor_read_from_a_variable_does_not_change_with_it():
    v = mt.Variable([1.0])
    read = v.value()
    v.assign_add([5.0])
    assert read.numpy().tolist() == [1]
    assert v.numpy().tolist() == [6]


def test_a_gradient_sees_a_numpy_array_as_it_was():
    w, x = mt.Variable(2.0), np.ones(2, np.float32)
    with mt.GradientTape() as tape:
        y = mt.reduce_sum(w * x)
    x[:] = 100
    assert tape.gradient(y, w).numpy() == 2.0


def test_a_gradient_sees_an_index_as_it_was():
    x, index = mt.constant([1.0, 2.0, 3.0]), np.array([0, 0])
    with mt.GradientTape() as tape:
        tape.watch(x)
        y = mt.reduce_sum(x[index])
    index[:] = 2
    assert tape.gradient(y, x).numpy().tolist() == [2.0, 0.0, 0.0]


def test_assign_checks_shape_and_type():
    v = mt.Variable([1.0, 2.0])
    with pytest.raises(ValueError, match=r"\(3,\).*\(2,\)"):
        v.assign([1.0, 2.0, 3.0])
    with pytest.raises(TypeError, match="float64"):
        v.assign(mt.constant([1.0, 2.0], "float64"))
    with pytest.raises(ValueError, match=r"\(\).*\(2,\)"):
        v.assign_sub(1.0)


def test_variables_serve_wherever_tensors_do():
    v = mt.Variable([[1.0, 2.0]])
    assert (v @ mt.transpose(v)).numpy().tolist() == [[5.0]]
    assert mt.reduce_sum(v).numpy() == 3
    assert mt.concat([v, v], 0).shape == (2, 2)
    assert mt.constant([v[0, 0], 7.0]).numpy().tolist() == [1, 7]


# ----- against TensorFlow -----


def logsumexp_with_its_own_gradient(m):
    @m.custom_gradient
    def log1pexp(x):
        e = m.exp(x)
        return m.math.log(1 + e), lambda upstream: upstream * (1 - 1 / (1 + e))

    return log1pexp


def custom_second_order(m):
    f, x = logsumexp_with_its_own_gradient(m), m.constant(np.array([0.3, -1.0, 2.0]))
    with m.GradientTape() as outer:
        outer.watch(x)
        with m.GradientTape() as inner:
            inner.watch(x)
            y = f(x * x)
        first = inner.gradient(y, x)
    return [y, first, outer.gradient(first, x)]


def custom_with_two_arguments_and_results(m):
    @m.custom_gradient
    def f(x, y):
        return (x + y, x * y), lambda a, b: (3 * a + b, b * x)

    x, y = m.constant([1.0, 2.0]), m.constant([3.0, 4.0])
    with m.GradientTape(persistent=True) as tape:
        tape.watch([x, y])
        u, v = f(x, y)
    return [u, v, *tape.gradient([u, v], [x, y]), *tape.gradient(v, [x, y])]


def jacobians(m):
    x = m.constant(np.arange(6.0).reshape(2, 3) / 7)
    w = m.constant(np.arange(12.0).reshape(3, 4) / 5)
    with m.GradientTape(persistent=True) as tape:
        tape.watch([x, w])
        y = m.tanh(x @ w)
        corner = y[0, 0]
    both = tape.jacobian(y, [x, w])
    return [*both, tape.jacobian(corner, w), tape.batch_jacobian(y, x)]


def jacobians_of_higher_rank(m):
    x = m.constant(np.arange(12.0).reshape(2, 3, 2) / 7)
    with m.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = m.exp(m.reshape(m.transpose(x, [0, 2, 1]), [2, 6]))
        z = m.reshape(y, [2, 2, 3]) * 2
    return [tape.batch_jacobian(z, x), tape.jacobian(z, x)]


def hessian(m):
    x = m.constant(np.array([0.3, -1.0, 2.0]))
    with m.GradientTape() as outer:
        outer.watch(x)
        with m.GradientTape() as inner:
            inner.watch(x)
            y = m.reduce_prod(m.sin(x)) + m.reduce_sum(x) ** 3
        first = inner.gradient(y, x)
    return [outer.jacobian(first, x)]


def unconnected_jacobians(m):
    x, z = m.constant([1.0, 2.0]), m.constant([3.0])
    with m.GradientTape(persistent=True) as tape:
        tape.watch([x, z])
        y = x * x
    assert tape.jacobian(y, z) is None
    return [tape.jacobian(y, z, unconnected_gradients=m.UnconnectedGradients.ZERO)]


def training(m):
    w, b = m.Variable(np.full([3, 2], 0.1)), m.Variable(np.zeros(2))
    x = m.constant(np.arange(12.0).reshape(4, 3) / 10)
    for _ in range(5):
        with m.GradientTape() as tape:
            loss = m.reduce_mean((m.sigmoid(x @ w + b) - 0.25) ** 2)
        for v, g in zip([w, b], tape.gradient(loss, [w, b]), strict=True):
            v.assign_sub(0.5 * g)
    return [w, b, loss]


def two_variables_share_a_value(m):
    a = m.Variable(2.0)
    b = m.Variable(a)
    with m.GradientTape() as tape:
        y = a * a * b
    return tape.gradient(y, [a, b])


PROGRAMS = [
    custom_second_order,
    custom_with_two_arguments_and_results,
    jacobians,
    jacobians_of_higher_rank,
    hessian,
    unconnected_jacobians,
    training,
    two_variables_share_a_value,
]


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_give_what_tensorflow_gives(tf, program):
    for ours, theirs in zip(program(mt), program(tf), strict=True):
        assert tuple(ours.shape) == tuple(theirs.shape)
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-12, atol=1e-15)


def test_custom_gradient_wants_one_gradient_per_argument():
    f = mt.custom_gradient(lambda x, y: (x * y, lambda g: g))
    x = mt.constant(1.0)
    with mt.GradientTape() as tape:
        tape.watch(x)
        y = f(x, x)
    with pytest.raises(ValueError, match="1 gradients for 2 arguments"):
        tape.gradient(y, x)


def test_custom_gradient_hides_what_its_function_computed():
    @mt.custom_gradient
    def straight_through(x):
        return mt.round(x), lambda g: g

    x = mt.constant([0.4, 1.6])
    with mt.GradientTape() as tape:
        tape.watch(x)
        y = straight_through(x) * 3.0
    assert tape.gradient(y, x).numpy().tolist() == [3, 3]


def test_batch_jacobian_wants_one_row_per_example():
    x = mt.ones([2, 3])
    with mt.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x[:1] * 2.0
    with pytest.raises(ValueError, match="one row per example"):
        tape.batch_jacobian(y, x)


# ----- check_gradients -----


def test_check_gradients_finds_a_wrong_first_order():
    wrong = mt.custom_gradient(lambda x: (x * x, lambda g: g * 2.1 * x))
    with pytest.raises(AssertionError, match=r"order 1, arguments \(0,\)"):
        mt.check_gradients(wrong, np.array([1.0, 2.0]))


def test_check_gradients_finds_a_wrong_second_order():
    wrong = mt.custom_gradient(lambda x: (x * x, lambda g: g * 2.0 * mt.stop_gradient(x)))
    mt.check_gradients(wrong, np.array([1.0, 2.0]), order=1)
    with pytest.raises(AssertionError, match="order 2"):
        mt.check_gradients(wrong, np.array([1.0, 2.0]), order=2)


def test_check_gradients_reports_every_order_and_argument():
    report = mt.check_gradients(lambda x, y: x * x * y, np.array([0.5]), np.array([3.0]))
    found = [line.arguments for line in report.lines]
    assert found == [(0,), (0, 0), (0, 1), (1,), (1, 0), (1, 1)]
    slopes = [abs(line.tape) for line in report.lines]  # projected on +1 or -1
    np.testing.assert_allclose(slopes, [3, 6, 1, 0.25, 1, 0])
    assert report.order == 2
    assert 0 < report.worst.error <= report.worst.bound
    bounds = [line.bound for line in report.lines]  # of the larger side, at least 1
    np.testing.assert_allclose(bounds, [3e-6, 6e-6, 1e-6, 1e-6, 1e-6, 1e-6])
    printed = str(report).splitlines()
    assert len(printed) == 7
    assert printed[2].split()[:3] == ["2", "0,", "0"]


def test_check_gradients_wants_float64():
    with pytest.raises(TypeError, match="float64"):
        mt.check_gradients(cube, mt.constant([1.0]))


# ----- tensors -----


def test_tensors_print_their_shape_type_and_numbers():
    assert repr(mt.constant(1.5)) == "<minitensor.Tensor: shape=(), dtype=float32, numpy=1.5>"
    assert str(mt.constant([1, 2])) == "minitensor.Tensor([1 2], shape=(2,), dtype=int32)"


def test_numpy_gives_a_copy():
    x = mt.constant([1.0, 2.0])
    x.numpy()[:] = 7
    assert x.numpy().tolist() == [1, 2]


def test_a_tensor_seen_as_an_array_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(mt.constant([1.0, 2.0]))[0] = 7


def test_tensors_are_keys_by_reference_only():
    x = mt.constant([1.0])
    assert {x.ref(): 1}[x.ref()] == 1
    assert x.ref().deref() is x
    with pytest.raises(TypeError, match=r"ref\(\)"):
        hash(x)


def test_a_tensor_of_one_number_is_a_number():
    x = mt.constant(3)
    assert (int(x), float(x), bool(x), [10, 20, 30, 40][x], f"{x:03d}") == (3, 3.0, True, 40, "003")


def test_shapes_answer_to_tensorflows_names():
    shape = mt.zeros([2, 3]).shape
    assert (shape.rank, shape.as_list(), shape.num_elements()) == (2, [2, 3], 6)
    assert shape == mt.zeros([2, 3]).get_shape() == (2, 3)


@pytest.mark.parametrize(
    "method", ["__init__", "watch", "gradient", "jacobian", "batch_jacobian", "reset"]
)
def test_a_tape_takes_the_arguments_of_tensorflows(tf, method):
    ours, theirs = (
        list(inspect.signature(getattr(tape, method)).parameters)
        for tape in (mt.GradientTape, tf.GradientTape)
    )
    assert ours == theirs


def test_a_custom_gradient_of_another_shape_is_refused():
    @mt.custom_gradient
    def wrong(x):
        return x * 1.0, lambda g: mt.ones([5])

    x = mt.constant([1.0, 2.0])
    with mt.GradientTape() as tape:
        tape.watch(x)
        y = wrong(x)
    with pytest.raises(ValueError, match=r"shape \(5,\).*shape \(2,\)"):
        tape.gradient(y, x)


def test_the_jacobian_of_nothing_is_empty():
    x = mt.constant([1.0, 2.0])
    with mt.GradientTape() as tape:
        tape.watch(x)
        y = x[2:]
    assert tape.jacobian(y, x).shape == (0, 2)


def test_an_integer_target_has_no_jacobian():
    x = mt.constant([1.0, 2.0])
    with mt.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = mt.cast(x, mt.int32)
    assert tape.jacobian(y, x) is None
    assert tape.batch_jacobian(y, x) is None


def test_the_batch_jacobian_of_no_examples_is_empty():
    x = mt.zeros([0, 2])
    with mt.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    assert tape.batch_jacobian(y, x).shape == (0, 2, 2)


def test_a_custom_gradient_reaches_the_variables_its_function_reads(tf):
    def program(lib):
        v, x = lib.Variable(3.0), lib.constant(2.0)

        @lib.custom_gradient
        def f(x):
            return x * v, lambda g, variables=None: (g * v, [g * x])

        with lib.GradientTape() as tape:
            tape.watch(x)
            z = f(x)
        return [g.numpy() for g in tape.gradient(z, [x, v])]

    assert program(mt) == program(tf) == [3.0, 2.0]


def test_a_custom_gradient_that_forgets_the_variables_is_refused():
    v, x = mt.Variable(3.0), mt.constant(2.0)

    @mt.custom_gradient
    def f(x):
        return x * v, lambda g: g * v

    with mt.GradientTape() as tape:
        tape.watch(x)
        z = f(x)
    with pytest.raises(TypeError, match="variables"):
        tape.gradient(z, [x, v])


# ----- an op of a user's own whose derivative is wrong: told with op and argument -----


@primitive
def weighted(be, x, weight, *, power=1):
    return x * weight**power


def walk_back(op, *inputs, **settings):
    tensors = [mt.constant(i) for i in inputs]
    with mt.GradientTape() as tape:
        for tensor in tensors:
            tape.watch(tensor)
        y = op(*tensors, **settings)
    return tape.gradient(y, tensors)


def good(g, y, x, weight, *, power=1):
    return g


def test_a_primitive_with_fewer_derivatives_than_arguments_is_refused_at_once():
    with pytest.raises(TypeError, match=r"weighted: 1 derivatives for 2 arguments \(x, weight\)"):
        weighted.defvjp(good)


def test_a_primitive_of_any_number_of_arguments_names_the_one_without_a_derivative():
    @primitive
    def total(be, *xs):
        return sum(xs)

    total.defvjp(lambda g, y, *xs: g)
    with pytest.raises(TypeError, match=r"total: there is no derivative in xs\[1\]"):
        walk_back(total, 1.0, 2.0)


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        (lambda g, x: g, TypeError, r"derivative in weight takes \(g, x\).*\(g, y, x, weight,"),
        (lambda g, y, x, weight: g, TypeError, r"derivative in weight takes.*power=2"),
        (lambda g, y, x, weight, power: 1.0, TypeError, "derivative in weight is float"),
        (lambda g, y, x, weight, power: mt.ones([5]), ValueError, r"weight has shape \(5,\) but"),
    ],
    ids=["arity", "settings", "no tensor", "shape"],
)
def test_a_wrong_derivative_of_a_primitive_is_told(wrong, error, words):
    weighted.defvjp(good, wrong)
    with pytest.raises(error, match=f"weighted: .*{words}"):
        walk_back(weighted, [1.0, 2.0], [3.0, 4.0], power=2)


def test_an_error_inside_a_derivative_is_left_as_it_is():
    weighted.defvjp(good, lambda g, y, x, weight, power: len(3))
    with pytest.raises(TypeError, match=r"^object of type 'int' has no len\(\)"):
        walk_back(weighted, [1.0], [2.0], power=2)


def test_a_joint_derivative_gives_one_for_each_argument():
    weighted.defvjp_jointly(lambda wanted, g, y, x, weight: [g])
    with pytest.raises(ValueError, match="weighted: 1 derivatives came for 2 arguments"):
        walk_back(weighted, [1.0], [2.0])


@pytest.mark.parametrize(
    ("returned", "error", "words"),
    [
        (lambda x, scale: x, TypeError, r"scaled must return \(result, grad_fn\).*Tensor"),
        (lambda x, scale: (x, lambda: x), TypeError, r"grad_fn of scaled takes \(\) but.*result 0"),
        (lambda x, scale: (x, lambda g: g), ValueError, r"scaled.*1 gradients.*\(x, scale\)"),
        (
            lambda x, scale: (x, lambda g: (g, mt.ones([5]))),
            ValueError,
            r"gradient of scaled in scale has shape \(5,\) but scale has shape \(2,\)",
        ),
    ],
    ids=["no pair", "arity", "missing", "shape"],
)
def test_a_wrong_custom_gradient_is_told(returned, error, words):
    @mt.custom_gradient
    def scaled(x, scale):
        return returned(x * 1.0, scale)

    with pytest.raises(error, match=f"custom_gradient: .*{words}"):
        walk_back(scaled, [1.0, 2.0], [3.0, 4.0])


def _pooled(lib, x):
    return lib.nn.max_pool2d(lib.reshape(x, [1, 1, 2, 1]), 2, 1, "SAME")


@pytest.mark.parametrize("op", ["relu", "relu6", "leaky_relu", "max_pool2d"])
def test_a_second_derivative_behind_a_corner_is_zero_and_not_unconnected(tf, op):
    def program(lib):
        x, b = lib.constant([[1.0, -2.0]]), lib.Variable([0.1, 0.1])
        with lib.GradientTape() as outer:
            with lib.GradientTape() as inner:
                inner.watch(x)
                y = _pooled(lib, x + b) if op == "max_pool2d" else getattr(lib.nn, op)(x + b)
            penalty = lib.reduce_sum(inner.gradient(y, x) ** 2)
        return outer.gradient(penalty, b).numpy().tolist()

    assert program(mt) == program(tf) == [0.0, 0.0]


def test_a_list_of_numbers_is_one_output_gradient():
    x = mt.constant([1.0, 2.0])
    with mt.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    assert tape.gradient(y, x, [1.0, 10.0]).numpy().tolist() == [2.0, 40.0]


def test_shapes_add_and_compare_as_tensorflows(tf):
    for lib in (mt, tf):
        shape = lib.zeros([2, 3, 4]).shape
        assert (shape + [1]).as_list() == [2, 3, 4, 1]  # noqa: RUF005
        assert ([1] + shape).as_list() == [1, 2, 3, 4]  # noqa: RUF005
        assert shape == [2, 3, 4]
        assert shape[1:].as_list() == [3, 4]
        assert shape.concatenate([5]).as_list() == [2, 3, 4, 5]


def test_a_list_is_an_index_as_a_tuple_is(tf):
    values = np.arange(24.0).reshape(2, 3, 4)
    assert mt.constant(values)[[0, 1]].shape == tf.constant(values)[[0, 1]].shape == (4,)


def test_numpy_float64_in_a_list_keeps_its_digits(tf):
    for lib in (mt, tf):
        assert lib.constant([np.float64(1), 2]).dtype == np.float64
        assert lib.constant([1.0, 2]).dtype == np.float32


@pytest.mark.parametrize("value", [1j, np.longdouble(1), np.zeros(2, "i4,f4"), None])
def test_elements_that_no_op_knows_are_refused(value):
    with pytest.raises(TypeError, match=r"value (has elements|must be)"):
        mt.constant(value)
