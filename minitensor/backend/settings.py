"""Three knobs of the conv engine: which algorithm, how much scratch memory, how many digits.

`algorithm` pins one for a block of code (lessons, tests, timings); left alone, every backend
chooses by shape. `workspace_limit` bounds the scratch of ONE conv call, whatever the batch.
Every algorithm gives the same numbers up to rounding, so neither of the two changes a result.
`tensor_float_32` does: a GPU may then round the factors of float32 products to 10 bits.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

ALGORITHMS = (
    *("direct", "im2col", "matrix", "depthwise", "tile"),  # NumPy's
    *("tiled", "register", "tensor", "winograd"),  # rungs of the kernels
)

_pinned: ContextVar[str | None] = ContextVar("algorithm", default=None)
_workspace_bytes = 64 * 2**20
_tensor_float_32 = False


@contextmanager
def algorithm(name: str) -> Iterator[None]:
    """Compute every convolution inside the `with` block by one algorithm.

    "direct" loops over the taps of the kernel: the definition. "im2col" multiplies a matrix of
    patches by the kernel, block by block. "matrix" builds the explicit W' with y = W' x.
    "depthwise" multiplies and adds whole rows; it serves groups == channels only. "tile" keeps
    sums in registers and reads the image itself, in Python that numba compiles (extra `fast`).

    The kernels of GPU and emulator have "direct", "im2col" and "depthwise" too, and the rungs of
    a ladder: "tiled" through shared memory, "register" with a tile per thread, "tensor" on tensor
    cores, "winograd" for 3x3 windows.

    Args:
        name: one of `ALGORITHMS`.

    Raises:
        ValueError: another name; or, when a conv runs, an algorithm that its backend does not
            have or that cannot serve its shape.

    Example:
        >>> from minitensor.backend import settings
        >>> with settings.algorithm("direct"):
        ...     settings.pinned_algorithm()
        'direct'
    """
    if name not in ALGORITHMS:
        raise ValueError(f"algorithm: got {name!r}; legal names are {', '.join(ALGORITHMS)}.")
    token = _pinned.set(name)
    try:
        yield
    finally:
        _pinned.reset(token)


def pinned_algorithm() -> str | None:
    """The name that `algorithm` pinned here, or None: choose by shape."""
    return _pinned.get()


def refuse_pinned(backend: str, has: Collection[str]) -> None:
    """Raises a ValueError if the pinned algorithm is none that this backend `has`."""
    pinned = pinned_algorithm()
    if pinned is not None and pinned not in has:
        raise ValueError(
            f"algorithm({pinned!r}) was pinned, which the {backend} backend does not have; "
            f"it has {', '.join(has)}."
        )


def workspace_limit() -> int:
    """Bytes of scratch one conv call may hold beside its inputs and its output; 64 MiB at first."""
    return _workspace_bytes


def set_workspace_limit(size: int) -> None:
    """Set `workspace_limit` to `size` bytes, for all threads.

    Blocks shrink to fit; the smallest block is one row of one output image, so a limit below
    that is exceeded rather than refused.

    Raises:
        TypeError: `size` is no integer.
        ValueError: `size` is not positive.

    Example:
        >>> from minitensor.backend import settings
        >>> settings.set_workspace_limit(64 * 2**20)
    """
    global _workspace_bytes
    if not isinstance(size, int) or isinstance(size, bool):
        raise TypeError(f"set_workspace_limit: size must be an integer of bytes, got {size!r}")
    if size <= 0:
        raise ValueError(f"set_workspace_limit: got {size} bytes; the limit must be positive.")
    _workspace_bytes = size


def tensor_float_32() -> bool:
    """Whether float32 products may run on tensor cores, which keep 10 bits of each factor."""
    return _tensor_float_32


def set_tensor_float_32(enabled: bool) -> None:
    """Set `tensor_float_32`, for all threads."""
    global _tensor_float_32
    _tensor_float_32 = bool(enabled)
