"""Every row of bad_input.py is one clear error before anything is computed; some are legal here."""

from typing import Any, NamedTuple

import numpy as np
import pytest
import reference_numpy as reference
from bad_input import FREE, TABLE, K, X, conv, ones, transposed

import minitensor as mt
from minitensor.autograd import Primitive
from minitensor.backend import numpy as backend

nn, image, layers = mt.nn, mt.image, mt.keras.layers

HELPERS = {"array", "asarray", "to_numpy", "name", "xp", "lack"}


@pytest.fixture
def no_computation(monkeypatch):
    """Every function of the backend, and every op but a change of shape, fails the test."""

    def called(what):
        def fail(*args, **settings):
            pytest.fail(f"{what} was computed before the error")

        return fail

    for name in set(backend.__all__) - HELPERS:
        monkeypatch.setattr(backend, name, called(name))
    compute = Primitive.__call__

    def guarded(self, *inputs, **settings):
        if self.__name__ not in FREE:
            called(self.__name__)()
        return compute(self, *inputs, **settings)

    monkeypatch.setattr(Primitive, "__call__", guarded)


@pytest.mark.usefixtures("no_computation")
@pytest.mark.parametrize("case", TABLE)
def test_bad_input_is_one_clear_error_before_any_computation(case):
    with pytest.raises((ValueError, TypeError)) as caught:
        case.call()
    message = str(caught.value)
    assert "\n" not in message
    missing = [words for words in case.says if words not in message]
    assert not missing, f"{message!r} does not say {missing}"
    assert caught.value.__context__ is None or caught.value.__suppress_context__


@pytest.mark.usefixtures("no_computation")
@pytest.mark.parametrize("compute", [lambda: mt.exp(X), lambda: backend.conv2d(X, K, None)])
def test_the_guard_sees_a_computation(compute):
    with pytest.raises(pytest.fail.Exception, match="was computed before the error"):
        compute()


def test_rows_are_complete():
    rows = {case.values[0].row for case in TABLE} | {case.values[0].row for case in LEGAL}
    assert rows == set(range(1, 71))


# ----- rows that are legal here -----

RNG = np.random.default_rng(0)
IMAGE, FILTERS = RNG.normal(size=(2, 7, 8, 4)), RNG.normal(size=(3, 3, 4, 6))
GROUPED, BANK = RNG.normal(size=(3, 3, 2, 6)), RNG.normal(size=(3, 3, 4, 2))
COTANGENT = RNG.normal(size=(2, 7, 8, 6))


class Legal(NamedTuple):
    """Two ways to the same arrays: the call itself, and one made of simpler parts."""

    row: int
    actual: Any
    expected: Any


def legal(row, what, actual, expected):
    return pytest.param(Legal(row, actual, expected), id=f"{row}: {what}")


def gradients(function, *arrays):
    """Gradients of sum(COTANGENT * function(*arrays)) by every array."""
    tensors = [mt.constant(array) for array in arrays]
    with mt.GradientTape() as tape:
        tape.watch(tensors)
        y = function(*tensors)
    return [g.numpy() for g in tape.gradient(y, tensors, mt.constant(COTANGENT))]


def stuffed(x, kernel):
    """conv2d with dilation 2 as conv2d with a 5x5 kernel of zeros in between."""
    spread = mt.pad(mt.reshape(kernel, [3, 1, 3, 1, 4, 6]), [[0, 0], [0, 1]] * 2 + [[0, 0]] * 2)
    return nn.conv2d(x, mt.reshape(spread, [6, 6, 4, 6])[:5, :5], 1, "SAME")


def by_group(x, kernel):
    """Two groups as two convolutions, side by side."""
    parts = [
        nn.conv2d(x[..., 2 * g : 2 * g + 2], kernel[..., 3 * g : 3 * g + 3], 1, "SAME")
        for g in range(2)
    ]
    return mt.concat(parts, -1)


def pooled(kind, stride, dilation, padding):
    pads = [(0, 0), (0, 0)]
    if padding == "SAME":
        pads = reference.same_pads((7, 8), (2, 3), stride, dilation)
    return reference.pool(IMAGE, (2, 3), stride, dilation, pads, kind)


def normalised(x, scale, offset):
    mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
    return (x - mean) / np.sqrt(variance + 1e-3) * scale + offset


