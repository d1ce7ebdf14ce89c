"""kernels/README.md: every file is in its table, and what it tells a newcomer to type works."""

import re
from pathlib import Path

from minitensor.backend.host import source

KERNELS = Path(__file__).parents[2] / "kernels"
BACKEND = KERNELS.parent / "minitensor" / "backend"
README = (KERNELS / "README.md").read_text()
TABLE = README.partition("<!-- kernels:begin -->")[2].partition("<!-- kernels:end -->")[0]
FILES = source.files()
HEADERS = sorted(path.name for path in KERNELS.glob("*.cuh"))


def test_every_kernel_file_has_its_row_and_every_header_is_named():
    assert [name for name in FILES if f"[{name}]({name})" not in TABLE] == []
    assert [name for name in HEADERS if f"[{name}]({name})" not in README] == []


def test_the_table_names_no_file_that_is_not_there():
    assert set(re.findall(r"\]\((\w+\.cu)\)", TABLE)) == set(FILES)
    columns = [row.split("|")[4:6] for row in TABLE.strip().splitlines()[2:]]
    for folder, cells in zip(("host", "numpy"), zip(*columns, strict=True), strict=True):
        for name in re.findall(r"`(\w+\.py)`", " ".join(cells)):
            assert (BACKEND / folder / name).is_file(), f"{folder}/{name}"


def test_every_kernel_file_opens_by_saying_what_a_thread_does():
    silent = [
        name
        for name in FILES
        if "thread" not in (KERNELS / name).read_text().partition("#include")[0]
    ]
    assert silent == ["conv_tensor_f16.cu", "conv_tensor_tf32.cu"]  # they point to conv_tensor.cuh
