"""Seventy kinds of bad input that TensorFlow answers with aborts, garbage or silence.

One table, numbered as in the project's list of what TensorFlow raises. Every call must raise one
ValueError or TypeError before anything is computed, in one line that names the op, the argument
and what came. Some rows are legal, and TensorFlow is what cannot do them: those, in the second
table, must give the right answer, checked against a composition of simpler ops or plain loops.
"""

from typing import Any, NamedTuple

import numpy as np
import pytest

import minitensor as mt

nn, image, layers = mt.nn, mt.image, mt.keras.layers
EVERY_WAY = [[0, 0], [1, 1], [1, 1], [0, 0]]


def ones(*shape, dtype="float32"):
    return mt.constant(np.ones(shape, dtype))


X, K = ones(1, 5, 6, 4), ones(3, 3, 4, 8)  # an image and filters that fit
Y, T = ones(1, 3, 3, 8), ones(3, 3, 4, 8)  # an input of conv2d_transpose and its filters
D = ones(3, 3, 4, 2)  # filters of depthwise_conv2d


class Bad(NamedTuple):
    """One bad call, and words its message must hold."""

    row: int
    what: str
    call: Any
    says: tuple[str, ...]


def bad(row, what, call, *says):
    return pytest.param(Bad(row, what, call, says), id=f"{row}: {what}")


def transposed(shape, strides=1, padding="VALID", y=Y, k=T):
    return nn.conv2d_transpose(y, k, shape, strides, padding)


def conv(strides=1, padding="SAME", **words):
    return nn.conv2d(X, K, strides, padding, **words)


def depthwise(strides=(1, 1, 1, 1), x=X, k=D, **words):
    return nn.depthwise_conv2d(x, k, strides, "SAME", **words)


def separable(pointwise):
    return nn.separable_conv2d(ones(1, 5, 6, 3), ones(3, 3, 3, 2), pointwise, [1, 1, 1, 1], "SAME")


def built(layer, *shape):
    """A layer called on one image, so that its weights exist."""
    layer(ones(*shape))
    return layer


