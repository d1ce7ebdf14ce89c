"""TensorFlow's side: the only file that imports tensorflow, run as a process of its own.

`python -m minitensor.parity.reference` reads jobs from stdin and writes answers to stdout, both
pickled, until stdin closes. TensorFlow can kill its process (some wrong shapes abort it), and
TF_ENABLE_ONEDNN_OPTS is read once at import: both are why it lives in a process; `oracle.py` is
the other end. Routes: "direct" asks the op itself, "convolution" and "xla" ask TensorFlow another
way where its kernels refuse, "proof" asks the op's independent proof.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable
from typing import Any

from minitensor.parity.answers import Answer, Job, attempt
from minitensor.parity.case import HALVES, draw
from minitensor.parity.driver import (
    Orders,
    Perturbation,
    Side,
    as_float64,
    differentiate,
    keep,
    rounded_through,
)
from minitensor.parity.ops import describe


def tensorflow() -> Any:
    """The module, for a comparison in this process."""
    import tensorflow as tf

    return tf


def tensorflow_side() -> Side:
    """TensorFlow as a Side; one thread, so that two processes fit on two cores."""
    tf = tensorflow()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.get_logger().setLevel("ERROR")
    return Side(tf, tf.constant, lambda tensor: tensor.numpy(), tf.convert_to_tensor)


def answer(side: Side, job: Job) -> Answer:
    """Run a job at its order, or at the highest order below it that TensorFlow can do."""
    return attempt(lambda order: run(side, job, order), side.array, job.order)


def run(side: Side, job: Job, order: int) -> Orders:
    """The values and gradients of a job, as tensors."""
    function = route_function(side, job)
    arrays = draw(job.case, job.dtype)
    perturb: Perturbation = keep
    if job.route == "proof" and job.dtype in HALVES:
        arrays, perturb = as_float64(arrays), rounded_through(job.dtype)
    tensors = [side.tensor(array) for array in arrays]
    if job.route != "xla":
        return differentiate(side, function, job.case, tensors, order, perturb)
    compiled = side.module.function(
        lambda *xs: differentiate(side, function, job.case, xs, order), jit_compile=True
    )
    return compiled(*tensors)


def route_function(side: Side, job: Job) -> Callable[..., Any]:
    """The function a route calls in the op's place."""
    op, path = describe(job.case.op), job.case.op
    if job.route == "proof" and op.proof:
        proof = op.proof
        return lambda *args, **settings: proof(side.module, *args, **settings)
    if job.route == "convolution":
        return lambda *args, **settings: dilated(side.module, path, *args, **settings)
    if path in LAYERS:
        return lambda *args, **settings: normalization(side.module, path, *args, **settings)
    return side.function(op.reference or path)


def dilated(
    tf: Any, path: str, x: Any, w: Any, padding: Any, dilations: Any, **settings: Any
) -> Any:
    """A dilated convolution by way of space_to_batch, which TensorFlow can differentiate."""
    strides = settings.pop("stride", settings.pop("strides", 1))
    rates = [dilations] if isinstance(dilations, int) else list(dilations)
    rank = len(w.shape) - 2
    rates = rates * rank if len(rates) == 1 else rates[1:-1] if len(rates) == rank + 2 else rates
    if path.endswith("_transpose"):
        shape = settings.pop("output_shape")
        if settings or rank != 2 or strides not in (1, [1, 1], [1, 1, 1, 1]):
            raise NotImplementedError("no detour for this transposed convolution")
        return tf.nn.atrous_conv2d_transpose(x, w, shape, rates, padding)
    if not path.startswith("nn.conv") or not isinstance(padding, str):
        raise NotImplementedError("no detour for this convolution")
    strides = None if strides in (1, [1] * rank, [1] * (rank + 2)) else strides
    return tf.nn.convolution(x, w, strides=strides, padding=padding, dilations=rates, **settings)


LAYERS = {
    "nn.layer_normalization": "LayerNormalization",
    "nn.group_normalization": "GroupNormalization",
    "nn.instance_normalization": "GroupNormalization",  # a group per channel, as Keras spells it
}


def normalization(tf: Any, path: str, x: Any, scale: Any, offset: Any, **settings: Any) -> Any:
    """One of Keras's layers as the function at `path`."""
    if path == "nn.instance_normalization":
        settings["groups"] = int(x.shape[-1])
    layer = getattr(tf.keras.layers, LAYERS[path])(**settings, dtype=x.dtype.name)
    layer.build(x.shape)
    return layer.stateless_call([scale, offset], [], x)[0]


def serve() -> None:
    """Answer jobs until stdin closes; whatever TensorFlow prints goes to stderr."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    side = tensorflow_side()
    pickle.dump(side.module.__version__, answers)
    answers.flush()
    while True:
        try:
            job = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(answer(side, job), answers)
        answers.flush()


if __name__ == "__main__":
    serve()
