"""Five hundred damaged files and a dozen bombs: clear errors, nothing executed, little memory.

The files are read in one process whose memory is limited (fuzz_data.py). The long run reads twenty
times as many: pytest -m slow tests/data/test_data_fuzz.py
"""

import gzip
import json
import os
import pickle
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path

import dataset_files as files
import numpy as np
import pytest

LEGAL = {"read", "ValueError", "OSError", "FileNotFoundError"}
MEGABYTE = bytes(1 << 20)


def fuzz(folder, count, seed):
    """What fuzz_data.py found."""
    here = Path(__file__).parents[1] / "support"
    paths = [str(here), str(here.parents[1]), os.environ.get("PYTHONPATH", "")]
    one = {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(paths)}
    run = subprocess.run(
        [sys.executable, here / "fuzz_data.py", folder, str(count), str(seed)],
        env={**os.environ, **one},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return json.loads(run.stdout.splitlines()[-1])


def strange(report):
    return [(n, o) for n, outcomes in report["found"].items() for o in outcomes if o not in LEGAL]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")
    write_bombs(folder / "bombs")
    return fuzz(folder, 504, 0)


def test_each_of_500_mutated_files_is_read_or_a_clear_error(report):
    assert strange(report) == []
    mutated = [
        o for name, outcomes in report["found"].items() if len(outcomes) > 1 for o in outcomes
    ]
    assert len(mutated) == 504
    assert mutated.count("ValueError") > 300  # most mutations hurt


def test_damaged_files_execute_connect_and_write_nothing(report):
    assert report["executed"] == []


def test_damaged_files_and_bombs_take_little_memory(report):
    assert report["peak"] < 2 << 30


def test_every_bomb_is_a_value_error(report):
    bombs = {name: outcomes for name, outcomes in report["found"].items() if "." in name[1:]}
    bombs = {name: o for name, o in bombs.items() if name not in ("tar.gz",)}
    assert len(bombs) == 12
    assert {name: o for name, o in bombs.items() if o != ["ValueError"]} == {}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_each_of_5000_mutated_files_is_read_or_a_clear_error(tmp_path, seed):
    found = fuzz(tmp_path, 5000, seed)
    assert (strange(found), found["executed"]) == ([], [])


# ----- bombs: small files that unpack to more memory than there is -----


def write_bombs(folder):
    folder.mkdir()
    for name, data in bombs().items():
        (folder / name).write_bytes(data)


def bombs():
    zeros = gzip.compress(bytes(1 << 24)) * 200  # 3 GB in 200 members
    head = bytes([0, 0, 8, 3]) + struct.pack(">3I", 2**31, 2**10, 2**10)
    return {
        "idx.packed": gzip.compress(head) + zeros,
        "idx.plain": head + bytes(1000),
        "npz.large": packed_npz(600, (600, 1 << 10, 1 << 10)),
        "npz.lies": packed_npz(2, (2**40, 2**10, 2**10)),
        "npz.small_directory": lying_directory(),
        "tar.member": gzip.compress(tar_head("test_batch", 4 << 30)) + zeros,
        "tar.pax": gzip.compress(tar_head("x", 3 << 30, tarfile.XHDTYPE)) + zeros,
        "image.png": png(60_000, 60_000, b""),
        "image.text": png(3, 3, text_bomb()),
        "image.gif": b"GIF89a" + b"\xff" * 4 + b"\x80\0\0" + bytes(6) + b"," + bytes(99),
        "pickle.list": b"\x80\x02](" + b"K\x01" * 1_100_000 + b"e.",
        "pickle.call": pickle.dumps(Call()),
    }  # fmt: skip


class Call:
    def __reduce__(self):
        return os.system, ("touch /tmp/executed",)


def packed_npz(megabytes, shape):
    """x_train.npy of so many megabytes of zeros, whose header promises a shape."""
    import io

    header = io.BytesIO()
    facts = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_2_0(header, facts)
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("x_train.npy", "w", force_zip64=True) as member,
    ):
        member.write(header.getvalue())
        for _ in range(megabytes):
            member.write(MEGABYTE)
    return out.getvalue()


def lying_directory():
    """100 MB whose directory promises 1000 bytes."""
    data = bytearray(packed_npz(100, (100, 1 << 10, 1 << 10)))
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 1000)
    return bytes(data)


def tar_head(name, size, kind=tarfile.REGTYPE):
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, size
    return member.tobuf(tarfile.GNU_FORMAT)


def png(width, height, extra):
    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    text = chunk(b"zTXt", extra) if extra else b""
    return b"\x89PNG\r\n\x1a\n" + head + text + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def text_bomb():
    packer = zlib.compressobj(1)
    parts = [packer.compress(MEGABYTE) for _ in range(500)]
    return b"Comment\0\0" + b"".join(parts) + packer.flush()


def test_the_fuzzer_reads_whole_files(tmp_path):
    """fuzz_data.py begins with one whole file of each format; this is that part alone."""
    assert fuzz(tmp_path, 0, 0)["found"] == {}


def test_the_watch_hears_what_is_executed():
    here = Path(__file__).parents[1] / "support"
    code = (
        "import fuzz_data, os, subprocess; w = fuzz_data.Watch();"
        "fuzz_data.outcome(lambda: os.system('true'), w);"
        "fuzz_data.outcome(lambda: exec('1'), w);"
        "fuzz_data.outcome(lambda: open('/dev/null', 'w'), w); print(sorted(w.seen))"
    )
    paths = os.pathsep.join([str(here), str(here.parents[1])])
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "['exec', 'open', 'os.system']"


def test_small_files_of_the_real_format_are_no_bombs(tmp_path):
    from minitensor.keras import datasets

    files.write_archive(tmp_path / "small.tar.gz", files.cifar10_files()[0])
    assert len(datasets.cifar10.load_data(tmp_path / "small.tar.gz")[0][0]) == 20
