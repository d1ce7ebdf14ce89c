"""`compiled` and kin: numba compiles a kernel at its first call, and keeps it for later processes.

numba's own cache asks only whether the kernel's file has changed, not the files that it imports,
nor the size of a tile. Here the folder's name is a hash of all that code depends on: every source
of this room, the versions, the processor, numba's settings. It is ours alone, as what lies in it
is run.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import llvmlite
import numba
from llvmlite import binding
from numba.core import caching, types
from numba.core.compiler import CompileResult
from numba.core.registry import CPUDispatcher
from numba.core.serialize import dumps

from minitensor.files import cache_folder, digest

MARK = 64  # letters of a hash
Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """The function as machine code, which leaves Python's lock to other threads.

    Kernels make no arrays. So they need not count who holds one (`_nrt`): a locked instruction for
    each array of a call, which took a third of the time of a tile.
    """
    kernel: Function = _kernel(function)
    return kernel


def inner(function: Function, **more: Any) -> Function:
    """The same of a part of kernels, which only they call.

    No way in is compiled for Python, which would read each number of each argument: a fifth of
    all the time that compiling takes. Called from Python it is Python.
    """
    kernel: Any = _kernel(function, no_cpython_wrapper=True, **more)
    if kernel is not function:
        kernel.__class__ = _Inner
    return kernel  # type: ignore[no-any-return]


def inlined(function: Function) -> Function:
    """The same, pasted into each kernel that calls it: a tile handed on stays in registers."""
    return inner(function, forceinline=True)


def _kernel(function: Any, **more: Any) -> Any:
    njit: Any = numba.njit  # whose types do not know all that it takes
    kernel = njit(
        function, nogil=True, error_model="numpy", _nrt=False, no_cfunc_wrapper=True, **more
    )
    if kernel is not function and folder() is not None:  # with the JIT off it is the function
        kernel._cache = _Cache(function)
    return kernel


class _Inner(CPUDispatcher):
    def __call__(self, *arguments: Any) -> Any:
        return self.py_func(*arguments)

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """For the types of a call; a 0 is any integer, or a loop from 0 on is compiled twice."""
        return super().get_call_template(tuple(map(types.unliteral, args)), kws)


@cache
def folder() -> Path | None:
    """Where this version's code for this processor is kept; None if nowhere is safe to."""
    sources = [path.read_text() for path in sorted(Path(__file__).parent.glob("*.py"))]
    features = binding.get_host_cpu_features().flatten()
    cpu = binding.get_host_cpu_name()
    told = sorted("=".join(item) for item in os.environ.items() if item[0].startswith("NUMBA_"))
    key = digest(*sources, numba.__version__, llvmlite.__version__, cpu, features, *told)[:16]
    try:
        path = cache_folder("cpu") / key
        path.mkdir(mode=0o700, exist_ok=True)
    except OSError:  # no home, a full disk, a folder that others may write to
        return None
    return path


class _Cache(caching.NullCache):
    """A file for each kernel and types of its arguments, with the hash of what is in it.

    numba's own cache numbers its files in an index, so that of two processes that compile at once
    one may find the other's code under its name; and what cannot be read or written it raises.
    """

    def __init__(self, function: Any) -> None:
        self._kernel = f"{function.__module__}.{function.__qualname__}"

    def load_overload(self, signature: Any, context: Any) -> Any:
        context.refresh()
        try:
            content = self._path(signature).read_bytes()
        except OSError:  # nobody has compiled it yet
            return None
        mark, code = content[:MARK], content[MARK:]
        if mark != digest(code).encode():  # damaged: it will be written anew
            return None
        return CompileResult._rebuild(context, *pickle.loads(code))

    def save_overload(self, signature: Any, result: Any) -> None:
        code, path = dumps(result._reduce()), self._path(signature)
        fresh = path.with_suffix(f".{os.getpid()}")
        try:  # not `atomic_write`, which waits for the disk: here the hash tells what is whole
            fresh.write_bytes(digest(code).encode() + code)
            fresh.replace(path)
        except OSError:
            with suppress(OSError):
                fresh.unlink()

    def _path(self, signature: Any) -> Path:
        return Path(str(folder()), digest(self._kernel, str(signature))[:32])
