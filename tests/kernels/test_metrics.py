"""What a kernel asks of memory, against arithmetic on paper; occupancy against NVIDIA's rules."""

import numpy as np
import pytest

from minitensor.backend import emulator
from minitensor.explain import metrics, watch
from minitensor.explain.gpus import GPUS, Gpu, Work, bounds, occupancy
from minitensor.explain.launch_cases import launch_cases

# What a thread i of 32 loads -> sectors of a request, and the part of them that is asked for.
GLOBAL = {
    "neighbours": ("float", "x[i]", 4, 1.0),
    "backwards": ("float", "x[31 - i]", 4, 1.0),
    "every second": ("float", "x[2 * i]", 8, 0.5),
    "every 32nd": ("float", "x[32 * i]", 32, 0.125),
    "beside a sector": ("float", "x[i + 1]", 5, 0.8),
    "all the same": ("float", "x[7]", 1, 0.125),
    "two halves, far apart": ("float", "x[i % 16 + i / 16 * 512]", 4, 1.0),
    "bytes": ("unsigned char", "x[i]", 1, 1.0),
    "halves": ("half_t", "float(x[i])", 2, 1.0),
    "doubles": ("double", "float(x[i])", 8, 1.0),
    "four at once": ("float", "load_pack<4>(x + 4 * i)[3]", 16, 1.0),
    "four at once, every second": ("float", "load_pack<4>(x + 8 * i)[3]", 32, 0.5),
    "one of four": ("float4", "x[i].w", 16, 0.25),
    "even threads": ("float", "i % 2 ? 0 : x[i]", 4, 0.5),
}
# What a thread i of 32 loads of `float s[...]` -> wavefronts, and how many without conflicts.
SHARED = {
    "neighbours": ("s[i]", 1, 1),
    "every second": ("s[2 * i]", 2, 1),
    "every 32nd": ("s[32 * i]", 32, 1),
    "a column of 33": ("s[33 * i]", 1, 1),
    "a column of 17": ("s[17 * i]", 1, 1),
    "a column of 18": ("s[18 * i]", 2, 1),
    "all the same": ("s[5]", 1, 1),
    "two words of one bank": ("s[i % 2 * 32]", 2, 1),
    "one of two": ("reinterpret_cast<float2*>(s)[i].y", 2, 1),
    "one of four": ("reinterpret_cast<float4*>(s)[i].z", 4, 1),
    "one of eight": ("reinterpret_cast<float4*>(s)[2 * i].z", 8, 1),
    "bytes of a word": ("reinterpret_cast<unsigned char*>(s)[i]", 1, 1),
}


@pytest.fixture
def traffic(tmp_path, monkeypatch):
    """The lines of a kernel of this text, launched with one warp or as told."""
    monkeypatch.setenv("MINITENSOR_EMULATOR", "trace")

    def measure(text, *arguments, grid=1, block=32, shared=0):
        path = tmp_path / "pattern.cu"
        path.write_text(text)
        own = emulator.load(path)
        call = lambda: own.launch("pattern", grid, block, *arguments, shared=shared)  # noqa: E731
        return watch.launches(call, "pattern")[0]

    return measure


@pytest.mark.parametrize("name", GLOBAL)
def test_sectors_and_efficiency_of_global_loads(name, traffic):
    kind, value, sectors, efficiency = GLOBAL[name]
    text = f"""
#include "common.cuh"
__global__ void pattern(const {kind}* x, float* y) {{
    const int i = threadIdx.x;
    y[i] = {value};
}}
"""
    dtype = {"half_t": "f2", "double": "f8", "unsigned char": "u1"}.get(kind, "f4")
    x, y = np.zeros(2048, dtype), np.zeros(32, "f4")
    load, store = sorted(metrics.traffic(traffic(text, x, y)), key=lambda line: line.memory)
    assert (load.kind, load.memory, load.requests) == ("load", "x", 1)
    assert (load.sectors_per_request, load.efficiency) == (sectors, efficiency)
    assert (store.kind, store.sectors, store.efficiency, store.lanes) == ("store", 4, 1.0, 32)


@pytest.mark.parametrize("name", SHARED)
def test_wavefronts_of_shared_loads(name, traffic):
    value, wavefronts, ideal = SHARED[name]
    text = f"""
__global__ void pattern(float* y) {{
    __shared__ __align__(16) float s[2048];
    const int i = threadIdx.x;
    for (int k = i; k < 2048; k += 32) s[k] = k;
    __syncthreads();
    y[i] = {value};
}}
"""
    lines = metrics.traffic(traffic(text, np.zeros(32, "f4")))
    load, store = sorted((line for line in lines if line.is_shared), key=lambda line: line.kind)
    assert (load.kind, store.kind, store.conflicts) == ("load", "store", 1.0)
    assert (load.wavefronts, load.ideal) == (wavefronts, ideal)


