"""What features are worth to a new task: lesson 14's figures, from the digits inside minitensor.

    python -m benchmarks.transfer [--commit]        10 minutes on 2 quiet cores

A VGG13 learns the digits 0 to 4, placed anywhere on a canvas. Then the digits 5 to 9 are learned
from a few images of each class in four ways: a new head on its features, frozen; a new head on the
features of the same network before it learned anything; the whole network from nothing; and one
dense layer on the pixels. Five seeds: of the weights, of the places, of the images learned from.

Training from nothing ends when it knows all that it was shown (seed 0, 20 a class, after 300, 600
and 900 steps: 100 % of those images, 50, 51 and 51 % of the others).

Fashion-MNIST, which one would take, does not come with minitensor, and nothing is downloaded
here. Digits that stand still are no test: on their bare pixels a dense layer reads 95 % of them
from 20 images a class (`still`). So they are moved. The network has VGG13's ten convolutions with
a quarter of the filters: a step of full width takes three to five times as long, the run an hour.

Written: transfer.json, transfer.png, and the features of the first seed, with which lesson 14 is
made, vgg13_features.npz.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import report
from benchmarks.measure import progress
from minitensor import keras, models, pictures
from minitensor.cli import stoppable
from minitensor.keras import layers
from minitensor.lesson import seen_pictures
from minitensor.lesson.seen import AT, CANVAS, CUT, drawn_digits, placed

WIDTHS = (16, 32, 64, 128, 128)  # a quarter of VGG13's
BLOCKS = range(1, len(WIDTHS) + 1)
COUNTS = (1, 5, 20, 50)  # images a class
SEEDS, EPOCHS, STEPS, BATCH = 5, 20, 300, 32
RATE, HEAD_RATE = 4e-4, 1e-2
WAYS = tuple(seen_pictures.WAYS)


def network() -> Any:
    """VGG13 for the canvas and five classes."""
    return models.vgg((2,) * 5, WIDTHS, 5, hidden=(64,), input_shape=(CANVAS, CANVAS, 1))


def compiled(net: Any, rate: float) -> Any:
    """The network, ready for fit."""
    net.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return net


def features(net: Any, block: int, images: np.ndarray) -> np.ndarray:
    """The largest value of each channel behind a block (N, C)."""
    pool = [layer for layer in net.layers if isinstance(layer, layers.MaxPooling2D)][block - 1]
    cut = keras.Model(net.inputs, layers.GlobalMaxPooling2D()(pool.output))
    return np.asarray(cut.predict(images, batch_size=64, verbose=0))


def learned(net: Any, rate: float, known: Any, asked: Any) -> float:
    """Accuracy on the images asked, after STEPS steps on those known; (images, labels) each."""
    x, y = known
    net = compiled(net, rate)
    net.fit(x, y, batch_size=BATCH, epochs=max(1, STEPS * min(BATCH, len(x)) // len(x)), verbose=0)
    return float(net.evaluate(*asked, batch_size=64, verbose=0)[1])


def head(known: Any, asked: Any) -> float:
    """Accuracy of one dense layer on features, brought to one size."""
    size = float(known[0].std())
    net = keras.Sequential([keras.Input(known[0].shape[1:]), layers.Dense(5)])
    return learned(net, HEAD_RATE, (known[0] / size, known[1]), (asked[0] / size, asked[1]))


class Task:
    """Of one seed: the digits 0 to 4, and of 5 to 9 some to learn from and others to be asked."""

    def __init__(self, seed: int) -> None:
        keras.utils.set_random_seed(seed)
        self.rng = np.random.default_rng(seed)
        images, labels = drawn_digits()
        old = labels < 5
        self.old = images[old], labels[old]
        order = self.rng.permutation(np.flatnonzero(~old))
        self.still = images[order]
        self.new = placed(self.still, self.rng), labels[order] - 5
        self.half = len(order) // 2  # are learned from, at most

    def known(self, values: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """So many of each new class, of the images or of their features."""
        labels = self.new[1]
        chosen = [np.flatnonzero(labels[: self.half] == c)[:count] for c in range(5)]
        which = np.concatenate(chosen)
        return values[which], labels[which]

    def asked(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The other half."""
        return values[self.half :], self.new[1][self.half :]

    def heads(self, values: np.ndarray, counts: tuple[int, ...]) -> list[float]:
        """Accuracy of a new head on features, by number of images."""
        flat = values.reshape(len(values), -1)
        return [head(self.known(flat, count), self.asked(flat)) for count in counts]

    def by_block(self, net: Any) -> list[float]:
        """Accuracy of a new head on each block, from AT images a class."""
        found = [features(net, block, self.new[0]) for block in BLOCKS]
        return [self.heads(values, (AT,))[0] for values in found]


