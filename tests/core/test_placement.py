"""Where tensors lie: made where they are told to, never moved in silence, never left behind.

A third of the parity table runs on the stand-in for CuPy (fake_cupy.py), whose arrays refuse to
meet NumPy's, so that a forgotten `np.` in an op is an error on every machine; and on a GPU where
there is one. What is computed is another test's concern: here the numbers need only be near.
"""

import threading

import numpy as np
import pytest
from cuda_fixtures import compiler, gpu  # noqa: F401 -- fixtures

import minitensor as mt
from minitensor.backend import cuda
from minitensor.parity.case import draw
from minitensor.parity.cases import table
from minitensor.parity.driver import Side, differentiate, invoke

CASES = [case for case in table() if "float32" in case.dtypes or "int32" in case.dtypes]
OPS = sorted({case.op for case in CASES})
CPU = "/job:localhost/replica:0/task:0/device:CPU:0"
GPU = "/job:localhost/replica:0/task:0/device:GPU:0"


pytestmark = pytest.mark.usefixtures("gpu")


def there(array):
    """A NumPy array as a tensor of the GPU."""
    return mt.to_device(mt.constant(array), "gpu")


def brought(tensor):
    """Back to NumPy, from the GPU and from nowhere else."""
    assert tensor.device == GPU
    assert type(tensor.array).__module__ == "cupy"
    return tensor.numpy()


def assert_near(found, expected, words=""):
    """Shapes and dtypes are equal, and numbers up to what the order of sums may change."""
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype), words
    largest = np.abs(expected[np.isfinite(expected)]).max(initial=1)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * largest, err_msg=words)


HERE = Side(mt, mt.constant, lambda tensor: tensor.numpy())
THERE = Side(mt, there, brought)


def answers(side, case, dtype, order):
    tensors = [side.tensor(array) for array in draw(case, dtype)]
    with np.errstate(all="ignore"):
        orders = differentiate(side, side.function(case.op), case, tensors, order)
    return [[side.array(y) for y in part] for part in orders]


ELSEWHERE = (
    *("parity.dropout", "nn.conv2d_matrix"),  # the latter's result is SciPy's
    *("shape", "size", "rank", "parity.einsum_dense_shape"),  # of the host, as in TensorFlow
    "parity.restored_from_a_list",  # a layer lies where it is made
)


@pytest.mark.parametrize("op", [op for op in OPS if not op.startswith(ELSEWHERE)])
def test_all_that_an_op_computes_lies_where_its_tensors_lie(op):
    for case in [case for case in CASES if case.op == op][::3]:
        dtype = "float32" if "float32" in case.dtypes else "int32"
        with mt.device("/GPU:0" if not case.tensors else "/CPU:0"):
            found = answers(THERE, case, dtype, case.orders(dtype))
        expected = answers(HERE, case, dtype, case.orders(dtype))
        for part, others in zip(found, expected, strict=True):
            for y, x in zip(part, others, strict=True):
                assert_near(y, x, str(case))


# ----- what the parity table does not call -----

