"""The program that computes an explained op: NumPy's loops, or one call of a library.

A program reads variables that are called as the op's own arguments are, NumPy arrays in the op's
layout, and leaves `output`. Tests run every one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minitensor.explain.ops import Call, Map, Op

LANGUAGES = ("numpy", "tf", "keras", "torch")


def program(call: Call, op: Op, found: Map, language: str) -> str:
    """The text of the program.

    Raises:
        ValueError: no such language, or none of this op in it.
    """
    if language not in LANGUAGES:
        raise ValueError(f"code({language!r}): legal are {', '.join(LANGUAGES)}")
    if language == "tf":
        return _tensorflow(call, op)
    write = PROGRAMS.get((language, op.family))
    first = str(call.arguments.get("data_format") or "").startswith("NC")
    if write is None or first or (language == "keras" and found.padding not in ("SAME", "VALID")):
        raise ValueError(f"no {language} program for {call.op} with these arguments")
    return write(Words(call, found))


def _tensorflow(call: Call, op: Op) -> str:
    """The call itself."""
    if op.path.startswith("composed"):
        return _composed(call)
    words = []
    for name, value in call.arguments.items():
        if name == "bias" and op.family != "lrn":
            continue
        said = repr(str(value) if isinstance(value, str) else value)  # of an enum its word
        words += [f"{name}={name if hasattr(value, 'numpy') else said}"]
    path = "compat.v1." + op.path if "fused" in op.path else op.path
    text = f"output = tf.{path}({', '.join(w for w in words if not w.endswith('=None'))})"
    text += "[0]" if call.op in ("fused_batch_norm", "max_pool_with_argmax") else ""
    return text + ("\noutput = tf.nn.bias_add(output, bias)" if _has_bias(call) else "")


def _composed(call: Call) -> str:
    a, rank = call.arguments, call.output.ndim - 2
    bias = " + bias" if _has_bias(call) else ""
    if call.op == "dense":
        return f"output = tf.matmul(input, kernel){bias}"
    if call.op == "causal_conv1d":
        before = (a["filters"].shape[0] - 1) * a["dilations"]
        words = f"{a['stride']}, 'VALID', dilations={a['dilations']}"
        return f"""padded = tf.pad(input, [[0, 0], [{before}, 0], [0, 0]])
