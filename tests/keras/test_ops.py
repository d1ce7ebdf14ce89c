"""keras.ops is Keras': names, arguments, types, values, gradients."""

import inspect

import keras_ops
import numpy as np
import pytest

import minitensor as mt
from minitensor.autograd.tree import flatten

# ----- names -----


def parameters(function):
    return [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]


def named(module):
    """{"mean": ..., "image.resize": ...}: the functions, and those of the modules inside."""
    for name in (n for n in dir(module) if n[0] != "_"):
        thing = getattr(module, name)
        if inspect.ismodule(thing) and name in ("image", "linalg", "nn", "numpy"):
            yield from ((f"{name}.{n}", f) for n, f in named(thing))
        elif inspect.isfunction(thing):
            yield name, thing


def test_every_name_of_keras_is_there_with_its_arguments_or_is_left_out_with_a_reason(tf):
    ops, wrong = mt.keras.ops, {}
    for name, theirs in named(tf.keras.ops):
        place, _, last = name.rpartition(".")
        home = getattr(ops, place) if place else ops
        if last in ops.LEFT_OUT:
            with pytest.raises(AttributeError, match=f"no keras.ops.{name}: .* left out"):
                getattr(home, last)
        elif parameters(getattr(home, last)) != parameters(theirs):
            wrong[name] = parameters(getattr(home, last)), parameters(theirs)
    assert not wrong


def test_there_is_no_name_that_keras_lacks(tf):
    for ours, theirs in ((mt.keras.ops, tf.keras.ops), (mt.keras.ops.image, tf.keras.ops.image)):
        assert not set(ours.__all__) - set(dir(theirs))


# ----- values, types, gradients -----

CASES = keras_ops.cases()
# TensorFlow has no gradient here, or one that is not its function's.
UNTAUGHT = ("image.hsv_to_rgb", "slice_update", "image.affine", "image.persp", "bincount")


def run(lib, ops, call, slopes=True):
    """The results of a call, and the gradients of their sum with random weights."""
    names = keras_ops.used(call)
    tensors = {name: lib.constant(keras_ops.ARRAYS[name]) for name in names}
    floats = [name for name in names if keras_ops.ARRAYS[name].dtype == "float32"]
    with lib.GradientTape() as tape:
        tape.watch([tensors[name] for name in floats])
        found = flatten(keras_ops.called(call, ops, tensors))
        floating = [y for y in found if str(getattr(y, "dtype", "")).count("float32")]
        total = sum(lib.reduce_sum(y * weights(y)) for y in floating)
    if not floating or not slopes or call.startswith(UNTAUGHT):
        return found, []
    try:
        gradients = tape.gradient(total, [tensors[name] for name in floats])
    except LookupError:  # TensorFlow has none
        return found, None
    return found, [0 if g is None else np.asarray(lib.convert_to_tensor(g)) for g in gradients]


def weights(y):
    return np.cos(np.arange(np.prod(y.shape, dtype=int)).reshape(y.shape)).astype("float32")


def kind(y):
    return getattr(getattr(y, "dtype", None), "name", None) or type(y).__name__


def difference(mine, other):
    """What is not as it should be, in words; nothing if all is."""
    if [kind(y) for y in mine[0]] != [kind(y) for y in other[0]]:
        return f"types {[kind(y) for y in mine[0]]}, Keras {[kind(y) for y in other[0]]}"
    for what, ours, theirs in zip(("value", "slope"), mine, other, strict=True):
        if theirs is None:
            continue
        for a, b in zip(map(np.asarray, ours), map(np.asarray, theirs), strict=True):
            near = 2e-2 if a.dtype == "float16" else 2e-4
            wide = a.astype("float64"), b.astype("float64")
            shapes = a.shape == b.shape or (what == "slope" and not a.any() and not b.any())
            if not shapes or not np.allclose(*wide, near, near, equal_nan=True):
                return f"{what} {a.tolist()}, Keras {b.tolist()}"
    return ""


TRUTHS = "conj conjugate negative real imag sign erf erfc round logsumexp relu"
PAIRS = """add subtract multiply maximum minimum fmax fmin hypot less less_equal greater
    greater_equal heaviside kron"""
KERAS_REFUSES = {
    *(f"{name}(b)" for name in TRUTHS.split()),
    *(f"{name}(b, b)" for name in PAIRS.split()),
    *(f"{name}({x})" for name in ("erf", "erfc", "logsumexp") for x in "ilus"),
    *("negative(u)", "rsqrt(j)", "rsqrt(u)", "reciprocal(j)", "reciprocal(u)"),
    'conv(T, W, (2, 1), "same", "channels_first")',  # without oneDNN
}


def test_every_call_gives_what_keras_gives(tf):
    wrong, refused = {}, []
    for call in CASES:
        try:
            theirs = run(tf, tf.keras.ops, call)
        except (TypeError, tf.errors.OpError):
            refused.append(call)  # nothing to compare with: mostly truths and small integers
            continue
        if said := difference(run(mt, mt.keras.ops, call), theirs):
            wrong[call] = said
    assert not wrong
    assert set(refused) <= KERAS_REFUSES


def test_every_function_is_called(tf):
    tried = {name for call in CASES for name in keras_ops.names_in(call)}
    tried |= {call.partition("(")[0] for call in CASES}
    ops = mt.keras.ops
    functions = {name for name in ops.__all__ if inspect.isfunction(getattr(ops, name))}
    functions |= {f"image.{name}" for name in ops.image.__all__}
    assert functions - tried == {
        *("convert_to_numpy", "dtype", "ndim", "vectorize"),  # below
        *("argpartition", "sparsemax", "image.elastic_transform"),  # wrong in Keras; draws
    }


