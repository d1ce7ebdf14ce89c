"""The instructions of a kernel as the chip runs them: nvdisasm's listing of a cubin, no GPU needed.

The program comes from the PyPI wheel nvidia-cuda-nvdisasm, or from a CUDA toolkit.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

from minitensor.backend.errors import DeviceError

_SECTION = re.compile(r"\.section\t\.text\.(\w+),")
_LABEL = re.compile(r"(\.L_x_\d+):")
_LINE = re.compile(r'\t//## File "(.*?)", line (\d+)')
_CODE = re.compile(r"\s+/\*([0-9a-f]{4,})\*/\s+(?:@(!?U?P\w+) )?([A-Z][\w.]*)(.*?);")
_NEVER = "!PT"  # the predicate of what only fills a place
_TARGET = re.compile(r"`\((\.L_x_\d+)\)")


Place: TypeAlias = tuple[str, int]


@dataclass(frozen=True)
class Instruction:
    """One instruction.

    Args:
        address: in bytes, from the kernel's beginning.
        opcode: with its modifiers, "LDG.E.128".
        places: (file, line) of the source, and those where that function is inlined, outwards.
        target: where a branch goes; -1 for all others.
    """

    address: int
    opcode: str
    places: tuple[Place, ...]
    target: int = -1

    @property
    def base(self) -> str:
        """The opcode alone."""
        return self.opcode.partition(".")[0]


Code = tuple[Instruction, ...]


@cache
def program() -> str:
    """Where nvdisasm is.

    Raises:
        DeviceError: nowhere.
    """
    wheels = [path for folder in sys.path for path in Path(folder).glob("nvidia/*/bin/nvdisasm")]
    roots = [os.environ.get(name) for name in ("CUDA_PATH", "CUDA_HOME")]
    toolkits = [Path(root, "bin", "nvdisasm") for root in (*roots, "/usr/local/cuda") if root]
    for path in (*wheels, *toolkits):
        if os.access(path, os.X_OK):
            return str(path)
    if found := shutil.which("nvdisasm"):
        return found
    raise DeviceError(
        "instructions are read with NVIDIA's disassembler, and there is no nvdisasm: "
        "pip install nvidia-cuda-nvdisasm"
    )


@cache
def listing(cubin: Path) -> dict[str, Code]:
    """Of all kernels of a cubin, by their mangled names.

    Raises:
        DeviceError: there is no nvdisasm, or it cannot read the file.
    """
    done = subprocess.run([program(), "-c", "-gi", str(cubin)], capture_output=True, text=True)
    if done.returncode:
        raise DeviceError(f"nvdisasm: {done.stderr.strip().splitlines()[:1]}")
    return parsed(done.stdout)


def parsed(text: str) -> dict[str, Code]:
    """The listing of each kernel in what nvdisasm -c -gi prints."""
    _, *parts = _SECTION.split(text)  # name, lines, name, lines, ...
    sections = zip(parts[::2], parts[1::2], strict=True)
    return {name: _instructions(lines.splitlines()) for name, lines in sections}


def _instructions(lines: Sequence[str]) -> Code:
    found: list[tuple[int, str, tuple[Place, ...], str]] = []
    labels: dict[str, int] = {}
    waiting: list[str] = []  # labels of the next instruction
    places: tuple[Place, ...] = ()
    begun = True  # with the instructions of `places`
    for line in lines:
        if code := _CODE.match(line):
            address, begun = int(code[1], 16), True
            labels |= dict.fromkeys(waiting, address)
            waiting = []
            target = _TARGET.search(code[4]) if code[3].startswith("BRA") else None
            if code[2] != _NEVER:
                found.append((address, code[3], places, target[1] if target else ""))
        elif label := _LABEL.match(line):
            waiting.append(label[1])
        elif source := _LINE.match(line):
            place = source[1], int(source[2])
            places, begun = ((place,) if begun else (*places, place)), False
    return tuple(
        Instruction(address, opcode, places, labels.get(target, -1))
        for address, opcode, places, target in found
    )


def inner_loops(code: Code) -> list[Code]:
    """The loops that hold no loop: from where a branch goes back to, up to the branch.

    The branch to itself that ends the code is none.
    """
    backward = [(i.target, i.address) for i in code if 0 <= i.target < i.address]
    inner = [
        (first, last)
        for first, last in backward
        if not any(
            first <= start and end <= last and (start, end) != (first, last)
            for start, end in backward
        )
    ]
    return [tuple(i for i in code if first <= i.address <= last) for first, last in inner]
