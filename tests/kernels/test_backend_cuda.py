"""The Python side of backend/cuda, without a GPU: real NVRTC, CuPy's stand-in, kernels emulated.

Where there is a GPU, each test that needs no stand-in runs there as well.
"""

import subprocess
import sys
from importlib.util import find_spec

import fake_cuda
import fake_cupy
import fake_nccl
import numpy as np
import pytest
from cuda_fixtures import compiler, gpu, numbers, stand_in, there  # noqa: F401 -- fixtures

import minitensor as mt
from minitensor.backend import cuda, devices
from minitensor.backend.cuda import graph
from minitensor.backend.errors import DeviceError
from minitensor.backend.host import source
from minitensor.backend.host.conversion import LaunchError
from minitensor.backend.host.grid import grid_size


def transposed(gpu, x):
    """x (R, S) transposed by the kernel of that name."""
    y = gpu.device.empty(x.shape[::-1], np.float32)
    view = (x.view(np.int32), y.view(np.int32))
    gpu.device.launch("transpose<int>", (1, 1, 1), (32, 8), *view, 1, *x.shape)
    return y


# ----- without a GPU -----


def test_importing_the_backend_imports_no_cupy():
    code = "import sys, minitensor.backend.cuda; assert 'cupy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.skipif(not devices.lack_of("GPU"), reason="this machine has a GPU")
def test_without_a_gpu_the_first_array_says_what_is_missing():
    with pytest.raises(DeviceError, match=r"there is no GPU to compute on: .*(CuPy|driver)"):
        cuda.asarray([1.0])


@pytest.mark.skipif(find_spec("cupy") is None, reason="CuPy is not installed")
@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("cupy", [*fake_cupy.NAMES, *fake_cupy.CONSTANTS]),
        ("cupy.ndarray", fake_cupy.METHODS),
        ("cupy.cuda", [name for name in vars(fake_cuda.module()) if name[0] != "_"]),
        ("cupy.cuda.Stream", {*vars(fake_cuda.Stream)} - {"catch_up"}),
        ("cupy.cuda.Event", ["record", "done"]),
        ("cupy.cuda.nccl", [name for name in vars(fake_nccl.module()) if name[0] != "_"]),
        ("cupy.cuda.nccl.NcclCommunicator", ["allReduce", "broadcast", "allGather", "size"]),
        ("cupy.cuda.runtime", vars(fake_cuda.module().runtime)),
        ("cupy.RawKernel", ["shared_size_bytes", "max_dynamic_shared_size_bytes"]),
    ],
)
def test_all_that_the_stand_in_offers_is_in_cupy(where, names):
    code = f"import cupy; print([n for n in {list(names)} if not hasattr({where}, n)])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


# ----- the device -----


def test_a_kernel_is_compiled_loaded_and_run(gpu):
    x = numbers(5, 7)
    np.testing.assert_array_equal(gpu.to_numpy(transposed(gpu, gpu.asarray(x))), x.T)


def test_a_kernel_may_use_all_the_shared_memory_of_a_block(stand_in):
    function = stand_in.device.function(source.kernel("transpose<int>"))
    assert function.max_dynamic_shared_size_bytes == fake_cuda.SHARED


def test_warm_up_leaves_nothing_to_compile(gpu, monkeypatch):
    monkeypatch.setattr(source, "files", lambda: ["transpose.cu", "reduce_splits.cu"])
    gpu.warm_up()
    monkeypatch.setattr(gpu.device, "load", None)
    for instance in ("transpose<int>", "reduce_splits<double>"):
        assert gpu.device.function(source.kernel(instance))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda x: x.get(), "expected an array of cuda"),
        (lambda x: x.astype(np.float64), "got an array of float64"),
        (lambda x: x[:, ::-1], "expected a contiguous array"),
    ],
)
def test_an_array_that_the_kernel_would_misread_is_refused(gpu, spoil, said):
    x = gpu.asarray(np.ones((4, 4), np.int32))
    y = gpu.device.empty((4, 4), np.int32)
    with pytest.raises(LaunchError, match=rf"transpose<int>: argument 0 \(x\): .*{said}"):
        gpu.device.launch("transpose<int>", 1, (32, 8), spoil(x), y, 1, 4, 4)


def test_an_array_of_another_gpu_is_refused(stand_in, monkeypatch):
    x = stand_in.asarray(np.ones((4, 4), np.int32))
    monkeypatch.setattr(fake_cupy._Pointer, "device_id", 1)
    with pytest.raises(LaunchError, match="on GPU 1; the current GPU is 0"):
        stand_in.device.launch("transpose<int>", 1, (32, 8), x, x, 1, 4, 4)


def test_a_gpu_has_no_bfloat16_and_says_so(gpu):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    with pytest.raises(TypeError, match="no bfloat16"):
        gpu.asarray(np.ones(3, ml_dtypes.bfloat16))


def test_in_debug_mode_a_failing_launch_is_named(stand_in, monkeypatch):
    def poisoned(stream):
        raise fake_cuda.CUDARuntimeError("an illegal memory access was encountered")

    monkeypatch.setattr(stand_in.device, "_debug", True)
    monkeypatch.setattr(fake_cuda.Stream, "synchronize", poisoned)
    with pytest.raises(LaunchError, match=r"transpose<int> .*failed on the GPU: an illegal"):
        transposed(stand_in, stand_in.asarray(numbers(2, 2)))


