"""Arguments of the plain functions: values, shapes and types as TensorFlow answers, and errors.

Expressions are written once, with m for either library, and separated by " | ".
"""

import numpy as np
import pytest

import minitensor as mt

SAME = """
m.range(5) | m.range(5.0) | m.range(1, 2.5, 0.5) | m.range(0, 10, 3, dtype=m.float64)
m.range(5, 0, -2) | m.range(0.0, 10.0, 0.1) | m.range(m.constant(5, m.int64)) | m.range(3, 3)
m.linspace(0.0, 1.0, 5) | m.linspace(0, 1, 3) | m.linspace(0.3, 1.7, 17) | m.linspace(0.0, 1.0, 1)
m.linspace([0.0, 1.0], [1.0, 3.0], 3) | m.linspace([0.0], [1.0, 3.0], 3, axis=-1)
m.one_hot([0, 2, -1, 5], 3) | m.one_hot([0, 2], 3, on_value=5, off_value=1) | m.one_hot(1, 3)
m.one_hot([[0, 2]], 3, axis=1) | m.one_hot([0], 3, axis=0, dtype=m.int32) | m.one_hot([0], 3, 5.0)
m.one_hot([0], 2, True, False) | m.eye(2, 3) | m.eye(2, batch_shape=[2], dtype=m.int32)
m.fill([2, 2], 1) | m.fill([2], 1.5) | m.zeros([2], m.bool) | m.zeros(3) | m.ones([2, 0], m.int64)
m.zeros(m.constant([2, 2])) | m.zeros_like([1, 2]) | m.ones_like([1.0], dtype="int64")
m.constant([1, 2.5]) | m.constant([1, 2**40]) | m.constant([]) | m.constant(300, m.uint8)
m.constant(1, shape=[2, 3]) | m.constant([1, 2, 3, 4], shape=[2, 2]) | m.constant(3, m.float16)
m.constant(np.arange(3)) | m.constant(np.float64(1.5)) | m.constant(True, m.int32)
m.convert_to_tensor([m.constant(1.0), 2]) | m.convert_to_tensor(1, dtype_hint=m.float64)
m.convert_to_tensor([m.constant(1.0, m.float64), 2.0]) | m.convert_to_tensor(1.5, None, m.int32)
m.cast([1.7, -1.7, 300.0], m.int32) | m.cast([300, -1], m.uint8) | m.cast([0.0, 2.0], m.bool)
m.cast(1.5, "int32") | m.cast(True, m.float32) | m.cast(1, float) | m.reshape([1, 2, 3, 4], [-1, 2])
m.reshape([1, 2, 3, 4], 4) | m.reshape(m.zeros([0, 3]), [-1, 3]) | m.reshape([5], [])
m.reshape([1, 2], m.constant([2, 1])) | m.transpose([[1, 2]]) | m.transpose([[1, 2]], [-1, 0])
m.transpose(3) | m.expand_dims([1], -2) | m.expand_dims([1], [0]) | m.squeeze([[1]])
m.squeeze([[1, 2]], [0]) | m.squeeze([[1, 2]], -2) | m.squeeze([[1]], [])
m.concat([[1], [2, 3]], 0) | m.concat([[1.0, 2], [3, 4]], -1) | m.stack([1, 2])
m.stack([[1], [2]], axis=-1) | m.unstack([[1, 2], [3, 4]], axis=1) | m.split([1, 2, 3, 4], 2)
m.split([1, 2, 3, 4], [1, -1]) | m.split([[1, 2, 3, 4]], m.constant([1, 3]), axis=1)
m.pad([1, 2, 3], [[1, 2]]) | m.pad([1, 2, 3], [[1, 2]], "reflect")
m.pad([1], [[1, 1]], "SYMMETRIC") | m.pad([1, 2, 3], m.constant([[3, 2]]), "symmetric")
m.pad([1], [[1, 0]], constant_values=7) | m.gather([10, 20, 30], [0, 2, 1])
m.gather([[1, 2], [3, 4]], [[0, 1], [1, 0]], axis=1)
m.gather([[1, 2], [3, 4]], [[0, 1], [1, 0]], batch_dims=1) | m.gather([[1, 2]], 0, axis=-1)
m.gather([[1, 2], [3, 4]], [[0], [1]], batch_dims=-1) | m.tile([1, 2], [2]) | m.tile([1, 2], [0])
m.broadcast_to([1, 2], [3, 2]) | m.reverse([[1, 2]], [-1]) | m.where([True, False])
m.where([[1, 0], [0, 2]]) | m.where([True, False], 1.0, 2.0) | m.where(True, [1, 2], [[3], [4]])
m.where([True, False], [1, 2], 5) | m.shape([[1, 2]]) | m.shape(3) | m.shape([1, 2], m.int64)
m.size([[1, 2]]) | m.rank([[1, 2]]) | m.slice([1, 2, 3], [1], [-1])
m.slice([[1, 2, 3]], [0, 1], [1, 1])
m.boolean_mask([[1, 2], [3, 4]], [[True, False], [False, True]]) | m.boolean_mask([1, 2], [1, 0])
m.boolean_mask([[1, 2], [3, 4]], [True, False], axis=1) | m.constant([1, 2, 3])[1:9]
m.constant([1, 2, 3])[-1] | m.constant([[1, 2]])[..., None]
m.constant([1, 2, 3])[m.constant(1) : m.constant(2)] | m.constant([1, 2, 3])[::-2]
m.constant([1.0, 2.0]) == m.constant([1.0, 2.0, 3.0]) | m.constant([1.0]) != m.constant([1.0, 2.0])
m.constant([1.0, 2.0]) != m.constant([1.0, 2.0, 3.0]) | m.constant([1.0, 2.0]) == [1, 2]
m.constant([1, 2]) / 2 | m.constant([1, 2], m.int16) / 2 | m.constant([1, 2], m.uint8) / 2
m.constant([-7, 7, 5]) // 2 | m.constant([-7, 7]) / 0 | m.constant([-7, 7]) % 3
m.constant([-7, 7]) % -3 | m.constant([1.0, -7.5, np.inf]) // m.constant([0.1, 2.0, 2.0])
m.constant([1.0, -7.5, np.inf, 5.0]) % m.constant([0.1, 2.0, 2.0, np.inf]) | 2 - m.constant([2, 3])
2 ** m.constant([2.0, 3.0]) | m.constant([2, 3]) ** 2 | ~m.constant([True]) | 7 // m.constant([2])
m.constant([True]) & False | True ^ m.constant([True]) | np.float64(1) + m.constant(1.0)
np.ones(2) * m.constant([1.0, 2.0]) | np.ones(2, np.int64) * m.constant([1.0, 2.0]) | m.add(1.5, 1)
m.divide(1, 2) | m.truediv(1, 2) | m.divide(7, m.constant(2.0)) | m.square(2)
m.math.floordiv(7, 2) | m.math.floormod(7.0, 2.0) | m.math.mod(7, -2) | m.subtract(2.5, 1)
m.math.divide_no_nan([1], [0]) | m.math.divide_no_nan(1.0, 0.0) | m.math.xlogy(0.0, 0.0)
m.round([0.5, 1.5, -0.5]) | m.round(2) | m.math.rint([0.5, 1.5]) | m.sign([np.nan, -0.0])
m.sign([-3, 0]) | m.floor([1.5, -1.5]) | m.math.ceil([1.5, -1.5]) | m.math.is_nan([1.0, np.nan])
m.less(1, 2) | m.math.is_inf([1.0, -np.inf]) | m.math.is_finite([1.0, np.nan])
m.equal([1, 2], [1, 3]) | m.equal(True, [False, True]) | m.logical_and([True, False], True)
m.math.logical_xor([True], False) | m.reduce_mean([-7, 6, -2]) | m.reduce_mean([7, 6])
m.reduce_sum(m.constant([100] * 10, m.int8)) | m.reduce_sum(3) | m.reduce_max(m.zeros([0]))
m.reduce_min(m.zeros([0])) | m.reduce_mean(m.zeros([0])) | m.reduce_max(m.zeros([0], m.int32))
m.reduce_min(m.zeros([0], m.uint8)) | m.reduce_prod(m.zeros([0]))
m.reduce_sum(m.ones([2, 3]), axis=[]) | m.reduce_sum(m.ones([2, 3]), axis=m.constant([0, 1]))
m.reduce_all([True, False]) | m.reduce_any([[True, False]], axis=1) | m.reduce_prod([1, 2, 3])
m.reduce_logsumexp([-np.inf, -np.inf]) | m.reduce_logsumexp([np.inf, 1.0])
m.reduce_max([1.0, np.nan]) | m.reduce_min([[3, 1], [2, 5]], axis=0)
m.math.count_nonzero([[0.0, 1.0]], axis=1) | m.math.count_nonzero([True, False], dtype=m.int32)
m.math.zero_fraction([0.0, 1.0]) | m.argmax([[1, 2], [3, 1]]) | m.argmax([1.0, 3.0, 3.0])
m.argmin([[1, 2], [3, 1]], axis=1) | m.argmax([1.0, 2.0], output_type=m.int32)
m.argmax([True, False]) | m.argmax(m.zeros([2, 0]), 0)
m.cumsum([1, 2, 3], exclusive=True, reverse=True) | m.math.cumprod([1.0, 2, 3], exclusive=True)
m.cumsum([[1, 2], [3, 4]]) | m.cumsum(m.zeros([0])) | m.math.cumprod([[1, 2], [3, 4]], axis=-1)
m.sort([3, 1, 2]) | m.sort([[3, 1, 2]], axis=0) | m.argsort([3, 1, 2, 1])
m.argsort([3, 1, 2, 1], direction="DESCENDING", stable=True)
m.sort([2.0, 3.0], direction="DESCENDING") | m.math.top_k([1, 3, 3, 2], 2)
m.math.top_k([[1, 2]], k=1, index_type=m.int64)
m.math.in_top_k([1, 0], [[0.1, 0.9, 0.9], [0.5, 1.0, 2.0]], 1) | m.clip_by_value([1, 5], 2, 3)
m.clip_by_value([1.0, 5.0], 3.0, 2.0) | m.clip_by_norm([3.0, 4.0], 1.0) | m.clip_by_norm([0.0], 1.0)
m.clip_by_global_norm([[3.0], [4.0]], 1.0)[1] | m.linalg.global_norm([[3.0], [4.0]])
m.clip_by_global_norm([[3.0], [4.0]], 1.0, use_norm=m.constant(2.0))[0]
m.clip_by_global_norm([[np.inf], [4.0]], 1.0)[0] | m.norm([3.0, 4.0], ord=1)
m.norm([[3.0, 4.0]], ord="fro", axis=[0, 1]) | m.norm([3.0, -4.0], ord=np.inf)
m.norm([[3.0, -4.0]], 3) | m.matmul([[1, 2]], [[1], [2]]) | m.tensordot([1.0, 2.0], [3.0, 4], 1)
m.tensordot([1.0], [2.0, 3.0], 0)
m.matmul(m.ones([2, 2], m.int8), m.ones([2, 2], m.int8), output_type=m.int32)
m.tensordot(m.ones([2, 3]), m.ones([3, 2]), [[1, 0], [0, 1]])
m.einsum("ij,jk", m.ones([1, 2]), m.ones([2, 3])) | m.linalg.matrix_transpose([[1, 2]])
m.add_n([[1.0], [2.0]]) | m.scalar_mul(2.0, m.constant([1.0]))
m.math.reduce_euclidean_norm([3.0, 4.0]) | m.math.squared_difference([1], [3]) | m.identity([1.0])
m.math.l2_normalize([3.0, 4.0]) | m.math.softmax([1.0, 2.0]) | m.math.log_softmax([1.0, 2.0])
"""
EXPRESSIONS = [text for line in SAME.split("\n") for text in line.split(" | ") if text]


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_values_shapes_and_types_are_tensorflows(tf, text):
    ours, theirs = (eval(text, {"m": m, "np": np}) for m in (mt, tf))
    ours, theirs = ((list(v) if isinstance(v, list | tuple) else [v]) for v in (ours, theirs))
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        np.testing.assert_allclose(a, b, rtol=3e-7)


