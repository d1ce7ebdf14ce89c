"""VGG13 and ResNet18 of course texts 0 and 4 on CIFAR-10 or CIFAR-100, with the loop written out.

    python examples/cifar.py --network resnet18 --classes 100 --epochs 50

The archive is looked for where Keras keeps it; `examples/small_data.py FOLDER` makes a small one.
The seed trains ResNet18 without `training=True`: then batch normalisation never normalises by its
batch (examples/ERRATA.md). Here it does; `--as-printed` shows the difference.
"""

from __future__ import annotations

import argparse
from typing import Any

import minitensor as tf
from minitensor import models
from minitensor.cli import stoppable
from minitensor.data import Dataset
from minitensor.keras import datasets, optimizers


def preprocess(x: Any, y: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """Bytes to [-1, 1]."""
    return 2 * tf.cast(x, dtype=tf.float32) / 255.0 - 1, tf.cast(y, dtype=tf.int32)


def read(classes: int, batch: int) -> tuple[Dataset, Dataset]:
    """Batches to learn from and to test on."""
    source = datasets.cifar10 if classes == 10 else datasets.cifar100
    (x, y), (x_test, y_test) = source.load_data()
    y, y_test = tf.squeeze(y, axis=1), tf.squeeze(y_test, axis=1)
    print(x.shape, y.shape, x_test.shape, y_test.shape)
    train = Dataset.from_tensor_slices((x, y)).shuffle(1000).map(preprocess).batch(batch)
    return train, Dataset.from_tensor_slices((x_test, y_test)).map(preprocess).batch(batch)


def accuracy(model: Any, data: Dataset) -> float:
    """The fraction of images that are told right."""
    right, total = 0, 0
    for x, y in data:
        guess = tf.cast(tf.argmax(model(x, training=False), axis=1), dtype=tf.int32)
        right += int(tf.reduce_sum(tf.cast(tf.equal(guess, y), dtype=tf.int32)))
        total += x.shape[0]
    return right / total


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", choices=("vgg13", "resnet18", "resnet34"), default="vgg13")
    parser.add_argument("--classes", type=int, choices=(10, 100), default=10)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--as-printed", action="store_true", help="train in inference mode")
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    tf.random.set_seed(0)
    with tf.device(args.device):
        train, test = read(args.classes, args.batch_size)
        model = getattr(models, args.network)(args.classes)
        print(f"{args.network}: {model.count_params():,} parameters")
        optimizer = optimizers.Adam(learning_rate=args.learning_rate)
        for epoch in range(args.epochs):
            for step, (x, y) in enumerate(train):
                with tf.GradientTape() as tape:
                    logits = model(x, training=not args.as_printed)
                    hot = tf.one_hot(y, depth=args.classes)
                    losses = tf.losses.categorical_crossentropy(hot, logits, from_logits=True)
                    loss = tf.reduce_mean(losses)
                grads = tape.gradient(loss, model.trainable_variables)
                optimizer.apply_gradients(zip(grads, model.trainable_variables, strict=True))
                if step % 100 == 0:
                    print(epoch, step, "loss:", float(loss))
            print(epoch, "acc:", accuracy(model, test))


if __name__ == "__main__":
    stoppable(main)
