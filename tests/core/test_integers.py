"""Integers: reductions and divisions of every type, against TensorFlow, live, and plain arithmetic.

Numbers are small, near both ends of the type, and so many that their sum leaves it.
"""

import itertools
from operator import attrgetter

import numpy as np
import pytest

import minitensor as mt
from minitensor.backend import devices
from tests.support.backends import NAMES

TYPES = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
REDUCTIONS = """reduce_sum reduce_mean reduce_prod reduce_max reduce_min math.count_nonzero argmax
    argmin cumsum math.cumprod sort nn.zero_fraction add_n"""
PAIRS = """divide truediv math.divide_no_nan math.floordiv math.floormod math.mod multiply add
    subtract maximum minimum less greater"""
SIGNED = """negative abs sign square round nn.relu nn.relu6"""


def drawn(dtype, kind, shape):
    """Numbers of one type; "many" are large, and their sum is larger than the type."""
    limits, random = np.iinfo(dtype), np.random.default_rng(len(shape))
    low, high = max(limits.min, -9), 10
    if kind == "small":
        return random.integers(low, high, shape).astype(dtype)
    ends = {"low": (limits.min, limits.min + 1, limits.max), "many": (limits.max, 100)}[kind]
    return random.choice(np.array(ends, dtype), shape)


def settings_of(name, shape):
    """The axes, and keepdims, or exclusive and reverse, that a function is called with."""
    if name in ("nn.zero_fraction", "add_n"):
        return [{}]
    axes = [*range(-len(shape), len(shape))]
    if name in ("argmax", "argmin", "sort"):
        return [{"axis": axis} for axis in axes if shape[axis]]
    if name in ("cumsum", "math.cumprod"):
        return [
            {"axis": axis, "exclusive": exclusive, "reverse": reverse}
            for axis, exclusive, reverse in itertools.product(axes, (False, True), (False, True))
        ]
    several = [None, [], *axes, *([[0, -1]] if len(shape) > 1 else [])]
    return [{"axis": axis, "keepdims": kept} for axis in several for kept in (False, True)]


def same(ours, theirs):
    a, b = ours.numpy(), np.asarray(theirs)
    close = np.allclose(a, b, rtol=1e-6, equal_nan=True) if a.dtype.kind == "f" else (a == b).all()
    return a.dtype == b.dtype and a.shape == b.shape and close


@pytest.mark.parametrize("backend", NAMES)
@pytest.mark.parametrize("dtype", TYPES)
def test_reductions_are_tensorflows(tf, backend, dtype):
    wrong = []
    shapes = ((3, 4), (2, 3, 2), (0, 3), (), (300,))
    for kind, shape, name in itertools.product(
        ("small", "low", "many"), shapes, REDUCTIONS.split()
    ):
        x = drawn(dtype, kind, shape)
        if name == "reduce_mean" and dtype in ("int64", "uint64") and kind != "small":
            continue  # TensorFlow's sum leaves 64 bits: the next test
        mine, peer = mt.to_device(x, devices.kind_of_backend(backend)), tf.constant(x)
        for settings in settings_of(name, shape):
            a, b = ([x] * 3 if name == "add_n" else x for x in (mine, peer))
            if not same(attrgetter(name)(mt)(a, **settings), attrgetter(name)(tf)(b, **settings)):
                wrong.append((name, kind, shape, settings))
    assert not wrong


