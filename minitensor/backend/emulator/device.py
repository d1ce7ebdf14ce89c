"""The emulator as a device: NumPy memory, kernels compiled by g++ when first launched."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from minitensor.backend.emulator import build
from minitensor.backend.emulator.array import Array, marked
from minitensor.backend.emulator.kernel import Function, Library
from minitensor.backend.host import source
from minitensor.backend.host.device import Device


class EmulatorDevice(Device):
    """This machine's CPU, running CUDA kernels."""

    name = "emulator"
    xp = np

    def function(self, kernel: str) -> Function:
        function = _library(source.kernel(kernel).file, build.variant()).functions[kernel]
        function.max_dynamic_shared_size_bytes = self.shared_limit
        return function

    def empty(self, shape: Sequence[int], dtype: Any) -> Array:
        array = np.empty(shape, dtype).view(Array)
        array.reshape(-1).view(np.uint8)[:] = 0xFF  # NaN: an element that nobody writes shows
        return array

    def asarray(self, value: Any, dtype: Any = None) -> Array:
        return marked(value, dtype)

    def to_numpy(self, array: Any) -> np.ndarray:
        return np.asarray(array).view(np.ndarray)

    def owns(self, value: Any) -> bool:
        return isinstance(value, np.ndarray)

    def address(self, array: Any) -> int:
        return int(array.ctypes.data)


@cache
def _library(file: str, variant: str) -> Library:
    return Library(build.library(file, source.flat(file)))
