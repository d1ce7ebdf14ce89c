"""The puzzles: our solutions pass, and two wrong ones of each fail with the word that says why.

All kernels go into one file, so that each of the emulator's builds is made once.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sanitizing import environment

from minitensor.explain import check, puzzle

SOLUTIONS = Path(__file__).parent / "solutions"
PUZZLES = {p.name: p for p in puzzle.puzzles()}
WAIT = "__syncthreads();\n"
WRONG = {  # what stands in the solution, what instead, and what must be said of it
    "map": [
        ("2 * x[i] + 1", "2 * x[i]", "the reference has"),
        ("blockIdx.x * blockDim.x + threadIdx.x", "threadIdx.x", "never written"),
    ],
    "guard": [
        ("if (i < n) ", "", "reads at byte 400 of x"),
        ("i < n", "i < n - 1", "y[99]: never written"),
    ],
    "map_2d": [
        ("row < height && ", "", "y, which has 2240 bytes"),
        ("y[row * width", "y[row * height", "never written"),
    ],
    "grid_stride": [
        ("i += threads", "i += n", "and 871 more: never written"),
        (
            "for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += threads)",
            "const int each = (n + threads - 1) / threads,"
            " first = (blockIdx.x * blockDim.x + threadIdx.x) * each;\n"
            "    for (int i = first; i < n && i < first + each; ++i)",
            "sectors per request: 31",
        ),
    ],
    "gather": [
        (WAIT, "\n", "depends on the order of threads"),
        ("row[from[t]]", "x[blockIdx.x * 128 + from[t]]", "sectors per request: 1"),
    ],
    "stencil": [
        ("k < 64 + 6; k += 64", "k < 64; k += 64", "nobody wrote"),
        (
            "sum += tile[t + k]",
            "sum += first + t + k - 3 >= 0 && first + t + k - 3 < n ? x[first + t + k - 3] : 0",
            "reads of arrays per thread: ",
        ),
    ],
    "reduce": [
        (f"{WAIT}        if (t < half)", "if (t < half)", "a missing barrier"),
        (
            "if (t < half) part[t] += part[t + half]",
            "const int s = 128 / half;\n"
            "        if (2 * s * t < 256) part[2 * s * t] += part[2 * s * t + s]",
            "wavefronts of shared memory where one would do (bank conflicts): ",
        ),
    ],
    "dot": [
        ("by = 16;", "by = 8;", "the reference has"),
        (
            "sum += __shfl_down_sync(0xffffffff, sum, by)",
            "if (lane < by) sum += __shfl_down_sync(0xffffffff, sum, by)",
            "__shfl_down_sync",
        ),
    ],
    "scan": [
        (f": 0;\n        {WAIT}", ": 0;\n", "a missing barrier"),
        ("y[i] = sum[t]", "y[i] = t ? sum[t - 1] : 0", "the reference has"),
    ],
    "transpose": [
        ("tile[32][33]", "tile[32][32]", "where one would do (bank conflicts): 32"),
        (
            "= tile[t][r]",
            "= x[(top + t) * width + left + r]",
            "sectors per request: 32",
        ),
    ],
    "histogram": [
        ("atomicAdd(&count[x[i]], 1)", "++count[x[i]]", "a race"),
        (f"    if (t < 16) count[t] = 0;\n    {WAIT}", "", "nobody wrote"),
    ],
    "matmul": [
        (f"        {WAIT}    }}", "    }", "a race"),
        (
            "sum += as[ty][k] * bs[k][tx]",
            "sum += a[row * depth + k0 + k] * b[(k0 + k) * width + column]",
            "reads of arrays per thread: 1",
        ),
    ],
    "register_tile": [
        ("y[(top + ty + 4 * o)", "y[(top + 4 * ty + o)", "the reference has"),
        (
            "for (int k = 0; k < 16; ++k) {\n            const float right = bs[k][tx];\n"
            "            for (int o = 0; o < 4; ++o) sum[o] += as[ty + 4 * o][k] * right;\n",
            "for (volatile int o = 0; o < 4; o = o + 1) {\n"
            "            for (int k = 0; k < 16; ++k) sum[o] += as[ty + 4 * o][k] * bs[k][tx];\n",
            "uses of shared memory per thread: 544",
        ),
    ],
    "softmax": [
        ("expf(row[i] - most)", "expf(row[i])", "is nan, the reference has"),
        (f"    {WAIT.strip()}  // before part is written again\n", "", "a race"),
    ],
    "welford": [
        ("apart * apart * count * c / both", "0", "the reference has"),
        (
            "    for (int by",
            "    square = 0;\n    for (int i = lane; i < n; i += 32)"
            " square += (x[first + i] + shift - m) * (x[first + i] + shift - m);\n    for (int by",
            "reads of arrays per thread: 18.75",
        ),
    ],
    "batch_norm": [
        (
            "    float mean = 0",
            "    if (ty * 32 + t > 200) return;\n    float mean = 0",
            "others never reach",
        ),
        ("variance += part[k][t] / rows", "variance += part[k][t] / 8", "the reference has"),
    ],
    "im2col": [
        ("inside ? x", "w >= 0 && w < width ? x", "reads at byte -"),
        ("h = 2 * p + kh - 1", "h = 2 * p + kh", "the reference has"),
    ],
    "col2im": [
        (" || p2 % 2 || q2 % 2", "", "the reference has"),
        (
            "    x[i] = sum;",
            "    x[i] = sum;\n    x[i / 2 * 2] += 0;",
            "a race",
        ),
    ],
    "conv_direct": [
        (
            "filter[((kh * 3 + kw)",
            "filter[((8 - kh * 3 - kw)",
            "the reference has",
        ),
        (
            "const int o = i % outputs, q = i / outputs % out_width, p = i / outputs / out_width;",
            "const int q = i % out_width, p = i / out_width % 4, o = i / out_width / 4;\n"
            "    float* at = y + (p * out_width + q) * outputs + o;",
            "sectors per request: 16",
        ),
    ],
    "conv_tiled": [
        ("k < 340; k += 256", "k < 256; k += 256", "nobody wrote"),
        (WAIT, "\n", "a missing barrier"),
    ],
    "depthwise": [
        (" && w + 1 < width", "", "reads at byte 8192 of x"),
        (
            "sum += seen[kh][kw] * taps[kh][kw]",
            "sum += seen[kh][kw] * filter[(kh * 3 + kw) * channels + c]",
            "reads of arrays per thread: 94",
        ),
    ],
    "max_pool": [
        ("value > most", "value >= most", "at[0, 0, 0] is 2, the reference has"),
        ("2 * q + k % 2", "q + k % 2", "the reference has"),
    ],
    "max_pool_grad": [
        ("if (at[position] == kh * 3 + kw) sum", "sum", "the reference has"),
        ("if (p >= out_width || q >= out_width) continue;", "", "reads at byte"),
    ],
    "winograd": [
        ("(d2 - d1) * u[2]", "(d1 - d2) * u[2]", "the reference has"),
        ("if (pair >= pairs) return;", "", "at byte 2048 of x"),
    ],
    "mma": [
        (
            "round_tf32(a[(group + 8) * 16 + k + pair]),\n"
            "            round_tf32(a[group * 16 + k + pair + 4]),",
            "round_tf32(a[group * 16 + k + pair + 4]),\n"
            "            round_tf32(a[(group + 8) * 16 + k + pair]),",
            "the reference has",
        ),
        (
            "        mma_tf32(sum, left, right);",
            "        if (group < 4) mma_tf32(sum, left, right);",
            "mma",
        ),
    ],
}
CASES = [(name, number) for name in PUZZLES for number in range(3)]  # 0 is the solution


def kernel_of(name, number):
    """A solution, or a wrong one, under a name of its own."""
    text = (SOLUTIONS / PUZZLES[name].file).read_text()
    if number:
        old, new, _ = WRONG[name][number - 1]
        assert text.count(old) == 1, (name, old)
        text = text.replace(old, new)
        if "float* at" in new:
            text = text.replace("y[i] = sum", "*at = sum")
    text = text.replace('#include "common.cuh"\n', "")
    return re.sub(rf"\b{name}\(const", f"{name}_{number}(const", text, count=1)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """All of them in one .cu, and the line that each begins in."""
    texts = [kernel_of(*case) for case in CASES]
    first = [2 + sum(text.count("\n") for text in texts[:i]) for i in range(len(texts))]
    listed = "".join(f"KERNEL({name}_{number});\n" for name, number in CASES)
    path = tmp_path_factory.mktemp("puzzles") / "all.cu"
    path.write_text('#include "common.cuh"\n' + "".join(texts) + listed)
    return path, first


def arguments(path, case):
    args = PUZZLES[case[0]].arguments(str(path))
    args.launch = "{}_{}".format(*case)
    return args


TSAN = """
import sys
sys.path.insert(0, {here!r})
import test_puzzles
from minitensor.explain import check
for case in test_puzzles.CASES:
    check.of_build("tsan", test_puzzles.arguments({path!r}, case))
