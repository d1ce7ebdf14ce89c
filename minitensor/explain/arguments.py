"""How an op's own arguments are read: arrays as tensors, what is left out as neutral values."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from minitensor import array
from minitensor.autograd import Tensor
from minitensor.explain.windowed import whole
from minitensor.nn import arguments as args
from minitensor.window import transposed_sizes

FILTERS = ("filters", "filter", "depthwise_filter", "kernel")
VECTORS = ("scale", "offset", "mean", "variance", "bias", "pointwise_filter")
ARRAYS = ("input", "value", "images", "x", "logits", "labels", *FILTERS, *VECTORS)
NEUTRAL = {"strides": 1, "stride": 1, "padding": "VALID", "rates": 1, "rate": 1}


def asked(name: str, given: dict[str, Any], grad: str | None) -> str:
    """The argument whose gradient is asked for, by its own name or by "input", "filter", "bias"."""
    if grad is None:
        return "output"
    arrays = [n for n in given if n in ARRAYS and n not in ("labels", "mean", "variance")]
    filters = next((n for n in FILTERS if n in given), None)
    words = {"input": arrays[0], **{n: filters for n in ("filter", "filters", "kernel") if filters}}
    legal = [*arrays, *(["bias"] if filters and "_transpose" not in name else [])]
    found = grad if grad in legal else words.get(str(grad))
    if found is None:
        raise ValueError(
            f"grad={grad!r}: {name} has gradients in {', '.join(dict.fromkeys(legal))}"
        )
    return found


def channels(given: dict[str, Any]) -> int:
    """Output channels of a convolution's arguments."""
    if "filter" in given:  # depthwise
        return int(np.prod(given["filter"].shape[-2:]))
    last = next(n for n in ("pointwise_filter", *FILTERS) if n in given)
    return int(given[last].shape[-1])