def test_scratch_is_reused_within_a_stream_and_never_across(gpu):
    device = gpu.device
    with device.workspace((100,), np.float32) as first:
        place = device.address(first)
    with device.workspace((90,), np.float32) as again:
        assert device.address(again) == place
    with gpu.xp.cuda.Stream(), device.workspace((100,), np.float32) as other:
        assert device.address(other) != place


def test_a_workspace_given_back_is_refused(gpu):
    with gpu.device.workspace((4, 4), np.int32) as scratch:
        pass
    y = gpu.device.empty((4, 4), np.int32)
    with pytest.raises(LaunchError, match="workspace after it was given back"):
        gpu.device.launch("transpose<int>", 1, (32, 8), scratch, y, 1, 4, 4)


def test_a_spread_covers_all_elements_with_few_blocks():
    assert [grid_size(n) for n in (0, 1, 256, 257, 10**9)] == [1, 1, 1, 2, 8192]


# ----- a step as a graph -----


@pytest.fixture
def step(gpu):
    """Descends |w x|^2 by hand; returns the loss before the step."""
    w = mt.Variable(mt.to_device(mt.constant(numbers(3)), "gpu"))

    def run(x):
        with mt.GradientTape() as tape:
            loss = mt.reduce_sum((w * x) ** 2)
        w.assign_sub(0.1 * tape.gradient(loss, w))
        return loss

    return w, run


def test_a_recorded_step_does_what_the_step_does(gpu, step):
    w, run = step
    batches = [numbers(3, seed=seed) for seed in range(4)]
    start = w.numpy()
    plain = [(float(run(there(x))), w.numpy()) for x in batches]
    w.assign(start)
    again = graph.capture(gpu.device, run, [w], [there(batches[0])])
    replayed = [(float(again(there(x))), w.numpy()) for x in batches]
    for (loss, weights), (expected, expected_weights) in zip(replayed, plain, strict=True):
        np.testing.assert_allclose(loss, expected, rtol=1e-6)
        np.testing.assert_allclose(weights, expected_weights, rtol=1e-6)


def test_recording_a_step_takes_none(gpu, step):
    w, run = step
    before = w.numpy()
    graph.capture(gpu.device, run, [w], [there(numbers(3))])
    np.testing.assert_array_equal(w.numpy(), before)


def test_a_recorded_step_starts_from_what_was_assigned_since(gpu, step):
    w, run = step
    x, start = there(numbers(3)), w.value()
    again = graph.capture(gpu.device, run, [w], [x])
    first = float(again(x))
    again(x)
    w.assign(start)
    np.testing.assert_allclose(float(again(x)), first, rtol=1e-6)


def test_what_was_there_before_a_recording_is_not_overwritten_by_it(gpu, step):
    w, run = step
    weights, batch = w.value(), there(numbers(3))
    before = weights.numpy(), batch.numpy()
    again = graph.capture(gpu.device, run, [w], [batch])
    again(there(numbers(3, seed=1)))
    np.testing.assert_array_equal(weights.numpy(), before[0])
    np.testing.assert_array_equal(batch.numpy(), before[1])


def test_a_recorded_step_refuses_other_shapes(gpu, step):
    w, run = step
    again = graph.capture(gpu.device, run, [w], [there(numbers(3))])
    with pytest.raises(ValueError, match=r"shape \(3,\), got float32 of shape \(1,\)"):
        again(there(numbers(1)))


def test_a_step_that_reads_numbers_back_cannot_be_recorded(gpu, step):
    w, run = step
    before = w.numpy()
    with pytest.raises(RuntimeError, match="capturing"):
        graph.capture(gpu.device, lambda x: float(run(x)), [w], [there(numbers(3))])
    np.testing.assert_array_equal(w.numpy(), before)


def test_a_step_that_draws_new_numbers_cannot_be_recorded(gpu, step):
    w, run = step
    draws = np.random.default_rng(0)
    noisy = lambda x: run(x + there(draws.normal(size=3).astype(np.float32)))  # noqa: E731
    with pytest.raises(LaunchError, match="as an input"):
        graph.capture(gpu.device, noisy, [w], [there(numbers(3))])


def test_scratch_of_a_recording_stays_its_own(gpu):
    """The device's arena would keep it when the recording is gone, for a stream that is gone."""

    def step(x):
        with gpu.device.workspace((1000,), np.float32):
            return x + x

    before = set(gpu.device.arena._free)
    graph.capture(gpu.device, step, [], [there(numbers(3))])
    assert set(gpu.device.arena._free) == before


@pytest.mark.parametrize("shapes", [((4, 3), (3, 5)), ((2, 4, 3), (3, 5)), ((4, 0), (0, 2))])
def test_a_product_of_matrices_can_be_recorded_though_cublas_cannot(gpu, shapes):
    a, b = (there(numbers(*shape)) for shape in shapes)
    again = graph.capture(gpu.device, mt.matmul, [], [a, b])
    expected = np.matmul(a.numpy(), b.numpy())
    np.testing.assert_allclose(again(a, b).numpy(), expected, rtol=1e-5, atol=1e-6)


def test_a_kernel_is_part_of_the_recording(gpu):
    x = there(numbers(4, 6))
    again = graph.capture(gpu.device, lambda x: mt.Tensor(transposed(gpu, x.array)), [], [x])
    other = numbers(4, 6, seed=1)
    np.testing.assert_array_equal(again(there(other)).numpy(), other.T)
