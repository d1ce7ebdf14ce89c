"""`minitensor check` on twenty kernels of other styles: what is right gets no word, mistakes do."""

import json
import re
import subprocess
import sys

import pytest
from kernel_styles import STYLES, Style
from sanitizing import environment

QUICK = {"tree reduction", "layer norm", "looked up"}  # the others: pytest -m slow
AS_GOOD = ""  # another way to write it, of which nothing is to be said


def cases():
    """Each style by itself, and with each of its mistakes."""
    for name, style in STYLES.items():
        for old, new, word in [("", "", AS_GOOD), *style.mistakes]:
            marks = () if name in QUICK else pytest.mark.slow
            what = "right" if not old else f"{old.strip()} -> {new.strip() or 'nothing'}"
            yield pytest.param(style, old, new, word, marks=marks, id=f"{name}: {what}"[:80])


@pytest.fixture
def findings(tmp_path):
    """What is said of a style with a text of its own, by name of its parameters."""

    def check(style, text):
        parameters = re.search(r"__global__ void \w+\((.*?)\) \{", style.text, re.DOTALL)[1]
        names = ", ".join(re.findall(r"(\w+)(?:,|$)", parameters))
        function = f"import numpy as np\ndef right({names}):\n    {style.reference}\n"
        (tmp_path / "mine.py").write_text(function)
        (tmp_path / "k.cu").write_text(text)
        words = ["k.cu", *style.launch.split(), "--against", "mine.py:right", "--json"]
        done = subprocess.run(
            [sys.executable, "-m", "minitensor", "check", *words, "--seconds", "20"],
            cwd=tmp_path,
            env=environment("checked") | {"LD_PRELOAD": ""},
            capture_output=True,
            text=True,
        )
        assert done.returncode in (0, 1), done.stderr
        return json.loads(done.stdout)["findings"]

    return check


@pytest.mark.parametrize(("style", "old", "new", "word"), list(cases()))
def test_a_mistake_gets_its_word_and_no_mistake_none(style, old, new, word, findings):
    assert not old or style.text.count(old) == 1
    found = findings(style, style.text.replace(old, new) if old else style.text)
    if word == AS_GOOD:
        assert found == []
    else:
        assert any(word in line for line in found), found


def test_a_race_between_blocks_names_the_element_and_both_threads(findings):
    """The first block's threads are gone when the second's write what they wrote."""
    style = STYLES["grid stride"]
    found = findings(style, style.text.replace("i += blockDim.x * gridDim.x", "i += blockDim.x"))
    (race,) = (line for line in found if "a race" in line)
    one, other = (
        r"block \(1, 0, 0\), thread \(\d+, 0, 0\)",
        r"block \(0, 0, 0\), thread \(\d+, 0, 0\)",
    )
    says = rf"k.cu:3, {one}: a race: it \w+ y\[\d+\], which {other} writes in k.cu:3: no barrier"
    assert re.match(says, race), race


def test_a_load_behind_the_end_is_told_though_the_result_is_right(findings):
    """13 ints end between multiples of 16 bytes: no guard lies there, and min hides the value."""
    style = Style(
        """\
__global__ void low(const int* x, int* y) {
    const int i = threadIdx.x;
    y[i] = x[i] + min(x[i + 1], 0);
}
""",
        "--grid 1 --block 13 --arg randint:9:13 --arg empty:13",
        "return x",
        (),
    )
    where = "k.cu:3, block (0, 0, 0), thread (12, 0, 0)"
    says = f"{where}: reads at byte 52 of x, which has 52 bytes: element 13, where 12 is the last"
    assert findings(style, style.text) == [says]


def test_there_are_twenty_styles_and_more_than_thirty_mistakes():
    told = [word for style in STYLES.values() for *_, word in style.mistakes if word != AS_GOOD]
    assert len(STYLES) == 20
    assert len(told) > 30
    assert len(set(told)) > 10
