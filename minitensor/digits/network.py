"""LeNet-5 for digits: its first weights, its training, and what it says of images.

The net is `models.lenet5`, trained by `fit`. Every random number comes from one seed, so that a
training can be made again.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minitensor import Tensor, Variable, image, keras, models, nn
from minitensor.data import LabelledImages
from minitensor.keras.initializers.random_initializers import compute_fans
from minitensor.keras.training.finite import NonFiniteError

SIZE = (28, 28)  # (height, width) of the images it reads
NAMES = tuple(
    f"{layer}.{part}"
    for layer in ("conv1", "conv2", "dense1", "dense2", "dense3")
    for part in ("kernel", "bias")
)
_READ_AT_ONCE = 512  # images in one forward pass outside training
_SHIFT = 2  # pixels that training images are moved at most, so that no position is learnt by heart


def fresh(classes: int, seed: int) -> Any:
    """An untrained net: kernels uniform in [-a, a], a = sqrt(6 / (fan in + fan out)), biases 0.

    Example:
        >>> from minitensor.digits import network
        >>> net = network.fresh(classes=10, seed=0)
        >>> net.count_params(), net.output_shape
        (60074, (None, 10))

    Source: Glorot and Bengio 2010, equation 16
    """
    net, rng = models.lenet5(classes), np.random.default_rng(seed)
    for name, variable in parameters(net).items():
        if name.endswith("kernel"):
            limit = math.sqrt(6 / sum(compute_fans(variable.shape)))
            variable.assign(rng.uniform(-limit, limit, variable.shape).astype(np.float32))
    return net


def parameters(net: Any) -> dict[str, Variable]:
    """What it learns, by the names that files have for it."""
    return dict(zip(NAMES, net.weights, strict=True))


# ----- training -----


@dataclass(frozen=True)
class Epoch:
    """What one pass over the training images came to; accuracies are fractions, after the pass."""

    loss: float  # mean over its images, while it learned
    train_accuracy: float
    test_accuracy: float
    seconds: float


def fit(
    net: Any,
    train: LabelledImages,
    test: LabelledImages,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    report: Callable[[Epoch], None] = lambda epoch: None,
) -> list[Epoch]:
    """Trains `net` in place; `report` is told of every epoch.

    Each batch is moved by up to 2 pixels up or down and left or right. The learning rate falls
    from `learning_rate` to 0 along half a cosine.

    Raises:
        ValueError: the loss is no longer a number.
    """
    from threadpoolctl import threadpool_limits

    steps = math.ceil(len(train) / batch_size)
    rate = keras.optimizers.schedules.CosineDecay(learning_rate, epochs * steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(keras.optimizers.Adam(rate), loss)
    scores = _Scores(train, test, report)
    with threadpool_limits(1, user_api="blas"):  # more threads only slow small products down
        try:
            net.fit(
                _batches(train, batch_size, np.random.default_rng(seed)),
                epochs=epochs,
                steps_per_epoch=steps,
                callbacks=[*callbacks, scores],
                verbose=0,
            )
        except NonFiniteError as error:
            raise ValueError(
                f"the loss is no longer a number in epoch {len(scores.epochs) + 1}; "
                f"try a learning rate smaller than {learning_rate}"
            ) from error
    return scores.epochs


def _batches(
    data: LabelledImages, size: int, rng: np.random.Generator
) -> Iterator[tuple[Tensor, np.ndarray]]:
    """Epoch after epoch without end, each in another order."""
    while True:
        order = rng.permutation(len(data))
        for chosen in np.split(order, range(size, len(order), size)):
            yield _moved(data.images[chosen], rng), data.labels[chosen]


def _moved(images: np.ndarray, rng: np.random.Generator) -> Tensor:
    """The images, all moved by the same few pixels; black comes in at the border."""
    height, width = (side + 2 * _SHIFT for side in SIZE)
    framed = image.pad_to_bounding_box(images, _SHIFT, _SHIFT, height, width)  # (N, 32, 32, 1)
    return image.random_crop(framed, images.shape, seed=int(rng.integers(2**31)))


class _Scores(keras.callbacks.Callback):
    """After each epoch: how many images are read right, of those it learns from and of others."""

    def __init__(
        self, train: LabelledImages, test: LabelledImages, report: Callable[[Epoch], None]
    ) -> None:
        super().__init__()
        self.epochs: list[Epoch] = []
        self._parts, self._report = (train, test), report

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        train, test = (accuracy(probabilities(self.model, d.images), d) for d in self._parts)
        seconds = time.perf_counter() - self._start
        self.epochs.append(Epoch(logs["loss"], train, test, seconds))
        self._report(self.epochs[-1])


# ----- what it says -----


def probabilities(net: Any, images: np.ndarray) -> np.ndarray:
    """(N, classes): how sure the net is of each label, for images (N, 28, 28, 1)."""
    return nn.softmax(net.predict(images, _READ_AT_ONCE, verbose=0)).numpy()


def accuracy(probability: np.ndarray, data: LabelledImages) -> float:
    """The fraction of images whose most probable label is the right one."""
    return float(np.mean(probability.argmax(axis=1) == data.labels))
