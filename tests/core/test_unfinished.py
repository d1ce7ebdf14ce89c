"""What `minitensor new` leaves to write is written: no TODO is in the package or in a kernel."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("minitensor", "kernels", "tests/kernels", "tests/keras")
SKELETONS = ROOT / "minitensor" / "new"  # the texts themselves
LEFT = re.compile(r'TODO:? ?(?P<todo>.*)|NotImplementedError\("(?P<raised>[^"]*: write [^"]*)"')


def left(file, text):
    """`file:line: what is to be written`, for each place."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := LEFT.search(line):
            words = found["todo"] or found["raised"]
            yield f"{file}:{number}: {words.rstrip('.' + chr(34))}"


def test_nothing_is_left_to_write():
    found = []
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".cu", ".cuh", ".md") and SKELETONS not in path.parents:
                found += left(path.relative_to(ROOT), path.read_text(encoding="utf-8"))
    assert not found, "still to be written:\n" + "\n".join(found)


def test_what_is_left_is_told_with_file_and_line():
    text = 'x = 1\n    """TODO: the formula."""\nraise NotImplementedError("f: write it in f.py")\n'
    assert list(left("f.py", text)) == ["f.py:2: the formula", "f.py:3: f: write it in f.py"]