IMAGE = np.random.default_rng(0).random((2, 6, 6, 3), np.float32)
ROWS = np.random.default_rng(1).random((3, 4), np.float32)
COUNTS = np.array([[2, 0], [1, 1]])
DRAWS = {  # functions of a picture, of a matrix, of small integers
    "image.random_crop": lambda x, m, i: mt.image.random_crop(x, (1, 4, 4, 3), seed=1),
    "image.random_flip_left_right": lambda x, m, i: mt.image.random_flip_left_right(x, seed=1),
    "image.resize": lambda x, m, i: mt.image.resize(x, (4, 9)),
    "image.resize nearest": lambda x, m, i: mt.image.resize(x, (4, 9), "nearest"),
    "image.rgb_to_grayscale": lambda x, m, i: mt.image.rgb_to_grayscale(x),
    "image.adjust_hue": lambda x, m, i: mt.image.adjust_hue(x, 0.1),
    "image.to uint8": lambda x, m, i: mt.image.convert_image_dtype(x, "uint8", saturate=True),
    "image.standardization": lambda x, m, i: mt.image.per_image_standardization(x),
    "nn.dropout": lambda x, m, i: mt.nn.dropout(x, 0.5, seed=1),
    "nn.fractional_max_pool": lambda x, m, i: mt.nn.fractional_max_pool(x, 1.4, seed=1),
    "nn.fractional_avg_pool": lambda x, m, i: mt.nn.fractional_avg_pool(x, 1.4, seed=1),
    "nn.max_pool_with_argmax": lambda x, m, i: mt.nn.max_pool_with_argmax(x, 2, 2, "SAME"),
    "a diagonal": lambda x, m, i: gradient(lambda m: mt.einsum("ii->i", m), m[:, :3]),
    "a mask": lambda x, m, i: mt.boolean_mask(m, m > 0.5),
    "where it holds": lambda x, m, i: mt.where(m > 0.5),
    "rows of rows": lambda x, m, i: mt.gather(m[:2], i, batch_dims=1),
    "rows": lambda x, m, i: mt.gather(m, i),
    "an index array": lambda x, m, i: m[i, [0, 1]],
    "an assignment of rows": lambda x, m, i: mt.one_hot(i, 3),
    "linspace": lambda x, m, i: mt.linspace(m[0], m[1], 4),
    "zeros_like": lambda x, m, i: [mt.zeros_like(m), mt.ones_like(m)],
    "a mirror": lambda x, m, i: mt.pad(m, [[1, 1], [2, 0]], "REFLECT"),
    "constants around": lambda x, m, i: mt.pad(m, [[1, 1], [2, 0]], constant_values=7.0),
    "clip_by_norm": lambda x, m, i: mt.clip_by_norm(m, 0.5),
    "clip_by_global_norm": lambda x, m, i: mt.clip_by_global_norm([m, x], 0.5)[0],
    "norm": lambda x, m, i: mt.norm(m, np.inf, axis=1),
    "nothing": lambda x, m, i: [mt.reduce_max(m[:0], 0), mt.reduce_min(i[:0])],
    "top_k": lambda x, m, i: mt.math.top_k(m, 2),
    "a comparison": lambda x, m, i: [m == 0.5, m == [1.0], m != None],  # noqa: E711
    "a stack": lambda x, m, i: mt.stack([m, np.ones((3, 4), "float32")]),
    "a list of tensors": lambda x, m, i: mt.constant([m[0], [1.0, 2.0, 3.0, 4.0]]),
    "random.normal": lambda x, m, i: mt.random.normal((3, 4), m, 2.0, seed=1),
    "random.uniform": lambda x, m, i: mt.random.uniform((3, 4), 0.0, m, seed=1),
    "random.shuffle": lambda x, m, i: mt.random.shuffle(m, seed=1),
    "a jacobian": lambda x, m, i: jacobian(m[0]),
    "a custom gradient": lambda x, m, i: gradient(mt.custom_gradient(doubled), m),
    "keras.Conv2D": lambda x, m, i: mt.keras.layers.Conv2D(2, 3, kernel_initializer=ones)(x),
}


def ones(shape, dtype=None):
    """A kernel that lies where the `device` block says."""
    return np.ones(shape, dtype)


def doubled(x):
    return x * 2.0, lambda upstream: upstream * np.full(x.shape, 2.0)


def gradient(function, x):
    with mt.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return tape.gradient(y, x, output_gradients=np.ones(y.shape, "float32"))


def jacobian(x):
    with mt.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    return tape.jacobian(y, x)


def flat(found):
    """What a function returns, in one list."""
    return [y for part in found for y in flat(part)] if isinstance(found, list | tuple) else [found]


@pytest.mark.parametrize("name", DRAWS)
def test_what_is_made_inside_an_op_lies_beside_its_tensors(name):
    on = "/GPU:0" if "keras" in name else "/CPU:0"
    arrays = IMAGE, ROWS, COUNTS
    with mt.device(on):
        found = flat(DRAWS[name](*map(there, arrays)))
    expected = flat(DRAWS[name](*map(mt.constant, arrays)))
    for y, x in zip(found, expected, strict=True):
        if isinstance(x, bool):
            assert y is x
        else:
            assert_near(np.asarray(brought(y)), np.asarray(x.numpy()))


@pytest.mark.parametrize("op", sorted({case.op for case in CASES if len(case.tensors) > 1}))
def test_numpy_arrays_go_to_the_tensor_beside_them(op):
    case = next(c for c in CASES if c.op == op and len(c.tensors) > 1)
    kind = "float32" if "float32" in case.dtypes else case.dtypes[0]
    function, arrays = HERE.function(op), draw(case, kind)
    expected = flat(invoke(function, case, [mt.constant(array) for array in arrays]))
    for place in range(len(arrays)):
        mixed = [there(array) if k == place else array for k, array in enumerate(arrays)]
        found = flat(invoke(function, case, mixed))
        for y, x in zip(found, expected, strict=True):
            assert_near(np.asarray(brought(y)), np.asarray(x.numpy()))


# ----- the `device` block -----

