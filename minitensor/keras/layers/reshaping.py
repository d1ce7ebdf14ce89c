"""Layers that only lay numbers out anew.

Args of all: kwargs, what every Layer takes. Source of all: keras.layers, by the same names.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Unpack

from minitensor.array import expand_dims, reshape, tile, transpose
from minitensor.docstrings import examples_of
from minitensor.keras.engine import InputSpec, Layer
from minitensor.keras.engine.defaults import layout
from minitensor.keras.engine.layer import Common
from minitensor.keras.layers.geometry import Sizes, integer, is_integer

example = examples_of("tf.keras.layers", "")


@example("Flatten()(tf.zeros([2, 3, 4, 5])).shape", "TensorShape([2, 60])")
class Flatten(Layer):
    """Each sample as one row: (N, H, W, C) -> (N, H * W * C).

    Args:
        data_format: "channels_first" images are put channels last first, so that both layouts
            give the same rows.
    """

    def __init__(self, data_format: str | None = None, **kwargs: Unpack[Common]) -> None:
        super().__init__(**kwargs)
        self.data_format = layout(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Any) -> Any:
        """(N, the product of the other sizes)"""
        x = inputs
        if self.data_format == "channels_first" and x.ndim > 2:
            x = transpose(x, [0, *range(2, x.ndim), 1])  # (N, ..., C)
        return reshape(x, (x.shape[0], math.prod(x.shape[1:])))

    def compute_output_shape(self, input_shape: Any) -> Sizes:
        return input_shape[0], _product(input_shape[1:])


@example("Reshape((2, -1))(tf.zeros([5, 6])).shape", "TensorShape([5, 2, 3])")
class Reshape(Layer):
    """Each sample in another shape.

    Args:
        target_shape: sizes without the batch; one may be -1, which is then what is left.

    Raises:
        ValueError: sizes that hold another number of elements than the input.
    """

    def __init__(self, target_shape: Any, **kwargs: Unpack[Common]) -> None:
        super().__init__(**kwargs)
        sizes = tuple(target_shape)
        if not all(is_integer(n) and n >= -1 for n in sizes) or sizes.count(-1) > 1:
            raise ValueError(
                "Reshape: target_shape must hold sizes, one of which may be -1. "
                f"Received: target_shape={sizes}"
            )
        self.target_shape = tuple(int(n) for n in sizes)

    def call(self, inputs: Any) -> Any:
        """(N, *target_shape)"""
        return reshape(inputs, self.compute_output_shape(inputs.shape))

    def compute_output_shape(self, input_shape: Any) -> Sizes:
        batch, *sizes = input_shape
        have, known = _product(sizes), math.prod(n for n in self.target_shape if n != -1)
        left = None if have is None or not known else have // known
        if have is not None and have != known * (left if -1 in self.target_shape and left else 1):
            raise ValueError(
                "The total size of the tensor must be unchanged. Received: "
                f"input_shape={tuple(sizes)}, target_shape={self.target_shape}"
            )
        return batch, *(left if n == -1 else n for n in self.target_shape)


@example("Permute((3, 1, 2))(tf.zeros([5, 28, 28, 3])).shape", "TensorShape([5, 3, 28, 28])")
class Permute(Layer):
    """The axes of each sample in another order: axis k of the result is axis dims[k] of the input.

    Args:
        dims: the order; the axis after the batch is 1.

    Raises:
        ValueError: not each axis once.
    """

    def __init__(self, dims: Any, **kwargs: Unpack[Common]) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                "Invalid permutation argument `dims` for Permute Layer. The set of indices in "
                f"`dims` must be consecutive and start from 1. Received dims={dims}"
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        return transpose(inputs, [0, *self.dims])

    def compute_output_shape(self, input_shape: Any) -> Sizes:
        return input_shape[0], *(input_shape[axis] for axis in self.dims)


@example("RepeatVector(3)([[1.0, 2.0]]).shape", "TensorShape([1, 3, 2])")
class RepeatVector(Layer):
    """Each vector n times in a sequence: (N, F) -> (N, n, F).

    Args:
        n: how often.

    Raises:
        TypeError: `n` is no integer.
        ValueError: `n` is not positive.
    """

    def __init__(self, n: int, **kwargs: Unpack[Common]) -> None:
        super().__init__(**kwargs)
        self.n = integer("n", n)
        if n <= 0:
            raise ValueError(f"Argument `n` should be a positive integer. Received: n={n}")
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        """(N, n, F)"""
        return tile(expand_dims(inputs, 1), [1, self.n, 1])

    def compute_output_shape(self, input_shape: Any) -> Sizes:
        """(N, n, F)"""
        return input_shape[0], self.n, input_shape[1]


def _product(sizes: Sequence[int | None]) -> int | None:
    """How many elements, or None if a size may vary."""
    return None if None in sizes else math.prod(n for n in sizes if n is not None)
