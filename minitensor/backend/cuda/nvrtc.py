"""NVIDIA's run-time compiler, by its public C interface: text in, cubin out, no GPU needed.

CuPy's own way to it always adds -ftz=true, refuses -arch and forgets included headers in its cache
key; this one passes exactly `OPTIONS`. The library comes from the PyPI wheel nvidia-cuda-nvrtc,
from a CUDA toolkit, or from whatever the loader finds.

Compiled kernels are kept between runs: one cubin for each .cu and architecture. The key holds all
that the cubin depends on: the flat text, headers included, the instances, the options, the
architecture and the compiler's version. An entry is a cubin and a JSON file that names its kernels
and holds its checksum; an entry that does not fit its checksum is built again.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from minitensor.backend.errors import CompileError, DeviceError
from minitensor.backend.host import source
from minitensor.files import atomic_write, cache_folder, digest, is_ours

# No -ftz and no --use_fast_math: float32 keeps its denormals, as on every other backend.
OPTIONS = ("-std=c++17", "-lineinfo", "--ptxas-options=-v")
_LIBRARY = "libnvrtc.so.13"


@dataclass(frozen=True)
class Compiled:
    """What NVRTC makes of one text."""

    cubin: bytes
    lowered: dict[str, str]  # instance -> mangled name inside the cubin
    log: str  # ptxas' figures, and warnings


def compile(
    text: str, names: Sequence[str], arch: str, options: Sequence[str] = OPTIONS
) -> Compiled:
    """The cubin of `text` for `arch` ("sm_90") with the template instances `names`.

    Raises:
        DeviceError: there is no NVRTC.
        CompileError: the text does not compile.
    """
    program = ctypes.c_void_p()
    _call("CreateProgram", ctypes.byref(program), text.encode(), None, 0, None, None)
    try:
        for name in names:
            _call("AddNameExpression", program, name.encode())
        words = [option.encode() for option in (f"-arch={arch}", *options)]
        status = library().nvrtcCompileProgram(
            program, len(words), (ctypes.c_char_p * len(words))(*words)
        )
        log = _read(program, "ProgramLog").rstrip(b"\0").decode()
        if status:
            raise CompileError(f"NVRTC, {arch}: {_reason(status)}\n{log}")
        lowered = {name: _lowered(program, name) for name in names}
        return Compiled(_read(program, "CUBIN"), lowered, log)
    finally:
        _call("DestroyProgram", ctypes.byref(program))


@cache
def version() -> str:
    """The compiler's version, such as "13.0"."""
    major, minor = ctypes.c_int(), ctypes.c_int()
    _call("Version", ctypes.byref(major), ctypes.byref(minor))
    return f"{major.value}.{minor.value}"


@cache
def library() -> Any:
    """The loaded NVRTC.

    Raises:
        DeviceError: it is nowhere.
    """
    for path in _search_paths():
        try:
            # NVRTC asks the loader for its built-in functions by bare name; loaded, they are found.
            for builtins in Path(path).parent.glob("libnvrtc-builtins.so.13.?"):
                ctypes.CDLL(str(builtins))
            loaded = ctypes.CDLL(path)
        except OSError:
            continue
        loaded.nvrtcGetErrorString.restype = ctypes.c_char_p
        return loaded
    raise DeviceError(
        f"minitensor compiles its CUDA kernels with NVRTC, and found no {_LIBRARY}: "
        "pip install nvidia-cuda-nvrtc==13.0.88, or set CUDA_PATH to a CUDA 13 toolkit"
    )


def _search_paths() -> Iterator[str]:
    for folder in sys.path:
        yield from map(str, Path(folder).glob(f"nvidia/*/lib/{_LIBRARY}"))
    for root in (os.environ.get("CUDA_PATH"), os.environ.get("CUDA_HOME"), "/usr/local/cuda"):
        if root:
            yield str(Path(root, "lib64", _LIBRARY))
    yield _LIBRARY  # what is loaded already, by CuPy for one, or stands in the loader's path


def _call(name: str, *arguments: Any) -> None:
    function: Callable[..., int] = getattr(library(), f"nvrtc{name}")
    if status := function(*arguments):
        raise CompileError(f"nvrtc{name}: {_reason(status)}")


def _reason(status: int) -> str:
    return str(library().nvrtcGetErrorString(status).decode())


def _read(program: ctypes.c_void_p, what: str) -> bytes:
    size = ctypes.c_size_t()
    _call(f"Get{what}Size", program, ctypes.byref(size))
    buffer = ctypes.create_string_buffer(size.value)
    _call(f"Get{what}", program, buffer)
    return buffer.raw


def _lowered(program: ctypes.c_void_p, name: str) -> str:
    lowered = ctypes.c_char_p()
    _call("GetLoweredName", program, name.encode(), ctypes.byref(lowered))
    return (lowered.value or b"").decode()


# ----- kept between runs -----


@dataclass(frozen=True)
class Cubin:
    """One compiled .cu on disk."""

    path: Path
    lowered: dict[str, str]  # instance -> mangled name
    log: str


def cubin(file: str, arch: str) -> Cubin:
    """The cubin of one of our .cu with all its instances, from the cache or freshly compiled."""
    return built(source.program(file), arch)


def built(program: source.Program, arch: str) -> Cubin:
    """The same of any program."""
    return _cubin(program.text, program.instances, arch)


@cache
def _cubin(text: str, names: tuple[str, ...], arch: str) -> Cubin:
    key = digest(text, *names, arch, *OPTIONS, version())
    path = cache_folder("cubin") / f"{key}.cubin"
    facts = _facts(path)
    if facts is None:
        compiled = compile(text, names, arch)
        facts = {"lowered": compiled.lowered, "log": compiled.log}
        facts["checksum"] = digest(compiled.cubin)
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


def _facts(path: Path) -> dict[str, Any] | None:
    """The facts of an entry, or None where it is absent, damaged or another's."""
    if not (is_ours(path) and is_ours(path.with_suffix(".json"))):
        return None
    try:
        facts: dict[str, Any] = json.loads(path.with_suffix(".json").read_bytes())
        whole = facts["checksum"] == digest(path.read_bytes())
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return facts if whole else None
