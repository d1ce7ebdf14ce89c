"""What TensorFlow computes and we refuse, with TensorFlow's own words against it."""

import pytest

import minitensor as mt


def test_a_truth_value_times_a_number_is_refused_because_tensorflow_cuts_the_number_off(tf):
    answers = tf.constant([True, True]) * tf.constant([0.5, 1.5])
    assert answers.numpy().tolist() == [False, True]  # 1 * 0.5 is false: int32(0.5) is 0
    with pytest.raises(Exception, match="not in the list of allowed values"):
        tf.multiply(tf.constant([True]), tf.constant([True]))  # as a function it refuses
    for truth, number in ((mt.constant([True]), 0.5), (mt.constant([True]), mt.constant([0.5]))):
        with pytest.raises(TypeError, match="multiply"):
            truth * number
        with pytest.raises(TypeError, match="multiply"):
            number * truth


def test_truth_values_multiply_to_whether_both_hold(tf):
    for engine in (tf, mt):
        x, y = engine.constant([True, True, False]), engine.constant([True, False, False])
        assert (x * y).numpy().tolist() == [True, False, False]
        assert (x * True).numpy().tolist() == [True, True, False]


def test_an_einsum_of_unlike_sizes_is_refused_even_if_one_of_them_is_0(tf):
    assert tf.einsum("ij,jk->ik", tf.ones((2, 0)), tf.ones((3, 2))).shape == (2, 2)
    for pair in (((2, 1), (0, 2)), ((2, 3), (1, 2))):  # the same, when nobody is empty first
        with pytest.raises(Exception, match="Expected dimension"):
            tf.einsum("ij,jk->ik", *map(tf.ones, pair))
    with pytest.raises(Exception, match="Matrix size-incompatible"):
        tf.matmul(tf.ones((2, 0)), tf.ones((3, 2)))
    with pytest.raises(ValueError, match="j is both 0 and 3"):
        mt.einsum("ij,jk->ik", mt.ones((2, 0)), mt.ones((3, 2)))


def test_an_axis_that_does_not_exist_is_not_reversed_even_if_there_is_nothing_to_reverse(tf):
    assert tf.reverse(tf.zeros((1, 0)), [2]).shape == (1, 0)
    with pytest.raises(Exception, match=r"'axis'\[0\] = 2 is out of valid range"):
        tf.reverse(tf.zeros((1, 1)), [2])
    for sizes in ((1, 0), (1, 1)):
        with pytest.raises(mt.errors.InvalidArgumentError, match="axis 2 does not exist"):
            mt.reverse(mt.zeros(sizes), [2])