output = tf.nn.conv1d(padded, filters, {words}){bias}"""
    if call.op == "extract_patches":
        sizes = ", ".join(str(_full(a[name])) for name in ("sizes", "strides", "rates"))
        return f"output = tf.image.extract_patches(images, {sizes}, {a['padding']!r})"
    if call.op == "upsampling":
        method = f", interpolation={a['interpolation']!r}" if rank == 2 else ""
        size = a["size"] if rank > 1 else int(np.ravel(a["size"])[0])
        return f"output = tf.keras.layers.UpSampling{rank}D({size}{method})(input)"
    kind = "mean" if call.op == "global_avg_pool" else "max"
    axes = list(range(1, rank + 1))
    return f"output = tf.reduce_{kind}(input, axis={axes}, keepdims=True)"


def _full(value: Any) -> list[int]:
    pair = [value, value] if isinstance(value, int) else list(value)
    return pair if len(pair) == 4 else [1, *pair, 1]


def _has_bias(call: Call) -> bool:
    return "bias" in call.arguments and call.op != "local_response_normalization"


# ----- what programs are made of -----


class Words:
    """The op, and of a window the taps, strides, dilations, pads and sizes of each axis."""

    def __init__(self, call: Call, found: Map) -> None:
        self.call, self.found, self.has_bias = call, found, _has_bias(call)
        self.tracer: Any = found.tracer
        self.image = next(iter(call.arguments))
        taps = (found.sides or {}).get("taps")
        self.kernel = "" if taps is None else taps.name
        if found.links is None:
            return
        links, axes = found.links, found.links.axes
        self.rank, self.groups, self.channels = links.rank, links.plane.groups, links.channels
        self.filters = links.filters or 1
        self.taps, self.strides, self.dilations, self.pads, self.size, self.out = (
            tuple(getattr(w, name)[a] for w, a in axes)
            for name in ("kernel", "stride", "dilation", "pad", "size", "out")
        )
        self.spans = [(k - 1) * d + 1 for k, d in zip(self.taps, self.dilations, strict=True)]
        self.at = ", ".join("lij"[3 - self.rank :])  # a position of the output

    @property
    def patch(self) -> str:
        """`i*2:i*2 + 5:2` for each axis: the pixels under a window at this position."""
        axes = zip(self.at.split(", "), self.strides, self.spans, self.dilations, strict=True)
        return ", ".join(f"{i}*{s}:{i}*{s} + {n}:{d}" for i, s, n, d in axes)

    @property
    def is_mean(self) -> bool:
        """Of a pool, whether it takes the mean."""
        return bool(self.tracer.kind == "mean")

    @property
    def weights(self) -> str:
        """The filters as (taps, C/G, O)."""
        flat = f".reshape({(*self.taps, 1, self.filters)})" if self.kernel == "filter" else ""
        return self.kernel + flat

    @property
    def of_layers(self) -> str:
        """Strides, padding and dilation, as layers of Keras have them."""
        if max(self.strides) > 1 and max(self.dilations) > 1:
            raise ValueError("no keras program: Keras refuses strides and dilations beyond 1")
        padding = self.found.padding.lower()
        return f"strides={self.strides}, padding={padding!r}, dilation_rate={self.dilations}"

    @property
    def group(self) -> str:
        """The channels of an output's group."""
        each = self.channels // self.groups
        return f"group*{each}:group*{each} + {each}"

    @property
    def inside(self) -> str:
        """What is left of each axis without its padding."""
        axes = zip(self.size, self.pads, strict=True)
        return ", ".join(f"{before}:{before} + {n}" for n, (before, _) in axes)


# ----- NumPy -----


def _numpy_conv(w: Words) -> str:
    return f"""padded = np.pad({w.image}, {[(0, 0), *w.pads, (0, 0)]})
weights = {w.weights}
output = np.zeros({w.call.output.shape}, {w.image}.dtype)
for n, {w.at}, o in np.ndindex(output.shape):
    group = o // {w.filters // w.groups}
    patch = padded[n, {w.patch}, {w.group}]
    output[n, {w.at}, o] = np.sum(patch * weights[..., o]){" + bias[o]" if w.has_bias else ""}"""


def _numpy_transposed(w: Words) -> str:
    padded = (n + sum(p) for n, p in zip(w.size, w.pads, strict=True))
    shape = (w.call.output.shape[0], *padded, w.channels)
    return f"""padded = np.zeros({shape}, {w.image}.dtype)
for n, {w.at}, o in np.ndindex({w.image}.shape):
    group = o // {w.filters // w.groups}
    stamp = {w.image}[n, {w.at}, o] * {w.kernel}[..., o]
    padded[n, {w.patch}, {w.group}] += stamp
output = padded[:, {w.inside}]{" + bias" if w.has_bias else ""}"""


def _numpy_pool(w: Words) -> str:
    fold, axes = "nanmean" if w.is_mean else "nanmax", tuple(range(w.rank))
    return f"""padded = np.pad({w.image}, {[(0, 0), *w.pads, (0, 0)]}, constant_values=np.nan)
output = np.zeros({w.call.output.shape}, {w.image}.dtype)
for n, {w.at} in np.ndindex(output.shape[:-1]):
    patch = padded[n, {w.patch}]  # nan is padding: not counted
    output[n, {w.at}] = np.{fold}(patch, axis={axes})"""


