"""Tensors without values: what `Input` gives, and what layers make of it.

A layer called on a KerasTensor computes shapes only, and leaves a Node behind: which layer made
which tensors from which. A model is read off the nodes afterwards (`functional.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from minitensor.keras.engine import defaults, dtype_policy
from minitensor.keras.engine.keras_tensor import KerasTensor, Node
from minitensor.keras.engine.layer import Layer
from minitensor.keras.serialization import names

Shape = tuple[int | None, ...]


class InputLayer(Layer):
    """Where a functional model begins.

    Args:
        shape: of one sample, without the batch axis; None where it may vary.
        batch_size: or None if it may vary.
        dtype: element type; default the float type.
        sparse, ragged, input_tensor, optional: must stay as they are.
        batch_shape: shape with the batch axis, instead of the first two.
        name: the layer's name.
        kwargs: input_shape or batch_input_shape, the old names of shape and batch_shape.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.layers.InputLayer((28, 28, 1)).output.shape
        (None, 28, 28, 1)

    Source: keras.layers.InputLayer
    """

    _is_input = True

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: Any = None,
        ragged: Any = None,
        batch_shape: Any = None,
        input_tensor: Any = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        shape = kwargs.pop("input_shape", shape)  # Keras 2
        batch_shape = kwargs.pop("batch_input_shape", batch_shape)
        if kwargs:
            raise ValueError(f"InputLayer: unrecognized keyword arguments {sorted(kwargs)}")
        if sparse or ragged or optional or input_tensor is not None:
            raise ValueError(
                "Input: sparse, ragged, optional and given tensors are not there; "
                "give a dense tensor of a fixed rank when the model is called"
            )
        super().__init__(name=name or names.fresh(type(self)))
        self.batch_shape = _batch_shape(shape, batch_size, batch_shape)
        self._dtype_policy = dtype_policy.get(dtype or defaults.floatx())
        self.built = True
        tensor = KerasTensor(self.batch_shape, self.dtype, self.name)
        self._nodes.append(Node(self, (), {}, tensor))

    def call(self) -> Any:
        raise AssertionError("a model never calls its inputs")

    def get_config(self) -> dict[str, Any]:
        """Its batch shape, type and name."""
        return {
            "batch_shape": self.batch_shape,
            "dtype": self.dtype,
            "sparse": False,
            "ragged": False,
            "name": self.name,
            "optional": False,
        }


def Input(  # noqa: N802 -- Keras' name
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: Any = None,
    ragged: Any = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
) -> KerasTensor:
    """The beginning of a functional model: a tensor without values.

    Args:
        shape: of one sample, without the batch axis; None where it may vary.
        batch_size: or None if it may vary.
        dtype: element type; default the float type.
        sparse, ragged, tensor, optional: must stay as they are.
        batch_shape: shape with the batch axis, instead of the first two.
        name: of the input, for models that take a dictionary.

    Returns:
        A KerasTensor.

    Raises:
        ValueError: no shape, or two.

    Example:
        >>> import minitensor as tf
        >>> x = tf.keras.Input((4,))
        >>> tf.keras.Model(x, tf.keras.layers.Dense(2)(x)).count_params()
        10

    Source: keras.Input
    """
    given = (shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name)
    return InputLayer(*given).output


def renamed_inputs(names: Iterable[Any]) -> str:
    """What to say to a program that knows inputs by the names of Keras 2."""
    if not any(re.fullmatch(r"input_\d+", str(name)) for name in names):
        return ""
    return " Keras 3 calls them 'input_layer', not 'input_1': give Input(..., name='input_1')."


def _batch_shape(shape: Any, batch_size: int | None, batch_shape: Any) -> Shape:
    if (shape is None) == (batch_shape is None):
        raise ValueError(
            f"Input: give `shape` or `batch_shape`. Received: shape={shape}, "
            f"batch_shape={batch_shape}"
        )
    sizes = (batch_size, *_listed(shape)) if batch_shape is None else tuple(_listed(batch_shape))
    if not all(n is None or (isinstance(n, int) and n >= 0) for n in sizes):
        raise ValueError(f"Input: every size must be a number or None. Received: {sizes}")
    return sizes


def _listed(shape: Any) -> list[Any]:
    return [shape] if isinstance(shape, int) else list(shape)
