"""What a backend that runs kernels offers, in one table: the twins of backend/numpy's functions.

The emulator and the GPU bind the same table, so that the two cannot differ. Without its first
argument, the device, each function has the signature of its twin.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from minitensor.backend.host import columns, conv, norm, optimizer, pool
from minitensor.backend.host.activation import bias_activation
from minitensor.backend.host.device import Device
from minitensor.backend.host.loss import softmax_cross_entropy, softmax_cross_entropy_grad
from minitensor.backend.host.matmul import matmul
from minitensor.backend.host.transpose import transpose
from minitensor.backend.numpy import matrix
from minitensor.window import Window


def where(device: Device, condition: Any, x: Any, y: Any) -> Any:
    """x where `condition` holds, else y; the three broadcast, x and y share a dtype."""
    return device.xp.where(condition, x, y)


def conv2d_matrix(device: Device, kernel: Any, window: Window) -> Any:
    """The sparse matrix W', which lies in the CPU's memory on every backend: SciPy holds it."""
    return matrix.conv2d_matrix(device.to_numpy(kernel), window)


_FUNCTIONS: tuple[Callable[..., Any], ...] = (
    *(conv.conv2d, conv.conv2d_transpose, conv.conv2d_kernel_grad, conv2d_matrix),
    conv.conv2d_bias_activation,
    *(columns.im2col, columns.col2im),
    *(pool.max_pool, pool.window_argmax, pool.take_tap, pool.put_tap),
    *(pool.avg_pool, pool.avg_pool_grad),
    *(norm.moments, norm.batch_norm, norm.batch_norm_sums, norm.batch_norm_grad),
    *(norm.channel_sum, norm.local_response),
    *(softmax_cross_entropy, softmax_cross_entropy_grad),
    *(optimizer.sgd_momentum, optimizer.adam),
    *(bias_activation, matmul, transpose, where),
)


def bound(device: Device) -> dict[str, Callable[..., Any]]:
    """The functions of a backend on `device`."""
    functions: dict[str, Callable[..., Any]] = {f.__name__: partial(f, device) for f in _FUNCTIONS}
    return functions | {"asarray": device.asarray, "to_numpy": device.to_numpy}