def _numpy_norm(w: Words) -> str:
    norm = w.tracer
    if norm.given is not None:
        return f"""output = (x - mean) / np.sqrt(variance + {norm.epsilon}) * scale + offset"""
    beside = [n if a in norm.vector_axes else 1 for a, n in enumerate(norm.x.shape)]
    affine = "".join(
        f" {sign} {name}.reshape({beside})"
        for name, sign in (("scale", "*"), ("offset", "+"))
        if norm.vectors[name] is not None
    )
    return f"""view = x.reshape({norm.view})
mean = view.mean(axis={norm.axes}, keepdims=True)
variance = ((view - mean) ** 2).mean(axis={norm.axes}, keepdims=True)
standard = ((view - mean) / np.sqrt(variance + {norm.epsilon})).reshape(x.shape)
output = standard{affine}"""


def _numpy_loss(w: Words) -> str:
    one_hot = (
        "labels = np.eye(logits.shape[-1])[labels]\n" if w.call.op.startswith("sparse") else ""
    )
    return f"""{one_hot}shifted = logits - logits.max(axis=-1, keepdims=True)
log_softmax = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
output = -(labels * log_softmax).sum(axis=-1)"""


def _numpy_resized(w: Words) -> str:
    factors = [divmod(out, size) for out, size in (rows.shape for rows in w.tracer.weights)]
    if w.tracer.method != "nearest" or any(rest for _, rest in factors):
        raise ValueError(f"no numpy program for {w.call.op} with these arguments")
    repeats = "".join(f".repeat({n}, axis={axis})" for axis, (n, _) in enumerate(factors, 1))
    return f"output = {w.image}{repeats}"


def _numpy_dense(w: Words) -> str:
    return f"output = input @ kernel{' + bias' if w.has_bias else ''}"


# ----- Keras -----


def _keras_conv(w: Words) -> str:
    if w.kernel == "filter":
        made = w.filters // w.channels
        cls, more = f"DepthwiseConv{w.rank}D", f"{w.taps}, depth_multiplier={made}"
    else:
        cls = f"Conv{w.rank}D"
        more = f"{w.filters}, {w.taps}, groups={w.groups}"
    return f"""layer = keras.layers.{cls}({more}, {w.of_layers}, use_bias={w.has_bias})
{_keras_weights(w)}"""


def _keras_dense(w: Words) -> str:
    return f"""layer = keras.layers.Dense({w.call.output.shape[-1]}, use_bias={w.has_bias})
{_keras_weights(w)}"""


def _keras_weights(w: Words) -> str:
    return f"""layer.build({w.image}.shape)
layer.set_weights([{w.kernel}{", bias" if w.has_bias else ""}])
output = layer({w.image})"""


