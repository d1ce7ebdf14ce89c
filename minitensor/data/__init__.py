"""The mirror of tf.data, and readers of data sets.

    spec.py       what elements look like: TensorSpec
    rows.py       elements that wait until somebody looks at them
    steps.py      what each step of a pipeline does
    threads.py    steps that work ahead, or on several elements side by side
    pipeline.py   how a dataset is iterated over
    options.py    how TensorFlow would run it
    order.py      shuffle, repeat, take ...
    nested.py     datasets inside datasets: flat_map, interleave, window ...
    picked.py     take_while, unique, scan, ignore_errors
    batched.py, padding.py      padded_batch, rebatch
    filed.py, stored.py         list_files, save, load, snapshot, cache
    dataset.py    Dataset: where elements come from, map, batch ...
    readers.py    what is in files: TextLineDataset; records.py: TFRecordDataset; tar.py: TarDataset
    sharding.py   the part of one of several workers

    idx.py        the file format of MNIST
    labelled.py   images with labels, and how they are parted for learning and testing
    sources.py    where they come from

    search_paths.py, download.py   where data sets are looked for, and fetched from
    bounded.py, npz.py          untrusted files, never more than so many bytes
    cifar.py, pickled.py        CIFAR's files, of which nothing is executed
    tfds.py, voc.py             a look-alike of tensorflow_datasets; Pascal VOC
    experimental.py             old names

Nothing that a file holds is executed.
"""

from minitensor import missing
from minitensor.data import experimental
from minitensor.data.dataset import Dataset
from minitensor.data.idx import read_idx
from minitensor.data.labelled import LabelledImages, split
from minitensor.data.options import Options, ThreadingOptions
from minitensor.data.pipeline import AUTOTUNE
from minitensor.data.pipeline import INFINITE as INFINITE_CARDINALITY
from minitensor.data.pipeline import UNKNOWN as UNKNOWN_CARDINALITY
from minitensor.data.pipeline import ElementIterator as Iterator
from minitensor.data.readers import TextLineDataset
from minitensor.data.records import TFRecordDataset
from minitensor.data.sources import digits, open_data, read_digits, read_folder, read_idx_pair
from minitensor.data.spec import DatasetSpec
from minitensor.data.tar import TarDataset

__all__ = [
    "AUTOTUNE", "INFINITE_CARDINALITY", "UNKNOWN_CARDINALITY", "Dataset", "DatasetSpec",
    "Iterator", "LabelledImages", "Options", "TFRecordDataset", "TarDataset", "TextLineDataset",
    "ThreadingOptions", "digits", "experimental", "open_data", "read_digits", "read_folder",
    "read_idx", "read_idx_pair", "split",
]  # fmt: skip

__getattr__ = missing.refusing("tf.data", __name__)
