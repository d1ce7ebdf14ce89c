"""The one recipe both sides follow: call an op, differentiate it, differentiate that again.

    y = op(x_0, x_1, ...);   g_i = d<y, c> / dx_i;   h = d(sum_i <g_i, v_i>) / d(x_0, x_1, ..., c)

with random cotangents c and directions v, so that no wrong gradient can hide in a sum. `Side`
holds the little in which TensorFlow and minitensor differ; nothing here imports either.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from minitensor.autograd.check import derivatives
from minitensor.parity import adapters
from minitensor.parity.case import Case, T, fill, real_dtype

Perturbation = Callable[[np.ndarray, str], np.ndarray]  # (array, its seed) -> array
Orders = list[list[Any]]  # [outputs], [outputs, gradients] or [outputs, gradients, second ones]


@dataclass(frozen=True)
class Side:
    """A library with tf's names: where its functions are, how arrays go in and come out."""

    module: ModuleType
    tensor: Callable[[np.ndarray], Any]
    array: Callable[[Any], np.ndarray]
    dense: Callable[[Any], Any] = lambda gradient: gradient

    def function(self, path: str) -> Callable[..., Any]:
        """The function at `path`; paths that begin with "parity." are adapters of ours."""
        if path.startswith("parity."):
            adapter = getattr(adapters, path.removeprefix("parity."))
            return lambda *args, **settings: adapter(self.module, *args, **settings)
        target: Any = self.module
        for name in path.split("."):
            if isinstance(target, ModuleType) and not hasattr(target, name):
                with contextlib.suppress(ModuleNotFoundError):
                    importlib.import_module(f"{target.__name__}.{name}")
            target = getattr(target, name)
        return target


def as_float64(arrays: list[np.ndarray]) -> list[np.ndarray]:
    """Floats of any width as float64; the rest as they are."""
    floats = ("float16", "bfloat16", "float32")
    return [a.astype("float64") if a.dtype.name in floats else a for a in arrays]


def rounded_through(dtype: str) -> Perturbation:
    """A perturbation that gives float64 the numbers that `dtype` would have held."""
    narrow = real_dtype(dtype)
    return lambda array, _: array.astype(narrow).astype(array.dtype)


def keep(array: np.ndarray, _: str) -> np.ndarray:
    """The perturbation that changes nothing."""
    return array


def differentiate(
    side: Side,
    function: Callable[..., Any],
    case: Case,
    tensors: Sequence[Any],
    order: int,
    perturb: Perturbation = keep,
) -> Orders:
    """The values and gradients of one case, up to `order`.

    Args:
        side: the library that runs it.
        function: the op, found on that side.
        case: gives the arguments, and the seed of the cotangents and directions.
        tensors: its tensor arguments, already on that side.
        order: 0, 1 or 2.
        perturb: what is done to cotangents and directions before use.
    """
    sources, rebuilt = differentiable(case, tensors)
    if not sources:
        return [flat(invoke(function, case, tensors))]

    def outputs(*sources: Any) -> list[Any]:
        return flat(invoke(function, case, rebuilt(sources)))

    def drawn(depth: int, likes: Sequence[Any]) -> list[Any]:
        seeds = [f"{case.key} {'cv'[depth]}{i}" for i in range(len(likes))]
        pairs = zip(likes, seeds, strict=True)
        arrays = (perturb(fill(T(tuple(y.shape)), s, dtype_name(y)), s) for y, s in pairs)
        return [side.tensor(array) for array in arrays]

    tf = side.module
    return derivatives(tf.GradientTape, outputs, sources, order, drawn, tf.zeros_like, side.dense)


def differentiable(
    case: Case, tensors: Sequence[Any]
) -> tuple[list[Any], Callable[[Sequence[Any]], list[Any]]]:
    """The tensors that gradients are asked for, and how others of them go into all tensors."""
    specs = zip(tensors, case.tensors, strict=True)
    chosen = [i for i, (x, spec) in enumerate(specs) if is_float(x) and not spec.constant]

    def rebuilt(sources: Sequence[Any]) -> list[Any]:
        others = dict(zip(chosen, sources, strict=True))
        return [others.get(i, x) for i, x in enumerate(tensors)]

    return [tensors[i] for i in chosen], rebuilt


def invoke(function: Callable[..., Any], case: Case, tensors: Sequence[Any]) -> Any:
    """Call `function` with the case's arguments, "$0" replaced by the first tensor and so on."""

    def filled(argument: Any) -> Any:
        if isinstance(argument, (list, tuple)):
            return [filled(item) for item in argument]
        if isinstance(argument, str) and argument.startswith("$"):
            return tensors[int(argument[1:])]
        return argument

    settings = {name: filled(value) for name, value in case.settings.items()}
    return function(*(filled(argument) for argument in case.args), **settings)


def flat(outputs: Any) -> list[Any]:
    """One list of tensors, whatever tuple or list an op answers with."""
    if isinstance(outputs, (list, tuple)):
        return [tensor for part in outputs for tensor in flat(part)]
    return [outputs]


def dtype_name(tensor: Any) -> str:
    """ "float32" and the like; tf's dtypes and NumPy's both have a name."""
    return str(tensor.dtype.name)


def is_float(tensor: Any) -> bool:
    """Whether a tensor can carry a gradient."""
    return "float" in dtype_name(tensor)
