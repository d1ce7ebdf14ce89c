"""EveryFewBatches: when a callback that saves after a number of batches has to."""

from __future__ import annotations

from typing import Any

from minitensor.keras.callbacks.base import Callback


class EveryFewBatches:
    """Counts batches over epochs; `due` says when a number of them is full."""

    def __init__(self, owner: type[Callback], save_freq: Any) -> None:
        if save_freq != "epoch" and not isinstance(save_freq, int):
            raise ValueError(
                f"Unrecognized save_freq of {owner.__name__}: {save_freq!r}. "
                "Expected save_freq are 'epoch' or integer values"
            )
        self.by_batches = save_freq != "epoch" and bool(save_freq)
        self.frequency = save_freq
        self.seen = 0

    def due(self) -> bool:
        """One batch more: is it time?"""
        self.seen += 1
        if not self.by_batches or self.seen < self.frequency:
            return False
        self.seen = 0
        return True
