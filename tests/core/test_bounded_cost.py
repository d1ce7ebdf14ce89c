"""What an op costs follows from its image, its kernel or its list, not from how large a number is.

A window larger than the image, taps 10^5 pixels apart, strides of 10^9, lists of thousands: each
is computed, both ways, in little time and memory. What must come out is paper arithmetic, or the
same window on an image that was padded by hand.
"""

import time
import tracemalloc
from contextlib import contextmanager

import backends
import numpy as np
import pytest
import reference_numpy as reference

import minitensor as tf
from minitensor import nn, window
from minitensor.backend import devices
from minitensor.ops import pool as ops

RNG = np.random.default_rng(10)
IMAGE = RNG.permutation(2 * 5 * 4 * 3).reshape(2, 5, 4, 3).astype("float32")
LINE, VOLUME = IMAGE[:, :, 0], IMAGE.reshape(2, 5, 2, 2, 3)
KERNEL = RNG.normal(size=(3, 3, 3, 3)).astype("float32")
HUGE = [1000, 10**5, 10**12]
FAR = [10**5, 2**27]  # pixels that a kernel on a device counts, too


@contextmanager
def little(seconds=4.0, megabytes=64):
    """Fails if what runs inside takes more processor time, or memory at its peak."""
    tracemalloc.start()
    begin = time.process_time()
    try:
        yield
        took, (_, peak) = time.process_time() - begin, tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < megabytes * 2**20, f"{peak / 2**20:.0f} MB"
    assert took < seconds, f"{took:.1f} s"


@pytest.fixture(params=backends.NAMES)
def device(request):
    """One backend after the other; a compiler's time is not counted."""
    with tf.device(f"/{devices.kind_of_backend(request.param)}:0"):
        nn.max_pool2d(IMAGE, 2, 1, "SAME")
        yield request.param


def both_ways(function, *arrays):
    """The result, and for each argument its gradient under a random cotangent, which comes too."""
    inputs = [tf.constant(a) for a in arrays]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        y = function(*inputs)
        main = y[0] if isinstance(y, tuple) else y
    g = np.random.default_rng(1).normal(size=main.shape).astype("float32")
    gradients = tape.gradient(main, inputs, tf.constant(g))
    return y, g, [np.asarray(d) for d in gradients]


# ----- windows -----


