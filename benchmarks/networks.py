"""Networks as data, written once for every library: their layers, parameters and forward.

    lenet5       the course's: 3x3 kernels, 28x28 gray images (`models.lenet5`)
    mnist_cnn    the course's: two 5x5 convolutions, a dense layer of 1,024 (`models.mnist_cnn`)
    vgg13        ten 3x3 convolutions, each with batch normalisation, 32x32 colour images (CIFAR)
    resnet18     for CIFAR: a 3x3 first layer of stride 1 and no pooling behind it
    mobilenetv2  for CIFAR: strides 1 in the first layer and the first stage of stride 2
    densenet40   DenseNet-BC of 40 layers, growth 12, compression 1/2 (Huang et al. 2017)

A library has the functions of `Library`, on its own tensors; `parameters` gives the same first
values to all. So a network computes the same loss everywhere, which a test holds it to.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from benchmarks.layers import MOBILENETV2, Layer


@dataclass(frozen=True)
class Conv:
    """Kernel of `taps` x `taps`, padded by `pad` pixels all around; a bias if no norm follows.

    Depthwise: each channel has a kernel of its own, and `out` is how many there are.
    """

    out: int
    taps: int = 3
    stride: int = 1
    pad: int = 1
    bias: bool = False
    depthwise: bool = False


@dataclass(frozen=True)
class Norm:
    """Batch normalisation, then an activation: "relu", "relu6" or none."""

    act: str = "relu"


@dataclass(frozen=True)
class Pool:
    """Maxima of 2x2, stride 2."""


@dataclass(frozen=True)
class MeanPool:
    """Means of 2x2, stride 2."""


@dataclass(frozen=True)
class Relu:
    """max(x, 0)."""


@dataclass(frozen=True)
class Mean:
    """Mean over all pixels, (N, C)."""


@dataclass(frozen=True)
class Flat:
    """(N, H, W, C) as (N, H·W·C)."""


@dataclass(frozen=True)
class Dense:
    """x @ kernel + bias."""

    out: int


@dataclass(frozen=True)
class Residual:
    """body(x) + shortcut(x), then ReLU if `relu`; an empty shortcut is x."""

    body: tuple[Part, ...]
    shortcut: tuple[Part, ...] = ()
    relu: bool = True


@dataclass(frozen=True)
class Grown:
    """x, and behind its channels those of body(x)."""

    body: tuple[Part, ...]


Part: TypeAlias = "Conv | Norm | Pool | MeanPool | Relu | Mean | Flat | Dense | Residual | Grown"


class Library(Protocol):
    """What a forward pass needs, on a library's own tensors in its own layout."""

    def conv(self, x: Any, kernel: Any, stride: int, pad: int) -> Any: ...
    def bias(self, x: Any, bias: Any) -> Any: ...
    def norm(self, x: Any, scale: Any, offset: Any) -> Any: ...
    def relu(self, x: Any) -> Any: ...
    def relu6(self, x: Any) -> Any: ...
    def concat(self, x: Any, y: Any) -> Any: ...
    def pool(self, x: Any) -> Any: ...
    def meanpool(self, x: Any) -> Any: ...
    def mean(self, x: Any) -> Any: ...
    def flat(self, x: Any) -> Any: ...
    def dense(self, x: Any, kernel: Any, bias: Any) -> Any: ...


@dataclass(frozen=True)
class Network:
    """Layers, and (height, width, channels) of the images they read; ten labels; SGD or Adam."""

    parts: tuple[Part, ...]
    image: tuple[int, int, int]
    adam: bool = False


def _vgg13() -> tuple[Part, ...]:
    stages = [
        part for out in (64, 128, 256, 512, 512) for part in (*(Conv(out), Norm()) * 2, Pool())
    ]
    return (*stages, Flat(), Dense(10))


def _resnet18() -> tuple[Part, ...]:
    parts: list[Part] = [Conv(64), Norm()]
    channels = 64
    for out in (64, 128, 256, 512):
        for _ in range(2):
            stride = 1 if channels == out else 2
            body = (Conv(out, stride=stride), Norm(), Conv(out), Norm(""))
            turn = (Conv(out, 1, stride, 0), Norm("")) if stride == 2 else ()
            parts.append(Residual(body, turn))
            channels = out
    return (*parts, Mean(), Dense(10))


def _mobilenetv2() -> tuple[Part, ...]:
    parts: list[Part] = [Conv(32), Norm("relu6")]
    channels = 32
    for expansion, out, repeats, first_stride in MOBILENETV2:
        for block in range(repeats):
            wide, stride = expansion * channels, 1 if block or out == 24 else first_stride
            body = (
                *((Conv(wide, 1, pad=0), Norm("relu6")) if expansion > 1 else ()),
                *(Conv(wide, stride=stride, depthwise=True), Norm("relu6")),
                *(Conv(out, 1, pad=0), Norm("")),
            )
            parts += [Residual(body, relu=False)] if block else body
            channels = out
    return (*parts, Conv(1280, 1, pad=0), Norm("relu6"), Mean(), Dense(10))


def _densenet(depth: int, growth: int) -> tuple[Part, ...]:
    """Three blocks; a layer is a 1x1 convolution of 4 * growth outputs and a 3x3 of `growth`."""
    channels, each = 2 * growth, (depth - 4) // 6
    parts: list[Part] = [Conv(channels)]
    for block in range(3):
        if block:
            channels //= 2
            parts += [Norm(), Conv(channels, 1, pad=0), MeanPool()]
        layer = Grown((Norm(), Conv(4 * growth, 1, pad=0), Norm(), Conv(growth)))
        parts += [layer] * each
        channels += growth * each
    return (*parts, Norm(), Mean(), Dense(10))


