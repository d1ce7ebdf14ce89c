"""The mirror of keras.utils: what programs use around their models.

    images.py       images as arrays, as Pillow's images, and as files
    directory.py    a folder of images as a data set; folder.py finds the files
    arrays.py       one-hot rows, unit rows, parts of a data set
    files.py        get_file

`plot_model` comes from the room that describes models.
"""

from typing import Any

from minitensor.keras.utils.arrays import normalize, split_dataset, to_categorical
from minitensor.keras.utils.directory import image_dataset_from_directory
from minitensor.keras.utils.files import get_file
from minitensor.keras.utils.images import array_to_img, img_to_array, load_img, save_img
from minitensor.keras.utils.seeds import clear_session, set_random_seed

__all__ = [
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


def __getattr__(name: str) -> Any:
    if name == "plot_model":
        from minitensor.keras.summary.picture import plot_model

        return plot_model
    raise AttributeError(f"module 'minitensor.keras.utils' has no attribute {name!r}")