ILLEGAL = """
m.constant([1, 2, 3])[5] | m.constant([1, 2, 3])[0, 0] | m.constant([1, 2, 3])[1.5]
m.constant([1, 2, 3])["a"] | hash(m.constant(1)) | hash(m.Variable(1)) | m.constant([1.0]) == "a"
m.constant([1.0, 2.0]) == m.constant([1, 2]) | m.constant([1, 2]) == 1.5 | m.constant([1, 2]) + 1.5
m.constant([1, 2]) / 1.5 | m.constant([1]) // 0 | m.constant([1]) % 0 | m.constant(2) ** -1
m.constant([True]) + m.constant([True]) | m.constant([1.0]) + m.constant([1]) | m.multiply(2, 3.5)
m.constant([1.0, 2.0]) + m.constant([1.0, 2.0, 3.0])
m.constant([1.0, 2.0]) @ m.constant([1.0, 2.0]) | m.exp(1) | m.sqrt([1, 2]) | m.tanh(1) | m.floor(1)
m.math.log(2) | m.abs(True) | m.less(True, False) | m.logical_not([1]) | m.logical_and(1, True)
m.reduce_all([1, 0]) | m.reduce_sum([True]) | m.reduce_sum([[1, 2]], axis=2)
m.reduce_sum([[1, 2]], axis=[0, 0]) | m.reduce_sum([1], axis=1.0) | m.math.reduce_variance([1, 2])
m.argmax(3) | m.argmax(m.zeros([0])) | m.argmax([[1]], axis=2)
m.argmax([1.0], output_type=m.float32) | m.cumsum([1], axis=1) | m.cumsum(3) | m.sort(3)
m.sort([1], direction="UP") | m.math.top_k([1, 3], 3) | m.math.top_k([1], -1) | m.math.top_k(3)
m.range(5, 0) | m.range(0, 5, 0) | m.range([1, 2]) | m.range(1.5, dtype=m.int32)
m.linspace(0.0, 1.0, -1) | m.one_hot([0.0], 3) | m.one_hot(1, -1) | m.one_hot([1], 3, axis=3)
m.one_hot([1], 3, on_value=[1.0]) | m.eye(-1) | m.fill([-1], 1) | m.fill([2], [1, 2]) | m.ones([-1])
m.zeros([2.0]) | m.zeros([2, None]) | m.cast([1], "foo") | m.constant([1, 2], shape=[2, 3])
m.constant([1.5], dtype=m.int32) | m.constant([[1, 2], [3]]) | m.constant(None)
m.constant(1, m.bool) | m.constant(m.constant([1.0]), dtype=m.float64)
m.convert_to_tensor(m.constant(1.0), m.float64) | m.reshape([1, 2, 3, 4], [-1, -1])
m.reshape([1, 2, 3, 4], [3]) | m.reshape([1, 2, 3, 4], [-1, 3])
m.reshape([1, 2, 3, 4], [2.0, 2.0]) | m.reshape([1], [-2]) | m.transpose([[1, 2]], [0, 0])
m.transpose([[1, 2]], [0, 2]) | m.transpose([[1, 2]], [0]) | m.expand_dims([1], 2)
m.expand_dims([1], -3) | m.expand_dims([1], 1.0) | m.squeeze([[1, 2]], 1) | m.squeeze([[1]], 2)
m.concat([], 0) | m.concat([m.constant([1]), m.constant([2.0])], 0) | m.concat([[1], [[2]]], 0)
m.concat([[1], [2]], 1) | m.concat([m.constant(1), m.constant(2)], 0)
m.concat([[[1, 2]], [[1]]], 0) | m.stack([[1], [2]], axis=3)
m.stack([m.constant([1]), m.constant([2, 3])]) | m.unstack([[1, 2], [3, 4]], num=3) | m.unstack(3)
m.split([1, 2, 3, 4], 3) | m.split([1, 2, 3, 4], [1, 2]) | m.split([1, 2], [-1, -1])
m.split([1, 2], 2, axis=1) | m.split([1, 2], 0) | m.pad([1, 2, 3], [[3, 2]], "reflect")
m.pad([1, 2, 3], [[4, 2]], "symmetric") | m.pad([1], [[1, 2]], "edge") | m.pad([1], [1, 2])
m.pad([1], [[1, 2], [0, 0]]) | m.pad([1], [[-1, 2]]) | m.pad([1], [[1.0, 2.0]])
m.pad(m.constant([1]), [[1, 2]], constant_values=1.5) | m.gather([1, 2], [2])
m.gather([1, 2], [-1]) | m.gather([1, 2], [0.0]) | m.gather([[1]], [0], axis=2)
m.gather([[1], [2]], [[0]], batch_dims=1) | m.gather([[1, 2]], [0], batch_dims=2)
m.tile([1, 2], [2, 2]) | m.tile([1, 2], [-1]) | m.broadcast_to([1, 2], [3, 3])
m.broadcast_to([[1, 2]], [2]) | m.broadcast_to([1], [-1]) | m.where([True, False], [1, 2])
m.where([1, 0], [1, 2], [3, 4]) | m.where([True] * 3, [1, 2], [3, 4])
m.where([True], m.constant([1]), m.constant([1.0])) | m.reverse([1, 2], [1])
m.reverse([1], [0, 0]) | m.slice([1, 2, 3], [1], [5]) | m.slice([[1, 2]], [0], [1])
m.slice([[1, 2]], [0, 3], [1, 1]) | m.boolean_mask([[1, 2], [3, 4]], [True, False, True])
m.boolean_mask([1], True) | m.clip_by_value([1.0, 5.0], [[2.0], [3.0]], 4.0)
m.matmul([1.0], [1.0]) | m.matmul([[1.0]], [[1.0, 2.0]] * 2)
m.matmul([[1.0, 2.0]], m.constant([[1], [2]])) | m.matmul(m.ones([2, 1, 1]), m.ones([3, 1, 1]))
m.matmul([[1.0]], [[1.0]], transpose_a=True, adjoint_a=True)
m.tensordot([[1.0]], [[1.0, 2.0]] * 2, 1) | m.tensordot([1.0], [1.0], 2)
m.einsum("ij,jk->ik", m.ones([2, 3]), m.ones([2, 2])) | m.einsum("ij->ii", m.ones([2, 2]))
m.einsum("ij->k", m.ones([2, 3])) | m.einsum("ij,j->i", m.ones([2, 3]))
m.einsum("i->i", m.ones([2, 3])) | m.einsum("i,i->i", m.ones([1]), m.ones([3]))
m.einsum("i$->i", m.ones([2])) | m.add_n([]) | m.add_n([m.ones([2]), m.ones([1])])
m.norm([1.0], ord=-1) | m.norm([1.0], ord="x") | m.norm([1]) | m.random.uniform([2], dtype=m.int32)
m.random.uniform([2], 5, 3, dtype=m.int32) | m.random.normal([-1])
m.random.uniform([2], dtype=m.uint8) | m.random.normal([2], dtype=m.int32)
m.random.normal([2], mean=[1.0] * 3) | m.constant([True, 2]) | m.constant([[True], [1.5]])
m.constant([np.True_, 2]) | m.constant(2**63) | m.constant([-(2**63) - 1]) | m.constant([1]) + 2**63
m.constant(1e40) | m.constant([1.0, 1e39]) | m.range(3)[True] | m.range(3)[np.True_]
m.range(3)[m.constant(True)] | m.ones([2, 3])[True, 0] | m.range(2)[[True, False]]
m.norm([1.0], axis=[]) | m.norm([[1.0]], axis=[0]) | m.norm(m.ones([1, 1, 1]), axis=[0, 1, 2])
"""
BAD = [text for line in ILLEGAL.split("\n") for text in line.split(" | ") if text]


@pytest.mark.parametrize("text", BAD)
def test_bad_arguments_are_a_type_or_value_error_in_one_line(text):
    with pytest.raises((TypeError, ValueError)) as error:
        eval(text, {"m": mt, "np": np})
    assert "\n" not in str(error.value)
    assert error.traceback[-1].path.parts[-3:-1] != ("numpy", "_core")


@pytest.mark.parametrize("text", BAD)
def test_bad_arguments_are_refused_by_tensorflow_too(tf, text):
    with pytest.raises((TypeError, ValueError, AttributeError, tf.errors.OpError)):
        eval(text, {"m": tf, "np": np})


@pytest.mark.parametrize("axis", [None, 0, -1])
def test_a_scalar_is_repeated_as_a_vector_of_one(tf, axis):
    for library in (mt, tf):
        assert library.repeat(5, 3, axis=axis).numpy().tolist() == [5, 5, 5]
        assert library.repeat(5, [2], axis=axis).numpy().tolist() == [5, 5]
