"""What a kernel can do wrong, and which check sees it: one fault planted at a time.

Each row of FAULTS replaces one piece of a real kernel by a mistake that people make, runs the op as
usual, and names the check that must speak. `pytest -v` on this file lists them.

    error    the emulator stops with an exception that says what is in the third column
    values   the result differs from the NumPy twin
    orders   it differs in at least one of three thread orders; forward alone may be right
    nan      memory that nobody wrote, filled with NaN, shows in the result
    race     ThreadSanitizer reports two threads at one address
    launcher the typed launcher refuses the call
"""

import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest
from planted import planted
from sanitizing import ROOT, environment

from minitensor.backend import emulator
from minitensor.backend import numpy as twin
from minitensor.backend.emulator import KernelError, order
from minitensor.backend.host import source
from minitensor.backend.host.conversion import LaunchError
from minitensor.backend.settings import algorithm
from minitensor.explain.launch_cases import Problem

RANDOM = np.random.default_rng(3)
X = RANDOM.standard_normal((2, 9, 7, 8)).astype(np.float32)
K = RANDOM.standard_normal((3, 3, 8, 8)).astype(np.float32)
WINDOW = Problem(shape=X.shape, stride=(2, 2)).window
DILATED = Problem(shape=X.shape, dilation=(2, 2)).window
DEEP = Problem(shape=X.shape, groups=8).window


def tiled(be):
    return _conv(be, "tiled", WINDOW)


def dilated(be):
    return _conv(be, "tiled", DILATED)


def tensor(be):
    return _conv(be, "tensor", WINDOW)


def depthwise(be):
    return be.conv2d(be.asarray(X), be.asarray(K[:, :, :1]), DEEP)


def im2col(be):
    return be.im2col(be.asarray(X), WINDOW)


def moments(be):
    return be.moments(be.asarray(X))


def _conv(be, rung, window):
    with algorithm("direct" if be is twin else rung):
        return be.conv2d(be.asarray(X), be.asarray(K), window)


@dataclass(frozen=True)
class Fault:
    name: str
    check: str
    says: str
    run: object
    file: str
    old: str
    new: str


FAULTS = [
    Fault(
        "missing barrier", "orders", "", tiled, "conv_tiled.cu",
        "__syncthreads();  // the tiles are full", "",
    ),
    Fault(
        "missing barrier, seen as a race", "race", "conv_tiled.cu", tiled, "conv_tiled.cu",
        "__syncthreads();  // everyone has read them", "",
    ),
    Fault(
        "off-by-one halo", "values", "", depthwise, "depthwise.cu",
        "first * S - window.left;", "first * S - window.left + 1;",
    ),
    Fault(
        "dilation ignored", "values", "", dilated, "conv_tiled.cu",
        "at.high * window.dy, at.middle", "at.high, at.middle",
    ),
    Fault(
        "wrong wait count", "error", "never waited for", tensor, "conv_tensor_tf32.cu",
        "copy_async_wait<STAGES - 2>()", "copy_async_wait<STAGES - 1>()",
    ),
    Fault(
        "copies read before they came", "nan", "", tensor, "conv_tensor_tf32.cu",
        "copy_async_wait<STAGES - 2>();",
        "if (copies.left <= -(STAGES - 2) * SliceA::depth) copy_async_wait<0>();",
    ),
    Fault(
        "the wrong stage of a pipeline", "values", "", tensor, "conv_tensor_tf32.cu",
        "const int stage = slice % STAGES;", "const int stage = (slice + 1) % STAGES;",
    ),
    Fault(
        "read out of bounds", "error", "reads at byte", im2col, "im2col.cu",
        "window.holds(line, column)", "true",
    ),
    Fault(
        "write out of bounds", "error", "writes at byte", im2col, "im2col.cu",
        "if (item >= items) return;", "",
    ),
    Fault(
        "missing store guard", "error", "writes at byte", tiled, "conv_tiled.cu",
        "if (row < problem.rows && column < problem.columns)", "",
    ),
    Fault(
        "misaligned float4", "error", "no multiple of 16", depthwise, "depthwise.cu",
        "load_pack<4>(x + (line + t * packs) * 4)", "load_pack<4>(x + (line + t * packs) * 4 + 1)",
    ),
    Fault(
        "swapped rows of an mma", "values", "", tensor, "conv_tensor_tf32.cu",
        "mma_tf32(sums[i][j], a[i],",
        "mma_tf32(sums[i][j], {a[i][1], a[i][0], a[i][2], a[i][3]},",
    ),
    Fault(
        "wrong shuffle mask", "error", "leaves out", moments, "batch_norm.cu",
        "Everyone = 0xffffffffu", "Everyone = 0x0000ffffu",
    ),
    Fault(
        "half a warp at a shuffle", "error", "deadlock", moments, "batch_norm.cu",
        "found[p].merge(found[p].from_lane(distance));",
        "if (lane < 16) found[p].merge(found[p].from_lane(distance));",
    ),
    Fault(
        "uninitialised shared memory", "nan", "", moments, "batch_norm.cu",
        "if (lane < lanes) of_warp", "if (lane < lanes && threadIdx.x < 224) of_warp",
    ),
    Fault(
        "past the end of a shared array", "error", "out of bounds", tiled, "conv_tiled.cu",
        "a_tile[slow][step]", "a_tile[slow][step + 2]",
    ),
    Fault(
        "early return before a barrier", "error", "barrier divergence", tiled, "conv_tiled.cu",
        "T sum = 0;\n    for (int first",
        "if (a_row >= problem.rows) return;\n    T sum = 0;\n    for (int first",
    ),
    Fault(
        "barrier in a branch", "error", "barrier divergence", tiled, "conv_tiled.cu",
        "__syncthreads();  // the tiles are full", "if (slow < 8) __syncthreads();",
    ),
]  # fmt: skip


