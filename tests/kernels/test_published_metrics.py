"""Our counts beside what Nsight Compute printed for the same access on a GPU, in public.

Each kernel is written here, of the pattern that the source describes, and runs on a part of its
size; counts are scaled up by the number of such parts. Sources:

    transposed   forums.developer.nvidia.com/t/217015 (June 2022): 4096 x 4096 doubles through a
                 32 x 32 tile without padding
    wide         forums.developer.nvidia.com/t/359822: LDS.128, two layouts
    naive        github.com/garsanca/GPUs, src/lab1/README.md (March 2023): 8192 x 8192 floats,
                 transposed by a thread for each row
    rows, columns  a worked answer to exercise 3.1 of Kirk and Hwu's book, RTX 4080, CUDA 13.3:
                 A = B + C of 10,000 x 10,000 floats, a thread for each row or each column
"""

import numpy as np
import pytest

from minitensor.backend import emulator
from minitensor.explain import metrics, watch

TRANSPOSED = """\
__global__ void pattern(const double* x, double* y, int n) {
    __shared__ double tile[32][32];
    const int i = threadIdx.x, j = threadIdx.y, left = blockIdx.x * 32, top = blockIdx.y * 32;
    tile[i][j] = x[(top + j) * n + left + i];
    __syncthreads();
    y[(left + j) * n + top + i] = tile[j][i];
}
"""
WIDE = """\
#include "common.cuh"
__global__ void pattern(float* y) {
    __shared__ __align__(16) float s[1024];
    for (int k = threadIdx.x; k < 1024; k += 32) s[k] = k;
    __syncthreads();
    y[threadIdx.x] = load_pack<4>(s + STEP * threadIdx.x)[3];
}
"""
NAIVE = """\
__global__ void pattern(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    for (int j = 0; j < COUNT; ++j) y[LEFT] = x[RIGHT];
}
"""
SUM = """\
__global__ void pattern(float* a, const float* b, const float* c, int rows, int columns) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < OWN)
        for (int k = 0; k < OTHER; ++k) {
            const int at = AT;
            a[at] = b[at] + c[at];
        }
}
"""


@pytest.fixture
def counted(tmp_path, monkeypatch):
    """The lines of a kernel, (access, memory) -> what is asked there."""
    monkeypatch.setenv("MINITENSOR_EMULATOR", "trace")

    def measure(text, grid, block, *arguments):
        (tmp_path / "pattern.cu").write_text(text)
        own = emulator.load(tmp_path / "pattern.cu")
        (launch,) = watch.launches(lambda: own.launch("pattern", grid, block, *arguments), "")
        assert launch.scale == 1  # nothing was left out
        return {(line.kind, line.memory): line for line in metrics.traffic(launch)}

    return measure


def test_a_transposition_of_doubles_through_a_tile_without_padding(counted):
    n, parts = 128, (4096 // 128) ** 2
    lines = counted(TRANSPOSED, (n // 32, n // 32), (32, 32), np.zeros((n, n)), np.zeros((n, n)), n)
    for access in (("load", "x"), ("store", "y")):
        assert lines[access].requests * parts == 524_288  # l1tex__t_requests
        assert lines[access].sectors * parts == 4_194_304  # l1tex__t_sectors
        assert lines[access].sectors_per_request == 8
    loads, stores = lines["load", "shared"], lines["store", "shared"]
    # l1tex__data_pipe_lsu_wavefronts_mem_shared: the chip adds some of its own, 0.01 % and 1.7 %.
    assert loads.wavefronts * parts == pytest.approx(1_048_664, rel=1e-4)
    assert stores.wavefronts * parts == pytest.approx(17_061_038, rel=0.02)
    conflicts = (stores.wavefronts - stores.ideal) * parts
    assert conflicts == pytest.approx(16_012_462, rel=0.02)  # l1tex__data_bank_conflicts


@pytest.mark.parametrize(("step", "wavefronts"), [(32, 283_023_360), (4, 35_377_920)])
def test_wide_loads_of_one_bank_and_of_all(step, wavefronts, counted):
    lines = counted(WIDE.replace("STEP", str(step)), 1, 32, np.zeros(32, "f4"))
    load = lines["load", "shared"]
    requests = 8_844_480  # sass__inst_executed_shared_loads
    assert load.wavefronts * requests == wavefronts
    assert (load.wavefronts - load.ideal) * requests == wavefronts - 35_377_920  # conflicts


def test_a_naive_transposition(counted):
    n, count = 8192, 8  # 8 of the turns that each thread does
    words = {"LEFT": "j * n + i", "RIGHT": "i * 8 + j", "COUNT": str(count)}
    text = NAIVE
    for name, word in words.items():
        text = text.replace(name, word)
    # A row is 8 long here, so that it fits: neighbours are a sector apart, as they are in 8192.
    lines = counted(text, n // 256, 256, np.zeros((n, 8), "f4"), np.zeros((8, n), "f4"), n)
    total = sum(line.sectors for line in lines.values()) * n // count
    least = sum(line.bytes for line in lines.values()) // 32 * n // count
    assert total == 75_497_472  # "excessive sectors (78 % of the total 75497472)"
    assert total - least == 58_720_256


@pytest.mark.parametrize("by", ["row", "column"])
def test_a_sum_by_rows_and_by_columns(by, counted):
    own, other = 10_000, 8  # 8 of the 10,000 turns of each thread
    shape = (own, other) if by == "row" else (other, own)
    at = "i * columns + k" if by == "row" else "k * columns + i"
    names = {"row": ("rows", "columns"), "column": ("columns", "rows")}[by]
    text = SUM.replace("OWN", names[0]).replace("OTHER", names[1]).replace("AT", at)
    arrays = [np.zeros(shape, "f4") for _ in range(3)]
    lines = counted(text, -(-own // 256), 256, *arrays, *shape)
    ratio = sum(lines["load", array].sectors_per_request for array in "bc") / 2
    assert round(ratio, 2) == {"row": 31.95, "column": 3.99}[by]
    total = sum(line.sectors for line in lines.values()) * own // other
    least = sum(line.bytes for line in lines.values()) // 32 * own // other
    if by == "row":
        assert (total, total - least) == (300_000_000, 262_500_000)  # excessive: 88 %
    else:
        assert total == least  # no such warning
