"""The emulator as a device: NumPy memory, kernels compiled by g++ when first launched.

Its arrays are NumPy's, and say by their type where they belong: the door of `minitensor.backend`
sends ops on them to the kernels, run on this CPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from minitensor.backend.emulator import build
from minitensor.backend.emulator.kernel import Function, Library
from minitensor.backend.host import source
from minitensor.backend.host.device import Device


class Array(np.ndarray):
    """A NumPy array whose windowed ops run as CUDA kernels on the emulator."""

    __slots__ = ()


class EmulatorDevice(Device):
    """This machine's CPU, running CUDA kernels."""

    name = "emulator"
    xp = np

    def function(self, kernel: source.Kernel) -> Function:
        function = _library(kernel.program, build.variant()).functions[kernel.name]
        function.names = [parameter.name for parameter in kernel.parameters]
        function.max_dynamic_shared_size_bytes = self.shared_limit
        return function

    def empty(self, shape: Sequence[int], dtype: Any) -> Array:
        array = np.empty(shape, dtype).view(Array)
        array.reshape(-1).view(np.uint8)[:] = 0xFF  # NaN: an element that nobody writes shows
        return array

    def asarray(self, value: Any, dtype: Any = None) -> Array:
        return np.asarray(value, dtype=dtype).view(Array)  # shares its memory where possible

    def to_numpy(self, array: Any) -> np.ndarray:
        return np.asarray(array).view(np.ndarray)

    def owns(self, value: Any) -> bool:
        return isinstance(value, np.ndarray)

    def address(self, array: Any) -> int:
        return int(array.ctypes.data)


@cache
def _library(program: source.Program, variant: str) -> Library:
    return Library(build.library(program.file, build.listing(program)))