"""


@pytest.fixture(scope="module")
def races(file):
    """What ThreadSanitizer says of each case, in one process."""
    path, first = file
    code = TSAN.format(here=str(Path(__file__).parent), path=str(path))
    env = environment("tsan") | {"TSAN_OPTIONS": "exitcode=0"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    found = {case: [] for case in CASES}
    for line in check.races(done.stderr):
        number = int(re.match(r"all\.cu:(\d+)", line)[1])
        found[CASES[sum(begin <= number for begin in first) - 1]].append(line)
    return found


def verdicts(path, case, races, monkeypatch):
    args = arguments(path, case)
    found = {"tsan": races[case]}
    for stage in ("checked", "trace"):
        monkeypatch.setenv("MINITENSOR_EMULATOR", stage)
        found[stage], whole = check.of_build(stage, args)
        if not whole:
            break
    return list(puzzle.verdict(PUZZLES[case[0]], args, found))


@pytest.mark.parametrize("name", PUZZLES)
def test_our_solution_has_all_points(name, file, races, monkeypatch):
    told = verdicts(file[0], (name, 0), races, monkeypatch)
    assert all(v.held for v in told), told
    assert sum(v.points for v in told) == PUZZLES[name].points


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("name", PUZZLES)
def test_a_wrong_one_is_told_why(name, number, file, races, monkeypatch):
    told = verdicts(file[0], (name, number), races, monkeypatch)
    word = WRONG[name][number - 1][2]
    said = [v.what for v in told if not v.held]
    assert any(word in line for line in said), said
    assert any(re.search(r"all\.cu:\d+", line) for line in said) or "per thread" in word, said


@pytest.fixture
def told(tmp_path):
    """The command in an empty folder."""

    def run(*words):
        command = [sys.executable, "-m", "minitensor", "puzzle", *words]
        env = environment("checked") | {"LD_PRELOAD": ""}
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    return run


def test_a_puzzle_is_started_hinted_checked_and_solved(told, tmp_path):
    assert told("start", "2")[0] == 0
    mine = tmp_path / "02_guard.cu"
    assert "// Launch: grid 4 block 32 x=randn:100 y=empty:100 n=100" in mine.read_text()
    code, words = told("start", "guard")
    assert code == 2
    assert "is here already" in words

    code, words = told("check", "2")
    assert code == 1
    assert "never written" in words
    assert "0 of 7 points" in words
    assert "To look inside: minitensor kernel 02_guard.cu --grid" not in words  # nobody wrote it

    assert told("hint", "2")[1].splitlines() == ["1 of 2: The last number is x[n - 1]."]
    assert len(told("hint", "2")[1].splitlines()) == len(told("hint", "2")[1].splitlines()) == 2

    solution = (SOLUTIONS / "02_guard.cu").read_text()
    mine.write_text(solution)
    code, words = told("check", "2", "--json")
    answer = json.loads(words)
    assert (code, answer["solved"], answer["points"], answer["of"]) == (0, True, 7, 7)
    assert "blockDim" not in words  # a solution is never shown
    assert re.search(r"2  guard +7 of  7", told("list")[1])


def test_what_is_no_puzzle_is_said_in_a_line(told):
    assert told("check", "26") == (
        2, "minitensor puzzle: puzzle 26: there are 1 to 25; `list` has their names\n",
    )  # fmt: skip
    code, words = told("check", "map")
    assert code == 2
    assert "minitensor puzzle start 1 writes one" in words
    code, words = told("check", "1", "nowhere.cu")
    assert "no nowhere.cu here" in words


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("void map(const float* x, float* y) { y[0] = x[0] }", 1, "error: expected"),
        ("void map(float* x, float* y) {}\nint main() { map<<<1, 1>>>(0, 0); }", 1, "host code"),
        ("void other(float* x, float* y) {}", 2, "keep the name and the arguments"),
        ("void map(float* x, float* y, int n) {}", 2, "keep the name and the arguments"),
    ],
)
def test_what_is_no_kernel_for_the_puzzle_is_said_in_words(text, code, word, told, tmp_path):
    (tmp_path / "mine.cu").write_text(f"__global__ {text}\n")
    found, words = told("check", "map", "mine.cu")
    assert (found, word in words, "Traceback" in words) == (code, True, False), words


def test_each_task_says_what_is_given():
    for p in PUZZLES.values():
        text = p.task()
        names = re.findall(r"--arg (\w+)=", p.launch)
        signature = re.search(rf"void {p.name}\((.*?)\)", text, re.DOTALL)[1]
        assert names == re.findall(r"(\w+)(?:,|$)", signature), p.name
        assert all(re.search(rf"\b{name}\b", text.partition("// Launch")[0]) for name in names)
        assert 2 <= len(p.hints) <= 3
