"""A .cu of one's own: what of CUDA C++ it may use, and what is said where it cannot be run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from minitensor.backend import emulator
from minitensor.backend.errors import CompileError
from minitensor.backend.host.conversion import LaunchError

ROOT = Path(__file__).parents[2]
DIALECT = """\
#include <cuda_runtime.h>
#include <cstdio>
#include <cuda_fp16.h>
#include "scale.cuh"

__constant__ float weights[3] = {1, 2, 4};
__constant__ int zero[2];
__device__ int calls;
extern __shared__ float outside[];

extern "C" __global__ void plain(const unsigned int* x, size_t n, long long* y, bool twice) {
    const size_t i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = SCALE * x[i] * (twice ? 2 : 1);
}

template <typename T, int N> __global__ __launch_bounds__(64) void pooled(const T* x, float* y) {
    extern __shared__ float sums[];
    sums[threadIdx.x] = 0;
    for (int k = 0; k < N; ++k) sums[threadIdx.x] += weights[k % 3] * float(x[threadIdx.x * N + k]);
    __syncthreads();
    y[threadIdx.x] = sums[threadIdx.x] + zero[1];
    if (threadIdx.x == 0) atomicAdd(&calls, 1);
}

__global__ void vectors(const float4* x, float2* y, __half* z) {
    outside[threadIdx.x] = x[threadIdx.x].w;
    __syncthreads();
    y[threadIdx.x] = make_float2(outside[threadIdx.x], x[threadIdx.x].x);
    z[threadIdx.x] = __hadd(__float2half(x[threadIdx.x].y), z[threadIdx.x]) * __float2half(2.0f);
}

