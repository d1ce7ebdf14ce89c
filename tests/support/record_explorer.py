"""What TensorFlow answers to the calls that the explorer page recomputes: values and gradients.

    python tests/support/record_explorer.py     writes minitensor/explain/explorer/golden.json

All examples of the course texts and a drawn grid of convolutions, transposed convolutions, pools
and normalisations, in float64. What TensorFlow's gradients refuse on a CPU is composed of what they
do not: dilated filters are filters with zeros between their taps, groups are convolutions of their
own, side by side.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from minitensor.explain import explore, presets
from minitensor.window import transposed_sizes

FILE = explore.PARTS / "golden.json"
MOST = 400  # numbers of one answer that are recorded; of more, every so many
CASES = 150
KINDS = ("batch", "layer", "instance", "group")
Case = dict[str, Any]


# ----- the calls -----


def calls() -> list[Case]:
    """The examples of the course texts, then drawn ones."""
    rng = np.random.default_rng(2026)
    found = [_preset(rng, name) for name in presets.PRESETS]
    draw = (_conv, _conv, _transposed, _pool, _norm, _conv, _transposed, _pool)
    while len(found) < CASES:
        case = draw[len(found) % len(draw)](rng)
        if case is not None:
            found.append(case)
    return found


def _integers(rng: np.random.Generator, *shape: int) -> Case:
    return _packed(rng.integers(-9, 10, shape))


def _packed(array: Any) -> Case:
    array = np.asarray(array, float)
    flat = array.ravel()
    if flat.size > 2 and np.array_equal(np.diff(flat), np.ones(flat.size - 1)):
        return {"shape": list(array.shape), "start": flat[0].item()}
    return {"shape": list(array.shape), "values": [_short(v) for v in flat.tolist()]}


def _short(value: float) -> float | int:
    return int(value) if value == int(value) else float(f"{value:.12g}")


def unpacked(packed: Case) -> np.ndarray:
    """The array of a call."""
    count = np.prod(packed["shape"], dtype=int)
    values = packed["values"] if "values" in packed else np.arange(count) + packed["start"]
    return np.reshape(np.asarray(values, float), packed["shape"])


def _preset(rng: np.random.Generator, name: str) -> Case:
    given = explore.example(name)
    case = {k: v for k, v in given.items() if k not in ("x", "w", "v", "output")}
    case["arrays"] = {k: given[k] for k in ("x", "w", "v") if k in given}
    case["preset"] = name
    case["arrays"]["g"] = _integers(rng, *given["output"])
    return case


def _window(rng: np.random.Generator) -> dict[str, Any] | None:
    size, taps = rng.integers(3, 8, 2), rng.integers(1, 5, 2)
    stride, dilation = rng.integers(1, 4, 2), rng.integers(1, 4, 2)
    if rng.random() < 0.5:
        dilation[:] = 1
    padding: Any = ("SAME", "VALID", rng.integers(0, 3, (2, 2)))[rng.integers(3)]
    if not isinstance(padding, str):
        padding = padding.tolist()
    pads = [(0, 0)] * 2 if padding == "VALID" else padding
    room = size if padding == "SAME" else size + np.sum(pads, axis=1)
    if padding != "SAME" and (room < (taps - 1) * dilation + 1).any():
        return None
    return {
        "size": size.tolist(),
        "taps": taps.tolist(),
        "strides": stride.tolist(),
        "dilations": dilation.tolist(),
        "padding": padding,
    }


def _words(window: dict[str, Any]) -> dict[str, Any]:
    return {k: window[k] for k in ("strides", "dilations", "padding")}


def _out(window: dict[str, Any]) -> list[int]:
    from minitensor.window import Window

    return list(
        Window.of(
            window["size"],
            window["taps"],
            window["strides"],
            window["padding"],
            window["dilations"],
        ).out
    )


def _conv(rng: np.random.Generator) -> Case | None:
    window = _window(rng)
    if window is None:
        return None
    groups = int(rng.integers(1, 4))
    channels, filters = groups * int(rng.integers(1, 3)), groups * int(rng.integers(1, 3))
    batch = int(rng.integers(1, 3))
    return {
        "op": "conv2d",
        **_words(window),
        "groups": groups,
        "arrays": {
            "x": _integers(rng, batch, *window["size"], channels),
            "w": _integers(rng, *window["taps"], channels // groups, filters),
            "g": _integers(rng, batch, *_out(window), filters),
        },
    }


def _transposed(rng: np.random.Generator) -> Case | None:
    window = _window(rng)
    if window is None:
        return None
    sizes = rng.integers(1, 4, 2).tolist()
    padding, output = window["padding"], []
    for axis in (0, 1):
        pad = padding if isinstance(padding, str) else padding[axis]
        three = (window["taps"][axis], window["strides"][axis], window["dilations"][axis])
        legal = [n for n in transposed_sizes(sizes[axis], *three, pad) if n > 0]
        if not legal:
            return None
        output.append(int(rng.choice(legal)))
    channels, filters = rng.integers(1, 3, 2).tolist()
    return {
        "op": "conv2d_transpose",
        **_words(window),
        "arrays": {
            "x": _integers(rng, 1, *sizes, filters),
            "w": _integers(rng, *window["taps"], channels, filters),
            "g": _integers(rng, 1, *output, channels),
        },
    }


def _pool(rng: np.random.Generator) -> Case | None:
    window = _window(rng)
    if window is None or not isinstance(window["padding"], str):
        return None
    window["dilations"] = [1, 1]
    channels = int(rng.integers(1, 3))
    return {
        "op": f"{rng.choice(['max', 'avg'])}_pool2d",
        "strides": window["strides"],
        "padding": window["padding"],
        "ksize": window["taps"],
        "arrays": {
            "x": _packed(rng.integers(-2, 3, (1, *window["size"], channels))),  # with ties
            "g": _integers(rng, 1, *_out(window), channels),
        },
    }


def _norm(rng: np.random.Generator) -> Case:
    kind = KINDS[rng.integers(4)]
    channels = 4 if kind == "group" else int(rng.integers(1, 5))
    shape = (*rng.integers(2, 4, 3).tolist(), channels)
    vectors = {name: rng.integers(-3, 4, shape[3]).tolist() for name in ("scale", "offset")}
    case = {"op": "norm", "kind": kind, **vectors, "epsilon": 0.001}
    case["arrays"] = {name: _integers(rng, *shape) for name in ("x", "g")}
    if kind == "batch" and rng.random() < 0.4:
        variance = rng.integers(1, 9, shape[3]).tolist()
        case["given"] = {"mean": vectors["offset"], "variance": variance}
    elif kind == "batch":
        case["momentum"] = float(rng.choice([0.0, 0.9, 0.99]))
    return case


# ----- TensorFlow's answers -----


def answers(tf: Any, case: Case) -> dict[str, np.ndarray]:
    """The output, and its gradients for the cotangent g, in float64."""
    given = {name: tf.constant(unpacked(a)) for name, a in case["arrays"].items()}
    g = given.pop("g")
    if case["op"] == "norm":
        given |= {n: tf.constant(case[n], tf.float64) for n in ("scale", "offset")}
    with tf.GradientTape() as tape:
        tape.watch(given)
        y = OPS[case["op"]](tf, case, given, g)
    gradients = tape.gradient(y, given, output_gradients=g)
    found = {"y": y, **{f"d{name}": gradient for name, gradient in gradients.items()}}
    found |= _statistics(tf, case, given) if "momentum" in case else {}
    return {name: np.asarray(value) for name, value in found.items()}


def _padded(tf: Any, x: Any, case: Case) -> tuple[Any, str]:
    padding = case["padding"]
    if isinstance(padding, str):
        return x, padding
    return tf.pad(x, [[0, 0], *padding, [0, 0]]), "VALID"


def _spread(tf: Any, w: Any, dilations: list[int]) -> Any:
    """Filters with zeros between their taps."""
    for axis, apart in enumerate(dilations):
        taps = tf.unstack(w, axis=axis)
        zeros = [tf.zeros_like(taps[0])] * (apart - 1)
        w = tf.stack([t for tap in taps for t in (*zeros, tap)][apart - 1 :], axis=axis)
    return w


def _tf_conv(tf: Any, case: Case, given: Any, g: Any) -> Any:
    x, padding = _padded(tf, given["x"], case)
    w, groups = _spread(tf, given["w"], case["dilations"]), case.get("groups", 1)
    parts = zip(tf.split(x, groups, axis=3), tf.split(w, groups, axis=3), strict=True)
    y = tf.concat([tf.nn.conv2d(a, b, case["strides"], padding) for a, b in parts], axis=3)
    return y + tf.constant(case.get("bias", [0]), tf.float64)


def _tf_transposed(tf: Any, case: Case, given: Any, g: Any) -> Any:
    padding = case["padding"]
    shape, crop = np.array(g.shape), np.zeros((2, 2), int)
    if not isinstance(padding, str):
        crop, padding = np.array(padding), "VALID"
        shape[1:3] += crop.sum(axis=1)
    w = _spread(tf, given["w"], case["dilations"])
    y = tf.nn.conv2d_transpose(given["x"], w, shape, case["strides"], padding)
    (top, bottom), (left, right) = crop
    return y[:, top : shape[1] - bottom, left : shape[2] - right]


def _tf_separable(tf: Any, case: Case, given: Any, g: Any) -> Any:
    kh, kw, _, channels = given["w"].shape
    w = tf.reshape(given["w"], (kh, kw, channels, 1))
    strides = [1, *case["strides"], 1]
    return tf.nn.separable_conv2d(given["x"], w, given["v"], strides, case["padding"])


def _tf_max(tf: Any, case: Case, given: Any, g: Any) -> Any:
    return tf.nn.max_pool2d(given["x"], case["ksize"], case["strides"], case["padding"])


def _tf_avg(tf: Any, case: Case, given: Any, g: Any) -> Any:
    return tf.nn.avg_pool2d(given["x"], case["ksize"], case["strides"], case["padding"])


def _tf_norm(tf: Any, case: Case, given: Any, g: Any) -> Any:
    x, affine = given["x"], (given["offset"], given["scale"])
    if stated := case.get("given"):
        mean, variance = (tf.constant(stated[n], tf.float64) for n in ("mean", "variance"))
        return tf.nn.batch_normalization(x, mean, variance, *affine, case["epsilon"])
    N, H, W, C = x.shape
    axes = {"batch": [0, 1, 2], "layer": [1, 2, 3], "instance": [1, 2], "group": [1, 2, 4]}
    view = tf.reshape(x, (N, H, W, 2, C // 2)) if case["kind"] == "group" else x
    mean, variance = tf.nn.moments(view, axes[case["kind"]], keepdims=True)
    standard = tf.nn.batch_normalization(view, mean, variance, None, None, case["epsilon"])
    return tf.reshape(standard, x.shape) * affine[1] + affine[0]


def _statistics(tf: Any, case: Case, given: Any) -> dict[str, Any]:
    layer = tf.keras.layers.BatchNormalization(momentum=case["momentum"], dtype="float64")
    layer(given["x"], training=True)
    return {"moving_mean": layer.moving_mean, "moving_variance": layer.moving_variance}


OPS = {
    "conv2d": _tf_conv,
    "conv2d_transpose": _tf_transposed,
    "separable_conv2d": _tf_separable,
    "max_pool2d": _tf_max,
    "avg_pool2d": _tf_avg,
    "norm": _tf_norm,
}


def recorded(array: np.ndarray) -> Case:
    """An answer as the page reads it: long ones in part."""
    every = -(-array.size // MOST)
    values = [_short(v) for v in array.ravel()[::every].tolist()]
    return {"shape": list(array.shape), "every": every, "values": values}


def main() -> None:
    """Asks TensorFlow, and writes the file, a call a line."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
    import tensorflow as tf

    lines = []
    for case in calls():
        found = {name: recorded(array) for name, array in answers(tf, case).items()}
        lines.append(json.dumps({**case, "answers": found}, separators=(",", ":")))
    head = f'{{"tensorflow": "{tf.__version__}", "cases": [\n'
    Path(FILE).write_text(head + ",\n".join(lines) + "\n]}\n")
    print(f"{len(lines)} calls, {FILE.stat().st_size} bytes, TensorFlow {tf.__version__}")


if __name__ == "__main__":
    main()
