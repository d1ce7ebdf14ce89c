"""Shards of a data set as tar archives: what tarfile writes is read; damage is an error."""

import gzip
import io
import os
import tarfile
import tracemalloc

import numpy as np
import pytest

import minitensor as mt
from minitensor.data import sharding

EXAMPLES = [
    (f"a/{k:03}", {"cls": b"%d" % (k % 7), "bin": bytes([k]) * (k * 11)}) for k in range(30)
]


def member(name, data=b"", kind=tarfile.REGTYPE):
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(data)
    return info, io.BytesIO(data)


def shard(path, examples=EXAMPLES, mode="w", style=tarfile.PAX_FORMAT):
    with tarfile.open(path, mode, format=style) as archive:
        for key, parts in examples:
            for part, data in parts.items():
                archive.addfile(*member(f"{key}.{part}", data))
    return path


def read(path, parts=("__key__", "cls", "bin"), **kw):
    return [tuple(x.numpy() for x in e) for e in mt.data.TarDataset(path, parts, **kw)]


def expected(examples=EXAMPLES):
    return [(key.encode(), parts["cls"], parts["bin"]) for key, parts in examples]


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@pytest.mark.parametrize("style", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_what_was_written_is_read(tmp_path, mode, style):
    path = shard(tmp_path / "some.tar", mode=mode, style=style)
    assert read(path) == expected()
    one = mt.data.TarDataset(str(path), "cls")
    assert [x.numpy() for x in one] == [cls for _, cls, _ in expected()]
    assert str(one.element_spec) == "TensorSpec(shape=(), dtype=string, name=None)"
    assert len(mt.data.TarDataset([path], ["cls"]).element_spec) == 1


@pytest.mark.parametrize("style", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_names_may_be_long_and_in_any_script(tmp_path, style):
    names = ["x" * 300, "图/十七", "f" * 120 + "/" + "g" * 120]
    examples = [(name, {"cls": b"1", "bin": b"2"}) for name in names]
    path = shard(tmp_path / "long.tar", examples, style=style)
    assert [key.decode() for key, *_ in read(path)] == names


def test_only_files_with_a_part_are_examples(tmp_path):
    path = tmp_path / "mixed.tar"
    with tarfile.open(path, "w") as archive:
        archive.addfile(*member("folder", kind=tarfile.DIRTYPE))
        archive.addfile(*member("README", b"not an example"))
        archive.addfile(*member(".hidden.txt", b"nor this"))
        archive.addfile(*member("../../up/1.x.TXT", b"one"))
        archive.addfile(*member("../../up/1.png", b"a part that nobody asks for"))
        link = member("2.x.txt", kind=tarfile.SYMTYPE)[0]
        link.linkname = "/etc/passwd"
        archive.addfile(link)
        archive.addfile(*member("3.x.txt", b"three"))
    before = sorted(os.listdir(tmp_path))
    assert read(path, ("__key__", "x.txt")) == [(b"../../up/1", b"one"), (b"3", b"three")]
    assert sorted(os.listdir(tmp_path)) == before


def test_archives_come_by_turns_and_each_worker_has_its_own(tmp_path):
    paths = [shard(tmp_path / f"{k}.tar", EXAMPLES[k * 10 : k * 10 + 10]) for k in range(3)]
    tens = [expected()[k : k + 10] for k in (0, 10, 20)]
    turns = [row for rows in zip(*tens, strict=True) for row in rows]
    assert read(paths, num_parallel_reads=3) == turns
    files = mt.data.Dataset.list_files(f"{tmp_path}/*.tar", shuffle=False)
    assert read(files) == expected()
    assert read(files.shard(3, 1)) == expected()[10:20]
    part = sharding.auto_shard(mt.data.TarDataset(paths, "cls"), 3, 2)
    assert [x.numpy() for x in part] == [cls for _, cls, _ in expected()[20:]]


@pytest.mark.parametrize("packed", [False, True])
def test_damaged_archives_are_errors_that_say_where(tmp_path, packed):
    plain = shard(tmp_path / "whole.tar").read_bytes()
    plain = plain[: len(plain.rstrip(b"\0")) // 512 * 512 + 1536]  # tarfile fills up to 10 kB
    whole = gzip.compress(plain, mtime=0) if packed else plain
    path, errors = tmp_path / "hurt.tar", 0
    for number in range(150):
        random = np.random.default_rng(number)
        at = int(random.integers(1, len(whole)))
        flip = bytes([whole[at] ^ 1 << random.integers(8)])
        hurt = whole[:at] if number % 2 else whole[:at] + flip + whole[at + 1 :]
        path.write_bytes(hurt)
        found, said = [], ""
        try:
            for element in mt.data.TarDataset(path, ("__key__", "cls", "bin")):
                found.append(tuple(x.numpy() for x in element))
        except ValueError as problem:
            said = str(problem)
        if said:
            errors += 1
            assert str(path) in said
            assert packed or found == expected()[: len(found)]
            continue
        assert number % 2 == 0  # what is cut is always seen
        same = sum(a == b for a, b in zip(found, expected(), strict=True))
        assert same == len(found) if packed else same >= len(found) - 1  # a bit of one file's data
    assert errors >= 100


def test_sizes_are_not_believed(tmp_path):
    path = tmp_path / "large.tar"
    info = tarfile.TarInfo("1.bin")
    tracemalloc.start()
    for size in (2**27, 2**33, 2**60):
        info.size = size
        head = info.tobuf(tarfile.GNU_FORMAT)
        for data in (head, head + bytes(1 << 20)):
            path.write_bytes(gzip.compress(data))
            with pytest.raises(mt.errors.DataLossError, match=r"damaged at 0: (cut|a file)"):
                read(path, ("bin",))
    names = tarfile.TarInfo("././@PaxHeader")
    names.type, names.size = tarfile.XHDTYPE, 2**30
    path.write_bytes(gzip.compress(names.tobuf(tarfile.USTAR_FORMAT) + bytes(1 << 20)))
    with pytest.raises(mt.errors.DataLossError, match="1073741824 bytes"):
        read(path, ("bin",))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20


def test_what_is_asked_for_must_be_there(tmp_path):
    path = shard(tmp_path / "some.tar")
    with pytest.raises(ValueError, match=r"some\.tar: example 'a/000' has no part 'png', it has"):
        read(path, ("png",))
    twice = shard(tmp_path / "twice.tar", [EXAMPLES[0], EXAMPLES[0]])
    with pytest.raises(ValueError, match="two parts 'cls'"):
        read(twice)
    for parts in ((), "", (3,)):
        with pytest.raises(ValueError, match="parts are endings of names"):
            mt.data.TarDataset(path, parts)
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "nowhere.tar")
    (tmp_path / "text.tar").write_text("no archive at all" * 50)
    with pytest.raises(mt.errors.DataLossError, match=r"text\.tar: damaged at 0"):
        read(tmp_path / "text.tar")
    (tmp_path / "empty.tar").write_bytes(b"")
    with pytest.raises(mt.errors.DataLossError, match="cut short"):
        read(tmp_path / "empty.tar")
