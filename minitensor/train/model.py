"""LeNet-5 as the course modifies it: 3x3 kernels, max-pooling, ReLU, 28x28 gray images.

    layer             output          parameters
    conv1 6 of 3x3    26, 26, 6       6 * (9 * 1 + 1)    =     60
    max-pool, ReLU    13, 13, 6
    conv2 16 of 3x3   11, 11, 16      16 * (9 * 6 + 1)   =    880
    max-pool, ReLU    5, 5, 16
    dense1, ReLU      120             120 * (400 + 1)    = 48,120
    dense2, ReLU      84              84 * (120 + 1)     = 10,164
    dense3            10              10 * (84 + 1)      =    850, in all 60,074

Functions, variables and nothing else: the layers of Keras are not used here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from minitensor import Tensor, Variable, nn, reshape

SIZE = (28, 28)  # (height, width) of the images it reads
_CONVOLUTIONS = ("conv1", "conv2")
_HIDDEN = ("dense1", "dense2")
_FLAT = 5 * 5 * 16


def shapes(classes: int) -> dict[str, tuple[int, ...]]:
    """Name and shape of every parameter of the net that tells `classes` labels apart."""
    return {
        "conv1.kernel": (3, 3, 1, 6),
        "conv1.bias": (6,),
        "conv2.kernel": (3, 3, 6, 16),
        "conv2.bias": (16,),
        "dense1.kernel": (_FLAT, 120),
        "dense1.bias": (120,),
        "dense2.kernel": (120, 84),
        "dense2.bias": (84,),
        "dense3.kernel": (84, classes),
        "dense3.bias": (classes,),
    }


def glorot_uniform(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Uniform in [-a, a], a = sqrt(6 / (fan in + fan out)), float32.

    Source: Glorot and Bengio 2010, equation 16; tf.keras.initializers.GlorotUniform
    """
    taps = math.prod(shape[:-2])
    limit = math.sqrt(6 / (taps * (shape[-2] + shape[-1])))
    return rng.uniform(-limit, limit, shape).astype(np.float32)


class LeNet:
    """The net: `net(images)` are the logits.

    Args:
        values: an array for each name of `shapes`.

    Attributes:
        parameters: the variables by name.

    Example:
        >>> net = LeNet.fresh(classes=10, seed=0)
        >>> net.parameter_count, net(np.zeros((2, 28, 28, 1), np.float32)).shape.as_list()
        (60074, [2, 10])

    Source: LeCun, Bottou, Bengio and Haffner 1998, figure 2, as the course modifies it
    """

    def __init__(self, values: Mapping[str, np.ndarray]) -> None:
        self.parameters = {name: Variable(value, name=name) for name, value in values.items()}

    @staticmethod
    def fresh(classes: int, seed: int) -> LeNet:
        """An untrained net: kernels by Glorot's rule, biases 0."""
        rng = np.random.default_rng(seed)
        return LeNet(
            {
                name: np.zeros(shape, np.float32) if len(shape) == 1 else glorot_uniform(rng, shape)
                for name, shape in shapes(classes).items()
            }
        )

    @property
    def parameter_count(self) -> int:
        """How many numbers it learns."""
        return sum(variable.shape.num_elements() for variable in self.parameters.values())

    def __call__(self, images: Any) -> Tensor:
        """Logits (N, classes) of images (N, 28, 28, 1) float32, 0 black to 1 white."""
        x = images
        for layer in _CONVOLUTIONS:
            kernel, bias = self._of(layer)
            x = nn.bias_add(nn.conv2d(x, kernel, strides=1, padding="VALID"), bias)
            x = nn.relu(nn.max_pool2d(x, ksize=2, strides=2, padding="VALID"))
        x = reshape(x, (-1, _FLAT))  # (N, 400) from (N, 5, 5, 16)
        for layer in _HIDDEN:
            kernel, bias = self._of(layer)
            x = nn.relu(x @ kernel + bias)  # (N, 120), then (N, 84)
        kernel, bias = self._of("dense3")
        return x @ kernel + bias  # (N, classes)

    def _of(self, layer: str) -> tuple[Variable, Variable]:
        return self.parameters[f"{layer}.kernel"], self.parameters[f"{layer}.bias"]
