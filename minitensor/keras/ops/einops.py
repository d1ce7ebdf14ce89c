"""rearrange: axes split, moved and merged, as a pattern of their names says."""

from __future__ import annotations

import math
import re

from minitensor.array import reshape, transpose
from minitensor.autograd import Tensor, as_tensor
from minitensor.keras.ops.table import Operand, operation

__all__ = ["rearrange"]


def _groups(side: str) -> list[list[str]]:
    """ "b (h w) c" -> [["b"], ["h", "w"], ["c"]]"""
    return [re.findall(r"\w+", group) for group in re.findall(r"\w+|\(.*?\)", side)]


@operation
def rearrange(tensor: Operand, pattern: Operand, **axes_lengths: Operand) -> Tensor:
    """Axes by name: "b (h w) c -> b c h w" with h or w given. Source: keras.ops.rearrange"""
    x, sides = as_tensor(tensor), pattern.split("->")
    if len(sides) != 2:
        raise ValueError(f"rearrange: {pattern!r} must have one '->'")
    before, after = map(_groups, sides)
    names, wanted = ([name for group in side for name in group] for side in (before, after))
    if len(before) != x.ndim or sorted(names) != sorted(wanted) or len({*names}) < len(names):
        raise ValueError(f"rearrange: {pattern!r} does not fit {x.shape!s}, or names differ")
    sizes = dict(axes_lengths)
    for group, size in zip(before, x.shape, strict=True):
        unknown = [name for name in group if name not in sizes]
        known = math.prod(sizes[name] for name in group if name in sizes)
        if len(unknown) > 1 or (size % known if unknown else size != known):
            raise ValueError(f"rearrange: {size} is not ({' '.join(group)}) with {axes_lengths}")
        sizes.update(dict.fromkeys(unknown, size // known))
    x = transpose(reshape(x, [sizes[name] for name in names]), [names.index(n) for n in wanted])
    return reshape(x, [math.prod(sizes[name] for name in group) for group in after])
