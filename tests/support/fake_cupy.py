"""CuPy without a GPU: the part of it that minitensor uses, strict, on NumPy and the emulator.

So the Python side of backend/cuda runs in CI. An array here is no NumPy array, and refuses to
become one unasked, as CuPy's does. Under capture results are NaN until the graph is launched.
`NAMES` lists what may be called; tests/kernels/test_backend_cuda.py holds it against the real CuPy.
Streams, graphs and kernels are fake_cuda.py's.
"""

from __future__ import annotations

import operator
import sys
import types
from contextlib import contextmanager

import fake_cuda
import fake_nccl
import numpy as np
from fake_cuda import RawModule, is_capturing, settled, work

from minitensor.backend import cuda, devices
from minitensor.backend.cuda import requirements


def _words(text):
    return text.split()


NAMES = _words("""abs absolute add arange arccos arccosh arcsin arcsinh arctan arctan2 arctanh
fmin nextafter argmax argmin argwhere array_equal
ascontiguousarray bitwise_and bitwise_or bitwise_xor broadcast_to ceil clip concatenate copysign
cos cosh cumsum divide divmod einsum empty empty_like equal exp expand_dims expm1 flip floor
floor_divide fmod full full_like greater greater_equal invert isfinite isinf isnan left_shift less
less_equal log log1p logical_and logical_not logical_or logical_xor matmul max maximum mean min
minimum mod moveaxis multiply negative not_equal ones ones_like pad power prod reciprocal
remainder repeat right_shift rint round searchsorted sign sin sinh sort sqrt square stack subtract
sum swapaxes take take_along_axis tan tanh tensordot tile transpose tril trunc where zeros
zeros_like""")
CONSTANTS = _words("""nan inf pi newaxis bool_ float16 float32 float64 int8 int16 int32 int64 uint8
uint16 uint32 uint64""")
METHODS = _words("""all any argmax argmin argsort astype clip copy cumsum dot max mean min prod
ravel repeat reshape round squeeze sum swapaxes take transpose view""")
OPERATORS = _words("add sub mul truediv floordiv mod pow matmul and or xor lshift rshift")
AT = {"add": "iILQefd", "maximum": "iILQfd", "minimum": "iILQfd"}  # with the types they take
COMPARISONS = _words("lt le eq ne gt ge")
SETTINGS = {"axis", "keepdims", "dtype", "copy", "optimize", "constant_values"}
SETTINGS |= {"kind"}  # of a sort; "stable" is all that CuPy knows
ELEMENTS = "?bhilqBHILQefdFD"
PRODUCTS = {np.matmul, np.dot, np.tensordot, np.einsum, np.ndarray.__matmul__, np.ndarray.dot}


def _host(value):
    """The NumPy side of arguments; a NumPy array among them is CuPy's TypeError."""
    if isinstance(value, ndarray):
        return value.host
    if isinstance(value, np.ndarray):
        raise TypeError(f"Unsupported type {type(value)}")
    if isinstance(value, list | tuple):
        return type(value)(map(_host, value))
    return value


def _index(value):
    """Indices may be NumPy arrays."""
    if isinstance(value, tuple):
        return tuple(map(_index, value))
    if isinstance(value, np.ndarray):
        settled("sending indices to the GPU")
        return value
    return _host(value)


def _made(function, hosts, settings=None):
    """function(*hosts) as an array; under capture the numbers come when the graph runs."""
    settings = dict(settings or {})
    is_float = any(h.dtype.kind == "f" for h in hosts if isinstance(h, np.ndarray))
    if function in PRODUCTS and is_float and is_capturing():
        raise NotImplementedError("calling cuBLAS API during stream capture is unsupported")
    if "out" in settings:
        out = settings.pop("out")
        work(lambda: function(*hosts, out=out.host))
        return out
    if set(settings) - SETTINGS:
        raise TypeError(f"CuPy may not take {set(settings) - SETTINGS}; look, then add it here")
    result = function(*hosts, **settings)
    if isinstance(result, list | tuple):
        made = [ndarray(part) for part in result]
    else:
        made = [ndarray(result)]
    if is_capturing() and any(not _shares(m.host, hosts) for m in made):

        def again():
            parts = function(*hosts, **settings)
            parts = parts if isinstance(parts, list | tuple) else [parts]
            for array, part in zip(made, parts, strict=True):
                array.host[...] = part

        for array in made:
            array.host.reshape(-1).view(np.uint8)[:] = 0xFF
        work(again)
    return tuple(made) if isinstance(result, list | tuple) else made[0]


def _shares(array, hosts):
    sources = [h for h in hosts if isinstance(h, np.ndarray)]
    return any(np.may_share_memory(array, source) for source in sources)


class _Pointer:
    device_id = 0

    def __init__(self, address):
        self.ptr = address