@pytest.mark.parametrize(("name", "count"), [("float2", 2), ("float4", 4)])
def test_wide_shared_loads_are_served_in_parts_of_the_warp(name, count, traffic):
    """`load_pack` is one instruction; 8 bytes a thread take two wavefronts, 16 four."""
    text = f"""
#include "common.cuh"
__global__ void pattern(float* y) {{
    __shared__ __align__(16) float s[512];
    const int i = threadIdx.x;
    s[i] = 1;
    __syncthreads();
    y[i] = load_pack<{count}>(s + {count} * (i * STEP))[{count - 1}];
}}
"""
    y = np.zeros(32, "f4")
    for step, conflicts in ((1, 1.0), (2, 2.0)):
        lines = metrics.traffic(traffic(text.replace("STEP", str(step)), y))
        (load,) = (line for line in lines if line.is_shared and line.kind == "load")
        assert (load.ideal, load.conflicts) == (count, conflicts)


def test_a_loop_is_as_many_requests_as_it_has_turns_and_branches_leave_lanes_out(traffic):
    text = """
__global__ void pattern(const float* x, float* y) {
    const int i = threadIdx.x;
    float sum = 0;
    for (int k = 0; k < 5; ++k)
        if (i < 8) sum += x[32 * k + i];
    y[blockIdx.x * 64 + i] = sum;
}
"""
    launch = traffic(text, np.zeros(160, "f4"), np.zeros(192, "f4"), grid=3, block=64)
    load, store = metrics.traffic(launch)
    assert (load.requests, load.lanes, load.sectors_per_request) == (3 * 5, 8, 1)
    assert (store.requests, store.lanes, launch.scale) == (3 * 2, 32, 1)
    assert metrics.moved(launch) == {"x": 4 * 5 * 8, "y": 4 * 192}
    # Six warps ask for five sectors of x each, y is stored once.
    assert metrics.reuse(launch, [load, store]) == {"x": 6 * 5 / 5 / 2, "y": 1}


def test_a_large_grid_is_traced_in_part_and_says_so(traffic, monkeypatch):
    monkeypatch.setattr(watch, "MOST", 10_000)
    text = "__global__ void pattern(float* y) { y[blockIdx.x * 256 + threadIdx.x] = 1; }\n"
    launch = traffic(text, np.zeros(2**20, "f4"), grid=2**12, block=256)
    assert 1 < launch.traced < 40  # of blocks with 256 stores each
    assert launch.accesses <= 10_000
    assert launch.scale == pytest.approx(2**12 / launch.traced)
    (store,) = metrics.traffic(launch)
    assert store.requests * launch.scale == pytest.approx(2**20 / 32)


def test_lanes_that_join_a_loop_late_are_counted_with_their_round(traffic):
    """Round d has lanes 0 to d - 1: 1, 2, 4 ... 32 neighbours, in 1, 1, 1, 1, 2 and 4 sectors."""
    text = """
__global__ void pattern(const float* x, float* y) {
    float sum = 0;
    for (int d = 1; d <= 32; d *= 2) {
        if (threadIdx.x < d) sum += x[32 * d + threadIdx.x];
        __syncthreads();
    }
    y[threadIdx.x] = sum;
}
"""
    load, _ = metrics.traffic(traffic(text, np.zeros(2048, "f4"), np.zeros(32, "f4")))
    assert (load.requests, load.threads, load.sectors) == (6, 63, 10)


