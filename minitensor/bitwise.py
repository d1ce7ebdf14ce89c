"""The mirror of tf.bitwise: integers as rows of bits; the operators & | ^ ~ call the first four."""

from __future__ import annotations

from minitensor import missing
from minitensor.math.elementwise import binary, unary
from minitensor.ops import math

__all__ = ["bitwise_and", "bitwise_or", "bitwise_xor", "invert", "left_shift", "right_shift"]

# fmt: off
bitwise_and = binary(math.bitwise_and, "The bits that are set in both.",
    "tf.bitwise.bitwise_and([6, 5], 3)", "array([2, 1], dtype=int32)", "integers")
bitwise_or = binary(math.bitwise_or, "The bits that are set in one or both.",
    "tf.bitwise.bitwise_or([6, 5], 3)", "array([7, 7], dtype=int32)", "integers")
bitwise_xor = binary(math.bitwise_xor, "The bits that are set in one of the two.",
    "tf.bitwise.bitwise_xor([6, 5], 3)", "array([5, 6], dtype=int32)", "integers")
invert = unary(math.invert, "The bits that are not set: -1 - x of signed integers.",
    "tf.bitwise.invert([6, -5])", "array([-7,  4], dtype=int32)", "integers")
left_shift = binary(math.left_shift, "z = x 2^y, whose upper bits are lost.",
    "tf.bitwise.left_shift([6, -5], 1)", "array([ 12, -10], dtype=int32)", "integers")
right_shift = binary(math.right_shift, "z = floor(x / 2^y).",
    "tf.bitwise.right_shift([6, -5], 1)", "array([ 3, -3], dtype=int32)", "integers")
# fmt: on

for _name in __all__:
    globals()[_name].__module__ = __name__  # where pickle finds it

__getattr__ = missing.refusing("tf.bitwise", __name__)
