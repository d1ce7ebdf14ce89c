"""Three networks as data, written once for every library: their layers, parameters and forward.

    lenet5    the course's: 3x3 kernels, 28x28 gray images (`models.lenet5`)
    vgg13     ten 3x3 convolutions, each with batch normalisation, 32x32 colour images (CIFAR)
    resnet18  for CIFAR: a 3x3 first layer of stride 1 and no pooling behind it

A library has the functions of `Library`, on its own tensors; `parameters` gives the same first
values to all. So a network computes the same loss everywhere, which a test holds it to.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from benchmarks.layers import Layer


@dataclass(frozen=True)
class Conv:
    """Kernel of `taps` x `taps`, padded by `pad` pixels all around; a bias if no norm follows."""

    out: int
    taps: int = 3
    stride: int = 1
    pad: int = 1
    bias: bool = False


@dataclass(frozen=True)
class Norm:
    """Batch normalisation in training, then ReLU if `relu`."""

    relu: bool = True


@dataclass(frozen=True)
class Pool:
    """Maxima of 2x2, stride 2."""


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
    """relu(body(x) + shortcut(x)); an empty shortcut is x."""

    body: tuple[Part, ...]
    shortcut: tuple[Part, ...] = ()


Part: TypeAlias = "Conv | Norm | Pool | Relu | Mean | Flat | Dense | Residual"


class Library(Protocol):
    """What a forward pass needs, on a library's own tensors in its own layout."""

    def conv(self, x: Any, kernel: Any, stride: int, pad: int) -> Any: ...
    def bias(self, x: Any, bias: Any) -> Any: ...
    def norm(self, x: Any, scale: Any, offset: Any) -> Any: ...
    def relu(self, x: Any) -> Any: ...
    def pool(self, x: Any) -> Any: ...
    def mean(self, x: Any) -> Any: ...
    def flat(self, x: Any) -> Any: ...
    def dense(self, x: Any, kernel: Any, bias: Any) -> Any: ...


@dataclass(frozen=True)
class Network:
    """Layers, and (height, width, channels) of the images they read; ten labels."""

    parts: tuple[Part, ...]
    image: tuple[int, int, int]


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
            body = (Conv(out, stride=stride), Norm(), Conv(out), Norm(relu=False))
            turn = (Conv(out, 1, stride, 0), Norm(relu=False)) if stride == 2 else ()
            parts.append(Residual(body, turn))
            channels = out
    return (*parts, Mean(), Dense(10))


_LENET5 = (
    *(Conv(6, pad=0, bias=True), Pool(), Relu()),
    *(Conv(16, pad=0, bias=True), Pool(), Relu()),
    *(Flat(), Dense(120), Relu(), Dense(84), Relu(), Dense(10)),
)

EPSILON, RATE, MOMENTUM = 1e-3, 1e-4, 0.9  # so slow that no gradient dies out while it is timed

NETWORKS = {
    "lenet5": Network(_LENET5, (28, 28, 1)),
    "vgg13": Network(_vgg13(), (32, 32, 3)),
    "resnet18": Network(_resnet18(), (32, 32, 3)),
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
                kernel(taps, taps, shape[-1], out)
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
            filters, pads = (part.taps, part.taps, shape[-1], part.out), ((part.pad, part.pad),) * 2
            H, W, C = shape
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
        case Pool():
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
                x = library.relu(x) if part.relu else x
            case Residual():
                shortcut = _run(library, part.shortcut, x, rest)
                x = library.relu(_run(library, part.body, x, rest) + shortcut)
            case Dense():
                x = library.dense(x, next(rest), next(rest))
            case Relu() | Pool() | Mean() | Flat():
                x = getattr(library, type(part).__name__.lower())(x)
    return x


def batch(network: Network, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, H, W, C) and labels (N, 10), a 1 in each row, the same everywhere."""
    random = np.random.default_rng(1)
    images = random.standard_normal((size, *network.image), np.float32)
    return images, np.eye(10, dtype=np.float32)[random.integers(0, 10, size)]
