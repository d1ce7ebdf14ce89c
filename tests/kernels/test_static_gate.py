"""Every kernel, compiled for real by NVIDIA's compiler, on a machine that needs no GPU.

What it costs on the chip is held in kernels/budget.json. Without NVRTC these tests skip and say
so; MINITENSOR_REQUIRE_NVRTC=1, which CI sets, makes that a failure.
"""

import json
import os
import re

import pytest

from minitensor.backend.cuda import budget, nvrtc
from minitensor.backend.errors import DeviceError
from minitensor.backend.host import source

SPILLING = """
__global__ void __launch_bounds__(1024, 2) hoard(const float* x, float* y) {
    float kept[64];
    #pragma unroll
    for (int i = 0; i < 64; ++i) kept[i] = x[i * 1024 + threadIdx.x];
    __syncthreads();
    #pragma unroll
    for (int i = 0; i < 64; ++i) y[i * 1024 + threadIdx.x] = kept[i] * kept[63 - i];
}
"""


@pytest.fixture(scope="module")
def compiler():
    """NVRTC, of the version that the budget was taken with."""
    required = os.environ.get("MINITENSOR_REQUIRE_NVRTC") == "1"
    try:
        now = nvrtc.version()
    except DeviceError as lack:
        (pytest.fail if required else pytest.skip)(str(lack))
    held = json.loads((source.folder() / "budget.json").read_text())["nvrtc"]
    if now != held:
        (pytest.fail if required else pytest.skip)(f"NVRTC is {now}, the budget is of {held}")


@pytest.mark.parametrize("file", source.files())
def test_a_kernel_spills_nothing_and_stays_within_its_budget(compiler, file):
    table = budget.measured(file)
    assert table, f"{file} lists no KERNEL(...)"
    complaints = budget.complaints(table, budget.held())
    assert not complaints, "\n".join(complaints)


def test_every_entry_of_the_budget_is_a_kernel_for_both_architectures():
    held = budget.held()
    odd = sorted(set(held) ^ set(source.catalogue()))
    assert not odd, f"kernels or budget.json lack {odd}: python -m {budget.__name__} --write"
    assert {tuple(by_arch) for by_arch in held.values()} == {("sm_80", "sm_90")}


def test_a_kernel_that_spills_is_reported_whatever_the_budget_says(compiler):
    compiled = nvrtc.compile(SPILLING, ["hoard"], "sm_90")
    now = budget.figures(compiled.log)[compiled.lowered["hoard"]]
    table = {"hoard": {"sm_90": now}}
    assert any("spills" in line for line in budget.complaints(table, table))


@pytest.mark.parametrize("figure", ["registers", "shared", "stack"])
def test_one_more_than_the_budget_allows_is_reported(figure):
    allowed = {"registers": 40, "shared": 1024, "stack": 0, "spill": 0}
    now = {**allowed, figure: allowed[figure] + 1}
    assert budget.complaints({"k": {"sm_90": now}}, {"k": {"sm_90": allowed}})
    assert not budget.complaints({"k": {"sm_90": allowed}}, {"k": {"sm_90": allowed}})


def test_a_kernel_without_a_budget_is_reported():
    figures = {"registers": 1, "shared": 0, "stack": 0, "spill": 0}
    assert budget.complaints({"k": {"sm_90": figures}}, {}) == [
        "k sm_90: not in budget.json; run with --write"
    ]


def test_the_figures_of_ptxas_are_read_by_kernel():
    log = """ptxas info    : 4 bytes gmem
ptxas info    : Compiling entry function '_Z1av' for 'sm_90'
ptxas info    : Function properties for _Z1av
ptxas         .     8 bytes stack frame, 4 bytes spill stores, 12 bytes spill loads
ptxas info    : Used 22 registers, used 1 barriers, 128 bytes smem
ptxas info    : Compiling entry function '_Z1bv' for 'sm_90'
ptxas info    : Function properties for _Z1bv
ptxas         .     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 9 registers, used 0 barriers
"""
    assert budget.figures(log) == {
        "_Z1av": {"registers": 22, "shared": 128, "stack": 8, "spill": 16},
        "_Z1bv": {"registers": 9, "shared": 0, "stack": 0, "spill": 0},
    }


def test_a_text_that_does_not_compile_says_file_and_line(compiler):
    with pytest.raises(nvrtc.CompileError, match=r"lesson\.cu\(7\): error: identifier \"y\""):
        nvrtc.compile('#line 7 "lesson.cu"\n__global__ void f() { int x = y; }', [], "sm_90")


