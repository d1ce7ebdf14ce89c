"""What the ranks tell each other after each step, and what follows from it.

A report is two numbers: the seconds of a rank's own computing (without waiting for others), and
whether it was asked to stop. All ranks read all reports, so all of them stop after the same step.
"""

from __future__ import annotations

import logging

import numpy as np

WINDOW = 50  # steps over which ranks are compared
SLOW = 1.5  # times the others' time that is worth a line


class Reports:
    """Reads the reports of all ranks, step by step.

    Args:
        chief: whether this rank logs who is slow.
    """

    def __init__(self, chief: bool) -> None:
        self._chief = chief
        self._seconds: list[np.ndarray] = []

    def read(self, reports: np.ndarray) -> bool:
        """Reads those of one step, (seconds, stop) of each rank; returns whether all stop after it.

        Args:
            reports: shape (ranks, 2).

        Example:
            >>> import numpy as np
            >>> from minitensor.distribute.report import Reports
            >>> Reports(chief=True).read(np.array([[0.1, 0], [0.1, 1]]))
            True
        """
        self._seconds.append(reports[:, 0])
        if len(self._seconds) == WINDOW:
            if self._chief:
                self._log_slow(np.median(self._seconds, axis=0))
            self._seconds.clear()
        return bool(reports[:, 1].any())

    def _log_slow(self, seconds: np.ndarray) -> None:
        middle = np.sort(seconds)[(len(seconds) - 1) // 2]
        for rank in np.flatnonzero(seconds > SLOW * middle):
            logging.getLogger("minitensor").warning(
                "rank %d is slow: it computes %.1f times as long as the median rank "
                "(%.3g s against %.3g s a step, over the last %d steps)",
                rank, seconds[rank] / middle, seconds[rank], middle, WINDOW,
            )  # fmt: skip
