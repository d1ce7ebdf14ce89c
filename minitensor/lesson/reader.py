"""Lesson 12's LeNet-5, which has just learned to read digits, and changes that it has not seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minitensor import keras, models
from minitensor.data import read_digits, split
from minitensor.data.labelled import LabelledImages
from minitensor.lesson.exercise import say_in

Change = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Reader:
    """A network, the images it learned from, and others."""

    net: Any
    train: LabelledImages
    test: LabelledImages

    def accuracy(self, change: Change) -> float:
        """The share of the other images that is read when they are changed."""
        images = change(self.test.images)
        return float(self.net.evaluate(images, self.test.labels, verbose=0)[1])

    def table(self, pixels: int, lang: str) -> str:
        """Accuracy by change, in Markdown."""
        rows = (
            (("as they are", "原样"), lambda images: images),
            ((f"moved by {pixels} pixels", f"平移 {pixels} 个像素"), moved(pixels)),
            (("mirrored", "镜像"), mirrored),
            (("negative", "黑白反转"), negative),
        )
        lines = [
            f"| {say_in(lang, *name)} | {self.accuracy(change):.1%} |" for name, change in rows
        ]
        head = say_in(lang, "| digits | read |", "| 数字 | 正确率 |")
        return "\n".join([head, "|---|---|", *lines])


def trained_lenet(epochs: int = 2) -> Reader:
    """LeNet-5 after so many epochs of the digits inside this package, some seconds."""
    train, test = split(read_digits().resized((28, 28)), 0)
    keras.utils.set_random_seed(0)
    net = models.lenet5()
    net.compile(
        optimizer=keras.optimizers.Adam(3e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    net.fit(train.images, train.labels, batch_size=32, epochs=epochs, verbose=0)
    return Reader(net, train, test)


def moved(pixels: int) -> Change:
    """Down and to the right; what leaves the image is empty."""

    def change(images: np.ndarray) -> np.ndarray:
        out = np.zeros_like(images)
        size = images.shape[1] - pixels
        out[:, pixels:, pixels:] = images[:, :size, :size]
        return out

    return change


def mirrored(images: np.ndarray) -> np.ndarray:
    """Left is right."""
    return images[:, :, ::-1]


def negative(images: np.ndarray) -> np.ndarray:
    """White for black."""
    return 1 - images
