"""DCGAN: a generator of images from noise by transposed convolutions, and its judge.

Args: channels of the image; width, w in the formulas. Returns a Sequential model. Source of all:
Radford, Metz, Chintala 2015, arXiv 1511.06434, figure 1 and section 3.
"""

from __future__ import annotations

from typing import Any

from minitensor import keras
from minitensor.docstrings import examples_of
from minitensor.keras import layers

example = examples_of("tf.models", "")


@example("dcgan_generator(width=2).output_shape", "(None, 64, 64, 3)")
def dcgan_generator(latent: int = 100, channels: int = 3, width: int = 128) -> Any:
    """Noise to images of 64 by 64 with values of -1...1: 18,858,883 parameters.

    z -> (4, 4, 8w) -> (8, 8, 4w) -> (16, 16, 2w) -> (32, 32, w) -> (64, 64, channels)

    Each arrow but the first is a transposed convolution 5x5 of stride 2; each but the last has a
    norm and relu behind it, the last tanh.

    Args:
        latent: numbers of noise for one image.
    """
    net = keras.Sequential([keras.Input((latent,))], name="dcgan_generator")
    net.add(layers.Dense(4 * 4 * 8 * width, use_bias=False))
    net.add(layers.Reshape((4, 4, 8 * width)))
    for filters in (4 * width, 2 * width, width):
        net.add(layers.BatchNormalization())
        net.add(layers.ReLU())
        net.add(layers.Conv2DTranspose(filters, 5, 2, padding="same", use_bias=False))
    net.add(layers.BatchNormalization())
    net.add(layers.ReLU())
    net.add(layers.Conv2DTranspose(channels, 5, 2, padding="same", activation="tanh"))
    return net


@example("dcgan_discriminator(width=2).output_shape", "(None, 1)")
def dcgan_discriminator(channels: int = 3, width: int = 128) -> Any:
    """Images of 64 by 64 to one logit, "real" if it is positive: 17,236,481 parameters.

    (64, 64, channels) -> (32, 32, w) -> (16, 16, 2w) -> (8, 8, 4w) -> (4, 4, 8w) -> 1

    Each arrow but the last is a convolution 5x5 of stride 2 and a leaky relu of slope 0.2, with a
    norm between them except in the first.
    """
    net = keras.Sequential([keras.Input((64, 64, channels))], name="dcgan_discriminator")
    for factor in (1, 2, 4, 8):
        first = factor == 1
        net.add(layers.Conv2D(factor * width, 5, 2, padding="same", use_bias=first))
        if not first:
            net.add(layers.BatchNormalization())
        net.add(layers.LeakyReLU(negative_slope=0.2))
    net.add(layers.Flatten())
    net.add(layers.Dense(1))
    return net
