"""Making, reshaping, joining and picking tensors: TensorFlow's top-level functions for arrays.

convert.py   from other values          create.py    from a few numbers
shapes.py    the same elements, other axes
movement.py  padded, tiled, repeated, turned around
counting.py  counts, ranks and masks   diagonals.py  of matrices
join.py      many to one, one to many   indexing.py  picked by index or condition
scatter.py   written at an index        slices.py    the same, slice by slice
"""

from minitensor import symbolic as _symbolic
from minitensor.array.convert import *
from minitensor.array.counting import *
from minitensor.array.create import *
from minitensor.array.diagonals import *
from minitensor.array.indexing import *
from minitensor.array.join import *
from minitensor.array.movement import *
from minitensor.array.scatter import *
from minitensor.array.shapes import *
from minitensor.array.slices import *

_symbolic.install(globals(), but=("is_tensor",))
