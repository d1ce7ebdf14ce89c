"""Compares whole networks of ours with Keras': logits, gradients, statistics after some steps.

Weights are drawn so that what flows through a deep network stays of order one: with numbers of
1e-20 or 1e20 a comparison would say nothing. That it did is checked: `lively`.
"""

import functools
import importlib
import re
import sys
from pathlib import Path

import numpy as np
from keras_peer import TOLERANCE, floatx

import minitensor as mt

MODELS = Path(mt.__file__).parent / "models"
# The last norm of what is added, and how large its gamma is, lest fifty of them grow without bound.
_ADDED = ((r"_3_bn/gamma", 0.3), (r"block\d[b-z]_project_bn/gamma", 0.1))


def on_keras(tf, folder):
    """A copy of the room `models` in which `minitensor` is TensorFlow: the same files, run there.

    TensorFlow has no local response normalization of float64; one of single ops stands in for it.
    """
    copy = folder / "models_on_keras"
    copy.mkdir()
    for file in MODELS.glob("*.py"):
        text = file.read_text().replace("minitensor.models", "models_on_keras")
        text = text.replace("from minitensor", "from tensorflow")
        text = text.replace(
            "from tensorflow.docstrings", "from minitensor.docstrings"
        )  # ours alone
        (copy / file.name).write_text(text)
    sys.path.insert(0, str(folder))
    try:
        models = importlib.import_module("models_on_keras")
    finally:
        sys.path.remove(str(folder))
    for user in ("alexnets", "googlenets"):
        module = importlib.import_module(f"models_on_keras.{user}")
        module.response_norm = functools.partial(_response_norm, tf, module.response_norm)
    return models


def _response_norm(tf, own, alpha, bias):
    if tf.keras.config.floatx() == "float32":
        return own(alpha, bias)

    def composed(x):
        size = x.shape[-1]
        near = [[float(abs(i - j) <= 2) for i in range(size)] for j in range(size)]
        return x / (bias + alpha * tf.matmul(x * x, tf.constant(near, x.dtype))) ** 0.75

    return tf.keras.layers.Lambda(composed, output_shape=lambda shape: shape)


