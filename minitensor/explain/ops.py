"""Which ops can be explained, and how each one's own arguments become its index map.

`OPS` has a row for each: the function of the engine that computes it, and the builder of its
`Tracer`. An op is run first, so that what is not legal is refused in the engine's own words; what a
call leaves out is neutral: stride 1, VALID, scale 1, offset 0.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import minitensor
from minitensor import array, nn
from minitensor.autograd import GradientTape, Tensor
from minitensor.backend.settings import algorithm, pinned_algorithm
from minitensor.explain import composed
from minitensor.explain.normalised import CrossEntropy, LocalResponse, Normalised, one_hot
from minitensor.explain.trace import Index, Links
from minitensor.explain.windowed import (
    Bias,
    Convolved,
    Patches,
    Pooled,
    Side,
    Tracer,
    cotangent_name,
    sums_of,
    whole,
)
from minitensor.nn import arguments as args
from minitensor.window import planes, transposed_sizes

FILTERS = ("filters", "filter", "depthwise_filter")
VECTORS = ("scale", "offset", "mean", "variance", "bias", "pointwise_filter")
ARRAYS = ("input", "value", "images", "x", "logits", "labels", *FILTERS, *VECTORS)
NEUTRAL = {"strides": 1, "stride": 1, "padding": "VALID", "rates": 1, "rate": 1}


@dataclass(frozen=True)
class Call:
    """An op that ran: its arguments by name, what is asked for and what the engine answered."""

    op: str
    arguments: dict[str, Any]
    output: np.ndarray
    asked: str  # "output", or the argument whose gradient is asked for
    numbers: np.ndarray  # of what is asked for
    gradient: np.ndarray | None  # of the output

    def array(self, name: str) -> np.ndarray | None:
        """An argument as NumPy has it; None if it is not given."""
        value = self.arguments.get(name)
        return None if value is None else whole(value)

    @property
    def name(self) -> str:
        """What the numbers asked for are called."""
        return "output" if self.asked == "output" else f"gradient in {self.asked}"


@dataclass(frozen=True)
class Map:
    """The tracer of a call; of a windowed op also its links, the three sides and the padding."""

    tracer: Tracer
    links: Links | None = None
    sides: dict[str, Side] | None = None
    padding: Any = "VALID"
    transposed: bool = False


@dataclass(frozen=True)
class Op:
    """A row of the table."""

    path: str  # of the function, under minitensor
    build: Callable[[Call], Map]
    family: str  # conv, transposed, separable, pool, patches, norm, lrn, loss

    def function(self, library: Any = minitensor) -> Callable[..., Any] | None:
        """What the engine, or TensorFlow, computes it with; None if it has no such function."""
        module, _, name = self.path.rpartition(".")
        if module == "composed":
            return functools.partial(getattr(composed, name), library)
        home = functools.reduce(getattr, module.split("."), library)
        found: Callable[..., Any] | None = getattr(home, name, None)
        return found


# ----- windowed ops -----


def _links(call: Call, size: Index, taps: Index, channels: int, filters: int | None) -> Any:
    """(links, padding as args reads it, whether channels are last) of a window's own words."""
    a, rank = call.arguments, len(size)
    last = args.channels_last(call.op, a.get("data_format"), rank)

    def words(*names: str) -> Any:
        given = next((a[n] for n in names if a.get(n) is not None), 1)
        return args.spatial(call.op, names[0], given, rank, last)

    padding = args.padding(call.op, a["padding"], rank, last)
    depth, plane = planes(
        size, taps, words("strides", "stride"), padding, words("dilations", "rate", "rates")
    )
    batch = call.output.shape[0]
    return Links(depth, plane, rank, batch, channels, filters), padding, last


def _sizes(shape: Index, last: bool) -> tuple[Index, int]:
    """(spatial sizes, channels)"""
    return (shape[1:-1], shape[-1]) if last else (shape[2:], shape[1])


