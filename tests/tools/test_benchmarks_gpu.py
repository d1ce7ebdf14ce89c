"""The GPU command, our side on CuPy's stand-in, and what the README may say of a GPU."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks import (  # noqa: E402  (a checkout's folder)
    __main__,
    cases,
    clock,
    conv,
    kernels,
    nccl,
    on_gpu,
    tables,
)
from benchmarks.sides import cupy_events  # noqa: E402
from benchmarks.sides import minitensor as minitensor_side  # noqa: E402
from minitensor.backend import devices  # noqa: E402
from minitensor.backend.cuda import nvrtc  # noqa: E402
from minitensor.backend.errors import DeviceError  # noqa: E402
from minitensor.explain import work  # noqa: E402
from minitensor.explain.launch_cases import LAUNCH_CASES, Problem  # noqa: E402

LACK = devices.lack_of("EMULATOR")
TOOLS = pytest.mark.skipif(bool(LACK), reason=LACK)


@pytest.fixture
def gpu_side(monkeypatch):
    """Our side on a GPU that is none: CuPy's stand-in, kernels emulated, events by the clock."""
    import fake_cupy

    try:
        nvrtc.version()
    except DeviceError as lack:
        pytest.skip(str(lack))
    monkeypatch.setattr(cupy_events.Gpu, "mark", lambda self: time.perf_counter())
    monkeypatch.setattr(cupy_events.Gpu, "seconds", lambda self, start, stop: stop - start)
    for name, value in (("COPIES", 2), ("WARM_UPS", 2), ("SERIES", 0.0), ("SLOW", 60.0)):
        monkeypatch.setattr(clock, name, value)
    with fake_cupy.installed():
        yield minitensor_side.Side("gpu")


@TOOLS
@pytest.mark.parametrize("conv_pass", cases.PASSES)
@pytest.mark.parametrize("rung", ["direct", "register"])
def test_a_pass_of_a_convolution_is_recorded_and_replayed(gpu_side, conv_pass, rung):
    case = cases.conv_case(conv.QUICK[0], conv_pass, "fp32")
    timer = gpu_side.clock.timer(gpu_side.conv(case, rung), case["traffic"], graph=True)
    assert timer.how == "graph replay, 2 launches, 2 copies"
    assert timer.sample() > 0


@TOOLS
def test_a_recorded_training_step_trains_as_the_eager_one(gpu_side):
    case = {"network": "lenet5", "batch": 2, "precision": "fp32"}
    eager, graph = (gpu_side.train(case, option)() for option in ("eager", "graph"))
    for _ in range(2):
        assert float(graph()) == pytest.approx(float(eager()), rel=1e-6)


def test_a_communicator_of_one_is_timed_and_says_what_two_would_add(gpu_side, monkeypatch, capsys):
    monkeypatch.setattr(nccl, "SIDE", 8)
    monkeypatch.setattr(nccl, "SIZES", (4, 400, 4000))
    nccl.main()
    said = capsys.readouterr().out
    assert said.count("bytes on 1 GPU: ") == 3
    assert "Two GPUs would add" in said


@TOOLS
def test_the_sanitizers_set_reaches_every_kernel_and_agrees_with_numpy():
    from benchmarks import sanitize_set
    from minitensor.backend import emulator

    wrong, reached = sanitize_set.check(emulator)
    assert wrong == []
    assert sanitize_set.wanted() - reached == set()


@TOOLS
def test_the_sanitizers_set_names_a_recipe_that_differs_from_numpy(monkeypatch):
    from benchmarks import sanitize_set
    from minitensor.backend import emulator
    from minitensor.explain.launch_cases import launch_cases

    relu, *_ = launch_cases("bias_activation")
    monkeypatch.setattr(sanitize_set, "LAUNCH_CASES", [relu])
    monkeypatch.setattr(sanitize_set.twin, "bias_activation", lambda x, bias, word: x * 1.0001)
    wrong, _ = sanitize_set.check(emulator)
    assert wrong == [f"bias_activation {relu.problem}"]


# ----- predicted beside measured -----

TABLE = {  # of what these launch for the problem below, in made-up counts
    "bias_activation<Relu, float, 4>": {"grid": [1, 1, 1], "block": [256, 1, 1], "arrays": 3.35e6},
    "max_pool<float, 4, 3>": {"grid": [9, 9, 9], "block": [1, 1, 1], "arrays": 1e6},
}
SMALL = Problem(shape=(1, 6, 6, 8), filter=(3, 3, 8))


def test_without_a_gpu_the_measured_column_is_empty_and_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(devices, "lack_of", lambda kind: "no driver")
    assert __main__.main(["kernels", "--gpu", "H100", "--out", str(tmp_path)]) == 0
    content = json.loads((tmp_path / kernels.NAME).read_text())
    assert {row["name"] for row in content["rows"]} == set(work.held())
    assert {row["measured_us"] for row in content["rows"]} == {None}
    assert all(row["predicted_us"] > 0 and row["bound"] for row in content["rows"])
    assert (content["predicted_for"], content["timed"]) == ("H100", False)
    assert content["not_measured"] == "no driver"
    assert "nothing was measured: no driver" in capsys.readouterr().out


