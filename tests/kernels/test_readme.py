"""kernels/README.md: every file is in its table, and what it tells a newcomer to type works."""

import re
from pathlib import Path

import pytest

KERNELS = Path(__file__).parents[2] / "kernels"
BACKEND = KERNELS.parent / "minitensor" / "backend"
README = (KERNELS / "README.md").read_text()
TABLE = README.partition("<!-- kernels:begin -->")[2].partition("<!-- kernels:end -->")[0]
FILES = sorted(path.name for path in KERNELS.glob("*.cu"))
HEADERS = sorted(path.name for path in KERNELS.glob("*.cuh"))


@pytest.mark.parametrize("name", FILES)
def test_every_kernel_file_has_its_row(name):
    assert f"[{name}]({name})" in TABLE


@pytest.mark.parametrize("name", HEADERS)
def test_every_header_is_named(name):
    assert f"[{name}]({name})" in README


def test_the_table_names_no_file_that_is_not_there():
    assert set(re.findall(r"\]\((\w+\.cu)\)", TABLE)) == set(FILES)
    columns = [row.split("|")[4:6] for row in TABLE.strip().splitlines()[2:]]
    for folder, cells in zip(("host", "numpy"), zip(*columns, strict=True), strict=True):
        for name in re.findall(r"`(\w+\.py)`", " ".join(cells)):
            assert (BACKEND / folder / name).is_file(), f"{folder}/{name}"


@pytest.mark.parametrize("name", FILES)
def test_every_kernel_file_opens_by_saying_what_a_thread_does(name):
    assert "thread" in (KERNELS / name).read_text().partition("#include")[0] or name in (
        "conv_tensor_f16.cu",  # both point to conv_tensor.cuh
        "conv_tensor_tf32.cu",
    )
