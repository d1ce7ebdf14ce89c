"""What all ranks must agree on, and errors that all of them raise with the same words."""

from __future__ import annotations

import json
import os
import socket
from collections import Counter
from typing import Any

from minitensor.distribute.communicator import Communicator


class AllRanksError(Exception):
    """An error that every rank raises, with the same words: the chief alone shows it."""


class RanksDifferError(AllRanksError, ValueError):
    """A rank has something else than the others; names it, and says what both have."""


def same_on_all_ranks(communicator: Communicator, name: str, value: Any) -> None:
    """Checks that all ranks have the same value of what `name` says; all call it together.

    Args:
        communicator: connects the ranks.
        name: what it is, for the error: "the model's weights".
        value: what JSON can say.

    Raises:
        RanksDifferError: a rank has another one than most have, or, if there is no majority, than
            the chief; raised on all ranks.

    Example:
        >>> from minitensor.distribute.agreement import same_on_all_ranks
        >>> from minitensor.distribute.communicator import Alone
        >>> same_on_all_ranks(Alone(), "the program", "train.py")
    """
    process = f"process {os.getpid()} on {socket.gethostname()}"
    found = communicator.all_gather_object([value, process])
    said = [json.dumps(v, sort_keys=True) for v, _ in found]
    counts = Counter(said)  # in the order of the ranks: the first of equals is the chief's
    expected, most = counts.most_common(1)[0]
    if 2 * most == len(said):
        expected = said[0]
    other = [k for k, v in enumerate(said) if v != expected]
    if other:
        ranks = "; ".join(f"rank {k} ({found[k][1]}) has {said[k]}" for k in other[:3])
        raise RanksDifferError(
            f"{name} must be the same on all ranks, but {ranks}"
            f"{f', and {len(other) - 3} more differ' if len(other) > 3 else ''}; "
            f"{'the others have' if len(said) - len(other) > 1 else 'the other has'} {expected}"
        )
