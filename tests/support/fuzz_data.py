"""Reads mutated files in a process with little memory, and says what became of each.

    python fuzz_data.py FOLDER COUNT SEED    prints one JSON object

Every file is read by the reader of its format. Legal outcomes are: it is read, ValueError, OSError.
While mutated files are read, nothing may be executed, connected to, or written.
"""

import gzip
import io
import json
import pickle
import resource
import signal
import sys
import tarfile
import zipfile
from pathlib import Path

import dataset_files as files
import numpy as np

from minitensor.data.cifar import CIFAR10, CIFAR100, read_cifar
from minitensor.data.idx import read_idx
from minitensor.data.pickled import read_pickle
from minitensor.image import decode_image
from minitensor.keras.datasets import mnist
from minitensor.keras.utils import load_img

MEMORY = 3 << 30  # bytes of address space
SECONDS = 20  # for one file
SUSPICIOUS = ("os.", "subprocess.", "socket.", "pickle.", "shutil.", "exec", "ctypes.", "marshal.")


def picture(kind, **settings):
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(files.images(1, (9, 11, 3))[0]).save(out, kind, **settings)
    return out.getvalue()


def npz(change=lambda name, data: data):
    """mnist.npz; `change` may alter the arrays' files before they are packed."""
    out = io.BytesIO()
    arrays = {"x_train": files.images(3, (4, 4)), "y_train": files.labels(3, 10)}
    arrays |= {"x_test": files.images(2, (4, 4)), "y_test": files.labels(2, 10)}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            inner = io.BytesIO()
            np.save(inner, array)
            archive.writestr(f"{name}.npy", change(name, inner.getvalue()))
    return out.getvalue()


def tar():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files.cifar10_files(1)[0].items():
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


BATCH = files.cifar10_files(2)[0]
COARSE = files.cifar100_files(2, binary=True)[0]
NEW = pickle.dumps({b"labels": [1, 2], b"data": files.images(2, (3072,))}, protocol=5)
OLD = pickle.dumps({b"labels": [1, 2], b"data": files.images(2, (30,))}, protocol=0)


def cifar(kind, label, whole, name):
    """Reads a folder in which one file is a mutated one."""

    def read(path):
        folder = files.write_folder(path.parent / f"{path.name}.folder", whole)
        (folder / name).write_bytes(path.read_bytes())
        return lambda: read_cifar(folder, kind, label)

    return read


def at(function, *given):
    return lambda path: lambda: function(path, *given)


def of_bytes(function):
    return lambda path: lambda: function(path.read_bytes())


IMAGES = files.idx(files.images(4, (5, 5)))
FORMATS = {  # name: (a whole file, whether it is packed by gzip after it was mutated, reader)
    "idx": (IMAGES, False, at(read_idx, 3)),
    "idx in gzip": (IMAGES, True, at(read_idx, 3)),
    "gzip of idx": (gzip.compress(IMAGES), False, at(read_idx, 3)),
    "npz": (npz(), False, lambda path: lambda: mnist.load_data(str(path))),
    "pickle of Python 2": (
        BATCH["test_batch"],
        False,
        cifar(CIFAR10, "labels", BATCH, "test_batch"),
    ),
    "pickle of protocol 5": (NEW, False, of_bytes(read_pickle)),
    "pickle of protocol 0": (OLD, False, of_bytes(read_pickle)),
    "binary cifar": (
        COARSE["test.bin"],
        False,
        cifar(CIFAR100, "fine_labels", COARSE, "test.bin"),
    ),
    "tar": (tar(), True, at(read_cifar, CIFAR10, "labels")),
    "tar.gz": (gzip.compress(tar()), False, at(read_cifar, CIFAR10, "labels")),
    "png": (picture("PNG"), False, of_bytes(decode_image)),
    "jpeg": (picture("JPEG"), False, of_bytes(decode_image)),
    "gif": (picture("GIF"), False, of_bytes(decode_image)),
    "bmp": (picture("BMP"), False, at(load_img)),
}


def mutated(data, rng):
    """The bytes with one to three things wrong."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        at, n = int(rng.integers(0, len(data))), int(rng.integers(1, 9))
        early = int(rng.integers(0, min(len(data), 64)))  # where headers are
        place = early if rng.random() < 0.5 else at
        match int(rng.integers(0, 7)):
            case 0:
                data[place] ^= 1 << int(rng.integers(0, 8))
            case 1:
                data[place : place + n] = bytes(rng.integers(0, 256, n, dtype=np.uint8))
            case 2:
                data[place : place + 4] = b"\xff\xff\xff\x7f"
            case 3:
                del data[max(at, 1) :]
            case 4:
                data[place:place] = data[at : at + n * 8]
            case 5:
                del data[place : place + n]
            case _:
                data += bytes(n * 100)
        data = data or bytearray(b"\0")
    return bytes(data)


def npz_inside(rng):
    """mnist.npz whose parts are mutated, with checksums that fit."""
    return npz(lambda name, data: mutated(data, rng) if name == "x_train" else data)


class Watch:
    """Notes what a file makes Python do."""

    def __init__(self):
        self.seen, self.on = set(), False
        sys.addaudithook(self.hear)

    def hear(self, event, args):
        if not self.on or event in ("os.listdir", "os.scandir"):
            return
        if event.startswith(SUSPICIOUS) or (event == "open" and set("wax+") & set(str(args[1]))):
            self.seen.add(event)


def outcome(read, watch):
    signal.alarm(SECONDS)
    watch.on = True
    try:
        read()
        return "read"
    except (ValueError, OSError) as problem:
        words = str(problem)
        return type(problem).__name__ if words and len(words) < 2000 else f"says {words[:90]!r}"
    except BaseException as problem:
        return f"{type(problem).__name__}: {problem}"[:200]
    finally:
        watch.on = False
        signal.alarm(0)


def main(folder, count, seed):
    rng, watch, found = np.random.default_rng(seed), Watch(), {}
    for name, (whole, pack, reader) in FORMATS.items():  # everything is imported now
        path = folder / "whole"
        path.write_bytes(gzip.compress(whole) if pack else whole)
        assert outcome(reader(path), watch) == "read", name
    watch.seen.clear()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    names = list(FORMATS)
    for k in range(count):
        name = names[k % len(names)]
        whole, pack, reader = FORMATS[name]
        bad = npz_inside(rng) if name == "npz" and k % 2 else mutated(whole, rng)
        path = folder / f"{k}"
        path.write_bytes(gzip.compress(bad, 1) if pack else bad)
        found.setdefault(name, []).append(outcome(reader(path), watch))
    for path in sorted((folder / "bombs").glob("*")):
        reader = BOMBS[path.name.partition(".")[0]]
        found[path.name] = [outcome(reader(path), watch)]
    status = Path("/proc/self/status").read_text()  # ru_maxrss would count who started us, too
    peak = int(status.split("VmHWM:")[1].split()[0]) << 10
    print(json.dumps({"found": found, "executed": sorted(watch.seen), "peak": peak}))


BOMBS = {
    "idx": at(read_idx, 3),
    "npz": lambda path: lambda: mnist.load_data(str(path)),
    "tar": at(read_cifar, CIFAR10, "labels"),
    "image": of_bytes(decode_image),
    "pickle": of_bytes(read_pickle),
}

if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
