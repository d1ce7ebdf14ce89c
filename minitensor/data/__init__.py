"""Labelled images to learn from: the UCI digits in this package, IDX pairs, folders of PNG files.

    idx.py        the file format of MNIST
    labelled.py   images with labels, and how they are parted for learning and testing
    sources.py    where they come from

Nothing is downloaded, and nothing that a file holds is executed.
"""

from minitensor.data.idx import read_idx
from minitensor.data.labelled import LabelledImages, split
from minitensor.data.sources import digits, open_data, read_digits, read_folder, read_idx_pair

__all__ = [
    "LabelledImages",
    "digits",
    "open_data",
    "read_digits",
    "read_folder",
    "read_idx",
    "read_idx_pair",
    "split",
]