def images(*shape, dtype="float32"):
    """Images that differ: blocks of one colour, with some noise."""
    draw = np.random.default_rng(2)
    batch, height, width, channels = shape
    blocks = draw.normal(size=(batch, 4, 4, channels)) + draw.normal(size=(batch, 1, 1, channels))
    tall = blocks.repeat(-(-height // 4), 1)[:, :height]
    wide = tall.repeat(-(-width // 4), 2)[:, :, :width]
    return np.asarray(wide + 0.3 * draw.normal(size=shape), dtype)


def draw_weights(ours, theirs, seed=0):
    """Gives both the same weights: kernels with variance 3 / fan-in, the rest near its usual.

    The sum of each filter is 0. Behind a relu everything is positive, and filters that answered to
    that would make all images alike after some twenty layers.
    """
    draw = np.random.default_rng(seed)
    values = [_drawn(w.path, tuple(w.shape), draw) for w in theirs.weights]
    if any("preact" in w.path for w in theirs.weights):  # no norm behind what is added: as gamma
        ends = [w.path.endswith("_3_conv/kernel") for w in theirs.weights]
        values = [0.3 * v if end else v for v, end in zip(values, ends, strict=True)]
    assert [tuple(w.shape) for w in ours.weights] == [w.shape for w in values]
    theirs.set_weights(values)
    settle(theirs)
    ours.set_weights(values)


def settle(model):
    """Keras' Normalization reads its weights now and then only: after this they count."""
    for layer in model.layers:
        getattr(layer, "finalize_state", int)()


def _drawn(path, shape, draw):
    """One weight; its name tells what it is for."""
    leaf, noise = path.split("/")[-1], draw.standard_normal(shape, np.float32)
    if leaf == "gamma":
        added = (size for ending, size in _ADDED if re.search(ending, path))
        return next(added, 1) + 0.1 * noise
    if leaf in ("mean", "variance"):  # of pixels that were divided by 255
        return 0.1 * noise / 255 if leaf == "mean" else (1 + 0.1 * np.abs(noise)) / 255**2
    if leaf == "moving_variance":
        return 1 + 0.1 * np.abs(noise)
    if len(shape) == 1:
        return 0.1 * noise
    if leaf == "depthwise_kernel":  # of a separable convolution, which has no relu inside
        return noise / np.sqrt(np.prod(shape[:2]))
    if "conv_dw" in path:  # a pixel alone, as at the end of MobileNet, passes through
        noise[1, 1] += 3
        return noise / 3
    if "dwconv" in path:  # half of which the weights of channels take away again
        return noise * np.sqrt(4 / np.prod(shape[:2]))
    if "depthwise" in path:
        return noise * np.sqrt(2 / np.prod(shape[:2]))
    noise -= noise.mean(axis=tuple(range(len(shape) - 1)))
    return noise * np.sqrt(3 / np.prod(shape[:-1]))


def lively(y):
    """Numbers of order one; images differ by more than ten times what a comparison lets pass."""
    y = np.asarray(y, np.float64)
    y = y.reshape(len(y), -1)
    spread = np.abs(y - y.mean(axis=0)).max()
    assert 1e-3 < np.abs(y).max() < 1e4, f"of size {np.abs(y).max()}"
    assert spread > 1e-3 * np.abs(y).max(), f"the images differ by {spread} of {np.abs(y).max()}"


def assert_same_net(tf, mine, other, x, training=False, dtype="float64", grads=True):
    """Equal outputs and gradients with the same weights, and equal weights after the call.

    The gradient of a network jumps where a relu or a maximum changes sides. In float32, rounding
    is enough for that; so there gradients are compared image by image until one of them agrees.

    Args:
        tf: TensorFlow.
        mine, other: make the network, ours and theirs.
        x: a batch.
        training: of the call.
        dtype: of layers and images.
        grads: whether gradients are compared.
    """
    with floatx(tf, dtype):
        ours, theirs = mine(), other()
        draw_weights(ours, theirs)
        x = np.asarray(x, dtype)
        whole = grads and dtype == "float64"
        y, dw = _run(mt, ours, x, training, whole)
        y_tf, dw_tf = _run(tf, theirs, x, training, whole)
        lively(y_tf[0])
        far = max(_distance(a, b) for a, b in zip(y, y_tf, strict=True))
        assert far <= TOLERANCE[dtype], f"outputs differ by {far}"
        for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            assert _distance(a, b, 1.0) <= TOLERANCE[dtype], "weights after the call"
        if whole:
            gaps = [_gap(dw, dw_tf)]
        elif grads:
            gaps = _gaps(tf, ours, theirs, x, training, TOLERANCE[dtype])
        assert not grads or gaps[-1] <= TOLERANCE[dtype], f"gradients differ by {gaps}"


def _gaps(tf, ours, theirs, x, training, enough):
    """How far the gradients for single images differ, up to the first that does not."""
    gaps = []
    for i in range(len(x)):
        one = x[i : i + 1]
        _, dw = _run(mt, ours, one, training, True)
        _, dw_tf = _run(tf, theirs, one, training, True)
        gaps.append(_gap(dw, dw_tf))
        if gaps[-1] <= enough:
            break
    return gaps


def _gap(dw, dw_tf):
    """The largest distance of two gradients; those that should be 0 are measured by the others."""
    floor = 0.01 * np.median([np.abs(g).max() for g in dw_tf])
    return max(_distance(a, b, floor) for a, b in zip(dw, dw_tf, strict=True))


def assert_same_steps(tf, mine, other, x, steps=3, rate=1e-3, dtype="float64"):
    """Equal weights, moving statistics among them, after some steps down the gradient."""
    with floatx(tf, dtype):
        ours, theirs = mine(), other()
        draw_weights(ours, theirs)
        before = theirs.get_weights()
        for library, model in ((mt, ours), (tf, theirs)):
            for _ in range(steps):
                _, gradients = _run(library, model, np.asarray(x, dtype), True, True)
                for w, g in zip(model.trainable_weights, gradients, strict=True):
                    w.assign(w - rate * g)
    worst = 0.0
    for w, b, start in zip(ours.weights, theirs.get_weights(), before, strict=True):
        assert "moving" not in w.path or np.abs(b - start).max() > 0, "no step moves a statistic"
        worst = max(worst, _distance(w.numpy(), b, 1.0))
    assert worst <= TOLERANCE[dtype], f"weights differ by {worst}"
    return worst


def _distance(a, b, floor=0.0):
    """The largest difference, relative to the largest value or `floor`."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    assert a.shape == b.shape
    return float(np.abs(a - b).max() / max(np.abs(b).max(), floor, 1e-300))


def _run(library, model, x, training, grads):
    """Outputs, and gradients of their sum with random factors by all that is trained, as arrays."""
    with library.GradientTape() as tape:
        y = model(library.constant(x), training=training)
        ys = list(y) if isinstance(y, list | tuple) else [y]
        draw = np.random.default_rng(1)
        factors = [np.asarray(draw.normal(size=tuple(t.shape)), x.dtype) for t in ys]
    arrays = [np.asarray(t) for t in ys]
    if not grads:
        return arrays, []
    wrt = [w if library is mt else w.value for w in model.trainable_weights]
    found = tape.gradient(ys, wrt, [library.constant(f) for f in factors])
    return arrays, [np.asarray(g) for g in found]
