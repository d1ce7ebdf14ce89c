"""The typed launcher: how a kernel's declaration is read, and what it is then handed or refused.

The kernels here are texts of a few lines that nobody runs: the device writes down what it would
have launched.
"""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from minitensor.backend.host import conversion, source
from minitensor.backend.host.arena import Arena
from minitensor.backend.host.conversion import LaunchError, ctype
from minitensor.backend.host.device import Device
from minitensor.backend.host.grid import ceil_div
from minitensor.window import Window

TEXT = """// A comment with a kernel in it: __global__ void scale(int decoy) {
#include "common.cuh"
constexpr int Lanes = 32;
constexpr int Tile = 2 * Lanes;

template <typename Pass, typename T, int N>
__global__ void __launch_bounds__(Tile * (N / 8), 2)
    scale(const T* __restrict__ x, T *y, const unsigned char* mask,  // may be null
          Window window, int C, long long total, accumulator<T> factor, float shift) {
}

__global__ void plain(double* x) {}

KERNEL(scale<Forward, half_t, 16>);
KERNEL(scale<Backward<2>, double, 32>);
KERNEL(plain);
"""
HALF, DOUBLE = "scale<Forward, half_t, 16>", "scale<Backward<2>, double, 32>"
WINDOW = Window.of((6, 5), (3, 2), (2, 1), "SAME", (1, 2))


class Notebook(Device):
    """Writes launches down."""

    name = "notebook"
    xp = np

    def __init__(self):
        super().__init__()
        self.launches = []

    def function(self, kernel):
        return lambda *launch, shared_mem: self.launches.append((kernel, *launch, shared_mem))

    def empty(self, shape, dtype):
        return np.empty(shape, dtype)

    def asarray(self, value, dtype=None):
        return np.asarray(value, dtype)

    def to_numpy(self, array):
        return array

    def owns(self, value):
        return isinstance(value, np.ndarray)

    def address(self, array):
        return array.ctypes.data


@pytest.fixture
def kernels(tmp_path, monkeypatch):
    """A folder with a header and the text above."""
    (tmp_path / "common.cuh").write_text("#pragma once\nstruct Half {};\n")
    (tmp_path / "scale.cu").write_text(TEXT)
    monkeypatch.setattr(source, "folder", lambda: tmp_path)
    cached = (source.flat, source.catalogue, source.kernel)
    for function in cached:
        function.cache_clear()
    yield tmp_path
    for function in cached:
        function.cache_clear()


def handed(device, kernel=HALF, grid=1, block=1, shared=0, **changed):
    """What the kernel gets when one argument of a legal launch is changed."""
    half = np.float16 if kernel == HALF else np.float64
    x = np.zeros((2, 3), half)
    legal = {"x": x, "y": x.copy(), "mask": None, "window": WINDOW, "C": 3, "total": 6,
             "factor": 0.5, "shift": 1}  # fmt: skip
    values = (legal | changed).values()
    device.launch(kernel, grid, block, *values, shared=shared)
    return dict(zip(legal, device.launches[-1][3], strict=True))


# ----- declarations -----


def test_template_parameters_are_filled_in(kernels):
    types = [p.type for p in source.kernel(HALF).parameters]
    assert types == [
        *("half_t", "half_t", "unsigned char", "Window", "int", "long long", "float", "float"),
    ]
    types = [p.type for p in source.kernel(DOUBLE).parameters]
    assert (types[0], types[6], types[7]) == ("double", "double", "float")


def test_pointers_and_constness_are_read(kernels):
    read = [(p.name, p.pointer, p.const) for p in source.kernel(HALF).parameters[:4]]
    assert read == [
        ("x", True, True),
        ("y", True, False),
        ("mask", True, True),
        ("window", False, False),
    ]


def test_launch_bounds_are_worked_out_for_the_instance(kernels):
    assert source.kernel(HALF).threads == 128
    assert source.kernel(DOUBLE).threads == 256
    assert source.kernel("plain").threads == 1024  # the hardware's


def test_an_unknown_instance_names_those_of_the_same_kernel(kernels):
    with pytest.raises(LookupError, match=r"no kernel 'scale<int>'.* scale<Forward, half_t, 16>"):
        source.kernel("scale<int>")


def test_an_instance_listed_twice_is_refused(kernels):
    (kernels / "again.cu").write_text("KERNEL(plain);\n")
    with pytest.raises(ValueError, match=r"KERNEL\(plain\) stands in again.cu and again"):
        source.catalogue()


def test_headers_stand_once_in_the_flat_text_and_lines_keep_their_numbers(kernels):
    (kernels / "scale.cu").write_text('#include "common.cuh"\n#include "common.cuh"\nint x;\n')
    assert source.flat("scale.cu").splitlines() == [
        '#line 1 "scale.cu"',
        '#line 1 "common.cuh"',
        "",
        "struct Half {};",
        '#line 2 "scale.cu"',
        '#line 3 "scale.cu"',
        "int x;",
    ]


# ----- what a kernel is handed -----


def test_python_numbers_get_the_exact_type_of_their_parameter(kernels):
    got = handed(Notebook())
    types = {name: type(got[name]) for name in ("C", "total", "factor", "shift")}
    assert types == {
        "C": np.int32,
        "total": np.int64,
        "factor": np.float32,
        "shift": np.float32,
    }
    assert handed(Notebook(), DOUBLE)["factor"].dtype == np.float64


