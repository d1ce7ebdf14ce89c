"""The GPU command, our side on CuPy's stand-in, and what the README may say of a GPU."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks import cases, clock, conv, on_gpu, tables  # noqa: E402  (a checkout's folder)
from benchmarks.sides import cupy_events  # noqa: E402
from benchmarks.sides import minitensor as minitensor_side  # noqa: E402
from minitensor.backend import devices  # noqa: E402
from minitensor.backend.cuda import nvrtc  # noqa: E402
from minitensor.backend.errors import DeviceError  # noqa: E402

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
    made = [f"{b}_gpu.{e}" for b in ("conv", "memory", "step") for e in ("json", "png")]
    code = "import sys, pathlib; [pathlib.Path(sys.argv[1], n).touch() for n in sys.argv[2:]]"
    job = on_gpu.Job("all", ("-c", code, "{out}", *made, "all.xml"), 1)
    on_gpu.run([job], tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {*made, "summary.json", "log.txt"}


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
