"""DTypePolicy: the type in which a layer computes, and the one in which it keeps its weights.

The same, as a rule; under "mixed_float16" and "mixed_bfloat16" a layer computes in half precision
and keeps float32, so that small updates are not lost. `autocast` is what weights are cast to when
a layer reads them in its `call`.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from minitensor.autograd.tensor import is_float
from minitensor.dtypes import as_dtype
from minitensor.keras.engine import defaults
from minitensor.keras.serialization.config import Configurable

_MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}
_TYPES = {
    *("float16", "bfloat16", "float32", "float64", "bool", "string"),
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
}


class DTypePolicy(Configurable):
    """The types of a layer, by one name.

    Args:
        name: "mixed_float16", "mixed_bfloat16", or a type such as "float32"; None: the policy of
            `keras.config.dtype_policy()`.

    Attributes:
        compute_dtype: the type in which it computes.
        variable_dtype: the type of its weights.
        quantization_mode: None.

    Raises:
        TypeError: `name` is no text.
        ValueError: there is no policy of this name.

    Example:
        >>> import minitensor as tf
        >>> policy = tf.keras.DTypePolicy("mixed_float16")
        >>> policy, policy.compute_dtype, policy.variable_dtype
        (<DTypePolicy "mixed_float16">, 'float16', 'float32')

    Source: keras.DTypePolicy
    """

    name: str
    quantization_mode = None

    def __init__(self, name: str | None = None) -> None:
        name = dtype_policy().name if name is None else name
        if not isinstance(name, str):
            raise TypeError(
                "'name' must be a string, such as 'mixed_float16'. "
                f"Received: name={name} (of type {type(name)})"
            )
        if name not in _MIXED and name not in _TYPES:
            raise ValueError(
                f"Cannot convert '{name}' to a mixed precision DTypePolicy. Valid policies include "
                "'mixed_float16', 'mixed_bfloat16', and the name of any float dtype such as "
                "'float32'."
            )
        self.name = name
        self.compute_dtype: str = _MIXED.get(name, name)
        self.variable_dtype: str = "float32" if name in _MIXED else name
        self.kind = as_dtype(self.compute_dtype)  # bfloat16 is known from here on

    def get_config(self) -> dict[str, Any]:
        """Its name."""
        return {"name": self.name}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self.name}">'


def get(identifier: Any) -> DTypePolicy:
    """A policy from its name, a type, its config, or itself.

    Args:
        identifier: "mixed_float16", np.float32, a dictionary, a DTypePolicy, or None for that of
            `keras.config.dtype_policy()`.

    Returns:
        A DTypePolicy.

    Raises:
        ValueError: it is nothing of this.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.dtype_policies.get("mixed_bfloat16").compute_dtype
        'bfloat16'

    Source: keras.dtype_policies.get
    """
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        config = identifier.get("config")
        return DTypePolicy(config.get("name") if isinstance(config, dict) else str(identifier))
    if isinstance(identifier, str):
        return DTypePolicy(identifier)
    try:
        return DTypePolicy(np.dtype(identifier).name)
    except (TypeError, ValueError):
        raise ValueError(
            "Cannot interpret `dtype` argument. Expected a string or an instance of DTypePolicy. "
            f"Received: dtype={identifier}"
        ) from None


def of_numbers(dtype: Any) -> str:
    """The type in which a loss or a metric computes: `floatx` where nothing is said."""
    return get(defaults.floatx() if dtype is None else dtype).compute_dtype


# ----- what new layers get -----


_chosen: list[DTypePolicy] = []  # by a program


def dtype_policy() -> DTypePolicy:
    """The policy of new layers: that of `set_dtype_policy`, else the float type's.

    Returns:
        A DTypePolicy.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.mixed_precision.global_policy()
        <DTypePolicy "float32">

    Source: keras.config.dtype_policy
    """
    return _chosen[0] if _chosen else DTypePolicy(defaults.floatx())


def set_dtype_policy(policy: str | DTypePolicy | None) -> None:
    """Makes new layers follow a policy, those that are not told another.

    Args:
        policy: its name, or itself.

    Raises:
        ValueError: there is no such policy.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.mixed_precision.set_global_policy("mixed_float16")
        >>> layer = tf.keras.layers.Dense(2)
        >>> layer(tf.ones([1, 3])).dtype, layer.kernel.dtype
        (tf.float16, tf.float32)
        >>> tf.keras.utils.clear_session()  # forgets the policy

    Source: keras.config.set_dtype_policy
    """
    if not isinstance(policy, str | DTypePolicy):
        raise ValueError(
            "Invalid `policy` argument. Expected the string name of a policy (such as "
            f"'mixed_float16') or a `DTypePolicy` instance. Received: policy={policy} "
            f"(of type {type(policy)})"
        )
    _chosen[:] = [get(policy)]


def forget_dtype_policy() -> None:
    """New layers follow the float type again."""
    _chosen.clear()


# ----- weights in a call -----


class _Autocast(threading.local):
    """What floats read from weights are cast to: a type; False: nothing; None: as around it."""

    kind: Any = None


autocast = _Autocast()


def entered(layer: Any) -> Any:
    """What `autocast.kind` is in a call of a layer."""
    policy = layer.dtype_policy
    if autocast.kind is None and policy.compute_dtype == policy.variable_dtype:
        return None
    return policy.kind if layer.autocast and is_float(policy.kind) else False
