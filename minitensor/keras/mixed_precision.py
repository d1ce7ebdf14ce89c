"""The mirror of keras.mixed_precision: half precision for arithmetic, float32 for weights.

`set_global_policy("mixed_float16")` makes new layers compute in float16, and `compile` scale the
loss, so that small gradients do not become 0; "mixed_bfloat16" has float32's range and needs none.

Source: Micikevicius et al. 2018
"""

from typing import Any

from minitensor.keras.engine.dtype_policy import DTypePolicy, dtype_policy, set_dtype_policy
from minitensor.keras.optimizers import LossScaleOptimizer
from minitensor.missing import refused

Policy = DTypePolicy
global_policy, set_global_policy = dtype_policy, set_dtype_policy

__all__ = [
    "DTypePolicy", "LossScaleOptimizer", "Policy", "dtype_policy", "global_policy",
    "set_dtype_policy", "set_global_policy",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    raise refused("tf.keras.mixed_precision", name, __all__)
