"""PyTorch's operations that are bound by memory, in the layout that the option names.

Updates are those of its optimizers, fused, in place. Its im2col is `unfold`, whose columns are
ordered another way; the bytes are the same.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from benchmarks.cases import NotOffered, normal
from benchmarks.clock import Maker, Step
from benchmarks.memory import DEPTHWISE, Operation, operation_of, shares

EPSILON = 1e-3
aten = torch.ops.aten


def maker(side: Any, case: dict[str, Any], layout: str) -> Maker:
    """A maker of steps of one operation."""
    each = operation_of(case)
    if each.op in ("transpose", "im2col", "col2im") and layout == "nhwc":
        raise NotOffered("PyTorch has this from NCHW only")
    if each.op in DEPTHWISE:
        return lambda: _depthwise(side, each, layout)
    if "pool" in each.op:
        return lambda: _pool(side, each, layout)
    if "norm" in each.op:
        return lambda: _norm(side, each, layout)
    return lambda: _plain(side, each, layout)


def _depthwise(side: Any, each: Operation, layout: str) -> Step:
    channels, places = each.shape[-1], (each.shape[0], *each.window.out, each.shape[-1])
    x, kernel, g = normal(each.shape, (each.taps, each.taps, 1, channels), places)
    x, g, kernel = side.images(x, layout), side.images(g, layout), side.kernel(kernel, layout)
    stride, pad = list(each.window.stride), [each.window.pad[0][0]] * 2
    if each.op == "depthwise_forward":
        return lambda: functional.conv2d(x, kernel, None, stride, pad, 1, channels)
    mask = [each.op == "depthwise_input", each.op == "depthwise_filter", False]
    geometry = (stride, pad, [1, 1], False, [0, 0], channels)
    return lambda: aten.convolution_backward(g, x, kernel, None, *geometry, mask)


def _pool(side: Any, each: Operation, layout: str) -> Step:
    places = (each.shape[0], *each.window.out, each.shape[-1])
    x, g = (side.images(array, layout) for array in normal(each.shape, places))
    window = [each.taps] * 2, list(each.window.stride), [each.window.pad[0][0]] * 2
    if each.op == "max_pool":
        return lambda: functional.max_pool2d(x, *window)
    if each.op == "avg_pool":
        return lambda: functional.avg_pool2d(x, *window, count_include_pad=False)
    if each.op == "avg_pool_grad":
        return lambda: aten.avg_pool2d_backward(g, x, *window, False, False, None)
    index = functional.max_pool2d(x, *window, return_indices=True)[1]
    rest = [1, 1], False, index
    return lambda: aten.max_pool2d_with_indices_backward(g, x, *window, *rest)


def _norm(side: Any, each: Operation, layout: str) -> Step:
    channels = each.shape[-1:]
    x, g, scale, offset = normal(each.shape, each.shape, channels, channels)
    x, g = side.images(x, layout), side.images(g, layout)
    scale, offset = side.tensor(scale), side.tensor(offset)
    mean = x.mean((0, 2, 3))
    variance = x.var((0, 2, 3), unbiased=False)
    if each.op == "batch_norm":
        return lambda: functional.batch_norm(x, None, None, scale, offset, True, eps=EPSILON)
    if each.op == "batch_norm_inference":
        return lambda: functional.batch_norm(x, mean, variance, scale, offset, False, eps=EPSILON)
    # As autograd does: forward says which implementation it took, cuDNN's or PyTorch's own.
    settings = True, 0.1, EPSILON, torch.backends.cudnn.enabled
    given = x, scale, offset, None, None
    _, *saved, reserve, chosen = aten._batch_norm_impl_index(*given, *settings)
    given, rest = (x, g, scale, None, None), (True, EPSILON, [True, True, True], reserve)
    return lambda: aten._batch_norm_impl_index_backward(chosen, *given, *saved, *rest)[0]


def _plain(side: Any, each: Operation, layout: str) -> Step:
    *arrays, bias = normal(*[each.shape] * 4, each.shape[-1:])
    x, y = (side.images(array, layout) for array in arrays[:2])
    bias = side.tensor(bias)[:, None, None]
    if each.op in ("sgd_momentum", "adam"):
        return _update(each.op, x, y)
    if each.op == "cross_entropy":
        return _cross_entropy(side, each, layout, arrays[0])
    if each.op in ("im2col", "col2im"):
        return _columns(each, x)
    calls: dict[str, Step] = {
        "relu": lambda: torch.relu(x),
        "relu_grad": lambda: aten.threshold_backward(y, x, 0),
        "gelu": lambda: functional.gelu(x),
        "add": lambda: x + y,
        "bias_relu": lambda: torch.relu(x + bias),  # two kernels
        "transpose": lambda: x.permute(0, 2, 3, 1).contiguous(),
    }
    return calls[each.op]


def _cross_entropy(side: Any, each: Operation, layout: str, array: Any) -> Step:
    """The loss of each row, and the gradient of their sum in the logits."""
    if layout == "nchw":
        raise NotOffered("rows of logits have one layout")
    logits = side.tensor(array.reshape(-1, each.shape[-1])).requires_grad_()
    labels = side.tensor(shares(each.shape))

    def step() -> Any:
        losses = functional.cross_entropy(logits, labels, reduction="none")
        return losses.detach(), torch.autograd.grad(losses.sum(), logits)[0]

    return step


def _columns(each: Operation, x: Any) -> Step:
    window = {"padding": each.window.pad[0][0], "stride": each.stride}
    columns = functional.unfold(x, each.taps, **window)
    if each.op == "im2col":
        return lambda: functional.unfold(x, each.taps, **window)
    return lambda: functional.fold(columns, each.window.size, each.taps, **window)


def _update(op: str, weight: Any, gradient: Any) -> Step:
    weight.grad = gradient
    if op == "adam":
        on_gpu = weight.device.type == "cuda"
        return torch.optim.Adam([weight], fused=True, capturable=on_gpu).step
    return torch.optim.SGD([weight], lr=0.01, momentum=0.9, fused=True).step
