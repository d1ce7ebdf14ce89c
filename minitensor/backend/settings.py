"""The knobs of the conv engine: which algorithm, how much scratch memory, how many digits.

`algorithm` pins one for a block of code (lessons, tests, timings); left alone, every backend
chooses by shape. `workspace_limit` bounds the scratch of ONE conv call, whatever the batch.
Every algorithm gives the same numbers up to rounding, so neither of the two changes a result.
Two do: `tensor_float_32` lets a GPU round the factors of float32 products to 10 bits, and
`conv_precision` lets the CPU take Winograd's algorithm, which is faster and rounds more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NoReturn

from minitensor.window import Window

ALGORITHMS = (
    *("direct", "im2col", "matrix", "depthwise", "tile"),  # NumPy's
    *("tiled", "register", "tensor", "winograd"),  # rungs of the kernels; NumPy has the last too
)

_pinned: ContextVar[str | None] = ContextVar("algorithm", default=None)
_workspace_bytes = 64 * 2**20
_tensor_float_32 = False
_conv_precision = "exact"


@contextmanager
def algorithm(name: str) -> Iterator[None]:
    """Compute every convolution inside the `with` block by one algorithm.

    "direct" loops over the taps of the kernel: the definition. "im2col" multiplies a matrix of
    patches by the kernel, block by block. "matrix" builds the explicit W' with y = W' x.
    "depthwise" multiplies and adds whole rows; it serves groups == channels only. "tile" keeps
    sums in registers and reads the image itself, in Python that numba compiles (extra `fast`); so
    does "winograd", which serves 3x3 windows of stride 1 (`set_conv_precision` tells its errors).

    The kernels of GPU and emulator have "direct", "im2col" and "depthwise" too, and the rungs of
    a ladder: "tiled" through shared memory, "register" with a tile per thread, "tensor" on tensor
    cores, "winograd".

    Which one a call of the CPU took is told to whoever asks:
    `logging.basicConfig(); logging.getLogger("minitensor").setLevel("DEBUG")`.

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


def refuse_shape(channels: int, dtype: Any, window: Window, needs: str) -> NoReturn:
    """Raises a ValueError: the pinned algorithm cannot serve such a conv, it `needs` others."""
    raise ValueError(
        f"algorithm({pinned_algorithm()!r}) was pinned for a conv with {channels} input channels "
        f"of {dtype} in {window.groups} groups, kernel {window.kernel}, stride {window.stride}, "
        f"dilation {window.dilation}; it serves {needs}, pin another or none."
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


def conv_precision() -> str:
    """What `set_conv_precision` set last, "exact" at first."""
    return _conv_precision


def set_conv_precision(precision: str) -> None:
    """Let 3x3 convolutions of stride 1 on a CPU be "fast", or "exact" as at first.

    "fast" takes Winograd's algorithm (extra `fast`) wherever the shape gains by it: half the
    multiplications or fewer, forward and in both gradients. The choice depends on the shape alone.

    In units of 2^-24 sum |x| |w|, the sum being that of one output, the largest error measured of
    float32 was 6 forward and in the gradient of x, and 7 in that of w; "exact" had 4. So it is
    with normally distributed numbers and 12 channels or more; of positive numbers it was 18,
    "exact" had 5. But 2x4 outputs are computed together
    from the 4x6 pixels that they see: the error goes with the largest of these, 5 units of the
    largest sum among such neighbours. Beside a pixel 10^4 times as large an output loses four
    digits more, and one whose pixels all are 0 becomes 1e-8 if another pixel of the 4x6 is not 0:
    the edge of a drawing on a black ground, or what ReLU has cut off. In the gradient of w the
    same holds for the channels of x and y that are 0 almost everywhere. What is infinite or NaN
    is computed exactly.

    Args:
        precision: "exact" or "fast".

    Raises:
        ValueError: another word.

    Example:
        >>> from minitensor.backend import settings
        >>> settings.set_conv_precision("fast")
        >>> settings.conv_precision()
        'fast'
        >>> settings.set_conv_precision("exact")
    """
    global _conv_precision
    if precision not in ("exact", "fast"):
        raise ValueError(f"set_conv_precision: got {precision!r}; it must be 'exact' or 'fast'.")
    _conv_precision = precision
