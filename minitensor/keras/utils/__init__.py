"""The mirror of keras.utils: what programs use around their models.

    images.py       images as arrays, as Pillow's images, and as files
    directory.py    a folder of images as a data set; folder.py finds the files
    arrays.py       one-hot rows, unit rows, parts of a data set
    files.py        get_file

`plot_model` and `Progbar` come from the rooms that need them.
"""

from importlib import import_module
from typing import Any

from minitensor.keras.utils.arrays import normalize, split_dataset, to_categorical
from minitensor.keras.utils.directory import image_dataset_from_directory
from minitensor.keras.utils.files import get_file
from minitensor.keras.utils.images import array_to_img, img_to_array, load_img, save_img
from minitensor.keras.utils.seeds import clear_session, set_random_seed

__all__ = [
    "Progbar",
    "array_to_img",
    "clear_session",
    "get_file",
    "image_dataset_from_directory",
    "img_to_array",
    "load_img",
    "normalize",
    "plot_model",
    "save_img",
    "set_random_seed",
    "split_dataset",
    "to_categorical",
]


_ELSEWHERE = {"plot_model": "summary.picture", "Progbar": "callbacks.progbar"}


def __getattr__(name: str) -> Any:
    if name in _ELSEWHERE:
        return getattr(import_module(f"minitensor.keras.{_ELSEWHERE[name]}"), name)
    raise AttributeError(f"module 'minitensor.keras.utils' has no attribute {name!r}")
