"""Three backends behind one door: the same names, the same signatures, the same words.

What they compute is compared in test_parity_emulator.py and in the tests of each kernel.
"""

import importlib
import inspect
import shutil
import subprocess
import sys

import numpy as np
import pytest
from backends import KERNEL_BACKENDS, NAMES, wanted

import minitensor as mt
from minitensor import backend
from minitensor.backend import devices, settings
from minitensor.backend import numpy as twin
from minitensor.backend.cuda import requirements
from minitensor.backend.errors import DeviceError
from minitensor.backend.protocol import Backend
from minitensor.cli import main
from minitensor.parity.case import draw
from minitensor.parity.cases import table
from minitensor.parity.driver import differentiate
from minitensor.parity.ledger import our_side
from minitensor.parity.ops import KERNELS

FUNCTIONS = [name for name, f in vars(Backend).items() if inspect.isfunction(f) and name[0] != "_"]
# What any op may do on its way, and W', which is SciPy's on every backend:
PLAIN = (
    "lack",
    "array",
    "asarray",
    "to_numpy",
    "where",
    "gate",
    "gelu",
    "gelu_grad",
    "sum_rows",
    "transpose",
    "matmul",
    "conv2d_matrix",
)
CPU, GPU = (f"/job:localhost/replica:0/task:0/device:{kind}:0" for kind in ("CPU", "GPU"))
EVERY = pytest.mark.parametrize("name", KERNEL_BACKENDS)


def parameters(function):
    """Names, kinds and defaults of a function's parameters."""
    return [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]


@pytest.mark.parametrize("name", ["numpy", "cuda", "emulator"])
def test_every_backend_offers_the_functions_of_the_protocol(name):
    """Name by name and parameter by parameter; `xp` apart, which may need CuPy."""
    module = importlib.import_module(f"minitensor.backend.{name}")
    assert module.name == name
    for function in FUNCTIONS:
        expected = parameters(getattr(Backend, function))[1:]  # without self
        assert parameters(getattr(module, function)) == expected, f"{name}.{function}"


def test_the_protocol_is_all_that_the_numpy_backend_offers():
    assert {*FUNCTIONS, "name", "xp"} == set(twin.__all__)


def test_the_list_of_ops_with_kernels_is_what_the_ops_call(monkeypatch):
    called, found, side = set(), set(), our_side()
    for name in set(FUNCTIONS) - set(PLAIN):
        function = getattr(twin, name)
        watched = lambda *args, f=function, name=name: called.add(name) or f(*args)  # noqa: E731
        monkeypatch.setattr(twin, name, watched)
    for case in table():
        if case.op in found or "float32" not in case.dtypes:
            continue
        called.clear()
        tensors = [side.tensor(array) for array in draw(case, "float32")]
        with np.errstate(all="ignore"):
            differentiate(side, side.function(case.op), case, tensors, case.orders("float32"))
        found |= {case.op} if called else set()
    unsaid = [
        f'{op}: write OPS = {{"{op}": Op(..., kernel=True)}} in its file of parity/cases'
        for op in found - KERNELS
    ]
    assert not unsaid
    assert found | {"transpose"} == KERNELS


# ----- the door -----


def on(name, values, dtype="float32"):
    """A tensor on a backend."""
    return mt.to_device(np.array(values, dtype), devices.kind_of_backend(name))


@EVERY
def test_the_arrays_choose_the_backend(name):
    assert backend.of(np.ones(1)) is twin
    assert backend.of(on(name, [1.0]).array).name == name
    assert backend.of() is twin


@EVERY
def test_arrays_of_two_backends_in_one_op_are_refused_by_name(name):
    with pytest.raises(TypeError, match=rf"^multiply: .*{name} and numpy.*minitensor\.to_device"):
        on(name, [1.0]) * mt.constant([1.0])


def test_what_no_backend_computes_on_is_refused():
    with pytest.raises(TypeError, match="no backend computes on list"):
        backend.of([1.0])


