"""`compiled`, `inner`: numba compiles a kernel at its first call, and keeps it for later processes.

numba's own cache asks only whether the kernel's file has changed, not the files that it imports,
nor the size of a tile. Here the folder's name is a hash of all that code depends on: every source
of this room, the versions, the processor. It is ours alone, as what lies in it is run.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import llvmlite
import numba
from llvmlite import binding
from numba.core import caching
from numba.core.registry import CPUDispatcher

from minitensor.files import cache_folder, digest

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """The function as machine code, which leaves Python's lock to other threads.

    Kernels make no arrays. So they need not count who holds one (`_nrt`): a locked instruction for
    each array of a call, which took a third of the time of a tile.
    """
    return _kernel(function)


def inner(function: Function) -> Function:
    """The same of a part of kernels, which only they call.

    No way in is compiled for Python, which would read each number of each argument: a fifth of
    all the time that compiling takes. Called from Python it is Python.
    """
    kernel = _kernel(function, no_cpython_wrapper=True)
    if kernel is not function:
        kernel.__class__ = _Inner
    return kernel  # type: ignore[no-any-return]


def _kernel(function: Any, **more: Any) -> Any:
    kernel: Any = numba.njit(
        function, nogil=True, error_model="numpy", _nrt=False, no_cfunc_wrapper=True, **more
    )
    if kernel is not function and folder() is not None:  # with the JIT off it is the function
        kernel._cache = _Cache(function)
    return kernel


class _Inner(CPUDispatcher):
    def __call__(self, *arguments: Any) -> Any:
        return self.py_func(*arguments)


@cache
def folder() -> Path | None:
    """Where this version's code for this processor is kept; None if nowhere is safe to."""
    sources = [path.read_text() for path in sorted(Path(__file__).parent.glob("*.py"))]
    features = binding.get_host_cpu_features().flatten()
    cpu = binding.get_host_cpu_name()
    key = digest(*sources, numba.__version__, llvmlite.__version__, cpu, features)[:16]
    try:
        path = cache_folder("cpu") / key
        path.mkdir(mode=0o700, exist_ok=True)
    except OSError:  # no home, a full disk, a folder that others may write to
        return None
    return path


class _Locator(caching.InTreeCacheLocator):
    def get_cache_path(self) -> str:
        return str(folder())


class _CacheImpl(caching.CompileResultCacheImpl):
    _locator_classes = [_Locator]  # noqa: RUF012 - as the class has it


class _Cache(caching.FunctionCache):
    _impl_class = _CacheImpl
