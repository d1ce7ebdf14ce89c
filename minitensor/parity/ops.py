"""What the ledger knows about each op: how its error is bounded, and which proof can speak for it.

Three families, because rounding reaches an answer in three ways (the bounds are in `bounds.py`):
    "linear"     sums of products of the arguments: convolutions, means, matmul, and their gradients
    "selection"  answers are copies of arguments, rounded at most once; gradients are sums
    "smooth"     everything else: curves, norms, losses

A file of `cases/` that holds a single op says it there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitensor.parity.case import Case, Op
from minitensor.parity.cases import OPS as OF_FILES
from minitensor.parity.proofs import conv, other, pool


def describe(path: str) -> Op:
    """The row of the table for an op; what stands nowhere is smooth and has no proof."""
    return OPS.get(path, Op("smooth"))


def family(case: Case) -> str:
    """The family of a case's op; nn.pool is two ops under one name."""
    if case.settings.get("pooling_type") == "MAX":
        return "selection"
    return describe(case.op).family


def _each(names: str, op: Op) -> dict[str, Op]:
    """The same row for several ops."""
    return dict.fromkeys(names.split(), op)


def _proven(family: str, *proofs: Callable[..., Any], windowed: bool = False) -> dict[str, Op]:
    """Rows of functions of nn that are called as their proofs are."""
    return {f"nn.{proof.__name__}": Op(family, proof, windowed=windowed) for proof in proofs}


OPS: dict[str, Op] = {
    "nn.conv1d": Op("linear", conv.conv1d, windowed=True),
    **_each("nn.conv2d nn.conv3d nn.convolution", Op("linear", conv.convolution, windowed=True)),
    **_each(
        "nn.conv1d_transpose nn.conv2d_transpose nn.conv3d_transpose nn.conv_transpose",
        Op("linear", conv.conv_transpose, windowed=True),
    ),
    "nn.separable_conv2d": Op("linear", conv.separable_conv2d, kernels=2, windowed=True),
    **_each(
        "nn.max_pool nn.max_pool1d nn.max_pool2d nn.max_pool3d",
        Op("selection", pool.max_pool, windowed=True),
    ),
    **_each(
        "nn.avg_pool nn.avg_pool1d nn.avg_pool2d nn.avg_pool3d",
        Op("linear", pool.avg_pool, windowed=True),
    ),
    **_proven(
        "linear",
        *(conv.atrous_conv2d, conv.atrous_conv2d_transpose, conv.depthwise_conv2d),
        *(conv.depthwise_conv2d_backprop_input, conv.depthwise_conv2d_backprop_filter, pool.pool),
        windowed=True,
    ),
    **_proven("selection", other.space_to_depth, other.depth_to_space, windowed=True),
    **_proven("selection", pool.max_pool_with_argmax, pool.dilation2d, pool.erosion2d),
    **_proven("selection", other.leaky_relu),
    **_proven(
        "smooth",
        *(other.gelu, other.softsign, other.moments, other.softmax, other.log_softmax, other.lrn),
        *(other.layer_normalization, other.instance_normalization, other.group_normalization),
        other.softmax_cross_entropy_with_logits,
        other.sparse_softmax_cross_entropy_with_logits,
    ),
    "nn.local_response_normalization": Op("smooth", other.lrn),
    "nn.fused_batch_norm": Op("smooth", other.fused_batch_norm, "compat.v1.nn.fused_batch_norm"),
    "parity.fused_batch_norm_y": Op("smooth", other.fused_batch_norm_y),
    "image.extract_patches": Op("linear", pool.extract_patches),
    "image.add_patches": Op("linear"),
    "nn.conv2d_matrix": Op("selection"),
    "nn.batch_to_space": Op("linear", reference="batch_to_space"),
    # the gradient of a broadcast batch is a product, then a sum
    **_each("matmul einsum tensordot parity.matmul", Op("linear", kernels=2)),
    **_each(
        "nn.bias_add reduce_sum reduce_mean cumsum multiply "
        "square gather tile broadcast_to one_hot nn.space_to_batch space_to_batch "
        "batch_to_space add_n",
        Op("linear"),
    ),
    "parity.where_positive": Op("selection"),
    "nn.weighted_cross_entropy_with_logits": Op("smooth", other.weighted_cross_entropy_with_logits),
    "parity.entropy_of_softmax": Op("smooth", other.entropy_of_softmax, kernel=True),
    "parity.sparsemax": Op("smooth", other.sparsemax),
    "parity.masked": Op("smooth", other.masked),
    "math.cumprod": Op("smooth", other.cumprod),
    "reduce_prod": Op("smooth", other.reduce_prod),
    "sort": Op("selection", other.sort),
    "math.top_k": Op("selection", other.top_k),
    "parity.root": Op("smooth", other.root),
    "parity.number_first": Op("smooth", other.number_first),
    "parity.of_bytes": Op("selection", other.of_bytes),
    "cast": Op("selection", other.cast),
    "pad": Op("selection", other.pad),
    "math.erf": Op("smooth", other.erf),
    "math.reduce_euclidean_norm": Op("smooth", other.reduce_euclidean_norm),
    **_each(
        "add subtract negative abs maximum minimum clip_by_value nn.relu nn.relu6 "
        "nn.crelu reduce_max reduce_min argmax argmin argsort reshape transpose "
        "expand_dims squeeze concat stack unstack split where parity.getitem reverse roll "
        "zeros_like ones_like identity stop_gradient slice strided_slice nn.in_top_k "
        "math.in_top_k nn.zero_fraction sign floor math.ceil round",
        Op("selection"),
    ),
    **OF_FILES,
}

# The ops that call a kernel of a GPU, forward or in a derivative; a transpose on the way is none.
KERNELS = {path for path, op in OPS.items() if op.windowed or op.kernel}
KERNELS -= {"nn.space_to_depth", "nn.depth_to_space"}  # pixels that only move
KERNELS |= {
    *("image.add_patches", "image.extract_patches", "nn.dilation2d", "nn.erosion2d"),
    *("nn.bias_add", "nn.fused_batch_norm", "nn.local_response_normalization", "nn.lrn"),
    *("nn.max_pool_with_argmax", "nn.softmax_cross_entropy_with_logits"),
    *("parity.fused_batch_norm_y", "transpose"),
}
