"""What lies in the cache of compiled kernels is loaded and run: nobody else may put it there."""

import os
import stat
from pathlib import Path

import pytest

from minitensor.backend.emulator import build
from minitensor.backend.host import source
from minitensor.files import cache_folder

TEXT = source.flat("transpose.cu")
KINDS = ["emulator", "cubin"]
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root gives files to other users")


@pytest.fixture
def root(tmp_path, monkeypatch):
    """MINITENSOR_CACHE, which is not there yet."""
    path = tmp_path / "made" / "cache"
    monkeypatch.setenv("MINITENSOR_CACHE", str(path))
    return path


def mode(path):
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.parametrize("kind", KINDS)
def test_new_folders_are_closed_to_others_whatever_the_umask(root, kind):
    before = os.umask(0)
    try:
        cache_folder(kind)
    finally:
        os.umask(before)
    assert [mode(path) for path in (root, root / kind)] == [0o700, 0o700]
    assert cache_folder(kind) == root / kind


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rights", [0o777, 0o1777, 0o775, 0o722, 0o702])
@pytest.mark.parametrize("inner", [False, True])
def test_a_folder_that_others_may_write_to_is_refused(root, kind, rights, inner):
    folder = cache_folder(kind)
    (folder if inner else root).chmod(rights)
    with pytest.raises(PermissionError, match=r"others may write to it; remove it, or set MINI"):
        cache_folder(kind)


@pytest.mark.parametrize("rights", [0o755, 0o750, 0o700])
def test_a_folder_that_others_may_only_read_serves(root, rights):
    cache_folder("cubin").chmod(rights)
    root.chmod(rights)
    assert cache_folder("cubin") == root / "cubin"


@needs_root
@pytest.mark.parametrize("inner", [False, True])
@pytest.mark.parametrize("what", ["folder", "link"])
def test_another_users_folder_or_link_is_refused(root, tmp_path, what, inner):
    folder = cache_folder("emulator")
    strange = folder if inner else root
    if what == "link":
        strange.rename(tmp_path / "target")
        strange.symlink_to(tmp_path / "target")
    os.chown(strange, 12345, 12345, follow_symlinks=False)
    with pytest.raises(PermissionError, match="it is user 12345's and this is user 0"):
        cache_folder("emulator")


@needs_root
def test_a_planted_library_is_not_run(root, tmp_path):
    """Neither another user's, nor a link to one."""
    built = build.library("transpose.cu", TEXT)
    whole = built.read_bytes()
    built.write_bytes(b"planted")
    os.chown(built, 12345, 12345)
    assert build.library("transpose.cu", TEXT).read_bytes() == whole
    (tmp_path / "elsewhere.so").write_bytes(b"planted")
    built.unlink()
    built.symlink_to(tmp_path / "elsewhere.so")
    assert build.library("transpose.cu", TEXT).read_bytes() == whole
    assert not built.is_symlink()


@pytest.mark.parametrize("suffix", [".lock", ".cpp", ".o", ".so"])
def test_no_file_of_a_build_follows_a_link(root, tmp_path, suffix):
    built = build.library("transpose.cu", TEXT)
    built.unlink()
    victim = tmp_path / "victim"
    victim.write_text("mine")
    link = built.with_suffix(suffix)
    link.unlink(missing_ok=True)
    link.symlink_to(victim)
    if suffix == ".lock":
        with pytest.raises(OSError, match=r"symbolic links"):
            build.library("transpose.cu", TEXT)
    else:
        assert build.library("transpose.cu", TEXT).is_file()
    assert victim.read_text() == "mine"


@pytest.mark.parametrize("suffix", [".cubin", ".json"])
def test_a_cubin_behind_a_link_is_built_again(root, tmp_path, monkeypatch, suffix):
    from minitensor.backend.cuda import nvrtc

    compiled = nvrtc.Compiled(b"a cubin", {"f": "_f"}, "")
    monkeypatch.setattr(nvrtc, "compile", lambda *_: compiled)
    monkeypatch.setattr(nvrtc, "version", lambda: "13.0")
    nvrtc.forget()
    path = nvrtc.cubin("transpose.cu", "sm_90").path.with_suffix(suffix)
    victim = tmp_path / "victim"
    path.rename(victim)
    path.symlink_to(victim)
    kept = victim.read_bytes()
    victim.write_bytes(kept + b" ")
    nvrtc.forget()
    assert nvrtc.cubin("transpose.cu", "sm_90").path.with_suffix(suffix).read_bytes() == kept
    assert victim.read_bytes() == kept + b" "
    assert not Path(path).is_symlink()
    nvrtc.forget()