@pytest.mark.parametrize("size", HUGE)
@pytest.mark.parametrize("strides", ["one", "whole"])
@pytest.mark.parametrize(
    ("name", "x"),
    [(f"{kind}_pool{x.ndim - 2}d", x) for kind in ("max", "avg") for x in (LINE, IMAGE, VOLUME)],
)
def test_a_window_larger_than_the_image_costs_what_the_image_costs(device, name, x, size, strides):
    with little():
        y, g, (dx,) = both_ways(
            lambda x: getattr(nn, name)(x, size, 1 if strides == "one" else size, "SAME"), x
        )
    axes = tuple(range(1, x.ndim - 1))
    total = g.sum(axes, keepdims=True)
    if name.startswith("max"):  # every window sees all: one pixel of a channel wins them all
        expected, share = x.max(axes, keepdims=True), x == x.max(axes, keepdims=True)
    else:
        expected, share = x.mean(axes, keepdims=True), 1 / np.prod(x.shape[1:-1])
    np.testing.assert_allclose(y, np.broadcast_to(expected, y.shape), rtol=1e-6)
    np.testing.assert_allclose(dx, np.broadcast_to(total * share, x.shape), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", HUGE)
def test_the_place_of_a_maximum_is_found_in_a_window_larger_than_the_image(device, size):
    for strides in (1, size):
        with little():
            (_, index), g, (dx,) = both_ways(
                lambda x, s=strides: nn.max_pool_with_argmax(x, size, s, "SAME"), IMAGE
            )
        place = IMAGE.reshape(2, 20, 3).argmax(1) * 3 + np.arange(3)  # in one image
        np.testing.assert_array_equal(index, np.broadcast_to(place[:, None, None], index.shape))
        expected = (IMAGE.max((1, 2), keepdims=True) == IMAGE) * g.sum((1, 2), keepdims=True)
        np.testing.assert_allclose(dx, expected, rtol=1e-5)


@pytest.mark.parametrize("kind", ["MAX", "AVG"])
def test_windows_of_every_geometry_are_those_of_the_definition(kind):
    """Large ones are cut to what the image has, and laid along rows and then columns."""
    for seed in range(300):
        draw = np.random.default_rng([5, seed])
        x = draw.integers(-9, 10, (2, *draw.integers(1, 7, 2), 2)).astype("float64")
        taps, strides, apart = (draw.integers(1, most, 2).tolist() for most in (30, 4, 4))
        if draw.integers(4) == 0:
            x[draw.integers(2), 0, -1] = np.nan
        call = [x, taps, strides, "SAME", "NHWC", kind, apart, "pool"]
        try:
            expected = reference.user_pool(*call)
        except reference.IllegalError:
            continue
        y = nn.pool(tf.constant(x), taps, kind, strides, "SAME", None, apart)
        np.testing.assert_allclose(y, expected, rtol=1e-12, err_msg=str(seed))


@pytest.mark.parametrize("function", [ops.max_pool, ops.avg_pool])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_window_in_two_passes_has_the_gradients_of_one(monkeypatch, function, dtype):
    """Of the second order too, and with ties."""
    draw = np.random.default_rng(3)
    x = tf.constant(draw.integers(-2, 3, (2, 12, 11, 2)).astype(dtype))
    g = tf.constant(draw.normal(size=(2, 6, 6, 2)).astype(dtype))

    def derivatives(many, passes):
        monkeypatch.setattr(window, "MANY_TAPS", many)
        plane = window.Window.of((12, 11), (7, 6), (2, 2), "SAME")
        assert len(plane.passes) == passes
        with tf.GradientTape() as outer:
            outer.watch(g)
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = function(x, depth=None, plane=plane)
            dx = tape.gradient(y, x, g)
            z = dx * dx
        return y, dx, outer.gradient(z, g)

    for one, two in zip(derivatives(10**9, 1), derivatives(0, 2), strict=True):
        np.testing.assert_allclose(two, one, rtol=1e-5, atol=1e-5)


CONVOLUTIONS = {
    "conv1d": (LINE, (3, 3, 2), lambda x, k, d: nn.conv1d(x, k, 1, "SAME", dilations=d)),
    "conv2d": (IMAGE, (3, 3, 3, 2), lambda x, k, d: nn.conv2d(x, k, 1, "SAME", dilations=d)),
    "conv2d, groups": (IMAGE, (3, 3, 1, 6), lambda x, k, d: nn.conv2d(x, k, 1, "SAME", None, d)),
    "conv3d": (
        VOLUME,
        (3, 3, 3, 3, 2),
        lambda x, k, d: nn.conv3d(x, k, [1] * 5, "SAME", dilations=[1, d, d, d, 1]),
    ),
    "atrous_conv2d": (IMAGE, (3, 3, 3, 2), lambda x, k, d: nn.atrous_conv2d(x, k, d, "SAME")),
    "depthwise_conv2d": (
        IMAGE,
        (3, 3, 3, 1),
        lambda x, k, d: nn.depthwise_conv2d(x, k, [1] * 4, "SAME", dilations=[d, d]),
    ),
    "depthwise_conv2d, 2 each": (
        IMAGE,
        (3, 3, 3, 2),
        lambda x, k, d: nn.depthwise_conv2d(x, k, [1] * 4, "SAME", dilations=[d, d]),
    ),
    "conv2d_transpose": (
        IMAGE,
        (3, 3, 2, 3),
        lambda x, k, d: nn.conv2d_transpose(x, k, [2, 5, 4, 2], 1, "SAME", dilations=d),
    ),
    "conv3d_transpose": (
        VOLUME,
        (3, 3, 3, 2, 3),
        lambda x, k, d: nn.conv3d_transpose(x, k, [2, 5, 2, 2, 2], 1, "SAME", dilations=[d, d, d]),
    ),
    "dilation2d": (
        IMAGE,
        (3, 3, 3),
        lambda x, k, d: nn.dilation2d(x, k, [1] * 4, "SAME", "NHWC", [1, d, d, 1]),
    ),
    "causal": (
        IMAGE,
        (3, 3, 3, 2),
        lambda x, k, d: nn.conv2d(x, k, 1, [[0, 0], [2 * d, 0], [2 * d, 0], [0, 0]], dilations=d),
    ),
}


@pytest.mark.parametrize("apart", FAR)
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_a_kernel_whose_taps_lie_far_apart_costs_what_its_taps_cost(device, name, apart):
    """Taps 30 apart lie just as far outside the image: one is left."""
    x, shape, call = CONVOLUTIONS[name]
    kernel = np.random.default_rng(2).normal(size=shape).astype("float32")
    with little():
        far, *_, gradients = both_ways(lambda x, k: call(x, k, apart), x, kernel)
    near, *_, expected = both_ways(lambda x, k: call(x, k, 30), x, kernel)
    np.testing.assert_allclose(far, near, rtol=1e-5, atol=1e-6)
    assert np.count_nonzero(gradients[1].reshape(-1, *shape[-2:]).any((1, 2))) == 1
    for ours, theirs in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("far", FAR)
def test_patches_pools_and_strides_reach_far_beyond_the_image(device, far):
    ones = [1, 1, 1, 1]
    with little():
        apart, *_ = both_ways(
            lambda x: tf.image.extract_patches(x, [1, 3, 3, 1], ones, [1, far, far, 1], "SAME"),
            IMAGE,
        )
        pooled, g, (dx,) = both_ways(
            lambda x: nn.pool(x, [3, 3], "MAX", padding="SAME", dilations=[far, far]), IMAGE
        )
        corner, *_ = both_ways(lambda x: nn.conv2d(x, KERNEL, far, "SAME"), IMAGE)
        wide, *_ = both_ways(
            lambda x, k: nn.conv2d(
                x, k, far, [[0, 0], [far, far], [far, far], [0, 0]], dilations=far
            ),
            IMAGE,
            KERNEL[:2, :2],
        )
        single, *_ = both_ways(
            lambda x, k: nn.conv2d_transpose(x, k, [2, 1, 1, 3], far, "SAME"),
            IMAGE[:, :1, :1],
            KERNEL,
        )
    padded = np.zeros((2, 5, 4, 9, 3), "float32")
    padded[..., 4, :] = IMAGE  # the middle one of nine taps
    np.testing.assert_array_equal(apart, padded.reshape(2, 5, 4, 27))
    np.testing.assert_array_equal(pooled, IMAGE)
    np.testing.assert_array_equal(dx, g)
    top, left = ((3 - n) // 2 if n < 3 else 0 for n in (5, 4))
    seen = np.einsum("nhwc,hwco->no", IMAGE[:, : 3 - top, : 3 - left], KERNEL[top:, left:])
    np.testing.assert_allclose(corner, seen[:, None, None], rtol=1e-5, atol=1e-4)
    assert wide.shape == (2, 2, 2, 3)
    for i, j in np.ndindex(2, 2):  # position (i, j) sees pixel (0, 0) under tap (1 - i, 1 - j)
        np.testing.assert_allclose(
            wide[:, i, j], IMAGE[:, 0, 0] @ KERNEL[1 - i, 1 - j], rtol=1e-4, atol=1e-4
        )
    middle = np.einsum("no,co->nc", IMAGE[:, 0, 0], KERNEL[1, 1])
    np.testing.assert_allclose(single[:, 0, 0], middle, rtol=1e-4, atol=1e-4)


# ----- lists -----

MANY = 4000
LISTS = {
    "concat": lambda xs: tf.concat(xs, 0),
    "stack": lambda xs: tf.stack(xs, 1),
    "add_n": tf.add_n,
    "Concatenate": lambda xs: tf.keras.layers.Concatenate()(xs),
}
PARTS = {
    "unstack": lambda x: tf.unstack(x, axis=1),
    "split": lambda x: tf.split(x, MANY, axis=1),
    "split, sizes": lambda x: tf.split(x, [1] * (MANY - 1) + [-1], axis=1),
    "map_fn": lambda x: [tf.map_fn(lambda row: row + 1.0, tf.transpose(x))],
}


@pytest.mark.parametrize("name", LISTS)
def test_joining_costs_what_the_list_costs(name):
    rows = [np.full((1, 2), k, "float32") for k in range(MANY)]
    with little(seconds=8):
        y, g, gradients = both_ways(lambda *xs: LISTS[name](list(xs)), *rows)
    if name == "add_n":
        np.testing.assert_allclose(y, np.full((1, 2), MANY * (MANY - 1) / 2), rtol=1e-4)
        expected = [g] * MANY
    else:
        axis = 0 if name == "concat" else 1
        np.testing.assert_array_equal(np.reshape(y, (-1, 2)), np.concatenate(rows, 0))
        expected = [piece.reshape(1, 2) for piece in np.split(g, MANY, axis)]
    np.testing.assert_array_equal(gradients, expected)


@pytest.mark.parametrize("name", PARTS)
def test_taking_apart_costs_what_the_tensor_costs(name):
    """Each part has a gradient of its own; those of all parts are joined once."""
    x = tf.constant(RNG.normal(size=(200, MANY)).astype("float32"))
    with little(seconds=8, megabytes=256), tf.GradientTape() as tape:
        tape.watch(x)
        parts = PARTS[name](x)
        dx = tape.gradient(parts, x)
    assert sum(part.numpy().size for part in parts) == 200 * MANY
    np.testing.assert_array_equal(dx, np.ones((200, MANY)))


def test_parts_nobody_asks_for_have_no_gradient_and_every_order_follows():
    x = tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            first, _, third = tf.unstack(x)
            y = tf.reduce_sum(first * first * third)
        dx = tape.gradient(y, x)
    np.testing.assert_array_equal(dx, [[10, 24], [0, 0], [1, 4]])  # 2ac, 0, a^2
    np.testing.assert_array_equal(outer.gradient(dx, x), [[12, 16], [0, 0], [2, 4]])
