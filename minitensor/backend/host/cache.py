"""Where compiled kernels are kept between runs, and the name that a result has there."""

from __future__ import annotations

import hashlib
import os
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
