"""A step on all replicas of a `tf.distribute` strategy: each gets its part of the batch.

The gradients are summed while the walk back goes on; what is logged is the mean of what the
replicas log. After each step of a fit over several processes they tell each other how long they
computed, and whether somebody pressed Ctrl-C: so all stop after the same step.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from minitensor.autograd import replicas
from minitensor.autograd.tree import flatten, pack


def on_replicas(
    model: Any, kind: str, run: Callable[[Any], Any], batches: Any
) -> Callable[[Any], Any]:
    """A step on a batch for all replicas, from one on a batch for one.

    What a replica draws in it depends on the batch and on its number: so what is drawn elsewhere,
    such as the order of the samples, is the same for any number of replicas.
    """
    strategy = model.distribute_strategy
    if strategy.is_default:
        return run

    def step(batch: Any) -> Any:
        begun, waited = time.perf_counter(), strategy.seconds_waited
        parts, weights = strategy.shares(batch)
        seeds = None if batches is None else batches.seeds()
        found = strategy.run_weighted(run, (parts,), {}, weights, seeds)
        if strategy.num_replicas_in_sync == 1:
            return found
        if kind == "predict":
            return strategy.gather(found, 0)
        computed = time.perf_counter() - begun - (strategy.seconds_waited - waited)
        return _logs_of_all(model, kind, found, computed)

    return step


def _logs_of_all(model: Any, kind: str, logs: Any, computed: float) -> Any:
    """The means of what the replicas log."""
    strategy = model.distribute_strategy
    own = [
        np.mean([np.asarray(v, np.float64) for v in strategy.experimental_local_results(value)])
        for value in flatten(logs)
    ]
    if strategy.num_workers == 1:
        return pack(logs, own)
    fit = model._fit if kind == "train" else None
    interrupted = fit is not None and fit.interrupted
    reports = np.stack(strategy.gather_host(np.array([computed, interrupted, *own])))
    if fit is not None:
        fit.hear(reports[:, :2])
    return pack(logs, list(reports[:, 2:].mean(0)))


def gradients_of_all(tape: Any, scaled: Any, learning: Sequence[Any], loss: Any) -> tuple[Any, Any]:
    """Gradients and loss of the whole batch, from the part of this replica."""
    here = replicas.shared()
    if here is None or not learning:
        return tape.gradient(scaled, learning), loss
    return here.gradients(tape, scaled, learning, loss)  # type: ignore[no-any-return]


def sums_given() -> AbstractContextManager[None]:
    """An optimizer gets gradients that are sums over all replicas already."""
    here = replicas.shared()
    return nullcontext() if here is None else here.sums_given()  # type: ignore[no-any-return]
