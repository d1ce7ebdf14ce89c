"""What is shipped: wheel, sdist and editable installs carry the same package, and it runs."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def build(kind: str, out: Path) -> Path:
    command = [sys.executable, "-m", "build", "--no-isolation", f"--{kind}", "-o", str(out), "."]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(out.iterdir())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", tmp_path_factory.mktemp("wheel"))


def test_the_wheel_carries_every_file_of_the_package_and_the_kernels(wheel: Path) -> None:
    shipped = set(zipfile.ZipFile(wheel).namelist())
    here = {
        str(file.relative_to(ROOT))
        for file in (ROOT / "minitensor").rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    kernels = {f"minitensor/kernels/{file.name}" for file in (ROOT / "kernels").iterdir()}
    assert here | kernels <= shipped


def test_the_wheel_needs_numpy_only(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    metadata = next(n for n in archive.namelist() if n.endswith("METADATA"))
    lines = archive.read(metadata).decode().splitlines()
    needed = [line for line in lines if line.startswith("Requires-Dist") and "extra ==" not in line]
    assert needed == ["Requires-Dist: numpy>=2.0"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["wheel", "sdist", "editable"])
def test_an_install_trains_and_checks_parity_outside_the_checkout(
    kind: str, tmp_path: Path
) -> None:
    source = ROOT if kind == "editable" else build(kind, tmp_path / "dist")
    venv.create(tmp_path / "venv", with_pip=True)
    bin_ = tmp_path / "venv" / "bin"
    editable = ["-e"] if kind == "editable" else []
    run = {"cwd": tmp_path, "check": True}
    subprocess.run([bin_ / "pip", "install", "-q", *editable, f"{source}[train,parity]"], **run)
    subprocess.run([bin_ / "minitensor", "train", "--epochs", "1"], **run)
    subprocess.run([bin_ / "minitensor", "parity", "--recorded", "--op", "conv2d"], **run)
