"""The mirror of tf.data.experimental: names that older programs use."""

from typing import Any

from minitensor.data.pipeline import AUTOTUNE
from minitensor.data.pipeline import INFINITE as INFINITE_CARDINALITY
from minitensor.data.pipeline import UNKNOWN as UNKNOWN_CARDINALITY

__all__ = ["AUTOTUNE", "INFINITE_CARDINALITY", "UNKNOWN_CARDINALITY", "cardinality"]


def cardinality(dataset: Any) -> Any:
    """dataset.cardinality(). Source: tf.data.experimental.cardinality"""
    return dataset.cardinality()
