"""Cases of pooling, morphology and rearrangement; ties, NaN and -inf where kernels disagree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from minitensor.parity.case import FLOATS, HALVES, Case, T, call, literal
from minitensor.parity.cases.conv import FIRST, full, image
from minitensor.parity.cases.geometry import geometries

AREA = "pooling, patches, space"
Random = np.random.RandomState
NAN, INF = float("nan"), float("inf")
KIND = {"max": "distinct", "avg": "real"}


def cases() -> Iterator[Case]:
    """Every case of the family."""
    for case in in_halves():
        yield replace(case, dtypes=FLOATS + HALVES)
    for kind in ("max", "avg"):
        for rank, count in ((1, 12), (2, 24), (3, 14)):
            yield from pools(Random(30 + rank), kind, rank, count)
            yield from general(Random(40 + rank), kind, rank, count)
    yield from integers()
    yield from special()
    yield from argmax(Random(35), 14)
    yield from morphology(Random(36), 14)
    yield from patches(Random(37), 22)
    yield from rearranged()
    yield from folded()
    for case in (*every_pool(), *every_block(), *every_morphology()):
        yield replace(case, dtypes=("float64",))
    yield from each_argument()


def in_halves() -> Iterator[Case]:
    """A few of each op that are also run in float16 and bfloat16."""
    for kind, values in KIND.items():
        x = T((2, 5, 6, 3), values)
        for padding in ("SAME", "VALID"):
            yield call(f"nn.{kind}_pool2d", x, ksize=2, strides=2, padding=padding)
            yield call(f"nn.{kind}_pool2d", x, ksize=3, strides=1, padding=padding)
        yield call(f"nn.{kind}_pool", x, ksize=[3, 2], strides=[1, 2], padding="SAME")
        yield call(f"nn.{kind}_pool1d", T((2, 7, 3), values), ksize=3, strides=2, padding="SAME")
    x = T((1, 5, 4, 2))
    words = {"sizes": [1, 2, 3, 1], "strides": [1, 2, 1, 1], "rates": [1] * 4}
    yield call("image.extract_patches", x, **words, padding="SAME")
    yield call("nn.space_to_depth", (2, 4, 6, 3), block_size=2)
    yield call("nn.depth_to_space", (2, 2, 3, 8), block_size=2)


def pools(random: Random, kind: str, rank: int, count: int) -> Iterator[Case]:
    """max_pool1d ... avg_pool3d; explicit pads where tf takes them."""
    pads = "SAME VALID explicit" if kind == "max" and rank == 2 else "SAME VALID"
    for i, one in enumerate(geometries(random, rank, count, pads, dilations=1)):
        first = i % 4 == 3
        x = image(int(random.randint(1, 3)), one.size, int(random.randint(1, 4)), first)
        settings: dict[str, Any] = {
            "ksize": full(one.kernel, first) if i % 2 else list(one.kernel),
            "strides": full(one.stride, first) if i % 2 else list(one.stride),
            "padding": one.explicit(first),
            **({"data_format": FIRST[rank]} if first else {}),
        }
        yield call(f"nn.{kind}_pool{rank}d", T(x, KIND[kind]), **settings)
    x = (2, *(6, 5, 3)[:rank], 2)
    yield call(f"nn.{kind}_pool", T(x, KIND[kind]), ksize=2, strides=2, padding="SAME")
    empty = T((0, *(6, 5, 3)[:rank], 2), KIND[kind])
    yield call(f"nn.{kind}_pool{rank}d", empty, ksize=2, strides=2, padding="SAME")


def general(random: Random, kind: str, rank: int, count: int) -> Iterator[Case]:
    """nn.pool: stride 1 by default, and the only pooling with dilations."""
    pads = "SAME VALID explicit" if rank == 2 else "SAME VALID"
    for i, one in enumerate(geometries(random, rank, count, pads)):
        if i % 4:
            one = replace(one, **{"stride" if i % 2 else "dilation": (1,) * rank})
        if kind == "avg" and not isinstance(one.padding, str):
            one = replace(one, padding="VALID")
        if min(one.out) < 1 or not one.covered:
            continue
        x = T(image(int(random.randint(1, 3)), one.size, 2, False), KIND[kind])
        words = {"window_shape": list(one.kernel), "pooling_type": kind.upper()}
        words |= {"strides": list(one.stride), "padding": one.explicit()}
        yield call("nn.pool", x, **words, dilations=list(one.dilation))


def integers() -> Iterator[Case]:
    """max_pool takes integers, forward."""
    for dtype in ("int32", "int64"):
        for padding in ("SAME", "VALID"):
            x, words = T((1, 5, 5, 2), "ties"), {"ksize": 2, "strides": 2, "padding": padding}
            yield replace(call("nn.max_pool2d", x, **words), dtypes=(dtype,), order=0)


def special() -> Iterator[Case]:
    """Where TensorFlow's own kernels disagree with each other: NaN, -inf, ties, padded pools."""
    for values in ((NAN, 1), (1, NAN), (NAN, NAN), (-INF, -INF), (INF, NAN), (-0.0, 0.0), (2, 2)):
        words = {"strides": 1, "padding": "VALID"}
        line = literal((1, 2, 1, 1), *values)
        yield call("nn.max_pool2d", line, ksize=[2, 1], **words)
        yield call("nn.max_pool1d", literal((1, 2, 1), *values), ksize=2, **words)
        yield call("nn.max_pool3d", literal((1, 2, 1, 1, 1), *values), ksize=[2, 1, 1], **words)
        yield indices(line, [2, 1], [1, 1], "VALID", False)
    for n in (2, 3):
        ones = T((1, n, n, 2), "ties")
        yield call("nn.max_pool2d", ones, ksize=2, strides=1, padding="SAME")
        yield call("nn.max_pool3d", T((1, n, n, 2, 1), "ties"), ksize=2, strides=1, padding="SAME")
        yield indices(ones, [2, 2], [1, 1], "SAME", True)
    line, far = literal((1, 8, 1, 1, 1), *range(1, 9)), [4, 1, 1]  # strides beyond the window
    for kind in ("MAX", "AVG"):
        yield call(f"nn.{kind.lower()}_pool3d", line, ksize=1, strides=far, padding="SAME")
        words = {"window_shape": [2, 2], "pooling_type": kind}
        words |= {"padding": [[0, 0], [1, 1], [1, 1], [0, 0]] if kind == "MAX" else "VALID"}
        yield call("nn.pool", literal((1, 3, 3, 1), *range(-9, 0)), **words, dilations=[2, 2])
    for values in ((NAN, 1), (1, NAN), (-INF, -INF)):
        for op in ("dilation2d", "erosion2d"):
            yield morph(op, literal((1, 2, 1, 1), *values), T((2, 1, 1)), (1, 1), (1, 1), "VALID")


