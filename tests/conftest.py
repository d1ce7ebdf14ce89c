"""What all tests share: worker processes, the examples of Hypothesis, Ctrl-C, and TensorFlow.

A run of whole folders goes to worker processes (pytest-xdist): a crash of TensorFlow or of a
kernel costs the test it happened in, and a new worker goes on. Single files run in this process,
where a debugger works; so does everything with `-n 0`. `-n 6` and `--dist` are obeyed.

`tf` is TensorFlow where it is installed; where not, its tests skip and say so.
MINITENSOR_REQUIRE_TF=1, which CI sets, makes a missing TensorFlow a failure.
"""

import contextlib
import importlib
import os
import signal
from pathlib import Path

import hypothesis
import pytest

# The same examples on every run, and no clock: a busy machine is not a failure.
hypothesis.settings.register_profile("house", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("house")
WORKERS = 4  # at most: each holds a TensorFlow of its own, about 1 GB
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # its own kernels, which serve float64 alike


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """Choose the number of workers where nobody did: at least two, so that one may die."""
    option = config.option
    distributed = config.pluginmanager.hasplugin("xdist") and not hasattr(config, "workerinput")
    if not distributed or option.numprocesses is not None or option.usepdb:
        return
    if any(Path(argument.partition("::")[0]).is_dir() for argument in config.args):
        option.numprocesses = min(max(len(os.sched_getaffinity(0)), 2), WORKERS)
        option.dist = "worksteal"  # "loadfile" runs a test that kills its worker again and again


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    """Lose what is written to a worker that has just died: xdist hears of it next, and goes on."""
    send = node.sendcommand

    def send_to_the_living(name, **arguments):
        with contextlib.suppress(OSError):
            send(name, **arguments)

    node.sendcommand = send_to_the_living


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Of what `minitensor new` left to write, its words are shown, not the way there."""
    report = yield
    problem = call.excinfo.value if call.excinfo else None
    if isinstance(problem, NotImplementedError) and ": write " in str(problem):
        report.longrepr = f"still to be written: {problem}"
    return report


@pytest.fixture(autouse=True, scope="session")
def ctrl_c():
    """Ctrl-C interrupts, as in a terminal: in a background job it would be ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def tf():
    """The module tensorflow, on the CPU; no GPU is hidden from anybody else."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CUDA_VISIBLE_DEVICES", "-1")
        try:
            tensorflow = importlib.import_module("tensorflow")
        except ImportError as reason:
            if os.environ.get("MINITENSOR_REQUIRE_TF") == "1":
                pytest.fail(f"MINITENSOR_REQUIRE_TF=1, but TensorFlow is missing: {reason}")
            pytest.skip(f"TensorFlow is missing: {reason}")
        tensorflow.config.list_physical_devices()  # it looks for devices once, now
    return tensorflow
