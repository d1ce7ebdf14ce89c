"""What layers have in common whose output has the shape of their input."""

from __future__ import annotations

from typing import Any

from minitensor.keras.engine.layer import Layer


class Elementwise(Layer):
    """A layer that changes numbers and no shape; a subclass writes `call`."""

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        return tuple(input_shape)
