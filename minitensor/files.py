"""Files and folders that are whole or not there: what a crash, or a full disk, leaves is the old.

A leaf: every room that writes a file may use it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any


@contextmanager
def atomic_write(path: Any) -> Iterator[Path]:
    """Gives a path to write to; when the block ends without an error it becomes `path` at once.

    The new file lies beside the old one, reaches the disk before it takes its name, and is
    removed if the block fails.

    Args:
        path: of the file to write; a text or a PathLike.

    Raises:
        OSError: the folder is not there, or may not be written to.

    Example:
        >>> import tempfile, pathlib
        >>> from minitensor.files import atomic_write
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "note"
        >>> with atomic_write(path) as fresh:
        ...     _ = fresh.write_text("done")
        >>> path.read_text(), len(list(path.parent.iterdir()))
        ('done', 1)
    """
    target = Path(os.path.realpath(os.fspath(path)))
    if not target.parent.exists():
        raise FileNotFoundError(f"{path}: there is no folder {target.parent}; make it first")
    handle, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
    os.close(handle)
    fresh = Path(name)
    try:
        yield fresh
        fresh.chmod(_mode(target))
        _to_disk(fresh)
        os.replace(fresh, target)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    _to_disk(target.parent)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Gives a new folder to fill; when the block ends without an error it becomes `path` at once.

    A folder that was there is replaced, unless it appeared meanwhile: then another process made
    the same, and that one stays. What fails leaves nothing.

    Example:
        >>> import tempfile, pathlib
        >>> from minitensor.files import atomic_folder
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "notes"
        >>> with atomic_folder(path) as fresh:
        ...     _ = (fresh / "one").write_text("done")
        >>> [file.name for file in path.iterdir()], len(list(path.parent.iterdir()))
        (['one'], 1)
    """
    aside = Path(tempfile.mkdtemp(prefix=f".{path.name[:100]}.", dir=path.parent))
    try:
        fresh, old, replaces = aside / "new", aside / "old", path.exists()
        fresh.mkdir()  # with the rights of any new folder
        yield fresh
        if replaces:
            with suppress(FileNotFoundError):
                os.rename(path, old)
        try:
            os.rename(fresh, path)
        except OSError:
            if replaces or not path.is_dir():
                raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _mode(target: Path) -> int:
    """The rights of the file that is replaced, or those that any new file gets."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _to_disk(path: Path) -> None:
    """Waits until what was written is on the disk; a folder only where the system lets it."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# ----- compiled code that is kept between runs -----


def cache_folder(kind: str) -> Path:
    """Where results are kept between runs: ~/.cache/minitensor/KIND, or MINITENSOR_CACHE/KIND.

    What lies there is loaded and run, so nobody else may have put it there.

    Raises:
        PermissionError: the folder is another user's, or others may write to it.
    """
    root = Path(os.environ.get("MINITENSOR_CACHE") or Path.home() / ".cache" / "minitensor")
    for path in (root, root / kind):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if why := _why_strange(path) or ("others may write to it" if _is_shared(path) else ""):
            raise PermissionError(
                f"the folder of compiled kernels, {path}, is not safe to run code from: {why}; "
                "remove it, or set MINITENSOR_CACHE to a folder that only you may write to"
            )
    return root / kind


def is_ours(path: Path) -> bool:
    """Whether there is a file, no link, of this user's."""
    return path.is_file() and not path.is_symlink() and not _why_strange(path)


def _why_strange(path: Path) -> str:
    """Whose a path, or a link in its place, is, if not this user's."""
    if not hasattr(os, "getuid"):
        return ""  # Windows: a user's own folders are closed to others
    owners = {path.stat().st_uid, path.lstat().st_uid} - {os.getuid()}
    return f"it is user {owners.pop()}'s and this is user {os.getuid()}" if owners else ""


def _is_shared(path: Path) -> bool:
    return hasattr(os, "getuid") and bool(path.stat().st_mode & 0o022)


def digest(*parts: str | bytes) -> str:
    """One key for all that a result depends on."""
    import hashlib  # here, as most who import this file hash nothing

    state = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        state.update(len(content).to_bytes(8, "little") + content)
    return state.hexdigest()