def indices(x: T, ksize: Any, strides: Any, padding: str, batch: bool, **more: Any) -> Case:
    """max_pool_with_argmax."""
    words = {"ksize": ksize, "strides": strides, "padding": padding}
    return call("nn.max_pool_with_argmax", x, **words, include_batch_in_index=batch, **more)


def argmax(random: Random, count: int) -> Iterator[Case]:
    """max_pool_with_argmax on random windows."""
    for i, one in enumerate(geometries(random, 2, count, "SAME VALID", dilations=1)):
        x = T(image(2, one.size, int(random.randint(1, 4)), False), "distinct")
        yield indices(x, list(one.kernel), list(one.stride), one.padding, i % 2 == 1)


def morphology(random: Random, count: int) -> Iterator[Case]:
    """dilation2d and erosion2d, which pad with -inf and are linear nowhere."""
    for i, one in enumerate(geometries(random, 2, count, "SAME VALID")):
        if not one.covered:
            continue
        channels = int(random.randint(1, 4))
        x = image(int(random.randint(1, 3)), one.size, channels, False)
        op = "erosion2d" if i % 2 else "dilation2d"
        yield morph(op, T(x), T((*one.kernel, channels)), one.stride, one.dilation, one.padding)


def morph(op: str, x: T, kernel: T, stride: Any, dilation: Any, padding: str) -> Case:
    """One call of dilation2d or erosion2d, where every argument is required."""
    words = {"strides": full(stride, False), "padding": padding, "data_format": "NHWC"}
    return call(f"nn.{op}", x, kernel, **words, dilations=full(dilation, False))


