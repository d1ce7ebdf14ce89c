"""Compares a layer or model of ours with Keras': values, gradients one at a time, statistics."""

from contextlib import contextmanager

import numpy as np

import minitensor as mt

TOLERANCE = {"float32": 1e-4, "float64": 1e-10}


@contextmanager
def floatx(tf, dtype):
    """Both libraries make layers of this float type inside the block."""
    libraries = (mt.keras.config, tf.keras.config)
    before = [library.floatx() for library in libraries]
    policy = tf.keras.config.dtype_policy()  # Keras reads its floatx for this only once
    for library in libraries:
        library.set_floatx(dtype)
    tf.keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        for library, old in zip(libraries, before, strict=True):
            library.set_floatx(old)
        tf.keras.config.set_dtype_policy(policy)


def assert_same(
    tf, make, *inputs, training=False, dtype="float64", tolerance=None, grads=True, least=0.0
):
    """`make(keras)` gives equal results in both libraries with the same random weights.

    Args:
        tf: TensorFlow.
        make: from the module keras, ours or theirs, to a layer or a model.
        inputs: arrays; several are given as one list.
        training: passed on if it is not None.
        dtype: the float type of layers and inputs.
        tolerance: of the largest difference, relative to the largest value.
        grads: whether gradients are compared too.
        least: largest value below which a result counts as 0, up to `tolerance` times it.

    Returns:
        (ours, theirs)
    """
    tolerance = tolerance or TOLERANCE[dtype]
    inputs = [np.asarray(x, dtype if np.asarray(x).dtype.kind == "f" else None) for x in inputs]
    with floatx(tf, dtype):
        ours, theirs = make(mt.keras), make(tf.keras)
        _run(mt, ours, inputs, None, False)
        _run(tf, theirs, inputs, None, False)
        same_weights(ours, theirs)
        mine = _run(mt, ours, inputs, training, grads)
        other = _run(tf, theirs, inputs, training, grads)
    assert len(mine) == len(other)
    for number, (a, b) in enumerate(zip(mine, other, strict=True)):
        close(a, b, tolerance, f"number {number}: outputs, then dX, then dW", least)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        close(a, b, tolerance, "weights after the call")
    return ours, theirs


def same_weights(ours, theirs, seed=0):
    """Gives both the same weights: Keras' own shapes, values near what they were, none alike."""
    draw = np.random.default_rng(seed)
    values = [w + 0.1 * draw.random(w.shape) for w in theirs.get_weights()]
    theirs.set_weights(values)
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in values]
    ours.set_weights([w.numpy() for w in theirs.weights])


def close(a, b, tolerance, what="", least=0.0):
    """Equal shapes and dtypes, and values up to `tolerance` times the largest."""
    a, b = np.asarray(a), np.asarray(b)
    assert (a.shape, a.dtype) == (b.shape, b.dtype), what
    size = max(float(np.abs(b).max(initial=0)), least) or 1.0
    np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * size, err_msg=what)


def _run(library, layer, inputs, training, grads):
    """[outputs..., gradients by inputs..., gradients by trainable weights...] as arrays."""
    tensors = [library.constant(x) for x in inputs]
    options = {} if training is None else {"training": training}
    with library.GradientTape() as tape:
        tape.watch([t for t in tensors if np.asarray(t).dtype.kind == "f"])
        y = layer(tensors if len(tensors) > 1 else tensors[0], **options)
        ys = list(y) if isinstance(y, list | tuple) else [y]
        draw = np.random.default_rng(1)
        seeds = [np.asarray(draw.normal(size=tuple(t.shape)), np.asarray(t).dtype) for t in ys]
    if not grads:
        return [np.asarray(t) for t in ys]
    wrt = [*tensors, *(w if library is mt else w.value for w in layer.trainable_weights)]
    cotangents = [library.constant(s) for s in seeds]
    found = tape.gradient(ys, wrt, cotangents, unconnected_gradients="zero")
    return [np.asarray(t) for t in [*ys, *found]]
