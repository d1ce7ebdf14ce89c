"""The GPU as a device: CuPy's memory and streams, our own cubins.

CuPy is imported when an array is first wanted, so that reading this module needs none. A .cu is
compiled for the GPU at hand (nvrtc.py) and loaded once per GPU, all its kernels together. Launches
go to CuPy's current stream. With MINITENSOR_CUDA_DEBUG=1 each launch is waited for, so that an
illegal access names its kernel instead of a later innocent one.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np

from minitensor.backend.cuda import nvrtc
from minitensor.backend.cuda.requirements import lack
from minitensor.backend.errors import DeviceError
from minitensor.backend.half import is_bfloat16
from minitensor.backend.host import source
from minitensor.backend.host.conversion import LaunchError, MisfitError
from minitensor.backend.host.device import Device, Extent


class CudaDevice(Device):
    """The GPU that CuPy calls the current one."""

    name = "cuda"

    def __init__(self) -> None:
        super().__init__()
        self.constants: dict[Any, Any] | None = None  # see graph.py; None outside of a capture
        self._functions: dict[tuple[int, str, str], Any] = {}  # (GPU, text, instance) -> kernel
        self._debug = os.environ.get("MINITENSOR_CUDA_DEBUG") == "1"

    @cached_property
    def xp(self) -> Any:
        """CuPy.

        Raises:
            DeviceError: CuPy, the driver or the GPU is missing; says which.
        """
        if missing := lack():
            raise DeviceError(f"there is no GPU to compute on: {missing}")
        return import_module("cupy")

    @property
    def gpu(self) -> int:
        """The number of the current GPU."""
        return int(self.xp.cuda.runtime.getDevice())

    @property
    def shared_limit(self) -> int:
        """Bytes of shared memory one block may have."""
        runtime = self.xp.cuda.runtime
        return int(
            runtime.deviceGetAttribute(runtime.cudaDevAttrMaxSharedMemoryPerBlockOptin, self.gpu)
        )

    @property
    def has_library(self) -> bool:
        """CuPy refuses to call cuBLAS while it captures; a capture's trials compute as it does."""
        return self.constants is None

    def function(self, kernel: source.Kernel) -> Any:
        key = self.gpu, kernel.program.text, kernel.name
        if key not in self._functions:
            self.load(kernel.program)
        return self._functions[key]

    def load(self, program: source.Program) -> None:
        """Compiles a .cu, or finds its cubin, and loads all its kernels on the current GPU."""
        built = nvrtc.built(program, f"sm_{self.xp.cuda.Device().compute_capability}")
        module = self.xp.RawModule(path=str(built.path))
        for instance, symbol in built.lowered.items():
            function = module.get_function(symbol)
            # Without this, a launch may ask for 48 KiB of dynamic shared memory and no more.
            function.max_dynamic_shared_size_bytes = self.shared_limit - function.shared_size_bytes
            self._functions[self.gpu, program.text, instance] = function

    def launch(
        self,
        kernel: str | source.Kernel,
        grid: Extent,
        block: Extent,
        *arguments: Any,
        shared: int = 0,
    ) -> None:
        super().launch(kernel, grid, block, *arguments, shared=shared)
        if self._debug:
            self._wait(getattr(kernel, "name", str(kernel)), arguments)

    def _wait(self, kernel: str, arguments: tuple[Any, ...]) -> None:
        stream = self.xp.cuda.get_current_stream()
        if stream.is_capturing():
            return
        try:
            stream.synchronize()
        except self.xp.cuda.runtime.CUDARuntimeError as error:
            shapes = [getattr(argument, "shape", argument) for argument in arguments]
            raise LaunchError(f"{kernel} {shapes} failed on the GPU: {error}") from error

    def empty(self, shape: Sequence[int], dtype: Any) -> Any:
        return self.xp.empty(shape, _legal(dtype))

    def asarray(self, value: Any, dtype: Any = None) -> Any:
        if isinstance(value, np.ndarray):
            _legal(value.dtype if dtype is None else dtype)
            if self.constants is not None and value.ndim:
                return self._constant(value.astype(dtype or value.dtype))
        return self.xp.asarray(value, dtype)

    def _constant(self, value: np.ndarray) -> Any:
        """During a capture: equal numbers are the same array, sent before the capture began."""
        key = value.dtype.str, value.shape, value.tobytes()
        assert self.constants is not None
        if key not in self.constants:
            if self.xp.cuda.get_current_stream().is_capturing():
                raise LaunchError(
                    f"the captured step sends new numbers to the GPU, shape {value.shape}, that "
                    "its trial run did not: hand what changes from step to step to the step as "
                    "an input"
                )
            self.constants[key] = self.xp.asarray(value)
        return self.constants[key]

    def to_numpy(self, array: Any) -> np.ndarray:
        numbers: np.ndarray = self.xp.asnumpy(array)
        return numbers

    def owns(self, value: Any) -> bool:
        if not isinstance(value, self.xp.ndarray):
            return False
        if value.data.device_id != self.gpu:
            raise MisfitError(
                f"an array on GPU {value.data.device_id}; the current GPU is {self.gpu}"
            )
        return True

    def address(self, array: Any) -> int:
        return int(array.data.ptr)

    def stream(self) -> tuple[int, int]:
        return self.gpu, int(self.xp.cuda.get_current_stream().ptr)


def _legal(wanted: Any) -> np.dtype[Any]:
    dtype: np.dtype[Any] = np.dtype(wanted)
    if is_bfloat16(dtype):
        raise TypeError(
            f"the GPU backend has no {dtype}, because CuPy has none; cast to float16 or float32"
        )
    return dtype
