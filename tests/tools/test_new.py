"""`minitensor new`: what it refuses, and its skeletons, from their first failing test to the last.

In a copy of the checkout: both commands are run, the tests say what is missing, a few lines are
filled in as a contributor would, and the same tests pass.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from minitensor.backend.cuda import nvrtc
from minitensor.backend.errors import DeviceError
from minitensor.cli import main
from minitensor.new import checkout

ROOT = Path(__file__).parents[2]


@pytest.fixture
def copy(tmp_path):
    """The checkout once more, without its history."""
    for folder in ("minitensor", "kernels", "tests"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def python(folder, *words):
    """Runs a module in the copy; returns its exit code and all that it printed."""
    env = {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"}
    command = [sys.executable, "-m", *words]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def run_tests(folder, *words):
    return python(folder, "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *words)


def fill(folder, file, *changes):
    """Writes what the skeleton left open: pairs of a pattern and what stands there instead."""
    path = folder / file
    text = path.read_text()
    for pattern, new in changes:
        text, count = re.subn(pattern, lambda _, new=new: new, text, flags=re.DOTALL)
        assert count, f"{file} has no {pattern}"
    path.write_text(text)


# ----- what is refused -----


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["op", "2d_pool"], "'2d_pool' is no name of a public function"),
        (["op", "_pool"], "'_pool' is no name of a public function"),
        (["op", "pool-2"], "'pool-2' is no name of a public function"),
        (["op", "nn.lp_pool"], "give the last part alone"),
        (["op", "lambda"], "'lambda' is a word of Python's own"),
        (["op", "conv2d"], "nn.conv2d exists already; nothing was written"),
        (["op", "softmax"], "nn.softmax exists already"),
        (["kernel", "im2col"], "a kernel im2col exists already"),
        (["kernel", "matmul"], "backend.matmul exists already"),
        (["kernel", "class"], "'class' is a word of Python's own"),
        (["kernel", "scaled", "--tf"], "--tf is about an op"),
    ],
)
def test_a_name_that_cannot_be_is_refused_in_one_line(words, says, monkeypatch, capsys):
    monkeypatch.setattr(checkout, "write", lambda *_: pytest.fail("was written"))
    assert main(["new", *words]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_outside_of_a_checkout_it_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(checkout, "HERE", tmp_path)
    assert main(["new", "op", "lp_pool"]) == 2
    assert "writes into a checkout of the project" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_nothing_is_written_where_one_file_is_in_the_way(tmp_path):
    (tmp_path / "second.py").write_text("mine")
    new = [checkout.FileChange(name, "text", "") for name in ("first.py", "second.py")]
    with pytest.raises(ValueError, match=r"second\.py exists? already"):
        checkout.write(tmp_path, new)
    odd = checkout.FileChange("second.py", checkout.inserted("line", "no such"), "")
    with pytest.raises(ValueError, match="no line that begins with 'no such'"):
        checkout.write(tmp_path, [new[0], odd])
    assert [path.name for path in tmp_path.iterdir()] == ["second.py"]
    assert (tmp_path / "second.py").read_text() == "mine"


# ----- an op -----

OF_EVERY_OP = (
    "tests/core/test_unfinished.py",
    "tests/core/test_docstrings.py",
    "tests/core/test_signatures.py",
    "tests/core/test_rooms.py",
    "tests/core/test_placement.py",
    "tests/parity/test_parity.py",
    "tests/parity/test_parity_emulator.py",
    *("-k", "cubed or left_to_write or [nn] or signatures_are or pickled or lists_its"),
)


def test_an_op_from_skeleton_to_ledger(copy):
    code, said = python(copy, "minitensor", "new", "op", "cubed")
    assert code == 0, said
    files = re.findall(r"^  (?:new|add)  (\S+)", said, re.MULTILINE)
    assert len(files) == 4
    assert "Next, in this order" in said

    code, said = run_tests(copy, *OF_EVERY_OP)
    assert code == 1
    for words in (
        "minitensor/nn/cubed.py:15: one sentence that says what it computes",
        "nn.cubed: write its definition in minitensor/ops/cubed.py",
        "nn.cubed: write its derivative in minitensor/ops/cubed.py",
        "nn.cubed: write it of other ops in parity/cases/cubed.py",
        "TODO: >>> tf.nn.cubed(...), and what it prints",
    ):
        assert words in said
    assert "autograd/primitive.py" not in said  # no traceback through the engine

    fill(
        copy, "minitensor/ops/cubed.py",
        ("TODO: what it computes", "x^3"), ("TODO: the definition, as a formula", "x^3"),
        (r'raise [^\n]*its definition[^\n]*', "return x * x * x"),
        (r'raise [^\n]*its derivative[^\n]*', "return g * 3.0 * x * x"),
    )  # fmt: skip
    fill(
        copy, "minitensor/nn/cubed.py",
        ("TODO: one sentence that says what it computes", "x times x times x"),
        ("TODO: the definition, as a formula: y.i. = ...", "y[i] = x[i]^3"),
        (r"(?<=any shape\.) TODO: [^\n]*", ""), (r"(?<=no floats\.) TODO: [^\n]*", ""),
        (r"TODO: the shape[^\n]*", "The shape of x."), ("TODO: the paper; ", ""),
        (r"TODO: >>>[^\n]*", ">>> tf.nn.cubed(tf.constant(2.0)).numpy().item()\n        8.0"),
    )  # fmt: skip
    fill(
        copy, "minitensor/parity/cases/cubed.py",
        (r" +# TODO: [^\n]*\n", ""), (r"raise [^\n]*", "return tf.pow(x, 3.0)"),
    )  # fmt: skip
    code, said = run_tests(copy, *OF_EVERY_OP)
    assert code == 0, said
    code, said = python(copy, "minitensor", "parity", "--recorded", "--op", "nn.cubed")
    assert code == 0, said
    assert "6 ours alone, 0 we differ" in said


def test_an_op_that_tensorflow_has_asks_for_its_record(copy):
    code, said = python(copy, "minitensor", "new", "op", "cubed", "--tf")
    assert code == 0, said
    assert "minitensor parity --record" in said
    _, said = run_tests(copy, *OF_EVERY_OP)
    assert "nn.cubed: TensorFlow's answers are not recorded: minitensor parity --record" in said
    assert "TensorFlow's signature is not recorded: python tests/core/test_signatures.py" in said


# ----- a kernel -----

OF_EVERY_KERNEL = (
    "tests/core/test_unfinished.py",
    "tests/core/test_backends.py",
    "tests/kernels/test_cubed.py",
    "tests/kernels/test_explain.py",
    "tests/kernels/test_static_gate.py",
    "tests/kernels/test_backend_cuda_interface.py",
    "-k",
)
CHOSEN = "(cubed or left_to_write or protocol or interface_is_called or entry_of)"


def has_compiler():
    """Whether NVRTC is here, which measures registers."""
    try:
        return bool(nvrtc.version())
    except DeviceError:
        return False


def test_a_kernel_from_skeleton_to_its_twin(copy):
    code, said = python(copy, "minitensor", "new", "kernel", "cubed")
    assert code == 0, said
    assert len(re.findall(r"^  (?:new|add)  (\S+)", said, re.MULTILINE)) == 10

    code, said = run_tests(copy, *OF_EVERY_KERNEL, CHOSEN)
    assert code == 1
    for words in (
        ": what is computed of x[i]",
        "cubed: write its formula in tests/kernels/test_cubed.py",
        "cubed: write its twin in backend/numpy/elementwise.py",
        "cubed<float>",  # that its registers are not in the budget
        "python -m minitensor.backend.cuda.budget --write",
    ):
        assert words in said
    fill(copy, "tests/kernels/test_cubed.py", (r"raise [^\n]*", "return x**3"))
    fill(
        copy, "minitensor/backend/numpy/elementwise.py",
        ("TODO: the formula", "x^3"),
        (r"raise NotImpl[^\n]*", "wide = x.astype(np.promote_types(x.dtype, np.float32))\n"
         "    y: np.ndarray = (wide * wide * wide).astype(x.dtype)\n    return y"),
    )  # fmt: skip
    code, said = run_tests(copy, "tests/kernels/test_cubed.py")
    assert code == 1
    assert "kernels/cubed.cu is wrong" in said

    fill(
        copy, "kernels/cubed.cu",
        (r"A\(x\[i\]\) \* A\(NAN\)\);  // TODO[^\n]*", "A(x[i]) * A(x[i]) * A(x[i]));"),
        ("TODO: the formula", "x^3"), ("TODO: why[^\n]*", "Memory limits it."),
    )  # fmt: skip
    for file in ("minitensor/backend/host/elementwise.py", "minitensor/backend/protocol.py"):
        fill(copy, file, ("TODO: the formula", "x^3"))
    fill(copy, "kernels/README.md", ("TODO: what one thread does", "one number"))
    if has_compiler():
        code, said = python(copy, "minitensor.backend.cuda.budget", "--write")
        assert code == 0, said
    else:
        print("NVRTC is missing: the budget is left out")
    chosen = CHOSEN if has_compiler() else f"{CHOSEN} and not budget"
    code, said = run_tests(copy, *OF_EVERY_KERNEL, chosen)
    assert code == 0, said
