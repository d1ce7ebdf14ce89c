"""The skeleton of a kernel: the simplest there is, one thread, one number."""

from __future__ import annotations

from minitensor.backend.host import source
from minitensor.backend.protocol import Backend
from minitensor.new.checkout import FileChange, appended, imported, inserted, listed

KERNEL = """// y = TODO: the formula. One thread, one number; it goes on by the whole grid.
//
// TODO: why this shape, and what limits it.
//
// Twin: NAME in minitensor/backend/numpy/elementwise.py.
#include "common.cuh"

template <typename T>
__global__ void __launch_bounds__(256)
    NAME(const T* __restrict__ x, T* __restrict__ y, long long total) {
    using A = accumulator<T>;
    for (long long i = thread_index(); i < total; i += thread_count()) {
        y[i] = T(A(x[i]) * A(NAN));  // TODO: what is computed of x[i]
    }
}

KERNEL(NAME<float>);
KERNEL(NAME<double>);
KERNEL(NAME<half_t>);
"""

HOST = '''
@bfloat16_in_float32
def NAME(device: Device, x: Any) -> Any:
    """TODO: the formula."""
    x = device.contiguous(x)
    y = device.empty(x.shape, x.dtype)
    if y.size:
        device.launch(f"NAME<{ctype(x.dtype)}>", grid_size(y.size), 256, x, y, y.size)
    return y
'''

TWIN = '''
def NAME(x: np.ndarray) -> np.ndarray:
    """TODO: the formula.

    Args:
        x: any shape.

    Returns:
        The shape of x.
    """
    raise NotImplementedError("NAME: write its twin in backend/numpy/elementwise.py")
'''

PROTOCOL = '''    def NAME(self, x: Array) -> Array:
        """TODO: the formula."""
'''

TEST = '''"""kernels/NAME.cu and its twin beside a formula, in three orders of threads."""

import numpy as np
import pytest

from minitensor.backend import emulator
from minitensor.backend import numpy as twin

NEAR = {"float64": 1e-14, "float32": 1e-6, "float16": 2e-3}
SHAPES = [(0,), (1,), (257,), (5, 7, 3)]  # no number, one, more than a block, several axes


def formula(x):
    """What NAME computes, in float64; not written as the twin is."""
    raise NotImplementedError("NAME: write its formula in tests/kernels/test_NAME.py")


@pytest.mark.parametrize("order", ["forward", "reverse", "random"])
@pytest.mark.parametrize("dtype", NEAR)
def test_the_kernel_and_its_twin_compute_the_formula(dtype, order):
    for shape in SHAPES:
        x = np.random.default_rng(0).normal(size=shape).astype(dtype)
        expected = formula(x.astype("float64"))
        with emulator.order(order, seed=7):
            found = emulator.to_numpy(emulator.NAME(emulator.asarray(x)))
        computed = {
            "backend/numpy/elementwise.py": twin.NAME(x),
            "kernels/NAME.cu": found,
        }
        for file, y in computed.items():
            words, near = f"{file} is wrong", NEAR[dtype]
            assert (y.shape, y.dtype) == (x.shape, x.dtype), words
            np.testing.assert_allclose(y.astype("float64"), expected, near, near, err_msg=words)
'''

_ROW = (
    "| [NAME.cu](NAME.cu) | | TODO: what one thread does | `elementwise.py` | `elementwise.py` | "
)


def taken(name: str) -> str:
    """The kernel or function of a backend that has this name, or nothing."""
    if name in {instance.partition("<")[0] for instance in source.catalogue()}:
        return f"a kernel {name}"
    return f"backend.{name}" if hasattr(Backend, name) else ""


def file_changes(name: str) -> list[FileChange]:
    """The files of a kernel: two new ones, and a line or a function in each list that names it."""

    def named(text: str) -> str:
        return text.replace("NAME", name)

    backend = "minitensor/backend"
    bound = inserted(named("NAME = bind(device, elementwise.NAME)"), "softmax_cross_entropy = ")
    twin = f"{backend}.numpy.elementwise".replace("/", ".")
    case = named('    "NAME": lambda be, p: be.NAME(be.asarray(p.images())),')
    return [
        FileChange(f"kernels/{name}.cu", named(KERNEL), "the kernel"),
        FileChange(f"{backend}/numpy/elementwise.py", appended(named(TWIN)), "its plain twin"),
        FileChange(f"tests/kernels/test_{name}.py", named(TEST), "both beside a formula"),
        FileChange(f"{backend}/host/elementwise.py", appended(named(HOST)), "what launches it"),
        FileChange(f"{backend}/protocol.py", appended(named(PROTOCOL)), "its name, for ops"),
        FileChange(
            f"{backend}/numpy/__init__.py",
            lambda old: listed(name)(imported(name, twin)(old)),
            "its name on the three backends",
        ),
        FileChange(f"{backend}/emulator/__init__.py", bound, "the same"),
        FileChange(f"{backend}/cuda/__init__.py", bound, "the same"),
        FileChange(
            "minitensor/explain/launch_cases.py",
            inserted(case, '    "transpose": _transpose,'),
            "how it comes to be launched",
        ),
        FileChange(
            "kernels/README.md",
            inserted(named(_ROW) + "not yet measured |", "<!-- kernels:end -->"),
            "its row",
        ),
    ]


def steps(name: str) -> list[str]:
    """What is left to do, each with the test that says so."""
    return [
        f"tests/kernels/test_{name}.py: the formula; minitensor/backend/numpy/elementwise.py: the "
        f"twin\n     pytest tests/kernels/test_{name}.py: now the kernel alone is wrong",
        f"kernels/{name}.cu: the body; the same test passes",
        f"minitensor kernel {name}: which thread computes what",
        "python -m minitensor.backend.cuda.budget --write: its registers, into kernels/budget.json",
        "pytest tests/core/test_unfinished.py: the sentences that are still TODO",
        f"be.{name}(x) in an op of minitensor/ops calls it; pytest tests/kernels tests/core",
        "ruff check --fix . && ruff format . && mypy",
    ]
