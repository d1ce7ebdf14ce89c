"""Lesson 12's walks: three optimizers down one valley, and many walks that never come to rest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

import minitensor as tf
from minitensor import pictures
from minitensor.explain.text import number
from minitensor.lesson.exercise import say_in

VALLEY = np.array([1, 25], np.float32)  # the height is half of the sum of VALLEY·p²
START = np.array([10, 1], np.float32)
NAMES = {
    "gradient descent": "梯度下降",
    "momentum 0.9": "动量 0.9",
    "Adam": "Adam",
}
LINES = ("o-", "s--", "^:")


def walked(library: Any, optimizer: Any, steps: int) -> np.ndarray:
    """The places (steps + 1, 2) of an optimizer of this library, from START."""
    place, found = library.Variable(START), [START]
    for _ in range(steps):
        with library.GradientTape() as tape:
            height = library.reduce_sum(VALLEY * place * place) / 2
        optimizer.apply_gradients([(tape.gradient(height, place), place)])
        found.append(place.numpy())
    return np.array(found)


def optimizers(library: Any, rate: float) -> list[Any]:
    """One of each of NAMES, new."""
    kinds = library.keras.optimizers
    return [kinds.SGD(rate), kinds.SGD(rate, momentum=0.9), kinds.Adam(rate)]


@dataclass(frozen=True)
class Walks:
    """The three optimizers' walks at one rate."""

    rate: float
    steps: int = 20

    @cached_property
    def places(self) -> dict[str, np.ndarray]:
        """By name, (steps + 1, 2) each."""
        return self._by(tf)

    def check(self, _: str = "tf") -> str:
        """How far TensorFlow's Keras walks otherwise."""
        from minitensor.parity.reference import tensorflow

        off = [
            float((np.abs(ours - theirs) / np.maximum(1, np.abs(theirs))).max())
            for ours, theirs in zip(
                self.places.values(), self._by(tensorflow()).values(), strict=True
            )
        ]
        told = ", ".join(f"{name} {value:.1e}" for name, value in zip(NAMES, off, strict=True))
        return f"{self.steps} steps at {self.rate:g}, largest difference: {told}"

    def told(self, lang: str) -> str:
        """Where each ends, in words."""
        ends = [
            f"{say_in(lang, name, NAMES[name])} ({number(x)}, {number(y)})"
            for name, (x, y) in ((name, places[-1]) for name, places in self.places.items())
        ]
        return say_in(
            lang,
            f"After {self.steps} steps at a rate of {self.rate:g}: {'; '.join(ends)}.",
            f"学习率 {self.rate:g}, {self.steps} 步之后: {'; '.join(ends)}。",
        )

    def drawn(self, lang: str) -> Any:
        """The valley from above, and the walks as far as they stay on it."""
        from matplotlib.figure import Figure

        spoken = pictures.language(lang)
        with pictures.style(spoken):
            figure = Figure((6, 3.4), layout="constrained")
            axes = figure.subplots()
            x, y = np.meshgrid(np.linspace(-4.5, 11, 80), np.linspace(-2, 2, 60))
            height = (VALLEY[0] * x**2 + VALLEY[1] * y**2) / 2
            axes.contour(
                x, y, height, levels=[1, 4, 10, 20, 40, 70], colors="#bbbbbb", linewidths=1
            )
            for line, (name, places) in zip(LINES, self.places.items(), strict=True):
                label = say_in(spoken, name, NAMES[name])
                axes.plot(*places.T, line, markersize=4, linewidth=1.2, label=label)
            axes.plot(0, 0, "k+", markersize=12)
            axes.set(xlim=(-4.5, 11), ylim=(-2, 2), xlabel="x", ylabel="y")
            axes.legend(loc="lower left", ncols=3, frameon=True, edgecolor="none", framealpha=1)
        return figure

    def _by(self, library: Any) -> dict[str, np.ndarray]:
        made = optimizers(library, self.rate)
        return {
            name: walked(library, one, self.steps) for name, one in zip(NAMES, made, strict=True)
        }


def spread(count: int = 2000, steps: int = 200) -> tuple[float, float]:
    """How far from the bottom of w²/2 noisy walks end at a rate of 0.1, and then at 0.01."""
    rng, w = np.random.default_rng(0), tf.Variable(np.zeros(count, np.float32))
    rates = tf.keras.optimizers.schedules.PiecewiseConstantDecay([steps - 1], [0.1, 0.01])
    optimizer, found = tf.keras.optimizers.SGD(rates), []
    for last in (steps, 2 * steps):
        for _ in range(last):
            noise = rng.standard_normal(count, np.float32)
            optimizer.apply_gradients([(w + noise, w)])
        found.append(float(w.numpy().std()))
    return found[0], found[1]
