"""The program that computes an explained op: NumPy's loops, or one call of a library.

A program reads variables that are called as the op's own arguments are, NumPy arrays in the op's
layout, and leaves `output`. Tests run every one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitensor.explain.ops import Call, Map, Op
from minitensor.explain.trace import Links

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
    return write(call, found)


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
        return f"output = tf.keras.layers.UpSampling{rank}D({a['size']}{method})(input)"
    kind = "mean" if call.op == "global_avg_pool" else "max"
    axes = list(range(1, rank + 1))
    return f"output = tf.reduce_{kind}(input, axis={axes}, keepdims=True)"


def _full(value: Any) -> list[int]:
    pair = [value, value] if isinstance(value, int) else list(value)
    return pair if len(pair) == 4 else [1, *pair, 1]


def _has_bias(call: Call) -> bool:
    return "bias" in call.arguments and call.op != "local_response_normalization"


# ----- what a window is, in words of each library -----


def _words(links: Links) -> dict[str, Any]:
    """Taps, strides, dilations, pads and sizes of each axis."""
    axes = links.axes
    return {
        "rank": links.rank,
        "taps": tuple(w.kernel[a] for w, a in axes),
        "strides": tuple(w.stride[a] for w, a in axes),
        "dilations": tuple(w.dilation[a] for w, a in axes),
        "pads": tuple(w.pad[a] for w, a in axes),
        "size": tuple(w.size[a] for w, a in axes),
        "out": tuple(w.out[a] for w, a in axes),
        "groups": links.plane.groups,
    }


def _names(call: Call, found: Map) -> tuple[str, str]:
    """What the program calls the input and the filters."""
    first = next(iter(call.arguments))
    assert found.sides is not None
    return first, found.sides["taps"].name if "taps" in found.sides else ""


def _patch(w: dict[str, Any], letters: str) -> str:
    """`i*2:i*2 + 5:2` for each axis: the pixels under a window at position `letters`."""
    spans = [(k - 1) * d + 1 for k, d in zip(w["taps"], w["dilations"], strict=True)]
    axes = zip(letters, w["strides"], spans, w["dilations"], strict=True)
    return ", ".join(f"{i}*{s}:{i}*{s} + {n}:{d}" for i, s, n, d in axes)


def _letters(w: dict[str, Any]) -> str:
    return "lij"[-w["rank"] :]


# ----- NumPy -----


def _numpy_conv(call: Call, found: Map) -> str:
    assert found.links is not None
    w, (x, kernel) = _words(found.links), _names(call, found)
    at, channels = ", ".join(_letters(w)), found.links.channels
    pads, each = [(0, 0), *w["pads"], (0, 0)], channels // w["groups"]
    made = (found.links.filters or 1) // w["groups"]
    depthwise = kernel != "filters"
    flat = f"{kernel}.reshape({(*w['taps'], 1, found.links.filters)})" if depthwise else kernel
    return f"""padded = np.pad({x}, {pads})
weights = {flat}
output = np.zeros({call.output.shape}, {x}.dtype)
for n, {at}, o in np.ndindex(output.shape):
    group = o // {made}
    patch = padded[n, {_patch(w, _letters(w))}, group*{each}:group*{each} + {each}]
    output[n, {at}, o] = np.sum(patch * weights[..., o]){" + bias[o]" if _has_bias(call) else ""}"""


def _numpy_transposed(call: Call, found: Map) -> str:
    assert found.links is not None
    w, (y, kernel) = _words(found.links), _names(call, found)
    at, each = ", ".join(_letters(w)), found.links.channels // w["groups"]
    made = (found.links.filters or 1) // w["groups"]
    padded = tuple(n + sum(p) for n, p in zip(w["size"], w["pads"], strict=True))
    inside = ", ".join(f"{p[0]}:{p[0]} + {n}" for n, p in zip(w["size"], w["pads"], strict=True))
    shape = (call.output.shape[0], *padded, found.links.channels)
    return f"""padded = np.zeros({shape}, {y}.dtype)
for n, {at}, o in np.ndindex({y}.shape):
    group = o // {made}
    stamp = {y}[n, {at}, o] * {kernel}[..., o]
    padded[n, {_patch(w, _letters(w))}, group*{each}:group*{each} + {each}] += stamp