def test_denormal_floats_survive_the_compiler_options(compiler):
    """A flushing multiply is `mul.ftz` in PTX; the cubin is made of the same text."""
    text = 'extern "C" __global__ void f(float* x) { x[0] *= x[1]; }'
    flushed = nvrtc.compile(text, [], "sm_90", (*nvrtc.OPTIONS, "-ftz=true")).cubin
    assert nvrtc.compile(text, [], "sm_90").cubin != flushed
    assert nvrtc.compile(text, [], "sm_90", (*nvrtc.OPTIONS, "-ftz=false")).cubin == (
        nvrtc.compile(text, [], "sm_90").cubin
    )


def test_without_nvrtc_the_error_says_how_to_get_it(monkeypatch):
    nvrtc.library.cache_clear()
    monkeypatch.setattr(nvrtc, "_search_paths", lambda: ["/nowhere/libnvrtc.so.13"])
    with pytest.raises(DeviceError, match="pip install nvidia-cuda-nvrtc"):
        nvrtc.library()
    nvrtc.library.cache_clear()


# ----- the cubin cache -----


@pytest.fixture
def kept(compiler, tmp_path, monkeypatch):
    """An empty cache on disk; what came out of it is forgotten before and after."""
    monkeypatch.setenv("MINITENSOR_CACHE", str(tmp_path))
    nvrtc.forget()
    yield tmp_path
    nvrtc.forget()


def test_a_cubin_is_compiled_once_and_then_read(kept, monkeypatch):
    first = nvrtc.cubin("transpose.cu", "sm_90")
    nvrtc.forget()
    monkeypatch.setattr(nvrtc, "compile", None)
    assert nvrtc.cubin("transpose.cu", "sm_90") == first


@pytest.mark.parametrize("suffix", [".cubin", ".json"])
def test_a_damaged_entry_is_built_again(kept, suffix):
    whole = nvrtc.cubin("transpose.cu", "sm_90")
    content = whole.path.read_bytes()
    whole.path.with_suffix(suffix).write_bytes(b"half an entr")
    nvrtc.forget()
    assert nvrtc.cubin("transpose.cu", "sm_90").path.read_bytes() == content


def test_a_changed_header_is_another_entry(kept, monkeypatch):
    before = nvrtc.cubin("transpose.cu", "sm_90")
    flat = source.flat("transpose.cu")
    monkeypatch.setattr(source, "flat", lambda file: flat + "// a header changed\n")
    assert nvrtc.cubin("transpose.cu", "sm_90").path != before.path


# ----- the rules that kernels keep -----


def _code(name):
    """A kernel file without its comments."""
    return source.without_comments((source.folder() / name).read_text())


TEXTS = sorted([*source.files(), *(path.name for path in source.folder().glob("*.cuh"))])


def test_what_depends_on_the_machine_stands_in_one_file():
    machine = r"\basm\b|extern\s+__shared__|__CUDA_ARCH__|MINITENSOR_"
    assert [name for name in TEXTS if re.search(machine, _code(name))] == ["common.cuh"]


def test_a_kernel_file_keeps_the_rules():
    refused = r"<<<|\bprintf\b|#\s*include\s*<|\bwhile\s*\(\s*(?:true|1)\s*\)"
    a_global = r"^(?:static|__device__)\s+(?:\w+\s+)+\w+\s*(?:=|;|\[)"
    for name in TEXTS:
        code = _code(name)
        assert not re.findall(refused, code), name
        assert not re.findall(a_global, code, re.M), name
        assert len(re.findall(r"\b__global__\b", code)) == len(
            re.findall(r"__launch_bounds__", code)
        ), name


def test_every_kernel_of_a_file_has_an_instance():
    for name in source.files():
        declared = set(re.findall(r"__launch_bounds__\([^{;]*?\)\s*(\w+)\s*\(", _code(name)))
        listed = {instance.partition("<")[0] for instance in source.instances(name)}
        assert declared <= listed, name


def test_the_declaration_of_an_instance_is_understood():
    legal = {"float", "double", "half_t", "int", "long long", "unsigned char", "Window"}
    for instance in source.catalogue():
        kernel = source.kernel(instance)
        assert {p.type for p in kernel.parameters} <= legal, instance
        assert kernel.threads <= 1024, instance
        assert all(p.pointer or p.type != "half_t" for p in kernel.parameters), instance
