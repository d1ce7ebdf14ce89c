"""Every op: a function of raw arrays, with one derivative per argument beside it.

    array.py  scatter.py  elements moved, repeated, joined, picked; written at an index
    math.py  special.py  elements computed one by one    elementwise.py
    reduce.py   along axes                          linalg.py  products of matrices
    conv.py  pool.py  morphology.py  norm.py  batch_norm.py  softmax.py
    activation.py  space.py
    operators.py        + @ [] and the rest, put on Tensor and Variable

Users' words, defaults and errors are not here but in `nn`, `math`, `array`.
"""

from minitensor.ops import (
    activation,
    array,
    batch_norm,
    conv,
    linalg,
    math,
    morphology,
    norm,
    operators,
    pool,
    reduce,
    softmax,
    space,
)

__all__ = [
    "activation", "array", "batch_norm", "conv", "linalg", "math", "morphology", "norm",
    "operators", "pool", "reduce", "softmax", "space",
]  # fmt: skip
