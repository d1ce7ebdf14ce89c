"""Host code of softmax cross entropy: kernels/softmax.cu."""

from __future__ import annotations

from typing import Any

from minitensor.backend.half import bfloat16_in_float32
from minitensor.backend.host.conversion import ctype
from minitensor.backend.host.device import Device
from minitensor.backend.host.grid import grid_size

_SHORT = 1024  # classes that a warp goes through; for more, a block shares a row


@bfloat16_in_float32
def softmax_cross_entropy(device: Device, labels: Any, logits: Any) -> Any:
    """-sum of labels * log softmax(logits) over the last axis."""
    labels, logits = device.contiguous(labels), device.contiguous(logits)
    loss = device.empty(logits.shape[:-1], logits.dtype)
    if loss.size:
        _launch(device, "softmax_cross_entropy", loss.size, labels, logits, loss)
    return loss


@bfloat16_in_float32
def softmax_cross_entropy_grad(device: Device, g: Any, labels: Any, logits: Any) -> Any:
    """The gradient in the logits: g * (softmax(logits) * sum(labels) - labels)."""
    read = [device.contiguous(array) for array in (g, labels, logits)]
    dx = device.empty(logits.shape, logits.dtype)
    if dx.size:
        _launch(device, "softmax_cross_entropy_grad", g.size, *read, dx)
    return dx


def _launch(device: Device, kernel: str, rows: int, *arrays: Any) -> None:
    labels = arrays[-2]
    classes = labels.shape[-1]
    team = 32 if classes <= _SHORT else 256
    name = f"{kernel}<{ctype(labels.dtype)}, {team}>"
    device.launch(name, grid_size(rows * team), 256, *arrays, classes, rows)