@EVERY
def test_a_tensor_travels_to_a_device_and_back_without_losing_a_bit(name):
    values = np.random.default_rng(0).normal(size=(2, 3))
    kind = devices.kind_of_backend(name)
    there = mt.to_device(mt.constant(values), f"/{kind}:0")
    assert there.device == f"/job:localhost/replica:0/task:0/device:{kind}:0"
    np.testing.assert_array_equal(mt.to_device(there, "cpu").numpy(), values, strict=True)


@pytest.mark.parametrize(
    "spelling",
    ["gpu", "GPU:0", "/gpu:0", "/GPU:0", "/device:GPU:0", "device:gpu:0", GPU],
)
def test_every_spelling_of_tensorflow_means_the_gpu(spelling):
    assert devices.kind_of(spelling) == "GPU"


@pytest.mark.parametrize("name", ["", "/TPU:0", "/GPU:1", "gpu:", "/GPU:0/x", 0])
def test_other_names_are_refused_with_the_legal_ones(name):
    with pytest.raises(ValueError, match=r'legal names are "/CPU:0", "/GPU:0", "/EMULATOR:0"'):
        mt.device(name).__enter__()
    with pytest.raises(ValueError, match="legal names"):
        mt.to_device(1.0, name)


@EVERY
def test_seeds_give_the_same_numbers_on_every_device(name):
    def drawn():
        mt.random.set_seed(7)
        return mt.random.normal([5]), mt.nn.dropout(mt.ones([20]), 0.5)

    with mt.device(devices.kind_of_backend(name)):
        found = drawn()
    for y, x in zip(found, drawn(), strict=True):
        assert (y.device, x.device) == (devices.full_name(name), CPU)
        np.testing.assert_array_equal(y.numpy(), x.numpy(), strict=True)


@EVERY
def test_tensors_of_a_device_speak_pythons_protocols(name):
    x = on(name, [[1.0, 2.0], [3.0, 4.0]])
    assert [row.numpy().tolist() for row in x] == [[1.0, 2.0], [3.0, 4.0]]
    assert {row.device for row in x} == {devices.full_name(name)}
    assert (float(x[1, 0]), int(x[0, 1]), bool(x[0, 0]), len(x)) == (3.0, 2, True, 2)
    assert type(x.numpy()) is np.ndarray
    assert type(x[0, 0].numpy()) is np.float32
    assert backend.of(x.array).xp.from_dlpack(x).shape == (2, 2)
    assert repr(x) == repr(mt.constant(x.numpy()))


# ----- algorithms -----


@pytest.mark.parametrize("algorithm", settings.ALGORITHMS)
def test_a_backend_computes_by_the_pinned_algorithm_or_names_its_own(algorithm):
    x, kernel = np.ones((1, 6, 6, 4), "float32"), np.ones((3, 3, 4, 4), "float32")
    expected = mt.nn.conv2d(x, kernel, 1, "SAME").numpy()
    for name in NAMES:
        with settings.algorithm(algorithm):
            found, words = outcome(lambda name=name: mt.nn.conv2d(on(name, x), kernel, 1, "SAME"))
        if found is None:
            assert f"'{algorithm}'" in words
            assert any(way in words for way in ("im2col", "groups == channels", "no numba"))
        else:
            np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5)  # Winograd's fractions


def outcome(call):
    """What `call` returns, or None and the words of its ValueError."""
    try:
        return call(), ""
    except ValueError as refusal:
        return None, str(refusal)


def test_tf32_is_off_until_it_is_asked_for(monkeypatch):
    monkeypatch.setattr(settings, "_tensor_float_32", False)
    switch = mt.config.experimental
    assert switch.tensor_float_32_execution_enabled() is False
    switch.enable_tensor_float_32_execution(True)
    assert switch.tensor_float_32_execution_enabled() is settings.tensor_float_32() is True


# ----- what is missing is said, once and clearly -----