def test_a_window_is_twelve_integers_in_the_order_of_the_struct(kernels):
    fields = handed(Notebook())["window"].item()
    assert fields == (6, 5, 3, 5, 3, 2, 2, 1, 1, 2, 0, 1)


def test_none_is_a_null_pointer(kernels):
    assert handed(Notebook())["mask"] == 0


def test_a_flag_goes_to_an_int(kernels):
    assert handed(Notebook(), C=True)["C"] == 1


@pytest.mark.parametrize("value", [float("inf"), float("-inf")])
def test_infinity_fits_a_float(kernels, value):
    assert handed(Notebook(), shift=value)["shift"] == value


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"C": 1.0}, r"argument 4 \(C\): got builtins.float 1.0; expected a number for int"),
        ({"C": 2**31}, r"argument 4 \(C\): got 2147483648; int ends at 2147483647"),
        ({"C": np.int64(1)}, r"argument 4 \(C\): got numpy.int64 of int64; expected int32"),
        ({"shift": np.float64(1)}, r"argument 7 \(shift\): got numpy.float64 of float64"),
        ({"shift": 1e39}, r"argument 7 \(shift\): got 1e\+39; float ends at 3.4"),
        ({"shift": "1"}, r"argument 7 \(shift\): got builtins.str '1'"),
        ({"window": None}, r"argument 3 \(window\): .* expected a minitensor Window"),
        ({"x": np.zeros(3)}, r"argument 0 \(x\): got an array of float64; expected float16"),
        ({"x": [1.0]}, r"argument 0 \(x\): .*expected an array of notebook"),
        ({"x": np.zeros((4, 4), np.float16).T}, r"\(x\): got a view of shape \(4, 4\)"),
        ({"x": np.zeros((4, 4), np.float16)[:, ::2]}, r"\(x\): got a view .*contiguous"),
    ],
)
def test_a_misfit_is_refused_by_name(kernels, changed, said):
    with pytest.raises(LaunchError, match=said):
        handed(Notebook(), **changed)


def test_an_output_must_be_writable(kernels):
    frozen = np.zeros((2, 3), np.float16)
    frozen.flags.writeable = False
    handed(Notebook(), x=frozen)
    with pytest.raises(LaunchError, match=r"argument 1 \(y\): got a read-only array"):
        handed(Notebook(), y=frozen)


def test_a_forgotten_argument_is_counted(kernels):
    with pytest.raises(LaunchError, match="plain: got 0 arguments; expected 1: x"):
        Notebook().launch("plain", 1, 1)


@pytest.mark.parametrize("grid", [0, -1, (1, 65536), (1, 1, 65536), 2**31, (1, 1, 1, 1), 1.0])
def test_a_grid_beyond_the_hardware_is_refused(kernels, grid):
    with pytest.raises(LaunchError, match="grid"):
        handed(Notebook(), grid=grid)


@pytest.mark.parametrize("block", [0, 129, (16, 16), (1, 1, 65)])
def test_a_block_beyond_its_launch_bounds_is_refused(kernels, block):
    with pytest.raises(LaunchError, match="legal: 1 to 128 threads"):
        handed(Notebook(), block=block)


@pytest.mark.parametrize("shared", [-1, 232_449])
def test_more_shared_memory_than_a_block_can_have_is_refused(kernels, shared):
    with pytest.raises(LaunchError, match="bytes of shared memory"):
        handed(Notebook(), shared=shared)


def test_grid_and_block_are_filled_up_to_three_axes(kernels):
    device = Notebook()
    handed(device, grid=(4, 2), block=64, shared=1024)
    _, grid, block, _, shared = device.launches[0]
    assert (grid, block, shared) == ((4, 2, 1), (64, 1, 1), 1024)


# ----- the arena -----


def test_a_block_that_was_given_back_is_the_next_one_of_its_size():
    device = Notebook()
    with device.workspace((100,), np.float32) as first:
        with device.workspace((100,), np.float32) as second:
            assert not np.shares_memory(first, second)
        assert device.returned(second)
    with device.workspace((100,), np.float32) as third:
        assert np.shares_memory(third, first) or np.shares_memory(third, second)


class SlowBlock:
    """A block whose size is so slow to read that another thread comes in between."""

    @property
    def nbytes(self):
        time.sleep(0.01)
        return 512


def test_threads_never_share_a_block():
    arena = Arena(lambda size: SlowBlock(), id)
    arena.give(arena.take(64, "stream"), "stream")
    with ThreadPoolExecutor(4) as pool:
        blocks = list(pool.map(lambda _: arena.take(64, "stream"), range(4)))
    assert len(set(map(id, blocks))) == 4


# ----- small things -----


def test_ceil_div_rounds_up():
    assert [ceil_div(n, 4) for n in (0, 1, 4, 5)] == [0, 1, 1, 2]


def test_every_dtype_of_the_kernels_has_its_c_name_and_others_are_refused():
    assert [ctype(dtype) for dtype in conversion.DTYPES.values()] == list(conversion.DTYPES)
    with pytest.raises(TypeError, match="kernels have no complex64"):
        ctype(np.complex64)


def test_the_record_of_a_window_has_the_fields_of_the_struct():
    text = (source.folder() / "window.cuh").read_text()
    struct = text[text.index("struct Window {") :]
    lines = [line.split("//")[0] for line in struct.splitlines() if line.strip().startswith("int")]
    fields = [name.strip(" ;") for line in lines for name in line.replace("int ", "").split(",")]
    assert tuple(fields) == conversion.WINDOW.names
