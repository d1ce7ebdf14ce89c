"""GradientTape: a list of what was computed, and the walk back along it.

A tape keeps one record per op that touched something it tracks: a watched tensor, a trainable
variable that was read, or a result of those. Walking the list backwards is already the right
order, so no graph is sorted, nothing recurses, and depth has no limit. Gradients are computed by
ops, which any other tape that is recording records: a tape around a tape is the second order.

Source of all: tf.GradientTape and its methods.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import Any
from weakref import WeakSet

from minitensor.autograd import tree, walk
from minitensor.autograd.convert import as_tensor
from minitensor.autograd.recording import Record, active
from minitensor.autograd.tensor import ArrayLike, Tensor, is_float
from minitensor.autograd.variable import Variable
from minitensor.autograd.walk import check_sources, filled, seeds_of, walk_back

living: WeakSet[GradientTape] = WeakSet()


class UnconnectedGradients(Enum):
    """What `gradient` answers for a source that the target does not depend on."""

    NONE = "none"
    ZERO = "zero"


class GradientTape:
    """Records ops so that `gradient` can differentiate what they computed.

    gradient(y, x) = sum_i g_i * d y_i / d x, with g all ones unless `output_gradients` says else.

    Args:
        persistent: keep the records, so that `gradient` may be called many times.
        watch_accessed_variables: watch every trainable variable that is read.

    Raises:
        RuntimeError: `gradient` is called twice on a tape that is not persistent.

    Example:
        >>> import minitensor as tf
        >>> x = tf.constant(3.0)
        >>> with tf.GradientTape() as outer:
        ...     outer.watch(x)
        ...     with tf.GradientTape() as inner:
        ...         inner.watch(x)
        ...         y = x * x * x
        ...     first = inner.gradient(y, x)
        >>> first.numpy(), outer.gradient(first, x).numpy()
        (np.float32(27.0), np.float32(18.0))
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        living.add(self)
        self._persistent = persistent
        self._watch_accessed = watch_accessed_variables
        self._clear()

    def _clear(self) -> None:
        self._records: list[Record] | None = []
        self._tracked: dict[int, ArrayLike] = {}  # by id; the values keep the ids alive
        self._variables: dict[int, Any] = {}

    # ----- recording -----

    def __enter__(self) -> GradientTape:
        if self in active.tapes:
            raise ValueError("GradientTape: this tape is already recording")
        if self._records is None:
            self._clear()
        active.tapes.append(self)
        return self

    def __exit__(self, *error: object) -> None:
        self._stop()

    def _stop(self) -> None:
        if self in active.tapes:
            active.tapes.remove(self)

    def watch(self, tensor: Any) -> None:
        """Tracks a tensor or variable, or a nest of them."""
        for leaf in tree.flatten(tensor):
            if not isinstance(leaf, ArrayLike):
                raise ValueError(f"watch: expected tensors or variables, got {type(leaf).__name__}")
            if is_float(leaf.dtype):
                self._tracked[id(leaf)] = leaf
                if isinstance(leaf, Variable):
                    self._variables[id(leaf)] = leaf

    def watched_variables(self) -> tuple[Any, ...]:
        """The variables this tape watches, in the order of their first use."""
        return tuple(self._variables.values())

    def reset(self) -> None:
        """Forgets everything recorded and watched."""
        self._clear()

    @contextmanager
    def stop_recording(self) -> Iterator[None]:
        """What runs inside is not recorded by this tape."""
        if self not in active.tapes:
            raise ValueError("stop_recording: this tape is not recording")
        position = active.tapes.index(self)
        active.tapes.pop(position)
        try:
            yield
        finally:
            active.tapes.insert(position, self)

    def notice(self, variable: Any) -> None:
        """A variable is read: watch it, if that is what this tape does."""
        if self._watch_accessed and id(variable) not in self._tracked and variable.trainable:
            self.watch(variable)

    def append(self, entry: Record) -> None:
        """A computation was made: keep it if it touches something tracked."""
        if self._records is None or self._tracked.keys().isdisjoint(map(id, entry.inputs)):
            return
        self._records.append(entry)
        for output in entry.outputs:
            if is_float(output.array.dtype):
                self._tracked[id(output)] = output

    # ----- walking back -----

    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: UnconnectedGradients | str = UnconnectedGradients.NONE,
    ) -> Any:
        """Gradients of the (sum of the) targets with respect to the sources.

        Args:
            target: a tensor or a nest of tensors.
            sources: a tensor, a variable or a nest of them.
            output_gradients: one cotangent per target, of its shape; default ones.
            unconnected_gradients: "none" or "zero", for sources the target does not depend on.

        Returns:
            The structure of `sources`, with a gradient of each source's shape.

        Raises:
            RuntimeError: a second call on a tape that is not persistent.
            ValueError: a cotangent has another shape than its target.
        """
        unconnected = UnconnectedGradients(unconnected_gradients)
        records = self._take_records()
        targets, leaves = tree.flatten(target), tree.flatten(sources)
        check_sources(leaves)
        seeds = seeds_of(targets, output_gradients)
        gradients = walk_back(records, targets, seeds, leaves)
        if unconnected is UnconnectedGradients.ZERO:
            gradients = [
                filled(s, 0) if g is None else g for s, g in zip(leaves, gradients, strict=True)
            ]
        return tree.pack(sources, gradients)

    def gradient_telling(
        self, target: Tensor, sources: Sequence[ArrayLike], ready: Callable[[int, Tensor], None]
    ) -> list[Tensor | None]:
        """The gradients of a target; `ready(i, gradient)` as soon as that of source i is whole.

        Args:
            target: a tensor.
            sources: tensors and variables.
            ready: is called in the order in which the walk back reaches the sources.
        """
        records = self._take_records()
        return walk_back(records, [target], seeds_of([target], None), sources, ready)

    def jacobian(
        self,
        target: Tensor,
        sources: Any,
        unconnected_gradients: UnconnectedGradients | str = UnconnectedGradients.NONE,
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """d target[i...] / d source[j...] for all elements: shape target.shape + source.shape.

        Args:
            target: a tensor.
            sources: a tensor, a variable or a nest of them.
            unconnected_gradients: "none" or "zero".
            parallel_iterations, experimental_use_pfor: ignored; it is one walk back per element.

        Returns:
            The structure of `sources`.

        Example:
            >>> import minitensor as tf
            >>> x = tf.constant([2.0, 3.0])
            >>> with tf.GradientTape() as tape:
            ...     tape.watch(x)
            ...     y = x * x
            >>> tape.jacobian(y, x).numpy()
            array([[4., 0.],
                   [0., 6.]], dtype=float32)
        """
        unconnected = UnconnectedGradients(unconnected_gradients)
        leaves = tree.flatten(sources)
        check_sources(leaves)
        rows = walk.jacobian(self._take_records(), as_tensor(target), leaves)
        if unconnected is UnconnectedGradients.ZERO:
            empty = [(*target.shape, *leaf.shape) for leaf in leaves]
            rows = [
                filled(leaf, 0, shape) if row is None else row
                for leaf, shape, row in zip(leaves, empty, rows, strict=True)
            ]
        return tree.pack(sources, rows)

    def batch_jacobian(
        self,
        target: Tensor,
        source: Tensor,
        unconnected_gradients: UnconnectedGradients | str = UnconnectedGradients.NONE,
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """d target[b, i...] / d source[b, j...] within each example b.

        Args:
            target: (N, ...), where row b depends on row b of the source only.
            source: (N, ...).
            unconnected_gradients: "none" or "zero".
            parallel_iterations, experimental_use_pfor: ignored; it is one walk back per element
                of an example.

        Returns:
            (N, *target.shape[1:], *source.shape[1:])

        Example:
            >>> import minitensor as tf
            >>> x = tf.constant([[2.0], [3.0]])
            >>> with tf.GradientTape() as tape:
            ...     tape.watch(x)
            ...     y = x * x
            >>> tape.batch_jacobian(y, x).numpy().ravel()
            array([4., 6.], dtype=float32)
        """
        unconnected = UnconnectedGradients(unconnected_gradients)
        rows = walk.batch_jacobian(self._take_records(), as_tensor(target), source)
        if rows is None and unconnected is UnconnectedGradients.ZERO:
            return filled(source, 0, (*target.shape, *source.shape[1:]))
        return rows

    # ----- what is known of a tensor -----

    def way_to(self, tensor: ArrayLike) -> list[Record]:
        """What was computed on the way to a tensor, in order; nothing if it was not recorded."""
        wanted, found = {id(tensor)}, []
        for entry in reversed(self._records or ()):
            if not wanted.isdisjoint(map(id, entry.outputs)):
                wanted.update(map(id, entry.inputs))
                found.append(entry)
        return found[::-1]

    def watches(self, tensor: ArrayLike) -> bool:
        """Whether its gradient can be asked for."""
        return id(tensor) in self._tracked

    def _take_records(self) -> list[Record]:
        """The records; a tape that is not persistent gives them away once."""
        if self._records is None:
            raise RuntimeError(
                "a GradientTape that is not persistent gives one set of gradients; "
                "make it GradientTape(persistent=True) to ask again"
            )
        records = list(self._records)
        if not self._persistent:
            self._stop()
            self._records, self._tracked = None, {}
        return records


def knows_most(tensor: ArrayLike) -> GradientTape | None:
    """The living tape that recorded the longest way to a tensor."""
    ways = {tape: len(tape.way_to(tensor)) for tape in living}
    tape = max(ways, key=lambda tape: ways[tape], default=None)
    return tape if tape is not None and ways[tape] else None
