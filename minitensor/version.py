"""The mirror of tf.version: the TensorFlow whose names and values these are compared with."""

from minitensor import missing

VERSION = "2.21.0"
GIT_VERSION = f"v{VERSION}"
COMPILER_VERSION = ""  # nothing is compiled for it

__all__ = ["COMPILER_VERSION", "GIT_VERSION", "VERSION"]

__getattr__ = missing.refusing("tf.version", __name__)
