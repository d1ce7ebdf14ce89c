"""The mirror of keras.utils: what programs use around their models.

    images.py       images as arrays, as Pillow's images, and as files
    directory.py    a folder of images as a data set
    arrays.py       one-hot rows, unit rows, parts of a data set
    remote_file.py  get_file
    seeds.py        set_random_seed, clear_session
    sequence.py     PyDataset: batches by their number

`plot_model`, `Progbar` and two functions of batches come from the rooms that need them, when they
are asked for; what files mention comes from `keras/serialization`.
"""

import importlib
from typing import Any

from minitensor.keras.serialization.objects import deserialize as deserialize_keras_object
from minitensor.keras.serialization.objects import serialize as serialize_keras_object
from minitensor.keras.serialization.registry import (
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from minitensor.keras.utils.arrays import normalize, split_dataset, to_categorical
from minitensor.keras.utils.directory import image_dataset_from_directory
from minitensor.keras.utils.images import array_to_img, img_to_array, load_img, save_img
from minitensor.keras.utils.remote_file import get_file
from minitensor.keras.utils.seeds import clear_session, set_random_seed
from minitensor.keras.utils.sequence import PyDataset, Sequence
from minitensor.missing import refused

CustomObjectScope = custom_object_scope
_ELSEWHERE = {
    "Progbar": "callbacks.progbar",
    "pack_x_y_sample_weight": "training.batches",
    "plot_model": "summary.picture",
    "unpack_x_y_sample_weight": "training.batches",
}
__all__ = [*_ELSEWHERE, *(k for k, v in vars().items() if callable(v) and v is not Any)]


def __getattr__(name: str) -> Any:
    if name in _ELSEWHERE:
        return getattr(importlib.import_module(f"minitensor.keras.{_ELSEWHERE[name]}"), name)
    raise refused("tf.keras.utils", name, __all__)
