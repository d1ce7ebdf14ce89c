"""CUDA C++ as other people write it, made into what g++ and `runtime/cuda.h` compile.

Our own kernels need none of this: they keep to the part of the language in kernels/README.md.
"""

from __future__ import annotations

import re

_DYNAMIC = re.compile(
    r"\bextern\s+__shared__\s+(?:__align__\s*\([^)]*\)\s*)?([\w:<> ]+?)\s+(\w+)\s*\[\s*\]\s*;"
)
_VARIABLE = re.compile(
    r"^([ \t]*)(?:static\s+)?__device__(?=[^(){};]*(?:\[[^;{]*)?(?:=[^;]*)?;)", re.MULTILINE
)


def for_gcc(text: str) -> str:
    """The same program; lines keep their numbers."""
    text = _VARIABLE.sub(r"\1EMU_GLOBAL", text)
    return _DYNAMIC.sub(lambda found: _dynamic(found, text), text)


def _dynamic(found: re.Match[str], text: str) -> str:
    """A dynamic shared array: a pointer in a function, something that acts as one outside."""
    kind, name = found[1], found[2]
    before = text[: found.start()]
    if before.count("{") > before.count("}"):
        return f"DYNAMIC_SHARED({kind}, {name});"
    return f"static emu::DynamicShared<{kind}> {name};"
