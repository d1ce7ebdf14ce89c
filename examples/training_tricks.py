"""The training tricks of course text 3, one at a time: each beside the same training without it.

    python examples/training_tricks.py [--epochs 20]        half a minute

augmentation   train_aug and test_aug of the seed: resize, flip, crop, brightness, contrast, hue,
               standardize, for each image by tf.map_fn
step decay     rate 0.1 for the first steps, 0.01 after
dropout        half of the features at random; what is left is doubled, so the mean stays
L2             the loss plus lambda * sum(w^2): the update shrinks w by 2 * rate * lambda * w; the
               seed's slim.l2_regularizer is half of that
batch norm     conv_bn_net beside the same net without

320 small digits show what augmentation, L2 and batch norm do. They cannot show what step decay and
dropout are for: the net knows all 320 by heart long before the rate falls, so no noise is left
that a smaller one would calm, and two convolutions and a dense layer are too few to lean on each
other. The course's own figures (68 % without augmentation, 82 % with) are of CIFAR-10 and 20,000
steps.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from textwrap import fill
from typing import Any

import numpy as np

import minitensor as tf
from minitensor import keras
from minitensor.cli import stoppable
from minitensor.data import digits
from minitensor.keras import layers, optimizers, regularizers

SIZE, CROP = 40, 32  # pixels; the course text's 120 and 96 need the images of its time
FEW = 10  # epochs


def train_aug(im: Any) -> Any:
    """A color image of bytes as the network sees it in training: never twice the same."""
    im = tf.image.resize(im, [SIZE, SIZE])
    im = tf.image.random_flip_left_right(im)
    im = tf.image.random_crop(im, [CROP, CROP, 3])
    im = tf.image.random_brightness(im, max_delta=0.5)
    im = tf.image.random_contrast(im, lower=0.0, upper=0.5)
    im = tf.image.random_hue(im, max_delta=0.5)
    return tf.image.per_image_standardization(im)


def test_aug(im: Any) -> Any:
    """The same image when the network is tested."""
    return tf.image.per_image_standardization(tf.image.resize(im, [CROP, CROP]))


def lr_step(steps: int) -> Any:
    """The seed's lr_step, for a training of `steps` steps instead of 20,000."""
    return optimizers.schedules.PiecewiseConstantDecay([steps * 3 // 5], [0.1, 0.01])


def network(dropout: float = 0.0, l2: float = 0.0, norm: bool = False) -> Any:
    """conv_bn_net on (32, 32, 3), with or without each trick."""
    kept = regularizers.L2(l2) if l2 else None
    net = keras.Sequential([keras.Input((CROP, CROP, 3))])
    for filters, taps in ((6, 3), (16, 5)):
        net.add(layers.Conv2D(filters, taps, padding="same", kernel_regularizer=kept))
        if norm:
            net.add(layers.BatchNormalization())
        net.add(layers.ReLU())
        net.add(layers.MaxPooling2D(2))
    net.add(layers.Flatten())
    if dropout:
        net.add(layers.Dropout(dropout))
    net.add(layers.Dense(10, kernel_regularizer=kept))
    return net


@dataclass(frozen=True)
class Found:
    """What a training gave: fractions of images read right, and two numbers of the way there."""

    trained: float
    unseen: float
    changed: float  # unseen images, changed by train_aug
    known_at: int | None  # the epoch in which 90 % of the images learned from were read right
    weights: float  # the root of the sum of all w^2


def trained(net: Any, rate: Any, data: Any, epochs: int, augment: bool = False) -> Found:
    """Trains a network; the three sets it is asked about are the same for every network."""
    (x, y), (x_test, y_test) = data
    net.compile(
        optimizer=optimizers.SGD(rate, momentum=0.9),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    plain, known = tf.map_fn(test_aug, x), []
    for _ in range(epochs):
        images = tf.map_fn(train_aug, x) if augment else plain
        known += net.fit(images, y, batch_size=32, verbose=0).history["accuracy"]
    keras.utils.set_random_seed(1)
    sets = (
        (plain, y),
        (tf.map_fn(test_aug, x_test), y_test),
        (tf.map_fn(train_aug, x_test), y_test),
    )
    fast = [number for number, accuracy in enumerate(known, 1) if accuracy >= 0.9]
    squares = sum(float(tf.reduce_sum(w * w)) for w in net.trainable_variables)
    return Found(
        *(net.evaluate(*asked, verbose=0)[1] for asked in sets),
        min(fast, default=None),
        squares**0.5,
    )


def color_digits(count: int) -> Any:
    """Digits as color images (N, 32, 32, 3) float32, 0 to 255: two parts with their labels."""
    small, labels = digits()
    large = np.kron(small[: 2 * count, ..., 0], np.ones((1, 4, 4))) * 15  # (N, 32, 32)
    x = np.repeat(large[..., np.newaxis], 3, axis=-1).astype(np.float32)
    return (x[:count], labels[:count]), (x[count:], labels[count : 2 * count])


def meanings(found: dict[str, Found]) -> list[str]:
    """What the figures say, each trick beside the training without any."""
    plain = found["nothing"]

    def points(name: str, what: str = "unseen") -> str:
        return f"{round(100 * (getattr(found[name], what) - getattr(plain, what))):+d} points"

    def epochs(name: str) -> str:
        at = found[name].known_at
        return "never" if at is None else f"in epoch {at}"

    return [
        f"augmentation: {points('augmentation', 'changed')} on unseen images that are moved, "
        f"mirrored and lit otherwise, {points('augmentation')} on unseen images as they are. These "
        "stand and are lit as the ones learned from, so there is nothing to gain from changes, and "
        "a mirrored 3 is no 3. It learns slower, too: after 4 epochs it has only begun.",
        f"step decay: {points('step decay')}. The seed's rate of 0.1 throws so small a net about: "
        f"its weights are {found['step decay'].weights:.1f} large instead of {plain.weights:.1f}, "
        "and the smaller rate comes too late.",
        f"dropout: {points('dropout')}; 90 % are read right {epochs('dropout')} instead of "
        f"{epochs('nothing')}: it costs time, and gains nothing that is sure here.",
        f"L2: {points('L2')}; the weights are {found['L2'].weights:.1f} large instead of "
        f"{plain.weights:.1f}.",
        f"batch norm: {points('batch norm')}; 90 % are read right {epochs('batch norm')} instead "
        f"of {epochs('nothing')}.",
    ]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--images", type=int, default=320)
    args = parser.parse_args()
    data = color_digits(args.images)
    steps = args.epochs * args.images // 32
    tries: dict[str, tuple[dict[str, Any], Any, bool]] = {
        "nothing": ({}, 0.01, False),
        "augmentation": ({}, 0.01, True),
        "step decay": ({}, lr_step(steps), False),
        "dropout": ({"dropout": 0.5}, 0.01, False),
        "L2": ({"l2": 1e-2}, 0.01, False),
        "batch norm": ({"norm": True}, 0.01, False),
    }
    print(
        f"{args.images} small digits, {args.epochs} epochs: too few and too easy to show what step "
        "decay\nand dropout are for (why: the top of this file).\n"
    )
    print(f"{'trick':14} {'trained':>8} {'unseen':>8} {'changed':>8} {'90 % at':>8} {'size':>6}")
    found = {}
    for name, (options, rate, augment) in tries.items():
        keras.utils.set_random_seed(0)
        it = found[name] = trained(network(**options), rate, data, args.epochs, augment)
        shares = f"{it.trained:8.1%} {it.unseen:8.1%} {it.changed:8.1%}"
        print(f"{name:14} {shares} {it.known_at or 'never':>8} {it.weights:6.1f}")
    print(
        "\nImages read right: those learned from, unseen ones, unseen ones changed by train_aug;"
        "\nthe epoch in which 90 % of those learned from were; the root of the sum of all w^2.\n"
    )
    if args.epochs < FEW:
        print(f"{args.epochs} epochs are few: they show who begins fastest, not who is best.")
        return
    for line in meanings(found):
        print(fill(line, 96, subsequent_indent="  "))


if __name__ == "__main__":
    stoppable(main)