@pytest.mark.parametrize("backend", NAMES)
@pytest.mark.parametrize("dtype", TYPES)
def test_a_mean_is_exact_and_cut_off_towards_0(backend, dtype):
    for kind, shape in itertools.product(("small", "low", "many"), ((3, 5), (28, 28), (1000,))):
        x = drawn(dtype, kind, shape)
        found = mt.reduce_mean(mt.to_device(x, devices.kind_of_backend(backend)), axis=0).numpy()
        columns = x.reshape(len(x), -1).T.tolist()
        sums = [abs(sum(column)) // len(x) * (-1 if sum(column) < 0 else 1) for column in columns]
        assert found.dtype == dtype
        assert found.ravel().tolist() == sums


@pytest.mark.parametrize("backend", NAMES)
@pytest.mark.parametrize("dtype", TYPES)
def test_divisions_and_their_kin_are_tensorflows(tf, backend, dtype):
    kind = devices.kind_of_backend(backend)
    wrong = []
    for left, right in itertools.product(("small", "low", "many"), repeat=2):
        x, y = drawn(dtype, left, (3, 4)), drawn(dtype, right, (4,))
        for name in PAIRS.split():
            divisor = (
                y if name in ("multiply", "math.divide_no_nan") else np.where(y == 0, y + 1, y)
            )
            ours = attrgetter(name)(mt)(mt.to_device(x, kind), mt.to_device(divisor, kind))
            if not same(ours, attrgetter(name)(tf)(tf.constant(x), tf.constant(divisor))):
                wrong.append((name, left, right))
        for name in SIGNED.split() if dtype.startswith("i") else ():
            if not same(
                attrgetter(name)(mt)(mt.to_device(x, kind)), attrgetter(name)(tf)(tf.constant(x))
            ):
                wrong.append((name, left))
    assert not wrong


def test_nothing_is_divided_by_0_if_there_is_nothing():
    nothing, zero = mt.zeros([0], "int32"), mt.zeros([1], "int32")
    for divided in (nothing // 0, nothing % 0, nothing // zero, zero[:0] % zero):
        assert divided.numpy().shape == (0,)
        assert divided.dtype == "int32"
    assert mt.pow(nothing, -1).shape == (0,)
    for divide in (lambda: zero // 0, lambda: zero % 0):
        with pytest.raises(ValueError, match="integer division by zero"):
            divide()
    with pytest.raises(ValueError, match="negative power"):
        mt.pow(zero, -1)


def test_a_pad_of_0_is_the_zero_of_every_type(tf):
    for dtype in (*TYPES, "bool", "float32"):
        x = np.ones((2,), dtype)
        for settings in ({}, {"constant_values": False}, {"constant_values": 0.0}):
            assert same(
                mt.pad(x, [[1, 2]], **settings), tf.pad(tf.constant(x), [[1, 2]], **settings)
            )
    with pytest.raises(TypeError, match="constant_values"):
        mt.pad([True], [[1, 1]], constant_values=1)
    with pytest.raises(TypeError, match="constant_values"):
        mt.pad([1.0], [[1, 1]], constant_values=None)


def test_sizes_that_int32_cannot_hold_ask_for_int64():
    large = mt.broadcast_to(mt.constant(True), [2**31])  # one byte
    for function in (mt.size, mt.shape):
        with pytest.raises(ValueError, match=r"2147483648.* too large for int32; use out_type"):
            function(large)
        assert function(large, out_type=mt.int64).numpy() == 2**31
        assert function(large[1:]).dtype == "int32"


@pytest.mark.parametrize("backend", NAMES)
def test_convolutions_of_integers_wrap(backend):
    random, kind = np.random.default_rng(0), devices.kind_of_backend(backend)
    x, k = (random.integers(-(2**31), 2**31, shape) for shape in ((1, 4, 4, 2), (3, 3, 2, 3)))
    image, kernel = (mt.to_device(a.astype("int32"), kind) for a in (x, k))
    y = mt.nn.conv2d(image, kernel, 1, "VALID").numpy()
    for i, j, o in np.ndindex(2, 2, 3):
        exact = sum(
            map(int.__mul__, *(a.ravel().tolist() for a in (x[0, i : i + 3, j : j + 3], k[..., o])))
        )
        assert y[0, i, j, o] == (exact + 2**31) % 2**32 - 2**31
    one = np.zeros_like(x)
    one[0, 2, 2] = x[0, 2, 2]
    back = mt.nn.conv2d_transpose(
        mt.to_device(one.astype("int32"), kind), mt.transpose(kernel, [0, 1, 3, 2]), [1, 4, 4, 3], 1
    )
    exact = sum(map(int.__mul__, x[0, 2, 2].tolist(), k[1, 1, :, 0].tolist()))
    assert back.numpy()[0, 2, 2, 0] == (exact + 2**31) % 2**32 - 2**31


@pytest.mark.parametrize("layer", [False, True])
@pytest.mark.parametrize(("channels", "depth"), [(0, 0), (0, 3), (3, 0)])
def test_a_convolution_of_no_channels_says_that_there_must_be_one(layer, channels, depth):
    if layer and (channels or depth):
        return  # a layer makes its filters itself
    image, kernel = mt.ones([1, 4, 4, channels]), mt.ones([3, 3, depth, 2])
    calls = {
        False: lambda: mt.nn.conv2d(image, kernel, 1, "SAME"),
        True: lambda: mt.keras.layers.Conv2D(2, 3)(image),
    }
    with pytest.raises(ValueError, match=f"has {channels} channels.*there must be at least one"):
        calls[layer]()
