"""What is shipped: wheel, sdist and editable installs carry the same package, and it runs."""

from __future__ import annotations

import re
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


def test_the_wheel_carries_every_file_of_the_package_the_kernels_and_the_lessons(
    wheel: Path,
) -> None:
    shipped = set(zipfile.ZipFile(wheel).namelist())
    here = {
        str(file.relative_to(ROOT))
        for file in (ROOT / "minitensor").rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    kernels = {f"minitensor/kernels/{file.name}" for file in (ROOT / "kernels").iterdir()}
    lessons = {f"minitensor/lessons/{file.name}" for file in (ROOT / "lessons").glob("*.py")}
    made = {f"minitensor/lessons/results/{n}" for n in ("transfer.json", "vgg13_features.npz")}
    assert here | kernels | lessons | made <= shipped


def test_the_wheel_needs_numpy_only(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    metadata = next(n for n in archive.namelist() if n.endswith("METADATA"))
    lines = archive.read(metadata).decode().splitlines()
    needed = [line for line in lines if line.startswith("Requires-Dist") and "extra ==" not in line]
    assert needed == ["Requires-Dist: numpy>=2.0"]


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ('{"url": "file:///home/me/my%20code/engine"}', "/home/me/my code/engine[gpu]"),
        ('{"url": "file:///tmp/some.whl"}', "/tmp/some.whl[gpu]"),
        (None, "minitensor-conv[gpu]"),
    ],
)
def test_an_installed_package_says_how_to_get_its_extras_from_where_it_came(
    wheel: Path, tmp_path: Path, note: str | None, said: str
) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    if note is not None:
        (next(tmp_path.glob("*.dist-info")) / "direct_url.json").write_text(note)
    ask = "from minitensor.extras import install; print(install('gpu'))"
    env = {"PYTHONPATH": str(tmp_path), "PATH": ""}
    run = [sys.executable, "-c", ask]
    told = subprocess.run(run, cwd=tmp_path, env=env, check=True, capture_output=True, text=True)
    assert told.stdout == f"pip install '{said}'\n"


def test_nothing_names_the_package_of_somebody_else() -> None:
    """`minitensor` on PyPI is not this project: no text may tell a person to install it."""
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    hint = re.compile(r"pip install\W+minitensor\b(?!-conv)|minitensor\[\w")
    files = [ROOT / name for name in tracked.stdout.split() if not name.endswith((".npz", ".gz"))]
    texts = {file: file.read_text(errors="ignore") for file in files if file.is_file()}
    assert not [str(file) for file, text in texts.items() if hint.search(text)]


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
