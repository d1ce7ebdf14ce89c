"""Compiled kernels, kept between runs: one cubin for each .cu and architecture.

The key holds all that the cubin depends on: the flat text, headers included, the instances, the
options, the architecture and the compiler's version. An entry is a cubin and a JSON file that
names its kernels and holds its checksum; an entry that does not fit its checksum is built again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from minitensor.backend.cuda import nvrtc
from minitensor.backend.host import source
from minitensor.files import atomic_write


@dataclass(frozen=True)
class Cubin:
    """One compiled .cu on disk."""

    path: Path
    lowered: dict[str, str]  # instance -> mangled name
    log: str


def cubin(file: str, arch: str) -> Cubin:
    """The cubin of a .cu with all its instances, from the cache or freshly compiled."""
    return _cubin(source.flat(file), tuple(source.instances(file)), arch)


@cache
def _cubin(text: str, names: tuple[str, ...], arch: str) -> Cubin:
    key = source.digest(text, *names, arch, *nvrtc.OPTIONS, nvrtc.version())
    path = source.cache_folder("cubin") / f"{key}.cubin"
    facts = _read(path)
    if facts is None:
        compiled = nvrtc.compile(text, names, arch)
        facts = {"lowered": compiled.lowered, "log": compiled.log}
        facts["checksum"] = source.digest(compiled.cubin)
        _write(path, compiled.cubin)
        _write(path.with_suffix(".json"), json.dumps(facts).encode())
    return Cubin(path, facts["lowered"], facts["log"])


def forget() -> None:
    """Reads the disk again: the folder, the compiler or a text may have changed."""
    _cubin.cache_clear()


def _write(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)  # a link is not followed
    with atomic_write(path) as fresh:
        fresh.write_bytes(content)


def _read(path: Path) -> dict[str, Any] | None:
    """The facts of an entry, or None where it is absent, damaged or another's."""
    if not (source.is_ours(path) and source.is_ours(path.with_suffix(".json"))):
        return None
    try:
        facts: dict[str, Any] = json.loads(path.with_suffix(".json").read_bytes())
        whole = facts["checksum"] == source.digest(path.read_bytes())
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return facts if whole else None
