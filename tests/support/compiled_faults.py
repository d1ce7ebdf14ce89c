"""Compiled kernels of the CPU with a fault in them: one piece of a kernel's text replaced."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import textwrap
import types
from collections.abc import Callable
from functools import reduce
from typing import Any

from minitensor.backend.numpy import compiled

ROOM = {
    module.name: importlib.import_module(f"{compiled.__name__}.{module.name}")
    for module in pkgutil.iter_modules(compiled.__path__)
}


def in_plain_python(put: Callable[[Any, str, Any], None]) -> None:
    """put(owner, name, value) what makes each kernel the Python function that it is written as."""
    for place in ROOM.values():
        for name, kernel in list(vars(place).items()):
            put(place, name, getattr(kernel, "py_func", kernel))


def plant(where: str, old: str, new: str, put: Any, made: Any = lambda function, plain: function):
    """put(owner, name, value) the function in which `old` reads `new`, wherever it is known.

    where: "module name", or "module class.name". made(function, the one in its place) compiles it.
    """
    module, path = where.split()
    place, (*owners, name) = ROOM[module], path.split(".")
    owner = reduce(getattr, owners, place)
    plain = getattr(owner, name)
    source = textwrap.dedent(inspect.getsource(getattr(plain, "py_func", plain)))
    assert old in source, f"{where} has no {old!r}"
    source, scope = source[source.index("def ") :], dict(vars(place))  # what decorates it is `made`
    exec(compile(source.replace(old, new, 1), f"{module} with a fault", "exec"), scope)
    function = made(types.FunctionType(scope[name].__code__, vars(place), name), plain)
    for known in (owner, *ROOM.values()):
        if vars(known).get(name) is plain:
            put(known, name, function)
