"""CuPy's events and our own graphs, for the clock; and which GPU this is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitensor.backend import cuda
from minitensor.backend.cuda import graph


class Gpu:
    """What `clock.DeviceClock` asks for."""

    def mark(self) -> Any:
        """An event, recorded now."""
        event = cuda.device.xp.cuda.Event()
        event.record()
        return event

    def seconds(self, start: Any, stop: Any) -> float:
        """Between two events; waits for the second."""
        stop.synchronize()
        return float(cuda.device.xp.cuda.get_elapsed_time(start, stop)) / 1e3

    def recorded(self, launch: Callable[[], None]) -> Callable[[], None]:
        """A replay of what `launch` launches; it is tried twice before it is recorded."""
        return graph.capture(cuda.device, launch, (), ())


def machine() -> dict[str, Any]:
    """The GPU's name and size, its driver, CuPy and CUDA."""
    cupy = cuda.device.xp
    properties = cupy.cuda.runtime.getDeviceProperties(cuda.device.gpu)
    return {
        "cupy": cupy.__version__,
        "gpu": properties["name"].decode(),
        "multiprocessors": properties["multiProcessorCount"],
        "gpu_memory": properties["totalGlobalMem"],
        "l2_bytes": properties["l2CacheSize"],
        "cuda_driver": cupy.cuda.runtime.driverGetVersion(),
        "cuda_runtime": cupy.cuda.runtime.runtimeGetVersion(),
    }
