"""GradientTape: a list of what was computed, and the walk back along it.

A tape keeps one record per op that touched something it tracks: a watched tensor, a trainable
variable that was read, or a result of those. Walking the list backwards is already the right
order, so no graph is sorted, nothing recurses, and depth has no limit. Gradients are computed by
ops, which any other tape that is recording records: a tape around a tape is the second order.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import Any, NamedTuple

from minitensor import backend
from minitensor.autograd import nest
from minitensor.autograd.convert import as_tensor
from minitensor.autograd.tensor import ArrayLike, Tensor, is_float

PullBack = Callable[[list[Tensor | None], list[bool]], list[Tensor | None]]


class Record(NamedTuple):
    """One computation: what went in, what came out, and how a gradient goes back through it."""

    inputs: tuple[ArrayLike, ...]
    outputs: tuple[Tensor, ...]
    pull_back: PullBack


class UnconnectedGradients(Enum):
    """What `gradient` answers for a source that the target does not depend on."""

    NONE = "none"
    ZERO = "zero"


class _Active(threading.local):
    """The tapes of this thread that are recording, outermost first."""

    def __init__(self) -> None:
        self.tapes: list[GradientTape] = []


_active = _Active()


def is_recording() -> bool:
    """Whether any tape of this thread records."""
    return bool(_active.tapes)


def record(inputs: Sequence[ArrayLike], outputs: Sequence[Tensor], pull_back: PullBack) -> None:
    """Tells every recording tape of one computation."""
    entry = Record(tuple(inputs), tuple(outputs), pull_back)
    for tape in _active.tapes:
        tape._append(entry)


def read(variable: Any, array: Any) -> Tensor:
    """The tensor that reading `variable` gives; recording tapes start to watch the variable."""
    tensor = Tensor(array)
    for tape in _active.tapes:
        tape._notice(variable)
    if is_recording():
        record((variable,), (tensor,), lambda cotangents, wanted: cotangents)
    return tensor


class GradientTape:
    """Records ops so that `gradient` can differentiate what they computed.

    gradient(y, x) = sum_i g_i * d y_i / d x, with g all ones unless `output_gradients` says else.

    Args:
        persistent: keep the records, so that `gradient` may be called many times.
        watch_accessed_variables: watch every trainable variable that is read.

    Raises:
        RuntimeError: `gradient` is called twice on a tape that is not persistent.

    Example:
        >>> import minitensor as mt
        >>> x = mt.constant(3.0)
        >>> with mt.GradientTape() as outer:
        ...     outer.watch(x)
        ...     with mt.GradientTape() as inner:
        ...         inner.watch(x)
        ...         y = x * x * x
        ...     first = inner.gradient(y, x)
        >>> first.numpy(), outer.gradient(first, x).numpy()
        (np.float32(27.0), np.float32(18.0))

    Source: tf.GradientTape
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self._persistent = persistent
        self._watch_accessed = watch_accessed_variables
        self._clear()

    def _clear(self) -> None:
        self._records: list[Record] | None = []
        self._tracked: dict[int, ArrayLike] = {}  # by id; the values keep the ids alive
        self._variables: dict[int, Any] = {}

    # ----- recording -----

    def __enter__(self) -> GradientTape:
        if self in _active.tapes:
            raise ValueError("GradientTape: this tape is already recording")
        if self._records is None:
            self._clear()
        _active.tapes.append(self)
        return self

    def __exit__(self, *error: object) -> None:
        self._stop()

    def _stop(self) -> None:
        if self in _active.tapes:
            _active.tapes.remove(self)

    def watch(self, tensor: Any) -> None:
        """Tracks a tensor or variable, or a nest of them."""
        for leaf in nest.flatten(tensor):
            if not isinstance(leaf, ArrayLike):
                raise ValueError(f"watch: expected tensors or variables, got {type(leaf).__name__}")
            if is_float(leaf.dtype):
                self._tracked[id(leaf)] = leaf
                if hasattr(leaf, "assign"):
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
        if self not in _active.tapes:
            raise ValueError("stop_recording: this tape is not recording")
        place = _active.tapes.index(self)
        _active.tapes.pop(place)
        try:
            yield
        finally:
            _active.tapes.insert(place, self)

    def _notice(self, variable: Any) -> None:
        if self._watch_accessed and variable.trainable:
            self.watch(variable)

    def _append(self, entry: Record) -> None:
        if self._records is None or not any(id(i) in self._tracked for i in entry.inputs):
            return
        self._records.append(entry)
        self._tracked.update((id(o), o) for o in entry.outputs if is_float(o.dtype))

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
        targets, leaves = nest.flatten(target), nest.flatten(sources)
        _check_sources(leaves)
        seeds = _seeds(targets, output_gradients)
        gradients = walk_back(records, targets, seeds, leaves)
        if unconnected is UnconnectedGradients.ZERO:
            gradients = [
                filled(s, 0) if g is None else g for s, g in zip(leaves, gradients, strict=True)
            ]
        return nest.pack(sources, gradients)

    def jacobian(
        self,
        target: Tensor,
        sources: Any,
        unconnected_gradients: UnconnectedGradients | str = UnconnectedGradients.NONE,
    ) -> Any:
        """d target[i...] / d source[j...] for all elements: shape target.shape + source.shape.

        Args:
            target: a tensor.
            sources: a tensor, a variable or a nest of them.
            unconnected_gradients: "none" or "zero".

        Returns:
            The structure of `sources`.

        Source: tf.GradientTape.jacobian
        """
        from minitensor.autograd import jacobian

        unconnected = UnconnectedGradients(unconnected_gradients)
        leaves = nest.flatten(sources)
        _check_sources(leaves)
        rows = jacobian.full(self._take_records(), as_tensor(target), leaves)
        if unconnected is UnconnectedGradients.ZERO:
            empty = [(*target.shape, *leaf.shape) for leaf in leaves]
            rows = [
                filled(leaf, 0, shape) if row is None else row
                for leaf, shape, row in zip(leaves, empty, rows, strict=True)
            ]
        return nest.pack(sources, rows)

    def batch_jacobian(
        self,
        target: Tensor,
        source: Tensor,
        unconnected_gradients: UnconnectedGradients | str = UnconnectedGradients.NONE,
    ) -> Any:
        """d target[b, i...] / d source[b, j...] within each example b.

        Args:
            target: (N, ...), where row b depends on row b of the source only.
            source: (N, ...).
            unconnected_gradients: "none" or "zero".

        Returns:
            (N, *target.shape[1:], *source.shape[1:])

        Source: tf.GradientTape.batch_jacobian
        """
        from minitensor.autograd import jacobian

        unconnected = UnconnectedGradients(unconnected_gradients)
        rows = jacobian.per_example(self._take_records(), as_tensor(target), source)
        if rows is None and unconnected is UnconnectedGradients.ZERO:
            return filled(source, 0, (*target.shape, *source.shape[1:]))
        return rows

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


