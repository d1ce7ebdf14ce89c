"""The emulator backend: the CUDA kernels of `kernels/`, compiled by g++ and run on this CPU.

The same text, the same host code and the same launcher as on a GPU. Slower by far than the NumPy
backend, and worth it: every misuse is an exception that names kernel, line and thread.
"""

from minitensor.backend.emulator.build import lack as lack
from minitensor.backend.emulator.device import EmulatorDevice
from minitensor.backend.emulator.kernel import KernelError
from minitensor.backend.emulator.schedule import order
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
)
from minitensor.backend.host.device import bind

name = "emulator"
device = EmulatorDevice()
xp = device.xp

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
