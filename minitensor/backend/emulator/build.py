"""Compiles a .cu with g++ into a library that the emulator runs.

    common text of the file -> wrapped into `namespace { }` behind runtime/cuda.h -> g++ -c
    -> objcopy: zero-initialised statics, which are the shared arrays, get a section of their own
    -> linked with the engine -> ~/.cache/minitensor/emulator/<name>-<hash of all of this>.so

Variants, chosen by the environment variable MINITENSOR_EMULATOR:
    checked   the default: alignment, array bounds and signed overflow are watched in every line
    asan, tsan   AddressSanitizer with UBSan; ThreadSanitizer as race detector
    coverage  counts the lines that ran        debug   for gdb        trace   counts loads, stores
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from minitensor.backend.emulator import dialect
from minitensor.backend.errors import CompileError, DeviceError
from minitensor.backend.host import source
from minitensor.files import atomic_write, cache_folder, digest, is_ours

RUNTIME = Path(__file__).parent / "runtime"
_IS_X86 = platform.machine() == "x86_64"
_PAGE = 2**12 if _IS_X86 else 2**16  # `page` of engine.h
# Version 5 of DWARF numbers files otherwise than binutils 2.40 reads them: lines lost their file.
_COMMON = ("-std=c++17", "-gdwarf-4", "-fPIC", "-fvisibility=hidden", "-fno-strict-aliasing")
# A frame larger than a page must not step over the guard below a fiber's stack: it is touched page
# by page, and what a call passes by value is part of the frame, as it is on aarch64 anyway.
_STACK = ("-fstack-clash-protection", *(["-maccumulate-outgoing-args"] if _IS_X86 else []))
_KERNEL = (*_COMMON, "-ffp-contract=off", *_STACK, "-w", f"-I{RUNTIME}")
_CHECKS = "alignment,bounds,signed-integer-overflow,integer-divide-by-zero,shift"
# Each access and each operation by itself; no piece of code that two others share; and each piece
# calls the hook: a last one that jumps there would be counted as its caller's.
_PIECES = (
    *("-fsanitize-coverage=trace-pc", "-fno-tree-vectorize"),
    *("-fno-crossjumping", "-fno-optimize-sibling-calls"),
)
VARIANTS = {
    "checked": ("-O1", f"-fsanitize={_CHECKS}", f"-fno-sanitize-recover={_CHECKS}"),
    "debug": ("-O0", "-fno-inline"),
    "coverage": ("-O0", "--coverage", "-fprofile-update=single"),
    "trace": ("-O2", "-fsanitize=thread", *_PIECES),
    "asan": ("-O1", "-fsanitize=address,undefined", "-fno-sanitize=vptr", "-fno-sanitize-recover"),
    "tsan": ("-O1", "-fsanitize=thread"),
}
_ENGINE = {
    "checked": ("engine.cpp", "faults.cpp", "ubsan.cpp"),
    "trace": ("engine.cpp", "faults.cpp", "trace.cpp"),
}
_LINK = {
    "asan": ("-fsanitize=address,undefined",),
    "tsan": ("-fsanitize=thread",),
    "coverage": ("--coverage",),
}


def lack() -> str:
    """What this machine lacks to run the emulator, and how to get it; empty if nothing."""
    if sys.platform != "linux":
        return f"the emulator runs on Linux, and this is {sys.platform}"
    lacking = [program for program in ("g++", "objcopy") if not shutil.which(program)]
    if not lacking:
        return ""
    return f"{' and '.join(lacking)} not found; Debian's build-essential brings g++ and objcopy"


def variant() -> str:
    """The build that MINITENSOR_EMULATOR names; "checked" if it names none."""
    name = os.environ.get("MINITENSOR_EMULATOR") or "checked"
    if name not in VARIANTS:
        raise ValueError(f"MINITENSOR_EMULATOR={name}; legal: {', '.join(VARIANTS)}")
    return name


def listing(program: source.Program) -> str:
    """A program's text, with a KERNEL line for each instance that has none."""
    unlisted = [name for name in program.instances if f"KERNEL({name});" not in program.text]
    return program.text + "".join(f"KERNEL({name});\n" for name in unlisted)


def library(file: str, text: str) -> Path:
    """The shared library of a .cu with that flat text, built if no build of the same exists."""
    if missing := lack():
        raise DeviceError(f"the emulator compiles kernels: {missing}")
    kind = variant()
    text = _unit(text)
    flags = (*_KERNEL, *VARIANTS[kind])
    built = _built(Path(file).stem, kind, ".so", text, *flags)
    with _lock(built):
        if not is_ours(built):
            _build(text, flags, kind, built)
    return built


def _unit(text: str) -> str:
    """The translation unit: the language, then the kernels where their statics are local."""
    absolute = re.sub(r'^(#line \d+ )"(?!/)', rf'\1"{source.folder()}/', text, flags=re.M)
    return f'#include "cuda.h"\nnamespace {{\n{dialect.for_gcc(absolute)}\n}}\n'


def _build(text: str, flags: tuple[str, ...], kind: str, built: Path) -> None:
    unit, kernels = built.with_suffix(".cpp"), built.with_suffix(".o")
    for path in (unit, kernels, built):
        path.unlink(missing_ok=True)  # of a build that failed; and no compiler follows a link
    with unit.open("x") as file:
        file.write(text)
    _run("g++", *flags, "-c", str(unit), "-o", str(kernels))
    section = "emu_shared"
    _run(
        "objcopy",
        *("--rename-section", f".bss={section},alloc,load,data,contents"),
        *("--set-section-alignment", f"{section}={_PAGE}", str(kernels)),
    )
    engine = [str(_engine(name, kind)) for name in _ENGINE.get(kind, ("engine.cpp", "faults.cpp"))]
    link = ("g++", "-shared", "-Wl,-z,now", *_LINK.get(kind, ()))  # no binding on a fiber's stack
    with atomic_write(built) as fresh:
        # The engine comes last: its guard ends the section of the shared arrays.
        _run(*link, str(kernels), *engine, "-o", str(fresh))
    for scratch in (unit, kernels):
        scratch.unlink()


@cache
def _engine(name: str, kind: str) -> Path:
    """One object of the engine, never instrumented: it only knows which sanitizer to talk to."""
    macro = (f"-DEMULATOR_{kind.upper()}",)
    built = _built(Path(name).stem, kind, ".o", str(RUNTIME / name), *_COMMON)  # gdb shows it
    with _lock(built):
        if not is_ours(built):
            built.unlink(missing_ok=True)
            with atomic_write(built) as fresh:
                _run("g++", *_COMMON, "-O2", *macro, "-c", str(RUNTIME / name), "-o", str(fresh))
    return built


@cache
def _runtime() -> tuple[str, ...]:
    return tuple(path.read_text() for path in sorted(RUNTIME.iterdir()))


def _built(stem: str, kind: str, suffix: str, *parts: str) -> Path:
    """Where the result of compiling `parts` lies: one name per content."""
    key = digest(*parts, *_runtime())[:16]
    return cache_folder("emulator") / f"{stem}-{kind}-{key}{suffix}"


@contextmanager
def _lock(built: Path) -> Iterator[None]:
    """One process builds a file, the others wait for it."""
    import fcntl  # Linux's; elsewhere `lack` says so before

    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
    with open(os.open(built.with_suffix(".lock"), flags, 0o600)) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise CompileError(f"{command[0]} failed:\n{done.stderr[-4000:]}")
