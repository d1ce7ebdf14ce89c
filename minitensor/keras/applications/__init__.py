"""The mirror of keras.applications: known networks, layer for layer and name for name Keras'.

Weights come from files: `weights=None` makes random ones, a path loads them, and "imagenet" looks
for the file of the usual name in the folders where Keras keeps it. Nothing is downloaded.
"""

from minitensor.keras.applications import (
    densenet,
    efficientnet,
    imagenet_utils,
    inception_v3,
    mobilenet,
    mobilenet_v2,
    mobilenet_v3,
    resnet,
    resnet50,
    resnet_v2,
    vgg16,
    vgg19,
    xception,
)
from minitensor.keras.applications.densenet import DenseNet121, DenseNet169, DenseNet201
from minitensor.keras.applications.efficientnet import (
    EfficientNetB0,
    EfficientNetB1,
    EfficientNetB2,
    EfficientNetB3,
    EfficientNetB4,
    EfficientNetB5,
    EfficientNetB6,
    EfficientNetB7,
)
from minitensor.keras.applications.inception_v3 import InceptionV3
from minitensor.keras.applications.mobilenet import MobileNet
from minitensor.keras.applications.mobilenet_v2 import MobileNetV2
from minitensor.keras.applications.mobilenet_v3 import MobileNetV3Large, MobileNetV3Small
from minitensor.keras.applications.resnet import ResNet50, ResNet101, ResNet152
from minitensor.keras.applications.resnet_v2 import ResNet50V2, ResNet101V2, ResNet152V2
from minitensor.keras.applications.vgg16 import VGG16
from minitensor.keras.applications.vgg19 import VGG19
from minitensor.keras.applications.xception import Xception

__all__ = [name for name in vars() if name[0] != "_"]
