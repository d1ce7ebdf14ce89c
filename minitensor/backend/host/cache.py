"""Where compiled kernels are kept between runs, and how a file gets there whole or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path


def folder(kind: str) -> Path:
    """~/.cache/minitensor/KIND, or MINITENSOR_CACHE/KIND; made if need be."""
    root = os.environ.get("MINITENSOR_CACHE") or Path.home() / ".cache" / "minitensor"
    place = Path(root, kind)
    place.mkdir(parents=True, exist_ok=True)
    return place


def digest(*parts: str | bytes) -> str:
    """One key for all that a result depends on."""
    state = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        state.update(len(content).to_bytes(8, "little") + content)
    return state.hexdigest()


def write(path: Path, content: bytes) -> None:
    """Writes beside `path` and renames: readers see the old file or the new one."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    os.replace(name, path)
