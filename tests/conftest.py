"""`tf`: TensorFlow where it is installed; where not, its tests skip and say so.

MINITENSOR_REQUIRE_TF=1, which CI sets, makes a missing TensorFlow a failure.
"""

import importlib
import os
import signal

import hypothesis
import pytest

# The same examples on every run, and no clock: a busy machine is not a failure.
hypothesis.settings.register_profile("house", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("house")
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # its own kernels, which serve float64 alike


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
