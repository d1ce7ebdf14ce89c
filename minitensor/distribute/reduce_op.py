"""ReduceOp: how the values of replicas become one."""

from __future__ import annotations

import enum
from typing import Any


class ReduceOp(enum.Enum):
    """How the values of replicas become one: their sum or their mean.

    Source: tf.distribute.ReduceOp
    """

    SUM = "SUM"
    MEAN = "MEAN"

    @classmethod
    def of(cls, given: Any) -> ReduceOp:
        """The one of this name, in any letters.

        Raises:
            ValueError: there is none.
        """
        if isinstance(given, cls):
            return given
        name = str(given).upper()
        if name not in cls.__members__:
            raise ValueError(f"{given!r} is not a valid ReduceOp; give 'SUM' or 'MEAN'")
        return cls[name]