def patches(random: Random, count: int) -> Iterator[Case]:
    """extract_patches; its gradient is col2im, and the second order comes back to im2col."""
    for one in geometries(random, 2, count, "SAME VALID"):
        x = image(int(random.randint(1, 3)), one.size, int(random.randint(1, 3)), False)
        geometry = {"sizes": one.kernel, "strides": one.stride, "rates": one.dilation}
        words = {name: full(numbers, False) for name, numbers in geometry.items()}
        yield call("image.extract_patches", x, **words, padding=one.padding)
    words = {"sizes": [1, 2, 2, 1], "strides": [1] * 4, "rates": [1] * 4}
    yield call("image.extract_patches", (0, 4, 4, 2), **words, padding="SAME")


def every_pool() -> Iterator[Case]:
    """Each pool in each form of its arguments; dilations and explicit padding."""
    words: dict[str, Any]
    shape: tuple[int, ...]
    explicit = [[0, 0], [1, 0], [0, 1], [0, 0]]
    windows = (
        *((2, 2, "VALID"), (3, 2, "SAME"), ([2, 3], [1, 2], "SAME"), (2, 3, "SAME")),
        *(([1, 3, 2, 1], [1, 2, 1, 1], "VALID"), (4, 1, "SAME")),
    )
    for kind, values in KIND.items():
        for name in (f"nn.{kind}_pool2d", f"nn.{kind}_pool"):
            for ksize, strides, padding in windows:
                x = T((1, 7, 6, 2), values)
                yield call(name, x, ksize=ksize, strides=strides, padding=padding)
        for name in (f"nn.{kind}_pool1d", f"nn.{kind}_pool"):
            for ksize, strides, padding in windows[:2]:
                x = T((2, 7, 3), values)
                yield call(name, x, ksize=ksize, strides=strides, padding=padding)
        for name in (f"nn.{kind}_pool3d", f"nn.{kind}_pool"):
            for words in (
                {"ksize": 2, "strides": 2, "padding": "VALID"},
                {"ksize": [3, 2, 2], "strides": [2, 1, 2], "padding": "SAME"},
            ):
                yield call(name, T((1, 5, 4, 4, 2), values), **words, data_format="NDHWC")
        words = {"pooling_type": kind.upper()}
        for shape, window, rates in (
            ((2, 9, 3), [3], [2]),
            ((2, 6, 7, 2), [2, 3], [2, 1]),
            ((1, 5, 4, 5, 2), [2, 2, 2], [3, 1, 2]),
        ):
            yield call("nn.pool", T(shape, values), window_shape=window, dilations=rates, **words)
        same = {**words, "padding": "SAME", "dilations": [2, 2]}
        yield call("nn.pool", T((2, 6, 5, 2), values), window_shape=[2, 2], **same)
        far = {**words, "strides": [2, 2], "padding": "VALID", "dilations": [3, 2]}
        yield call("nn.pool", T((2, 8, 9, 2), values), window_shape=[2, 3], **far)
    words = {"ksize": 2, "strides": 2, "padding": explicit}
    yield call("nn.max_pool2d", T((2, 5, 6, 3), "distinct"), **words)


def every_block() -> Iterator[Case]:
    """Rearrangements by each size of block, with pads and crops, along one to three axes."""
    shape: tuple[int, ...]
    for op, shape, block in (
        ("space_to_depth", (2, 4, 6, 3), 2),
        ("space_to_depth", (1, 9, 3, 2), 3),
        ("depth_to_space", (2, 2, 3, 8), 2),
        ("depth_to_space", (1, 1, 2, 18), 3),
    ):
        yield call(f"nn.{op}", shape, block_size=block)
    for shape, blocks, pads in (
        ((2, 4, 6, 3), [2, 3], [[0, 0], [0, 0]]),
        ((1, 3, 5, 2), [2, 3], [[1, 0], [0, 1]]),
        ((2, 5, 4), [3], [[0, 1]]),
        ((1, 2, 2, 2, 1), [2, 1, 2], [[0, 0], [0, 0], [2, 0]]),
    ):
        yield call("nn.space_to_batch", shape, block_shape=blocks, paddings=pads)
    for shape, blocks, crops in (
        ((12, 2, 2, 3), [2, 3], [[0, 0], [0, 0]]),
        ((4, 3, 2, 1), [2, 2], [[1, 0], [0, 2]]),
    ):
        yield call("nn.batch_to_space", shape, block_shape=blocks, crops=crops)


