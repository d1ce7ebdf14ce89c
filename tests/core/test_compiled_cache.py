"""What numba compiles is kept for later processes: by many at once, on a full disk, damaged."""

import multiprocessing
import os

import numpy as np
import pytest

pytest.importorskip("numba")
from minitensor.backend.numpy.compiled import jit

if not hasattr(jit.compiled(lambda: None), "py_func"):
    pytest.skip("the JIT is off", allow_module_level=True)


def total(x):
    out = x[0]
    for k in range(1, len(x)):
        out += x[k]
    return out


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """An empty folder for code."""
    monkeypatch.setattr(jit, "folder", lambda: tmp_path)
    return tmp_path


def loaded(dtype):
    """Whether `total`, new to numba, was there, and is right."""
    kernel = jit.compiled(total)
    assert kernel(np.arange(5, dtype=dtype)) == 10
    return sum(kernel.stats.cache_hits.values()) == 1


def test_each_type_of_argument_has_a_file(kept):
    for dtype in "fdi":
        assert [loaded(dtype), loaded(dtype)] == [False, True]
    assert len(list(kept.iterdir())) == 3


@pytest.mark.parametrize("damage", [b"", b"x" * 5000, None])
def test_a_damaged_file_is_written_anew(kept, damage):
    loaded("f")
    [path] = kept.iterdir()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1  # one bit of the machine code
    path.write_bytes(content if damage is None else damage)
    assert [loaded("f"), loaded("f")] == [False, True]


def test_a_full_disk_and_a_home_that_only_reads_keep_nothing(kept, monkeypatch):
    def full(*path, **more):
        raise OSError(28, "No space left on device")

    loaded("f")
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.write_bytes", full)
        assert [loaded("f"), loaded("d"), loaded("d")] == [True, False, False]
        patch.setattr(jit, "folder", lambda: None)
        assert not loaded("f")
    assert len(list(kept.iterdir())) == 1


def test_the_folder_is_the_users_own_or_none(tmp_path, monkeypatch):
    monkeypatch.setenv("MINITENSOR_CACHE", str(tmp_path / "cache"))
    path = jit.folder.__wrapped__()
    assert [each.stat().st_mode & 0o777 for each in (path, path.parent)] == [0o700, 0o700]
    path.parent.chmod(0o777)
    assert jit.folder.__wrapped__() is None
    (tmp_path / "file").touch()
    monkeypatch.setenv("MINITENSOR_CACHE", str(tmp_path / "file"))
    assert jit.folder.__wrapped__() is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes that begin alike are forks")
def test_processes_that_compile_at_once_find_their_own_code(kept):
    fork = multiprocessing.get_context("fork")
    orders = [lambda order=order: [loaded(dtype) for dtype in order] for order in ("fd", "df") * 2]
    children = [fork.Process(target=order) for order in orders]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0] * 4
    assert [loaded("f"), loaded("d")] == [True, True]
    assert len(list(kept.iterdir())) == 2


def test_a_part_of_kernels_is_python_to_python_and_compiled_in_kernels(monkeypatch):
    monkeypatch.setattr(jit, "folder", lambda: None)  # what an earlier run has kept has no parts
    part = jit.inner(total)
    assert part(np.arange(5)) == 10
    assert not part.signatures

    def twice(x):
        return part(x) * 2

    assert jit.compiled(twice)(np.arange(5)) == 20
    assert part.signatures


def test_a_loop_that_begins_with_zero_compiles_its_parts_once(monkeypatch):
    monkeypatch.setattr(jit, "folder", lambda: None)
    part = jit.inner(lambda n, m: n + m)

    def steps(x):
        n = 0
        for k in range(len(x)):
            n = part(n, k)
        return n

    assert jit.compiled(steps)(np.arange(5)) == 10
    assert len(part.signatures) == 1
