"""What the ranks tell each other after each step, and what follows from it.

A report is three numbers: the seconds of its own computing (without waiting for others), whether
its loss and gradients are finite, and whether it was asked to stop. All ranks read all reports, so
all of them stop after the same step.
"""

from __future__ import annotations

import logging

import numpy as np

from minitensor.distribute.agreement import RankFailedError

WINDOW = 50  # steps over which ranks are compared
SLOW = 1.5  # times the others' time that is worth a line


def report(seconds: float, finite: bool, stop: bool) -> np.ndarray:
    """One rank's report, for `Communicator.all_gather`: shape [1, 3].

    Example:
        >>> from minitensor.distribute.report import report
        >>> report(0.25, finite=True, stop=False)
        array([[0.25, 1.  , 0.  ]])
    """
    return np.array([[seconds, finite, stop]], np.float64)


class Reports:
    """Reads the reports of all ranks, step by step.

    Args:
        chief: whether this rank logs who is slow.
    """

    def __init__(self, chief: bool) -> None:
        self._chief = chief
        self._seconds: list[np.ndarray] = []

    def read(self, reports: np.ndarray, step: int) -> bool:
        """Reads those of one step, shape [ranks, 3]; returns whether all stop after it.

        Raises:
            RankFailedError: a rank's loss or gradients are not finite.

        Example:
            >>> import numpy as np
            >>> from minitensor.distribute.report import Reports
            >>> Reports(chief=True).read(np.array([[0.1, 1, 0], [0.1, 1, 1]]), step=7)
            True
        """
        broken = [str(k) for k in np.flatnonzero(reports[:, 1] == 0)]
        if broken:
            names = f"rank{'s' * (len(broken) > 1)} {', '.join(broken)}"
            raise RankFailedError(
                f"NaN or infinity in the loss or gradients of {names} at step {step}: look at "
                "the data of that rank, lower the learning rate, or clip the gradients"
            )
        self._seconds.append(reports[:, 0])
        if len(self._seconds) == WINDOW:
            if self._chief:
                self._log_slow(np.median(self._seconds, axis=0))
            self._seconds.clear()
        return bool(reports[:, 2].any())

    def _log_slow(self, seconds: np.ndarray) -> None:
        middle = np.sort(seconds)[(len(seconds) - 1) // 2]
        for rank in np.flatnonzero(seconds > SLOW * middle):
            logging.getLogger("minitensor").warning(
                "rank %d is slow: it computed %.1f times as long as the median rank "
                "(%.3g s against %.3g s a step, over the last %d steps)",
                rank, seconds[rank] / middle, seconds[rank], middle, WINDOW,
            )  # fmt: skip
