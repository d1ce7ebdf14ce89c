"""What many functions have in common, written once: parts of docstrings, names of what is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def examples_of(module: str, ending: str = ".numpy()") -> Callable[..., Callable[[F], F]]:
    """A decorator for the functions of a module whose example is one call.

    It takes the call, what is printed (of a float32 array the numbers alone), and papers.

    Example:
        >>> from minitensor.docstrings import examples_of
        >>> example = examples_of("tf.nn")
        >>> @example("twice([1.0, 2.0])", "[2., 4.]", "Paper 2026")
        ... def twice(x):
        ...     "y = 2 x."
        >>> "tf.nn.twice([1.0, 2.0]).numpy()" in twice.__doc__
        True
    """

    def example(call: str, prints: str, papers: str = "") -> Callable[[F], F]:
        numbers = prints.startswith("[") and ".numpy()" in call + ending
        printed = f"array({prints}, dtype=float32)" if numbers else prints
        text = f"Example:\n    >>> import minitensor as tf\n    >>> {module}.{call}{ending}"
        source = f"\n\nSource: {papers}" if papers else ""

        def decorate(function: F) -> F:
            whole = function.__doc__ or ""
            says = whole.rstrip()
            margin = whole[len(says) :].lstrip("\n")  # of the lines below the first
            more = f"\n\n{text}\n    {printed}{source}"
            function.__doc__ = says + more.replace("\n", f"\n{margin}")
            return function

        return decorate

    return example


def named(name: str, text: str, function: F) -> F:
    """A function that another has made, under a name and with a docstring of its own.

    Example:
        >>> from minitensor.docstrings import named
        >>> twice = named("twice", "y = 2 x.", lambda x: 2 * x)
        >>> twice.__name__, twice.__code__.co_name
        ('twice', 'twice')
    """
    made: Any = function
    made.__name__ = made.__qualname__ = name
    made.__doc__ = text
    made.__code__ = made.__code__.replace(co_name=name)  # what tracebacks and profiles show
    return function
