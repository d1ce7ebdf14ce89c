"""Two knobs of the conv engine: which algorithm, and how much scratch memory it may take.

`algorithm` pins one for a block of code (lessons, tests, timings); left alone, every backend
chooses by shape. `workspace_limit` bounds the scratch of ONE conv call, whatever the batch.
Every algorithm gives the same numbers up to rounding, so neither knob changes a result.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

ALGORITHMS = ("direct", "im2col", "matrix", "depthwise")

_pinned: ContextVar[str | None] = ContextVar("algorithm", default=None)
_workspace_bytes = 64 * 2**20


@contextmanager
def algorithm(name: str) -> Iterator[None]:
    """Compute every convolution inside the `with` block by one algorithm.

    "direct" loops over the taps of the kernel: the definition. "im2col" multiplies a matrix of
    patches by the kernel, block by block. "matrix" builds the explicit W' with y = W' x.
    "depthwise" multiplies and adds whole rows; it serves groups == channels only.

    Args:
        name: one of `ALGORITHMS`.

    Raises:
        ValueError: another name; or, when a conv runs, an algorithm that cannot serve its shape.

    Example:
        >>> with algorithm("direct"):
        ...     pinned_algorithm()
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
        >>> set_workspace_limit(64 * 2**20)
    """
    global _workspace_bytes
    if not isinstance(size, int) or isinstance(size, bool):
        raise TypeError(f"set_workspace_limit: size must be an integer of bytes, got {size!r}")
    if size <= 0:
        raise ValueError(f"set_workspace_limit: got {size} bytes; the limit must be positive.")
    _workspace_bytes = size
