"""The libraries that are timed, one file each, behind one small face.

`Side(device)` raises where the library or the device is missing. `about()` says who it is;
`clock` times its steps; `conv`, `memory`, `train`, `infer`, `copy` and `product` each take a case
and an option and return a maker of steps (clock.py), or raise NotOffered. `norm` is the Euclidean
length of all that a step returned, or None: all sides must have come to the same.
"""