output = padded[:, {inside}]{" + bias" if _has_bias(call) else ""}"""


def _numpy_pool(call: Call, found: Map) -> str:
    assert found.links is not None
    w, (x, _) = _words(found.links), _names(call, found)
    at, is_max = ", ".join(_letters(w)), found.tracer.kind != "mean"  # type: ignore[attr-defined]
    axes = tuple(range(w["rank"]))
    return f"""padded = np.pad({x}, {[(0, 0), *w["pads"], (0, 0)]}, constant_values=np.nan)
output = np.zeros({call.output.shape}, {x}.dtype)
for n, {at} in np.ndindex(output.shape[:-1]):
    patch = padded[n, {_patch(w, _letters(w))}]  # nan is padding: not counted
    output[n, {at}] = np.{"nanmax" if is_max else "nanmean"}(patch, axis={axes})"""


def _numpy_norm(call: Call, found: Map) -> str:
    norm: Any = found.tracer
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


def _numpy_loss(call: Call, found: Map) -> str:
    one_hot = "labels = np.eye(logits.shape[-1])[labels]\n" if call.op.startswith("sparse") else ""
    return f"""{one_hot}shifted = logits - logits.max(axis=-1, keepdims=True)
log_softmax = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
output = -(labels * log_softmax).sum(axis=-1)"""


def _numpy_resized(call: Call, found: Map) -> str:
    tracer: Any = found.tracer
    x, _ = _names(call, found)
    factors = [out // size for out, size in (w.shape for w in tracer.weights)]
    exact = [out % size for out, size in (w.shape for w in tracer.weights)]
    if tracer.method != "nearest" or any(exact):
        raise ValueError(f"no numpy program for {call.op} with these arguments")
    repeats = "".join(f".repeat({n}, axis={axis})" for axis, n in enumerate(factors, 1))
    return f"output = {x}{repeats}"


def _numpy_dense(call: Call, found: Map) -> str:
    return f"output = input @ kernel{' + bias' if _has_bias(call) else ''}"


# ----- Keras -----


def _keras_conv(call: Call, found: Map) -> str:
    assert found.links is not None
    w, (x, kernel) = _words(found.links), _names(call, found)
    bias = _has_bias(call)
    common = (
        f"strides={w['strides']}, padding={found.padding.lower()!r}, dilation_rate={w['dilations']}"
    )
    if kernel == "filter":
        made = (found.links.filters or 1) // found.links.channels
        cls, more = f"DepthwiseConv{w['rank']}D", f"{w['taps']}, depth_multiplier={made}"
    else:
        cls = f"Conv{w['rank']}D"
        more = f"{found.links.filters}, {w['taps']}, groups={w['groups']}"
    return f"""layer = keras.layers.{cls}({more}, {common}, use_bias={bias})
layer.build({x}.shape)
layer.set_weights([{kernel}{", bias" if bias else ""}])
output = layer({x})"""


def _keras_dense(call: Call, found: Map) -> str:
    bias = _has_bias(call)
    return f"""layer = keras.layers.Dense({call.output.shape[-1]}, use_bias={bias})
layer.build(input.shape)
layer.set_weights([kernel{", bias" if bias else ""}])
output = layer(input)"""


def _keras_transposed(call: Call, found: Map) -> str:
    assert found.links is not None
    w, (y, kernel) = _words(found.links), _names(call, found)
    spans = [(k - 1) * d + 1 for k, d in zip(w["taps"], w["dilations"], strict=True)]
    axes = zip(w["size"], w["out"], w["strides"], spans, w["pads"], strict=True)
    over = tuple(n - ((i - 1) * s + k - (2 * (k // 2) if found.padding == "SAME" else 0))
                 for n, i, s, k, _ in axes)  # fmt: skip
    if w["groups"] > 1 or any(not 0 <= o < s for o, s in zip(over, w["strides"], strict=True)):
        raise ValueError("no keras program: Conv{}DTranspose has no such output".format(w["rank"]))
    more = (
        f"strides={w['strides']}, padding={found.padding.lower()!r}, dilation_rate={w['dilations']}"
    )
    return f"""layer = keras.layers.Conv{w["rank"]}DTranspose(
    {found.links.channels}, {w["taps"]}, {more}, output_padding={over}, use_bias=False)