def _conv(call: Call, transposed: bool = False) -> Map:
    """Every convolution with filters (taps, C/G, O); its transpose has image and output swapped."""
    image_name, *_ = call.arguments
    taps_name = next(name for name in FILTERS if name in call.arguments)
    kernel, x = call.array(taps_name), call.array(image_name)
    assert kernel is not None
    assert x is not None
    rank, last = (
        kernel.ndim - 2,
        args.channels_last(call.op, call.arguments.get("data_format"), kernel.ndim - 2),
    )
    size, channels = _sizes(call.output.shape if transposed else x.shape, last)
    depthwise = taps_name != "filters"
    filters = kernel.shape[-1] * (channels if depthwise else 1)
    links, padding, _ = _links(call, size, kernel.shape[:rank], channels, filters)
    groups = channels if depthwise else channels // kernel.shape[-2]
    links = replace(links, plane=replace(links.plane, groups=groups))
    output = call.output if call.gradient is None else call.gradient
    output_name = "output" if call.gradient is None else cotangent_name("output")
    sides = {
        "image": Side(image_name, x, not last),
        "taps": Side(taps_name, kernel, multiplier=kernel.shape[-1] if depthwise else 0),
        "positions": Side(output_name, output, not last),
    }
    if transposed:
        sides |= {"image": sides["positions"], "positions": sides["image"]}
    if call.asked == "bias":
        outputs = sides["image" if transposed else "positions"]
        return Map(Bias(outputs, call.numbers), links, sides, padding, transposed)
    wanted = output_name if call.asked == "output" else call.asked
    role = next(role for role, side in sides.items() if side.name == wanted)
    bias = call.array("bias") if call.asked == "output" else None
    tracer = Convolved(links, sides, role, call.name, call.numbers, bias)
    return Map(tracer, links, sides, padding, transposed)


def _transposed(call: Call) -> Map:
    return _conv(call, transposed=True)


def _separable(call: Call) -> Map:
    """Depthwise, then 1x1: the numbers between are a step before those of the 1x1."""
    a = dict(call.arguments)
    x, depthwise, pointwise = (
        a.pop(name) for name in ("input", "depthwise_filter", "pointwise_filter")
    )
    bias = a.pop("bias", None)
    inner = {"input": x, "filter": depthwise, **a}
    middle = nn.depthwise_conv2d(**inner)
    words = {"padding": "VALID", "data_format": a["data_format"]}
    outer = {"input": middle, "filters": pointwise, "strides": 1, **words, "bias": bias}
    if call.asked in ("input", "depthwise_filter"):
        with GradientTape() as tape:
            tape.watch(middle)
            y = nn.conv2d(middle, pointwise, 1, "VALID", a["data_format"] or "NHWC")
        back = tape.gradient(y, middle, output_gradients=array.constant(call.gradient))
        step = replace(call, arguments=outer, asked="input", numbers=whole(back))
        asked = "input" if call.asked == "input" else "filter"
        shown = replace(
            call, arguments=inner, asked=asked, output=whole(middle), gradient=whole(back)
        )
        name = cotangent_name("output")
        return _after(_conv(shown), _conv(step).tracer, name, call.name)
    first = _conv(replace(call, arguments=inner, asked="output", output=whole(middle),
                          numbers=whole(middle), gradient=None))  # fmt: skip
    asked = "filters" if call.asked == "pointwise_filter" else call.asked
    second = _conv(replace(call, arguments=outer, asked=asked))
    found = _after(second, first.tracer, "input", call.name)
    return replace(found, links=first.links, sides=first.sides, padding=first.padding)


def _after(second: Map, first: Tracer, link: str, name: str) -> Map:
    """`second`, whose factors called `link` are the numbers of `first`."""
    if not isinstance(second.tracer, Convolved):
        return second
    renamed = {
        role: replace(side, name="between") if side.name == link else side
        for role, side in second.tracer.sides.items()
    }
    before = sums_of(first, "between")
    tracer = replace(second.tracer, sides=renamed, before=before, name=name)
    return replace(second, tracer=tracer)