MADE = {
    "constant": lambda: mt.constant([1.0, 2.0]),
    "convert_to_tensor": lambda: mt.convert_to_tensor(np.ones(3)),
    "zeros": lambda: mt.zeros([2]),
    "ones": lambda: mt.ones([2]),
    "fill": lambda: mt.fill([2], 7.0),
    "eye": lambda: mt.eye(2),
    "range": lambda: mt.range(3),
    "random.normal": lambda: mt.random.normal([3], seed=1),
    "random.truncated_normal": lambda: mt.random.truncated_normal([3], seed=1),
    "random.uniform": lambda: mt.random.uniform([3], maxval=9, dtype="int32", seed=1),
    "Variable": lambda: mt.Variable([1.0, 2.0]),
    "an op on numbers": lambda: mt.add(1.0, [2.0, 3.0]),
    "an op on arrays": lambda: mt.matmul(np.eye(2), np.ones((2, 2))),
    "shape": lambda: mt.shape(np.ones((2, 3))),
}


@pytest.mark.parametrize("name", MADE)
def test_a_device_block_says_where_new_tensors_are_made(name):
    before = MADE[name]()
    with mt.device("/GPU:0"):
        inside = MADE[name]()
    assert before.device == CPU
    assert inside.device == GPU
    np.testing.assert_array_equal(inside.numpy(), before.numpy(), strict=True)


def test_blocks_are_nested_and_end():
    with mt.device("gpu"):
        with mt.device("/CPU:0"):
            assert mt.constant(1.0).device == CPU
        assert mt.constant(1.0).device == GPU
    assert mt.constant(1.0).device == CPU


def test_a_block_does_not_reach_other_threads():
    found = []
    with mt.device("gpu"):
        thread = threading.Thread(target=lambda: found.append(mt.constant(1.0).device))
        thread.start()
        thread.join()
    assert found == [CPU]


def test_a_block_does_not_move_a_tensor():
    x = mt.constant([1.0])
    with mt.device("gpu"):
        assert (x * 2.0).device == CPU
        assert mt.constant(x).device == CPU


def test_a_variable_is_made_on_the_device_of_the_block_whatever_it_starts_from():
    x = mt.constant([1.0])
    with mt.device("gpu"):
        assert mt.Variable(x).device == GPU
    assert mt.Variable(there([1.0])).device == GPU


def test_a_variable_keeps_its_device():
    with mt.device("gpu"):
        v = mt.Variable([1.0, 2.0])
    v.assign([3.0, 4.0])
    v.assign_add(np.ones(2, "float32"))
    assert v.device == GPU
    assert v.numpy().tolist() == [4.0, 5.0]
    with pytest.raises(TypeError, match=r"cuda and numpy.*to_device"):
        v.assign(mt.constant([1.0, 2.0]))


# ----- moving -----


def test_two_devices_in_one_op_are_refused_by_name():
    with pytest.raises(TypeError, match=r"^add: .*cuda and numpy.*minitensor\.to_device"):
        there([1.0]) + mt.constant([1.0])


def test_moving_there_and_back_changes_no_bit():
    x = mt.constant(IMAGE)
    moved = mt.to_device(x, "/device:GPU:0")
    assert (moved.device, mt.to_device(moved, "cpu").device) == (GPU, CPU)
    np.testing.assert_array_equal(mt.to_device(moved, "cpu").numpy(), IMAGE, strict=True)
    assert mt.to_device(moved, "gpu") is moved


def test_a_gradient_moves_back_and_so_does_the_second():
    x = mt.constant([2.0, 3.0])
    with mt.GradientTape() as outer:
        outer.watch(x)
        with mt.GradientTape() as inner:
            inner.watch(x)
            y = mt.to_device(x, "gpu") ** 3
        first = inner.gradient(y, x)
    second = outer.gradient(first, x)
    assert (y.device, first.device, second.device) == (GPU, CPU, CPU)
    assert first.numpy().tolist() == [12.0, 27.0]
    assert second.numpy().tolist() == [12.0, 18.0]


def test_an_array_of_the_gpu_makes_a_tensor_there():
    x = mt.constant(cuda.asarray(np.array([1.0, 2.0])))
    assert x.device == GPU
    assert (x + 1.0).numpy().tolist() == [2.0, 3.0]
    assert mt.add(cuda.asarray(np.ones(2)), [1.0, 2.0]).device == GPU


# ----- Python's protocols -----


def test_numbers_come_out_of_a_tensor_of_the_gpu():
    x = there(np.float32(2.5))
    assert (float(x), int(x), bool(x), f"{x:.2f}") == (2.5, 2, True, "2.50")
    assert [int(v) for v in there([1, 2, 3])] == [1, 2, 3]
    assert [10, 20, 30][there(1)] == 20
    assert repr(there([1.5])) == repr(mt.constant([1.5]))
    assert str(there([1.5])) == str(mt.constant([1.5]))
    np.testing.assert_array_equal(np.asarray(there([1.5])), [1.5])


def test_check_gradients_works_on_the_gpu():
    mt.check_gradients(lambda x: mt.tanh(x) * x, there(np.array([0.3, -1.2])), order=2)
