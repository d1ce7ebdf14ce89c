"""cupy.cuda without a GPU: streams, graphs, modules; kernels run on the emulator.

A kernel is found by its mangled name in the cubin that NVRTC made. While a stream is captured
nothing is computed: work is recorded, and a graph's launch does it, in order.
"""

from __future__ import annotations

import json
import types
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from minitensor.backend import emulator
from minitensor.backend.host import source

SHARED = 232_448  # an H100's

_streams = []  # the current one is last
_made = {}  # all streams, by their address
places = {}  # addresses that arrays gave, and how many bytes lie there


class CUDARuntimeError(RuntimeError):
    pass


def work(action):
    """Does `action` now, or when the graph that is being recorded runs."""
    recorded = _streams[-1].recorded
    if recorded is None:
        action()
    else:
        recorded.append(action)


def settled(what):
    """Reading back waits for the GPU, which a captured stream may not."""
    if _streams[-1].recorded is not None:
        raise CUDARuntimeError(f"operation not permitted when stream is capturing: {what}")


def is_capturing():
    """Whether work is recorded, not done."""
    return _streams[-1].recorded is not None


class Function:
    """A kernel of a cubin, run by the emulator."""

    shared_size_bytes = 0

    def __init__(self, instance):
        self.instance = instance
        self.max_dynamic_shared_size_bytes = 48 * 1024

    def __call__(self, grid, block, args, *, shared_mem=0):
        assert isinstance(grid, tuple), grid
        assert isinstance(block, tuple), block
        values = [getattr(value, "host", value) for value in args]
        if any(isinstance(v, np.ndarray) and v.size != 1 for v in args):
            raise TypeError("a NumPy array was passed to a kernel")
        kernel = emulator.device.function(source.kernel(self.instance))
        kernel.max_dynamic_shared_size_bytes = self.max_dynamic_shared_size_bytes
        work(lambda: kernel(grid, block, values, shared_mem=shared_mem))


class RawModule:
    """A cubin that backend/cuda/nvrtc.py wrote; its facts lie beside it."""

    def __init__(self, *, path):
        facts = json.loads(Path(path).with_suffix(".json").read_text())
        self._instances = {symbol: name for name, symbol in facts["lowered"].items()}

    def get_function(self, symbol):
        return Function(self._instances[symbol])


class Stream:
    def __init__(self, non_blocking=False):
        self.ptr, self.recorded = id(self), None
        self.captures = non_blocking  # the null stream cannot be captured
        self.behind, self.done, self.heard = (
            [],
            0,
            False,
        )  # what it does by itself; whether it waited for another
        _made[self.ptr] = self

    def __enter__(self):
        _streams.append(self)
        return self

    def __exit__(self, *error):
        _streams.pop()

    def synchronize(self):
        settled("synchronize")
        self.catch_up(self.done + len(self.behind))

    def wait_event(self, event):
        self.heard = True
        if event.stream is not self:
            event.stream.catch_up(event.number)

    def catch_up(self, number):
        """All that was begun before is done, in order."""
        while self.behind and number > self.done:
            self.behind.pop(0)()
            self.done += 1

    def is_capturing(self):
        return self.recorded is not None

    def begin_capture(self):
        if not self.captures:
            raise CUDARuntimeError("operation not permitted on the null stream")
        self.recorded = []

    def end_capture(self):
        graph, self.recorded = Graph(self.recorded), None
        return graph


class Event:
    def __init__(self, block=False, disable_timing=False):
        self.stream = None

    def record(self, stream=None):
        self.stream = stream or _streams[0]
        self.number = self.stream.done + len(self.stream.behind)

    @property
    def done(self):
        return self.number <= self.stream.done


def current():
    """The stream in which work is begun."""
    return _streams[-1]


def stream_at(pointer):
    """The stream of an address."""
    return _made[pointer]


_streams.append(Stream())


class Graph:
    def __init__(self, recorded):
        self._recorded = recorded

    def launch(self):
        for action in self._recorded:
            action()


class MemoryPool:
    def malloc(self, size):
        raise NotImplementedError("fake_cupy's memory is NumPy's")


@contextmanager
def using_allocator(allocator):
    yield


class Device:
    compute_capability = "90"

    def synchronize(self):
        settled("synchronize")


def module():
    """The module `cupy.cuda`, freshly made."""
    cuda = types.ModuleType("cupy.cuda")
    for thing in (Stream, Event, Device, MemoryPool, using_allocator):
        setattr(cuda, thing.__name__, thing)
    cuda.get_current_stream = lambda: _streams[-1]
    cuda.runtime = types.SimpleNamespace(
        CUDARuntimeError=CUDARuntimeError,
        cudaDevAttrMaxSharedMemoryPerBlockOptin=97,
        deviceGetAttribute=lambda attribute, device: {97: SHARED}[attribute],
        getDevice=lambda: 0,
    )
    return cuda
