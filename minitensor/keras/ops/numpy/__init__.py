"""keras.ops.numpy: NumPy's functions for tensors.

elementwise.py  one or two tensors, element by element    reductions.py  over axes
create.py       from a few numbers                        shapes.py      the same elements moved
picking.py      by index, condition or place              order.py       sorted, counted
products.py     of vectors and matrices                   per_element.py  any function of numbers
"""

from minitensor.keras.ops.left_out import refusing
from minitensor.keras.ops.numpy import (
    create,
    elementwise,
    order,
    per_element,
    picking,
    products,
    reductions,
    shapes,
)
from minitensor.keras.ops.numpy.create import *
from minitensor.keras.ops.numpy.elementwise import *
from minitensor.keras.ops.numpy.order import *
from minitensor.keras.ops.numpy.per_element import *
from minitensor.keras.ops.numpy.picking import *
from minitensor.keras.ops.numpy.products import *
from minitensor.keras.ops.numpy.reductions import *
from minitensor.keras.ops.numpy.shapes import *

__getattr__ = refusing("keras.ops.numpy")
__all__ = [
    *create.__all__, *elementwise.__all__, *order.__all__, *per_element.__all__,
    *picking.__all__, *products.__all__, *reductions.__all__, *shapes.__all__,
]  # fmt: skip
