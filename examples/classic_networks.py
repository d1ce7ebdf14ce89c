"""The networks of course text 3 on CIFAR-10: AlexNet, VGG, GoogLeNet, ResNet, DenseNet.

    python examples/classic_networks.py --network densenet --steps 20000 --batch-size 64

As the seed: SGD of rate 0.01 and momentum 0.9, a line of the log every so many steps. The seed's
programs were written for TensorFlow 1 and TF-Slim; the networks are built from layers here, with
what the document lost or misprints put right (examples/ERRATA.md).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

import minitensor as tf
from minitensor import models
from minitensor.cli import stoppable
from minitensor.keras import datasets, losses, optimizers

NETWORKS = {
    "alexnet_cifar": models.alexnet_cifar,
    "alexnet_cifar_keras": models.alexnet_cifar_keras,
    "vgg11": models.vgg11,
    "googlenet": models.googlenet,
    "resnet_bottleneck": models.resnet_bottleneck,
    "densenet": models.densenet,
    "conv_bn_net": partial(models.conv_bn_net, input_shape=(32, 32, 3)),
}


def batches(x: np.ndarray, y: np.ndarray, size: int, steps: int) -> Iterator[tuple[Any, Any]]:
    """Random batches of images scaled to [-1, 1]."""
    rng = np.random.default_rng(0)
    for _ in range(steps):
        chosen = rng.integers(0, len(x), size)
        yield tf.constant(x[chosen].astype(np.float32) / 127.5 - 1), tf.constant(y[chosen, 0])


def measured(model: Any, criterion: Any, x: Any, y: Any, training: bool) -> tuple[Any, float]:
    """Loss and accuracy on a batch."""
    out = model(x, training=training)
    right = tf.equal(tf.argmax(out, axis=-1), tf.cast(y, tf.int64))
    return criterion(y, out), float(tf.reduce_mean(tf.cast(right, tf.float32)))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", choices=NETWORKS, default="alexnet_cifar")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--every", type=int, default=2, help="steps between lines of the log")
    args = parser.parse_args()
    tf.random.set_seed(0)
    (x, y), (x_test, y_test) = datasets.cifar10.load_data()
    model = NETWORKS[args.network]()
    probabilities = args.network == "alexnet_cifar_keras"  # its last layer is a softmax
    criterion = losses.SparseCategoricalCrossentropy(from_logits=not probabilities)
    optimizer = optimizers.SGD(0.01, momentum=0.9)
    start = time.perf_counter()
    for step, (images, labels) in enumerate(batches(x, y, args.batch_size, args.steps)):
        with tf.GradientTape() as tape:
            loss, acc = measured(model, criterion, images, labels, True)
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables, strict=True))
        if step % args.every == 0:
            seconds, start = (time.perf_counter() - start) / args.every, time.perf_counter()
            print(f"[train]: step {step} loss = {loss:.4f} acc = {acc:.4f} ({seconds:.4f} / batch)")
    images, labels = next(batches(x_test, y_test, args.batch_size, 1))
    loss, acc = measured(model, criterion, images, labels, False)
    print(f"[val]: step {args.steps} loss = {loss:.4f} acc = {acc:.4f}")


if __name__ == "__main__":
    stoppable(main)
