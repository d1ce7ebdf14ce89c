"""How a user's words become integers, or one clear error before anything is computed.

Every windowed op of tf.nn takes its stride as a number, a short list or a list over all axes, its
padding as a word or a list of pairs, and its layout as a word. All of them are read here, once.
Messages say what came, what is legal and how to mend it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from minitensor.autograd import Tensor, align
from minitensor.autograd.tensor import ArrayLike, is_float
from minitensor.backend.errors import InvalidArgumentError
from minitensor.ops import array
from minitensor.window import Pair, Window, extent, planes

_LAYOUTS = {
    1: {"NWC": True, "NCW": False, "NHWC": True, "NCHW": False},
    2: {"NHWC": True, "NCHW": False},
    3: {"NDHWC": True, "NCDHW": False},
}
Padding = str | tuple[Pair, ...]  # "SAME", "VALID" or one pair per spatial axis


def integer(op: str, name: str, value: Any, least: int = 1) -> int:
    """`value` as an int of at least `least`; floats, booleans and tensors are refused."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
        raise TypeError(
            f"{op}: {name} must be integers, got {value!r} ({type(value).__name__}); "
            "a fraction or truth value would be cut silently"
        )
    if value < least:
        raise InvalidArgumentError(f"{op}: {name} must be at least {least}, got {value}")
    return int(value)


def spatial(
    op: str, name: str, value: Any, rank: int, last: bool, forms: Collection[int] | None = None
) -> tuple[int, ...]:
    """One positive integer per spatial axis.

    `forms` are the legal lengths, 0 standing for a bare number: by default a number (or None,
    which is 1), one for all axes, one per spatial axis, or one per axis of the tensor, where
    batch and channels must be 1.
    """
    if value is None:
        return (1,) * rank
    forms = (0, 1, rank, rank + 2) if forms is None else forms
    if type(value) is int and value > 0 and 0 in forms:
        return (value,) * rank
    is_list = isinstance(value, list | tuple | np.ndarray) and np.ndim(value) > 0
    if not is_list and 0 not in forms:
        raise TypeError(f"{op}: {name} must be a list of {_lengths(forms)} integers, got {value!r}")
    items = list(value) if is_list else [value]
    numbers = [integer(op, name, item) for item in items]
    if is_list and len(numbers) not in set(forms) - {0}:
        raise InvalidArgumentError(
            f"{op}: {name} must have length {_lengths(forms)}, got {tuple(numbers)}"
            + (" or be an integer" if 0 in forms else "")
        )
    if len(numbers) == rank + 2:
        numbers = _inner(op, name, numbers, last, (1, 1))
    return tuple(numbers * rank if len(numbers) == 1 else numbers)


def _lengths(forms: Collection[int]) -> str:
    return " or ".join(str(form) for form in sorted(set(forms) - {0}))


def _inner(op: str, name: str, items: list[Any], last: bool, neutral: Any) -> list[Any]:
    """The spatial entries of a list over all axes; batch and channel entries must be neutral."""
    outer = (items[0], items[-1]) if last else (items[0], items[1])
    if any(item != want for item, want in zip(outer, neutral, strict=True)):
        layout = "batch first, channels last" if last else "batch, then channels, first"
        raise InvalidArgumentError(
            f"{op}: {name} {tuple(items)} reaches into the batch or channel axis ({layout}); "
            f"those entries must be {neutral[0]}"
        )
    return items[1:-1] if last else items[2:]


def padding(op: str, value: Any, rank: int, last: bool, explicit: bool = True) -> Padding:
    """The word SAME or VALID, or the spatial pairs of an explicit list over all axes."""
    legal = '"SAME" or "VALID"' + (f" or a list of {rank + 2} pairs" if explicit else "")
    if isinstance(value, bytes):
        value = value.decode()
    if isinstance(value, str):
        if value not in ("SAME", "VALID"):
            raise InvalidArgumentError(f"{op}: padding must be {legal} (upper case), got {value!r}")
        return value
    if isinstance(value, np.ndarray):
        raise InvalidArgumentError(
            f"{op}: padding must be {legal}, got an array; use padding.tolist()"
        )
    if not isinstance(value, list | tuple) or not explicit:
        raise TypeError(f"{op}: padding must be {legal}, got {value!r}")
    return _explicit(op, value, rank, last, legal)


def _explicit(op: str, value: Sequence[Any], rank: int, last: bool, legal: str) -> Padding:
    if len(value) != rank + 2:
        raise InvalidArgumentError(
            f"{op}: padding must be {legal}, got {len(value)} entries: {value!r}"
        )
    pairs = []
    for pair in value:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise InvalidArgumentError(
                f"{op}: each entry of padding must be [before, after], got {pair!r}"
            )
        pairs.append((integer(op, "padding", pair[0], 0), integer(op, "padding", pair[1], 0)))
    return tuple(_inner(op, "padding", pairs, last, ((0, 0), (0, 0))))


