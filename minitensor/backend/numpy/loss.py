"""Softmax cross entropy of rows, and its gradient; shifted by the maximum, so nothing overflows.

labels, logits (..., classes), of one shape    g and the loss (...)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.backend.half import in_float32
from minitensor.backend.numpy.blocks import SLOWNESS
from minitensor.backend.numpy.choice import compiled


@in_float32
def softmax_cross_entropy(labels: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """-sum of labels * log softmax(logits) over the last axis.

    Example:
        >>> import numpy as np
        >>> from minitensor.backend import numpy as be
        >>> be.softmax_cross_entropy(np.array([0.0, 1.0]), np.array([0.0, 0.0]))
        np.float64(0.6931471805599453)
    """
    room = _compiled(logits)
    if room is not None:
        return room.loss.softmax_cross_entropy(labels, logits)  # type: ignore[no-any-return]
    z = _shifted(logits)
    z -= np.log(np.exp(z).sum(axis=-1, keepdims=True))
    z *= labels
    loss: np.ndarray = -z.sum(axis=-1)
    return loss


@in_float32
def softmax_cross_entropy_grad(g: np.ndarray, labels: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """The gradient in the logits: g * (softmax(logits) * sum(labels) - labels)."""
    room = _compiled(logits)
    if room is not None:
        return room.loss.softmax_cross_entropy_grad(g, labels, logits)  # type: ignore[no-any-return]
    p = _shifted(logits)
    np.exp(p, out=p)
    p *= labels.sum(axis=-1, keepdims=True) / p.sum(axis=-1, keepdims=True)
    p -= labels
    p *= g[..., None]
    return p


def _compiled(logits: np.ndarray) -> Any:
    """The room of compiled kernels for rows of float32 that are worth it."""
    work = 2 * SLOWNESS * logits.size
    return compiled(work, logits.dtype) if logits.dtype == np.float32 else None


def _shifted(x: np.ndarray) -> np.ndarray:
    """x minus its maximum, so that the largest exponential is 1."""
    return x - x.max(axis=-1, keepdims=True) if x.size else x.copy()
