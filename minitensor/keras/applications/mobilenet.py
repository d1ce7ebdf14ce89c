"""MobileNet: each convolution split in one window per channel, and one number per pair of them."""

from __future__ import annotations

from typing import Any

from minitensor.keras import layers
from minitensor.keras.applications._common import Wanted, documented, network
from minitensor.keras.applications._mobile import LEAST, norm_relu6, with_name
from minitensor.keras.applications.imagenet_utils import decode_predictions, of_mode
from minitensor.keras.engine.functional import Functional

__all__ = ["MobileNet", "decode_predictions", "preprocess_input"]

# (filters, stride) of blocks 1...13
_BLOCKS = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5]
_BLOCKS += [(1024, 2), (1024, 1)]
_SIDES = (128, 160, 192, 224)
_FILES = {0.25: "2_5", 0.5: "5_0", 0.75: "7_5", 1.0: "1_0"}

preprocess_input = of_mode("tf")


@documented
def MobileNet(  # noqa: N802 -- Keras' name
    input_shape: Any = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 1e-3,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Functional:
    """13 depthwise separable blocks: 4,253,864 parameters at full width.

    `alpha` multiplies all numbers of filters, `depth_multiplier` the windows per channel;
    `dropout` is the rate before the classifier.

    Example:
        >>> import minitensor as tf
        >>> net = tf.keras.applications.MobileNet((32, 32, 3), weights=None, alpha=0.25, classes=10)
        >>> net.count_params()
        221114

    Source: keras.applications.MobileNet; Howard et al. 2017, arXiv 1704.04861, table 1
    """
    asked = Wanted(
        *(include_top, weights, input_tensor, input_shape),
        *(pooling, classes, classifier_activation, name),
    )
    if weights == "imagenet" and depth_multiplier != 1:
        raise ValueError(
            "If imagenet weights are being loaded, depth multiplier must be 1. "
            f"Received depth_multiplier={depth_multiplier}"
        )
    wanted, size, rows = with_name(asked, alpha, "mobilenet", _SIDES, tuple(_FILES), input_shape)

    stem = f"mobilenet_{_FILES.get(alpha)}_{rows}_tf"
    return network(
        wanted,
        lambda x: _body(x, alpha, depth_multiplier),
        (f"{stem}.h5", f"{stem}_no_top.h5"),
        size,
        LEAST,
        lambda x, wanted: _top(x, wanted, dropout),
    )


def _body(x: Any, alpha: float, multiplier: int) -> Any:
    x = layers.Conv2D(int(32 * alpha), 3, 2, padding="same", use_bias=False, name="conv1")(x)
    x = norm_relu6(x, "conv1_bn", "conv1_relu")
    for number, (filters, stride) in enumerate(_BLOCKS, 1):
        x = _block(x, int(filters * alpha), stride, multiplier, number)
    return x


def _top(x: Any, wanted: Wanted, dropout: float) -> Any:
    x = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Conv2D(wanted.classes, 1, padding="same", name="conv_preds")(x)
    x = layers.Reshape((wanted.classes,), name="reshape_2")(x)
    return layers.Activation(wanted.classifier_activation, name="predictions")(x)


def _block(x: Any, filters: int, stride: int, multiplier: int, number: int) -> Any:
    if stride == 2:
        x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{number}")(x)
    x = layers.DepthwiseConv2D(
        3,
        stride,
        padding="same" if stride == 1 else "valid",
        depth_multiplier=multiplier,
        use_bias=False,
        name=f"conv_dw_{number}",
    )(x)
    x = norm_relu6(x, f"conv_dw_{number}_bn", f"conv_dw_{number}_relu")
    x = layers.Conv2D(filters, 1, padding="same", use_bias=False, name=f"conv_pw_{number}")(x)
    return norm_relu6(x, f"conv_pw_{number}_bn", f"conv_pw_{number}_relu")
