"""Cases of the conv family: hand-picked ones in one line each, then random geometries."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from minitensor.parity.case import FLOATS, HALVES, Case, T, call
from minitensor.parity.cases.geometry import geometries

AREA = "convolution"
ALL = FLOATS + HALVES
Random = np.random.RandomState
FIRST = {1: "NCW", 2: "NCHW", 3: "NCDHW"}


def cases() -> Iterator[Case]:
    """Every case of the family."""
    yield from (replace(case, dtypes=ALL) for case in in_halves())
    yield from by_hand()
    yield from (replace(case, dtypes=("int32",), order=0) for case in in_integers())
    for rank, count in ((1, 24), (2, 60), (3, 22)):
        yield from convolutions(Random(rank), rank, count)
        yield from transposes(Random(10 + rank), rank, count * 2 // 3)
    yield from any_rank(Random(20))
    yield from atrous(Random(21), 12)
    yield from ignored_dilations()
    yield from depthwise(Random(22), 36)
    yield from separable(Random(23), 18)
    yield from matrices()
    for case in (*every_geometry(), *every_size(), *every_depthwise()):
        yield replace(case, dtypes=("float64",))
    yield from each_argument()
    yield from drawn_forward(40)


def in_halves() -> Iterator[Case]:
    """A few of each op that are also run in float16 and bfloat16."""
    image, kernel = (2, 5, 6, 3), (3, 2, 3, 4)
    for padding in ("SAME", "VALID"):
        yield call("nn.conv2d", image, kernel, strides=1, padding=padding)
        yield call("nn.conv2d", image, kernel, strides=[2, 3], padding=padding)
        yield call("nn.conv1d", (2, 7, 3), (3, 3, 2), stride=2, padding=padding)
        yield call("nn.conv3d", (1, 3, 4, 3, 2), (2, 2, 2, 2, 3), strides=[1] * 5, padding=padding)
        yield call("nn.depthwise_conv2d", image, (3, 3, 3, 2), strides=[1] * 4, padding=padding)
    words: dict[str, Any] = {"output_shape": [1, 6, 5, 4], "strides": 2}
    yield call("nn.conv2d_transpose", (1, 3, 3, 2), (3, 3, 4, 2), **words)
    words = {"strides": [1, 2, 2, 1], "padding": "SAME"}
    yield call("nn.separable_conv2d", image, (3, 3, 3, 2), (1, 1, 6, 4), **words)


def in_integers() -> Iterator[Case]:
    """TensorFlow convolves int32 forward."""
    for padding in ("SAME", "VALID"):
        yield call("nn.conv2d", (1, 5, 5, 2), (3, 3, 2, 3), strides=2, padding=padding)
        yield call("nn.conv1d", (2, 6, 2), (3, 2, 3), stride=1, padding=padding)


def by_hand() -> Iterator[Case]:
    """Layouts, groups, leading axes, argument forms, empty images."""
    x, w = (2, 6, 5, 4), (3, 2, 4, 6)
    for strides in (2, [2], [2, 1], [1, 2, 1, 1]):
        yield call("nn.conv2d", x, w, strides=strides, padding="SAME")
    for dilations in (2, [2], [1, 2], [1, 2, 1, 1]):
        yield call("nn.conv2d", x, w, strides=1, padding="SAME", dilations=dilations)
    for padding in ("SAME", "VALID", [[0, 0], [0, 0], [2, 1], [0, 1]]):
        for groups in (1, 2, 4):
            kernel = (3, 2, 4 // groups, 8)
            yield call("nn.conv2d", x, kernel, strides=2, padding=_last(padding))
            first = {"strides": [1, 1, 2, 1], "padding": padding, "data_format": "NCHW"}
            yield call("nn.conv2d", (2, 4, 6, 5), kernel, **first)
    yield call("nn.conv1d", (2, 3, 8), (3, 3, 4), stride=2, padding="SAME", data_format="NCW")
    yield call("nn.conv1d", (2, 8, 4), (3, 2, 4), stride=1, padding="VALID", dilations=[3])
    yield call("nn.conv1d", (3, 2, 8, 2), (3, 2, 4), stride=1, padding="SAME")
    yield call("nn.conv2d", (2, 3, 5, 4, 2), (3, 3, 2, 3), strides=1, padding="SAME")
    yield call("nn.conv2d", (2, 1, 3, 5, 4, 2), (3, 3, 2, 3), strides=2, padding="VALID")
    yield call("nn.conv3d", (1, 4, 4, 4, 4), (2, 2, 2, 2, 4), strides=[1] * 5, padding="SAME")
    far = [1, 4, 1, 1, 1]  # strides beyond the kernel
    yield call("nn.conv3d", (1, 8, 1, 1, 1), (1, 1, 1, 1, 1), strides=far, padding="SAME")
    yield call("nn.convolution", (2, 3, 5, 4, 2), (3, 3, 2, 3))
    yield from empty()


def empty() -> Iterator[Case]:
    """Batches of no images. (A kernel that fits nowhere is an error, as in tf.function.)"""
    for op in ("nn.conv2d", "nn.convolution"):
        yield call(op, (0, 5, 6, 4), (3, 3, 4, 8), strides=1, padding="SAME")
    yield call("nn.conv1d", (0, 5, 4), (3, 4, 8), stride=1, padding="SAME")
    yield call("nn.conv3d", (0, 3, 3, 3, 2), (2, 2, 2, 2, 3), strides=[1] * 5, padding="SAME")
    yield call("nn.depthwise_conv2d", (0, 5, 6, 4), (3, 3, 4, 2), strides=[1] * 4, padding="SAME")
    words: dict[str, Any] = {"output_shape": [0, 6, 6, 4], "strides": 2}
    yield call("nn.conv2d_transpose", (0, 3, 3, 2), (3, 3, 4, 2), **words)
    words = {"strides": [1] * 4, "padding": "SAME"}
    yield call("nn.separable_conv2d", (0, 4, 4, 2), (3, 3, 2, 1), (1, 1, 2, 3), **words)


def convolutions(random: Random, rank: int, count: int) -> Iterator[Case]:
    """conv1d, conv2d or conv3d; groups and channels-first in a third of them."""
    pads = "SAME VALID explicit" if rank == 2 else "SAME VALID"
    for i, one in enumerate(geometries(random, rank, count, pads)):
        groups = 1 if rank == 3 and i % 4 else int(random.randint(1, 4))
        depth, first = int(random.randint(1, 3)), i % 3 == 2
        outputs = groups * int(random.randint(1, 3))
        kernel = (*one.kernel, depth, outputs)
        x = image(int(random.randint(1, 3)), one.size, groups * depth, first)
        settings = {
            "stride" if rank == 1 else "strides": full(one.stride, first),
            "padding": one.explicit(first),
            "dilations": full(one.dilation, first),
            **({"data_format": FIRST[rank]} if first else {}),
        }
        yield call(f"nn.conv{rank}d", x, kernel, **settings)


def transposes(random: Random, rank: int, count: int) -> Iterator[Case]:
    """conv1d_transpose ... conv3d_transpose at any legal size; `geometry.size` is the output."""
    pads = "SAME VALID explicit" if rank == 2 else "SAME VALID"
    for i, one in enumerate(geometries(random, rank, count, pads)):
        groups = int(random.randint(1, 3)) if rank == 2 and i % 4 == 3 else 1
        depth, outputs = int(random.randint(1, 3)), groups * int(random.randint(1, 3))
        batch, first = int(random.randint(1, 3)), i % 5 == 4
        if i % 2:
            one = replace(one, dilation=(1,) * rank, padding="SAME")
        settings = {
            "output_shape": list(image(batch, one.size, groups * depth, first)),
            "strides": full(one.stride, first),
            "padding": one.explicit(first),
            "dilations": full(one.dilation, first),
            **({"data_format": FIRST[rank]} if first else {}),
        }
        op = "nn.conv_transpose" if i % 6 == 5 else f"nn.conv{rank}d_transpose"
        kernel = (*one.kernel, depth, outputs)
        yield call(op, image(batch, one.out, outputs, first), kernel, **settings)


def any_rank(random: Random) -> Iterator[Case]:
    """nn.convolution in one to three dimensions; TensorFlow refuses strides with dilations."""
    for rank, count in ((1, 10), (2, 18), (3, 8)):
        for i, one in enumerate(geometries(random, rank, count, "SAME VALID")):
            if i % 3:
                keep = "stride" if i % 3 == 1 else "dilation"
                one = replace(one, **{keep: (1,) * rank})
                if min(one.out) < 1:
                    continue
            depth = int(random.randint(1, 4))
            x = image(int(random.randint(1, 3)), one.size, depth, False)
            kernel = (*one.kernel, depth, int(random.randint(1, 4)))
            words = {"strides": list(one.stride), "padding": one.padding}
            yield call("nn.convolution", x, kernel, **words, dilations=list(one.dilation))


def atrous(random: Random, count: int) -> Iterator[Case]:
    """atrous_conv2d and its transpose."""
    for one in geometries(random, 2, count, "SAME VALID", strides=1):
        rate, depth = one.dilation[0], int(random.randint(1, 4))
        one = replace(one, dilation=(rate, rate))
        if min(one.out) < 1:
            continue
        kernel, batch = (*one.kernel, depth, 2), int(random.randint(1, 3))
        x, y = image(batch, one.size, depth, False), image(batch, one.out, 2, False)
        words = {"rate": rate, "padding": one.padding}
        yield call("nn.atrous_conv2d", x, kernel, **words)
        yield call("nn.atrous_conv2d_transpose", y, kernel, output_shape=list(x), **words)


def depthwise(random: Random, count: int) -> Iterator[Case]:
    """depthwise_conv2d and its two gradients as ops of their own."""
    for i, one in enumerate(geometries(random, 2, count)):
        if i % 2:
            one = replace(one, stride=one.stride[:1] * 2, dilation=(1, 1))
        if min(one.out) < 1:
            continue
        channels, multiplier = int(random.randint(1, 4)), int(random.randint(1, 3))
        first, batch = i % 5 == 4, int(random.randint(1, 3))
        x = image(batch, one.size, channels, first)
        y = image(batch, one.out, channels * multiplier, first)
        w = (*one.kernel, channels, multiplier)
        settings: dict[str, Any] = {
            "strides": full(one.stride, first),
            "padding": one.explicit(first),
            **({"data_format": "NCHW"} if first else {}),
        }
        yield call("nn.depthwise_conv2d", x, w, **settings, dilations=list(one.dilation))
        if i % 3 == 0:
            settings["dilations"] = full(one.dilation, first)
            yield from backprops(x, w, y, settings)


def ignored_dilations() -> Iterator[Case]:
    """The two gradients with dilation and stride 1, where TensorFlow answers without it."""
    x, w, y = (1, 3, 4, 1), (2, 2, 1, 1), (1, 3, 4, 1)
    settings = {"strides": [1] * 4, "padding": "SAME", "dilations": [1, 2, 2, 1]}
    yield from backprops(x, w, y, settings)


def backprops(x: Any, w: Any, y: Any, settings: dict[str, Any]) -> Iterator[Case]:
    """The gradients of depthwise_conv2d in x and w; a size stands among their tensors."""
    op = "nn.depthwise_conv2d_backprop"
    yield Case(f"{op}_input", (T(w), T(y)), (list(x), "$0", "$1"), settings)
    yield Case(f"{op}_filter", (T(x), T(y)), ("$0", list(w), "$1"), settings)


def separable(random: Random, count: int) -> Iterator[Case]:
    """separable_conv2d, also with dilation and stride at once."""
    for i, one in enumerate(geometries(random, 2, count, "SAME VALID", equal=True)):
        if i % 3:
            one = replace(one, **{"stride" if i % 3 == 1 else "dilation": (1, 1)})
        if min(one.out) < 1:
            continue
        channels, multiplier = int(random.randint(1, 4)), int(random.randint(1, 3))
        x = image(int(random.randint(1, 3)), one.size, channels, False)
        depthwise = (*one.kernel, channels, multiplier)
        pointwise = (1, 1, channels * multiplier, int(random.randint(1, 4)))
        parts = (x, depthwise, pointwise)
        words = {"strides": full(one.stride, False), "padding": one.padding}
        yield call("nn.separable_conv2d", *parts, **words, dilations=list(one.dilation))


EXPLICIT = [[0, 0], [2, 0], [1, 3], [0, 0]]
ONES = [1, 1, 1, 1]


def every_geometry() -> Iterator[Case]:
    """Each kernel with each stride and padding, in every form; dilations, groups, both layouts."""
    words: dict[str, Any]
    taps: tuple[int, ...]
    rate: Any
    x = (1, 7, 6, 2)
    for taps in ((1, 1), (2, 3), (4, 4)):
        for strides in (1, 2, [1, 3], [4], [1, 3, 2, 1]):
            for padding in ("SAME", "VALID", EXPLICIT):
                yield call("nn.conv2d", x, (*taps, 2, 2), strides=strides, padding=padding)
    x, kernel = (2, 8, 9, 2), (3, 2, 2, 3)
    for padding in ("SAME", "VALID"):
        for rates in (2, [1, 3], [3, 2]):
            words = {"strides": 1, "padding": padding, "dilations": rates}
            yield call("nn.conv2d", x, kernel, **words)
    for padding in ("SAME", "VALID", EXPLICIT):
        words = {"strides": [2, 3], "padding": padding, "dilations": 2}
        yield call("nn.conv2d", x, kernel, **words)
    for strides in (1, 2):
        yield call("nn.conv2d", (2, 5, 6, 6), (3, 3, 2, 6), strides=strides, padding="SAME")
    words = {"strides": [1, 1, 2, 1], "padding": [[0, 0], [0, 0], *EXPLICIT[1:3]]}
    yield call("nn.conv2d", (2, 3, 5, 6), (3, 2, 3, 4), **words, data_format="NCHW")
    for padding in ("SAME", "VALID"):
        for stride in (1, [2], [1, 3, 1]):
            yield call("nn.conv1d", (2, 8, 3), (3, 3, 2), stride=stride, padding=padding)
        for strides in ([1, 1, 1, 1, 1], [1, 2, 1, 3, 1]):
            words = {"strides": strides, "padding": padding}
            yield call("nn.conv3d", (1, 4, 5, 4, 2), (3, 2, 3, 2, 2), **words)
        for rank in (1, 2, 3):
            words = {"padding": padding, "dilations": [2, 1, 2][:rank]}
            sizes, taps = (6, 4, 5)[:rank], (3, 2, 2)[:rank]
            yield call("nn.convolution", (1, *sizes, 2), (*taps, 2, 2), **words)
    for rate, padding in ((1, "SAME"), (1, "VALID"), (2, "SAME"), (2, "VALID")):
        yield call("nn.atrous_conv2d", x, kernel, rate=rate, padding=padding)
    for rate in (2, [2, 3]):
        yield call("nn.atrous_conv2d", x, kernel, rate=rate, padding=EXPLICIT)


def every_size() -> Iterator[Case]:
    """Transposed convolutions to every size that the convolution could have come from."""
    words: dict[str, Any]
    for taps in (1, 2, 3, 4):
        for stride in (1, 2, 3):
            for padding in ("SAME", "VALID"):
                heights, widths = (legal_sizes(n, taps, stride, padding) for n in (3, 2))
                for height, width in itertools.product(heights, widths):
                    words = {"output_shape": [1, height, width, 1], "strides": stride}
                    x, kernel = (1, 3, 2, 2), (taps, taps, 1, 2)
                    case = call("nn.conv2d_transpose", x, kernel, **words, padding=padding)
                    yield replace(case, order=1)
    words = {"output_shape": [2, 6, 8, 3], "strides": [2, 3], "padding": "SAME"}
    yield call("nn.conv2d_transpose", (2, 3, 3, 2), (3, 4, 3, 2), **words)
    pads = [[0, 0], [1, 0], [2, 1], [0, 0]]
    words = {"output_shape": [2, 5, 6, 3], "strides": 2, "padding": pads}
    yield call("nn.conv2d_transpose", (2, 2, 4, 2), (3, 3, 3, 2), **words)
    for padding in ("SAME", "VALID"):
        for stride in (1, 2, 3):
            shape = [2, legal_sizes(3, 3, stride, padding)[-1], 3]
            words = {"output_shape": shape, "strides": stride, "padding": padding}
            yield call("nn.conv1d_transpose", (2, 3, 2), (3, 3, 2), **words)
        shape = [2, *(legal_sizes(n, 2, 2, padding)[-1] for n in (2, 1, 2)), 3]
        words = {"output_shape": shape, "strides": [1, 2, 2, 2, 1], "padding": padding}
        yield call("nn.conv3d_transpose", (2, 2, 1, 2, 2), (2, 2, 2, 3, 2), **words)
        size = 4 if padding == "SAME" else 8
        words = {"output_shape": [2, size, size, 3], "rate": 2, "padding": padding}
        yield call("nn.atrous_conv2d_transpose", (2, 4, 4, 2), (3, 3, 3, 2), **words)
    for rank in (1, 2, 3):
        words = {"output_shape": [2, *[6] * rank, 3], "strides": 2}
        case = call("nn.conv_transpose", (2, *[3] * rank, 2), (*[3] * rank, 3, 2), **words)
        yield replace(case, order=0)


def legal_sizes(positions: int, taps: int, stride: int, padding: str) -> range:
    """Image sizes whose strided convolution has that many output positions."""
    smallest = (positions - 1) * stride + (1 if padding == "SAME" else taps)
    return range(smallest, smallest + stride)


def every_depthwise() -> Iterator[Case]:
    """Depthwise convolutions by multiplier, stride and padding; their gradients; separable ones."""
    words: dict[str, Any]
    x, kernel = (1, 6, 7, 3), (3, 2, 3, 2)
    for multiplier in (1, 2):
        for stride in (1, 2, 3):
            for padding in ("SAME", "VALID", EXPLICIT):
                words = {"strides": [1, stride, stride, 1], "padding": padding}
                yield call("nn.depthwise_conv2d", x, (3, 2, 3, multiplier), **words)
    for padding in ("SAME", "VALID"):
        words = {"strides": ONES, "padding": padding, "dilations": [2, 3]}
        yield call("nn.depthwise_conv2d", x, kernel, **words)
    for stride, size in ((1, (6, 7)), (2, (3, 4))):
        words = {"strides": [1, stride, stride, 1], "padding": "SAME"}
        yield from backprops(x, kernel, (1, *size, 6), words)
    parts = (x, (3, 3, 3, 2), (1, 1, 6, 4))
    yield call("nn.separable_conv2d", *parts, strides=[1, 2, 2, 1], padding="SAME")
    words = {"strides": ONES, "padding": "VALID", "dilations": [2, 2]}
    yield call("nn.separable_conv2d", *parts, **words)


def each_argument() -> Iterator[Case]:
    """Leading axes, and long sums in few digits."""
    words = {"strides": 2, "padding": "SAME"}
    yield replace(call("nn.conv2d", (2, 3, 5, 6, 2), (3, 3, 2, 4), **words), order=0)
    words = {"strides": 1, "padding": "SAME"}
    long = call("nn.conv2d", (2, 6, 6, 8), (3, 3, 8, 4), **words)
    yield replace(long, dtypes=("float32", *HALVES), order=0)


def drawn_forward(count: int) -> Iterator[Case]:
    """conv2d with strides, dilations and groups at once, forward."""
    for seed in range(count):
        draw = Random(100 + seed).randint
        groups, inner, outer = (int(n) for n in draw(1, 4, 3))
        taps, strides, dilations = ([int(n) for n in draw(1, 4, 2)] for _ in range(3))
        more = [int(n) for n in draw(1, 6, 2)]
        size = [n + (k - 1) * d for n, k, d in zip(more, taps, dilations, strict=True)]
        pads = [[int(n) for n in draw(0, 4, 2)] for _ in range(2)]
        padding = ["SAME", "VALID", [[0, 0], *pads, [0, 0]]][draw(3)]
        x, kernel = (2, *size, groups * inner), (*taps, inner, groups * outer)
        words = {"strides": strides, "padding": padding, "dilations": dilations}
        yield replace(call("nn.conv2d", x, kernel, **words), order=0, dtypes=("float64",))


def matrices() -> Iterator[Case]:
    """W', the matrix that a convolution is, for every form of its arguments."""
    for shape, kernel, settings in (
        ((4, 5, 1), (3, 3, 1, 1), {}),
        ((4, 5, 2), (2, 3, 2, 3), {"strides": [2, 1], "padding": "SAME"}),
        ((5, 4, 4), (3, 2, 2, 4), {"padding": "SAME", "dilations": 2}),
        ((4, 4, 1), (2, 2, 1, 2), {"padding": [[0, 0], [1, 0], [2, 1], [0, 0]]}),
    ):
        case = call("nn.conv2d_matrix", kernel, **settings, composition=columns_of_conv2d)
        yield replace(case, args=("$0", list(shape)), order=0)


def columns_of_conv2d(
    tf: Any, filters: Any, shape: Any, padding: Any = "VALID", **words: Any
) -> Any:
    """Column p of W' is the convolution of an image that is 1 at pixel p and 0 elsewhere."""
    pixels = int(np.prod(shape))
    images = tf.reshape(tf.constant(np.eye(pixels), filters.dtype), [pixels, *shape])
    y = tf.nn.conv2d(images, filters, **{"strides": 1, **words}, padding=padding)
    return tf.transpose(tf.reshape(y, [pixels, -1]))


def image(batch: int, size: tuple[int, ...], channels: int, first: bool) -> tuple[int, ...]:
    """The shape of a batch of images in either layout."""
    return (batch, channels, *size) if first else (batch, *size, channels)


def full(numbers: tuple[int, ...], first: bool) -> list[int]:
    """Strides or dilations with ones for batch and channels."""
    return [1, 1, *numbers] if first else [1, *numbers, 1]


def _last(padding: Any) -> Any:
    """An NCHW padding list in NHWC order."""
    return padding if isinstance(padding, str) else [[0, 0], *padding[2:], [0, 0]]
