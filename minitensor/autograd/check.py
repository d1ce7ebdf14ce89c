"""Derivatives against central differences: the test that needs no other library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minitensor.autograd.convert import as_tensor, first_tensor, to_device_of
from minitensor.autograd.tape import GradientTape
from minitensor.autograd.tensor import Tensor


def check_gradients(
    function: Callable[..., Any],
    *arguments: Any,
    order: int = 2,
    epsilon: float = 1e-5,
    tolerance: float = 1e-6,
    seed: int = 0,
) -> None:
    """Checks gradients up to `order` by one random projection per argument.

    For each argument x_k alone, with random v and u of unit size:
        <v, f(.., x_k + e u, ..) - f(.., x_k - e u, ..)> / 2e  =  <gradient_k of <v, f>, u>
    Order 2 asks the same of the gradient, as a function of all arguments; and so on.

    Args:
        function: of tensors, to one tensor.
        arguments: float64 tensors or arrays, away from kinks by more than `epsilon`.
        order: how many derivatives to check.
        epsilon: the step of the difference.
        tolerance: largest difference, relative to the size of the two sides (at least 1).
        seed: of the random projections.

    Raises:
        AssertionError: the two sides differ; says for which argument and order.
        TypeError: an argument is not float64.

    Example:
        >>> import minitensor as mt, numpy as np
        >>> check_gradients(mt.tanh, np.array([0.3, -1.2]), order=3)

    Source: HIPS/autograd's idea of one random projection instead of every element.
    """
    like = first_tensor(*arguments)
    tensors = [as_tensor(argument, like=like) for argument in arguments]
    for k, tensor in enumerate(tensors):
        if tensor.dtype != np.float64:
            raise TypeError(f"check_gradients: argument {k} is {tensor.dtype}; use float64")
    rng = np.random.default_rng(seed)
    _check(function, tensors, order, epsilon, tolerance, rng, ())


def _check(
    function: Callable[..., Any],
    tensors: list[Tensor],
    order: int,
    epsilon: float,
    tolerance: float,
    rng: np.random.Generator,
    path: tuple[int, ...],
) -> None:
    value = as_tensor(function(*tensors))
    v = to_device_of(_unit(rng, value.shape), value)
    for k in range(len(tensors)):
        gradient = _gradient_of(function, v, k)
        u = _unit(rng, tensors[k].shape)
        slope = float(np.sum(gradient(*tensors).numpy() * u))
        difference = _difference(function, tensors, k, u * epsilon, v.numpy()) / (2 * epsilon)
        size = max(1.0, abs(slope), abs(difference))
        if not abs(slope - difference) <= tolerance * size:  # so written, NaN fails too
            raise AssertionError(
                f"order {len(path) + 1}, arguments {(*path, k)}: the tape says {slope:.12g}, "
                f"central differences {difference:.12g}"
            )
        if order > 1:
            _check(gradient, tensors, order - 1, epsilon, tolerance, rng, (*path, k))


def _gradient_of(function: Callable[..., Any], v: Tensor, k: int) -> Callable[..., Tensor]:
    """The gradient of <v, function> with respect to argument k, as a function of all arguments."""

    def gradient(*tensors: Tensor) -> Tensor:
        with GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(tensors[k])
            value = as_tensor(function(*tensors))
        return tape.gradient(value, tensors[k], v, "zero")

    return gradient


def _difference(
    function: Callable[..., Any], tensors: list[Tensor], k: int, step: Any, v: Any
) -> float:
    ends = []
    for sign in (1, -1):
        moved = to_device_of(tensors[k].numpy() + sign * step, tensors[k])
        shifted = [*tensors[:k], moved, *tensors[k + 1 :]]
        ends.append(float(np.sum(as_tensor(function(*shifted)).numpy() * v)))
    return ends[0] - ends[1]


def _unit(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    draw = rng.normal(size=shape)
    return np.asarray(draw / max(float(np.linalg.norm(draw)), 1e-300))