LEGAL = [
    legal(28, "channels first", lambda: nn.conv2d(
        IMAGE.transpose(0, 3, 1, 2), FILTERS, 1, "SAME", "NCHW"),
        lambda: nn.conv2d(IMAGE, FILTERS, 1, "SAME").numpy().transpose(0, 3, 1, 2)),
    legal(29, "convolution with strides and dilations",
        lambda: nn.convolution(IMAGE, FILTERS, [2, 3], "VALID", None, [2, 1]),
        lambda: reference.conv(IMAGE, FILTERS, (2, 3), (2, 1), [(0, 0), (0, 0)])),
    legal(30, "gradients of a dilated convolution", lambda: gradients(
        lambda x, k: nn.conv2d(x, k, 1, "SAME", dilations=2), IMAGE, FILTERS),
        lambda: gradients(stuffed, IMAGE, FILTERS)),
    legal(31, "gradients of a grouped convolution",
        lambda: gradients(lambda x, k: nn.conv2d(x, k, 1, "SAME"), IMAGE, GROUPED),
        lambda: gradients(by_group, IMAGE, GROUPED)),
    legal(42, "unequal depthwise strides",
        lambda: nn.depthwise_conv2d(IMAGE, BANK, [1, 2, 3, 1], "VALID"),
        lambda: reference.depthwise(IMAGE, BANK, (2, 3), (1, 1), [(0, 0), (0, 0)])),
    legal(45, "depthwise stride and dilation",
        lambda: nn.depthwise_conv2d(IMAGE, BANK, [1, 2, 2, 1], "SAME", None, [2, 2]),
        lambda: reference.depthwise(IMAGE, BANK, (2, 2), (2, 2),
                                    reference.same_pads((7, 8), (3, 3), (2, 2), (2, 2)))),
    *[
        legal(55, f"{kind} pooling, stride {stride}, dilation {dilation}, {padding}",
            lambda words=(kind, stride, dilation, padding): nn.pool(
                IMAGE, [2, 3], words[0], words[1], words[3], None, words[2]),
            lambda words=(kind, stride, dilation, padding): pooled(*words))
        for kind in ("MAX", "AVG")
        for stride, dilation, padding in [
            ((1, 1), (2, 2), "SAME"), ((2, 3), (2, 1), "VALID"), ((2, 2), (2, 2), "SAME")]
    ],
    legal(57, "batch norm in float64",
        lambda: nn.fused_batch_norm(IMAGE, BANK[0, 0, :, 0], BANK[0, 0, :, 1])[0],
        lambda: normalised(IMAGE, BANK[0, 0, :, 0], BANK[0, 0, :, 1])),
]  # fmt: skip


@pytest.mark.parametrize("case", LEGAL)
def test_what_tensorflow_refuses_or_gets_wrong_is_right_here(case):
    actual, expected = case.actual(), case.expected()
    pairs = (
        zip(actual, expected, strict=True) if isinstance(expected, list) else [(actual, expected)]
    )
    for ours, theirs in pairs:
        np.testing.assert_allclose(np.asarray(ours), theirs, rtol=1e-9, atol=1e-11)


# ----- integers of every kind are welcome -----


@pytest.mark.parametrize(
    "strides", [np.int64(2), np.int32(2), np.array([2, 2]), (2, 2), [2], [1, 2, np.int8(2), 1]]
)
def test_numpy_integers_are_strides(strides):
    expected = conv(strides=2)
    np.testing.assert_array_equal(conv(strides=strides).numpy(), expected.numpy())


def test_numpy_integers_are_pads():
    pads = [[0, 0], [np.int64(1), np.int64(1)], (np.int32(1), 1), [0, 0]]
    np.testing.assert_array_equal(conv(padding=pads).numpy(), conv(padding="SAME").numpy())


def test_bytes_are_padding_words():
    np.testing.assert_array_equal(conv(padding=b"SAME").numpy(), conv().numpy())


@pytest.mark.parametrize(
    "shape",
    [
        (1, 5, 5, 4),
        np.array([1, 5, 5, 4]),
        mt.constant([1, 5, 5, 4]),
        [5, 5],
        mt.TensorShape([1, 5, 5, 4]),
    ],
)
def test_output_shape_may_be_a_list_an_array_or_an_int32_tensor(shape):
    assert transposed(shape).shape == (1, 5, 5, 4)


def test_zero_output_channels_are_legal():
    assert nn.conv2d(X, ones(3, 3, 4, 0), 1, "SAME").shape == (1, 5, 6, 0)
