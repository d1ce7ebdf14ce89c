"""`minitensor check`: fourteen mistakes in a kernel that is not ours, each told in words."""

import argparse
import json
import re
import subprocess
import sys

import pytest
from sanitizing import environment

from minitensor.explain import check

GAP = """\
#include <cuda_runtime.h>
template <typename T> __global__ void gap(const T* x, T* y, int positions, int channels) {
    __shared__ float part[32][4];
    __shared__ float first;
    const int c = threadIdx.x, row = threadIdx.y, n = blockIdx.x;
    float sum = 0;
    for (int p = row; p < positions; p += 4) sum += x[(n * positions + p) * channels + c];
    part[c][row] = sum;
    if (c == 0 && row == 0) first = x[n * positions * channels];
    __syncthreads();
    if (row == 0) {
        float total = 0;
        for (int r = 0; r < 4; ++r) total += part[c][r];
        part[c][0] = total / positions;
    }
    __syncthreads();
    if (row == 1) y[n * channels + c] = part[c][0] + 0 * first;
}
"""
LAUNCH = [
    *("--launch", "gap<float>", "--grid", "2", "--block", "32,4"),
    *("--arg", "x=randn:2,49,32", "--arg", "y=empty:2,32", "--arg", "49", "--arg", "32"),
]
WRITE = "    part[c][row] = sum;"
STORE = "    if (row == 1) y[n * channels + c] ="
SUM = "    float sum = 0;"
LAST = "    __syncthreads();\n    if (row == 1)"
FAULTS = {  # what stands there -> what is written instead, and what must be said of it
    "first barrier": ("__syncthreads();\n    if (row == 0)", "if (row == 0)", "a race"),
    "second barrier": (LAST, "    if (row == 1)", "a race"),
    "nobody wrote": ("if (c == 0 && row == 0) first", "if (c == 99) first", "nobody wrote"),
    "two write": (WRITE, "    part[c][row / 2] = sum;", "a race"),
    "no atomic": (STORE, "    y[n * channels + c / 2] +=", "order of threads"),
    "not written": ("if (row == 1) y", "if (row == 1 && c != 7) y", "y[0, 7] and 1 more: never"),
    "wrong index": ("c] = part[c][0]", "c] = part[c ^ 1][0]", "the reference has"),
    "beyond x": ("p = row; p < positions", "p = row; p <= positions", "reads at byte"),
    "before x": ("+ p) * channels", "+ p - 1) * channels", "reads at byte -4 of x"),
    "beyond y": (STORE, "    if (row == 1) y[n * channels + c + 1] =", "writes at byte 256 of y"),
    "beyond shared": ("total += part[c][r]", "total += part[c + 1][r]", "out of bounds"),
    "in a branch": (LAST, f"    if (c < 16) {LAST.lstrip()}", "divergence"),
    "early return": (SUM, f"    if (c > 30) return;\n{SUM}", "others never reach"),
    "no call": (LAST, LAST.replace("()", ""), "__syncthreads without () does nothing"),
    "no end": (SUM, f"{SUM}\n    while (positions) sum += 1;", "endless"),
    "syntax": (SUM, SUM[:-1], "error: expected"),
}


@pytest.fixture
def checked(tmp_path):
    """Findings for a kernel's text."""
    printing = "print('loaded', end='')\ndef gap(x, y, n, c):\n    print(c)\n    return x.mean(1)\n"
    (tmp_path / "mine.py").write_text(printing)  # what it prints is no finding

    def check(text, *more):
        (tmp_path / "gap.cu").write_text(text)
        return told(tmp_path, "gap.cu", *LAUNCH, "--against", "mine.py:gap", *more)["findings"]

    return check


def told(folder, *words):
    """What the command says of a file in a folder."""
    command = [sys.executable, "-m", "minitensor", "check", *words, "--json", "--seconds", "10"]
    env = environment("checked") | {"LD_PRELOAD": ""}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    found = json.loads(done.stdout)
    assert found["right"] == (not found["findings"]) == (done.returncode == 0)
    return found


def test_nothing_is_said_of_a_kernel_that_is_right(checked):
    assert checked(GAP) == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_mistake_is_told_in_words(name, checked):
    old, new, word = FAULTS[name]
    assert GAP.count(old) == 1
    found = checked(GAP.replace(old, new))
    assert any(word in line for line in found), found


def test_a_race_names_both_threads(checked):
    old, new, _ = FAULTS["first barrier"]
    who = r"block \(([01]), 0, 0\), thread \(\d+, \d, 0\)"
    says = (
        rf"gap.cu:\d+, {who}: a race: it (read|write)s part, which {who} (read|write)s in gap.cu:"
    )
    found = [re.match(says, line) for line in checked(GAP.replace(old, new))]
    assert any(one and one[1] == one[3] for one in found)  # shared memory is one block's


def test_of_a_large_grid_neighbours_and_far_blocks_are_watched_for_races():
    settings = argparse.Namespace(grid=(10**5,), block=(256,))
    watched = check._watched(settings)
    assert watched[:100] == tuple(range(100))
    assert watched[-1] == 10**5 - 1
    assert 150 < len(watched) <= 256
    assert check._watched(argparse.Namespace(grid=(3, 2), block=(32,))) == tuple(range(6))


def test_a_race_between_neighbours_of_a_large_grid_is_told(tmp_path):
    (tmp_path / "many.cu").write_text(
        "__global__ void many(float* y) { if (!threadIdx.x) y[blockIdx.x / 2] += 1; }\n"
    )
    words = ["--launch", "many", "--grid", "4000", "--block", "64", "--arg", "zeros:2000"]
    found = told(tmp_path, "many.cu", *words)
    assert found["watched for races"] < found["blocks"] == 4000
    assert any("a race" in line and "many.cu:1" in line for line in found["findings"])
