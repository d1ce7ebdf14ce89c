"""`minitensor run`: a program that imports TensorFlow runs on this engine, unchanged."""

import ast
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import minitensor as mt

ROOT = Path(__file__).parents[2]


def run(tmp_path, program, *arguments, options=()):
    script = tmp_path / "program.py"
    script.write_text(textwrap.dedent(program))
    return subprocess.run(
        [sys.executable, "-m", "minitensor", "run", *options, str(script), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_way_to_import_tensorflow_gives_minitensor(tmp_path):
    result = run(
        tmp_path,
        """
        import sys
        import tensorflow as tf
        import tensorflow.keras.layers as L
        from tensorflow import keras
        from tensorflow.keras import Sequential, layers
        from tensorflow.keras.layers import Conv2D, Dense
        import keras as alone
        assert tf.keras is keras and keras.layers is layers is L
        assert layers.Dense is Dense is alone.layers.Dense
        assert tf.__version__.startswith("2.")
        tf.config.experimental.list_physical_devices("GPU")
        assert tf.zeros([2])[:, tf.newaxis].shape == (2, 1)
        print(type(tf.constant(1.0)).__module__, "tensorflow.python" in sys.modules)
        """,
    )
    assert result.stderr == ""
    assert result.stdout == "minitensor.autograd.tensor False\n"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("tf.contrib.layers", "minitensor has no tf.contrib"),
        ("tf.nn.conv2", "minitensor has no tf.nn.conv2; the nearest is tf.nn.conv2d"),
        (
            "tf.keras.layers.Conv2",
            "no tf.keras.layers.Conv2; the nearest is tf.keras.layers.Conv2D",
        ),
        ("tf.truncated_normal([3])", "no tf.truncated_normal; it has tf.random.truncated_normal"),
        ("from tensorflow.keras import Sequental", "the nearest is tf.keras.Sequential"),
        ("import tensorflow.contrib.slim as slim", "minitensor has no tf.contrib"),
        ("import tensorflow.keras.lyers", "no tf.keras.lyers; the nearest is tf.keras.layers"),
        ("tf.Session()", "Graphs and sessions of TensorFlow 1"),
        ("from tensorflow.keras.layers import LSTM", "Recurrent layers"),
        ("tf.keras.Conv2D(2, 3)", "no tf.keras.Conv2D; it has tf.keras.layers.Conv2D"),
        ("tf.data.Dataset.range(3).shufle(2)", "the nearest is 'shuffle'"),
        ("tf.train.Checkpont()", "the nearest is tf.train.Checkpoint"),
        ("tf.keras.layers.Dense(2, actvation='relu')", "did you mean 'activation'?"),
        ("tf.config.experimental.set_memory", "tf.config.experimental.set_memory_growth"),
    ],
)
def test_a_name_that_is_missing_is_told_with_the_nearest(tmp_path, line, words):
    result = run(tmp_path, f"import tensorflow as tf\n{line}\n")
    assert result.returncode == 1
    assert words in result.stderr.splitlines()[-1]


def test_a_class_in_small_letters_is_made_and_one_that_is_a_room_is_looked_into(tmp_path):
    result = run(
        tmp_path,
        """
        import tensorflow as tf
        with tf.name_scope("encoder"):
            print(tf.Variable(0.0, name="w").name)
        print(callable(tf.config.experimental.set_memory_growth))
        """,
    )
    assert (result.stderr, result.stdout) == ("", "encoder/w:0\nTrue\n")


def test_hasattr_says_no_to_a_missing_name(tmp_path):
    result = run(tmp_path, "import tensorflow as tf\nprint(hasattr(tf, 'contrib'))\n")
    assert result.stdout == "False\n"


def test_tensors_print_as_tensorflows(tmp_path):
    program = """
        import tensorflow as tf
        print(tf.reduce_max([1.0, 2.0]))
        print(tf.constant([[1, 2], [3, 4]]))
        print([tf.constant([1.0])], tf.Variable(2, name="v"))
        """
    assert run(tmp_path, program).stdout.splitlines() == [
        "tf.Tensor(2.0, shape=(), dtype=float32)",
        "tf.Tensor(",
        "[[1 2]",
        " [3 4]], shape=(2, 2), dtype=int32)",
        "[<tf.Tensor: shape=(1,), dtype=float32, numpy=array([1.], dtype=float32)>] "
        "<tf.Variable 'v:0' shape=() dtype=int32, numpy=2>",
    ]


def test_the_program_has_its_arguments_its_folder_and_its_exit_code(tmp_path):
    (tmp_path / "beside.py").write_text("VALUE = 3\n")
    program = "import sys, beside\nprint(sys.argv[1:], __name__)\nsys.exit(beside.VALUE)\n"
    result = run(tmp_path, program, "--epochs", "5")
    assert (result.stdout, result.returncode) == ("['--epochs', '5'] __main__\n", 3)


def test_an_error_shows_the_programs_lines_from_its_first_on(tmp_path):
    result = run(tmp_path, "def f():\n    return 1 / 0\nf()\n")
    lines = result.stderr.splitlines()
    assert result.returncode == 1
    assert lines[0] == "Traceback (most recent call last):"
    assert "program.py" in lines[1]
    assert lines[-1] == "ZeroDivisionError: division by zero"


def test_a_script_that_is_not_there_is_one_line(tmp_path):
    result = subprocess.run(
        [sys.executable, "-m", "minitensor", "run", str(tmp_path / "none.py")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 2
    assert result.stderr == f"minitensor run: {tmp_path / 'none.py'}: no such file\n"


def test_a_device_can_be_chosen(tmp_path):
    program = "import tensorflow as tf\nprint(tf.constant(1.0).device)\n"
    result = run(tmp_path, program, options=["--device", "emulator"])
    assert result.stdout.strip().endswith("EMULATOR:0")


@pytest.mark.parametrize(
    "name",
    [
        "importlib",
        "window",
        "parity",
        "ops",
        "backend",
        "extras",
        "nn.checks",
        "math.order",
        "keras.layers.affine",
    ],
)
def test_a_program_sees_public_names_only(tmp_path, name):
    result = run(tmp_path, f"import tensorflow as tf; tf.{name}")
    assert f"minitensor has no tf.{name}" in result.stderr


def test_the_list_of_public_names_is_whole():
    """What __init__ imports is in __all__, but for rooms that are reached by their paths."""
    rooms = {"missing", "_symbolic", "ops", "parity"}
    imported = {
        alias.asname or alias.name
        for node in ast.parse((ROOT / "minitensor/__init__.py").read_text()).body
        if isinstance(node, ast.ImportFrom) and node.module.startswith("minitensor")
        for alias in node.names
    }
    assert {*imported, *mt._LAZY, "newaxis"} - rooms == set(dir(mt))
    assert all(hasattr(mt, name) for name in dir(mt))


def test_without_ml_dtypes_every_name_that_is_shown_is_there(monkeypatch):
    """A notebook's completion and inspect.getmembers ask for each: none may raise."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "bfloat16" not in dir(mt)