@TOOLS
def test_a_kernel_is_measured_as_the_table_launches_it(gpu_side, monkeypatch):
    monkeypatch.setattr(kernels, "SERIES", 0)
    only = [case for case in LAUNCH_CASES if case.kernel in ("bias_activation", "max_pool")]
    monkeypatch.setattr(kernels, "LAUNCH_CASES", only)
    content = kernels.compared(TABLE, "H100", cupy_events.Gpu(), "", problem=SMALL)
    relu, other = content["rows"]
    assert relu["name"] == "bias_activation<Relu, float, 4>"
    assert (relu["predicted_us"], relu["bound"]) == (1, "memory")  # 3.35 MB at 3.35 TB/s
    assert relu["measured_us"] > 1
    assert relu["measured_over_predicted"] == pytest.approx(relu["measured_us"], rel=1e-3)
    assert other["measured_us"] is None  # launched with another grid: not the same work
    assert content["timed"]


def test_a_gpu_of_unknown_figures_is_measured_and_not_predicted():
    content = kernels.compared(TABLE, "", None, "")
    assert {row["predicted_us"] for row in content["rows"]} == {None}
    assert "does not know" in content["predicted_for"]


# ----- the GPU command -----


def test_without_a_gpu_the_plan_is_printed_and_nothing_is_written(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(devices, "lack_of", lambda kind: "no driver")
    on_gpu.main(["--out", str(tmp_path / "out")])
    told = capsys.readouterr().out
    assert "nothing is measured, nothing is written" in told
    assert all(job.name in told for job in on_gpu.jobs(1))
    assert not (tmp_path / "out").exists()


def test_jobs_share_the_clock_and_one_that_is_too_long_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(on_gpu, "TOTAL", 4)
    monkeypatch.setattr(on_gpu, "LEAST", 0)
    hang = on_gpu.Job("hang", ("-c", "print('begun', flush=True); import time; time.sleep(9)"), 1)
    work = on_gpu.Job("work", ("-c", "print('done')"), 3)  # time to start on a busy machine
    lack = on_gpu.Job("lack", ("-c", ""), 1, ("no_such_module",))
    results = on_gpu.run([work, lack, hang], tmp_path)
    assert [r["status"] for r in results] == ["passed", "skipped", "out of time"]
    assert results[2]["seconds"] < 6
    assert results[1]["why"] == "no_such_module not found"
    assert results[2]["last_words"].endswith("begun")
    assert json.loads((tmp_path / "summary.json").read_text())["jobs"] == results


def test_the_gpu_command_hands_back_few_files_of_legal_names(tmp_path, monkeypatch):
    made = [f"{name}_gpu.json" for name in ("conv", "memory", "step", "kernels")]
    code = "import sys, pathlib; [pathlib.Path(sys.argv[1], n).touch() for n in sys.argv[2:]]"
    job = on_gpu.Job("all", ("-c", code, "{out}", *made, "all.xml"), 1)
    on_gpu.run([job], tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {*made, "summary.json", "log.txt"}
    assert len(names) <= 8


def test_of_a_test_run_the_counts_and_the_names_of_failures_are_told(tmp_path, monkeypatch):
    xml = """<testsuites><testsuite tests="3" failures="1" errors="0" skipped="1">
        <testcase classname="a" name="good"/>
        <testcase classname="a" name="late"><skipped/></testcase>
        <testcase classname="a" name="bad"><failure/></testcase></testsuite></testsuites>"""
    code = f"import sys; open(sys.argv[1], 'w').write({xml!r}); sys.exit(1)"
    (result,) = on_gpu.run([on_gpu.Job("some", ("-c", code, "{xml}"), 1)], tmp_path)
    assert (result["status"], result["failed"]) == ("failed", ["a::bad"])
    assert result["counts"] == {"tests": 3, "failures": 1, "errors": 0, "skipped": 1}


def test_the_readme_shows_gpu_figures_only_from_a_timed_result(tmp_path):
    assert tables.gpu_tables(tmp_path) == tables.NOT_YET
    (tmp_path / "conv_gpu.json").write_text('{"timed": false}')
    assert tables.gpu_tables(tmp_path) == tables.NOT_YET


def test_a_gpu_table_names_device_date_and_peers(tmp_path):
    row = {"name": "a", "group": "fp32 forward", "milliseconds": {"minitensor eager": 2.0}}
    content = {
        "what": "training step, float32",
        "method": "by events",
        "timed": True,
        "date": "2030-01-02T03:04:05+00:00",
        "commit": "0123456789",
        "versions": {"gpu": "a GPU", "cupy": "14", "torch": "2", "cudnn": 9},
        "rows": [row],
    }
    (tmp_path / "step_gpu.json").write_text(json.dumps(content))
    table = tables.gpu_tables(tmp_path)
    assert "a GPU, 2030-01-02, CuPy 14, PyTorch 2, cuDNN 9, commit 01234567; by events" in table
    assert "| a | 2 |" in table
