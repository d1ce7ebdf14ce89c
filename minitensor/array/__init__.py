"""Making, reshaping, joining and picking tensors: TensorFlow's top-level functions for arrays.

create.py   from numbers             pattern.py  that follow a rule
convert.py  from other values        border.py   padded, tiled, turned around
join.py     many to one              pick.py     one to fewer
places.py   moved, repeated, picked by coordinates
shapes.py   the same elements, other axes
"""

from minitensor.array.border import *
from minitensor.array.convert import *
from minitensor.array.create import *
from minitensor.array.join import *
from minitensor.array.pattern import *
from minitensor.array.pick import *
from minitensor.array.places import *
from minitensor.array.shapes import *
