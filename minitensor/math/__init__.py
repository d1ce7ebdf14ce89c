"""The mirror of tf.math: arithmetic, functions, comparisons, reductions and orders.

    elementwise.py  one or two tensors, element by element
    reductions.py   over axes                order.py  along one axis
    clip.py         within bounds (at the top level in TensorFlow)

What networks call activations is in `nn`, and here under the same names.
"""

from minitensor import missing
from minitensor import symbolic as _symbolic
from minitensor.array.counting import bincount, confusion_matrix
from minitensor.math.elementwise import *
from minitensor.math.order import *
from minitensor.math.reductions import *
from minitensor.nn import (
    in_top_k,
    l2_normalize,
    log_softmax,
    sigmoid,
    softmax,
    softplus,
    softsign,
    tanh,
    zero_fraction,
)

__getattr__ = missing.refusing("tf.math", __name__)
_symbolic.install(globals())