def test_as_many_blocks_are_traced_as_are_asked_for(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MINITENSOR_EMULATOR", "trace")
    monkeypatch.setattr(watch, "MOST", 10_000)
    path = tmp_path / "pattern.cu"
    path.write_text("__global__ void pattern(float* y) { y[blockIdx.x * 64 + threadIdx.x] = 1; }\n")
    y = np.zeros(2**14, "f4")
    call = lambda: emulator.load(path).launch("pattern", 2**8, 64, y)  # noqa: E731
    for blocks, traced in ((3, 3), (2**30, 2**8)):
        (launch,) = watch.launches(call, "pattern", blocks)
        assert (launch.traced, launch.accesses) == (traced, 64 * traced)
        said = f"about 16,384 accesses; tracing {traced} of 256 blocks"
        assert said in capsys.readouterr().err
        assert emulator.device.function(launch.kernel).last.done == traced  # what the bar shows
    assert y.all()


def test_each_access_has_its_line(traffic):
    """Also where g++ needs no file but the kernel's: then DWARF 5 is read wrongly."""
    text = "__global__ void pattern(float* y, int n) {\n  if (n)\n    y[0] = 1;\n}\n"
    (line,) = metrics.traffic(traffic(text, np.zeros(1, "f4"), 1, block=1))
    assert line.place[0].endswith("pattern.cu")
    assert line.place[1] == 3


# CUDA's own occupancy calculator, for compute capability 9.0: 65,536 registers, 2,048 threads,
# 32 blocks, 228 KiB of an SM; registers in units of 256 for a warp, 1 KiB kept for each block.
@pytest.mark.parametrize(
    ("threads", "registers", "shared", "blocks", "limit"),
    [
        (256, 32, 0, 8, "threads"),
        (256, 64, 0, 4, "registers"),
        (256, 65, 0, 3, "registers"),
        (32, 16, 0, 32, "blocks"),
        (128, 32, 48 * 1024, 4, "shared memory"),
        (1024, 64, 0, 1, "registers"),
    ],
)
def test_occupancy_is_that_of_nvidias_rules(threads, registers, shared, blocks, limit):
    found = occupancy(GPUS["H100"], threads, registers, shared)
    assert (found.blocks, found.limit) == (blocks, limit)
    assert found.part == blocks * threads / 2048


def test_the_bounds_are_their_formulas():
    gpu = Gpu("sm_90", 100, 1.0, 1000, 2048, 32, 228, (128, 64), 500, 250)
    found = bounds(gpu, Work(*[1e9] * 8))
    arithmetic = {"FP32": 1e9 / 25.6e6, "FP64": 1e9 / 12.8e6, "tensor cores": 2 + 4}
    moving = {"memory": 1e3, "L2 to SM": 5e3, "shared memory": 1e4}
    assert found == pytest.approx({**moving, **arithmetic, "instructions": 1e9 / 4e5})
    assert list(found.values()) == sorted(found.values(), reverse=True)


# What a GPU does at most, TFLOP/s: float32 and float64 outside of tensor cores, of its data sheet.
@pytest.mark.parametrize(
    ("name", "single", "double"),
    [
        *(("T4", 8.1, None), ("A100", 19.5, 9.7), ("L4", 30.3, None), ("4090", 82.6, None)),
        *(("H100", 67, 34), ("H200", 67, 34)),
    ],
)
def test_lanes_and_clock_give_the_data_sheets_arithmetic(name, single, double):
    gpu = GPUS[name]
    found = [2 * lanes * gpu.sms * gpu.clock / 1e3 for lanes in gpu.lanes]
    assert found[0] == pytest.approx(single, rel=0.01)
    assert double is None or found[1] == pytest.approx(double, rel=0.02)


# ----- floating-point operations -----

OPERATIONS = {  # what each of 64 threads does -> operations of float32 and of float64 of a thread
    "a product": ("y[i] = x[i] * x[i];", 1, 0),
    "sum and product": ("y[i] = x[i] * x[i] + x[i];", 2, 0),
    "fused": ("y[i] = fmaf(x[i], x[i], 1.0f);", 2, 0),
    "fused doubles": ("y[i] = fma(double(x[i]), 2.0, 1.0);", 0, 2),
    "a quotient and a root": ("y[i] = sqrtf(x[i]) / 3.0f;", 2, 0),
    "doubles": ("y[i] = double(x[i]) * 3.0 - 1.0;", 0, 2),
    "a loop": ("for (int k = 0; k < n; ++k) y[i] += x[i];", 10, 0),
    "even threads": ("if (i % 2) y[i] = x[i] * 3.0f * n;", 1, 0),
    "halves": ("y[i] = float(half_t(x[i])) + 1.0f;", 1, 0),
    "integers": ("y[i] = (i * 3 + n) / 5;", 0, 0),
    "comparisons": ("y[i] = x[i] > 0 ? fmaxf(x[i], 2.0f) : -x[i];", 0, 0),
    "a library's function": ("y[i] = expf(x[i]);", 0, 0),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_floating_point_operations_are_counted(name, traffic):
    text, single, double = OPERATIONS[name]
    launch = traffic(
        f"""
#include "common.cuh"
__global__ void pattern(const float* x, float* y, int n) {{
    const int i = blockIdx.x * 32 + threadIdx.x;
    {text}
}}
""",
        *(np.ones(64, "f4"), np.zeros(64, "f4"), 10),
        grid=2,
    )
    assert launch.operations == {
        kind: 64 * each for kind, each in (("single", single), ("double", double)) if each
    }


def test_those_of_tensor_cores_are_counted_apart(monkeypatch):
    """One tile of 128 x 32 outputs over 3 x 3 x 8 products."""
    monkeypatch.setenv("MINITENSOR_EMULATOR", "trace")
    case, *_ = launch_cases("conv_tensor_f16<Forward")
    (launch,) = watch.launches(lambda: case(emulator), case.kernel)
    tile = launch.kernel.name.partition(", ")[2].split(", ")[:2]
    assert tile == ["128", "32"]
    done = metrics.work(launch, metrics.traffic(launch))
    assert done.half == 2 * 128 * 32 * 96  # 72 products, in steps of 32
    assert done.single == 0


def test_operations_of_a_grid_that_was_traced_in_part_are_scaled_up(traffic, monkeypatch):
    monkeypatch.setattr(watch, "MOST", 10_000)
    text = "__global__ void pattern(float* y) { y[blockIdx.x * 256 + threadIdx.x] *= 3.0f; }\n"
    launch = traffic(text, np.zeros(2**20, "f4"), grid=2**12, block=256)
    done = metrics.work(launch, metrics.traffic(launch))
    assert launch.traced < 2**12
    assert done.single == pytest.approx(2**20)
    assert done.arrays == 2 * 4 * 2**20