def channels_last(op: str, data_format: Any, rank: int) -> bool:
    """Whether the layout word puts channels last; None does."""
    legal = _LAYOUTS[rank]
    if data_format is None:
        return True
    if not isinstance(data_format, str) or data_format not in legal:
        raise InvalidArgumentError(
            f"{op}: data_format must be one of {sorted(legal, reverse=True)}, got {data_format!r}"
        )
    return legal[data_format]


def tensors(op: str, ints: Collection[str] = ("int32",), **values: Any) -> tuple[Tensor, ...]:
    """The named arguments as tensors of one dtype: any float, or one of `ints`.

    Python lists are refused, as in TF: an image or a filter bank has a shape of its own.
    """
    for name, value in values.items():
        if not isinstance(value, (ArrayLike, np.ndarray)):
            raise TypeError(
                f"{op}: {name} must be a tensor or a NumPy array, got "
                f"{type(value).__name__}; wrap it in minitensor.constant"
            )
    aligned = align(op, **values)
    dtype = aligned[0].array.dtype
    if not is_float(dtype) and dtype.name not in ints:
        legal = ", ".join(["float16", "bfloat16", "float32", "float64", *ints])
        raise TypeError(f"{op}: dtype {dtype.name} is not supported; legal: {legal}")
    return aligned


def rank_of(op: str, name: str, tensor: Tensor, rank: int, layout: str, more: bool = False) -> None:
    """Checks the number of axes; `more` allows extra leading batch axes."""
    axes = len(tensor.array.shape)
    if axes != rank and not (more and axes > rank):
        raise InvalidArgumentError(
            f"{op}: {name} must have {rank} axes {layout}{' or more' if more else ''}, "
            f"got shape {tensor.shape}"
        )


def moved_last(x: Tensor, last: bool) -> Tensor:
    """Channels-first tensors with the channels moved to the end: the layout used inside."""
    return x if last else array.transpose(x, axes=(0, *range(2, x.ndim), 1))


def moved_back(y: Tensor, last: bool) -> Tensor:
    """The user's layout again."""
    return y if last else array.transpose(y, axes=(0, y.ndim - 1, *range(1, y.ndim - 1)))


def group_count(op: str, channels: int, filters: tuple[int, ...], image: str = "input") -> int:
    """Groups that the filters' input channels imply: channels / filters.shape[-2]."""
    per_group, outputs = filters[-2:]
    if per_group == 0 or channels == 0:
        raise InvalidArgumentError(
            f"{op}: {image} has {channels} channels and filters {filters} take {per_group}; there "
            "must be at least one"
        )
    if channels % per_group:
        raise InvalidArgumentError(
            f"{op}: {image} has {channels} channels but filters {filters} expect {per_group}; "
            f"filters.shape[{len(filters) - 2}] must divide the channels"
        )
    groups = channels // per_group
    if outputs % groups:
        raise InvalidArgumentError(
            f"{op}: {image} has {channels} channels, so filters {filters} make {groups} groups; "
            f"these must divide the {outputs} output channels"
        )
    return groups


@lru_cache(maxsize=4096)
def windows(
    op: str,
    size: tuple[int, ...],
    taps: tuple[int, ...],
    stride: tuple[int, ...],
    padding: Padding,
    dilation: tuple[int, ...],
    groups: int = 1,
) -> tuple[Window | None, Window]:
    """The windows over depth, if there are three axes, and over a plane.

    Refuses a kernel that spans more than the padded image; "SAME" always fits.
    """
    if padding != "SAME":
        pads = ((0, 0),) * len(size) if isinstance(padding, str) else padding
        spans = tuple(extent(*axis) for axis in zip(taps, dilation, strict=True))
        room = tuple(n + sum(pad) for n, pad in zip(size, pads, strict=True))
        if any(k > n for k, n in zip(spans, room, strict=True)):
            raise InvalidArgumentError(
                f"{op}: a kernel of {taps} taps, dilation {dilation}, spans {spans} pixels but "
                f'the padded image has {room}; use a smaller kernel or padding="SAME"'
            )
    return planes(size, taps, stride, padding, dilation, groups)


def taps(op: str, sizes: Sequence[int], name: str = "filters") -> None:
    """Refuses a kernel without taps."""
    if 0 in sizes:
        raise InvalidArgumentError(
            f"{op}: {name} must have at least one tap per axis, got {tuple(sizes)}"
        )
