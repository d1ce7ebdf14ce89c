"""What keras.ops has and this mirror leaves out. Reasons, and what is nearest: `stays_out.py`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from minitensor.missing import refused
from minitensor.stays_out import topic_of

LEFT_OUT = {
    *("fft", "fft2", "ifft2", "rfft", "irfft", "stft", "istft"),
    *("polar", "view_as_complex", "view_as_real"),
    *("cholesky", "cholesky_inverse", "det", "eig", "eigh", "inv", "logdet", "lstsq", "lu_factor"),
    *("matrix_rank", "pinv", "qr", "slogdet", "solve", "solve_triangular", "svd"),
    *("ctc_decode", "ctc_loss"),
}


def refusing(module: str) -> Callable[[str], Any]:
    """The `__getattr__` of a module: a name that is not there, with the reason if there is one."""

    def refuse(name: str) -> Any:
        topic = topic_of(f"keras.ops.{name}") if name in LEFT_OUT else None
        if topic is not None:
            why = f"{topic.title} are left out: {topic.why}; {topic.instead}"
            raise AttributeError(f"minitensor has no {module}.{name}: {why}")
        raise refused(f"tf.{module}", name, dir(sys.modules[f"minitensor.{module}"]))

    return refuse
