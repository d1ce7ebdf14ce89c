"""Settled: a layer that is written into files by what its arguments came to."""

from __future__ import annotations

from typing import Any

from minitensor.keras.engine import Layer
from minitensor.keras.serialization.objects import serialize


class Settled(Layer):
    """Keeps each argument, read and checked, as the attribute of its name.

    kernel_size=3 is (3, 3) in its config, and "relu" as well as the function is "relu"
    """

    def get_config(self) -> dict[str, Any]:
        """What it was made with, as values that JSON can hold."""
        config, mine = super().get_config(), vars(self)
        return config | {name: serialize(mine[name]) for name in config if name in mine}
