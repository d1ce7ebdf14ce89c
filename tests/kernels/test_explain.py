"""`minitensor kernel`: what it shows of a launch is what the kernel did."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from minitensor.backend import emulator
from minitensor.backend.host import source
from minitensor.explain import saved
from minitensor.explain.launch_cases import LAUNCH_CASES, launch_cases

ROOT = Path(__file__).parents[2]
STRIDED = ["--shape", "1,5,5,1", "--filter", "3,3,1", "--stride", "2", "--padding", "SAME"]


def shown(*words, **settings):
    """What the command prints, as one line with single spaces."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    command = [sys.executable, "-m", "minitensor", "kernel", *words]
    done = subprocess.run(command, capture_output=True, text=True, env=env, **settings)
    return done, " ".join(done.stdout.split())


@pytest.fixture
def launched(monkeypatch):
    """Names of the kernels that the emulator ran."""
    seen, launch = [], emulator.device.launch

    def watched(kernel, *arguments, **settings):
        seen.append(kernel)
        launch(kernel, *arguments, **settings)

    monkeypatch.setattr(emulator.device, "launch", watched)
    return seen


@pytest.mark.parametrize("name", sorted({case.kernel for case in LAUNCH_CASES}))
def test_a_launch_case_launches_the_kernel_that_it_is_for(name, launched):
    launch_cases(name)[0](emulator)
    assert any(kernel.startswith(name) for kernel in launched)


BASES = sorted({n.partition("<")[0] for n, f in source.catalogue().items() if f != "wrappers.cu"})


@pytest.mark.parametrize("base", BASES)
def test_a_kernel_is_launched_by_one_of_its_launch_cases(base, launched):
    for case in launch_cases(base):
        case(emulator)
    assert base in {kernel.partition("<")[0] for kernel in launched}


def test_an_unknown_kernel_is_named_beside_those_of_near_names():
    with pytest.raises(
        LookupError, match=r"no kernel 'conv_direct2'; near are conv_direct_.*--list"
    ):
        launch_cases("conv_direct2")


def test_an_output_in_the_corner_of_a_strided_conv_reads_four_pixels():
    # SAME on 5 pixels with stride 2 pads one on each side: place (0, 0) sees 2 x 2 real pixels.
    _, text = shown("conv_direct_forward", *STRIDED, "--output", "0,0,0,0")
    for pixel in ("x[0, 0, 0, 0]", "x[0, 0, 1, 0]", "x[0, 1, 0, 0]", "x[0, 1, 1, 0]"):
        assert pixel in text
    assert text.count("load x[") == 4
    assert text.count("load filter[") == 4
    assert text.count("store y[0, 0, 0, 0]") == 1
    assert "conv_direct.cu:" in text


def test_the_products_of_an_output_add_up_to_what_is_stored():
    done, _ = shown("conv_direct_forward", *STRIDED, "--output", "0,1,2,0")
    rows = [line.split() for line in done.stdout.splitlines() if "conv_direct.cu:" in line]
    factors = [float(row[row.index("load") + 5 :][0]) for row in rows if "load" in row]
    x, weights = factors[::2], factors[1::2]
    assert len(x) == 6  # the last column of taps lies on padding
    stored = float(rows[-1][-1])
    assert sum(a * b for a, b in zip(x, weights, strict=True)) == pytest.approx(stored, abs=1e-4)
    assert float(rows[-2][-1]) == pytest.approx(stored, abs=1e-4)  # the last sum so far


def test_what_was_saved_is_shown_again_without_kernel_or_compiler(tmp_path):
    file = tmp_path / "a.trace"
    done, text = shown("conv_tiled.forward", "--save", str(file))
    assert f"minitensor trace {file} shows it again" in text, done.stderr
    for view in (["--metrics", "T4"], ["--output", "0,1,2,0"], []):
        _, live = shown("conv_tiled.forward", *view)
        env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
        command = [sys.executable, "-m", "minitensor", "trace", str(file), *view]
        again = subprocess.run(command, capture_output=True, text=True, env=env)
        assert " ".join(again.stdout.split()) == live, again.stderr


@pytest.mark.parametrize("text", [b"", b"x = 1", b"PK\x05\x06" + bytes(18)])
def test_a_file_that_is_no_trace_is_refused_in_one_line(text, tmp_path):
    (tmp_path / "a.trace").write_bytes(text)
    with pytest.raises(ValueError, match="no trace that `minitensor kernel"):
        saved.load(tmp_path / "a.trace")


