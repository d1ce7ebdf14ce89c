"""The networks of the course, each built from the layers of `minitensor.keras`.

    digits.py      mlp, mnist_cnn, lenet5, lenet5_original
    alexnets.py    alexnet_cifar, alexnet_cifar_keras, alexnet
    vggs.py        vgg_block, vgg_stack, vgg; vgg11, vgg13, vgg16, vgg19 for 32 by 32
    googlenets.py  inception, googlenet, inception_v1
    resnets.py     basic_block, resnet18, resnet34; residual_block, resnet_bottleneck
    densenets.py   bn_relu_conv, dense_block, transition, densenet
    slim.py        conv_bn_net, and the conventions of TF-Slim
    dcgan.py       dcgan_generator, dcgan_discriminator
    pixels.py      context_network, unet

The large ones of ImageNet are `keras.applications`; those of the course are here too. `NETWORKS`
lists all with their names.
"""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from minitensor.keras.applications import (
    DenseNet121,
    InceptionV3,
    MobileNet,
    MobileNetV2,
    ResNet50,
    ResNet101,
    ResNet152,
    Xception,
)
from minitensor.models.alexnets import alexnet, alexnet_cifar, alexnet_cifar_keras, response_norm
from minitensor.models.dcgan import dcgan_discriminator, dcgan_generator
from minitensor.models.densenets import bn_relu_conv, dense_block, densenet, transition
from minitensor.models.digits import lenet5, lenet5_original, mlp, mnist_cnn
from minitensor.models.googlenets import googlenet, inception, inception_v1
from minitensor.models.pixels import IdentityKernel, context_network, unet
from minitensor.models.resnets import (
    basic_block,
    residual_block,
    resnet18,
    resnet34,
    resnet_bottleneck,
    subsample,
)
from minitensor.models.slim import batch_norm, conv_bn_net, conv_norm
from minitensor.models.vggs import vgg, vgg11, vgg13, vgg16, vgg19, vgg_block, vgg_stack

# Every network by name; each builder makes it with random weights.
NETWORKS: dict[str, Callable[..., Any]] = {
    "mlp": mlp,
    "mnist_cnn": mnist_cnn,
    "lenet5": lenet5,
    "lenet5_norms": partial(lenet5, norms=True),
    "lenet5_original": lenet5_original,
    "alexnet_cifar": alexnet_cifar,
    "alexnet_cifar_keras": alexnet_cifar_keras,
    "alexnet": alexnet,
    "vgg11": vgg11,
    "vgg13": vgg13,
    "vgg16": vgg16,
    "vgg19": vgg19,
    "googlenet": googlenet,
    "googlenet_as_printed": partial(googlenet, as_printed=True),
    "inception_v1": inception_v1,
    "resnet_bottleneck": resnet_bottleneck,
    "resnet18": resnet18,
    "resnet34": resnet34,
    "resnet50": partial(ResNet50, weights=None),
    "resnet101": partial(ResNet101, weights=None),
    "resnet152": partial(ResNet152, weights=None),
    "densenet": densenet,
    "densenet121": partial(DenseNet121, weights=None),
    "mobilenet": partial(MobileNet, weights=None),
    "mobilenet_v2": partial(MobileNetV2, weights=None),
    "xception": partial(Xception, weights=None),
    "inception_v3": partial(InceptionV3, weights=None),
    "conv_bn_net": conv_bn_net,
    "dcgan_generator": dcgan_generator,
    "dcgan_discriminator": dcgan_discriminator,
    "context_network": context_network,
    "unet": unet,
}

__all__ = ["NETWORKS", "IdentityKernel", *(k for k, v in vars().items() if inspect.isfunction(v))]