def _pool(call: Call) -> Map:
    a = call.arguments
    x = call.array("input")
    assert x is not None
    rank = x.ndim - 2
    last = args.channels_last(call.op, a.get("data_format"), rank)
    size, channels = _sizes(x.shape, last)
    if "ksize" in a or "window_shape" in a:
        given = a["ksize"] if "ksize" in a else a["window_shape"]
        taps = args.spatial(call.op, "ksize", given, rank, last)
    else:  # global
        taps, call = size, replace(call, arguments={**a, "padding": "VALID"})
    is_max = "max" in call.op or a.get("pooling_type") == "MAX"
    kind = "mean" if not is_max else "max shared" if call.op.startswith("global") else "max"
    links, padding, _ = _links(call, size, taps, channels, None)
    output = call.output if call.gradient is None else call.gradient
    name = "output" if call.gradient is None else cotangent_name("output")
    sides = {"image": Side("input", x, not last), "positions": Side(name, output, not last)}
    role = "positions" if call.asked == "output" else "image"
    tracer = Pooled(links, kind, sides, role, call.name, call.numbers)
    return Map(tracer, links, sides, padding)


def _upsampling(call: Call) -> Map:
    """Every output is a copy: the transpose of a sum over blocks."""
    x = call.array("input")
    assert x is not None
    size, channels = call.output.shape[1:-1], call.output.shape[-1]
    factors = args.spatial(call.op, "size", call.arguments["size"], 2, True)
    words = {"padding": "VALID", "strides": factors}
    links, padding, _ = _links(replace(call, arguments=words), size, factors, channels, None)
    output = call.output if call.gradient is None else call.gradient
    name = "output" if call.gradient is None else cotangent_name("output")
    sides = {"image": Side(name, output), "positions": Side("input", x)}
    role = "image" if call.asked == "output" else "positions"
    tracer = Pooled(links, "copy", sides, role, call.name, call.numbers)
    return Map(tracer, links, sides, padding, transposed=True)


def _patches(call: Call) -> Map:
    x, backward = call.array("images"), call.asked != "output"
    assert x is not None
    taps = args.spatial(call.op, "sizes", call.arguments["sizes"], 2, True)
    links, padding, _ = _links(call, x.shape[1:3], taps, x.shape[-1], None)
    gradient = call.gradient if call.gradient is not None else call.output
    source = Side(cotangent_name("output"), gradient) if backward else Side("images", x)
    tracer = Patches(links, source, backward, call.name, call.numbers)
    return Map(tracer, links, {"image": Side("images", x)}, padding)


# ----- normalisations and the rest -----


