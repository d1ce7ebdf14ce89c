"""A function with a derivative of the user's own."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from minitensor.autograd import recording, tree
from minitensor.autograd.convert import as_tensor, first_tensor
from minitensor.autograd.primitive import check_call, check_shape
from minitensor.autograd.tape import GradientTape
from minitensor.autograd.tensor import Tensor
from minitensor.autograd.variable import Variable
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
        TypeError: f returns something else; f reads variables, and `grad_fn` does not take them;
            `grad_fn` does not take one cotangent per result.
        ValueError: `grad_fn` returns another number of gradients than there are arguments, or one
            of another shape than its argument.

    Example:
        >>> import minitensor as tf
        >>> @tf.custom_gradient
        ... def log1pexp(x):
        ...     e = tf.exp(x)
        ...     return tf.math.log1p(e), lambda upstream: upstream * (1.0 - 1.0 / (1.0 + e))
        >>> x = tf.constant(100.0)
        >>> with tf.GradientTape() as t:
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
            results, grad_fn = _pair(f, f(*arguments, **settings))
        variables = [v for v in watcher.watched_variables() if not any(v is arg for arg in args)]
        # Fresh tensors: the tape must not see how f computed them.
        like = first_tensor(*arguments)
        outputs = [Tensor(as_tensor(r, like=like).array) for r in tree.flatten(results)]
        if recording.is_recording():
            inputs = [*arguments, *variables]
            pull = functools.partial(_pull_back, grad_fn, f, arguments, variables, outputs)
            recording.record(inputs, outputs, pull)
        return tree.pack(results, outputs)

    return wrapped


def _pair(f: Callable[..., Any], returned: Any) -> tuple[Any, Callable[..., Any]]:
    if isinstance(returned, tuple | list) and len(returned) == 2 and callable(returned[1]):
        return returned[0], returned[1]
    raise TypeError(
        f"custom_gradient: {_name(f)} must return (result, grad_fn), with a function that takes "
        f"cotangents and returns gradients; got {type(returned).__name__}"
    )


def _pull_back(
    grad_fn: Callable[..., Any],
    f: Callable[..., Any],
    arguments: list[Tensor],
    variables: list[Any],
    outputs: list[Tensor],
    cotangents: list[Tensor | None],
    wanted: list[bool],
) -> list[Tensor | None]:
    upstream = [filled(o, 0) if g is None else g for o, g in zip(outputs, cotangents, strict=True)]
    gradients = _gradients(grad_fn, _name(f), upstream, variables)
    inputs = [*arguments, *variables]
    if len(gradients) != len(inputs):
        raise ValueError(
            f"custom_gradient: grad_fn of {_name(f)} returned {len(gradients)} gradients for "
            f"{len(inputs)} arguments and variables ({', '.join(_names(f, inputs))}); return one "
            "for each, None for none"
        )
    return [
        None if g is None or not want else _fitting(g, inputs, i, f)
        for i, (g, want) in enumerate(zip(gradients, wanted, strict=True))
    ]


def _gradients(
    grad_fn: Callable[..., Any], op: str, upstream: list[Tensor], variables: list[Any]
) -> list[Any]:
    """What grad_fn gives, those of the variables last."""
    if variables and "variables" not in inspect.signature(grad_fn).parameters:
        raise TypeError(
            f"custom_gradient: {op} read {[v.name for v in variables]}; its grad_fn must "
            "take `variables=None` and return (gradients, gradients of the variables)"
        )
    keywords = {"variables": variables} if variables else {}
    try:
        found = grad_fn(*upstream, **keywords)
    except TypeError:
        cotangents = [f"cotangent of result {k}" for k in range(len(upstream))]
        check_call(f"custom_gradient: grad_fn of {op}", grad_fn, cotangents, keywords)
        raise
    return tree.flatten(list(found) if variables else found)


def _fitting(gradient: Any, inputs: list[Any], i: int, f: Callable[..., Any]) -> Tensor:
    x = inputs[i]
    if type(gradient) is Tensor and (gradient.dtype, gradient.shape) == (x.dtype, x.shape):
        return gradient
    argument = _names(f, inputs)[i]
    what = f"custom_gradient: the gradient of {_name(f)} in {argument}"
    g = as_tensor(gradient, x.dtype, what, x)
    check_shape(what, g, argument, x)
    return g


def _name(f: Callable[..., Any]) -> str:
    return getattr(f, "__name__", type(f).__name__)


def _names(f: Callable[..., Any], inputs: list[Any]) -> list[str]:
    """The names of the tensors that f took, and of the variables that it read."""
    of_f = [p.name for p in inspect.signature(f).parameters.values() if p.kind < p.VAR_POSITIONAL]
    return [
        x.name if isinstance(x, Variable) else of_f[i] if i < len(of_f) else f"argument {i}"
        for i, x in enumerate(inputs)
    ]
