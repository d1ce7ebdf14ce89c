"""The table: every call that is compared with TensorFlow, family by family.

A file of this folder that has `cases()` is part of the table: no list names it. It says under which
heading of the ledger its ops stand, `AREA`, and may hold rows of `ops.py`, `OPS`.
"""

from __future__ import annotations

import pkgutil
from dataclasses import replace
from fnmatch import fnmatch
from importlib import import_module
from types import ModuleType

from minitensor.parity.case import Case, Op

_FIRST = ("conv", "pool", "norm", "core")  # files of single ops follow, by name


def _families() -> list[ModuleType]:
    """The files of the table, in the ledger's order."""
    names = sorted({module.name for module in pkgutil.iter_modules(__path__)} - {*_FIRST})
    modules = [import_module(f"{__name__}.{name}") for name in (*_FIRST, *names)]
    return [module for module in modules if hasattr(module, "cases")]


FAMILIES = _families()
OPS: dict[str, Op] = {
    path: op for family in FAMILIES for path, op in getattr(family, "OPS", {}).items()
}


def table(op: str = "") -> list[Case]:
    """All cases, each once; with `op`, those whose op contains it or matches it as a pattern."""
    pattern = op if any(mark in op for mark in "*?[") else f"*{op}*"
    found: dict[str, Case] = {}
    for case in (case for family in FAMILIES for case in family.cases()):
        if fnmatch(case.op, pattern):
            earlier = found.get(case.key, case).dtypes
            found[case.key] = replace(case, dtypes=tuple(dict.fromkeys(earlier + case.dtypes)))
    return list(found.values())


def areas() -> dict[str, str]:
    """Which part of the table each op belongs to."""
    return {case.op: family.AREA for family in FAMILIES for case in family.cases()}
