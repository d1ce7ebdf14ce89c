"""Steps that let some elements through, or carry something from one element to the next.

`name` is ignored in all of them. Source: tf.data.Dataset, under the same name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import Any, Self

from minitensor.autograd import as_tensor
from minitensor.data import steps
from minitensor.data.nested import Nested
from minitensor.data.pipeline import UNKNOWN, Run, elements
from minitensor.data.spec import map_structure

_IGNORED = (ValueError, OSError, ArithmeticError, LookupError, RuntimeError)  # of data, not of code


class Picked(Nested):
    """take_while, unique, ignore_errors, scan."""

    @elements("range(9).take_while(lambda n: n < 3)", "[0, 1, 2]")
    def take_while(self, predicate: Callable[..., Any], name: str | None = None) -> Self:
        """The elements before the first for which `predicate` is false."""

        def start(run: Run) -> Iterator[Any]:
            return takewhile(lambda e: steps.accepted(predicate, e), self._start(run))

        return self._then("take_while", start, lambda: UNKNOWN)

    @elements("from_tensor_slices([1, 3, 1, 2, 3]).unique()", "[1, 3, 2]")
    def unique(self, name: str | None = None) -> Self:
        """Each element once, where it first comes.

        Raises:
            TypeError: elements are no single tensors of int32, int64 or text.
        """
        if not self._looks:
            steps.check_unique(self.element_spec)
        return self._then("unique", lambda run: steps.distinct(self._start(run)), lambda: UNKNOWN)

    def ignore_errors(self, log_warning: bool = False, name: str | None = None) -> Self:
        """Goes on after an element that could not be made.

        What data can cause is ignored: ValueError, OSError, ArithmeticError, LookupError,
        RuntimeError; a TypeError or a NameError is a program's, and is raised.

        Args:
            log_warning: print what was wrong, on stderr.

        Example:
            >>> import minitensor as tf
            >>> texts = tf.data.Dataset.from_tensor_slices(["1", "two", "3"])
            >>> numbers = texts.map(tf.strings.to_number).ignore_errors()
            >>> [float(x) for x in numbers]
            [1.0, 3.0]
        """

        def start(run: Run) -> Iterator[Any]:
            return steps.without_errors(self._start(run), _IGNORED, log_warning)

        return self._then("ignore_errors", start, lambda: UNKNOWN)

    @elements("range(4).scan(tf.constant(0, 'int64'), lambda s, n: (s + n, s))", "[0, 0, 1, 3]")
    def scan(
        self, initial_state: Any, scan_func: Callable[..., Any], name: str | None = None
    ) -> Self:
        """What a function gives that also sees what it gave for the element before.

        (s_1, y_1) = f(s_0, x_1), (s_2, y_2) = f(s_1, x_2) ...; the elements are y

        Args:
            initial_state: s_0: a tensor, or tuples and dictionaries of them.
            scan_func: (state, element) -> (new state, new element).

        Raises:
            TypeError: what it gives is no pair, or the type of the state changes.
        """
        begin = map_structure(as_tensor, initial_state)

        def start(run: Run) -> Iterator[Any]:
            state = begin

            def step(element: Any) -> Any:
                nonlocal state
                state, result = steps.scanned(scan_func, state, element)
                return result

            return map(step, self._start(run))

        return self._computed("scan", start)
