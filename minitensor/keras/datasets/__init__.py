"""The mirror of keras.datasets: images with labels, as NumPy arrays.

    mnist, fashion_mnist, cifar10, cifar100    read from where `data/search_paths.py` looks
    digits                                     come with minitensor; Keras does not have them

Each has `load_data`. What is nowhere is downloaded, if there is a network. Files on this machine
are read strictly but not compared with the official checksums: files of one's own are welcome.
"""

from minitensor.keras.datasets import cifar10, cifar100, digits, fashion_mnist, mnist

__all__ = ["cifar10", "cifar100", "digits", "fashion_mnist", "mnist"]