def walk_back(
    records: list[Record],
    targets: Sequence[ArrayLike],
    seeds: Sequence[Tensor | None],
    sources: Sequence[ArrayLike],
) -> list[Tensor | None]:
    """Reverse-mode differentiation over the part of `records` that leads from sources to targets."""
    reached = {id(source) for source in sources}
    path = []
    for entry in records:
        if any(id(i) in reached for i in entry.inputs):
            reached.update(id(o) for o in entry.outputs)
            path.append(entry)
    cotangents: dict[int, Tensor] = {}
    _accumulate(cotangents, targets, seeds)
    kept = {id(source) for source in sources}
    for entry in reversed(path):
        outs = [
            cotangents.get(id(o)) if id(o) in kept else cotangents.pop(id(o), None)
            for o in entry.outputs
        ]
        if any(g is not None for g in outs):
            wanted = [id(i) in reached for i in entry.inputs]
            _accumulate(cotangents, entry.inputs, entry.pull_back(outs, wanted))
    return [cotangents.get(id(source)) for source in sources]


def _accumulate(
    cotangents: dict[int, Tensor],
    tensors: Sequence[ArrayLike],
    gradients: Sequence[Tensor | None],
) -> None:
    """Adds each gradient to what its tensor already has."""
    for tensor, gradient in zip(tensors, gradients, strict=True):
        if gradient is not None:
            before = cotangents.get(id(tensor))
            cotangents[id(tensor)] = gradient if before is None else before + gradient  # type: ignore[operator]


def _seeds(targets: list[Any], output_gradients: Any) -> list[Tensor | None]:
    """The cotangent each target starts with: ones, or what the caller gave. Ints have none."""
    given = [None] * len(targets) if output_gradients is None else nest.flatten(output_gradients)
    if len(given) != len(targets):
        raise ValueError(
            f"gradient: {len(given)} output_gradients for {len(targets)} targets; give one each"
        )
    seeds: list[Tensor | None] = []
    for target, g in zip(targets, given, strict=True):
        if not isinstance(target, ArrayLike):
            raise TypeError(f"gradient: targets must be tensors, got {type(target).__name__}")
        seed = filled(target, 1) if g is None else as_tensor(g, target.dtype, "output_gradients")
        if seed.shape != target.shape:
            raise ValueError(
                f"gradient: an output gradient has shape {seed.shape} but its target "
                f"{target.shape}; they must be equal"
            )
        seeds.append(seed if is_float(target.dtype) else None)
    return seeds


def _check_sources(sources: list[Any]) -> None:
    for source in sources:
        if not isinstance(source, ArrayLike):
            raise TypeError(
                f"gradient: sources must be tensors or variables, got {type(source).__name__}"
            )


def filled(like: ArrayLike, value: float, shape: tuple[int, ...] | None = None) -> Tensor:
    xp = backend.of(like.array).xp
    return Tensor(xp.full(like.shape if shape is None else shape, value, dtype=like.dtype))
