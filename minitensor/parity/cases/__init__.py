"""The table: every call that is compared with TensorFlow, family by family."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatch

from minitensor.parity.case import Case
from minitensor.parity.cases import conv, core, norm, pool

AREAS = {
    "convolution": conv,
    "pooling, patches, space": pool,
    "norms, curves, losses": norm,
    "tf.* core": core,
}


def table(op: str = "") -> list[Case]:
    """All cases, each once; with `op`, those whose op contains it or matches it as a pattern."""
    pattern = op if any(mark in op for mark in "*?[") else f"*{op}*"
    found: dict[str, Case] = {}
    for case in (case for family in AREAS.values() for case in family.cases()):
        if fnmatch(case.op, pattern):
            earlier = found.get(case.key, case).dtypes
            found[case.key] = replace(case, dtypes=tuple(dict.fromkeys(earlier + case.dtypes)))
    return list(found.values())


def areas() -> dict[str, str]:
    """Which part of the table each op belongs to."""
    return {case.op: area for area, family in AREAS.items() for case in family.cases()}
