"""The kernels under the sanitizers of a CPU: every kernel at least once, on small sizes.

    pytest -m sanitize        AddressSanitizer with UBSan, then ThreadSanitizer: some minutes

AddressSanitizer sees accesses outside global, static and dynamic shared memory, UBSan misaligned
and overflowing ones, ThreadSanitizer two threads at one address that no barrier orders. On a GPU
compute-sanitizer does the same work (benchmarks/on_gpu.py).
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIBRARIES = {"asan": ("libasan.so", "libubsan.so"), "tsan": ("libtsan.so",)}


def preloaded(kind):
    """Paths of the sanitizer's libraries, for LD_PRELOAD."""
    paths = [
        subprocess.run(["g++", f"-print-file-name={name}"], capture_output=True, text=True)
        for name in LIBRARIES[kind]
    ]
    return " ".join(path.stdout.strip() for path in paths)


@pytest.mark.sanitize
@pytest.mark.parametrize("kind", LIBRARIES)
def test_every_kernel_is_clean_under(kind):
    env = {
        **os.environ,
        "MINITENSOR_EMULATOR": kind,
        "LD_PRELOAD": preloaded(kind),
        "ASAN_OPTIONS": "detect_leaks=0",  # Python's own
        "OPENBLAS_NUM_THREADS": "1",  # else ThreadSanitizer reports NumPy's
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "benchmarks.sanitize_set", "--device", "emulator"]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    assert "Sanitizer" not in done.stderr, done.stderr[-4000:]
