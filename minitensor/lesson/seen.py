"""Lesson 14's network: two blocks of a VGG13 that learned the digits 0 to 4, and what it sees.

Its weights, and the figures of the transfer, were made by `python -m benchmarks.transfer`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np

import minitensor as tf
from minitensor.data import digits
from minitensor.lesson import shelf
from minitensor.lesson.exercise import say_in

CANVAS, DIGIT = 24, 12  # pixels: 169 places for each digit
CUT = 2  # the block whose output is the features of the transfer
AT = 20  # images a class, for its curve over blocks
FILTERS = (16, 16, 32, 32)  # of two blocks, a quarter of VGG13's
FIELD = 14  # pixels, that one number behind the fourth convolution sees
MIDDLE = CANVAS // 4  # row and column of that convolution's middle number


def results() -> Path:
    """Where the transfer's files lie: in a checkout, or inside the installed package."""
    inside = shelf.folder() / "results"
    return inside if inside.is_dir() else shelf.folder().parent / "benchmarks/results/lessons"


def placed(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Digits (N, DIGIT, DIGIT, 1), each somewhere on a canvas (N, CANVAS, CANVAS, 1)."""
    out = np.zeros((len(images), CANVAS, CANVAS, 1), np.float32)
    for canvas, image in zip(out, images, strict=True):
        i, j = rng.integers(0, CANVAS - DIGIT + 1, 2)
        canvas[i : i + DIGIT, j : j + DIGIT] = image
    return out


@cache
def drawn_digits() -> tuple[np.ndarray, np.ndarray]:
    """The digits inside this package (N, DIGIT, DIGIT, 1), 0 paper to 1 ink, and their labels."""
    small, labels = digits()
    return tf.image.resize(small.astype(np.float32) / 16, [DIGIT, DIGIT]).numpy(), labels


def two_digits() -> np.ndarray:
    """A 0 above on the left and a 4 below on the right (1, CANVAS, CANVAS, 1)."""
    images, labels = drawn_digits()
    zero, four = (images[np.flatnonzero(labels == c)[0]] for c in (0, 4))
    out = np.zeros((1, CANVAS, CANVAS, 1), np.float32)
    out[0, :DIGIT, :DIGIT], out[0, DIGIT:, DIGIT:] = zero, four
    return out


class Network:
    """The four convolutions, of any library that has TensorFlow's names."""

    def __init__(self, library: Any = tf) -> None:
        self.library, layers = library, library.keras.layers
        x = inputs = library.keras.Input((None, None, 1))
        self.convolutions = []
        for number, filters in enumerate(FILTERS):
            conv = layers.Conv2D(filters, 3, padding="same")
            self.convolutions.append(conv)
            sums = conv(x)  # (N, h, w, filters)
            x = layers.ReLU()(sums)
            if number == 0:
                self.first = library.keras.Model(inputs, x)
            if number == 1:
                x = layers.MaxPooling2D(2)(x)  # (N, h/2, w/2, filters)
        self.last = library.keras.Model(inputs, sums)
        with np.load(results() / "vgg13_features.npz") as kept:
            weights = [kept[name].astype(np.float32) for name in kept.files][: 2 * len(FILTERS)]
        self.last.set_weights(weights)

    @property
    def kernels(self) -> np.ndarray:
        """Of the first convolution, (3, 3, 16)."""
        return np.asarray(self.convolutions[0].kernel)[:, :, 0]

    def features(self, images: np.ndarray) -> np.ndarray:
        """The largest value of each channel, (N, 32)."""
        return np.asarray(self.library.nn.relu(self.last(images))).max(axis=(1, 2))

    @cached_property
    def head(self) -> np.ndarray:
        """Weights (32, 5) of one dense layer that tells 0 to 4, learned in a second."""
        images, labels = drawn_digits()
        old = labels < 5
        return learned(self.features(placed(images[old], np.random.default_rng(0))), labels[old])

    def slopes(self, image: np.ndarray, label: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A class's logit differentiated: by the pixels, and by the last maps, which come first."""
        library, held = self.library, self.library.constant(image)
        head = library.constant(self.head[:, label])
        with library.GradientTape(persistent=True) as tape:
            tape.watch(held)
            maps = library.nn.relu(self.last(held))
            logit = library.reduce_sum(library.reduce_max(maps, axis=[1, 2]) * head)
        by_maps, by_pixels = tape.gradient(logit, maps), tape.gradient(logit, held)
        return np.asarray(maps)[0], np.asarray(by_maps)[0], np.asarray(by_pixels)[0]

    def where(self, image: np.ndarray, label: int) -> Seen:
        """What a class's logit hangs on, on one picture (1, H, W, 1)."""
        maps, by_maps, by_pixels = self.slopes(image, label)
        heat = np.maximum((maps * by_maps.mean((0, 1))).sum(-1), 0)
        return Seen(image, label, np.abs(by_pixels).max(-1), heat)

    def best_part(self, channel: int) -> np.ndarray:
        """The FIELD x FIELD pixels of a digit 0 to 4 that excite a channel most."""
        images, labels = drawn_digits()
        shown = placed(images[labels < 5][:200], np.random.default_rng(0))
        maps = np.asarray(self.last(shown))[..., channel]
        image, row, column = np.unravel_index(maps.argmax(), maps.shape)
        wide = np.pad(shown[image, ..., 0], FIELD)
        return wide[field(int(row), FIELD), field(int(column), FIELD)]

    def silent(self) -> list[int]:
        """Channels whose middle number is below 0 on noise: behind a ReLU nothing moves it."""
        start = np.asarray(self.last(noise()))[0, MIDDLE, MIDDLE]
        return [int(channel) for channel in np.flatnonzero(start < 0)]

    def excited(self, channel: int, steps: int = 40, rate: float = 0.1) -> tuple[Any, list[float]]:
        """A picture that excites the middle number of a channel, by gradient ascent from noise."""
        image, values = noise(), []
        for _ in range(steps):
            held = tf.constant(image)
            with tf.GradientTape() as tape:
                tape.watch(held)
                value = self.last(held)[0, MIDDLE, MIDDLE, channel]
            slope = tape.gradient(value, held).numpy()
            values.append(float(value))
            size = np.sqrt((slope**2).mean()) + 1e-12
            image = np.clip(image + rate * slope / size, 0, 1).astype(np.float32)
        return image[0, ..., 0], values


@dataclass(frozen=True)
class Seen:
    """Where a network sees a class: of a picture, sizes of gradients by pixel, and the heat."""

    image: np.ndarray
    label: int
    saliency: np.ndarray
    heat: np.ndarray

    def share(self, corner: str) -> float:
        """How much of the heat lies in the quarter "0", above on the left, or "4"."""
        half = len(self.heat) // 2
        part = self.heat[:half, :half] if corner == "0" else self.heat[half:, half:]
        return float(part.sum() / max(self.heat.sum(), 1e-12))

    def told(self, lang: str) -> str:
        """Which share of the heat lies where, in words."""
        zero, four = self.share("0"), self.share("4")
        return say_in(
            lang,
            f"Asked for {self.label}: {zero:.0%} of Grad-CAM's heat lies in the quarter of the 0, "
            f"{four:.0%} in that of the 4.",
            f"问 {self.label}: Grad-CAM 的热量有 {zero:.0%} 在 0 所在的四分之一, {four:.0%} 在 4 "
            "所在的四分之一。",
        )


@dataclass(frozen=True)
class Peer:
    """The same network in TensorFlow's Keras, asked the same."""

    network: Network
    image: np.ndarray
    label: int

    def check(self, _: str = "tf") -> str:
        """How far maps and gradients differ."""
        from minitensor.parity.reference import tensorflow

        theirs = Network(tensorflow())
        theirs.head = self.network.head
        pairs = zip(
            self.network.slopes(self.image, self.label),
            theirs.slopes(self.image, self.label),
            strict=True,
        )
        off = np.concatenate([np.abs(a - b).ravel() / np.abs(b).max() for a, b in pairs])
        return (
            "maps, their gradients and those of the pixels: largest difference "
            f"{off.max():.1e} over {off.size} numbers, by the largest of each"
        )


def field(place: int, padding: int = 0) -> slice:
    """The rows of pixels that a row of the fourth convolution sees."""
    first = 2 * place - FIELD // 2 + 1 + padding
    return slice(first, first + FIELD)


def noise() -> np.ndarray:
    """A faint picture (1, CANVAS, CANVAS, 1), where gradient ascent begins."""
    return 0.1 * np.random.default_rng(0).random((1, CANVAS, CANVAS, 1), np.float32)


def learned(values: np.ndarray, labels: np.ndarray, steps: int = 300) -> np.ndarray:
    """Weights of one dense layer without bias on features, by Adam."""
    keras = tf.keras
    keras.utils.set_random_seed(0)
    size = values.std()
    net = keras.Sequential(
        [keras.Input(values.shape[1:]), keras.layers.Dense(int(labels.max()) + 1, use_bias=False)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(optimizer=keras.optimizers.Adam(1e-2), loss=loss)
    epochs = max(1, steps * min(32, len(values)) // len(values))
    net.fit(values / size, labels, batch_size=32, epochs=epochs, verbose=0)
    return np.asarray(net.get_weights()[0] / size)


@dataclass(frozen=True)
class Few:
    """The digits 5 to 9, moved, in two halves: to learn a few of, and to be asked."""

    network: Network

    @cached_property
    def images(self) -> tuple[np.ndarray, np.ndarray]:
        """In an order by chance, with their labels less 5."""
        rng = np.random.default_rng(1)
        images, labels = drawn_digits()
        order = rng.permutation(np.flatnonzero(labels >= 5))
        return placed(images[order], rng), labels[order] - 5

    @cached_property
    def features(self) -> np.ndarray:
        """Of each, by the frozen network."""
        return self.network.features(self.images[0])

    def accuracy(self, count: int, values: np.ndarray) -> float:
        """Of a dense layer that learned from so many of each class."""
        labels, half = self.images[1], len(self.images[1]) // 2
        flat = values.reshape(len(values), -1)
        known = [np.flatnonzero(labels[:half] == c)[:count] for c in range(5)]
        which = np.concatenate(known)
        weights = learned(flat[which], labels[which])
        guesses = (flat[half:] @ weights).argmax(1)
        return float((guesses == labels[half:]).mean())

    def accuracies(self, count: int) -> tuple[float, float]:
        """On the features, and on the pixels."""
        return self.accuracy(count, self.features), self.accuracy(count, self.images[0])


def transfer() -> dict[str, Any]:
    """The committed run: accuracies by seed, way and number of images."""
    found: dict[str, Any] = json.loads((results() / "transfer.json").read_text(encoding="utf-8"))
    return found
