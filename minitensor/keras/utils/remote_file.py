"""get_file: a file from the net, kept for the next time."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from minitensor.data.download import Remote, download, is_whole
from minitensor.data.search_paths import homes
from minitensor.files import atomic_folder


def get_file(
    fname: str | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: Any = "auto",
    cache_dir: Any = None,
    force_download: bool = False,
) -> str:
    """Fetches a file if it is not here yet.

    Args:
        fname: its name here; None takes that of the URL.
        origin: the URL.
        untar, extract: unpack it too.
        md5_hash, file_hash: what its checksum must be; MD5 or SHA-256, by its length.
        cache_subdir: the folder in cache_dir, or an absolute path.
        hash_algorithm, archive_format: ignored; both follow from the content.
        cache_dir: default $KERAS_HOME, else ~/.keras.
        force_download: fetch it even if it is here.

    Returns:
        The path of the file; of the folder it was unpacked into, if it was.

    Raises:
        ValueError: no URL, a name with folders in it, another checksum, or a bad archive.
        OSError: there is no network, or no such file.

    Source: keras.utils.get_file
    """
    if origin is None:
        raise ValueError('Please specify the "origin" argument (URL of the file to download).')
    name = fname or Path(urlsplit(origin).path).name
    if not name or Path(name).name != name:
        raise ValueError(f"get_file: fname must be a name without folders, got {name!r}")
    folder = (Path(cache_dir).expanduser() if cache_dir else homes()[-1]) / cache_subdir
    unpack = untar or extract
    whole = unpack and not (fname and "." in fname)  # then the name is that of the folder
    target = folder / (f"{name}_archive" if whole else name)
    digest = file_hash or md5_hash or ""
    if force_download or not is_whole(target, digest):
        download(Remote(origin, digest, name), target)
    if not unpack:
        return str(target)
    goal = folder / (name if whole else f"{name.partition('.')[0]}_extracted")
    if force_download or not goal.exists():
        with atomic_folder(goal) as fresh:  # half of an archive must not pass for the whole
            _unpack(target, fresh)
    return str(goal)


def _unpack(file: Path, goal: Path) -> None:
    """Into a new folder; members that lead out of it, by path or by link, are an error."""
    try:
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                archive.extractall(goal)  # which drops ".." and roots
        else:
            with tarfile.open(file) as archive:
                archive.extractall(goal, filter="data")
    except Exception as problem:  # each packer has errors of its own for what is damaged
        if isinstance(problem, OSError) and problem.errno:
            raise  # the disk's
        raise ValueError(f"{file}: no archive that can be unpacked: {problem}") from None
