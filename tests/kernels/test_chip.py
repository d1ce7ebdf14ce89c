"""What NVIDIA's compiler makes of a kernel: its inner loop, registers, and what is said without."""

import os

import numpy as np
import pytest

from minitensor.backend import emulator
from minitensor.backend.cuda import nvrtc, sass
from minitensor.backend.errors import DeviceError
from minitensor.explain import chip, metrics, report, watch

DOT = """\
__global__ void dot(const float* x, const float* w, float* y, int n) {
    const int i = blockIdx.x * 32 + threadIdx.x;
    float sum = 0;
    #pragma unroll 4
    for (int k = 0; k < n; ++k)
        sum += x[k * 64 + i] * w[k];
    y[i] = sum;
}
"""
HOARD = """\
__global__ void __launch_bounds__(1024, 2) hoard(const float* x, float* y) {
    float kept[64];
    #pragma unroll
    for (int k = 0; k < 64; ++k) kept[k] = x[k * 1024 + threadIdx.x];
    __syncthreads();
    #pragma unroll
    for (int k = 0; k < 64; ++k) y[k * 1024 + threadIdx.x] = kept[k] * kept[63 - k];
}
"""
# As nvdisasm -c -gi writes: a loop in a loop, a jump out of it, and the end that jumps to itself.
LISTING = """
\t.section\t.text.first,"ax",@progbits
first:
\t//## File "/tmp/a.cu", line 3
        /*0000*/                   MOV R1, c[0x0][0x28] ;
.L_x_1:
\t//## File "/tmp/a.cu", line 4
        /*0010*/                   IMAD.WIDE R2, R3, 0x4, R4 ;
.L_x_0:
.L_x_4:
\t//## File "/tmp/b.cuh", line 9 inlined at "/tmp/a.cu", line 5
\t//## File "/tmp/a.cu", line 5
        /*0018*/              @!PT LDS RZ, [RZ] ;
        /*0020*/                   LDG.E.128 R8, [R2.64] ;
        /*0030*/              @!P1 BRA `(.L_x_2) ;
        /*0040*/             @!UP0 FFMA R0, R8, R9, R0 ;
\t//## File "/tmp/a.cu", line 4
        /*0050*/               @P0 BRA `(.L_x_0) ;
        /*0060*/               @P2 BRA `(.L_x_1) ;
.L_x_2:
        /*0070*/                   EXIT ;
.L_x_3:
        /*0080*/                   BRA `(.L_x_3);
\t.section\t.text.second,"ax",@progbits
        /*0000*/                   EXIT ;
"""


@pytest.fixture
def tools():
    """NVRTC and nvdisasm."""
    try:
        nvrtc.version()
        sass.program()
    except DeviceError as lack:
        required = os.environ.get("MINITENSOR_REQUIRE_NVRTC") == "1"
        (pytest.fail if required else pytest.skip)(str(lack))


@pytest.fixture
def dot(tmp_path, monkeypatch):
    """A launch of the kernel above, and its lines."""
    monkeypatch.setenv("MINITENSOR_EMULATOR", "trace")
    (tmp_path / "dot.cu").write_text(DOT)
    own = emulator.load(tmp_path / "dot.cu")
    values = np.ones((40, 64), "f4"), np.ones(40, "f4"), np.zeros(64, "f4"), 40
    (launch,) = watch.launches(lambda: own.launch("dot", 2, 32, *values), "dot")
    return launch, metrics.traffic(launch)


def test_a_listing_is_read_by_kernel_with_lines_and_loops():
    found = sass.parsed(LISTING)
    assert list(found) == ["first", "second"]
    code = found["first"]
    assert [i.base for i in code] == [
        *("MOV", "IMAD", "LDG", "BRA", "FFMA", "BRA", "BRA", "EXIT", "BRA")
    ]
    assert code[2].opcode == "LDG.E.128"
    assert code[2].places == (("/tmp/b.cuh", 9), ("/tmp/a.cu", 5))
    assert code[0].places == (("/tmp/a.cu", 3),)
    assert [i.target for i in code if i.base == "BRA"] == [0x70, 0x18, 0x10, 0x80]
    (loop,) = sass.inner_loops(code)  # not the outer one, nor the end
    assert [i.address for i in loop] == [0x20, 0x30, 0x40, 0x50]
    built = chip.Chip(loop=loop, turns=10)
    assert built.mix == {"LDG.128": 1, "BRA": 2, "FFMA": 1}
    assert built.instructions == 40
    assert built.place == ("/tmp/a.cu", 4)


def test_the_inner_loop_and_its_turns_are_those_of_the_source(tools, dot):
    launch, lines = dot
    built = chip.chip(launch, lines, "sm_90")
    assert not built.lack
    assert built.place[1] == 5
    assert (built.mix["LDG"], built.mix["FFMA"]) == (8, 4)  # x and w, four times
    assert built.turns == 2 * 40 / 4  # warps, turns of the source, in fours
    assert built.spilled == 0
    assert 8 < built.registers < 64


def test_registers_that_have_no_room_are_told_as_spilled(tools, tmp_path, monkeypatch):
    monkeypatch.setenv("MINITENSOR_EMULATOR", "trace")
    (tmp_path / "hoard.cu").write_text(HOARD)
    own, x = emulator.load(tmp_path / "hoard.cu"), np.ones(65536, "f4")
    call = lambda: own.launch("hoard", 1, 1024, x, np.copy(x))  # noqa: E731
    (launch,) = watch.launches(call, "hoard")
    built = chip.chip(launch, metrics.traffic(launch), "sm_90")
    assert built.spilled > 0
    assert built.loop == ()


@pytest.mark.parametrize(
    ("module", "function", "says"),
    [
        (nvrtc, "_search_paths", "registers, spills, instructions are not counted: minitensor"),
        (sass, "program", "instructions are not counted: no nvdisasm"),
    ],
)
def test_without_a_tool_one_line_says_so_once(module, function, says, dot, monkeypatch, capsys):
    def lacking(*_):
        raise DeviceError("no nvdisasm: pip install nvidia-cuda-nvdisasm")

    if module is sass:
        try:
            nvrtc.version()
        except DeviceError as lack:
            pytest.skip(str(lack))
    nvrtc.forget()
    cached = sass.listing if module is sass else nvrtc.library
    cached.cache_clear()
    if module is nvrtc:
        nvrtc.version.cache_clear()
    monkeypatch.setattr(module, function, lacking if module is sass else lambda: iter(()))
    report.show_metrics(dot[0], "")
    cached.cache_clear()
    told = " ".join(capsys.readouterr().out.split())
    assert told.count(says) == 1, told
    assert "pip install nvidia" in told
    assert "FLOPs: 5,120 FP32" in told  # 2 x 64 x 40


def test_without_a_disassembler_the_error_says_how_to_get_it(monkeypatch):
    sass.program.cache_clear()
    monkeypatch.setattr(sass.os, "access", lambda *_: False)
    monkeypatch.setattr(sass.shutil, "which", lambda _: None)
    with pytest.raises(DeviceError, match="pip install nvidia-cuda-nvdisasm"):
        sass.program()
    sass.program.cache_clear()
