"""What a kernel asks of memory, against arithmetic on paper; occupancy against NVIDIA's rules."""

import numpy as np
import pytest

from minitensor.backend import emulator
from minitensor.explain import metrics, watch
from minitensor.explain.gpus import GPUS, Gpu, bounds, occupancy

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
    "four at once": ("float4", "x[i].x + x[i].w", 16, 1.0),
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
    "float2": ("reinterpret_cast<float2*>(s)[i].y", 2, 2),
    "float4": ("reinterpret_cast<float4*>(s)[i].z", 4, 4),
    "float4, every second": ("reinterpret_cast<float4*>(s)[2 * i].z", 8, 4),
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
    lines = metrics.traffic(traffic(text, x, y))
    loads = [line for line in lines if line.memory == "x"]
    assert sum(line.sectors for line in loads) / max(line.requests for line in loads) in (
        sectors,
        2 * sectors,  # g++ loads x and w of a float4 by themselves
    )
    if kind != "float4":
        assert [line.sectors_per_request for line in loads] == [sectors]
        assert [line.efficiency for line in loads] == pytest.approx([efficiency])
    (store,) = (line for line in lines if line.memory == "y")
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
    if name.startswith("float"):  # a member alone is loaded: 4 bytes of each
        assert load.ideal == 1
    else:
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
    assert metrics.moved(launch) == 4 * (5 * 8 + 192)


def test_a_large_grid_is_traced_in_part_and_says_so(traffic, monkeypatch):
    monkeypatch.setattr(watch, "MOST", 10_000)
    text = "__global__ void pattern(float* y) { y[blockIdx.x * 256 + threadIdx.x] = 1; }\n"
    launch = traffic(text, np.zeros(2**20, "f4"), grid=2**12, block=256)
    assert 1 < launch.traced < 40  # of blocks with 256 stores each
    assert launch.accesses <= 10_000
    assert launch.scale == pytest.approx(2**12 / launch.traced)
    (store,) = metrics.traffic(launch)
    assert store.requests * launch.scale == pytest.approx(2**20 / 32)


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
    gpu = Gpu("sm_90", 100, 1.0, 1000, 2048, 32, 228)
    found = bounds(gpu, 1e9, 1e9, 1e9)
    assert found == pytest.approx({"memory": 1e3, "L2 to SM": 5e3, "shared memory": 1e4})
