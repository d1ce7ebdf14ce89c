"""Primitive: an op is a function of raw arrays and one derivative per tensor argument.

The function sees arrays and the backend that owns them. A derivative sees Tensors and is written
with ops only, so it is differentiable again: that is all it takes to have every order.
Tensors are positional arguments, settings are keywords. Every primitive has one output.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from minitensor import backend
from minitensor.autograd import recording
from minitensor.autograd.convert import as_tensors
from minitensor.autograd.tensor import ArrayLike, Tensor

Derivative = Callable[..., Tensor]


class Primitive:
    """A differentiable op; make one with the decorator `primitive`.

    Raises:
        TypeError: its arguments lie on two devices, or there are more or fewer derivatives than
            arguments.

    In the walk back:
        TypeError: a derivative takes other arguments, or gives what is no tensor.
        ValueError: a derivative has another shape than its argument.

    Example:
        >>> import minitensor as tf
        >>> from minitensor.autograd import primitive
        >>> @primitive
        ... def cube(be, x):
        ...     return x * x * x
        >>> cube.defvjp(lambda g, y, x: g * 3.0 * x * x)
        >>> cube(tf.constant(2.0)).numpy()
        np.float32(8.0)
    """

    def __init__(self, forward: Callable[..., Any]) -> None:
        functools.update_wrapper(self, forward)
        self.__name__: str = forward.__name__.lstrip("_")  # users read it in errors
        self._forward = forward
        self.defvjp_each(lambda i, *_, **__: None)

    def __call__(self, *inputs: Any, **settings: Any) -> Tensor:
        tensors = as_tensors(inputs)
        arrays = [tensor.array for tensor in tensors]
        try:
            be = backend.of(*arrays)
        except TypeError as mixed:
            raise TypeError(f"{self.__name__}: {mixed}") from None
        with np.errstate(all="ignore"):  # inf and NaN are values here, as in TensorFlow
            # A NumPy op on 0-d arrays returns a scalar, one on the emulator's may drop their
            # mark; a Tensor always holds an array of its backend.
            output = Tensor(be.asarray(self._forward(be, *arrays, **settings)))
        if recording.active.tapes:
            pull = functools.partial(self._pull_back, tensors, settings, output)
            recording.record(tensors, (output,), pull)
        return output

    def defvjp(self, *derivatives: Derivative | None) -> None:
        """One derivative per argument, `f(g, y, *inputs, **settings)`; None: it has none.

        g is the cotangent of the result y; what is returned has the shape of its argument.
        """
        names, variadic = _arguments(self._forward)
        if not variadic and len(derivatives) != len(names):
            raise TypeError(
                f"{self.__name__}: {len(derivatives)} derivatives for {len(names)} arguments "
                f"({', '.join(names)}); defvjp takes one for each, None where there is none"
            )

        def derivative(i: int, *args: Any, **settings: Any) -> Tensor | None:
            if i >= len(derivatives):
                raise TypeError(
                    f"{self.__name__}: there is no derivative in {self._argument(i)}; "
                    "defvjp takes one for each argument, None where there is none"
                )
            function = derivatives[i]
            if function is None:
                return None
            try:
                return function(*args, **settings)
            except TypeError:
                names = ["g", "y", *map(self._argument, range(len(args) - 2))]
                check_call(
                    f"{self.__name__}: the derivative in {names[i + 2]}", function, names, settings
                )
                raise

        self.defvjp_each(derivative)

    def defvjp_each(self, derivative: Callable[..., Tensor | None]) -> None:
        """For ops of many arguments: `f(i, g, y, *inputs, **settings)` for argument number i."""

        def each(wanted: list[bool], *args: Any, **settings: Any) -> list[Tensor | None]:
            return [
                derivative(i, *args, **settings) if want else None for i, want in enumerate(wanted)
            ]

        self.defvjp_jointly(each)

    def defvjp_jointly(self, derivatives: Callable[..., list[Tensor | None]]) -> None:
        """For derivatives that share work: `f(wanted, g, y, *inputs, **settings)`, all at once."""
        self._derivatives = derivatives

    def _pull_back(
        self,
        inputs: tuple[Tensor, ...],
        settings: dict[str, Any],
        output: Tensor,
        cotangents: list[Tensor | None],
        wanted: list[bool],
    ) -> list[Tensor | None]:
        """Gradients for the wanted inputs, given that of the output."""
        gradients = self._derivatives(wanted, cotangents[0], output, *inputs, **settings)
        if len(gradients) != len(inputs):
            raise ValueError(
                f"{self.__name__}: {len(gradients)} derivatives came for {len(inputs)} arguments; "
                "return one for each, None where there is none"
            )
        for i, g in enumerate(gradients):
            if g is not None:
                self._check_gradient(i, g, inputs[i])
        return gradients

    def _check_gradient(self, i: int, gradient: Any, x: Tensor) -> None:
        if type(gradient) is Tensor and gradient.array.shape == x.array.shape:
            return
        what = f"{self.__name__}: the derivative in {self._argument(i)}"
        if not isinstance(gradient, Tensor):
            raise TypeError(f"{what} is {type(gradient).__name__}; it must be a tensor, or None")
        check_shape(what, gradient, self._argument(i), x)

    def _argument(self, i: int) -> str:
        """The name of tensor argument i."""
        names, variadic = _arguments(self._forward)
        return names[i] if i < len(names) else f"{variadic}[{i - len(names)}]"


def check_call(
    what: str, derivative: Callable[..., Any], arguments: list[str], settings: dict[str, Any]
) -> None:
    """A TypeError if a derivative cannot be called at all with what it is given."""
    signature = inspect.signature(derivative)
    try:
        signature.bind(*arguments, **settings)
    except TypeError as wrong:
        given = ", ".join([*arguments, *(f"{name}={value!r}" for name, value in settings.items())])
        raise TypeError(f"{what} takes {signature} but is called with ({given}): {wrong}") from None


def check_shape(what: str, gradient: ArrayLike, argument: str, x: ArrayLike) -> None:
    """A ValueError if a gradient has another shape than its argument."""
    if gradient.array.shape != x.array.shape:
        raise ValueError(
            f"{what} has shape {gradient.shape!s} but {argument} has shape {x.shape!s}; "
            "they must be equal"
        )


def _arguments(forward: Callable[..., Any]) -> tuple[list[str], str]:
    """Names of the tensor arguments of `forward(be, ...)`, and of the *tensors, if any."""
    code = inspect.unwrap(forward).__code__  # inspect.signature takes 20 times as long
    after = code.co_argcount + code.co_kwonlyargcount
    variadic = code.co_varnames[after] if code.co_flags & inspect.CO_VARARGS else ""
    return list(code.co_varnames[1 : code.co_argcount]), variadic


def primitive(forward: Callable[..., Any]) -> Primitive:
    """Makes an op of `forward(be, *arrays, **settings) -> array`."""
    return Primitive(forward)
