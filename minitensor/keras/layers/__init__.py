"""The mirror of tf.keras.layers: objects that keep their weights and call `minitensor.nn`.

dense.py, einsum_dense.py, attention.py                       wrappers.py: layers around a layer
convolution.py, transpose.py, depthwise.py, conv_lstm.py      with a kernel (affine.py)
pooling.py                                                    with a window
normalization.py, feature_normalization.py, scaling.py        activation.py, dropout.py
padding.py, up_sampling.py, reshaping.py                      merging.py, core.py
image_size.py, random_color.py, random_geometry.py            images: images.py
spatial.py, geometry.py                                       what layers have in common
operators.py                                                  x + y of symbolic tensors

In each, `build` makes the weights under Attributes, and `call` computes the formula of the class.
"""

import inspect

from minitensor import missing
from minitensor.keras.engine import Input, InputLayer, InputSpec, Layer
from minitensor.keras.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from minitensor.keras.layers.attention import MultiHeadAttention
from minitensor.keras.layers.conv_lstm import ConvLSTM1D, ConvLSTM2D, ConvLSTM3D
from minitensor.keras.layers.convolution import Conv1D, Conv2D, Conv3D
from minitensor.keras.layers.core import Identity, Lambda, Masking
from minitensor.keras.layers.dense import Dense
from minitensor.keras.layers.depthwise import (
    DepthwiseConv1D,
    DepthwiseConv2D,
    SeparableConv1D,
    SeparableConv2D,
)
from minitensor.keras.layers.dropout import (
    ActivityRegularization,
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from minitensor.keras.layers.einsum_dense import EinsumDense
from minitensor.keras.layers.feature_normalization import Normalization
from minitensor.keras.layers.image_size import CenterCrop, RandomCrop, Resizing
from minitensor.keras.layers.merging import *
from minitensor.keras.layers.normalization import (
    BatchNormalization,
    GroupNormalization,
    LayerNormalization,
)
from minitensor.keras.layers.operators import Arithmetic
from minitensor.keras.layers.padding import (
    Cropping1D,
    Cropping2D,
    Cropping3D,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)
from minitensor.keras.layers.pooling import *
from minitensor.keras.layers.random_color import RandomBrightness, RandomContrast
from minitensor.keras.layers.random_geometry import (
    RandomFlip,
    RandomRotation,
    RandomTranslation,
    RandomZoom,
)
from minitensor.keras.layers.reshaping import Flatten, Permute, RepeatVector, Reshape
from minitensor.keras.layers.scaling import LocalResponseNormalization, Rescaling, UnitNormalization
from minitensor.keras.layers.transpose import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose
from minitensor.keras.layers.up_sampling import UpSampling1D, UpSampling2D, UpSampling3D
from minitensor.keras.layers.wrappers import SpectralNormalization, TimeDistributed, Wrapper
from minitensor.keras.serialization import objects

# Keras' other names.
Convolution1D, Convolution2D, Convolution3D = Conv1D, Conv2D, Conv3D
Convolution1DTranspose, Convolution2DTranspose = Conv1DTranspose, Conv2DTranspose
Convolution3DTranspose = Conv3DTranspose
SeparableConvolution1D, SeparableConvolution2D = SeparableConv1D, SeparableConv2D


def serialize(layer: Layer) -> dict[str, object]:
    """A layer as values that JSON can hold. Source: keras.layers.serialize"""
    return dict(objects.serialize(layer))


def deserialize(
    config: dict[str, object], custom_objects: dict[str, object] | None = None
) -> Layer:
    """The layer that `serialize` wrote. Source: keras.layers.deserialize"""
    layer: Layer = objects.deserialize(config, custom_objects)
    return layer


__all__ = [k for k, v in vars().items() if inspect.isclass(v) or inspect.isfunction(v)]

__getattr__ = missing.refusing("tf.keras.layers", __name__)
