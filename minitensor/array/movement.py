"""Elements moved and repeated: padding, tiles, reversed and rolled axes, grids.

For all of them:
    Args: `tensor`, `input`: any tensor. `name`: ignored.
    Returns: a tensor of the same shape, if nothing else is said.
    Raises: TypeError where a number is no integer, ValueError where an axis does not exist or is
        named twice.
    Source: the function of tf with the same name.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.autograd import Tensor, as_tensor, first_tensor
from minitensor.backend.errors import InvalidArgumentError
from minitensor.docstrings import examples_of
from minitensor.nn import checks
from minitensor.ops import array, math

__all__ = ["meshgrid", "pad", "repeat", "reverse", "roll", "tile"]
example = examples_of("tf")


@example('pad([1, 2, 3], [[1, 2]], "REFLECT")', "array([2, 1, 2, 3, 2, 1], dtype=int32)")
def pad(
    tensor: Any,
    paddings: Any,
    mode: str = "CONSTANT",
    constant_values: Any = 0,
    name: str | None = None,
) -> Tensor:
    """Elements added before and after each axis.

    Args:
        paddings: (rank, 2), how many before and after each axis.
        mode: "CONSTANT"; "REFLECT" mirrors without repeating the edge, "SYMMETRIC" repeats it. Any
            case of letters.
        constant_values: the scalar that "CONSTANT" adds.

    Returns:
        A tensor larger by the sum of each pair.

    Raises:
        ValueError: unknown `mode`, another number of pairs than axes, a negative padding, or a
            mirror image longer than the axis.
        TypeError: paddings are no integers, or `constant_values` does not have the tensor's type.
    """
    x = as_tensor(tensor, what="pad: tensor")
    word = mode.lower() if isinstance(mode, str) else mode
    if word not in ("constant", "reflect", "symmetric"):
        raise InvalidArgumentError(
            f'pad: mode must be "CONSTANT", "REFLECT" or "SYMMETRIC", got {mode!r}'
        )
    pads = _pairs(paddings, x)
    for axis, (around, n) in enumerate(zip(pads, x.shape, strict=True)):
        if word != "constant" and max(around) > n - (word == "reflect"):
            raise InvalidArgumentError(
                f"pad: {mode} has no {max(around)} elements to mirror along axis {axis} of size {n}"
            )
    if isinstance(constant_values, int | float | np.generic) and not constant_values:
        constant_values = x.dtype.type(0)  # the default is False of booleans
    value = as_tensor(constant_values, x.dtype, "pad: constant_values").numpy()
    return array.pad(x, pads=pads, mode=word, value=value)


def _pairs(paddings: Any, x: Tensor) -> tuple[tuple[int, int], ...]:
    """paddings as one pair of integers per axis of x."""
    rows = list(np.asarray(paddings)) if np.ndim(paddings) else [paddings]
    pairs = [checks.numbers("pad", "paddings", row) for row in rows]
    none = not pairs and np.shape(paddings) != (0, 2)  # [] has no pairs, not no axes: as TensorFlow
    if none or len(pairs) != x.ndim or any(len(pair) != 2 for pair in pairs):
        raise InvalidArgumentError(
            f"pad: paddings must be one [before, after] for each of {x.ndim} axes, got {paddings!r}"
        )
    return tuple((before, after) for before, after in pairs)


@example("tile([1, 2], [2])", "array([1, 2, 1, 2], dtype=int32)")
def tile(input: Any, multiples: Any, name: str | None = None) -> Tensor:
    """The whole tensor repeated along each axis.

    Args:
        multiples: how often, one integer per axis.

    Returns:
        A tensor of sizes input.shape[k] * multiples[k].

    Raises:
        ValueError: another number of multiples than axes, or a negative one.
    """
    x = as_tensor(input, what="tile: input")
    times = checks.numbers("tile", "multiples", multiples)
    if len(times) != x.ndim:
        raise InvalidArgumentError(
            f"tile: multiples {times} must be one integer for each of {x.ndim} axes"
        )
    return array.tile(x, multiples=times)


def repeat(input: Any, repeats: Any, axis: Any = None, name: str | None = None) -> Tensor:
    """Each slice several times in a row.

    Args:
        repeats: how often, or one number for each slice.
        axis: along which; None takes the elements of the flattened tensor. A scalar is a vector.

    Returns:
        `input` with another size along `axis`; a vector without an axis.

    Raises:
        ValueError: no such axis, a negative number, or not one number per slice.

    Example:
        >>> import minitensor as tf
        >>> tf.repeat([[1, 2], [3, 4]], [1, 2], axis=0).numpy()
        array([[1, 2],
               [3, 4],
               [3, 4]], dtype=int32)
    """
    x = as_tensor(input, what="repeat: input")
    if axis is None or x.ndim == 0:
        x = array.reshape(x, shape=(-1,))
    axis = checks.axis("repeat", 0 if axis is None else axis, x.ndim)
    counts = checks.numbers("repeat", "repeats", repeats)
    size = x.shape[axis]
    if len(counts) not in (1, size):
        raise InvalidArgumentError(
            f"repeat: repeats {counts} must be one number, or one for each of {size}"
        )
    chosen = np.repeat(np.arange(size), counts if len(counts) == size else counts * size)
    return array.gather(x, chosen, axis=axis)


@example("reverse([1, 2, 3], [0])", "array([3, 2, 1], dtype=int32)")
def reverse(tensor: Any, axis: Any, name: str | None = None) -> Tensor:
    """The opposite order along some axes.

    Args:
        axis: a list of axes.
    """
    x = as_tensor(tensor, what="reverse: tensor")
    if not x.ndim:  # TensorFlow reads no axis of a scalar
        return math.identity(x)
    return array.flip(x, axes=checks.axes("reverse", () if axis is None else axis, x.ndim))


@example("roll([1, 2, 3, 4], 1, 0)", "array([4, 1, 2, 3], dtype=int32)")
def roll(input: Any, shift: Any, axis: Any, name: str | None = None) -> Tensor:
    """Elements moved along axes; those that fall off the end come in at the beginning.

    y[..., (i + shift) mod n, ...] = input[..., i, ...]

    Args:
        shift: how far, or one number per axis; may be negative.
        axis: which axis, or axes.

    Raises:
        ValueError: no such axis, or not one shift per axis.
    """
    x = as_tensor(input, what="roll: input")
    shifts = checks.numbers("roll", "shift", shift, -(2**63))
    axes = checks.numbers("roll", "axis", axis, -(2**31))
    if len(shifts) != len(axes):
        raise InvalidArgumentError(
            f"roll: shift {shifts} and axis {axes} must have the same length"
        )
    for distance, number in zip(shifts, axes, strict=True):
        axis = checks.axis("roll", number, x.ndim)
        x = array.gather(x, np.roll(np.arange(x.shape[axis]), distance), axis=axis)
    return x


def meshgrid(*args: Any, **kwargs: Any) -> list[Tensor]:
    """Coordinates of a grid: one tensor per vector, each varying along an axis of its own.

    y_k[i_0, i_1, ...] = args[k][i_k]; with indexing="xy" the first two axes change places

    Args:
        *args: vectors, or scalars.
        **kwargs: indexing, "xy" (default) or "ij"; name is ignored.

    Returns:
        A list of tensors of one shape.

    Raises:
        ValueError: another word for indexing.
        TypeError: another keyword.

    Example:
        >>> import minitensor as tf
        >>> x, y = tf.meshgrid([1, 2, 3], [4, 5])
        >>> x.numpy()
        array([[1, 2, 3],
               [1, 2, 3]], dtype=int32)
    """
    indexing = kwargs.pop("indexing", "xy")
    kwargs.pop("name", None)
    if kwargs:
        raise TypeError(f"meshgrid: got {sorted(kwargs)}; legal: indexing, name")
    if indexing not in ("xy", "ij"):
        raise InvalidArgumentError(f"meshgrid: indexing must be 'xy' or 'ij', got {indexing!r}")
    given = [as_tensor(v, what="meshgrid: args", like=first_tensor(*args)) for v in args]
    vectors = [array.reshape(v, shape=(-1,)) for v in given]
    order = list(range(len(vectors)))
    if indexing == "xy" and len(order) > 1:
        order[:2] = 1, 0
    shape = [0] * len(order)
    for vector, axis in zip(vectors, order, strict=True):
        shape[axis] = vector.shape[0]
    grids = []
    for vector, axis in zip(vectors, order, strict=True):
        upright = tuple(-1 if k == axis else 1 for k in range(len(order)))
        along = array.reshape(vector, shape=upright)
        grids.append(array.broadcast_to(along, shape=tuple(shape)))
    return grids
