"""Which replica of a program runs: what `tf.distribute` tells the rooms below it.

A leaf of autograd: variables ask it what kind they are, losses and optimizers by how many replicas
a batch is shared.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

strategy: ContextVar[Any] = ContextVar("strategy", default=None)  # whose scope or run this is
replica: ContextVar[Any] = ContextVar("replica", default=None)  # the ReplicaContext inside `run`

chief = True  # whether this process writes the files that all processes of a strategy write


def number() -> int:
    """How many replicas share a batch; 1 outside of a strategy's scope."""
    around = strategy.get()
    return 1 if around is None else around.num_replicas_in_sync


def share() -> float | None:
    """The part of a mean that is this replica's: 1 / replicas where all have as many samples.

    None outside of a strategy's scope, or where there is one replica.
    """
    count, here = number(), replica.get()
    return None if count == 1 else (1.0 if here is None else float(here.weight)) / count


def shared() -> Any:
    """The context of the replica that runs, if there are others beside it; else None."""
    here = replica.get()
    return here if here is not None and here.num_replicas_in_sync > 1 else None
