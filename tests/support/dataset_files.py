"""Writes small files in the real formats of MNIST, Fashion-MNIST, CIFAR and tf_flowers.

The pickles are written as Python 2 wrote them for the real CIFAR: text is bytes (SHORT_BINSTRING,
BINSTRING), arrays are made by numpy.core.multiarray._reconstruct.
"""

import gzip
import io
import struct
import tarfile
from pathlib import Path

import numpy as np


def images(count, shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


def labels(count, classes, seed=0):
    return np.random.default_rng(seed + 100).integers(0, classes, count, dtype=np.uint8)


# ----- MNIST -----


def idx(array):
    return (
        bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + bytes(array)
    )


def write_idx_folder(folder, train=20, test=10, packed=True):
    """The four files of MNIST and Fashion-MNIST; returns ((x, y), (x, y))."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for seed, (name, count) in enumerate((("train", train), ("t10k", test))):
        x, y = images(count, (28, 28), seed), labels(count, 10, seed)
        for kind, array in (("images-idx3", x), ("labels-idx1", y)):
            data = idx(array)
            file = folder / f"{name}-{kind}-ubyte{'.gz' if packed else ''}"
            file.write_bytes(gzip.compress(data) if packed else data)
        parts.append((x, y))
    return tuple(parts)


def write_mnist_npz(file, train=20, test=10):
    x, y, u, v = (
        images(train, (28, 28)),
        labels(train, 10),
        images(test, (28, 28), 1),
        labels(test, 10, 1),
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(file, x_train=x, y_train=y, x_test=u, y_test=v)
    return (x, y), (u, v)


# ----- CIFAR -----


def pickled(entries):
    """A dictionary as Python 2's cPickle wrote it with protocol 2."""
    return b"\x80\x02}(" + b"".join(_value(k) + _value(v) for k, v in entries.items()) + b"u."


def _value(value):
    if isinstance(value, bytes):
        short = len(value) < 256
        head = b"U" + bytes([len(value)]) if short else b"T" + struct.pack("<i", len(value))
        return head + value + b"q\x01"
    if isinstance(value, int):
        return b"K" + bytes([value]) if 0 <= value < 256 else b"J" + struct.pack("<i", value)
    if isinstance(value, list):
        return b"](" + b"".join(_value(item) for item in value) + b"e"
    rows, columns = value.shape
    kind = b"cnumpy\ndtype\n" + _value(b"u1") + b"K\x00K\x01\x87R"
    kind += b"(K\x03" + _value(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    made = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85" + _value(b"b") + b"tR"
    )
    state = b"(K\x01" + _value(rows) + _value(columns) + b"\x86" + kind + b"\x89"
    return made + state + _value(value.tobytes()) + b"tb"


def cifar10_files(count=4, binary=False):
    """{name: bytes} of the six files, and what they mean: ((x, y), (x, y))."""
    files, parts = {}, []
    names = [f"data_batch_{k}" for k in range(1, 6)], ["test_batch"]
    for group in names:
        xs, ys = [], []
        for name in group:
            rows, y = images(count, (3072,), len(files)), labels(count, 10, len(files))
            if binary:
                files[f"{name}.bin"] = np.concatenate([y[:, None], rows], axis=1).tobytes()
            else:
                entries = {b"batch_label": name.encode(), b"labels": y.tolist(), b"data": rows}
                entries[b"filenames"] = [b"picture_%d.png" % k for k in range(count)]
                files[name] = pickled(entries)
            xs.append(rows)
            ys.append(y)
        parts.append((planes(np.concatenate(xs)), np.concatenate(ys)))
    return files, tuple(parts)


def cifar100_files(count=6, binary=False):
    """{name: bytes} of the two files, and ((x, coarse, fine), (x, coarse, fine))."""
    files, parts = {}, []
    for seed, name in enumerate(("train", "test")):
        rows = images(count, (3072,), seed)
        coarse, fine = labels(count, 20, seed), labels(count, 100, seed)
        if binary:
            columns = [coarse[:, None], fine[:, None], rows]
            files[f"{name}.bin"] = np.concatenate(columns, axis=1).tobytes()
        else:
            files[name] = pickled(
                {b"fine_labels": fine.tolist(), b"coarse_labels": coarse.tolist(), b"data": rows}
            )
        parts.append((planes(rows), coarse, fine))
    return files, tuple(parts)


def planes(rows):
    """Red, green and blue planes to pixels."""
    return rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)


def write_folder(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def write_archive(file, files, folder="cifar-10-batches-py"):
    file.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(file, "w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return file


# ----- folders of photographs -----


def write_photographs(folder, classes, count=3, size=(9, 12), suffix="jpg"):
    """<class>/<k>.<suffix>; returns {file: pixels as they were before they were packed}."""
    from PIL import Image

    written = {}
    for number, name in enumerate(classes):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for k in range(count):
            file = Path(folder) / name / f"{k}.{suffix}"
            pixels = images(1, (*size, 3), 10 * number + k)[0]
            Image.fromarray(pixels).save(file)
            written[file] = pixels
    return written