layer.build({y}.shape)
layer.set_weights([{kernel}])
output = layer({y})"""


def _keras_pool(call: Call, found: Map) -> str:
    assert found.links is not None
    w, (x, _) = _words(found.links), _names(call, found)
    kind = "Average" if found.tracer.kind == "mean" else "Max"  # type: ignore[attr-defined]
    if call.op.startswith("global"):
        return f"output = keras.layers.Global{kind}Pooling{w['rank']}D(keepdims=True)({x})"
    more = f"{w['taps']}, strides={w['strides']}, padding={found.padding.lower()!r}"
    return f"output = keras.layers.{kind}Pooling{w['rank']}D({more})({x})"


def _keras_norm(call: Call, found: Map) -> str:
    norm: Any = found.tracer
    names = {"layer_normalization": "LayerNormalization", "fused_batch_norm": "BatchNormalization"}
    if call.op not in names or norm.given is not None:
        raise ValueError(f"no keras program for {call.op}")
    axis = norm.axes if call.op == "layer_normalization" else norm.vector_axes[0]
    used = [name for name in ("scale", "offset") if norm.vectors[name] is not None]
    training = ", training=True" if call.op == "fused_batch_norm" else ""
    switches = f"scale={'scale' in used}, center={'offset' in used}"
    words = f"axis={axis}, epsilon={norm.epsilon}, {switches}"
    return f"""layer = keras.layers.{names[call.op]}({words})
layer.build(x.shape)
for weight, value in zip(layer.trainable_weights, [{", ".join(used)}]):
    weight.assign(value)
output = layer(x{training})"""


# ----- PyTorch: channels first, so there and back -----


def _torch_around(rank: int, x: str) -> tuple[str, str]:
    axes = (0, rank + 1, *range(1, rank + 1))
    back = (0, *range(2, rank + 2), 1)
    return f"x = torch.from_numpy({x}).permute{axes}", f"output = y.permute{back}"


def _torch_pads(w: dict[str, Any]) -> list[int]:
    """As F.pad wants them: the last axis first."""
    return [n for pair in reversed(w["pads"]) for n in pair]


def _torch_conv(call: Call, found: Map) -> str:
    assert found.links is not None
    w, (x, kernel) = _words(found.links), _names(call, found)
    rank = w["rank"]
    there, back = _torch_around(rank, x)
    weights = f"torch.from_numpy({kernel})"
    if kernel == "filter":
        weights += f".reshape({(*w['taps'], 1, found.links.filters)})"
    bias = "torch.from_numpy(bias)" if _has_bias(call) else "None"
    return f"""{there}
weights = {weights}.permute{(rank + 1, rank, *range(rank))}
x = F.pad(x, {_torch_pads(w)})
y = F.conv{rank}d(x, weights, {bias}, {w["strides"]}, 0, {w["dilations"]}, {w["groups"]})
{back}"""


def _torch_dense(call: Call, found: Map) -> str:
    bias = ", torch.from_numpy(bias)" if _has_bias(call) else ""
    return f"output = F.linear(torch.from_numpy(input), torch.from_numpy(kernel).T{bias})"


def _torch_transposed(call: Call, found: Map) -> str:
    assert found.links is not None
    w, (y, kernel) = _words(found.links), _names(call, found)
    rank = w["rank"]
    there, back = _torch_around(rank, y)
    size = ", ".join(f"{p[0]}:{p[0]} + {n}" for n, p in zip(w["size"], w["pads"], strict=True))
    room = [m for n, p in zip(reversed(w["size"]), reversed(w["pads"]), strict=True) for m in
            (0, n + sum(p))]  # fmt: skip
    return f"""{there}
weights = torch.from_numpy({kernel}).permute{(rank + 1, rank, *range(rank))}
y = F.conv_transpose{rank}d(x, weights, None, {w["strides"]}, 0, 0, {w["groups"]}, {w["dilations"]})
y = F.pad(y, {room})[:, :, {size}]  # zeros that no window reaches, then TensorFlow's padding
{back}"""


def _torch_pool(call: Call, found: Map) -> str:
    assert found.links is not None
    w, (x, _) = _words(found.links), _names(call, found)
    rank, pads, window = w["rank"], _torch_pads(w), f"{w['taps']}, {w['strides']}"
    there, back = _torch_around(rank, x)
    if found.tracer.kind != "mean":  # type: ignore[attr-defined]
        body = f"""y = F.max_pool{rank}d(F.pad(x, {pads}, value=-float("inf")), {window})"""
    else:
        body = f"""real = F.pad(torch.ones_like(x), {pads})  # padding is not counted
y = F.avg_pool{rank}d(F.pad(x, {pads}), {window}) / F.avg_pool{rank}d(real, {window})"""
    return f"{there}\n{body}\n{back}"


PROGRAMS: dict[tuple[str, str], Callable[[Call, Map], str]] = {
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
