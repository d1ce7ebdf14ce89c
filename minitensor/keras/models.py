"""The mirror of keras.models: models, and the ways to copy, write and read them."""

from minitensor.keras.engine import Functional, Model, Sequential

__all__ = ["Functional", "Model", "Sequential"]