@pytest.fixture
def bare(monkeypatch):
    """A machine on which nothing was asked for yet."""
    devices.backend.cache_clear()
    yield monkeypatch
    devices.backend.cache_clear()


def test_without_cupy_the_error_names_the_extra_to_install(bare):
    bare.setitem(sys.modules, "cupy", None)
    bare.delitem(sys.modules, "cupy")
    bare.setattr("importlib.util.find_spec", lambda name: None)
    for ask in (lambda: mt.to_device(1.0, "gpu"), lambda: mt.device("gpu").__enter__()):
        with pytest.raises(DeviceError, match=r"CuPy is not installed.*\[gpu\]"):
            ask()
    assert mt.config.list_physical_devices("GPU") == []


def test_without_a_driver_the_error_names_it_and_the_emulator(bare):
    bare.setattr(requirements, "_lack_of_cupy", str)
    bare.setattr("ctypes.CDLL", absent)
    with pytest.raises(DeviceError, match=r"NVIDIA's driver .* not installed.*/EMULATOR:0"):
        mt.to_device(1.0, "gpu")
    assert mt.config.list_physical_devices("GPU") == []


def test_without_nvrtc_the_error_names_the_wheel(bare):
    from minitensor.backend.cuda import nvrtc

    bare.setattr(requirements, "_lack_of_cupy", str)
    bare.setattr(requirements, "_lack_of_driver", str)
    bare.setattr(nvrtc, "library", lambda: nvrtc_is_missing())
    with pytest.raises(DeviceError, match=r"no GPU to compute on.*nvidia-cuda-nvrtc"):
        mt.to_device(1.0, "gpu")


def test_without_a_compiler_the_error_names_build_essential(bare):
    bare.setattr(shutil, "which", lambda program: None)
    with pytest.raises(DeviceError, match=r"g\+\+ and objcopy not found.*build-essential"):
        mt.to_device(1.0, "emulator")
    assert mt.config.list_physical_devices() == mt.config.list_physical_devices("CPU")


def test_on_another_system_the_emulator_is_said_to_need_linux(bare):
    bare.setattr(sys, "platform", "win32")
    with pytest.raises(DeviceError, match="runs on Linux, and this is win32"):
        mt.to_device(1.0, "emulator")


def absent(library):
    raise OSError(f"{library}: cannot open shared object file")


def nvrtc_is_missing():
    raise DeviceError("found no libnvrtc.so.13: pip install nvidia-cuda-nvrtc==13.0.88")


@EVERY
def test_devices_are_listed_by_tensorflows_names(name):
    kind = devices.kind_of_backend(name)
    assert mt.config.list_physical_devices(kind) == [(f"/physical_device:{kind}:0", kind)]
    assert ("/device:CPU:0", "CPU") in mt.config.list_logical_devices()


def test_looking_for_devices_imports_no_library():
    code = (
        "import sys, minitensor as mt; mt.config.list_physical_devices(); "
        "assert not {'cupy', 'scipy', 'ml_dtypes'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_command_line_says_in_one_line_what_is_missing(bare, capsys):
    bare.setattr(shutil, "which", lambda program: None)
    assert main(["parity", "--recorded", "--backend", "emulator", "--op", "nn.relu6"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_backends_that_must_be_there_are_asked_for():
    assert wanted("numpy", lambda kind: "") == ["numpy"]
    assert wanted(None, lambda kind: "") == ["numpy", "emulator", "cuda"]
    assert wanted(None, lambda kind: "a driver" * (kind == "GPU")) == ["numpy", "emulator"]
    with pytest.raises(RuntimeError, match="backend cuda must be tested, but here no driver"):
        wanted("numpy, cuda", lambda kind: "no driver" * (kind == "GPU"))
    with pytest.raises(ValueError, match="tpu"):
        wanted("tpu")


def test_device_none_undoes_the_blocks_around_it():
    with mt.device("/EMULATOR:0"), mt.device(None):
        assert mt.constant(1.0).device.endswith("CPU:0")
