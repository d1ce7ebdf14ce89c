"""A function with a derivative of the user's own."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from minitensor.autograd import recording, tree
from minitensor.autograd.convert import as_tensor, first_tensor
from minitensor.autograd.tape import GradientTape
from minitensor.autograd.tensor import ArrayLike, Tensor
from minitensor.autograd.walk import filled


def custom_gradient(f: Callable[..., Any] | None = None) -> Callable[..., Any]:
    """Gives a function the derivative it returns itself.

    Args:
        f: takes tensors; returns `(result, grad_fn)`, where `grad_fn(*upstream)` gets one
            cotangent per result and returns one gradient per argument. It should be made of ops,
            so that it can be differentiated again. None makes `@custom_gradient()` work.

    Returns:
        A function that returns `result`.

    Raises:
        TypeError: f reads variables, and `grad_fn` does not take them.
        ValueError: `grad_fn` returns another number of gradients than there are arguments, or one
            of another shape than its argument.

    Example:
        >>> import minitensor as mt
        >>> @mt.custom_gradient
        ... def log1pexp(x):
        ...     e = mt.exp(x)
        ...     return mt.math.log1p(e), lambda upstream: upstream * (1.0 - 1.0 / (1.0 + e))
        >>> x = mt.constant(100.0)
        >>> with mt.GradientTape() as t:
        ...     t.watch(x)
        ...     y = log1pexp(x)
        >>> t.gradient(y, x).numpy()
        np.float32(1.0)

    Source: tf.custom_gradient
    """

    if f is None:
        return custom_gradient

    @functools.wraps(f)
    def wrapped(*args: Any, **settings: Any) -> Any:
        like = first_tensor(*args)
        arguments = [as_tensor(arg, like=like) for arg in args]
        with GradientTape() as watcher:
            results, grad_fn = f(*arguments, **settings)
        variables = [v for v in watcher.watched_variables() if not any(v is arg for arg in args)]
        # Fresh tensors: the tape must not see how f computed them.
        like = first_tensor(*arguments)
        outputs = [Tensor(as_tensor(r, like=like).array) for r in tree.flatten(results)]
        if recording.is_recording():
            inputs = [*arguments, *variables]
            pull = functools.partial(_pull_back, grad_fn, arguments, variables, outputs)
            recording.record(inputs, outputs, pull)
        return tree.pack(results, outputs)

    return wrapped


def _pull_back(
    grad_fn: Callable[..., Any],
    arguments: list[Tensor],
    variables: list[Any],
    outputs: list[Tensor],
    cotangents: list[Tensor | None],
    wanted: list[bool],
) -> list[Tensor | None]:
    upstream = [filled(o, 0) if g is None else g for o, g in zip(outputs, cotangents, strict=True)]
    if not variables:
        gradients = tree.flatten(grad_fn(*upstream))
    elif "variables" in inspect.signature(grad_fn).parameters:
        gradients = tree.flatten(list(grad_fn(*upstream, variables=variables)))
    else:
        raise TypeError(
            f"custom_gradient: the function read {[v.name for v in variables]}; its grad_fn must "
            "take `variables=None` and return (gradients, gradients of the variables)"
        )
    inputs = [*arguments, *variables]
    if len(gradients) != len(inputs):
        raise ValueError(
            f"custom_gradient: grad_fn returned {len(gradients)} gradients for "
            f"{len(inputs)} arguments and variables; return one for each, None for none"
        )
    return [
        None if g is None or not want else _fitting(g, x)
        for g, x, want in zip(gradients, inputs, wanted, strict=True)
    ]


def _fitting(gradient: Any, x: ArrayLike) -> Tensor:
    g = as_tensor(gradient, x.dtype, "custom_gradient: a gradient", x)
    if g.shape != x.shape:
        raise ValueError(
            f"custom_gradient: grad_fn returned a gradient of shape {g.shape} for an argument of "
            f"shape {x.shape}; they must be equal"
        )
    return g
