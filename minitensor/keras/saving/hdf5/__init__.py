"""A reader of HDF5 files, as Keras writes them, that no damaged file can lead astray.

The HDF5 library is C, and not made for broken files: of 3,000 damaged weight files HDF5 1.14 hung
on one, and came out of 840 with errors that are neither OSError nor ValueError. This is Python:
every address is checked against the file, every structure is visited once, so the worst that can
happen is a ValueError. It knows the classic form (superblock 0 or 1, as h5py writes by default)
and numbers that lie in the file as they are. What it does not know it refuses by name: links that
leave the file, external storage, virtual, chunked and compressed datasets, other kinds of data.

    source.py    bytes by address
    headers.py      the messages of an object, the names in a group
    values.py    shapes, dtypes, attributes
    objects.py   groups and datasets

    superblock -> object header of the root -> symbol table: B-tree of names -> object headers ...

Writing is left to h5py.
"""

from minitensor.keras.saving.hdf5.objects import DEEPEST, Dataset, Group, opened

__all__ = ["DEEPEST", "Dataset", "Group", "opened"]
