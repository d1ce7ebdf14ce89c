"""What a kernel is handed, made from what host code says, by the kernel's own C++ signature.

CuPy checks none of this: a Python float travels as a double, a view as the pointer of its base,
a float64 array as garbage. Here every argument is compared with its parameter, once for both
backends: arrays stay arrays, scalars become NumPy scalars of the exact type, a Window becomes
twelve integers in one packed record, None becomes a null pointer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from minitensor.backend.host.source import Kernel, Parameter
from minitensor.window import Window

if TYPE_CHECKING:
    from minitensor.backend.host.device import Device

DTYPES: dict[str, np.dtype[Any]] = {
    "float": np.dtype(np.float32),
    "double": np.dtype(np.float64),
    "half_t": np.dtype(np.float16),
    "int": np.dtype(np.int32),
    "long long": np.dtype(np.int64),
    "unsigned char": np.dtype(np.uint8),
}
NUMBERS = DTYPES | {  # and what other people's kernels take
    "bool": np.dtype(np.bool_),
    "signed char": np.dtype(np.int8),
    "short": np.dtype(np.int16),
    "unsigned short": np.dtype(np.uint16),
    "unsigned int": np.dtype(np.uint32),
    "unsigned long long": np.dtype(np.uint64),
}
VECTORS = {  # CUDA's float4 and kin: arrays of so many numbers each
    f"{name}{n}": NUMBERS[kind]
    for name, kind in {
        **{kind: kind for kind in ("float", "double", "int", "short", "bool")},
        "char": "signed char",
        "uchar": "unsigned char",
        "uint": "unsigned int",
    }.items()
    for n in (2, 3, 4)
}
_CTYPES: dict[Any, str] = {dtype: name for name, dtype in DTYPES.items()}
_FIELDS = ("H", "W", "h", "w", "kh", "kw", "sy", "sx", "dy", "dx", "top", "left")
_LARGEST = {
    name: float(np.finfo(dtype).max) if dtype.kind == "f" else int(np.iinfo(dtype).max)
    for name, dtype in NUMBERS.items()
    if dtype.kind != "b"
} | {"bool": 1}
WINDOW = np.dtype([(field, np.int32) for field in _FIELDS])  # struct Window of window.cuh
NULL = np.uintp(0)


class LaunchError(RuntimeError):
    """A kernel was handed something that its declaration does not allow."""


def ctype(dtype: Any) -> str:
    """The kernels' name of a dtype: float32 -> "float", float16 -> "half_t"."""
    dtype = np.dtype(dtype)
    if dtype not in _CTYPES:
        raise TypeError(f"kernels have no {dtype}; they have {', '.join(map(str, _CTYPES))}")
    return _CTYPES[dtype]


def converted(device: Device, kernel: Kernel, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """`arguments` as the kernel takes them: arrays, NumPy scalars, records.

    Raises:
        LaunchError: an argument does not fit its parameter.
    """
    if len(arguments) != len(kernel.parameters):
        names = ", ".join(p.name for p in kernel.parameters)
        raise LaunchError(
            f"{kernel.name}: got {len(arguments)} arguments; "
            f"expected {len(kernel.parameters)}: {names}"
        )
    values: list[Any] = []
    try:
        for convert, argument in zip(_converters(kernel), arguments, strict=True):
            values.append(convert(device, argument))
    except MisfitError as misfit:
        i = len(values)
        where = f"{kernel.name}: argument {i} ({kernel.parameters[i].name})"
        raise LaunchError(f"{where}: got {misfit}") from None
    return tuple(values)


class MisfitError(Exception):
    """What came and what was expected; `converted` adds where."""


@cache
def _converters(kernel: Kernel) -> tuple[Callable[[Device, Any], Any], ...]:
    """What makes each argument of a kernel; a step launches hundreds, so this is asked once."""
    return tuple(_converter(parameter) for parameter in kernel.parameters)


def _converter(parameter: Parameter) -> Callable[[Device, Any], Any]:
    kind = parameter.type
    if kind != "Window" and kind not in (NUMBERS | VECTORS if parameter.pointer else NUMBERS):
        raise LaunchError(f"a parameter of type {kind}: kernels take numbers and arrays of them")
    if parameter.pointer:
        dtype = VECTORS.get(kind) or NUMBERS[kind]
        return lambda device, value: _pointer(device, value, parameter, dtype)
    if kind == "Window":
        return lambda device, value: _window(value)
    if NUMBERS[kind].kind == "f":
        return lambda device, value: _scalar(value, kind)
    return lambda device, value: _known(value, kind) if type(value) is int else _scalar(value, kind)


def _window(value: Any) -> Any:
    if not isinstance(value, Window):
        raise MisfitError(f"{_came(value)}; expected a minitensor Window")
    return _record(value)


def _pointer(device: Device, value: Any, parameter: Parameter, dtype: np.dtype[Any]) -> Any:
    if value is None:
        return NULL
    if not device.owns(value):
        raise MisfitError(f"{_came(value)}; expected an array of {device.name}")
    if value.dtype != dtype:
        raise MisfitError(f"an array of {value.dtype}; expected {dtype} ({parameter.type}*)")
    if not value.flags.c_contiguous:
        raise MisfitError(
            f"a view of shape {value.shape} with strides {value.strides}; "
            "expected a contiguous array: device.contiguous makes one"
        )
    if not parameter.const and not getattr(value.flags, "writeable", True):
        raise MisfitError("a read-only array; the kernel may write here")
    if device.returned(value):
        raise MisfitError("a workspace after it was given back")
    return value


def _scalar(value: Any, kind: str) -> Any:
    dtype = NUMBERS[kind]
    if isinstance(value, np.generic):
        if value.dtype != dtype:
            raise MisfitError(f"{_came(value)}; expected {dtype} ({kind})")
        return value
    if not isinstance(value, (int, float) if dtype.kind == "f" else int):
        raise MisfitError(f"{_came(value)}; expected a number for {kind}")
    if abs(value) > _LARGEST[kind] and isfinite(value):
        raise MisfitError(f"{value}; {kind} ends at {_LARGEST[kind]}")
    return dtype.type(value)


_known = lru_cache(4096)(_scalar)  # integers: sizes come again and again


@cache
def _record(window: Window) -> Any:
    pads = (window.pad[0][0], window.pad[1][0])
    pairs = (window.size, window.out, window.kernel, window.stride, window.dilation, pads)
    # An array of no axes: CuPy passes its bytes by value, and refuses the scalar of a record.
    return np.array(tuple(number for pair in pairs for number in pair), WINDOW)


def _came(value: Any) -> str:
    dtype = f" of {value.dtype}" if hasattr(value, "dtype") else f" {value!r}"
    return f"{type(value).__module__}.{type(value).__qualname__}{dtype}"
