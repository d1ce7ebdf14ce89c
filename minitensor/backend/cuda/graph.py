"""A training step as one CUDA graph: recorded once, then started by one call.

A step is hundreds of launches of a few microseconds each, and Python needs longer than that for
each; a graph starts them all at once. A graph repeats addresses: what goes in is copied into fixed
buffers, and what the step assigns to its variables is copied back to where they were, inside the
graph. Numbers that Python computes (a learning rate, a random draw) are frozen into it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from minitensor.backend.cuda.device import CudaDevice

TRIALS = 2  # runs before the recording: kernels get loaded, memory pools filled


class Replay:
    """A recorded step. Calling it takes one step.

    What it returns is overwritten by the next step, and so is what was read from the variables.
    While it records, no other thread may use the device: arena and constants are the recording's.
    """

    def __init__(self, device: CudaDevice, step: Callable[..., Any], variables: Sequence[Any],
                 inputs: Sequence[Any]) -> None:  # fmt: skip
        self._step, self._variables = step, variables
        self._inputs = [type(tensor)(tensor.array.copy()) for tensor in inputs]
        self._buffers = [variable.array.copy() for variable in variables]
        cuda = device.xp.cuda
        self._pool = cuda.MemoryPool()  # the graph's own: nobody else is handed its addresses
        self._stream = cuda.Stream(non_blocking=True)
        self._constants: dict[Any, Any] = {}
        cuda.Device().synchronize()
        usual, device.arena, device.constants = device.arena, device.new_arena(), self._constants
        try:
            with cuda.using_allocator(self._pool.malloc), self._stream:
                for _ in range(TRIALS):
                    self._reset_variables()
                    step(*self._inputs)
                self._stream.synchronize()
                self._graph = self._recorded()
        finally:
            device.arena, device.constants = usual, None
            self._reset_variables()
        self._stream.synchronize()

    def __call__(self, *inputs: Any) -> Any:
        """One step on `inputs`, arrays of the shapes that the recording saw."""
        for buffer, value in zip(self._inputs, inputs, strict=True):
            if (value.shape, value.dtype) != (buffer.shape, buffer.dtype):
                raise ValueError(
                    f"the recorded step takes {buffer.dtype} of shape {tuple(buffer.shape)}, "
                    f"got {value.dtype} of shape {tuple(value.shape)}; record another for it"
                )
            buffer.array[...] = value.array
        for variable, buffer in zip(self._variables, self._buffers, strict=True):
            if variable.array is not buffer:  # somebody assigned to it since
                buffer[...] = variable.array
                variable.array = buffer
        self._graph.launch()
        return self._outputs

    def _reset_variables(self) -> None:
        """The variables are what they were before the trial runs, each in a buffer of its own."""
        for variable, buffer in zip(self._variables, self._buffers, strict=True):
            variable.array = buffer

    def _recorded(self) -> Any:
        self._reset_variables()
        self._stream.begin_capture()
        try:
            self._outputs = self._step(*self._inputs)
            for variable, buffer in zip(self._variables, self._buffers, strict=True):
                buffer[...] = variable.array
        except BaseException:
            with suppress(Exception):  # the first error says more than the broken capture
                self._stream.end_capture()
            raise
        return self._stream.end_capture()


def capture(
    device: CudaDevice, step: Callable[..., Any], variables: Sequence[Any], inputs: Sequence[Any]
) -> Replay:
    """Records `step(*inputs)` and returns what repeats it.

    Args:
        step: a function of tensors that assigns to `variables` and returns tensors; it may read
            nothing back to the CPU.
        variables: every variable that the step assigns to, the optimizer's too; anything with an
            `array`.
        inputs: tensors of the right shapes and dtypes; their numbers do not matter.

    Returns:
        A function of as many tensors, which takes one step. The trial runs leave no trace.
    """
    return Replay(device, step, variables, inputs)
