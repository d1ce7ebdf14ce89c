"""Convolutions in tiles of registers: Python that numba compiles, beside the plain definitions.

`direct` and `filter_grad` are the three convolutions, `registers` what they are written in. To
import this room loads numba; nobody does before it is asked for.
"""

from minitensor.backend.numpy.compiled.direct import conv2d, conv2d_transpose
from minitensor.backend.numpy.compiled.filter_grad import conv2d_kernel_grad

__all__ = ["conv2d", "conv2d_kernel_grad", "conv2d_transpose"]