def _norm(call: Call) -> Map:
    a, x = call.arguments, call.array("x")
    assert x is not None
    channel, view, given = x.ndim - 1, x.shape, None
    if call.op == "fused_batch_norm":
        channel = channel if args.channels_last(call.op, a["data_format"], x.ndim - 2) else 1
        axes = tuple(axis for axis in range(x.ndim) if axis != channel)
        if not a["is_training"]:
            given = (
                _beside(x, call.array("mean"), channel),
                _beside(x, call.array("variance"), channel),
            )
    elif call.op == "batch_normalization":
        axes = ()
        mean, variance = (np.broadcast_to(whole(a[n]), x.shape) for n in ("mean", "variance"))
        given = mean, variance
    elif call.op == "instance_normalization":
        axes = tuple(range(1, x.ndim - 1))
    elif call.op == "group_normalization":
        groups = x.shape[-1] if a["groups"] == -1 else a["groups"]
        view = (*x.shape[:-1], groups, x.shape[-1] // groups)
        axes = (*range(1, x.ndim - 1), x.ndim)
    else:
        axes = tuple(sorted({axis % x.ndim for axis in np.ravel(a["axis"])}))
    vector_axes = axes if call.op == "layer_normalization" else (channel,)
    vectors = {name: call.array(name) for name in ("scale", "offset")}
    if call.op == "batch_normalization":  # they broadcast; a plain number has no axis
        vectors = {
            n: None if v is None else np.broadcast_to(v, x.shape) for n, v in vectors.items()
        }
        vector_axes = tuple(range(x.ndim))
    epsilon = float(a["epsilon"] if "epsilon" in a else a["variance_epsilon"])
    arrays = call.asked, call.numbers, call.gradient
    tracer = Normalised(x, view, axes, vector_axes, vectors, epsilon, *arrays, given)
    return Map(tracer)


def _beside(x: np.ndarray, vector: np.ndarray | None, channel: int) -> np.ndarray:
    """(C,) repeated in the shape of x."""
    assert vector is not None
    shape = [n if axis == channel else 1 for axis, n in enumerate(x.shape)]
    return np.broadcast_to(vector.reshape(shape), x.shape)


def _lrn(call: Call) -> Map:
    a, x = call.arguments, call.array("input")
    assert x is not None
    words = a["depth_radius"], a["bias"], a["alpha"], a["beta"]
    return Map(LocalResponse(x, *words, call.numbers, call.gradient))


def _cross_entropy(call: Call) -> Map:
    labels, logits = call.array("labels"), call.array("logits")
    assert labels is not None
    assert logits is not None
    if labels.ndim < logits.ndim:
        labels = one_hot(labels, logits.shape[-1])
    return Map(CrossEntropy(labels, logits, call.numbers, call.gradient))


# ----- the table -----


def _rows(paths: str, build: Callable[[Call], Map], family: str) -> dict[str, Op]:
    return {
        name: Op(path, build, family)
        for path in paths.split()
        for name in [path.rpartition(".")[2]]
    }


OPS: dict[str, Op] = {
    **_rows(
        "nn.conv1d nn.conv2d nn.conv3d nn.convolution nn.atrous_conv2d nn.depthwise_conv2d",
        _conv,
        "conv",
    ),
    **_rows("nn.separable_conv2d", _separable, "separable"),
    **_rows(
        "nn.conv1d_transpose nn.conv2d_transpose nn.conv3d_transpose nn.conv_transpose "
        "nn.atrous_conv2d_transpose",
        _transposed,
        "transposed",
    ),
    **_rows(
        "nn.max_pool nn.max_pool1d nn.max_pool2d nn.max_pool3d nn.avg_pool nn.avg_pool1d "
        "nn.avg_pool2d nn.avg_pool3d nn.pool nn.max_pool_with_argmax "
        "composed.global_avg_pool composed.global_max_pool",
        _pool,
        "pool",
    ),
    **_rows("composed.upsampling", _upsampling, "pool"),
    **_rows("composed.extract_patches", _patches, "patches"),
    **_rows(
        "nn.batch_normalization nn.fused_batch_norm nn.layer_normalization "
        "nn.instance_normalization nn.group_normalization",
        _norm,
        "norm",
    ),
    **_rows("nn.local_response_normalization", _lrn, "lrn"),
    **_rows(
        "nn.softmax_cross_entropy_with_logits nn.sparse_softmax_cross_entropy_with_logits",
        _cross_entropy,
        "loss",
    ),
}
ALIASES = {
    "im2col": "extract_patches",
    "batch_norm": "fused_batch_norm",
    "layer_norm": "layer_normalization",
    "instance_norm": "instance_normalization",
    "group_norm": "group_normalization",
    "lrn": "local_response_normalization",
    "argmax": "max_pool_with_argmax",
    "softmax_cross_entropy": "softmax_cross_entropy_with_logits",
}


# ----- running -----


def find(op: Any) -> tuple[str, Op]:
    """The row of a name or of a function of the engine.

    Raises:
        ValueError: there is none; says which there are.
    """
    name = op if isinstance(op, str) else getattr(op, "__name__", repr(op))
    name = name.removeprefix("tf.").removeprefix("nn.").removeprefix("image.")
    name = ALIASES.get(name, name)
    if name not in OPS:
        known = ", ".join([*OPS, *ALIASES])
        raise ValueError(f"{name!r} cannot be explained; these can: {known}")
    return name, OPS[name]


def run(
    name: str, op: Op, arguments: tuple[Any, ...], settings: dict[str, Any],
    grad: str | None, output_gradients: Any,
) -> Call:  # fmt: skip
    """Runs the op, and its gradient if `grad` names what it is taken in."""
    bias = settings.pop("bias", None) if op.family != "lrn" else None
    bound = _bound(name, op, arguments, settings)
    if bias is not None:
        bound["bias"] = _tensor("bias", bias, bound[next(iter(bound))].dtype)
    asked = _asked(name, bound, grad)
    if asked == "bias" and "bias" not in bound:
        bound["bias"] = array.zeros([_channels(bound)], bound[next(iter(bound))].dtype)
    with algorithm(pinned_algorithm() or "im2col"):  # to load numba takes longer than one call
        y, numbers, back = computed(minitensor, op, bound, asked, output_gradients)
    return Call(name, bound, y, asked, numbers, back)


def computed(
    library: Any, op: Op, bound: dict[str, Any], asked: str, output_gradients: Any = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """The output, what is asked for, and the output gradient if that is a gradient."""
    function = op.function(library)
    assert function is not None
    own = {k: v for k, v in bound.items() if k != "bias" or op.family == "lrn"}
    with library.GradientTape() as tape:
        if asked != "output":
            tape.watch(bound[asked])
        y = function(**own)
        y = y[0] if isinstance(y, tuple | list) else y
        if len(own) < len(bound):
            y = library.nn.bias_add(y, bound["bias"], bound.get("data_format"))
    if asked == "output":
        return whole(y), whole(y), None
    back = (
        np.ones(y.shape, whole(y).dtype) if output_gradients is None else _like(y, output_gradients)
    )
    found = tape.gradient(y, bound[asked], output_gradients=library.constant(back))
    return whole(y), whole(found), back


def _like(y: Any, given: Any) -> np.ndarray:
    """A cotangent in the dtype and shape of the output; a matrix where that holds one."""
    back = np.asarray(whole(given), whole(y).dtype)
    if back.size != whole(y).size:
        raise ValueError(
            f"output_gradients has the shape {back.shape}, but the output {tuple(y.shape)}"
        )
    return back.reshape(y.shape)


def _channels(bound: dict[str, Any]) -> int:
    """Output channels of a convolution's arguments."""
    if "filter" in bound:  # depthwise
        return int(np.prod(bound["filter"].shape[-2:]))
    return int(bound["filters" if "filters" in bound else "pointwise_filter"].shape[-1])


def _asked(name: str, bound: dict[str, Any], grad: str | None) -> str:
    """The argument whose gradient is asked for, by its own name or by "input", "filter", "bias"."""
    if grad is None:
        return "output"
    arrays = [n for n in bound if n in ARRAYS and n not in ("labels", "mean", "variance")]
    has_filters = next((n for n in FILTERS if n in bound), None)
    words = {"input": arrays[0], **{n: has_filters for n in ("filter", "filters") if has_filters}}
    legal = [*arrays, *(["bias"] if has_filters and "_transpose" not in name else [])]
    found = grad if grad in legal else words.get(grad)
    if found is None:
        raise ValueError(
            f"grad={grad!r}: {name} has gradients in {', '.join(dict.fromkeys(legal))}"
        )
    return found


def _bound(
    name: str, op: Op, arguments: tuple[Any, ...], settings: dict[str, Any]
) -> dict[str, Any]:
    """Arguments by name: arrays as tensors, defaults, and neutral values for what is left out."""
    function = op.function()
    assert function is not None
    signature = inspect.signature(function)
    try:
        bound = signature.bind_partial(*arguments, **settings)
    except TypeError as problem:
        raise ValueError(f"{name}: {problem}; its arguments are {signature}") from None
    bound.apply_defaults()
    given = {k: v for k, v in bound.arguments.items() if k != "name"}
    for key in signature.parameters:
        if key in ("scale", "offset") and key not in given:
            given[key] = None
        elif key in NEUTRAL and key not in given:
            given[key] = NEUTRAL[key]
    lacking = [k for k in signature.parameters if k not in given and k != "name"]
    if lacking and lacking != ["output_shape"]:
        raise ValueError(f"{name} needs {' and '.join(lacking)}; its arguments are {signature}")
    given = {k: given.get(k) for k in signature.parameters if k != "name"}
    arrays = [k for k in given if k in ARRAYS and given[k] is not None]
    arrays = [k for k in arrays if not (op.family == "lrn" and k == "bias")]
    found = {given[k].dtype for k in arrays if _is_float(given[k])}
    dtype = np.result_type(*found) if found else np.dtype(np.float32)
    given |= {k: _tensor(k, given[k], dtype) for k in arrays}
    return _completed(name, op, given)


def _is_float(value: Any) -> bool:
    """Whether an argument is an array of floats, which says what type the lists beside it have."""
    return getattr(getattr(value, "dtype", None), "kind", "") == "f" and hasattr(value, "shape")


def _tensor(name: str, value: Any, dtype: Any = np.float32) -> Tensor:
    """An array of the engine: lists and integers in this dtype; labels may be classes."""
    value = whole(value) if hasattr(value, "numpy") else value
    numbers = np.asarray(value)
    if numbers.dtype.kind not in "biuf" and numbers.dtype.name != "bfloat16":
        raise ValueError(f"{name} must hold numbers, got {numbers.dtype}")
    is_class = name == "labels" and numbers.dtype.kind in "iu"
    return array.constant(numbers if is_class or _is_float(value) else numbers.astype(dtype))


def _completed(name: str, op: Op, a: dict[str, Any]) -> dict[str, Any]:
    """A plain matrix is one image of one channel; a plain number of strides is one of each axis."""
    first = next(iter(a))
    rank = _rank(name, a, first)
    if op.family in ("conv", "transposed", "separable", "pool", "patches"):
        filters = next((n for n in FILTERS if n in a), None)
        if a[first].ndim == rank:
            a[first] = array.reshape(a[first], [1, *a[first].shape, 1])
        if filters and a[filters].ndim == rank:
            a[filters] = array.reshape(a[filters], [*a[filters].shape, 1, 1])
        if "pointwise_filter" in a and a["pointwise_filter"].ndim == 2:
            a["pointwise_filter"] = array.reshape(
                a["pointwise_filter"], [1, 1, *a["pointwise_filter"].shape]
            )
        if "strides" in a and np.ndim(a["strides"]) == 0 and rank + 2 != 3:
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
    if op.family == "transposed" and a["output_shape"] is None:
        a["output_shape"] = _smallest(a, first, rank)
    if (
        op.family in ("norm", "lrn")
        and a[first].ndim == 2
        and name in ("fused_batch_norm", "local_response_normalization")
    ):
        n, c = a[first].shape
        a[first] = array.reshape(a[first], [n, 1, 1, c])
    if name == "fused_batch_norm":
        channels = a["x"].shape[-1 if a["data_format"].endswith("C") else 1]
        dtype = a["x"].dtype
        a["scale"] = array.ones([channels], dtype) if a["scale"] is None else a["scale"]
        a["offset"] = array.zeros([channels], dtype) if a["offset"] is None else a["offset"]
    return a


def _rank(name: str, a: dict[str, Any], first: str) -> int:
    """Spatial axes: by the name, or by the filters, or by the input."""
    digit = next((int(c) for c in "123" if f"{c}d" in name), 0)
    if digit:
        return digit
    ndim = a[first].ndim
    return ndim if ndim == 2 else ndim - 2 if ndim in (3, 4, 5) else 2


def _smallest(a: dict[str, Any], first: str, rank: int) -> list[int]:
    """The sizes that a transposed convolution has by default, by VALID the smallest."""
    last = args.channels_last("conv_transpose", a.get("data_format"), rank)
    stride = args.spatial("conv_transpose", "strides", a.get("strides", a.get("rate")), rank, last)
    apart = args.spatial(
        "conv_transpose", "dilations", a.get("dilations", a.get("rate")), rank, last
    )
    padding = args.padding("conv_transpose", a["padding"], rank, last)
    size, _ = _sizes(a[first].shape, last)
    kernel = a["filters"].shape
    sizes = [
        transposed_sizes(n, k, s, d, padding if isinstance(padding, str) else padding[axis])
        for axis, (n, k, s, d) in enumerate(zip(size, kernel, stride, apart, strict=False))
    ]
    return [legal[-1] if padding == "SAME" else legal[0] for legal in sizes]
