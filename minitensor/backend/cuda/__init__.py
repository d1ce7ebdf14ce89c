"""The CUDA backend: hand-written kernels, compiled by NVRTC and launched through CuPy.

Same names and signatures as backend/numpy. Importing it needs neither CuPy nor a GPU; the first
array does, and says what is missing. Beyond the interface: `warm_up`, and graph.py's `capture`.
"""

from __future__ import annotations

from typing import Any

from minitensor.backend.cuda.device import CudaDevice
from minitensor.backend.cuda.requirements import lack as lack
from minitensor.backend.host import (
    arrays,
    columns,
    conv,
    elementwise,
    loss,
    norm,
    optimizer,
    own,
    pool,
    source,
)
from minitensor.backend.host.device import bind

name = "cuda"
device = CudaDevice()
xp: Any  # CuPy, imported when it is first asked for: see __getattr__

load = bind(device, own.load)  # the kernels of one's own .cu
array = device.array
asarray = device.asarray
to_numpy = device.to_numpy

where = bind(device, elementwise.where)
gate = bind(device, elementwise.gate)
gelu = bind(device, elementwise.gelu)
sum_rows = bind(device, elementwise.sum_rows)
gelu_grad = bind(device, elementwise.gelu_grad)
transpose = bind(device, arrays.transpose)
matmul = bind(device, arrays.matmul)

conv2d = bind(device, conv.conv2d)
conv2d_transpose = bind(device, conv.conv2d_transpose)
conv2d_kernel_grad = bind(device, conv.conv2d_kernel_grad)
conv2d_bias_activation = bind(device, conv.conv2d_bias_activation)
conv2d_matrix = bind(device, conv.conv2d_matrix)
im2col = bind(device, columns.im2col)
col2im = bind(device, columns.col2im)

max_pool = bind(device, pool.max_pool)
window_argmax = bind(device, pool.window_argmax)
take_tap = bind(device, pool.take_tap)
put_tap = bind(device, pool.put_tap)
max_pool_grad = bind(device, pool.max_pool_grad)
avg_pool = bind(device, pool.avg_pool)
avg_pool_grad = bind(device, pool.avg_pool_grad)

moments = bind(device, norm.moments)
batch_norm = bind(device, norm.batch_norm)
batch_norm_sums = bind(device, norm.batch_norm_sums)
batch_norm_grad = bind(device, norm.batch_norm_grad)
channel_sum = bind(device, norm.channel_sum)
local_response = bind(device, norm.local_response)

bias_activation = bind(device, elementwise.bias_activation)
softmax_cross_entropy = bind(device, loss.softmax_cross_entropy)
softmax_cross_entropy_grad = bind(device, loss.softmax_cross_entropy_grad)
sgd_momentum = bind(device, optimizer.sgd_momentum)
adam = bind(device, optimizer.adam)


def __getattr__(attribute: str) -> Any:
    if attribute == "xp":
        return device.xp
    raise AttributeError(f"backend.cuda has no {attribute}")


def warm_up() -> None:
    """Compiles and loads every kernel now, so that no later call waits for the compiler."""
    for file in source.files():
        device.load(source.program(file))
