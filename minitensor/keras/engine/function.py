"""Function: the calls between symbolic tensors as a function, without training and files."""

from __future__ import annotations

from typing import Any

from minitensor.keras.engine.functional import Functional


class Function:
    """What leads from some symbolic tensors to others, also from the middle of a model.

    Args:
        inputs, outputs: symbolic tensors, or lists or dictionaries of them.
        name: its name.

    Raises:
        ValueError: the outputs do not follow from the inputs.

    Example:
        >>> import minitensor as tf
        >>> x = tf.keras.Input((2,))
        >>> y = tf.keras.layers.ReLU()(x)
        >>> tf.keras.Function(x, y)([[1.0, -2.0]]).numpy()
        array([[1., 0.]], dtype=float32)

    Source: keras.Function
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None) -> None:
        self._model = Functional(inputs, outputs, name=name)
        self.name = self._model.name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._model(*args, **kwargs)

    def call(self, inputs: Any) -> Any:
        """The outputs for inputs."""
        return self._model.call(inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shapes that come out for shapes that come in."""
        return self._model.compute_output_shape(input_shape)

    @property
    def operations(self) -> list[Any]:
        """The layers in the order in which they run."""
        return list(self._model.operations)

    @property
    def inputs(self) -> list[Any]:
        """The symbolic inputs, in a list."""
        return list(self._model.inputs)

    @property
    def outputs(self) -> list[Any]:
        """The symbolic outputs, in a list."""
        return list(self._model.outputs)

    @property
    def input(self) -> Any:
        """The symbolic inputs as they were given."""
        return self._model.input

    @property
    def output(self) -> Any:
        """The symbolic outputs as they were given."""
        return self._model.output