KERAS_IS_WRONG = {  # as NumPy says
    "eye(2, 4, 1)": lambda a: np.eye(2, 4, 1, "float32"),
    "isclose(O, O, equal_nan=True)": lambda a: np.isclose(a["O"], a["O"], equal_nan=True),
    "rot90(C, 2, (0, 2))": lambda a: np.rot90(a["C"], 2, (0, 2)),
    "trace(C, 1, 0, 2)": lambda a: np.trace(a["C"], 1, 0, 2),
    "vstack([B, B])": lambda a: np.vstack([a["B"], a["B"]]),
    "pad(A, 1)": lambda a: np.pad(a["A"], 1),
    "quantile(A, 0.4, method='midpoint')": lambda a: np.quantile(a["A"], 0.4, method="midpoint"),
    "sort(argpartition(A, 1)[:, :2])": lambda a: np.sort(np.argsort(a["A"])[:, :2]),
    "vectorize(lambda x, y: x * y)(A, B)": lambda a: a["A"] * a["B"],
    "array_split(C, [1, 2], axis=2)[2]": lambda a: a["C"][:, :, 2:],
    "nextafter(B, B + 1)": lambda a: np.nextafter(a["B"], a["B"] + 1),
    "sum(sparsemax(C), -1)": lambda a: np.ones((2, 3)),
    "segment_sum(t, t, 2)": lambda a: np.array([0, 1]),
    "histogram(C)[0]": lambda a: np.histogram(a["C"])[0],
}


@pytest.mark.parametrize("call", KERAS_IS_WRONG)
def test_where_keras_fails_or_is_wrong_it_is_what_numpy_says(call):
    found = keras_ops.called(call, mt.keras.ops, map_to_tensors())
    np.testing.assert_allclose(np.asarray(found), KERAS_IS_WRONG[call](keras_ops.ARRAYS), 1e-6)


def map_to_tensors(place="cpu"):
    return {name: mt.to_device(x, place) for name, x in keras_ops.ARRAYS.items()}


def test_names_and_numbers_that_are_no_tensors():
    ops, x = mt.keras.ops, mt.constant(keras_ops.ARRAYS["A"])
    assert (ops.dtype(x), ops.ndim(x), ops.shape(x)) == ("float32", 2, (2, 3))
    assert isinstance(ops.convert_to_numpy(x), np.ndarray)


def test_noise_moves_pixels_and_a_seed_repeats_it():
    images = mt.constant(keras_ops.ARRAYS["S"])
    one, same = (mt.keras.ops.image.elastic_transform(images, 3.0, 1.0, seed=3) for _ in "ab")
    assert np.array_equal(one, same)
    assert one.shape == images.shape
    assert not np.allclose(one, images, atol=1e-2)
    still = mt.keras.ops.image.elastic_transform(images, 0.0, 1.0, seed=3)
    np.testing.assert_allclose(still, images, atol=1e-6)


@pytest.mark.parametrize("call", [c for c in CASES if c.startswith(UNTAUGHT) and "v" not in c])
def test_gradients_that_tensorflow_lacks_are_those_of_differences(call):
    names = [n for n in keras_ops.used(call) if n.isupper()]
    given = map_to_tensors()

    def function(*xs):
        return keras_ops.called(call, mt.keras.ops, given | dict(zip(names, xs, strict=True)))

    mt.check_gradients(function, *(keras_ops.ARRAYS[n].astype("float64") for n in names))


SAMPLE = [call for call in CASES[::9] if call not in KERAS_REFUSES]


@pytest.mark.parametrize("call", SAMPLE)
def test_on_the_emulator_it_is_what_it_is_on_numpy(call):
    found = keras_ops.called(call, mt.keras.ops, map_to_tensors("emulator"))
    expected = keras_ops.called(call, mt.keras.ops, map_to_tensors())
    for a, b in zip(flatten(found), flatten(expected), strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), 1e-5, 1e-6)


if __name__ == "__main__":
    import sys

    import tensorflow as tf

    wanted = sys.argv[1:]
    bad = 0
    for call in CASES:
        if wanted and not any(w in call for w in wanted):
            continue
        try:
            said = difference(run(mt, mt.keras.ops, call), run(tf, tf.keras.ops, call))
        except Exception as e:
            said = f"{type(e).__name__}: {str(e)[:300]}"
        if said:
            bad += 1
            print(call, "\n      ", said[:400])
    print(len(CASES), bad)


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (lambda ops, x: ops.clip(x, -0.7, 0.9), [-0.7, 0.1, 0.9]),
        (lambda ops, x: ops.pad(x, [[1, 0]], constant_values=0.7), [0.7, -2.0, 0.1, 3.0]),
        (lambda ops, x: ops.full_like(x, 0.7), [0.7, 0.7, 0.7]),
        (lambda ops, x: ops.full([2], 0.7, "float64"), [0.7, 0.7]),
        (lambda ops, x: ops.max(x, initial=3.3), 3.3),
        (lambda ops, x: ops.trapezoid(x, dx=0.7), 0.7 * (-2 / 2 + 0.1 + 3 / 2)),
        (lambda ops, x: ops.quantile(x, 0.7), 0.1 + 0.4 * 2.9),
    ],
    ids=["clip", "pad", "full_like", "full", "max", "trapezoid", "quantile"],
)
def test_a_number_of_python_beside_float64_is_not_rounded_to_float32(act, expected):
    found = act(mt.keras.ops, mt.constant([-2.0, 0.1, 3.0], "float64"))
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-14)
