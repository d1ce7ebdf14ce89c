"""No compiled kernel reads or writes outside the arrays it is given: `support/guarded.py` looks.

In a process of its own, which a stray access ends: what it was about is in its report. Some calls
here, of all sizes but few tiles; with `-m sanitize` all, and a fault in each kind of kernel.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("numba", reason="numba compiles these kernels")

SUPPORT = Path(__file__).parents[1] / "support"
MINUTES = pytest.mark.sanitize
RUNS = [
    pytest.param("guards", "some"),
    pytest.param("guards", "all", marks=MINUTES),
    pytest.param("bounds", "all", marks=MINUTES),
]


def guarded(*arguments: str, **told: str) -> subprocess.CompletedProcess:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(SUPPORT), *sys.path])} | told
    command = [sys.executable, str(SUPPORT / "guarded.py"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize(("way", "amount"), RUNS)
def test_no_kernel_leaves_its_arrays(way: str, amount: str, tmp_path: Path) -> None:
    told = {"NUMBA_BOUNDSCHECK": "1"} if way == "bounds" else {}
    done = guarded(way, amount, str(tmp_path / "report"), **told)
    said = (tmp_path / "report").read_text().strip() if (tmp_path / "report").exists() else ""
    assert done.returncode == 0, f"{said}: ended by {done.returncode}\n{done.stderr[-3000:]}"
    assert int(said.removesuffix(" calls")) > 500


@pytest.mark.parametrize("rows", ["0:3", pytest.param("3:15", marks=MINUTES)])
def test_a_fault_is_told_with_its_kernel_and_shapes(rows: str, tmp_path: Path) -> None:
    nowhere = {"MINITENSOR_CACHE": "/dev/null/nowhere"}  # so each is compiled
    done = guarded("faults", rows, str(tmp_path / "report"), **nowhere)
    found = done.stdout.strip().split("\n")
    assert len(found) == len(range(*map(int, rows.split(":")))), done.stderr[-3000:]
    for line in found:
        module = line.partition(" ")[0]
        seen_by = {"registers": "direct", "packing": "packing", "points": "winograd"}
        way, _, said = line.partition(": ")[2].partition(" ")
        assert way in ("-11", "-7", "1"), line
        assert said.startswith(f"{seen_by.get(module, module)}."), line
        assert "float32[" in said, line


def test_what_numba_is_told_has_code_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or checked code would be run unchecked, and the other way round."""
    from minitensor.backend.numpy.compiled import jit

    plain = jit.folder.__wrapped__()
    monkeypatch.setenv("NUMBA_BOUNDSCHECK", "1")
    assert jit.folder.__wrapped__() != plain
