"""The `minitensor` command: help, versions and errors, each verb's module imported only if used."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from minitensor import cli

ROOT = Path(__file__).parents[2]


def command(*words: str) -> subprocess.CompletedProcess[str]:
    run = [sys.executable, "-m", "minitensor", *words]
    return subprocess.run(run, capture_output=True, text=True, check=False)


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What stderr says of a command line that must end with exit code 2 and no traceback."""
    try:
        code = cli.main(words)
    except SystemExit as stop:
        code = stop.code
    printed = capsys.readouterr()
    assert code == 2
    assert "Traceback" not in printed.err
    return printed.err


def test_the_help_names_every_verb() -> None:
    done = command("--help")
    assert done.returncode == 0
    assert all(verb in done.stdout for verb in ("train", "evaluate", "parity", "--version"))


@pytest.mark.parametrize("verb", ["train", "evaluate"])
def test_each_verb_has_a_help_of_its_own(verb: str) -> None:
    done = command(verb, "--help")
    assert done.returncode == 0
    assert "--data" in done.stdout


def test_the_version_is_printed() -> None:
    done = command("--version")
    assert (done.returncode, done.stdout.split()[0]) == (0, "minitensor")


def test_no_verb_is_an_error() -> None:
    done = command()
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)


def test_the_help_of_train_imports_no_other_verb_and_no_optional_library() -> None:
    code = (
        "import sys; from minitensor import cli\n"
        "try: cli.main(['train', '--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted(m for m in sys.modules if m in "
        "('matplotlib', 'PIL', 'safetensors', 'tqdm', 'minitensor.parity.command')))"
    )
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--epochs", "0"), "'0' is not a whole number from 1 on"),
        (("--epochs", "two"), "'two' is not a whole number from 1 on"),
        (("--batch-size", "-1"), "'-1' is not a whole number from 1 on"),
        (("--seed", "1.5"), "'1.5' is not a whole number from 0 on"),
        (("--learning-rate", "0"), "'0' is not a number greater than 0"),
        (("--learning-rate", "nan"), "'nan' is not a number greater than 0"),
        (("--learning-rate", "inf"), "'inf' is not a number greater than 0"),
        (("--images", "a"), "--images and --labels belong together"),
        (("--data", "a", "--images", "b", "--labels", "c"), "give either --data or --images"),
        (("--data", "no-such-folder"), "no such folder"),
        (("--images", "no-a", "--labels", "no-b"), "No such file"),
        (("--frobnicate",), "unrecognized arguments"),
    ],
)
def test_wrong_arguments_are_one_clear_error(capsys, words, said) -> None:
    assert said in refused(capsys, "train", *words)


def test_a_file_in_the_place_of_the_folder_is_a_clear_error(capsys, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    error = refused(capsys, "train", "--epochs", "1", "--out", str(tmp_path / "taken"))
    assert "taken" in error


def test_a_missing_library_is_named_before_any_work(capsys, monkeypatch, tmp_path: Path) -> None:
    here = importlib.util.find_spec
    lacking = {"tqdm", "PIL"}
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name in lacking else here(name)
    )
    out = tmp_path / "run"
    error = refused(capsys, "train", "--out", str(out))
    assert f"minitensor train needs tqdm and pillow: pip install -e '{ROOT}[train]'" in error
    assert not out.exists()


@pytest.mark.parametrize("words", [["kernel", "max_pool"], ["parity"]])
def test_the_other_commands_name_the_extra_that_they_need(capsys, monkeypatch, words) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    error = refused(capsys, *words)
    assert f"minitensor {words[0]} needs rich" in error
    assert f"pip install -e '{ROOT}[parity]'" in error


def test_stopping_by_the_keyboard_is_no_traceback(capsys, monkeypatch) -> None:
    def stop(name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("importlib.util.find_spec", stop)
    assert cli.main(["train"]) == 130
    assert "stopped" in capsys.readouterr().err


def test_parity_of_no_call_at_all_is_an_error(capsys):
    assert cli.main(["parity", "--recorded", "--op", "bias_add", "--dtype", "int64"]) == 2
    assert "int64" in capsys.readouterr().err


def test_train_tries_to_write_before_it_trains(tmp_path, capsys):
    (tmp_path / "weights.safetensors").mkdir()
    assert cli.main(["train", "--out", str(tmp_path)]) == 2
    assert "weights.safetensors" in capsys.readouterr().err


@pytest.mark.parametrize(
    "program", [["-m", "benchmarks", "conv", "--quick"], ["examples/lenet5.py"]]
)
def test_ctrl_c_ends_a_program_with_one_line(program: list[str]) -> None:
    """In a process group of its own, as in a terminal: the programs that it started get it too."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, *program],
        cwd=ROOT, env=env, stdout=pipe, stderr=subprocess.STDOUT, start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stdout
        process.stdout.read(1)  # it has begun
        time.sleep(0.1)  # a finalizer, as of a process that ended, would swallow the signal
        os.killpg(process.pid, signal.SIGINT)
        printed = process.communicate(timeout=60)[0].decode()
    assert process.returncode == 130
    assert printed.splitlines()[-1].endswith(": stopped")
    assert "Traceback" not in printed


def test_warm_up_compiles_the_kernels_of_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("numba", reason="warm-up compiles by numba, and says so without")
    monkeypatch.setenv("MINITENSOR_CACHE", str(tmp_path))
    done = command("warm-up", "mlp")
    assert done.returncode == 0, done.stderr
    assert "mlp: compiled in" in done.stdout
    (kept,) = (tmp_path / "cpu").iterdir()
    assert str(kept) in done.stdout
    assert any(kept.iterdir())


def test_warm_up_names_the_networks_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("numba", reason="warm-up compiles by numba, and says so without")
    assert "no network lenet; there are mlp, mnist_cnn, lenet5" in refused(
        capsys, "warm-up", "lenet"
    )


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    """`minitensor kernel --list | head -1`."""
    reader, writer = os.pipe()
    os.close(reader)
    run = [sys.executable, "-m", "minitensor", "kernel", "--list"]
    done = subprocess.run(run, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")
