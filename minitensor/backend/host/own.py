"""A .cu of one's own: found, read, compiled and launched as ours are.

No line `KERNEL(...)` is needed, as the instance is named at the launch.
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from minitensor.backend.errors import CompileError
from minitensor.backend.host import source
from minitensor.backend.host.device import Device, Extent

_HEADER = re.compile(r"^[ \t]*#[ \t]*include[ \t]*<([^>]+)>.*$", re.MULTILINE)
_KNOWN = re.compile(  # of the language, or of the host
    r"(cuda|cuda_runtime|cuda_runtime_api|driver_types|vector_types|vector_functions"
    r"|device_launch_parameters|device_functions|math_constants|curand)\.h"
    r"|c?(stdint|stdio|stdlib|math|float|limits|string|assert|stddef)(\.h)?"
    r"|algorithm|type_traits|utility|iostream|vector|array"
)
_KEPT = {"cuda_fp16.h"}


class Own:
    """One file, as it was when it was loaded.

    Args:
        device: where its kernels run.
        path: of the .cu; what it includes by "..." lies beside it, or is ours.

    Raises:
        FileNotFoundError: there is no such file, or no file that it includes.
        CompileError: it includes what cannot be had, or has host code.
        ValueError: it declares no kernel.
    """

    def __init__(self, device: Device, path: str | Path) -> None:
        self._device, self.file = device, str(Path(path).resolve())
        self._text = _without_headers(source.flattened(self.file))
        self._kernels: dict[str, source.Kernel] = {}
        if not self.kernels:
            raise ValueError(f"{path}: no __global__ function with a body stands there")

    @cached_property
    def kernels(self) -> list[str]:
        """What it declares, a template as base<T, N>."""
        return source.kernels(source.Program(self.file, self._text, ()))

    def kernel(self, name: str = "") -> source.Kernel:
        """One of its kernels, a template with its arguments; the only one needs no name.

        Raises:
            LookupError: no such kernel, or several and no name.
        """
        if not name:
            if len(self.kernels) > 1 or "<" in self.kernels[0]:
                these = " or ".join(self.kernels)
                types = ", types and numbers filled in" * ("<" in these)
                raise LookupError(f"{self.file}: say which kernel{types}: {these}")
            name = self.kernels[0]
        if name not in self._kernels:
            program = source.Program(self.file, self._text, (name,))
            self._kernels[name] = source.declared(program, name)
        return self._kernels[name]

    def launch(
        self, kernel: str, grid: Extent, block: Extent, *arguments: Any, shared: int = 0
    ) -> None:
        """Runs kernel<<<grid, block, shared>>>(arguments), and waits for nothing else.

        Args:
            kernel: its name, a template with its arguments: "gap<float>".
            grid: blocks, x or (x, y) or (x, y, z).
            block: threads of each, likewise.
            arguments: arrays, and numbers, which become what the kernel declares. NumPy arrays are
                read, and written where the parameter is not const; on a GPU by way of copies.
            shared: bytes of dynamic shared memory.

        Raises:
            LaunchError: what does not fit the declaration or the machine.
            CompileError: the compiler's words.

        Example:
            >>> from pathlib import Path
            >>> from tempfile import TemporaryDirectory
            >>> import numpy as np
            >>> from minitensor.backend import emulator
            >>> x = np.arange(4, dtype=np.float32)
            >>> with TemporaryDirectory() as folder:
            ...     path = Path(folder, "twice.cu")
            ...     text = "__global__ void twice(float* x) { x[threadIdx.x] *= 2; }"
            ...     _ = path.write_text(text)
            ...     emulator.load(path).launch("twice", 1, 4, x)
            >>> x.tolist()
            [0.0, 2.0, 4.0, 6.0]
        """
        declared = self.kernel(kernel)
        theirs = [
            self._device.asarray(value) if isinstance(value, np.ndarray) else value
            for value in arguments
        ]
        self._device.launch(declared, grid, block, *theirs, shared=shared)
        for parameter, given, used in zip(declared.parameters, arguments, theirs, strict=True):
            if isinstance(given, np.ndarray) and not parameter.const:
                found = self._device.to_numpy(used)
                if not np.may_share_memory(given, found):  # the emulator's arrays are NumPy's
                    given[...] = found


def _without_headers(text: str) -> str:
    """The text without the headers whose names are known anyway; lines keep their numbers."""
    if launch := text.find("<<<") + 1:
        raise CompileError(
            f"{_place(text, launch)}: <<< >>> is host code: keep kernels in a file of their own; "
            "the launch is told from outside"
        )
    for found in _HEADER.finditer(text):
        if not _KNOWN.fullmatch(found[1]) and found[1] not in _KEPT:
            raise CompileError(
                f"{_place(text, found.start())}: <{found[1]}> is not to be had here: kernels may "
                f"use the language itself, and <{'>, <'.join(sorted(_KEPT))}>"
            )
    return _HEADER.sub(lambda found: found[0] if found[1] in _KEPT else "", text)


def _place(text: str, at: int) -> str:
    """file:line of a place in a flat text."""
    lines = text[:at].split("\n")
    for back, line in enumerate(reversed(lines)):
        if mark := re.match(r'#line (\d+) "(.*)"', line):
            return f"{Path(mark[2]).name}:{int(mark[1]) + back - 1}"
    return f"line {len(lines)}"


def load(device: Device, path: str | Path) -> Own:
    """The kernels of a .cu of one's own."""
    return Own(device, path)
