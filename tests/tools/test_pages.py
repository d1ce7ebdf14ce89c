"""README and docs say what was measured, their programs run, their links lead somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks import tables  # noqa: E402  (a checkout's folder, not an installed package)
from minitensor.new import kernel, op  # noqa: E402

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted((ROOT / "docs").rglob("*.md"))
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")


@pytest.mark.parametrize("page", tables.PAGES)
def test_every_table_is_the_generated_one(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert tables.filled(text, tables.PAGES[page]) == text


def test_there_are_exactly_two_commands_for_a_fresh_machine() -> None:
    assert README.count("```bash") == 2


def blocks(text: str) -> list[str]:
    """The Python programs of a page."""
    return [part.partition("```")[0] for part in text.split("```python\n")[1:]]


def run(program: str, folder: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("block", blocks(README), ids=lambda block: block.splitlines()[0])
def test_every_python_block_of_the_readme_runs(block: str, tmp_path: Path) -> None:
    run(block, tmp_path)


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p.read_text())], ids=lambda p: p.stem)
def test_the_python_of_a_page_runs_from_top_to_bottom(page: Path, tmp_path: Path) -> None:
    run("\n".join(blocks(page.read_text(encoding="utf-8"))), tmp_path)


MADE = {  # by docs/explorer.py and docs/lessons.py, while the site is built
    "explorer.html",
    *(f"lessons/{file.stem}.html" for file in (ROOT / "lessons").glob("[0-9][0-9]_*.py")),
}


def test_every_linked_file_exists() -> None:
    dead = [
        f"{page.name}: {link}"
        for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES]
        for link in LINK.findall(page.read_text(encoding="utf-8"))
        if "://" not in link and link not in MADE and not (page.parent / link).exists()
    ]
    assert not dead


# What `minitensor new` writes for the example of how-to-add.md.
WRITTEN = {
    change.path for change in (*op.file_changes("cubed", False), *kernel.file_changes("cubed"))
}


def test_every_file_that_is_written_for_an_op_or_a_kernel_is_listed() -> None:
    text = (ROOT / "docs" / "how-to-add.md").read_text(encoding="utf-8")
    packages = {f"minitensor/backend/{name}/__init__.py" for name in ("numpy", "emulator", "cuda")}
    assert not [path for path in WRITTEN - packages if f"`{path}`" not in text]
    assert "`__init__.py` of `backend/numpy`, `emulator`, `cuda`" in text


def test_every_file_that_a_page_names_exists() -> None:
    """`nn/conv.py` is a file of the package, `kernels/conv_direct.cu` one of the checkout."""
    named = {
        f"{page.name}: {name}"
        for page in PAGES
        for name in re.findall(r"`([\w/]+/[\w/]+\.(?:py|cu|md))`", page.read_text(encoding="utf-8"))
        if not any((top / name).exists() for top in (ROOT, ROOT / "minitensor"))
        if not {name, f"minitensor/{name}"} & WRITTEN
    }
    assert not named


def words(picture: Path) -> list[str]:
    """The texts of an SVG."""
    return [*ElementTree.parse(picture).getroot().itertext()]


def test_the_pictures_of_explain_are_what_it_draws_now(tmp_path: Path) -> None:
    """Their words and numbers; where lines lie depends on matplotlib's version."""
    subprocess.run([sys.executable, ROOT / "docs" / "images.py", tmp_path], check=True,
                   env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
    for kept in (ROOT / "docs" / "images").glob("*.svg"):
        new = tmp_path / kept.name
        assert words(new) == words(kept)
    animation = ROOT / "docs" / "images" / "conv2d.gif"
    with Image.open(animation) as frames:
        assert frames.n_frames == 9  # a frame for each output
    assert animation.stat().st_size < 300_000
