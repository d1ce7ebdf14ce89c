"""LeNet-5 from functions and variables alone: no layer, no optimizer, no fit.

    python examples/by_hand.py [--epochs 3]

What `tf.keras` does for a model, written out: where the weights come from, how an image becomes
ten numbers, what the tape is asked for, and how Adam turns gradients into steps. The same network
from layers is `minitensor.models.lenet5`, and `minitensor train` trains that.

    layer             output          parameters
    conv1 6 of 3x3    26, 26, 6       6 * (9 * 1 + 1)    =     60
    max-pool, ReLU    13, 13, 6
    conv2 16 of 3x3   11, 11, 16      16 * (9 * 6 + 1)   =    880
    max-pool, ReLU    5, 5, 16
    dense1, ReLU      120             120 * (400 + 1)    = 48,120
    dense2, ReLU      84              84 * (120 + 1)     = 10,164
    dense3            10              10 * (84 + 1)      =    850, in all 60,074
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator

import numpy as np

import minitensor as tf
from minitensor.cli import stoppable
from minitensor.data import LabelledImages, read_digits, split

SHAPES = {
    "conv1.kernel": (3, 3, 1, 6),  # 3 x 3 pixels of 1 channel in, 6 channels out
    "conv1.bias": (6,),
    "conv2.kernel": (3, 3, 6, 16),
    "conv2.bias": (16,),
    "dense1.kernel": (5 * 5 * 16, 120),
    "dense1.bias": (120,),
    "dense2.kernel": (120, 84),
    "dense2.bias": (84,),
    "dense3.kernel": (84, 10),
    "dense3.bias": (10,),
}
RATE, BETA_1, BETA_2, EPSILON = 0.003, 0.9, 0.999, 1e-7


def first_weights(rng: np.random.Generator) -> dict[str, tf.Variable]:
    """Biases of 0, and kernels by Glorot's rule, under which no layer makes values grow or fade.

    w ~ U[-a, a], a = sqrt(6 / (numbers that an output sums + outputs that an input is summed in))
    """
    weights = {}
    for name, shape in SHAPES.items():
        value = np.zeros(shape, np.float32)
        if name.endswith("kernel"):
            taps = math.prod(shape[:-2])  # 9 in a convolution, 1 in a dense layer
            limit = math.sqrt(6 / (taps * (shape[-2] + shape[-1])))
            value = rng.uniform(-limit, limit, shape).astype(np.float32)
        weights[name] = tf.Variable(value, name=name)
    return weights


def logits(weights: dict[str, tf.Variable], images: tf.Tensor) -> tf.Tensor:
    """Ten numbers for each image, the largest for the digit it most looks like: (N, 10)."""
    x = images  # (N, 28, 28, 1)
    for layer in ("conv1", "conv2"):
        x = tf.nn.conv2d(x, weights[f"{layer}.kernel"], strides=1, padding="VALID")
        x = tf.nn.bias_add(x, weights[f"{layer}.bias"])  # (N, 26, 26, 6), then (N, 11, 11, 16)
        x = tf.nn.relu(tf.nn.max_pool2d(x, ksize=2, strides=2, padding="VALID"))
    x = tf.reshape(x, (-1, 5 * 5 * 16))  # (N, 400) from (N, 5, 5, 16)
    for layer in ("dense1", "dense2"):
        x = tf.nn.relu(x @ weights[f"{layer}.kernel"] + weights[f"{layer}.bias"])  # (N, 120), ...
    return x @ weights["dense3.kernel"] + weights["dense3.bias"]  # (N, 10)


class Adam:
    """Steps of even size along the running mean of the gradient.

    m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,
    x = x - rate * m' / (sqrt(v') + epsilon), m' = m / (1 - b1^t), v' = v / (1 - b2^t)

    Both means start at 0, and m' and v' make up for that. Source: Kingma and Ba 2015.
    """

    def __init__(self, variables: list[tf.Variable]) -> None:
        self.variables, self.t = variables, 0
        self.m = [tf.zeros_like(x) for x in variables]
        self.v = [tf.zeros_like(x) for x in variables]

    def apply(self, gradients: list[tf.Tensor]) -> None:
        """One step, given a gradient for each variable."""
        self.t += 1
        for i, (x, g) in enumerate(zip(self.variables, gradients, strict=True)):
            self.m[i] = BETA_1 * self.m[i] + (1 - BETA_1) * g
            self.v[i] = BETA_2 * self.v[i] + (1 - BETA_2) * tf.square(g)
            mean = self.m[i] / (1 - BETA_1**self.t)
            size = tf.sqrt(self.v[i] / (1 - BETA_2**self.t))
            x.assign_sub(RATE * mean / (size + EPSILON))


def step(
    weights: dict[str, tf.Variable], adam: Adam, images: np.ndarray, labels: np.ndarray
) -> float:
    """Changes the weights by one batch; returns its mean loss before."""
    with tf.GradientTape() as tape:  # remembers every op between the weights and the loss
        scores = logits(weights, tf.constant(images))
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=scores)
        loss = tf.reduce_mean(losses)
    adam.apply(tape.gradient(loss, adam.variables))  # walks back over what it remembers
    return float(loss)


def batches(data: LabelledImages, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Which images are seen together, in an order that is another in every epoch."""
    order = rng.permutation(len(data))
    yield from np.split(order, range(size, len(order), size))


def accuracy(weights: dict[str, tf.Variable], data: LabelledImages) -> float:
    """The fraction of images that are read right."""
    guesses = tf.argmax(logits(weights, tf.constant(data.images)), axis=-1).numpy()
    return float(np.mean(guesses == data.labels))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=3)
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    train, test = split(read_digits().resized((28, 28)), 0)
    weights = first_weights(rng)
    adam = Adam(list(weights.values()))
    print(f"{sum(w.shape.num_elements() for w in weights.values()):,} parameters")
    for epoch in range(args.epochs):
        losses = [
            step(weights, adam, train.images[chosen], train.labels[chosen])
            for chosen in batches(train, 32, rng)
        ]
        print(
            f"epoch {epoch + 1}: loss {np.mean(losses):.4f}, "
            f"test accuracy {accuracy(weights, test):.2%}"
        )


if __name__ == "__main__":
    stoppable(main)