def _keras_transposed(w: Words) -> str:
    axes = zip(w.size, w.out, w.strides, w.spans, strict=True)
    over = tuple(n - ((i - 1) * s + k - (2 * (k // 2) if w.found.padding == "SAME" else 0))
                 for n, i, s, k in axes)  # fmt: skip
    if w.groups > 1 or any(not 0 <= o < s for o, s in zip(over, w.strides, strict=True)):
        raise ValueError(f"no keras program: Conv{w.rank}DTranspose has no such output")
    return f"""layer = keras.layers.Conv{w.rank}DTranspose(
    {w.channels}, {w.taps}, {w.of_layers}, output_padding={over}, use_bias={w.has_bias})
{_keras_weights(w)}"""


def _keras_pool(w: Words) -> str:
    kind = "Average" if w.is_mean else "Max"
    if w.call.op.startswith("global"):
        return f"output = keras.layers.Global{kind}Pooling{w.rank}D(keepdims=True)({w.image})"
    more = f"{w.taps}, strides={w.strides}, padding={w.found.padding.lower()!r}"
    return f"output = keras.layers.{kind}Pooling{w.rank}D({more})({w.image})"


def _keras_norm(w: Words) -> str:
    norm = w.tracer
    names = {"layer_normalization": "LayerNormalization", "fused_batch_norm": "BatchNormalization"}
    if w.call.op not in names or norm.given is not None:
        raise ValueError(f"no keras program for {w.call.op}")
    axis = norm.axes if w.call.op == "layer_normalization" else norm.vector_axes[0]
    used = [name for name in ("scale", "offset") if norm.vectors[name] is not None]
    training = ", training=True" if w.call.op == "fused_batch_norm" else ""
    switches = f"scale={'scale' in used}, center={'offset' in used}"
    words = f"axis={axis}, epsilon={norm.epsilon}, {switches}"
    return f"""layer = keras.layers.{names[w.call.op]}({words})
layer.build(x.shape)
for weight, value in zip(layer.trainable_weights, [{", ".join(used)}]):
    weight.assign(value)
output = layer(x{training})"""


# ----- PyTorch: channels first, so there and back -----


def _torch_around(w: Words, body: str) -> str:
    axes, back = (0, w.rank + 1, *range(1, w.rank + 1)), (0, *range(2, w.rank + 2), 1)
    return f"x = torch.from_numpy({w.image}).permute{axes}\n{body}\noutput = y.permute{back}"


def _torch_pads(w: Words) -> list[int]:
    """As F.pad wants them: the last axis first."""
    return [n for pair in reversed(w.pads) for n in pair]


def _torch_weights(w: Words) -> str:
    axes = (w.rank + 1, w.rank, *range(w.rank))
    reshaped = w.weights.removeprefix(w.kernel)
    return f"weights = torch.from_numpy({w.kernel}){reshaped}.permute{axes}"


def _torch_conv(w: Words) -> str:
    bias = "torch.from_numpy(bias)" if w.has_bias else "None"
    more = f"{bias}, {w.strides}, 0, {w.dilations}, {w.groups}"
    return _torch_around(
        w,
        f"""{_torch_weights(w)}
x = F.pad(x, {_torch_pads(w)})
y = F.conv{w.rank}d(x, weights, {more})""",
    )


def _torch_dense(w: Words) -> str:
    bias = ", torch.from_numpy(bias)" if w.has_bias else ""
    return f"output = F.linear(torch.from_numpy(input), torch.from_numpy(kernel).T{bias})"


def _torch_transposed(w: Words) -> str:
    axes = zip(reversed(w.size), reversed(w.pads), strict=True)
    room = [m for n, p in axes for m in (0, n + sum(p))]
    more = f"None, {w.strides}, 0, 0, {w.groups}, {w.dilations}"
    program = _torch_around(
        w,
        f"""{_torch_weights(w)}
y = F.conv_transpose{w.rank}d(x, weights, {more})
y = F.pad(y, {room})[:, :, {w.inside}]  # zeros that no window reaches, then our padding""",
    )
    return program + (" + torch.from_numpy(bias)" if w.has_bias else "")


def _torch_pool(w: Words) -> str:
    rank, pads, window = w.rank, _torch_pads(w), f"{w.taps}, {w.strides}"
    body = f"""y = F.max_pool{rank}d(F.pad(x, {pads}, value=-float("inf")), {window})"""
    if w.is_mean:
        body = f"""real = F.pad(torch.ones_like(x), {pads})  # padding is not counted
y = F.avg_pool{rank}d(F.pad(x, {pads}), {window}) / F.avg_pool{rank}d(real, {window})"""
    return _torch_around(w, body)


PROGRAMS: dict[tuple[str, str], Callable[[Words], str]] = {
    ("numpy", "conv"): _numpy_conv,
    ("numpy", "transposed"): _numpy_transposed,
    ("numpy", "pool"): _numpy_pool,
    ("numpy", "norm"): _numpy_norm,
    ("numpy", "loss"): _numpy_loss,
    ("numpy", "resized"): _numpy_resized,
    ("numpy", "dense"): _numpy_dense,
    ("keras", "dense"): _keras_dense,
    ("torch", "dense"): _torch_dense,
    ("keras", "conv"): _keras_conv,
    ("keras", "transposed"): _keras_transposed,
    ("keras", "pool"): _keras_pool,
    ("keras", "norm"): _keras_norm,
    ("torch", "conv"): _torch_conv,
    ("torch", "transposed"): _torch_transposed,
    ("torch", "pool"): _torch_pool,
}
