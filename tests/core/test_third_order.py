"""Third derivatives of the conv engine against central differences, on drawn geometries.

`check_gradients(order=3)` projects gradients, gradients of gradients, and theirs; float64. Outputs
are squared or cubed, so that cotangents depend on the arguments and are differentiated as well.
Maxima are kept off ties by drawing images whose pixels all differ by at least a tenth.
"""

import numpy as np
import pytest

import minitensor as mt

SEEDS = range(30)


class Geometry:
    """Sizes, strides, dilations and padding of one small windowed op, drawn from a seed."""

    def __init__(self, seed, taps=(1, 4)):
        self.rng = np.random.default_rng(seed)
        draw = self.rng.integers
        self.taps = draw(*taps, 2)
        self.dilation = draw(1, 3, 2)
        reach = (self.taps - 1) * self.dilation + 1
        self.size = reach + draw(0, 4, 2)
        self.stride = draw(1, 4, 2)
        self.padding = ["SAME", "VALID"][draw(2)]
        self.images, self.groups = draw(1, 3), draw(1, 3)
        if self.padding == "SAME":
            self.out = -(-self.size // self.stride)
        else:
            self.out = (self.size - reach) // self.stride + 1

    def normal(self, *shape):
        return self.rng.normal(size=[int(np.squeeze(n)) for n in shape])

    def spread(self, *shape):
        """All elements different, at least a tenth apart."""
        order = self.rng.permutation(int(np.prod(shape)))
        return (0.1 * order - 0.05 * order.size).reshape([int(n) for n in shape])

    def words(self):
        listed = {"strides": self.stride, "dilations": self.dilation}
        return {"padding": self.padding, **{k: list(map(int, v)) for k, v in listed.items()}}


def check(function, *arrays, tolerance=1e-5):
    """Third order of the square of a function."""

    def squared(*tensors):
        y = function(*tensors)
        return y * y

    mt.check_gradients(squared, *arrays, order=3, tolerance=tolerance)


@pytest.mark.parametrize("seed", SEEDS)
def test_third_order_of_conv2d(seed):
    g = Geometry(seed)
    x = g.normal(g.images, *g.size, 2 * g.groups)
    kernel = g.normal(*g.taps, 2, g.groups)
    check(lambda x, k: mt.nn.conv2d(x, k, **g.words()), x, kernel)


@pytest.mark.parametrize("seed", SEEDS)
def test_third_order_of_conv2d_transpose(seed):
    g = Geometry(seed)
    y = g.normal(g.images, *g.out, g.groups)
    kernel = g.normal(*g.taps, 2, g.groups)
    shape = [g.images, *g.size, 2 * g.groups]
    check(lambda y, k: mt.nn.conv2d_transpose(y, k, shape, **g.words()), y, kernel)


@pytest.mark.parametrize("seed", SEEDS)
def test_third_order_of_depthwise_conv2d(seed):
    g = Geometry(seed)
    x, bank = g.normal(g.images, *g.size, 2), g.normal(*g.taps, 2, g.groups)
    words = {**g.words(), "strides": [1, *map(int, g.stride), 1]}
    check(lambda x, k: mt.nn.depthwise_conv2d(x, k, **words), x, bank)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["MAX", "AVG"])
def test_third_order_of_dilated_pooling(kind, seed):
    """Pools are piecewise linear; their cube has derivatives of every order."""
    g = Geometry(seed)
    x = g.spread(g.images, *g.size, 2)
    window = list(map(int, g.taps))

    def cube(x):
        y = mt.nn.pool(x, window, kind, **g.words())
        return y * y * y

    mt.check_gradients(cube, x, order=3, tolerance=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
def test_third_order_of_max_pool2d_and_avg_pool2d(name, seed):
    g = Geometry(seed)
    x = g.spread(g.images, *g.size, 2)
    call = getattr(mt.nn, name)

    def cube(x):
        y = call(x, list(map(int, g.taps)), list(map(int, g.stride)), g.padding)
        return y * y * y

    mt.check_gradients(cube, x, order=3, tolerance=1e-5)


def composed(x, offset, scale):
    mean, variance = mt.nn.moments(x, [0, 1, 2])
    return mt.nn.batch_normalization(x, mean, variance, offset, scale, 0.1)


def fused(x, offset, scale):
    return mt.nn.fused_batch_norm(x, scale, offset, epsilon=0.1)[0]


@pytest.mark.parametrize("normalise", [composed, fused])
@pytest.mark.parametrize("seed", SEEDS)
def test_third_order_of_batch_normalisation(seed, normalise):
    g = Geometry(seed)
    x = g.normal(g.images + 1, *g.size, 2)
    check(normalise, x, g.normal(2), g.normal(2))


@pytest.mark.parametrize("seed", SEEDS)
def test_third_order_of_softmax_cross_entropy(seed):
    g = Geometry(seed)
    logits, labels = (
        g.normal(g.images + 1, g.groups + 2),
        g.rng.random((g.images + 1, g.groups + 2)),
    )
    labels /= labels.sum(1, keepdims=True)
    labels = mt.constant(labels)
    check(lambda x: mt.nn.softmax_cross_entropy_with_logits(labels, x), logits)