def run(seed: int) -> tuple[list[dict[str, Any]], Any]:
    """The rows of one seed, and the network that learned 0 to 4."""
    task, net = Task(seed), network()
    moved = task.new[0]
    chance = task.heads(features(net, CUT, moved), COUNTS), task.by_block(net)
    compiled(net, RATE)
    images, labels = task.old
    for _ in range(EPOCHS):  # each time at other places
        done = net.fit(placed(images, task.rng), labels, batch_size=BATCH, verbose=0)
    transfer = task.heads(features(net, CUT, moved), COUNTS), task.by_block(net)
    nothing = [
        learned(network(), RATE, task.known(moved, count), task.asked(moved)) for count in COUNTS
    ]
    found = (transfer[0], chance[0], nothing, task.heads(moved, COUNTS))
    rows = [
        {"seed": seed, "way": way, "accuracy": dict(zip(map(str, COUNTS), each, strict=True))}
        for way, each in zip(WAYS, found, strict=True)
    ]
    rows[0] |= {"old": done.history["accuracy"][-1], "by_block": transfer[1]}
    rows[1] |= {"by_block": chance[1]}
    rows[3] |= {"still": task.heads(task.still, (AT,))[0]}
    return rows, net


def margins(rows: list[dict[str, Any]], count: int = AT, other: str = WAYS[2]) -> list[float]:
    """Of each seed: accuracy by the features of 0 to 4 less that of another way."""

    def of(way: str) -> list[float]:
        return [row["accuracy"][str(count)] for row in rows if row["way"] == way]

    return [a - b for a, b in zip(of(WAYS[0]), of(other), strict=True)]


def save_features(path: Path, net: Any) -> None:
    """The first blocks' kernels and biases, in half precision."""
    convs = [layer for layer in net.layers if isinstance(layer, layers.Conv2D)][: 2 * CUT]
    weights = [w.numpy().astype(np.float16) for layer in convs for w in layer.weights]
    np.savez_compressed(path, *weights)


def main(arguments: list[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    report.add_destination(parser)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    args = parser.parse_args(arguments)
    out = report.destination(parser, args) / "lessons"
    start, rows, first = time.monotonic(), [], None
    for seed in progress(range(args.seeds), "transfer"):
        found, net = run(seed)
        rows += found
        first = first or net
        for row in found:
            told = "  ".join(f"{n}: {100 * a:.1f}" for n, a in row["accuracy"].items())
            print(f"seed {seed}  {row['way']:18}  {told}", file=sys.stderr)
    out.mkdir(parents=True, exist_ok=True)
    figure = seen_pictures.curves(rows, CUT, AT, width=9)
    alt = "Accuracy on the digits 5 to 9, by way, number of images and block"
    (out / "transfer.png").write_bytes(pictures.written(figure, "png", "Transfer", alt))
    save_features(out / "vgg13_features.npz", first)
    smallest = {other: min(margins(rows, AT, other)) for other in WAYS[1:]}
    content = {
        "what": "digits 5 to 9 from a few images a class: a head on frozen features, or all anew",
        "date": report.today(),
        "commit": report.commit(),
        "machine": report.machine(),
        "seconds": round(time.monotonic() - start),
        "smallest_margin": {"images a class": AT, **smallest},
        "rows": rows,
    }
    report.write(out / "transfer.json", content)


if __name__ == "__main__":
    stoppable(main)