__global__ void counted(int* y) { *y = calls; }
"""


@pytest.fixture
def own(tmp_path):
    """The file above, loaded."""
    (tmp_path / "scale.cuh").write_text("#pragma once\n#define SCALE 3\n")
    (tmp_path / "dialect.cu").write_text(DIALECT)
    return emulator.load(tmp_path / "dialect.cu")


def test_all_kernels_of_a_file_are_found(own):
    assert own.kernels == ["plain", "pooled<T, N>", "vectors", "counted"]


def test_numbers_of_many_types_and_what_a_header_beside_it_defines(own):
    y = np.zeros(5, np.int64)
    own.launch("plain", 2, 4, np.arange(5, dtype=np.uint32), 5, y, True)
    assert y.tolist() == [0, 6, 12, 18, 24]


def test_a_template_with_dynamic_shared_memory_and_constants(own):
    x, y = np.arange(8, dtype=np.float64), np.zeros(4, np.float32)
    own.launch("pooled<double, 2>", 1, 4, x, y, shared=16)
    assert y.tolist() == [2, 8, 14, 20]  # x0 + 2 x1
    assert own.kernel("pooled<double, 2>").threads == 64


def test_variables_of_the_device_begin_at_zero_and_are_no_shared_memory(own):
    y = np.full(1, -1, np.int32)
    own.launch("counted", 1, 1, y)
    assert y.tolist() == [0]


def test_vectors_are_arrays_of_their_numbers_and_halves_are_float16(own):
    x = np.arange(16, dtype=np.float32)
    y, z = np.zeros((4, 2), np.float32), np.ones(4, np.float16)
    own.launch("vectors", 1, 4, x, y, z, shared=16)
    assert y.tolist() == [[3, 0], [7, 4], [11, 8], [15, 12]]
    assert z.tolist() == [4, 12, 20, 28]  # (x.y + 1) * 2


def test_a_file_that_has_changed_is_compiled_anew(tmp_path):
    path, y = tmp_path / "one.cu", np.zeros(1, np.float32)
    for number in (1, 2):
        path.write_text(f"__global__ void one(float* y) {{ *y = {number}; }}")
        emulator.load(path).launch("one", 1, 1, y)
        assert y.tolist() == [number]


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("int main() {\n  k<<<1, 1>>>();\n}", CompileError, r"bad.cu:2: <<< >>> is host code"),
        ("\n#include <cub/cub.cuh>\n", CompileError, r"bad.cu:2: <cub/cub.cuh> is not to be had"),
        ("__device__ int f() { return 1; }", ValueError, "no __global__ function"),
    ],
)
def test_what_cannot_be_run_is_said_with_its_line(text, error, words, tmp_path):
    (tmp_path / "bad.cu").write_text(text)
    with pytest.raises(error, match=words):
        emulator.load(tmp_path / "bad.cu")


def test_arguments_are_checked_as_those_of_our_own_kernels(own):
    y = np.zeros(5, np.int64)
    with pytest.raises(LaunchError, match=r"argument 0 \(x\): got an array of float32; expected u"):
        own.launch("plain", 1, 5, np.zeros(5, np.float32), 5, y, False)
    with pytest.raises(LaunchError, match="got 3 arguments; expected 4: x, n, y, twice"):
        own.launch("plain", 1, 5, np.zeros(5, np.uint32), 5, y)
    with pytest.raises(LookupError, match="there is plain, pooled<T, N>, vectors, counted"):
        own.launch("plane", 1, 5, y)
    with pytest.raises(LookupError, match="should fill the parameters T, N"):
        own.launch("pooled<float>", 1, 5, y)


# ----- the command -----


def command(folder, *words, verb="kernel"):
    env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120"}
    done = subprocess.run(
        [sys.executable, "-m", "minitensor", verb, *words],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


TWICE = "__global__ void twice(const float* x, float* y, int n) {\n    int i = blockIdx.x * 4\n" + (
    "        + threadIdx.x;\n    if (i < n) y[i] = 2 * x[i];\n}\n"
)
WORDS = ["twice.cu", "--grid", "2", "--block", "4", "--arg", "x=arange:6", "--arg", "y=empty:2,3"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "twice.cu").write_text(TWICE)
    return tmp_path


def test_the_command_shows_the_map_and_one_output(folder):
    code, out, _ = command(folder, *WORDS, "--arg", "6")
    assert code == 0
    assert "y[1, 1]" in out
    code, out, _ = command(folder, *WORDS, "--arg", "6", "--output", "1,1")
    assert "block (1, 0, 0), thread (0, 0, 0)" in out
    assert "x[4]" in out


def test_the_command_shows_what_a_gpu_would_do(folder):
    code, out, _ = command(folder, *WORDS, "--arg", "6", "--metrics", "H100")
    assert code == 0
    assert "twice.cu:4" in out.replace(" ", "").replace("│", "") or "twice.cu:4" in out
    assert "load x" in out
    assert "H100" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["twice.cu"], "say --grid and --block"),
        (WORDS, "twice takes float* x, float* y, int n; got 2 --arg"),
        ([*WORDS, "--arg", "1.5"], "--arg n=1.5: int takes a whole number"),
        ([*WORDS, "--arg", "many"], "--arg n=many: int takes a number"),
        ([*WORDS[:-1], "y=full:2", "--arg", "6"], "an array is x.npy, randn|zeros|empty|arange"),
        ([*WORDS[:-1], "y=empty:2,a", "--arg", "6"], "'2,a' is no shape like 2,49,8"),
        ([*WORDS[:-1], "y=empty:99999,99999", "--arg", "6"], "bytes; at most"),
        ([*WORDS, "--arg", "6", "--launch", "thrice"], "needs one __global__ thrice, got 0"),
        ([*WORDS, "--arg", "6", "--metrics", "H900"], "known are T4, A100"),
        (["none.cu", "--grid", "1", "--block", "1"], "none.cu"),
        (["conv_tilde"], "near are conv_tile"),
    ],
)
def test_what_is_wrong_with_the_words_is_one_line(words, said, folder):
    code, _, err = command(folder, *words)
    assert (code, err.count("\n")) == (2, 1), err
    assert said in err


def test_shared_memory_that_was_not_asked_for_is_said_so(folder):
    text = "extern __shared__ float s[];\n__global__ void f(float* y) { s[0] = 1; y[0] = s[0]; }\n"
    (folder / "f.cu").write_text(text)
    words = ["f.cu", "--grid", "1", "--block", "1", "--arg", "empty:1"]
    code, _, err = command(folder, *words)
    assert code == 2
    assert "extern __shared__ has 0 bytes in this launch: --shared BYTES" in err
    assert command(folder, *words, "--shared", "4")[0] == 0


def test_an_output_of_many_threads_is_said_to_be_so(folder):
    text = "__global__ void f(int* y, int* z) { atomicAdd(y, 1); z[0] = 1; }\n"
    (folder / "f.cu").write_text(text)
    (folder / "mine.py").write_text("def f(y, z): return [4], [2]\n")
    words = ["f.cu", "--grid", "1", "--block", "4", "--arg", "zeros:1", "--arg", "zeros:1"]
    assert "4 threads write y[0]; what follows" in command(folder, *words, "--output", "0")[1]
    code, out, _ = command(folder, *words, "--against", "mine.py:f", verb="check")
    assert code == 1
    assert "wrote z[0]" in out
    assert "--output" not in out  # which is of the first array


def test_all_kernels_are_listed_a_line_each(folder):
    code, out, _ = command(folder, "--list")
    assert code == 0
    assert {"max_pool", "winograd", "conv_tiled<Forward"} <= set(out.splitlines())


def test_check_says_the_words_of_a_wrong_reference(folder):
    (folder / "mine.py").write_text("def twice(x, y, n):\n    return x.reshape(2, 3) * 3\n")
    words = [*WORDS, "--arg", "6", "--against", "mine.py:twice", "--json"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "minitensor", "check", *words],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
    )
    told = json.loads(done.stdout)
    assert (done.returncode, told["right"]) == (1, False)
    assert told["findings"][0] == "y[0, 1] is 2, the reference has 3"
    assert "block (0, 0, 0), thread (1, 0, 0)" in told["findings"][1]
