"""The CNN of course text 2 on MNIST, Fashion-MNIST or the digits inside minitensor.

    python examples/mnist_cnn.py                                     the digits, a minute
    python examples/mnist_cnn.py --data fashion_mnist --out run      60,000 images

Two 5x5 convolutions with pooling, a dense layer of 1,024, 3,274,634 parameters. Writes the log
of every epoch as CSV, a picture of it, what was run and where, and, if asked, the weights; a
training that was cut off goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

import minitensor as tf
from minitensor import models, pictures
from minitensor.cli import stoppable
from minitensor.keras import callbacks, datasets, utils

START = time.perf_counter()
Part = tuple[np.ndarray, np.ndarray]


def read(name: str) -> tuple[Part, Part]:
    """Images (N, 28, 28, 1), 0 black to 1 white, and labels: to learn from, to test on."""
    if name == "digits":
        from minitensor.data import read_digits, split

        train, test = split(read_digits().resized((28, 28)), 0)
        return (train.images, train.labels), (test.images, test.labels)
    (x, y), (x_test, y_test) = getattr(datasets, name).load_data()
    images = [part[..., np.newaxis].astype(np.float32) / 255 for part in (x, x_test)]
    return (images[0], y), (images[1], y_test)


def curve(path: Path, title: str, history: dict[str, list[float]]) -> None:
    """Loss and accuracy by epoch, as a PNG file."""
    from matplotlib.figure import Figure

    with pictures.style():
        figure = Figure(figsize=(9, 3.8), layout="constrained")
        for axes, name, unit, factor in zip(
            figure.subplots(1, 2), ("loss", "accuracy"), ("nats", "%"), (1, 100), strict=True
        ):
            epochs = range(1, len(history[name]) + 1)
            lines = ((name, "training images", "o-"), (f"val_{name}", "test images", "s--"))
            for key, label, line in lines:
                axes.plot(epochs, [factor * v for v in history[key]], line, label=label)
            axes.set(xlabel="epoch", ylabel=unit, title=name.capitalize(), xticks=epochs)
            axes.grid(visible=True)
            axes.legend()
        figure.suptitle(title)
        figure.savefig(path)


def trained(args: argparse.Namespace) -> dict[str, list[float]]:
    """Trains, writes what `--out` asks for, and gives the history."""
    utils.set_random_seed(args.seed)
    train, test = read(args.data)
    model = models.mnist_cnn()
    model.build((None, 28, 28, 1))
    model.summary()
    model.compile(
        optimizer=tf.keras.optimizers.Adam(learning_rate=args.learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    args.out.mkdir(parents=True, exist_ok=True)
    watchers: list[Any] = [
        callbacks.BackupAndRestore(args.out / "backup", save_freq=200),
        callbacks.CSVLogger(args.out / "log.csv", append=True),
    ]
    history = model.fit(
        *train,
        batch_size=args.batch_size,
        epochs=args.epochs,
        validation_data=test,
        callbacks=watchers,
        verbose=2,
    ).history
    if args.weights:
        model.save_weights(args.weights)
    curve(args.out / "curve.png", f"MNIST CNN on {args.data}", history)
    (args.out / "run.json").write_text(json.dumps(card(args, len(train[0]), model), indent=1))
    return history


def card(args: argparse.Namespace, images: int, model: Any) -> dict[str, Any]:
    """What was run, on what, and how long it took."""
    command = ["python examples/mnist_cnn.py", "--data", args.data, "--epochs", str(args.epochs)]
    on_cpu = tf.constant(0.0).device.endswith("CPU:0")
    return {
        "command": " ".join(command),
        "images": images,
        "parameters": model.count_params(),
        "seconds": round(time.perf_counter() - START),
        "machine": f"{os.cpu_count()} CPU cores" if on_cpu else args.device,
        "date": time.strftime("%Y-%m-%d"),
        "numpy": np.__version__,
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=("digits", "mnist", "fashion_mnist"), default="digits")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=50)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu", help="cpu or gpu")
    parser.add_argument("--out", type=Path, default=Path("mnist-cnn-run"))
    parser.add_argument("--weights", type=Path, help="write the weights, NAME.weights.h5")
    args = parser.parse_args()
    with tf.device(args.device):
        history = trained(args)
    print(f"test accuracy: {history['val_accuracy'][-1]:f}")
    print(f"{time.perf_counter() - START:.0f} s; wrote {args.out}")


if __name__ == "__main__":
    stoppable(main)
