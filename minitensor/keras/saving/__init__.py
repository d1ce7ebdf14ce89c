"""The mirror of keras.saving: models and weights as files that Keras reads, and Keras' files read.

api.py                save and load, whatever the form
architecture.py       models as JSON
archive.py            .keras
weights_h5.py         .weights.h5, HDF5 as Keras 3 has it
legacy_h5.py          .h5, as Keras 2 had it
safetensors_file.py   .safetensors
weight_paths.py       where each weight is kept
stored_weights.py     from a file into a model, all or nothing
copies.py             models from models in memory: copies, and from Keras and to Keras
hdf5/                 a reader of HDF5

How an object becomes JSON is the business of `keras/serialization`, below the models.
"""

from minitensor.keras.saving.api import load_model, load_weights, save_model, save_weights
from minitensor.keras.saving.architecture import model_from_json, to_json
from minitensor.keras.saving.copies import from_keras, to_keras
from minitensor.keras.serialization.objects import deserialize as deserialize_keras_object
from minitensor.keras.serialization.objects import serialize as serialize_keras_object
from minitensor.keras.serialization.registry import (
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)

CustomObjectScope = custom_object_scope

__all__ = [
    "CustomObjectScope", "custom_object_scope", "deserialize_keras_object", "from_keras",
    "get_custom_objects", "get_registered_name", "get_registered_object", "load_model",
    "load_weights", "model_from_json", "register_keras_serializable", "save_model", "save_weights",
    "serialize_keras_object", "to_json", "to_keras",
]  # fmt: skip
