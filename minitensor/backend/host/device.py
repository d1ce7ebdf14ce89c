"""A device: arrays, scratch memory and one typed launcher; emulator and GPU fill in the rest.

`launch` is the only way a kernel starts. It compares every argument with the kernel's declaration
(conversion.py) and the launch with the hardware's limits, so that a mistake is one clear
LaunchError and not a wrong number. How a kernel is compiled, and where its memory lies, is the
subclass's.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from math import prod
from typing import Any, Concatenate, ParamSpec, TypeAlias, TypeVar

import numpy as np

from minitensor.backend.host import source
from minitensor.backend.host.arena import Arena
from minitensor.backend.host.conversion import LaunchError, converted

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
Extent: TypeAlias = int | tuple[int, ...]  # a grid or a block: x, (x, y) or (x, y, z)

_GRID_LIMITS = (2**31 - 1, 65535, 65535)
_BLOCK_LIMITS = (1024, 1024, 64)


class Device(ABC):
    """One place where kernels run."""

    name: str
    xp: Any  # the array namespace

    def __init__(self) -> None:
        self.arena = self.new_arena()

    def new_arena(self) -> Arena:
        """An arena with nothing in it."""
        return Arena(lambda size: self.empty((size,), np.uint8), self.address)

    @abstractmethod
    def function(self, kernel: source.Kernel) -> Any:
        """The compiled kernel, called as f(grid, block, args, shared_mem=0)."""

    @abstractmethod
    def empty(self, shape: Sequence[int], dtype: Any) -> Any:
        """A fresh contiguous array, its numbers undefined."""

    @abstractmethod
    def asarray(self, value: Any, dtype: Any = None) -> Any:
        """`value` as an array of this device."""

    def array(self, value: Any) -> Any:
        """A fresh array of numbers, nested lists or an array."""
        return self.xp.array(value)

    @abstractmethod
    def to_numpy(self, array: Any) -> np.ndarray:
        """The same numbers in the memory of the CPU."""

    @abstractmethod
    def owns(self, value: Any) -> bool:
        """Whether `value` is an array of this device."""

    @abstractmethod
    def address(self, array: Any) -> int:
        """Where the first element lies."""

    @property
    def shared_limit(self) -> int:
        """Bytes of shared memory one block may have; an H100's unless the device knows better."""
        return 232_448

    def stream(self) -> Hashable:
        """Launches in one stream run in order; scratch memory is reused within one only."""
        return 0

    @property
    def has_library(self) -> bool:
        """Whether the array library's products of matrices may run now."""
        return True

    def zeros(self, shape: Sequence[int], dtype: Any) -> Any:
        """A fresh contiguous array of zeros."""
        array = self.empty(shape, dtype)
        array.fill(0)
        return array

    def contiguous(self, array: Any) -> Any:
        """`array` itself where it is C-contiguous, else a copy that is."""
        if array.flags.c_contiguous:
            return array
        copy = self.empty(array.shape, array.dtype)
        copy[...] = array
        return copy

    def launch(
        self,
        kernel: str | source.Kernel,
        grid: Extent,
        block: Extent,
        *arguments: Any,
        shared: int = 0,
    ) -> None:
        """Starts one of our kernels, by its name, or another, its arguments converted.

        Raises:
            LaunchError: an argument, the grid, the block or the shared memory does not fit.
        """
        declared = source.kernel(kernel) if isinstance(kernel, str) else kernel
        kernel = declared.name
        blocks, threads = _extent(grid, _GRID_LIMITS), _extent(block, _BLOCK_LIMITS)
        if not blocks:
            raise LaunchError(f"{kernel}: grid {grid}; legal: up to 3 ints, 1 to {_GRID_LIMITS}")
        if not threads or prod(threads) > declared.threads:
            raise LaunchError(f"{kernel}: block {block}; legal: 1 to {declared.threads} threads")
        if shared and not 0 < shared <= self.shared_limit:
            raise LaunchError(
                f"{kernel}: got {shared} bytes of shared memory; "
                f"{self.name} has {self.shared_limit} for a block"
            )
        values = converted(self, declared, arguments)
        self.function(declared)(blocks, threads, values, shared_mem=shared)

    @contextmanager
    def workspace(self, shape: Sequence[int], dtype: Any) -> Iterator[Any]:
        """Scratch from the device's arena, given back at the end of the block."""
        shape, dtype, stream = tuple(shape), np.dtype(dtype), self.stream()
        size = prod(shape) * dtype.itemsize
        block = self.arena.take(size, stream)
        try:
            yield block[:size].view(dtype).reshape(shape)
        finally:
            self.arena.give(block, stream)

    def returned(self, array: Any) -> bool:
        """Whether `array` is a workspace that was given back."""
        return self.arena.is_free(array)


def bind(
    device: Device, function: Callable[Concatenate[Device, Parameters], Result]
) -> Callable[Parameters, Result]:
    """A function of host code on one device, as ops call it."""
    return partial(function, device)


@lru_cache(typed=True)  # 1.0 is no grid, 1 is one
def _extent(given: Extent, limits: tuple[int, ...]) -> tuple[int, ...]:
    """(x, y, z), or nothing if that is no grid or block."""
    extent = given if isinstance(given, tuple) else (given,)
    extent = (*extent, 1, 1, 1)[: max(3, len(extent))]
    fits = len(extent) == 3 and all(
        isinstance(n, int) and 1 <= n <= limit for n, limit in zip(extent, limits, strict=True)
    )
    return extent if fits else ()
