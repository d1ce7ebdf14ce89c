"""The mirror of keras.dtype_policies: the types in which layers compute and keep their weights.

Policies of quantization, and maps from paths to policies, which serve them, are not here.
"""

from __future__ import annotations

from typing import Any

from minitensor.keras.engine.dtype_policy import DTypePolicy, get
from minitensor.keras.serialization import objects
from minitensor.missing import refused

FloatDTypePolicy = DTypePolicy

__all__ = ["DTypePolicy", "FloatDTypePolicy", "deserialize", "get", "serialize"]


def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """Its class and name as values that JSON can hold.

    Example:
        >>> import minitensor as tf
        >>> policy = tf.keras.DTypePolicy("mixed_float16")
        >>> tf.keras.dtype_policies.serialize(policy)["config"]
        {'name': 'mixed_float16'}

    Source: keras.dtype_policies.serialize
    """
    return objects.serialize(dtype_policy)  # type: ignore[no-any-return]


def deserialize(config: dict[str, Any], custom_objects: Any = None) -> DTypePolicy:
    """The policy that `serialize` wrote.

    Example:
        >>> import minitensor as tf
        >>> config = {"class_name": "DTypePolicy", "config": {"name": "float16"}}
        >>> tf.keras.dtype_policies.deserialize(config)
        <DTypePolicy "float16">

    Source: keras.dtype_policies.deserialize
    """
    return objects.deserialize(config, custom_objects)  # type: ignore[no-any-return]


def __getattr__(name: str) -> Any:
    raise refused("tf.keras.dtype_policies", name, __all__)