def bound(
    name: str, family: str, function: Callable[..., Any],
    arguments: tuple[Any, ...], settings: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Arguments by name: arrays as tensors, defaults, and neutral values for what is left out."""
    signature = inspect.signature(function)
    legal = _words(signature)
    try:
        ours = signature.bind_partial(*arguments, **settings)
    except TypeError as problem:
        raise ValueError(f"{name}: {problem}; its arguments are {legal}") from None
    ours.apply_defaults()
    neutral = {**NEUTRAL, "scale": None, "offset": None, "output_shape": None}
    names = [k for k in signature.parameters if k != "name"]
    lacking = [
        k
        for k in names
        if k not in neutral
        and ours.arguments.get(k) is None
        and signature.parameters[k].default is inspect.Parameter.empty
    ]
    if lacking:
        raise ValueError(f"{name} needs {' and '.join(lacking)}; its arguments are {legal}")
    given = {k: ours.arguments.get(k, neutral.get(k)) for k in names}
    arrays = [k for k in names if k in ARRAYS and given[k] is not None]
    arrays = [k for k in arrays if not (family == "lrn" and k == "bias")]
    found = {given[k].dtype for k in arrays if _is_float(given[k])}
    dtype = np.result_type(*found) if found else np.dtype(np.float32)
    given |= {k: tensor(k, given[k], dtype) for k in arrays}
    return _completed(name, family, given)


def _words(signature: inspect.Signature) -> str:
    """The arguments of an op, as its user writes them."""
    return ", ".join(
        k if p.default is inspect.Parameter.empty else f"{k}={p.default!r}"
        for k, p in signature.parameters.items()
        if k != "name"
    )


def _is_float(value: Any) -> bool:
    """Whether an argument is an array of floats, which says what type the lists beside it have."""
    return getattr(getattr(value, "dtype", None), "kind", "") == "f" and hasattr(value, "shape")


def tensor(name: str, value: Any, dtype: Any = np.float32) -> Tensor:
    """An array of the engine: lists and integers in this dtype; labels may be classes."""
    value = whole(value)
    try:
        numbers = np.asarray(value)
    except ValueError:
        raise ValueError(f"{name} must hold as many numbers in each row") from None
    if numbers.dtype.kind not in "biuf" and numbers.dtype.name != "bfloat16":
        raise ValueError(f"{name} must hold numbers, got {numbers.dtype}")
    is_class = name == "labels" and numbers.dtype.kind in "iu"
    return array.constant(numbers if is_class or _is_float(value) else numbers.astype(dtype))


def like(y: Any, given: Any) -> np.ndarray:
    """A cotangent in the dtype and shape of the output; a matrix where that holds one."""
    back = tensor("output_gradients", given).numpy().astype(whole(y).dtype)
    if back.size != whole(y).size:
        raise ValueError(
            f"output_gradients has the shape {back.shape}, but the output {tuple(y.shape)}"
        )
    return back.reshape(y.shape)


def _completed(name: str, family: str, a: dict[str, Any]) -> dict[str, Any]:
    """A plain matrix is one image of one channel; a plain number of strides is one of each axis."""
    first = next(iter(a))
    rank = _rank(name, a[first].ndim)
    if family in ("conv", "transposed", "separable", "pool", "patches", "resized"):
        _as_images(a, first, rank)
        if np.ndim(a.get("strides", [])) == 0 and rank > 1:
            last = args.channels_last(name, a.get("data_format"), rank)
            steps = [a["strides"]] * rank
            a["strides"] = [1, *steps, 1] if last else [1, 1, *steps]
    if name == "pool":
        a |= {
            k: [a[k]] * rank
            for k in ("window_shape", "dilations")
            if np.ndim(a[k]) == 0 and a[k] is not None
        }
        a["strides"] = args.spatial(name, "strides", a["strides"], rank, True)
    if family == "transposed" and a["output_shape"] is None:
        a["output_shape"] = _smallest(a, first, rank)
    if name == "dense":
        a["input"] = array.reshape(a["input"], [-1, a["input"].shape[-1]])
    if name in ("fused_batch_norm", "local_response_normalization") and a[first].ndim == 2:
        n, c = a[first].shape
        a[first] = array.reshape(a[first], [n, 1, 1, c])
    if name == "fused_batch_norm":
        size = [a["x"].shape[-1 if str(a["data_format"]).endswith("C") else 1]]
        a["scale"] = array.ones(size, a["x"].dtype) if a["scale"] is None else a["scale"]
        a["offset"] = array.zeros(size, a["x"].dtype) if a["offset"] is None else a["offset"]
    return a


def _as_images(a: dict[str, Any], first: str, rank: int) -> None:
    """A batch and a channel of one each, and filters of one each, where there are none."""
    if a[first].ndim == rank:
        a[first] = array.reshape(a[first], [1, *a[first].shape, 1])
    for name in FILTERS:
        if name in a and a[name].ndim == rank:
            a[name] = array.reshape(a[name], [*a[name].shape, 1, 1])
    if "pointwise_filter" in a and a["pointwise_filter"].ndim == 2:
        a["pointwise_filter"] = array.reshape(
            a["pointwise_filter"], [1, 1, *a["pointwise_filter"].shape]
        )


def _rank(name: str, ndim: int) -> int:
    """Spatial axes: by the op's name, or by the input."""
    digit = next((int(c) for c in "123" if f"{c}d" in name), 0)
    return digit or (ndim if ndim == 2 else ndim - 2 if ndim in (3, 4, 5) else 2)


def _smallest(a: dict[str, Any], first: str, rank: int) -> list[int]:
    """The sizes that a transposed convolution has by default, by VALID the smallest."""
    op = "conv_transpose"
    last = args.channels_last(op, a.get("data_format"), rank)
    stride = args.spatial(op, "strides", a.get("strides", a.get("rate")), rank, last)
    apart = args.spatial(op, "dilations", a.get("dilations", a.get("rate")), rank, last)
    padding = args.padding(op, a["padding"], rank, last)
    size = a[first].shape[1:-1] if last else a[first].shape[2:]
    sizes = [
        transposed_sizes(n, k, s, d, padding if isinstance(padding, str) else padding[axis])
        for axis, (n, k, s, d) in enumerate(
            zip(size, a["filters"].shape, stride, apart, strict=False)
        )
    ]
    return [legal[-1] if padding == "SAME" else legal[0] for legal in sizes]
