"""Programs on several ranks, for tests: `run(2, "program.py", "argument")`.

The `mpiexec` beside this Python starts them; with MINITENSOR_MPIEXEC=/path/to/mpiexec another one
does, with the Python that lies beside it: so all these tests run under Open MPI too.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]
_GIVEN = os.environ.get("MINITENSOR_MPIEXEC")
MPIEXEC = Path(_GIVEN) if _GIVEN else Path(sys.executable).parent / "mpiexec"
PYTHON = str(MPIEXEC.parent / "python") if _GIVEN else sys.executable
# the test extra brings it; who has no mpiexec sees why they are not run
needs_mpi = pytest.mark.skipif(not MPIEXEC.exists(), reason="no mpiexec: pip install -e '.[mpi]'")


def is_open_mpi():
    """Whether that mpiexec is Open MPI's."""
    version = [str(MPIEXEC), "--version"]
    return "Open MPI" in subprocess.run(version, capture_output=True, text=True).stdout


def environment(**also):
    """One thread for each rank: four of them share two cores."""
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "NUMBA")}
    return {**os.environ, "PYTHONPATH": str(ROOT), **threads, **also}


def command(size, *program, python=PYTHON):
    """What starts `size` ranks of a program."""
    crowded = ["--allow-run-as-root", "--map-by", ":OVERSUBSCRIBE"] if is_open_mpi() else []
    run = [python, "-m", "minitensor", "run"]
    return [str(MPIEXEC), *crowded, "-n", str(size), *run, *map(str, program)]


def run(size, *program, seconds=60, meanwhile=None, python=PYTHON, **also):
    """Runs it to the end.

    Args:
        meanwhile: called with the process of mpiexec while it runs; what it returns is `.met`.

    Returns: returncode, text (of stdout and stderr), seconds, met.
    """
    with tempfile.TemporaryFile("w+") as said:
        begun = time.monotonic()
        process = subprocess.Popen(
            command(size, *program, python=python),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            env=environment(**also),
            start_new_session=True,
        )
        try:
            met = meanwhile(process) if meanwhile else None
            process.wait(seconds)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        took = time.monotonic() - begun
        said.seek(0)
        text = said.read().replace("\0", "")
    return SimpleNamespace(returncode=process.returncode, text=text, seconds=took, met=met)
