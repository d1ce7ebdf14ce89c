"""Which backends are tested here: numpy and emulator always, cuda where a GPU is.

MINITENSOR_BACKENDS="numpy,emulator,cuda" names those that must be there: the run fails if one is
not, and the others are left out.
"""

import os

from minitensor.backend import devices


def wanted(names=None, lack_of=devices.lack_of):
    """The names of the backends to test; an error if one of them cannot run here."""
    if names:
        chosen = [name.strip() for name in names.split(",")]
    else:
        chosen = ["numpy", "emulator", *([] if lack_of("GPU") else ["cuda"])]
    for name in chosen:
        if name not in devices.BACKENDS.values():
            raise ValueError(f"MINITENSOR_BACKENDS names {name}, which is no backend")
        if lack := lack_of(devices.kind_of_backend(name)):
            raise RuntimeError(f"the backend {name} must be tested, but here {lack}")
    return chosen


NAMES = wanted(os.environ.get("MINITENSOR_BACKENDS"))
KERNEL_BACKENDS = [name for name in NAMES if name != "numpy"]
