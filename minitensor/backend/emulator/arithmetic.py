"""How many floating-point operations the threads of a launch did; needs the "trace" build.

That build counts how often each straight piece of a kernel ran. objdump shows which of a piece's
instructions add, subtract, multiply, divide or take a root: one operation each; fma is two. What a
library computes (exp, log, sin) counts nothing, and neither do comparisons and conversions.
"""

from __future__ import annotations

import ctypes
import re
import subprocess
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from minitensor.backend.emulator.kernel import Function

_FUNCTION = re.compile(r"^[0-9a-f]+ <(.*)>:$")
_LINE = re.compile(r"^ +([0-9a-f]+):\t(.*)$")
_COMPUTES = re.compile(r"v?(?:add|sub|mul|div|sqrt)s([sd])\s")
_FUSED = re.compile(r"call\s.*<fma(f?)@plt>")
_PIECE = "<__sanitizer_cov_trace_pc"
_TENSOR = {"mma_f16": "half", "mma_tf32": "tf32"}  # functions of runtime/machine.h


def operations(function: Function) -> Counter[str] | None:
    """Of all launches since the last call, by kind: "single", "double", "half", "tf32".

    The last two are of tensor cores; float16 beside them is computed, and counted, as float32.
    None where the code is not x86-64's.
    """
    take = function.library.c.emu_turns
    take.restype, take.argtypes = ctypes.c_void_p, [ctypes.POINTER(ctypes.c_size_t)]
    size = ctypes.c_size_t()
    start = take(size)
    done: Counter[str] = Counter()
    if not size.value:
        return done
    raw: Any = (ctypes.c_uint64 * size.value).from_address(start)
    turns = np.frombuffer(raw, np.uint64)
    ran = {int(at): int(turns[at]) for at in np.flatnonzero(turns)}
    turns[:] = 0
    pieces = _pieces(function.library.path)
    if not ran.keys() <= pieces.keys():
        return None
    for at, times in ran.items():
        for kind, each in pieces[at].items():
            done[kind] += times * each
    return done


@cache
def _pieces(library: Path) -> dict[int, Counter[str]]:
    """Where a piece of code begins -> its operations."""
    command = ["objdump", "-d", "--no-show-raw-insn", str(library)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    pieces: dict[int, Counter[str]] = {}
    piece: Counter[str] = Counter()  # what comes before the first is nobody's
    tensor, begins = "", False
    for line in text.splitlines():
        if function := _FUNCTION.match(line):
            tensor = next((kind for name, kind in _TENSOR.items() if name in function[1]), "")
        elif code := _LINE.match(line):
            if begins:
                piece = pieces[int(code[1], 16)] = Counter()
            begins = _PIECE in code[2]
            if found := _COMPUTES.match(code[2]):
                piece[tensor or {"s": "single", "d": "double"}[found[1]]] += 1
            elif fused := _FUSED.match(code[2]):
                piece["single" if fused[1] else "double"] += 2
    return pieces
