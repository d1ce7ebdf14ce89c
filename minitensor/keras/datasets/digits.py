"""The handwritten digits that come with minitensor, 8 by 8 pixels. Keras does not have them."""

from __future__ import annotations

from minitensor.data.sources import digits
from minitensor.keras.datasets.readers import Parts

_LEARNT = 1437  # four fifths


def load_data() -> Parts:
    """Handwritten digits: 1,437 to learn from and 360 to test on. Nothing is downloaded.

    Returns:
        (x_train, y_train), (x_test, y_test): images (N, 8, 8) uint8, 0 paper to 16 ink, and labels
        (N,) uint8, 0 to 9.

    Example:
        >>> import minitensor as tf
        >>> (x_train, y_train), (x_test, y_test) = tf.keras.datasets.digits.load_data()
        >>> x_train.shape, x_test.shape, int(x_train.max())
        ((1437, 8, 8), (360, 8, 8), 16)

    Source: Optical Recognition of Handwritten Digits, UCI Machine Learning Repository
    """
    images, labels = digits()
    images = images[..., 0]  # (1797, 8, 8)
    return (images[:_LEARNT], labels[:_LEARNT]), (images[_LEARNT:], labels[_LEARNT:])
