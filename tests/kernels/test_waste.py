"""What our kernels ask of memory in vain: held in kernels/memory.json, explained in their files."""

import pytest

from minitensor.backend.host import source
from minitensor.explain import waste
from minitensor.explain.launch_cases import LAUNCH_CASES

BASES = sorted({case.kernel.partition("<")[0] for case in LAUNCH_CASES})


@pytest.mark.parametrize("base", BASES)
def test_a_kernel_wastes_no_more_than_is_held(base, monkeypatch):
    monkeypatch.setenv("MINITENSOR_EMULATOR", "trace")
    assert waste.complaints(waste.measured(base), waste.held()) == []


def test_waste_that_is_not_held_is_told():
    table = {"conv_tiled<Forward, float>": {"store shared": [2.0]}}
    assert waste.complaints(table, {}) == [
        "conv_tiled<Forward, float>: store shared 2.0, held are None"
    ]
    assert waste.complaints(table, {"conv_tiled<Forward, float>": {"store shared": [1.9]}}) == []


@pytest.mark.parametrize("name", waste.held())
def test_the_file_of_a_kernel_that_wastes_says_why(name):
    assert "// Memory: " in source.flat(source.kernel(name).file)