_MNIST_CNN = (
    *(Conv(32, 5, pad=2, bias=True), Relu(), Pool(), Conv(64, 5, pad=2, bias=True), Relu(), Pool()),
    *(Flat(), Dense(1024), Relu(), Dense(10)),
)
_LENET5 = (
    *(Conv(6, pad=0, bias=True), Pool(), Relu()),
    *(Conv(16, pad=0, bias=True), Pool(), Relu()),
    *(Flat(), Dense(120), Relu(), Dense(84), Relu(), Dense(10)),
)

EPSILON, RATE, MOMENTUM = 1e-3, 1e-4, 0.9  # so slow that no gradient dies out while it is timed
ADAM = (0.9, 0.999, 1e-7)  # decays of both means and epsilon, Keras' own

NETWORKS = {
    "lenet5": Network(_LENET5, (28, 28, 1)),
    "mnist_cnn": Network(_MNIST_CNN, (28, 28, 1), adam=True),
    "vgg13": Network(_vgg13(), (32, 32, 3)),
    "resnet18": Network(_resnet18(), (32, 32, 3)),
    "mobilenetv2": Network(_mobilenetv2(), (32, 32, 3)),
    "densenet40": Network(_densenet(40, 12), (32, 32, 3)),
}


def parameters(network: Network) -> list[np.ndarray]:
    """First values in the order of `forward`: kernels by He's rule, scales 1, the rest 0."""
    random, found = np.random.default_rng(0), []

    def kernel(*shape: int) -> None:
        spread = np.float32(np.sqrt(2 / np.prod(shape[:-1])))
        found.append(spread * random.standard_normal(shape, np.float32))

    for part, shape in _walk(network.parts, network.image):
        match part:
            case Conv(out, taps):
                kernel(taps, taps, 1 if part.depthwise else shape[-1], out)
            case Norm():
                found.append(np.ones(shape[-1], np.float32))
            case Dense(out):
                kernel(*shape, out)
        if isinstance(part, Norm | Dense) or (isinstance(part, Conv) and part.bias):
            found.append(np.zeros(_after(part, shape)[-1], np.float32))
    return found


def layers(network: Network, batch: int) -> list[Layer]:
    """Its convolutions, and its matrix products as convolutions of one pixel."""
    found = []
    for part, shape in _walk(network.parts, network.image):
        if isinstance(part, Conv):
            H, W, C = shape
            filters = (part.taps, part.taps, 1 if part.depthwise else C, part.out)
            pads = ((part.pad, part.pad),) * 2
            found.append(Layer("", (batch, H, W, C), filters, part.stride, pads))
        elif isinstance(part, Dense):
            (size,) = shape
            found.append(Layer("", (batch, 1, 1, size), (1, 1, size, part.out)))
    return found


def _walk(
    parts: tuple[Part, ...], shape: tuple[int, ...]
) -> Generator[tuple[Part, tuple[int, ...]], None, tuple[int, ...]]:
    """Each part with the shape of the image it sees, in the order of `forward`."""
    for part in parts:
        if isinstance(part, Residual):
            yield from _walk(part.shortcut, shape)
            shape = yield from _walk(part.body, shape)
        elif isinstance(part, Grown):
            grown = yield from _walk(part.body, shape)
            shape = (*shape[:-1], shape[-1] + grown[-1])
        else:
            yield part, shape
            shape = _after(part, shape)
    return shape


def _after(part: Part, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of what a part makes of an image of `shape`."""
    match part:
        case Conv(out, taps, stride, pad):
            height, width = ((n + 2 * pad - taps) // stride + 1 for n in shape[:2])
            return (height, width, out)
        case Pool() | MeanPool():
            return (shape[0] // 2, shape[1] // 2, shape[2])
        case Mean():
            return shape[-1:]
        case Flat():
            return (int(np.prod(shape)),)
        case Dense(out):
            return (out,)
    return shape


def forward(library: Library, network: Network, x: Any, values: list[Any]) -> Any:
    """The logits (N, 10) of images, given `values` in the order of `parameters`."""
    rest = iter(values)
    logits = _run(library, network.parts, x, rest)
    assert next(rest, None) is None, "more parameters than layers"
    return logits


def _run(library: Library, parts: tuple[Part, ...], x: Any, rest: Iterator[Any]) -> Any:
    for part in parts:
        match part:
            case Conv():
                x = library.conv(x, next(rest), part.stride, part.pad)
                x = library.bias(x, next(rest)) if part.bias else x
            case Norm():
                x = library.norm(x, next(rest), next(rest))
                x = getattr(library, part.act)(x) if part.act else x
            case Residual():
                shortcut = _run(library, part.shortcut, x, rest)
                x = _run(library, part.body, x, rest) + shortcut
                x = library.relu(x) if part.relu else x
            case Grown():
                x = library.concat(x, _run(library, part.body, x, rest))
            case Dense():
                x = library.dense(x, next(rest), next(rest))
            case Relu() | Pool() | MeanPool() | Mean() | Flat():
                x = getattr(library, type(part).__name__.lower())(x)
    return x


def batch(network: Network, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, H, W, C) and labels (N, 10), a 1 in each row, the same everywhere."""
    random = np.random.default_rng(1)
    images = random.standard_normal((size, *network.image), np.float32)
    return images, np.eye(10, dtype=np.float32)[random.integers(0, 10, size)]
