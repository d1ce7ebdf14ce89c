"""Random arguments, legal and not: a right answer or one clear refusal, and nothing else.

Arguments come from a seeded generator; most are sensible, some are spoiled. The slow reference
says what the answer is, or that there is none; both must agree. Arrays hold small whole numbers,
so sums are exact in every dtype.
"""

import warnings

import numpy as np
import pytest
import reference_numpy as reference

import minitensor as mt

DTYPES = ["float32"] * 6 + ["float64"] * 3 + ["float16", "int32", "int64", "bool"]
SPOILED_NUMBERS = [0, -1, 1.5, True, "a", None, [], [1, 1, 1], [2, 1, 1, 1], [1, 2, 2, 3], [0, 1]]
SPOILED_PADDING = ["same", "FULL", None, 3, [[0, 0], [1, 1]], [[1, 0], [0, 0], [0, 0], [0, 0]]]
SPOILED_PADDING += [[[0, 0], [-1, 1], [0, 0], [0, 0]], [[0, 0], [1], [0, 0], [0, 0]], [0, 1, 1, 0]]


class Draw:
    """Arguments drawn one by one; about one in `rarity` is spoiled."""

    def __init__(self, seed, rarity=12):
        self.rng = np.random.default_rng(seed)
        self.rarity = rarity

    def one(self, options):
        return options[self.rng.integers(len(options))]

    def spoil(self):
        return self.rng.integers(self.rarity) == 0

    def integer(self, low, high):
        return int(self.rng.integers(low, high + 1))

    def numbers(self, forms, last, most=3, spoiled=SPOILED_NUMBERS):
        """A stride, dilation or window size in one of its legal forms, or a spoiled one."""
        if self.spoil():
            return self.one(spoiled)
        a, b = self.integer(1, most), self.integer(1, most)
        form = self.one(forms)
        kind = self.one([int, int, np.int64])
        full = [1, a, b, 1] if last else [1, 1, a, b]
        items = {0: a, 1: [a], 2: [kind(a), kind(b)], 4: full}[form]
        return self.one([items, tuple(items), np.array(items)]) if form else items

    def padding(self, last, explicit=True):
        if self.spoil():
            return self.one(SPOILED_PADDING)
        if self.rng.integers(3) or not explicit:
            return self.one(["SAME", "VALID"])
        pads = [[self.integer(0, 2), self.integer(0, 2)] for _ in range(2)]
        return [[0, 0], *pads, [0, 0]] if last else [[0, 0], [0, 0], *pads]

    def layout(self):
        if self.spoil() and self.spoil():
            return self.one(["NHCW", "nhwc", 4])
        return self.one(["NHWC", None, "NCHW"])

    def array(self, shape, dtype):
        """Small whole numbers; sometimes with an axis too many or too few."""
        shape = [int(n) for n in shape]
        if self.spoil() and self.spoil():
            shape = self.one([shape[1:], [1, *shape]])
        values = self.rng.integers(-3, 4, shape)
        return values.astype(dtype)

    def image(self, channels, last, dtype, lead=None):
        size = [self.integer(0 if self.spoil() else 1, 6) for _ in range(2)]
        lead = [self.one([0, 1, 1, 2])] if lead is None else lead
        return self.array([*lead, *size, channels] if last else [*lead, channels, *size], dtype)

    def dtype(self):
        """The dtypes of two arrays."""
        first = self.one(DTYPES)
        return first, (self.one(DTYPES) if self.spoil() else first)

    def taps(self):
        return [self.integer(0 if self.spoil() else 1, 3) for _ in range(2)]


def conv2d(draw):
    layout = draw.layout()
    last, (first, second) = layout != "NCHW", draw.dtype()
    inner, groups, outer = draw.integer(1, 2), draw.one([1, 1, 2, 3]), draw.integer(0, 2)
    lead = draw.one([None, None, None, [2, 1]])
    x = draw.image(inner * groups + draw.spoil(), last, first, lead)
    kernel = draw.array([*draw.taps(), inner, outer * groups + draw.spoil()], second)
    strides, dilations = (draw.numbers((0, 1, 2, 4), last) for _ in range(2))
    padding = draw.padding(last)
    return (
        lambda: mt.nn.conv2d(*map(mt.constant, (x, kernel)), strides, padding, layout, dilations),
        lambda: reference.user_conv2d(
            x, kernel, reference.Words(layout, strides, padding, dilations)
        ),
    )


def conv2d_transpose(draw):
    layout = draw.layout()
    last, (first, second) = layout != "NCHW", draw.dtype()
    inner, groups, outer = draw.integer(1, 2), draw.one([1, 1, 2]), draw.integer(1, 2)
    y = draw.image(outer * groups + draw.spoil(), last, first)
    kernel = draw.array([*draw.taps(), inner, outer * groups], second)
    stride, dilations = draw.integer(1, 3), draw.one([None, None, 1, 2])
    padding = draw.padding(last)
    shape = _asked(draw, y, kernel, last, stride, dilations or 1, padding, inner * groups)
    strides = draw.one([stride, [stride], [stride, stride]])
    return (
        lambda: mt.nn.conv2d_transpose(
            *map(mt.constant, (y, kernel)), shape, strides, padding, layout, dilations
        ),
        lambda: reference.user_conv2d_transpose(
            y, kernel, shape, reference.Words(layout, strides, padding, dilations)
        ),
    )