def differs(result, expected):
    """Whether a result is wrong: not by rounding, which stays below 2e-2 with TF32 factors."""
    return not np.allclose(result, expected, rtol=2e-2, atol=2e-2)


def check_error(fault):
    with pytest.raises(KernelError, match=fault.says) as caught:
        fault.run(emulator)
    message = str(caught.value)
    assert "block (" in message, message
    assert "thread (" in message, message
    assert ".cu:" in message or ".cuh:" in message, message


def check_values(fault):
    expected = fault.run(twin)
    assert differs(fault.run(emulator), expected)


def check_orders(fault):
    expected = fault.run(twin)

    def wrong(name):
        with order(name):
            return differs(fault.run(emulator), expected)

    assert any(wrong(name) for name in ("forward", "reverse", "random"))


def check_nan(fault):
    assert np.isnan(fault.run(emulator)).any()


def check_race(fault):
    script = f"import test_planted_faults as t; t.run_by_name({fault.name!r})"
    done = sanitized(script)
    assert "ThreadSanitizer: data race" in done.stderr, done.stderr[-2000:]
    assert fault.says in done.stderr


CHECKS = {
    "error": check_error,
    "values": check_values,
    "orders": check_orders,
    "nan": check_nan,
    "race": check_race,
}


def run_by_name(name):
    """For the process that runs under ThreadSanitizer."""
    fault = next(fault for fault in FAULTS if fault.name == name)
    with planted(fault.file, fault.old, fault.new):
        fault.run(emulator)


def sanitized(script):
    """Runs Python code under ThreadSanitizer."""
    command = [sys.executable, "-c", script]
    return subprocess.run(
        command, env=environment("tsan"), capture_output=True, text=True, cwd=ROOT
    )


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f"{f.name} -> {f.check}")
def test_a_planted_fault_is_seen(fault):
    with planted(fault.file, fault.old, fault.new):
        CHECKS[fault.check](fault)


@pytest.mark.parametrize("run", [tiled, dilated, tensor, depthwise, im2col, moments])
def test_without_the_fault_all_checks_are_silent(run):
    expected = run(twin)
    for name in ("forward", "reverse", "random"):
        with order(name):
            assert not differs(run(emulator), expected)


# ----- faults of a caller, not of a kernel -----


def test_a_python_float_for_a_float_is_refused_where_cupy_would_pass_a_double():
    function = emulator.device.function(source.kernel("merge_sums<float>"))
    arrays = [np.ones(6, np.float32)] * 3
    with pytest.raises(KernelError, match="argument 3 is float64, the kernel wants float"):
        function((1,), (256,), (*arrays, 1e-3, np.int32(1), np.int32(1)))


def test_a_view_is_refused_where_cupy_would_pass_its_base():
    view = np.ones((2, 6), np.float32).T
    with pytest.raises(LaunchError, match="contiguous"):
        emulator.device.launch("merge_sums<float>", 1, 256, view, view, view, 1e-3, 1, 1)


def test_a_float64_array_is_refused_where_the_kernel_reads_float():
    wrong, right = np.ones(6), np.ones(6, np.float32)
    with pytest.raises(LaunchError, match="float64"):
        emulator.device.launch("merge_sums<float>", 1, 256, wrong, right, right, 1e-3, 1, 1)


def test_a_workspace_is_refused_after_it_was_given_back():
    with emulator.device.workspace((6,), np.float32) as scratch:
        pass
    right = np.ones(6, np.float32)
    with pytest.raises(LaunchError, match="given back"):
        emulator.device.launch("merge_sums<float>", 1, 256, scratch, right, right, 1e-3, 1, 1)


ADDING = """
__global__ void count(const int* bins, float* counts) {
    counts[bins[threadIdx.x]] += 1;
}
__global__ void count_atomically(const int* bins, float* counts) {
    atomicAdd(&counts[bins[threadIdx.x]], 1);
}
KERNEL(count);
KERNEL(count_atomically);
"""


def test_an_add_that_is_not_atomic_is_a_race():
    assert "ThreadSanitizer: data race" in counted("count").stderr
    silent = counted("count_atomically")
    assert silent.returncode == 0, silent.stderr[-2000:]


def counted(kernel):
    """64 threads count into two bins, under ThreadSanitizer."""
    return sanitized(f"import test_planted_faults as t; t.count({kernel!r})")


def count(kernel):
    function = written(ADDING).functions[kernel]
    function((1,), (64,), (np.arange(64, dtype=np.int32) % 2, np.zeros(2, np.float32)))


def written(text):
    """The library of kernels that a test writes itself."""
    from minitensor.backend.emulator import build
    from minitensor.backend.emulator.kernel import Library

    return Library(build.library("written.cu", source.flat("reduce_splits.cu") + text))


OFFSETS = """
__global__ void __launch_bounds__(256) far(const int* total, float* y) {
    const int first = int(blockIdx.x) * int(blockDim.x);
    if (first + int(threadIdx.x) < total[0]) y[first] = 1;
}
KERNEL(far);
"""


def test_an_offset_that_overflows_32_bits_is_seen():
    from minitensor.backend.emulator.schedule import only_blocks

    function = written(OFFSETS).functions["far"]
    with only_blocks(2**23), pytest.raises(KernelError, match="a product overflows 'int'"):
        function((2**23 + 1,), (256,), (np.zeros(1, np.int32), np.zeros(1, np.float32)))


def test_at_least_fifteen_faults_are_planted():
    assert len({fault.name for fault in FAULTS}) >= 15  # and those of callers, above
