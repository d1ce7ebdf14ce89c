"""The training tricks of course text 3, one at a time: each against the same training without it.

    python examples/training_tricks.py [--epochs 4]

augmentation   train_aug and test_aug of the seed: resize, flip, crop, brightness, contrast, hue,
               standardize, for each image by tf.map_fn
step decay     rate 0.1 for the first steps, 0.01 after
dropout        half of the features at random; what is left is doubled, so the mean stays
L2             the loss plus lambda * sum(w^2): the update shrinks w by 2 * rate * lambda * w; the
               seed's slim.l2_regularizer is half of that
batch norm     conv_bn_net beside the same net without
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

import minitensor as tf
from minitensor import keras
from minitensor.cli import stoppable
from minitensor.data import digits
from minitensor.keras import layers, optimizers, regularizers

SIZE, CROP = 40, 32  # pixels; the course text's 120 and 96 need the images of its time


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


def trained(
    net: Any, rate: Any, data: Any, epochs: int, augment: bool = False
) -> tuple[float, float]:
    """Accuracy on the images it learned from, and on others."""
    (x, y), (x_test, y_test) = data
    net.compile(
        optimizer=optimizers.SGD(rate, momentum=0.9),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    plain = tf.map_fn(test_aug, x)
    for _ in range(epochs):
        net.fit(tf.map_fn(train_aug, x) if augment else plain, y, batch_size=32, verbose=0)
    unseen = tf.map_fn(test_aug, x_test)
    return tuple(net.evaluate(a, b, verbose=0)[1] for a, b in ((plain, y), (unseen, y_test)))


def color_digits(count: int) -> Any:
    """Digits as color images (N, 32, 32, 3) float32, 0 to 255: two parts with their labels."""
    small, labels = digits()
    large = np.kron(small[: 2 * count, ..., 0], np.ones((1, 4, 4))) * 15  # (N, 32, 32)
    x = np.repeat(large[..., np.newaxis], 3, axis=-1).astype(np.float32)
    return (x[:count], labels[:count]), (x[count:], labels[count : 2 * count])


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--images", type=int, default=320)
    args = parser.parse_args()
    data = color_digits(args.images)
    steps = args.epochs * args.images // 32
    tries: dict[str, tuple[dict[str, Any], Any, bool]] = {
        "nothing": ({}, 0.01, False),
        "augmentation": ({}, 0.01, True),
        "step decay": ({}, lr_step(steps), False),
        "dropout": ({"dropout": 0.5}, 0.01, False),
        "L2": ({"l2": 1e-3}, 0.01, False),
        "batch norm": ({"norm": True}, 0.01, False),
    }
    print(f"{'trick':14} {'trained':>8} {'unseen':>8}   accuracy after {args.epochs} epochs")
    for name, (options, rate, augment) in tries.items():
        keras.utils.set_random_seed(0)
        seen, unseen = trained(network(**options), rate, data, args.epochs, augment)
        print(f"{name:14} {seen:8.1%} {unseen:8.1%}")


if __name__ == "__main__":
    stoppable(main)
