"""The mirror of keras.models: models, and the ways to copy, write and read them."""

from minitensor.keras.engine import Functional, Model, Sequential
from minitensor.keras.saving import load_model, model_from_json, save_model
from minitensor.keras.saving.copies import clone_model

__all__ = [
    "Functional",
    "Model",
    "Sequential",
    "clone_model",
    "load_model",
    "model_from_json",
    "save_model",
]
