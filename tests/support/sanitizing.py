"""The environment of a process that runs kernels in one of the emulator's builds."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIBRARIES = {"asan": ("libasan.so", "libubsan.so"), "tsan": ("libtsan.so",)}


def environment(kind):
    """For a build of the kernels; a sanitizer's library is loaded before all others."""
    return {
        **os.environ,
        "MINITENSOR_EMULATOR": kind,
        "LD_PRELOAD": " ".join(map(_path, LIBRARIES.get(kind, ()))),
        "ASAN_OPTIONS": "detect_leaks=0",  # Python's own
        "OPENBLAS_NUM_THREADS": "1",  # else ThreadSanitizer reports NumPy's
        "PYTHONPATH": f"{ROOT}:{ROOT / 'tests' / 'support'}:{ROOT / 'tests' / 'kernels'}",
    }


def _path(library):
    command = ["g++", f"-print-file-name={library}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