class ndarray:  # noqa: N801 -- CuPy's name
    """Numbers on the pretended GPU."""

    __module__ = "cupy"
    __slots__ = ("host",)
    __hash__ = None

    def __init__(self, host):
        host = np.asarray(host)
        if host.dtype.char not in ELEMENTS:
            raise TypeError(f"Unsupported dtype {host.dtype}")
        self.host = host

    def __array__(self, *args, **kwargs):
        raise TypeError("Implicit conversion to a NumPy array is not allowed; use .get()")

    def __array_ufunc__(self, ufunc, method, *inputs, **settings):
        if method != "__call__" or ufunc.__name__ not in NAMES:
            raise TypeError(f"CuPy has no numpy.{ufunc.__name__}.{method}")
        return _made(ufunc, _host(inputs), settings)

    def __array_function__(self, function, kinds, args, settings):
        raise TypeError(f"numpy.{function.__name__} was handed a CuPy array")

    def __getattr__(self, name):
        if name not in METHODS:
            raise AttributeError(f"fake_cupy's ndarray has no {name}")
        method = getattr(np.ndarray, name)
        return lambda *args, **settings: _made(method, _host((self, *args)), settings)

    def __getitem__(self, index):
        return _made(operator.getitem, (self.host, _index(index)))

    def __setitem__(self, index, value):
        host, index, value = self.host, _index(index), _host(value)
        work(lambda: operator.setitem(host, index, value))

    def fill(self, value):
        host = self.host
        work(lambda: host.fill(value))

    def get(self):
        settled("get")
        return self.host.copy()

    def item(self, *index):
        return self.get().item(*index)

    def tolist(self):
        return self.get().tolist()

    def __float__(self):
        return float(self.get())

    def __int__(self):
        return int(self.get())

    def __bool__(self):
        return bool(self.get())

    def __index__(self):
        return operator.index(self.get())

    def __len__(self):
        return len(self.host)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __repr__(self):
        return f"fake_cupy.{self.host!r}"

    @property
    def data(self):
        fake_cuda.places[self.host.ctypes.data] = self.host.nbytes
        return _Pointer(self.host.ctypes.data)

    @property
    def T(self):  # noqa: N802
        return self.transpose()


def _operators():
    for name in ("shape", "dtype", "ndim", "size", "nbytes", "itemsize", "strides", "flags"):
        setattr(ndarray, name, property(lambda self, name=name: getattr(self.host, name)))
    for name in [*(f"__{n}__" for n in OPERATORS + COMPARISONS), *(f"__r{n}__" for n in OPERATORS)]:
        method = getattr(np.ndarray, name)
        setattr(ndarray, name, lambda x, y, m=method: _made(m, _host((x, y))))
    for name in ("neg", "pos", "abs", "invert"):
        method = getattr(np.ndarray, f"__{name}__")
        setattr(ndarray, f"__{name}__", lambda x, m=method: _made(m, (x.host,)))
    for name in OPERATORS:
        if name != "matmul":
            setattr(ndarray, f"__i{name}__", _in_place(getattr(np.ndarray, f"__i{name}__")))


def _in_place(method):
    def change(self, other):
        host, value = self.host, _host(other)
        work(lambda: method(host, value))
        return self

    return change


_operators()


def asnumpy(array):
    return array.get() if isinstance(array, ndarray) else np.asarray(array)


def asarray(value, dtype=None):
    if isinstance(value, ndarray):
        return value if dtype in (None, value.dtype) else value.astype(dtype)
    return array(value, dtype)


def array(value, dtype=None, copy=True):
    if isinstance(value, ndarray):
        return value.astype(dtype or value.dtype)
    host = np.array(_host(value) if isinstance(value, list | tuple) else value, dtype)
    if host.ndim:
        settled("sending numbers to the GPU")
    return ndarray(host)


class _Ufunc:
    """cupy.add, cupy.maximum, cupy.minimum: a ufunc with `at`."""

    def __init__(self, name, kinds):
        self.ufunc, self.kinds = getattr(np, name), kinds

    def __call__(self, *args, **settings):
        return _made(self.ufunc, _host(args), settings)

    def at(self, target, index, values):
        if target.dtype.char not in self.kinds:
            raise TypeError(f"{self.ufunc.__name__}.at does not support {target.dtype}")
        host, index, values = target.host, _index(index), _host(values)
        work(lambda: self.ufunc.at(host, index, values))


class _Grid:
    """cupy.ogrid."""

    def __getitem__(self, slices):
        return [ndarray(axis) for axis in np.ogrid[slices]]


def _function(name):
    function = getattr(np, name)
    return lambda *args, **settings: _made(function, _host(args), settings)


def module():
    """The modules `cupy` and `cupy.cuda`, freshly made."""
    cupy = types.ModuleType("cupy")
    for name in NAMES:
        setattr(cupy, name, _function(name))
    for name in CONSTANTS:
        setattr(cupy, name, getattr(np, name))
    cupy.ogrid = _Grid()
    for name, kinds in AT.items():
        setattr(cupy, name, _Ufunc(name, kinds))
    for thing in (ndarray, RawModule, asnumpy, asarray, array):
        setattr(cupy, thing.__name__, thing)
    cupy.cuda = fake_cuda.module()
    cupy.cuda.nccl = fake_nccl.module()
    return cupy


@contextmanager
def installed():
    """`import cupy` and "/GPU:0" mean this module inside the block."""
    kept = sys.modules.get("cupy")
    asked = requirements._lack_of_driver, requirements._lack_of_compiler
    requirements._lack_of_driver = requirements._lack_of_compiler = str
    sys.modules["cupy"] = module()
    _forget(cuda.device)
    try:
        yield cuda
    finally:
        requirements._lack_of_driver, requirements._lack_of_compiler = asked
        _forget(cuda.device)
        del sys.modules["cupy"]
        if kept:
            sys.modules["cupy"] = kept


def _forget(device):
    devices.backend.cache_clear()
    device.__dict__.clear()
    device.__init__()
