"""What our kernels do for a large problem, held in kernels/work.json for the first run on a GPU."""

import pytest

from minitensor.backend.host import source
from minitensor.explain import work
from minitensor.explain.launch_cases import LAUNCH_CASES

BASES = sorted({case.kernel.partition("<")[0] for case in LAUNCH_CASES})
QUICK = {"bias_activation", "transpose"}


@pytest.mark.parametrize(
    "base", [pytest.param(b, marks=() if b in QUICK else pytest.mark.sanitize) for b in BASES]
)
def test_a_kernel_does_no_more_than_is_held(base, monkeypatch):
    monkeypatch.setenv("MINITENSOR_EMULATOR", "trace")
    assert work.complaints(work.measured(base), work.held()) == []


def test_every_kernel_has_its_work_and_all_work_is_a_kernels():
    held = work.held()
    assert held.keys() <= source.catalogue().keys()
    assert [base for base in BASES if not any(name.startswith(base) for name in held)] == []


def test_the_work_of_a_product_is_that_of_its_definition():
    """2 x 32 x 56 x 56 x 64 outputs x 576 products; im2col writes nine times what it reads."""
    held = work.held()
    products = 2 * 32 * 56**2 * 64 * 576
    tensor = held["conv_tensor_tf32<Forward, 128, 64, 128, 4>"]
    assert tensor["tf32"] == pytest.approx(products, rel=0.001)
    image = 4 * 32 * 56**2 * 64
    assert held["im2col<int, 4>"]["arrays"] == pytest.approx(10 * image, rel=0.05)
    assert held["bias_activation<Relu, float, 4>"]["arrays"] == pytest.approx(2 * image, rel=0.01)


def test_more_work_or_another_launch_is_told():
    row = {"grid": [1, 1, 1], "block": [32, 1, 1], "sectors": 100.0}
    assert work.complaints({"k": row}, {"k": row | {"sectors": 91.0}}) == []
    assert work.complaints({"k": row}, {"k": row | {"sectors": 90.0}}) == [
        "k: sectors 100.0, held are 90.0"
    ]
    assert work.complaints({"k": row}, {"k": row | {"grid": [2, 1, 1]}}) == [
        "k: grid [1, 1, 1], held are [2, 1, 1]"
    ]
    assert work.complaints({"k": row}, {}) == ["k: not in work.json; run with --write"]
