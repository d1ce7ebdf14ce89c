"""Options of a dataset: kept and handed on. `deterministic=False` lets elements that threads make
overtake one another, `experimental_distribute` parts a dataset among workers; the others tell
TensorFlow how to run fast, and nothing here asks them.

For all of them:
    Raises: AttributeError for an option that TensorFlow does not have.
    Source: tf.data, under the same name.
"""

from __future__ import annotations

import copy
from enum import Enum
from typing import Any


class AutoShardPolicy(Enum):
    """Which part of a dataset each worker reads; sharding.py."""

    OFF, AUTO, FILE, DATA, HINT = -1, 0, 1, 2, 3


class _Settings:
    """Attributes of fixed names, None until they are set."""

    _names: tuple[str, ...] = ()

    def __init__(self) -> None:
        for name in self._names:
            vars(self)[name] = None

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._names:
            raise AttributeError(
                f"Cannot set the property {name} on {type(self).__name__}; legal: {self._names}"
            )
        vars(self)[name] = value

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def _over(self, other: Any) -> Any:
        """A copy of these, with what is set in the other one."""
        merged = copy.deepcopy(self)
        for name, value in vars(other).items():
            here = getattr(self, name)
            both = isinstance(here, _Settings) and isinstance(value, _Settings)
            vars(merged)[name] = here._over(value) if both else here if value is None else value
        return merged


class ThreadingOptions(_Settings):
    """Threads that TensorFlow would use."""

    _names = ("max_intra_op_parallelism", "private_threadpool_size")


class AutotuneOptions(_Settings):
    """What TensorFlow would choose while it runs."""

    _names = (
        *("autotune_algorithm", "cpu_budget", "enabled", "initial_parallelism"),
        *("min_parallelism", "ram_budget"),
    )


class DistributeOptions(_Settings):
    """How a dataset is parted among workers: `auto_shard_policy`; `num_devices` is kept alone."""

    _names = ("auto_shard_policy", "num_devices")


class OptimizationOptions(_Settings):
    """How TensorFlow would rewrite a pipeline."""

    _names = (
        *("apply_default_optimizations", "filter_fusion", "filter_parallelization"),
        *("inject_prefetch", "map_and_batch_fusion", "map_and_filter_fusion", "map_fusion"),
        *("map_parallelization", "noop_elimination", "parallel_batch"),
        *("seq_interleave_prefetch", "shuffle_and_repeat_fusion"),
    )


class Options(_Settings):
    """All of them; `dataset.with_options` takes one.

    Example:
        >>> import minitensor as tf
        >>> options = tf.data.Options()
        >>> options.threading.private_threadpool_size = 4
        >>> dataset = tf.data.Dataset.range(3).with_options(options)
        >>> dataset.options().threading.private_threadpool_size
        4
    """

    _names = (
        *("autotune", "dataset_name", "deterministic", "experimental_deterministic"),
        *("experimental_distribute", "experimental_external_state_policy"),
        *("experimental_optimization", "experimental_slack", "experimental_symbolic_checkpoint"),
        *("experimental_threading", "experimental_warm_start", "framework_type", "threading"),
    )

    def __init__(self) -> None:
        super().__init__()
        self.autotune, self.experimental_distribute = AutotuneOptions(), DistributeOptions()
        self.experimental_optimization = OptimizationOptions()
        self.threading = self.experimental_threading = ThreadingOptions()

    def merge(self, options: Options) -> Options:
        """These options, where the other ones say nothing."""
        merged: Options = self._over(options)
        return merged
