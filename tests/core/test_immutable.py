"""A tensor never changes and a variable changes by `assign` alone, whoever holds the memory."""

import operator

import numpy as np
import pytest

import minitensor as mt
from minitensor.keras.engine.weight import Weight

RAISED = (operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ipow)
NEW_TENSOR = (operator.ifloordiv, operator.imod)


@pytest.mark.parametrize("operation", RAISED)
def test_a_variable_is_not_changed_by_an_operator_with_an_equals_sign(tf, operation):
    ours = [mt.Variable([1.0, 2.0]), mt.Variable([1, 2]), Weight([1.0, 2.0], name="kernel")]
    for variable in [*ours, tf.Variable([1.0, 2.0])]:
        words = "assign_add" if operation is operator.iadd else "assign"
        for value in (1, [1, 1], variable):
            with pytest.raises(RuntimeError, match=words):
                operation(variable, value)
        assert np.asarray(variable).tolist() == [1, 2]


@pytest.mark.parametrize("operation", NEW_TENSOR)
def test_other_operators_make_a_new_tensor_as_in_tensorflow(tf, operation):
    for library in (mt, tf):
        variable = library.Variable([5.0, 2.0])
        result = operation(variable, 2.0)
        assert not isinstance(result, library.Variable)
        assert np.asarray(variable).tolist() == [5, 2]


def test_a_tensor_and_an_equals_sign_make_a_new_tensor():
    tensor = before = mt.constant([1.0])
    tensor += 1
    assert (tensor.numpy(), before.numpy()) == ([2], [1])


SHARED = {
    "asarray": np.asarray,
    "a view": lambda x: np.asarray(x)[:1].view(),
    "dlpack": np.from_dlpack,
    "copy=None": lambda x: np.array(x, copy=None),
}


@pytest.mark.parametrize("how", SHARED)
@pytest.mark.parametrize("dtype", ["float32", "float16", "int8", "bool"])
def test_nobody_writes_into_a_tensor_through_an_array(how, dtype):
    for tensor in (
        mt.ones([3], dtype),
        mt.ones([2, 3], dtype)[1],
        mt.transpose(mt.ones([3, 2], dtype)),
    ):
        before = tensor.numpy()
        array = SHARED[how](tensor)
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.flags.writeable = True
        assert array.dtype == dtype
        np.testing.assert_array_equal(tensor.numpy(), before)


def test_a_consumer_that_cannot_read_only_gets_a_copy():
    tensor = mt.constant([1.0, 2.0])

    class Old:  # asks as consumers did before DLPack 1.0
        def __dlpack__(self, **options):
            return tensor.__dlpack__()

        def __dlpack_device__(self):
            return tensor.__dlpack_device__()

    array = np.from_dlpack(Old())
    if array.flags.writeable:
        array[0] = 7
    assert tensor.numpy().tolist() == [1, 2]


def test_bfloat16_is_read_only_too():
    tensor = mt.cast([1.0, 2.0], mt.bfloat16)
    array = np.asarray(tensor)
    assert array.dtype == tensor.dtype
    with pytest.raises(ValueError, match="WRITEABLE"):
        array.flags.writeable = True


def test_a_copy_is_the_callers():
    tensor = mt.constant([1.0, 2.0])
    for array in (tensor.numpy(), np.array(tensor), np.asarray(tensor, copy=True)):
        array[0] = 7
    assert tensor.numpy().tolist() == [1, 2]