def test_a_trace_that_would_not_fit_is_refused_before_it_is_read(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "a.trace", "w") as packed:
        packed.writestr("records0.npy", bytes(2000))
    monkeypatch.setattr(saved, "MOST", 1000)
    with pytest.raises(ValueError, match="2000 bytes, at most 1000"):
        saved.load(tmp_path / "a.trace")


def test_each_thread_of_a_direct_conv_writes_one_output():
    _, text = shown("conv_direct_forward", *STRIDED)
    assert "8 of 9 threads that write" in text  # of 3 x 3 outputs
    assert "stores │ 1 │ 1.0 │ 1 │" in text
    assert "loads │ 8 │" in text  # a corner: 4 pixels, 4 weights
    assert "│ 18 │" in text  # the middle: 9 and 9


def test_a_kernel_with_shared_arrays_of_float16_can_be_watched():
    # 5 channels of 2 x 8 pixels: the 5 x 16 matrix of an image is thinner than a tile.
    done, text = shown("transpose_thin", "--shape", "1,2,8,5", "--dtype", "float16")
    assert "transpose_thin<half_t>" in text, done.stderr
    assert "of 80 threads that write" in text


def test_sizes_that_do_not_fit_are_refused_in_one_line():
    done, _ = shown("conv_direct_forward", "--shape", "1,5,5,3", "--groups", "2")
    assert done.returncode == 2
    assert "--groups 2 must divide C = 3" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_output_that_does_not_exist_is_refused():
    done, _ = shown("conv_direct_forward", *STRIDED, "--output", "0,9,9,0")
    assert done.returncode == 2
    assert "y has the shape (1, 3, 3, 1)" in done.stderr


@pytest.mark.skipif(not shutil.which("gdb"), reason="gdb is not installed")
def test_gdb_stops_in_the_thread_that_computes_an_output():
    words = ["conv_direct_forward", *STRIDED, "--output", "0,1,2,0", "--gdb"]
    questions = "print emu::self->index\n" + "next\n" * 12 + "print row\nprint i\nprint j\nkill\n"
    done, _ = shown(*words, input=questions, timeout=300)
    assert "conv_direct_forward" in done.stdout, done.stdout + done.stderr
    assert "conv_direct.cu" in done.stdout
    assert "{x = 5, y = 0, z = 0}" in done.stdout  # place (1, 2) of 3 x 3
    assert "optimized out" not in done.stdout
    answers = [line.partition(" = ")[2] for line in done.stdout.splitlines() if " = " in line]
    assert answers[-2:] == ["1", "2"]  # i and j


def test_asynchronous_copies_are_loads_of_the_thread_that_started_them():
    # The filter is 72 deep and 8 wide: slices of 16 depths, 4 floats a copy, 128 threads. So a
    # thread loads at least one pack of each of a and b, which are x and the filter.
    _, text = shown("conv_tensor_tf32<Forward", "--output", "0,0,0,0")
    assert "load a[" in text
    assert "load b[0, 0, 0, 0] and the next 3" in text


@pytest.mark.parametrize(
    ("words", "takes"),
    [
        (["softmax", "--filter", "3,3,4"], "--filter; it does on --shape, --dtype"),
        (["max_pool", "--groups", "2"], "--groups; it does on --shape, --filter, --stride"),
        (["adam", "--dilation", "2"], "--dilation; it does on --shape, --filter, --dtype"),
    ],
)
def test_sizes_that_a_kernel_does_not_depend_on_are_refused(words, takes):
    done, _ = shown(*words)
    assert done.returncode == 2
    assert f"{words[0]} does not depend on {takes}" in done.stderr


def test_a_cu_of_ones_own_may_lie_beside_ours(tmp_path, monkeypatch):
    """It lists no kernels by KERNEL lines, so it is none of the catalogue."""
    for name in ("common.cuh", "transpose.cu"):
        shutil.copy(source.folder() / name, tmp_path / name)
    (tmp_path / "mine.cu").write_text("__global__ void mine(float* x) { x[0] = 1; }\n")
    monkeypatch.setattr(source, "folder", lambda: tmp_path)
    assert source.files() == ["transpose.cu"]
    assert set(source.catalogue.__wrapped__().values()) == {"transpose.cu"}