TABLE = [
    bad(1, "conv2d of 3 axes", lambda: nn.conv2d(ones(5, 6, 4), K, 1, "SAME"),
        "conv2d", "input", "(5, 6, 4)"),
    bad(1, "conv1d of 2 axes", lambda: nn.conv1d(ones(5, 4), ones(3, 4, 8), 1, "SAME"),
        "conv1d", "input", "(5, 4)"),
    bad(1, "conv3d of 4 axes", lambda: nn.conv3d(X, ones(1, 1, 1, 4, 2), [1] * 5, "SAME"),
        "conv3d", "input", "(1, 5, 6, 4)"),
    bad(1, "convolution of 3 axes", lambda: nn.convolution(ones(5, 6, 4), K),
        "convolution", "input", "(5, 6, 4)"),
    bad(1, "depthwise of 3 axes", lambda: depthwise(x=ones(5, 6, 4)),
        "depthwise_conv2d", "input", "(5, 6, 4)"),
    bad(1, "depthwise of 5 axes", lambda: depthwise(x=ones(2, 1, 5, 6, 4)),
        "depthwise_conv2d", "input", "(2, 1, 5, 6, 4)"),
    bad(1, "transpose of 5 axes", lambda: transposed([1, 5, 5, 4], y=ones(1, 1, 3, 3, 8)),
        "conv2d_transpose", "input", "(1, 1, 3, 3, 8)"),
    bad(2, "filters of 3 axes", lambda: nn.conv2d(X, ones(3, 4, 8), 1, "SAME"),
        "conv2d", "filters", "(3, 4, 8)"),
    bad(3, "filter channels do not divide", lambda: nn.conv2d(X, ones(3, 3, 3, 8), 1, "SAME"),
        "conv2d", "filters", "4 channels", "(3, 3, 3, 8)"),
    bad(4, "more filter channels than channels", lambda: nn.conv2d(X, ones(3, 3, 8, 8), 1, "SAME"),
        "conv2d", "filters", "4 channels", "(3, 3, 8, 8)"),
    bad(5, "7 outputs of 2 groups", lambda: nn.conv2d(X, ones(3, 3, 2, 7), 1, "SAME"),
        "conv2d", "filters", "2 groups", "7"),
    bad(6, "filters without a row", lambda: nn.conv2d(X, ones(0, 3, 4, 8), 1, "SAME"),
        "conv2d", "filters", "(0, 3)"),
    bad(6, "filters without channels", lambda: nn.conv2d(X, ones(3, 3, 0, 8), 1, "SAME"),
        "conv2d", "filters", "(3, 3, 0, 8)"),
    bad(7, "padding in lower case", lambda: conv(padding="same"), "conv2d", "padding", "'same'"),
    bad(7, "padding FULL", lambda: conv(padding="FULL"), "conv2d", "padding", "'FULL'"),
    bad(7, "padding CAUSAL", lambda: conv(padding="CAUSAL"), "conv2d", "padding", "'CAUSAL'"),
    bad(8, "padding None", lambda: conv(padding=None), "conv2d", "padding", "None"),
    bad(8, "padding 2", lambda: conv(padding=2), "conv2d", "padding", "2"),
    bad(9, "padding EXPLICIT", lambda: conv(padding="EXPLICIT"),
        "conv2d", "padding", "'EXPLICIT'", "list"),
    bad(10, "two pairs", lambda: conv(padding=[[1, 1], [1, 1]]), "conv2d", "padding", "2 entries"),
    bad(11, "numbers for pairs", lambda: conv(padding=[0, 1, 1, 0]), "conv2d", "padding", "got 0"),
    bad(11, "a triple", lambda: conv(padding=[[0, 0], [1, 1, 1], [1, 1], [0, 0]]),
        "conv2d", "padding", "[1, 1, 1]"),
    bad(12, "a negative pad", lambda: conv(padding=[[0, 0], [-1, 1], [1, 1], [0, 0]]),
        "conv2d", "padding", "-1"),
    bad(13, "a pad of the batch", lambda: conv(padding=[[1, 0], [1, 1], [1, 1], [0, 0]]),
        "conv2d", "padding", "batch"),
    bad(13, "a pad of the channels", lambda: conv(padding=[[0, 0], [1, 1], [1, 1], [0, 2]]),
        "conv2d", "padding", "channel"),
    bad(13, "pads of NHWC for NCHW",
        lambda: nn.conv2d(ones(1, 4, 5, 6), K, 1, EVERY_WAY, "NCHW"),
        "conv2d", "padding", "(1, 1)"),
    bad(14, "pads as an array", lambda: conv(padding=np.array(EVERY_WAY)),
        "conv2d", "padding", "array"),
    bad(15, "three strides", lambda: conv(strides=[1, 1, 1]), "conv2d", "strides", "(1, 1, 1)"),
    bad(15, "no strides", lambda: conv(strides=[]), "conv2d", "strides", "()"),
    bad(16, "stride 0", lambda: conv(strides=0), "conv2d", "strides", "0"),
    bad(16, "stride -1", lambda: conv(strides=[1, -1]), "conv2d", "strides", "-1"),
    bad(17, "stride over the batch", lambda: conv(strides=[2, 1, 1, 1]),
        "conv2d", "strides", "(2, 1, 1, 1)", "batch"),
    bad(17, "stride over the channels", lambda: conv(strides=[1, 1, 1, 2]),
        "conv2d", "strides", "(1, 1, 1, 2)", "channel"),
    bad(18, "stride 1.5", lambda: conv(strides=1.5), "conv2d", "strides", "1.5"),
    bad(18, "strides [1.5, 1.5]", lambda: conv(strides=[1.5, 1.5]), "conv2d", "strides", "1.5"),
    bad(18, "stride True", lambda: conv(strides=True), "conv2d", "strides", "True"),
    bad(18, "an array of stride 1.0", lambda: conv(strides=np.ones(2)), "conv2d", "strides", "1.0"),
    bad(19, "stride 'a'", lambda: conv(strides="a"), "conv2d", "strides", "'a'"),
    bad(19, "stride a tensor", lambda: conv(strides=mt.constant(1)), "conv2d", "strides", "Tensor"),
    bad(20, "dilation 0", lambda: conv(dilations=0), "conv2d", "dilations", "0"),
    bad(20, "dilation -1", lambda: conv(dilations=[1, -1]), "conv2d", "dilations", "-1"),
    bad(20, "dilation 1.5", lambda: conv(dilations=1.5), "conv2d", "dilations", "1.5"),
    bad(21, "dilation over the batch", lambda: conv(dilations=[2, 1, 1, 1]),
        "conv2d", "dilations", "(2, 1, 1, 1)"),
    bad(21, "dilation over the channels", lambda: conv(dilations=[1, 1, 1, 2]),
        "conv2d", "dilations", "(1, 1, 1, 2)"),
    bad(22, "kernel one longer than the image",
        lambda: nn.conv2d(ones(1, 2, 2, 4), K, 1, "VALID"), "conv2d", "kernel", "(3, 3)", "(2, 2)"),
    bad(23, "dilated kernel longer than the image",
        lambda: nn.conv2d(ones(1, 2, 2, 4), K, 1, "VALID", dilations=2),
        "conv2d", "kernel", "(5, 5)", "(2, 2)"),
    bad(25, "complex64 conv2d",
        lambda: nn.conv2d(np.ones((1, 5, 6, 4), "complex64"), np.ones((3, 3, 4, 8), "complex64"),
            1, "SAME"), "conv2d", "input", "complex64", "legal"),
    bad(24, "float32 with float64",
        lambda: nn.conv2d(X, ones(3, 3, 4, 8, dtype="float64"), 1, "SAME"),
        "conv2d", "filters", "float32", "float64"),
    *[
        bad(25, f"{dtype} conv2d", lambda dtype=dtype: nn.conv2d(
            ones(1, 5, 6, 4, dtype=dtype), ones(3, 3, 4, 8, dtype=dtype), 1, "SAME"),
            "conv2d", dtype, "legal")
        for dtype in ("int64", "uint8", "bool")
    ],
    bad(26, "a list for the input", lambda: nn.conv2d([[[[1.0]]]], ones(1, 1, 1, 1), 1, "SAME"),
        "conv2d", "input", "list"),
    bad(26, "a string for the input", lambda: nn.conv2d("cat.png", K, 1, "SAME"),
        "conv2d", "input", "str"),
    bad(26, "None for the filters", lambda: nn.conv2d(X, None, 1, "SAME"),
        "conv2d", "filters", "None"),
    bad(27, "data_format NHCW", lambda: conv(data_format="NHCW"),
        "conv2d", "data_format", "'NHCW'"),
    bad(27, "data_format channels_last", lambda: conv(data_format="channels_last"),
        "conv2d", "data_format", "'channels_last'"),
    bad(27, "conv1d data_format WNC",
        lambda: nn.conv1d(ones(1, 5, 4), ones(3, 4, 8), 1, "SAME", "WNC"),
        "conv1d", "data_format", "'WNC'"),
    bad(32, "a number for conv3d's strides",
        lambda: nn.conv3d(ones(1, 3, 3, 3, 1), ones(1, 1, 1, 1, 1), 1, "SAME"),
        "conv3d", "strides", "1", "5"),
    bad(33, "a size no convolution maps to 3", lambda: transposed([1, 6, 5, 4]),
        "conv2d_transpose", "output_shape", "6", "[5]"),
    bad(33, "a size one below SAME", lambda: transposed([1, 4, 6, 4], 2, "SAME"),
        "conv2d_transpose", "output_shape", "4", "[5, 6]"),
    bad(33, "a size one above SAME", lambda: transposed([1, 6, 7, 4], 2, "SAME"),
        "conv2d_transpose", "output_shape", "7", "[5, 6]"),
    bad(34, "another batch", lambda: transposed([2, 5, 5, 4]),
        "conv2d_transpose", "output_shape", "(2, 5, 5, 4)", "1"),
    bad(35, "other output channels", lambda: transposed([1, 5, 5, 5]),
        "conv2d_transpose", "output_shape", "5 channels", "(3, 3, 4, 8)"),
    bad(36, "other input channels", lambda: transposed([1, 5, 5, 4], y=ones(1, 3, 3, 7)),
        "conv2d_transpose", "input", "7 channels", "(3, 3, 4, 8)"),
    bad(37, "output_shape of 3", lambda: transposed([5, 5, 4]),
        "conv2d_transpose", "output_shape", "(5, 5, 4)"),
    bad(38, "output_shape with -1", lambda: transposed([1, -1, 5, 4]),
        "conv2d_transpose", "output_shape", "-1"),
    bad(39, "output_shape None", lambda: transposed(None),
        "conv2d_transpose", "output_shape", "None"),
    bad(39, "output_shape with None", lambda: transposed([None, 5, 5, 4]),
        "conv2d_transpose", "output_shape", "None"),
    bad(40, "output_shape of int64", lambda: transposed(mt.constant(np.array([1, 5, 5, 4]))),
        "conv2d_transpose", "output_shape", "int64"),
    bad(41, "a number for depthwise strides", lambda: depthwise(strides=1),
        "depthwise_conv2d", "strides", "1", "4"),
    bad(43, "4 filter channels for 3", lambda: depthwise(x=ones(1, 5, 6, 3)),
        "depthwise_conv2d", "filter", "3 channels", "(3, 3, 4, 2)"),
    bad(43, "2 filter channels for 4", lambda: depthwise(k=ones(3, 3, 2, 2)),
        "depthwise_conv2d", "filter", "4 channels", "(3, 3, 2, 2)"),
    bad(44, "a number for depthwise dilations", lambda: depthwise(dilations=2),
        "depthwise_conv2d", "dilations", "2"),
    bad(44, "four depthwise dilations", lambda: depthwise(dilations=[1, 2, 2, 1]),
        "depthwise_conv2d", "dilations", "(1, 2, 2, 1)"),
    bad(46, "input_sizes of another image", lambda: nn.depthwise_conv2d_backprop_input(
        [1, 9, 9, 4], D, ones(1, 5, 6, 8), [1, 1, 1, 1], "SAME"),
        "depthwise_conv2d_backprop_input", "out_backprop", "(1, 5, 6, 8)", "(1, 9, 9, 8)"),
    bad(46, "input_sizes of 3", lambda: nn.depthwise_conv2d_backprop_input(
        [5, 6, 4], D, ones(1, 5, 6, 8), [1, 1, 1, 1], "SAME"),
        "depthwise_conv2d_backprop_input", "input_sizes", "[5, 6, 4]"),
    bad(46, "filter_sizes of another filter", lambda: nn.depthwise_conv2d_backprop_filter(
        X, [3, 3, 4, 1], ones(1, 5, 6, 8), [1, 1, 1, 1], "SAME"),
        "depthwise_conv2d_backprop_filter", "out_backprop", "(1, 5, 6, 8)", "(1, 5, 6, 4)"),
    bad(47, "a pointwise filter of 2 axes", lambda: separable(ones(6, 4)),
        "separable_conv2d", "pointwise_filter", "(6, 4)"),
    bad(47, "a pointwise filter of 3x3", lambda: separable(ones(3, 3, 6, 4)),
        "separable_conv2d", "pointwise_filter", "(3, 3, 6, 4)"),
    bad(48, "3 pointwise channels of 6", lambda: separable(ones(1, 1, 3, 4)),
        "separable_conv2d", "pointwise_filter", "(1, 1, 3, 4)", "6"),
    bad(49, "atrous rate 0", lambda: nn.atrous_conv2d(X, K, 0, "SAME"),
        "atrous_conv2d", "rate", "0"),
    bad(49, "atrous kernel longer than the image", lambda: nn.atrous_conv2d(X, K, 4, "VALID"),
        "atrous_conv2d", "kernel", "(9, 9)", "(5, 6)"),
    bad(50, "ksize 0", lambda: nn.max_pool2d(X, 0, 1, "SAME"), "max_pool2d", "ksize", "0"),
    bad(50, "pool stride 0", lambda: nn.avg_pool2d(X, 2, 0, "SAME"), "avg_pool2d", "strides", "0"),
    bad(51, "a window longer than the image", lambda: nn.max_pool2d(X, 6, 1, "VALID"),
        "max_pool2d", "(6, 6)", "(5, 6)"),
    bad(51, "a window longer than the volume",
        lambda: nn.max_pool3d(ones(1, 2, 2, 2, 1), 3, 1, "VALID"),
        "max_pool3d", "(3, 3, 3)", "(2, 2, 2)"),
    bad(52, "a pad as long as the window",
        lambda: nn.max_pool2d(X, 2, 1, [[0, 0], [3, 0], [0, 0], [0, 0]]),
        "max_pool2d", "padding", "(3, 0)", "(2, 2)"),
    bad(53, "explicit pads of avg_pool2d", lambda: nn.avg_pool2d(X, 2, 1, EVERY_WAY),
        "avg_pool2d", "padding", "[1, 1]"),
    bad(54, "max_pool2d of 3 axes", lambda: nn.max_pool2d(ones(5, 6, 4), 2, 1, "SAME"),
        "max_pool2d", "input", "(5, 6, 4)"),
    bad(54, "max_pool2d of 5 axes", lambda: nn.max_pool2d(ones(1, 2, 5, 6, 4), 2, 1, "SAME"),
        "max_pool2d", "input", "(1, 2, 5, 6, 4)"),
    bad(55, "pooling_type in lower case", lambda: nn.pool(X, [2, 2], "max"),
        "pool", "pooling_type", "'max'"),
    bad(56, "pooling ratio below 1", lambda: nn.fractional_max_pool(X, 0.5),
        "fractional_max_pool", "pooling_ratio", "0.5"),
    bad(56, "pooling ratio above the size", lambda: nn.fractional_avg_pool(X, 7.0),
        "fractional_avg_pool", "pooling_ratio", "7.0", "(5, 6)"),
    bad(56, "two pooling ratios", lambda: nn.fractional_max_pool(X, [1.5, 1.5]),
        "fractional_max_pool", "pooling_ratio", "[1.5, 1.5]"),
    bad(57, "scale of another size", lambda: nn.fused_batch_norm(X, ones(3), ones(4)),
        "fused_batch_norm", "scale", "(3,)", "4"),
    bad(57, "batch norm of 2 axes", lambda: nn.fused_batch_norm(ones(5, 4), ones(4), ones(4)),
        "fused_batch_norm", "x", "(5, 4)"),
    bad(57, "inference without a mean",
        lambda: nn.fused_batch_norm(X, ones(4), ones(4), is_training=False),
        "fused_batch_norm", "mean"),
    bad(58, "mean of another size",
        lambda: nn.batch_normalization(X, ones(3), ones(4), None, None, 1e-3),
        "batch_normalization", "mean", "(3,)"),
    bad(59, "lrn of 3 axes", lambda: nn.lrn(ones(5, 6, 4)), "response_normalization", "(5, 6, 4)"),
    bad(59, "lrn of radius -1", lambda: nn.lrn(X, depth_radius=-1),
        "response_normalization", "depth_radius", "-1"),
    bad(60, "bias of another size", lambda: nn.bias_add(X, ones(3)),
        "bias_add", "bias", "(3,)", "4"),
    bad(60, "bias of 2 axes", lambda: nn.bias_add(X, ones(1, 4)), "bias_add", "bias", "(1, 4)"),
    bad(60, "value of 1 axis", lambda: nn.bias_add(ones(4), ones(4)), "bias_add", "value", "(4,)"),
    bad(60, "bias of size 1", lambda: nn.bias_add(X, ones(1)), "bias_add", "bias", "(1,)", "4"),
    bad(61, "label 5 of 2 classes",
        lambda: nn.sparse_softmax_cross_entropy_with_logits(mt.constant([5]), ones(1, 2)),
        "sparse_softmax_cross_entropy_with_logits", "label", "5", "[0, 2)"),
    bad(61, "label -1",
        lambda: nn.sparse_softmax_cross_entropy_with_logits(mt.constant([-1]), ones(1, 2)),
        "sparse_softmax_cross_entropy_with_logits", "label", "-1", "[0, 2)"),
    bad(61, "labels that are floats",
        lambda: nn.sparse_softmax_cross_entropy_with_logits(ones(1), ones(1, 2)),
        "sparse_softmax_cross_entropy_with_logits", "labels", "float32"),
    bad(61, "labels of another rank",
        lambda: nn.sparse_softmax_cross_entropy_with_logits(mt.constant([[1]]), ones(1, 2)),
        "sparse_softmax_cross_entropy_with_logits", "labels", "(1, 1)", "(1, 2)"),
    bad(62, "3 classes for 4",
        lambda: nn.softmax_cross_entropy_with_logits(ones(2, 3), ones(2, 4)),
        "softmax_cross_entropy_with_logits", "labels", "(2, 3)", "(2, 4)"),
    bad(62, "sigmoid labels to broadcast",
        lambda: nn.sigmoid_cross_entropy_with_logits(ones(1, 4), ones(2, 4)),
        "sigmoid_cross_entropy_with_logits", "labels", "(1, 4)", "(2, 4)"),
    bad(63, "dropout of everything", lambda: nn.dropout(X, 1.0), "dropout", "rate", "1.0"),
    bad(63, "dropout rate -0.1", lambda: nn.dropout(X, -0.1), "dropout", "rate", "-0.1"),
    bad(63, "dropout rate None", lambda: nn.dropout(X, None), "dropout", "rate", "None"),
    bad(63, "dropout of integers", lambda: nn.dropout(ones(3, dtype="int32"), 0.5),
        "dropout", "x", "int32"),
    bad(64, "softmax over axis 5", lambda: nn.softmax(X, 5), "softmax", "axis", "5"),
    bad(64, "softmax of a scalar", lambda: nn.softmax(ones()), "softmax", "axis"),
    bad(64, "softmax of integers", lambda: nn.softmax(ones(3, dtype="int32")),
        "softmax", "logits", "int32"),
    bad(65, "5 rows in blocks of 2", lambda: nn.space_to_depth(X, 2),
        "space_to_depth", "block_size", "2", "(5, 6)"),
    bad(65, "blocks of 1", lambda: nn.space_to_depth(X, 1), "space_to_depth", "block_size", "1"),
    bad(66, "two sizes for patches",
        lambda: image.extract_patches(X, [2, 2], [1, 1, 1, 1], [1, 1, 1, 1], "SAME"),
        "extract_patches", "sizes", "(2, 2)"),
    bad(66, "stride 0 for patches",
        lambda: image.extract_patches(X, [1, 2, 2, 1], [1, 0, 1, 1], [1, 1, 1, 1], "SAME"),
        "extract_patches", "strides", "0"),
    bad(66, "patches larger than the image",
        lambda: image.extract_patches(X, [1, 6, 6, 1], [1, 1, 1, 1], [1, 1, 1, 1], "VALID"),
        "extract_patches", "(6, 6)", "(5, 6)"),
    bad(67, "one size to resize to", lambda: image.resize(X, 4), "resize", "size", "4"),
    bad(67, "a size of 4.5", lambda: image.resize(X, [4.5, 4]), "resize", "size", "4.5"),
    bad(67, "a size of 0", lambda: image.resize(X, [0, 4]), "resize", "size", "0"),
    bad(67, "resize of 2 axes", lambda: image.resize(ones(5, 6), [4, 4]), "resize", "(5, 6)"),
    bad(67, "an unknown method", lambda: image.resize(X, [4, 4], "cubist"),
        "resize", "method", "'cubist'"),
    bad(68, "central_crop 0", lambda: image.central_crop(X, 0.0),
        "central_crop", "central_fraction", "0.0"),
    bad(68, "central_crop 1.2", lambda: image.central_crop(X, 1.2),
        "central_crop", "central_fraction", "1.2"),
    bad(68, "random_hue 0.6", lambda: image.random_hue(ones(4, 4, 3), 0.6),
        "random_hue", "max_delta", "0.6"),
    bad(68, "random_contrast upper below lower",
        lambda: image.random_contrast(ones(4, 4, 3), 0.8, 0.2), "random_contrast", "0.8", "0.2"),
    bad(68, "random_crop too large", lambda: image.random_crop(ones(4, 4, 3), [5, 4, 3]),
        "random_crop", "size", "(5, 4, 3)", "(4, 4, 3)"),
    bad(68, "hue of 2 channels", lambda: image.adjust_hue(ones(4, 4, 2), 0.1),
        "adjust_hue", "image", "(4, 4, 2)"),
    bad(69, "Conv2D strides 0", lambda: layers.Conv2D(4, 3, strides=0), "strides", "0"),
    bad(69, "Conv2D filters 0", lambda: layers.Conv2D(0, 3), "filters", "0"),
    bad(69, "Conv2D filters -1", lambda: layers.Conv2D(-1, 3), "filters", "-1"),
    bad(69, "Conv2D kernel 0", lambda: layers.Conv2D(4, 0), "kernel_size", "0"),
    bad(69, "Conv2D padding foo", lambda: layers.Conv2D(4, 3, padding="foo"), "padding", "foo"),
    bad(69, "Conv2D groups that do not divide filters", lambda: layers.Conv2D(4, 3, groups=3),
        "groups=3", "filters=4"),
    bad(69, "Conv2D groups that do not divide channels",
        lambda: layers.Conv2D(6, 3, groups=3)(X), "groups=3", "4 channels", "(1, 5, 6, 4)"),
    bad(69, "Conv2D of 3 axes", lambda: layers.Conv2D(4, 3)(ones(5, 6, 4)),
        "Conv2D", "ndim=3", "(5, 6, 4)"),
    bad(69, "Conv2D of other channels than before",
        lambda: BUILT(ones(1, 5, 6, 2)), "Conv2D", "size 4, found 2", "(1, 5, 6, 2)"),
    bad(69, "Conv2D kernel larger than the image",
        lambda: BUILT(ones(1, 2, 2, 4)), "Conv2D", "built", "(3, 3)", "(2, 2)"),
    bad(70, "Conv2DTranspose output_padding of a stride",
        lambda: layers.Conv2DTranspose(4, 3, strides=2, output_padding=2),
        "output_padding", "strictly less than", "(2, 2)"),
]  # fmt: skip
BUILT = built(layers.Conv2D(4, 3, name="built"), 1, 5, 6, 4)

FREE = {"reshape", "transpose", "broadcast_to"}  # they move nothing
