"""The kernels under the sanitizers of a CPU: every kernel at least once, on small sizes.

    pytest -m sanitize        AddressSanitizer with UBSan, then ThreadSanitizer: some minutes

AddressSanitizer sees accesses outside global, static and dynamic shared memory, UBSan misaligned
and overflowing ones, ThreadSanitizer two threads at one address that no barrier orders. On a GPU
compute-sanitizer does the same work (benchmarks/on_gpu.py).
"""

import subprocess
import sys

import pytest
from sanitizing import LIBRARIES, ROOT, environment


@pytest.mark.sanitize
@pytest.mark.parametrize("kind", LIBRARIES)
def test_every_kernel_is_clean_under(kind):
    command = [sys.executable, "-m", "benchmarks.sanitize_set", "--device", "emulator"]
    done = subprocess.run(command, env=environment(kind), cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    assert "Sanitizer" not in done.stderr, done.stderr[-4000:]
