"""Masks: booleans beside a tensor that say which of its steps count, and how calls hand them on.

A mask of x (N, T, ...) is (N, T). Masking makes one; a layer whose `call` takes `mask` is told the
mask of its input; a layer that supports masking gives its output `compute_mask(inputs, mask)`; any
other loses it, and says so. A loss counts what the mask of the predictions leaves.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from typing import TYPE_CHECKING, Any

from minitensor.autograd import Tensor
from minitensor.autograd.tree import flatten, map_structure
from minitensor.keras.engine.annotations import annotate, annotation
from minitensor.keras.engine.keras_tensor import KerasTensor

if TYPE_CHECKING:
    from minitensor.keras.engine.layer import Layer


def mask_of(tensor: Any) -> Any:
    """The mask of a tensor, or None.

    Example:
        >>> import minitensor as tf
        >>> from minitensor.keras.engine.masking import mask_of
        >>> mask_of(tf.keras.layers.Masking()([[[0.0], [2.0]]])).numpy()
        array([[False,  True]])
    """
    if isinstance(tensor, KerasTensor):
        return tensor._keras_mask
    return annotation(tensor, "mask")


def set_mask(tensor: Any, mask: Any) -> Any:
    """The same tensor, with a mask beside it."""
    if isinstance(tensor, KerasTensor):
        tensor._keras_mask = mask
    elif isinstance(tensor, Tensor):
        annotate(tensor, mask=mask)
    return tensor


def masks_of(tensors: Any) -> Any:
    """The mask of each tensor, in the same lists and dictionaries."""
    return map_structure(mask_of, tensors)


def masked_like(tensor: Any, other: Any) -> Any:
    """The same tensor, with the mask of another that it was made of."""
    mask = mask_of(other)
    return tensor if mask is None or tensor is other else set_mask(tensor, mask)


# ----- a call -----


def with_masks(
    layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[dict[str, Any], Any]:
    """The keywords of a call with the masks that `call` asks for, and the mask of the first input.

    With one tensor among the arguments it is `mask`; with several, "query" has "query_mask".
    """
    names = argument_names(type(layer).call)
    asked = _masks_among(names)
    if len(args) == 1 and type(args[0]) is Tensor and kwargs.keys() <= {"training"}:
        mask = mask_of(args[0])  # as below, for what most calls are
        return kwargs | {"mask": mask} if "mask" in asked.difference(names[:1]) else kwargs, mask
    if asked:
        given = dict(zip(names, args, strict=False)) | kwargs
        tensors = {name: x for name, x in given.items() if _is_tensors(x)}
        alone = len(tensors) == 1
        wanted = {"mask" if alone else f"{name}_mask": x for name, x in tensors.items()}
        free = asked.difference(names[: len(args)])
        found = {n: masks_of(x) for n, x in wanted.items() if n in free and given.get(n) is None}
        kwargs = kwargs | found
    if kwargs.get("mask") is not None:
        return kwargs, kwargs["mask"]
    return kwargs, masks_of(args[0] if args else next(iter(kwargs.values())))


@functools.cache
def argument_names(method: Any) -> tuple[str, ...]:
    """The arguments of a method."""
    return tuple(inspect.signature(method).parameters)[1:]


@functools.cache
def _masks_among(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(n for n in names if n == "mask" or n.endswith("_mask"))


def _is_tensors(value: Any) -> bool:
    found = flatten(value)
    return bool(found) and all(isinstance(x, Tensor | KerasTensor) for x in found)


def takes(layer: Layer, name: str) -> bool:
    """Whether the `call` of a layer has an argument of this name."""
    return name in argument_names(type(layer).call)


def hand_on(layer: Layer, inputs: Any, outputs: Any, mask: Any, compute: Any = None) -> None:
    """Gives the outputs their masks, if the layer supports them; `compute` finds them."""
    if mask is None and not layer._computes_mask:
        return
    if not layer.supports_masking:
        if any(m is not None for m in flatten(mask)):
            warnings.warn(
                f"Layer '{layer.name}' (of type {type(layer).__name__}) was passed an input with a "
                "mask attached to it. However, this layer does not support masking and will "
                "therefore destroy the mask information. Downstream layers will not see the mask.",
                stacklevel=3,
            )
        return
    tensors = flatten(outputs)
    if all(mask_of(y) is not None for y in tensors):
        return
    compute = (compute or layer.compute_mask) if layer._computes_mask else layer.compute_mask
    for y, found in zip(tensors, flatten(compute(inputs, mask)), strict=False):
        if found is not None and mask_of(y) is None:
            set_mask(y, found)


Tensor._keras_mask = property(mask_of, set_mask)  # type: ignore[attr-defined]