def _asked(draw, y, kernel, last, stride, dilation, padding, channels):
    """An output_shape near the legal ones, or a spoiled one."""
    if draw.spoil():
        return draw.one(
            [None, 4, [4, 4, 4], [1, -1, 4, 1], [1, None, 4, 1], [1.0, 4, 4, 1], "SAME"]
        )
    if y.ndim != 4:
        return [1, 4, 4, channels]
    size = []
    for n, k in zip(y.shape[1:3] if last else y.shape[2:], kernel.shape, strict=False):
        more = 1 if padding == "SAME" else (k - 1) * dilation + 1
        room = draw.one([0, 0, stride - 1, stride - 1, 1, draw.integer(-4, 4)])
        size.append(max((n - 1) * stride + more + room, 0))
    if draw.integer(0, 3) == 0:
        return size
    batch = len(y) + draw.spoil()
    shape = [batch, *size, channels] if last else [batch, channels, *size]
    return [int(n) for n in shape]


def depthwise_conv2d(draw):
    layout = draw.layout()
    last, (first, second) = layout != "NCHW", draw.dtype()
    channels = draw.integer(1, 3)
    x = draw.image(channels, last, first)
    kernel = draw.array([*draw.taps(), channels + draw.spoil(), draw.integer(1, 2)], second)
    strides = draw.numbers((4, 4, 4, 2), last)
    dilations, padding = draw.one([None, draw.numbers((1, 2), last, 2)]), draw.padding(last)
    return (
        lambda: mt.nn.depthwise_conv2d(
            *map(mt.constant, (x, kernel)), strides, padding, layout, dilations
        ),
        lambda: reference.user_depthwise_conv2d(
            x, kernel, reference.Words(layout, strides, padding, dilations)
        ),
    )


def _pool2d(name, kind):
    def case(draw):
        layout = draw.layout()
        last = layout != "NCHW"
        x = draw.image(draw.integer(0, 2), last, draw.dtype()[0])
        taps, strides = (draw.numbers((0, 1, 2, 4), last) for _ in range(2))
        padding = draw.padding(last, explicit=kind == "MAX")
        return (
            lambda: getattr(mt.nn, name)(mt.constant(x), taps, strides, padding, layout),
            lambda: reference.user_pool(x, taps, strides, padding, layout, kind),
        )

    return case


def pool(draw):
    layout, kind = draw.layout(), draw.one(["MAX", "AVG", "max"][: 2 + draw.spoil()])
    last = layout != "NCHW"
    x = draw.image(draw.integer(0, 2), last, draw.dtype()[0])
    taps = list(draw.taps()) if draw.integer(0, 9) else draw.numbers((0, 1, 2), last)
    strides, dilations = (draw.one([None, draw.numbers((1, 2), last)]) for _ in range(2))
    padding = draw.padding(last)

    def expected():
        if kind == "max":
            raise reference.IllegalError("kind")
        return reference.user_pool(x, taps, strides, padding, layout, kind, dilations, "pool")

    return (
        lambda: mt.nn.pool(mt.constant(x), taps, kind, strides, padding, layout, dilations),
        expected,
    )


CASES = {
    "conv2d": conv2d,
    "conv2d_transpose": conv2d_transpose,
    "depthwise_conv2d": depthwise_conv2d,
    "max_pool2d": _pool2d("max_pool2d", "MAX"),
    "avg_pool2d": _pool2d("avg_pool2d", "AVG"),
    "pool": pool,
}


def outcome(call, refusals):
    """(array, None) or (None, the refusal); anything else that is raised passes through."""
    try:
        return np.asarray(call()), None
    except refusals as refusal:
        return None, refusal


def check(name, seed):
    """One draw: refused by both, or equal. Returns whether it was legal."""
    ours, slow = CASES[name](Draw(seed))
    expected, illegal = outcome(slow, reference.IllegalError)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        actual, refusal = outcome(ours, (ValueError, TypeError))
    where = f"{name}, seed {seed}"
    if illegal is not None or refusal is not None:
        both = f"{where}: reference {illegal!r}, minitensor {refusal!r}"
        assert illegal is not None, both
        assert refusal is not None, both
        assert not isinstance(refusal, UnicodeError), both
        return False
    assert actual.shape == expected.shape, where
    assert actual.dtype == expected.dtype, where
    rtol = 1e-3 if actual.itemsize < 4 else 1e-5
    np.testing.assert_allclose(actual, expected, rtol, err_msg=where)
    return True


@pytest.mark.parametrize("name", CASES)
def test_20000_random_calls_end_in_the_right_answer_or_a_refusal(name):
    draws = 20_000 // len(CASES) + 1
    legal = sum(check(name, seed) for seed in range(draws))
    assert draws / 5 < legal < draws * 4 / 5  # neither side is rare
