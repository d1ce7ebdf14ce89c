"""Epochs of batches, and how many images are read right."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from minitensor import GradientTape, Tensor, image, nn, reduce_mean
from minitensor.data import LabelledImages
from minitensor.train.model import SIZE, LeNet
from minitensor.train.optimizer import Adam

_READ_AT_ONCE = 512  # images in one forward pass outside training
_SHIFT = 2  # pixels that training images are moved at most, so that no place is learnt by heart


@dataclass(frozen=True)
class Epoch:
    """What one pass over the training images came to; accuracies are fractions, after the pass."""

    loss: float  # mean over its batches
    train_accuracy: float
    test_accuracy: float
    seconds: float


def fit(
    net: LeNet,
    train: LabelledImages,
    test: LabelledImages,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    progress: Callable[[list[np.ndarray]], Iterator[np.ndarray]],
) -> Iterator[Epoch]:
    """Trains `net` in place; yields after every epoch.

    Each batch is moved by up to 2 pixels up or down and left or right. The learning rate falls
    from `learning_rate` to 0 along half a cosine. `progress` wraps an epoch's list of batches, to
    show how far it is.

    Raises:
        ValueError: the loss is no longer a number.
    """
    from threadpoolctl import threadpool_limits

    rng, optimizer = np.random.default_rng(seed), Adam(list(net.parameters.values()))
    steps = epochs * math.ceil(len(train) / batch_size)
    rates = (learning_rate * (1 + math.cos(math.pi * i / steps)) / 2 for i in range(steps))
    for epoch in range(1, epochs + 1):
        start, order = time.perf_counter(), rng.permutation(len(train))
        batches = progress(np.split(order, range(batch_size, len(order), batch_size)))
        with threadpool_limits(1, user_api="blas"):  # more threads only slow small products down
            losses = [
                _step(net, optimizer, _moved(train.images[i], rng), train.labels[i], next(rates))
                for i in batches
            ]
            wild = [loss for loss in losses if not math.isfinite(loss)]
            if wild:
                raise ValueError(
                    f"the loss became {wild[0]} in epoch {epoch}; "
                    f"try a learning rate smaller than {learning_rate}"
                )
            right = [accuracy(probabilities(net, part.images), part) for part in (train, test)]
        yield Epoch(float(np.mean(losses)), right[0], right[1], time.perf_counter() - start)


def _moved(images: np.ndarray, rng: np.random.Generator) -> Tensor:
    """The images, all moved by the same few pixels; black comes in at the border."""
    height, width = (side + 2 * _SHIFT for side in SIZE)
    framed = image.pad_to_bounding_box(images, _SHIFT, _SHIFT, height, width)  # (N, 32, 32, 1)
    return image.random_crop(framed, images.shape, seed=int(rng.integers(2**31)))


def _step(net: LeNet, optimizer: Adam, images: Tensor, labels: np.ndarray, rate: float) -> float:
    """Changes the net by one batch; the batch's mean loss before."""
    with GradientTape() as tape:
        logits = net(images)
        losses = nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        loss = reduce_mean(losses)
    optimizer.apply(tape.gradient(loss, list(net.parameters.values())), rate)
    return float(loss)


def probabilities(net: LeNet, images: np.ndarray) -> np.ndarray:
    """(N, classes): how sure the net is of each label, for images (N, 28, 28, 1)."""
    starts = range(0, len(images), _READ_AT_ONCE)
    return np.concatenate([nn.softmax(net(images[s : s + _READ_AT_ONCE])).numpy() for s in starts])


def accuracy(probability: np.ndarray, data: LabelledImages) -> float:
    """The fraction of images whose most probable label is the right one."""
    return float(np.mean(probability.argmax(axis=1) == data.labels))
