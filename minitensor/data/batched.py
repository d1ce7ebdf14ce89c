"""Batches of elements of different shapes, and batches cut anew.

`name` is ignored in all of them. Source: tf.data.Dataset, under the same name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

from minitensor.data import padding, steps
from minitensor.data.options import AutoShardPolicy
from minitensor.data.picked import Picked
from minitensor.data.pipeline import UNKNOWN, Run
from minitensor.data.spec import map_structure
from minitensor.nn import checks as args


class Batched(Picked):
    """padded_batch, rebatch, bucket_by_sequence_length."""

    def padded_batch(
        self,
        batch_size: Any,
        padded_shapes: Any = None,
        padding_values: Any = None,
        drop_remainder: bool = False,
        name: str | None = None,
    ) -> Self:
        """`batch_size` elements at a time, filled up to one shape and stacked.

        Args:
            batch_size: how many.
            padded_shapes: the shape of each tensor; an axis of None, or -1, is as long as the
                longest in the batch. None for None on every axis that varies.
            padding_values: what is filled in, of the tensors' types; None for 0 and "".
            drop_remainder: leave out the last batch if it is smaller.

        Raises:
            ValueError: `batch_size` is below 1, or a tensor does not fit into its shape.
            TypeError: a padding value is of another type than its tensor.

        Example:
            >>> import minitensor as tf
            >>> rows = tf.data.Dataset.range(1, 4).map(lambda n: tf.fill([n], n))
            >>> [batch.numpy().tolist() for batch in rows.padded_batch(2)]
            [[[1, 0], [2, 2]], [[3, 3, 3]]]
        """
        size, whole = args.number("padded_batch", "batch_size", batch_size, 1), bool(drop_remainder)
        plan = padding.Plan(padded_shapes, padding_values)
        if not self._looks:
            plan.check(self.element_spec)

        def spec() -> Any:
            front = size if whole else None
            shown = plan.spec(self.element_spec, self._looks)
            return map_structure(lambda s: s.batched(front), shown)

        many = self._counted(lambda here: here // size if whole else -(-here // size))
        made = self._then(
            "padded_batch",
            lambda run: steps.cut(self._start(run), [size], whole, plan.stacked),
            many,
            spec,
        )
        made._batch = size
        return made

    def rebatch(
        self, batch_size: Any, drop_remainder: bool = False, name: str | None = None
    ) -> Self:
        """Batches of other sizes, from elements that are batches.

        Args:
            batch_size: rows of each; or a list of sizes, taken by turns, of which some may be 0.
            drop_remainder: leave out the last batch if it is smaller.

        Raises:
            ValueError: all sizes are 0, one is below, or elements have no axes.

        Example:
            >>> import minitensor as tf
            >>> batches = tf.data.Dataset.range(5).batch(4).rebatch(2)
            >>> [batch.numpy().tolist() for batch in batches]
            [[0, 1], [2, 3], [4]]
        """
        sizes = args.numbers("rebatch", "batch_size", batch_size, 0)
        if not any(sizes):
            raise ValueError(f"rebatch: batch_size must be above 0, got {batch_size}")
        whole = bool(drop_remainder)
        front = sizes[0] if whole and len({*sizes}) == 1 else None

        def spec() -> Any:
            return map_structure(lambda s: s.rows().batched(front), self.element_spec)

        def start(run: Run) -> Iterator[Any]:
            part = run.part(AutoShardPolicy.DATA)
            if part is not None and part.replicas is not None:  # each batch is for all of them
                return steps.parted(self._start(run), part.replicas)
            return steps.cut(steps.unbatched(self._start(run)), sizes, whole)

        if not self._looks:
            spec()
        return self._then("rebatch", start, lambda: UNKNOWN, spec)
