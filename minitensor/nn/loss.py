"""tf.nn's losses, which compare logits with labels.

Logits are what the last layer computes: any real numbers. Every loss takes them as they are,
because softmax and logarithm together are exact where one after the other would overflow. Labels
have gradients too.

For all of them:
    Args: `logits`, `predictions`, `t`: floats. `labels`: if nothing else is said, probabilities
        of yes, of the shape and dtype of `logits`. `name`: ignored.
    Returns: the shape of `logits`, if nothing else is said.
    Raises: TypeError for other elements or two dtypes, ValueError for shapes that do not fit.
    Source: the function of tf.nn (in_top_k: tf.math) with the same name, and the papers named.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.autograd import Tensor, as_tensor, first_tensor, replicas
from minitensor.docstrings import examples_of
from minitensor.nn import checks
from minitensor.ops import array, math, reduce
from minitensor.ops import softmax as ops
from minitensor.ops.math import rounded_once

__all__ = [
    "compute_average_loss", "in_top_k", "l2_loss", "scale_regularization_loss",
    "sigmoid_cross_entropy_with_logits", "softmax_cross_entropy_with_logits",
    "sparse_softmax_cross_entropy_with_logits", "weighted_cross_entropy_with_logits",
]  # fmt: skip
example = examples_of("tf.nn")


@example("softmax_cross_entropy_with_logits([[0.0, 1.0]], [[0.0, 0.0]])", "[0.6931472]")
def softmax_cross_entropy_with_logits(
    labels: Any, logits: Any, axis: int = -1, name: str | None = None
) -> Tensor:
    """How badly softmax(logits) predicts a distribution over classes.

    loss = -sum_i labels_i * log softmax(logits)_i

    The gradient is softmax(logits) * sum(labels) - labels, also for labels that do not sum to 1,
    where TensorFlow leaves the sum out.

    Args:
        labels: (..., classes); other dtypes are cast to that of `logits`.
        logits: (..., classes) floats. The two may be broadcast against each other.
        axis: the axis of the classes.

    Returns:
        The common shape without `axis`.

    Raises:
        ValueError: the shapes do not broadcast, or there is no such axis.
    """
    op = "softmax_cross_entropy_with_logits"
    (x,) = checks.floats(op, first_tensor(labels), logits=logits)
    labels = as_tensor(labels, None, f"{op}: labels", x)
    labels = labels if labels.dtype == x.dtype else math.cast(labels, dtype=x.dtype)
    shape = checks.broadcast(op, labels=labels, logits=x)
    axis = checks.axis(op, axis, len(shape))
    return ops.softmax_cross_entropy(_broadcast(labels, shape), _broadcast(x, shape), axis=axis)


def _broadcast(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    return x if x.shape == shape else array.broadcast_to(x, shape=shape)


@example("sparse_softmax_cross_entropy_with_logits([1], [[0.0, 0.0]])", "[0.6931472]")
def sparse_softmax_cross_entropy_with_logits(
    labels: Any, logits: Any, name: str | None = None
) -> Tensor:
    """The same for labels that are class numbers: loss = -log softmax(logits)[label].

    Args:
        labels: (...) integers in [0, classes).
        logits: (..., classes) floats.

    Returns:
        (...)

    Raises:
        ValueError: the shapes do not match, or a label is outside [0, classes).
    """
    op = "sparse_softmax_cross_entropy_with_logits"
    (x,) = checks.floats(op, first_tensor(labels), logits=logits)
    labels = as_tensor(labels, None, f"{op}: labels", x)
    if labels.dtype.kind not in "iu":
        raise TypeError(
            f"{op}: labels must be integers, got {labels.dtype.name}; distributions over classes "
            "go to softmax_cross_entropy_with_logits"
        )
    if not x.ndim or labels.shape != x.shape[:-1]:
        raise ValueError(
            f"{op}: labels have shape {labels.shape} but logits {x.shape}; labels must have the "
            "shape of logits without the last axis"
        )
    _check_classes(op, labels.numpy(), x.shape[-1])
    return ops.sparse_cross_entropy(labels, x)


def _check_classes(op: str, labels: np.ndarray, classes: int) -> None:
    wrong = labels[(labels < 0) | (labels >= classes)]
    if wrong.size:
        raise ValueError(
            f"{op}: received a label value of {wrong.flat[0]} outside the valid range "
            f"[0, {classes}); logits have {classes} classes"
        )


@example("sigmoid_cross_entropy_with_logits([1.0, 0.0], [0.0, 100])", "[  0.6931472, 100.       ]")
def sigmoid_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, name: str | None = None
) -> Tensor:
    """Cross entropy of independent yes-or-no questions.

    loss = -z log sigmoid(x) - (1 - z) log(1 - sigmoid(x)), z labels, x logits
    """
    labels, x = _same_shape("sigmoid_cross_entropy_with_logits", labels, logits)
    return ops.sigmoid_cross_entropy(labels, x)


@example("weighted_cross_entropy_with_logits([1.0, 0.0], [0.0, 0.0], 2)", "[1.3862944, 0.6931472]")
def weighted_cross_entropy_with_logits(
    labels: Any, logits: Any, pos_weight: Any, name: str | None = None
) -> Tensor:
    """sigmoid_cross_entropy_with_logits with the yes-part multiplied by `pos_weight`.

    loss = -q z log sigmoid(x) - (1 - z) log(1 - sigmoid(x)), q pos_weight

    Args:
        pos_weight: a number or tensor that broadcasts against `logits`; above 1 it raises recall.

    Raises:
        ValueError: two shapes, or a weight that does not broadcast.
    """
    op = "weighted_cross_entropy_with_logits"
    z, x = _same_shape(op, labels, logits)
    x, q = checks.floats(op, logits=x, pos_weight=pos_weight)
    checks.broadcast(op, logits=x, pos_weight=q)
    return _weighted_cross_entropy(z, x, q)


@rounded_once
def _weighted_cross_entropy(z: Tensor, x: Tensor, q: Tensor) -> Tensor:
    return (1 - z) * x + (1 + (q - 1) * z) * math.softplus(-x)


def _same_shape(op: str, labels: Any, logits: Any) -> tuple[Tensor, Tensor]:
    x, z = checks.floats(op, logits=logits, labels=labels)
    if z.shape != x.shape:
        raise ValueError(
            f"{op}: labels have shape {z.shape} but logits {x.shape}; they must be equal"
        )
    return z, x


@example("in_top_k([1, 0], [[0.1, 0.9], [0.2, 0.8]], 1)", "array([ True, False])")
def in_top_k(targets: Any, predictions: Any, k: int, name: str | None = None) -> Tensor:
    """Whether fewer than k classes are predicted more strongly than the target.

    Args:
        targets: (N,) integer classes. A class that does not exist is never in the top k.
        predictions: (N, classes) floats. A row with inf or NaN is always False.
        k: how many classes count.

    Returns:
        (N,) bool. Ties with the last of them are in.

    Raises:
        ValueError: the shapes are not (N,) and (N, classes).
    """
    (p,) = checks.floats("in_top_k", first_tensor(targets), predictions=predictions)
    t = as_tensor(targets, None, "in_top_k: targets", p)
    if t.dtype.kind not in "iu":
        raise TypeError(f"in_top_k: targets must be integers, got {t.dtype.name}")
    if p.ndim != 2 or t.shape != p.shape[:1]:
        raise ValueError(
            f"in_top_k: targets have shape {t.shape} and predictions {p.shape}; they must be (N,) "
            "and (N, classes)"
        )
    classes = p.shape[1]
    exists = math.logical_and(t >= 0, t < classes)
    index = array.reshape(math.where(exists, t, 0), shape=(-1, 1))
    own = array.take_along_axis(p, index, axis=1)  # (N, 1)
    stronger = reduce.sum(math.cast(p > own, dtype="int32"), axis=1)
    finite = math.isfinite(reduce.sum(p - p, axis=1))
    return math.logical_and(math.logical_and(exists, finite), stronger < k)


@example("l2_loss([3.0, 4.0])", "np.float32(12.5)")
def l2_loss(t: Any, name: str | None = None) -> Tensor:
    """Half the sum of squares: loss = sum(t^2) / 2, whose gradient is t.

    Returns:
        A scalar.
    """
    return _half_square(*checks.floats("l2_loss", t=t))


@rounded_once
def _half_square(t: Tensor) -> Tensor:
    return reduce.sum(math.square(t), axis=None) / 2


@example("compute_average_loss([1.0, 3.0], global_batch_size=4)", "np.float32(1.0)")
def compute_average_loss(
    per_example_loss: Any, sample_weight: Any = None, global_batch_size: Any = None
) -> Tensor:
    """sum(per_example_loss * sample_weight) / global_batch_size

    Args:
        per_example_loss: (N, ...)
        sample_weight: None, or weights in that shape, or with fewer axes, those in front.
        global_batch_size: None for N times the replicas of `tf.distribute`; an integer.

    Returns:
        A scalar.

    Raises:
        ValueError: `per_example_loss` has no axes.
    """
    op = "compute_average_loss"
    like = first_tensor(per_example_loss, sample_weight)
    x = checks.tensor(op, "per_example_loss", per_example_loss, "fiu", like)
    if not x.ndim:
        raise ValueError(
            "Invalid value passed for `per_example_loss`. Expected a tensor with at least rank 1."
        )
    count = x.shape[0] * replicas.number()
    if global_batch_size is not None:
        count = checks.number(op, "global_batch_size", global_batch_size, 1)
    if sample_weight is not None:
        weight = as_tensor(sample_weight, None, f"{op}: sample_weight", x)
        weight = weight if weight.dtype == x.dtype else math.cast(weight, dtype=x.dtype)
        missing = max(x.ndim - weight.ndim, 0) if weight.ndim else 0
        x = math.multiply(x, array.reshape(weight, shape=(*weight.shape, *[1] * missing)))
    return math.divide(reduce.sum(x), count)


@example("scale_regularization_loss([1.0, 2.0])", "np.float32(3.0)")
def scale_regularization_loss(regularization_loss: Any) -> Tensor:
    """The sum of a loss that does not depend on the examples, divided by the number of replicas.

    Args:
        regularization_loss: any tensor of numbers.

    Returns:
        A scalar.
    """
    total = reduce.sum(
        checks.tensor(
            "scale_regularization_loss", "regularization_loss", regularization_loss, "fiu"
        )
    )
    return total if replicas.number() == 1 else math.divide(total, replicas.number())
