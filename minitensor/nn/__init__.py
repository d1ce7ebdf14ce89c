"""The mirror of tf.nn: it reads the user's arguments, raises the errors, and calls `ops`.

Names, arguments, their order and their defaults are TensorFlow's. Beyond TensorFlow:
`conv2d_matrix`, and layer, instance and group normalisation as functions.
"""

from minitensor import missing
from minitensor import symbolic as _symbolic
from minitensor.nn.activation import *
from minitensor.nn.best import *
from minitensor.nn.conv import *
from minitensor.nn.conv_transpose import *
from minitensor.nn.depthwise import *
from minitensor.nn.fractional import *
from minitensor.nn.loss import *
from minitensor.nn.morphology import *
from minitensor.nn.noise import *
from minitensor.nn.norm import *
from minitensor.nn.pooling import *
from minitensor.nn.space import *

__getattr__ = missing.refusing("tf.nn", __name__)
_symbolic.install(globals())