def every_morphology() -> Iterator[Case]:
    """Both ops on larger images, strided and dilated."""
    for op in ("dilation2d", "erosion2d"):
        for taps, stride, padding, dilation in (
            ((2, 3), (1, 1), "VALID", (1, 1)),
            ((3, 3), (2, 1), "SAME", (1, 1)),
            ((2, 2), (2, 3), "SAME", (2, 1)),
        ):
            yield morph(op, T((2, 6, 7, 3)), T((*taps, 3)), stride, dilation, padding)


def each_argument() -> Iterator[Case]:
    """Every type of integer, both types of index, windows over channels."""
    words = {"ksize": 3, "strides": 2, "padding": "SAME"}
    for dtype in ("int8", "uint8", "int16", "int32", "int64"):
        x = T((2, 5, 5, 3), "below", high=100, dtype=dtype)
        yield replace(call("nn.max_pool2d", x, **words), dtypes=("int32",), order=0)
    for index in ("int32", "int64"):
        for batch in (False, True):
            x = T((2, 5, 6, 3), "distinct")
            case = indices(x, [3, 3], [2, 2], "SAME", batch, output_dtype=index)
            yield replace(case, order=0)
    over = {"ksize": [1, 1, 1, 3], "strides": [1, 1, 1, 3], "padding": "VALID"}
    yield replace(call("nn.max_pool", T((2, 3, 4, 6), "distinct"), **over), order=0)
    x, kernel = T((1, 5, 5, 2)), T((2, 2, 2))
    case = morph("dilation2d", x, kernel, (1, 1), (1, 1), "SAME")
    yield replace(case, dtypes=("int32",), order=0)


def folded() -> Iterator[Case]:
    """add_patches, which is col2im."""
    for size, patches, padding, settings in (
        ([5, 7], (2, 3, 4, 12), "SAME", {"sizes": [1, 3, 2, 1], "strides": [1, 2, 2, 1]}),
        ([4, 4], (1, 2, 4, 4), "VALID", {"sizes": [1, 2, 1, 1], "rates": [1, 2, 1, 1]}),
        ([3, 3], (1, 2, 2, 4), "VALID", {"sizes": [1, 2, 2, 1]}),
    ):
        words = {"strides": [1] * 4, "rates": [1] * 4, **settings, "padding": padding}
        case = call("image.add_patches", patches, image_size=size, **words)
        yield replace(case, dtypes=FLOATS + HALVES, composition=transposed_patches)


def transposed_patches(tf: Any, patches: Any, image_size: Any, **words: Any) -> Any:
    """The transpose of extract_patches, whose matrix is seen by cutting up one pixel at a time."""
    n, h, w, entries = (int(size) for size in patches.shape)
    channels = entries // int(np.prod(words["sizes"]))
    shape = [*image_size, channels]
    pixels = int(np.prod(shape))
    images = tf.reshape(tf.constant(np.eye(pixels), patches.dtype), [pixels, *shape])
    matrix = tf.reshape(tf.image.extract_patches(images, **words), [pixels, -1])
    flat = tf.reshape(patches, [n, h * w * entries])
    return tf.reshape(tf.matmul(flat, matrix, transpose_b=True), [n, *shape])


def rearranged() -> Iterator[Case]:
    """Space, depth and batch change places."""
    for block in (2, 3):
        x, y = (2, 2 * block, 3 * block, 2), (2, 2, 3, 2 * block * block)
        yield call("nn.space_to_depth", x, block_size=block)
        yield call("nn.depth_to_space", y, block_size=block)
        first = (2, y[3], y[1], y[2])
        yield call("nn.depth_to_space", first, block_size=block, data_format="NCHW")
        first = (2, 2, x[1], x[2])
        yield call("nn.space_to_depth", first, block_size=block, data_format="NCHW")
    for blocks, pads in (([2, 2], [[0, 0], [1, 0]]), ([2, 3], [[1, 1], [0, 1]]), ([4], [[0, 0]])):
        yield call("space_to_batch", (2, 4, 5, 2), block_shape=blocks, paddings=pads)
        yield call("nn.space_to_batch", (2, 4, 5, 2), block_shape=blocks, paddings=pads)
        yield call("batch_to_space", (12, 2, 3, 2), block_shape=blocks, crops=pads)
