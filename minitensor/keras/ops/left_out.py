"""What keras.ops has and this mirror leaves out: names, with the reason and the nearest thing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from minitensor.missing import refused

_FFT = "the transforms of Fourier are left out; numpy.fft has them"
_COMPLEX = "complex numbers are left out, all tensors are real; NumPy has them"
_MATRICES = "decompositions and inverses are left out; numpy.linalg and scipy.linalg have them"
_SEQUENCES = "what aligns sequences is left out, as recurrent layers are"
LEFT_OUT = {
    **dict.fromkeys(("fft", "fft2", "ifft2", "rfft", "irfft", "stft", "istft"), _FFT),
    **dict.fromkeys(("polar", "view_as_complex", "view_as_real"), _COMPLEX),
    **dict.fromkeys(("cholesky", "cholesky_inverse", "det", "eig", "eigh", "inv"), _MATRICES),
    **dict.fromkeys(("logdet", "lstsq", "lu_factor", "matrix_rank", "pinv", "qr"), _MATRICES),
    **dict.fromkeys(("slogdet", "solve", "solve_triangular", "svd"), _MATRICES),
    **dict.fromkeys(("ctc_decode", "ctc_loss"), _SEQUENCES),
}


def refusing(module: str) -> Callable[[str], Any]:
    """The `__getattr__` of a module: a name that is not there, with the reason if there is one."""

    def refuse(name: str) -> Any:
        if name in LEFT_OUT:
            raise AttributeError(f"minitensor has no {module}.{name}: {LEFT_OUT[name]}")
        raise refused(f"tf.{module}", name, dir(sys.modules[f"minitensor.{module}"]))

    return refuse
