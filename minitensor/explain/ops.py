"""Which ops can be explained, and how each one's own arguments become its index map.

`OPS` has a row for each: the function of the engine that computes it, and the builder of its
`Tracer`. An op is run first, so that what is not legal is refused in the engine's own words; what a
call leaves out is neutral: stride 1, VALID, scale 1, offset 0.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import minitensor
from minitensor import array, nn
from minitensor.autograd import GradientTape
from minitensor.backend.settings import algorithm, pinned_algorithm
from minitensor.explain import arguments as given
from minitensor.explain import composed
from minitensor.explain.normalised import CrossEntropy, LocalResponse, Normalised, one_hot
from minitensor.explain.resampled import Resampled, weights
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
from minitensor.window import Window, planes


@dataclass(frozen=True)
class Call:
    """An op that ran: its arguments by name, what is asked for and what the engine answered."""

    op: str
    arguments: dict[str, Any]
    output: np.ndarray
    asked: str  # "output", or the argument whose gradient is asked for
    numbers: np.ndarray  # of what is asked for
    gradient: np.ndarray | None  # of the output

    def array(self, name: str) -> np.ndarray:
        """An argument as NumPy has it."""
        return whole(self.arguments[name])

    def maybe(self, name: str) -> np.ndarray | None:
        """The same; None if it is not given."""
        return None if self.arguments.get(name) is None else self.array(name)

    @property
    def name(self) -> str:
        """What the numbers asked for are called."""
        return "output" if self.asked == "output" else f"gradient in {self.asked}"

    def outputs(self, first: bool = False) -> Side:
        """The output, or what comes back to it where a gradient is asked for."""
        if self.gradient is None:
            return Side("output", self.output, first)
        return Side(cotangent_name("output"), self.gradient, first)


@dataclass(frozen=True)
class Map:
    """The tracer of a call; of a windowed op also its links, the three sides and the padding.

    `rank` counts the spatial axes; None where there are none to speak of.
    """

    tracer: Tracer
    links: Links | None = None
    sides: dict[str, Side] | None = None
    padding: Any = "VALID"
    transposed: bool = False
    resized: int | None = None  # spatial axes of an op that is no window

    @property
    def rank(self) -> int | None:
        """How many spatial axes there are."""
        return self.resized if self.links is None else self.links.rank


@dataclass(frozen=True)
class Op:
    """A row of the table."""

    path: str  # of the function, under minitensor
    build: Callable[[Call], Map]
    family: str  # conv, transposed, separable, dense, pool, patches, resized, norm, lrn, loss

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
    taps_name = next(name for name in given.FILTERS if name in call.arguments)
    kernel, x = call.array(taps_name), call.array(image_name)
    rank, depthwise = kernel.ndim - 2, taps_name in ("filter", "depthwise_filter")
    last = args.channels_last(call.op, call.arguments.get("data_format"), rank)
    size, channels = _sizes(call.output.shape if transposed else x.shape, last)
    filters = kernel.shape[-1] * (channels if depthwise else 1)
    links, padding, _ = _links(call, size, kernel.shape[:rank], channels, filters)
    groups = channels if depthwise else channels // kernel.shape[-2]
    links = replace(links, plane=replace(links.plane, groups=groups))
    output, image = call.outputs(not last), Side(image_name, x, not last)
    sides = {
        "image": output if transposed else image,
        "taps": Side(taps_name, kernel, multiplier=kernel.shape[-1] if depthwise else 0),
        "positions": image if transposed else output,
    }
    return _convolved(call, Map(Bias(output, call.numbers), links, sides, padding, transposed))


def _convolved(call: Call, found: Map) -> Map:
    """With the tracer of what is asked for; a bias has its own."""
    if call.asked == "bias":
        return found
    assert found.sides is not None
    assert found.links is not None
    wanted = call.outputs().name if call.asked == "output" else call.asked
    role = next(role for role, side in found.sides.items() if side.name == wanted)
    bias = call.maybe("bias") if call.asked == "output" else None
    tracer = Convolved(found.links, found.sides, role, call.name, call.numbers, bias)
    return replace(found, tracer=tracer)


def _dense(call: Call) -> Map:
    """A convolution without spatial axes: each output reads every channel."""
    x, kernel = call.array("input"), call.array("kernel")
    links = Links(None, Window.of((1, 1), (1, 1)), 0, len(x), *kernel.shape)
    sides = {"image": Side("input", x), "taps": Side("kernel", kernel), "positions": call.outputs()}
    return _convolved(call, Map(Bias(call.outputs(), call.numbers), links, sides))


def _causal(call: Call) -> Map:
    """A convolution that is padded before only."""
    a = call.arguments
    before = (a["filters"].shape[0] - 1) * a["dilations"]
    return _conv(replace(call, arguments={**a, "padding": [[0, 0], [before, 0], [0, 0]]}))


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
    a, x = call.arguments, call.array("input")
    rank = x.ndim - 2
    last = args.channels_last(call.op, a.get("data_format"), rank)
    size, channels = _sizes(x.shape, last)
    taps = a.get("ksize", a.get("window_shape"))
    if taps is None:  # global
        taps, call = size, replace(call, arguments={**a, "padding": "VALID"})
    taps = args.spatial(call.op, "ksize", taps, rank, last)
    is_max = "max" in call.op or a.get("pooling_type") == "MAX"
    kind = "mean" if not is_max else "max shared" if call.op.startswith("global") else "max"
    links, padding, _ = _links(call, size, taps, channels, None)
    sides = {"image": Side("input", x, not last), "positions": call.outputs(not last)}
    role = "positions" if call.asked == "output" else "image"
    tracer = Pooled(links, kind, sides, role, call.name, call.numbers)
    return Map(tracer, links, sides, padding)


def _patches(call: Call) -> Map:
    x, backward = call.array("images"), call.asked != "output"
    taps = args.spatial(call.op, "sizes", call.arguments["sizes"], 2, True)
    links, padding, _ = _links(call, x.shape[1:3], taps, x.shape[-1], None)
    image = Side("images", x)
    source = call.outputs() if backward else image
    tracer = Patches(links, source, backward, call.name, call.numbers)
    return Map(tracer, links, {"image": image}, padding)


def _resized(call: Call) -> Map:
    name, *_ = call.arguments
    x, a = call.array(name), call.arguments
    method = str(a.get("method", a.get("interpolation")))
    if method not in ("nearest", "bilinear") or a.get("antialias"):
        raise ValueError(
            f"{call.op} by {method!r} cannot be explained; legal are 'nearest' and 'bilinear', "
            "without antialias"
        )
    axes = zip(x.shape[1:-1], call.output.shape[1:-1], strict=True)
    sides = {"image": Side(name, x), "positions": call.outputs()}
    source = sides["image" if call.asked == "output" else "positions"]
    tracer = Resampled(
        tuple(weights(*axis, method) for axis in axes),
        *(method, source, call.asked != "output", call.name, call.numbers),
    )
    return Map(tracer, sides=sides, resized=x.ndim - 2)


# ----- normalisations and the rest -----


def _norm(call: Call) -> Map:
    a, x = call.arguments, call.array("x")
    channel, view, fixed = x.ndim - 1, x.shape, None
    vectors = {name: call.maybe(name) for name in ("scale", "offset")}
    if call.op == "fused_batch_norm":
        channel = channel if args.channels_last(call.op, a["data_format"], x.ndim - 2) else 1
        axes = tuple(axis for axis in range(x.ndim) if axis != channel)
        if not a["is_training"]:
            beside = [n if axis == channel else 1 for axis, n in enumerate(x.shape)]
            fixed = _spread(x, *(call.array(n).reshape(beside) for n in ("mean", "variance")))
    elif call.op == "batch_normalization":
        axes = ()
        fixed = _spread(x, call.array("mean"), call.array("variance"))
        vectors = {n: None if v is None else _spread(x, v)[0] for n, v in vectors.items()}
    elif call.op == "instance_normalization":
        axes = tuple(range(1, x.ndim - 1))
    elif call.op == "group_normalization":
        groups = x.shape[-1] if a["groups"] == -1 else a["groups"]
        view = (*x.shape[:-1], groups, x.shape[-1] // groups)
        axes = (*range(1, x.ndim - 1), x.ndim)
    else:
        axes = tuple(sorted({axis % x.ndim for axis in np.ravel(a["axis"])}))
    vector_axes = {
        "layer_normalization": axes,
        "batch_normalization": tuple(range(x.ndim)),
    }.get(call.op, (channel,))
    epsilon = float(a["epsilon"] if "epsilon" in a else a["variance_epsilon"])
    arrays = call.asked, call.numbers, call.gradient
    return Map(Normalised(x, view, axes, vector_axes, vectors, epsilon, *arrays, fixed))


def _spread(x: np.ndarray, *vectors: np.ndarray) -> Any:
    """Each repeated in the shape of x."""
    return tuple(np.broadcast_to(vector, x.shape) for vector in vectors)


def _lrn(call: Call) -> Map:
    a, x = call.arguments, call.array("input")
    words = a["depth_radius"], a["bias"], a["alpha"], a["beta"]
    return Map(LocalResponse(x, *words, call.numbers, call.gradient))


def _cross_entropy(call: Call) -> Map:
    labels, logits = call.array("labels"), call.array("logits")
    if labels.ndim < logits.ndim:
        labels = one_hot(labels, logits.shape[-1])
    return Map(CrossEntropy(labels, logits, call.numbers, call.gradient))


# ----- the table -----


def _rows(paths: str, build: Callable[[Call], Map], family: str) -> dict[str, Op]:
    return {path.rpartition(".")[2]: Op(path, build, family) for path in paths.split()}


OPS: dict[str, Op] = {
    **_rows(
        "nn.conv1d nn.conv2d nn.conv3d nn.convolution nn.atrous_conv2d nn.depthwise_conv2d",
        _conv,
        "conv",
    ),
    **_rows("composed.causal_conv1d", _causal, "conv"),
    **_rows("composed.dense", _dense, "dense"),
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
    **_rows("composed.upsampling image.resize", _resized, "resized"),
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
    function = op.function()
    assert function is not None
    bias = settings.pop("bias", None) if op.family != "lrn" else None
    bound = given.bound(name, op.family, function, arguments, settings)
    dtype = bound[next(iter(bound))].dtype
    if bias is not None:
        bound["bias"] = given.tensor("bias", bias, dtype)
    asked = given.asked(name, bound, grad)
    if asked == "bias" and "bias" not in bound:
        bound["bias"] = array.zeros([given.channels(bound)], dtype)
    if grad is None and output_gradients is not None:
        raise ValueError("output_gradients come back to the output: they need grad=")
    try:
        with algorithm(pinned_algorithm() or "im2col"):  # to load numba takes longer than one call
            y, numbers, back = computed(minitensor, op, bound, asked, output_gradients)
    except MemoryError as problem:
        raise ValueError(f"{name} is too large for this machine: {problem}") from None
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
    back = np.ones(y.shape, whole(y).dtype)
    if output_gradients is not None:
        back = given.like(y, output_gradients)
    found = tape.gradient(y, bound[asked], output_gradients=library.constant(back))
    return whole(y), whole(found), back
