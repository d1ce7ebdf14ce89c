"""The mirror of keras.optimizers: rules by which gradients change variables.

    optimizer.py         what all rules share: clipping, weight decay, averages, accumulation
    hyperparameters.py   the arguments for it, and what they must be
    sgd.py               SGD with momentum, Lion
    adam.py              Adam, AdamW, Adamax, Nadam
    adaptive.py          RMSprop, Adagrad, Adadelta
    loss_scale.py        LossScaleOptimizer, which makes the steps of another in half precision
    legacy.py            the same under an old name
    schedules.py         learning rates that follow the number of steps

Ftrl, Adafactor, Lamb, Muon and the other wrappers of Keras are not here.

Source of all: keras.optimizers, by the same names, and the papers named.
"""

from __future__ import annotations

import inspect
from typing import Any

from minitensor.keras.optimizers import legacy, schedules
from minitensor.keras.optimizers.adam import Adam, Adamax, AdamW, Nadam
from minitensor.keras.optimizers.adaptive import Adadelta, Adagrad, RMSprop
from minitensor.keras.optimizers.loss_scale import LossScaleOptimizer
from minitensor.keras.optimizers.optimizer import Optimizer
from minitensor.keras.optimizers.sgd import SGD, Lion
from minitensor.keras.serialization import identifiers, objects
from minitensor.missing import refused

__all__ = [
    "SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Lion", "LossScaleOptimizer", "Nadam",
    "Optimizer", "RMSprop", "deserialize", "get", "legacy", "schedules", "serialize",
]  # fmt: skip

_RULES = (SGD, Adadelta, Adagrad, Adam, AdamW, Adamax, Lion, Nadam, RMSprop)
_KNOWN = {rule.__name__.lower(): rule for rule in _RULES}


def get(identifier: Any) -> Optimizer | None:
    """An optimizer from its name, its configuration, or itself.

    Args:
        identifier: "adam", a dictionary, an Optimizer, or None.

    Returns:
        An Optimizer; None for None.

    Raises:
        ValueError: there is none of that name.

    Example:
        >>> import minitensor as tf
        >>> float(tf.keras.optimizers.get("sgd").learning_rate)
        0.009999999776482582
    """
    rule: Any = identifier
    if isinstance(rule, str):
        rule = _KNOWN.get(rule.lower())
    elif isinstance(rule, dict):
        rule = deserialize(rule)
    if inspect.isclass(rule) and issubclass(rule, Optimizer):
        rule = rule()  # type: ignore[call-arg]
    if isinstance(rule, Optimizer) or identifier is None:
        return rule
    raise ValueError(
        f"Could not interpret optimizer identifier: {identifier}. Known names: "
        f"{', '.join(sorted(_KNOWN))}"
    )


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """Its class and arguments as values that JSON can hold."""
    return objects.serialize(optimizer)


def deserialize(config: dict[str, Any], custom_objects: Any = None) -> Optimizer:
    """The optimizer that `serialize` wrote."""
    cls = _KNOWN.get(str(config.get("class_name")).lower())
    if cls is not None:
        return cls.from_config(config.get("config") or {})
    return objects.deserialize(config, custom_objects)


def __getattr__(name: str) -> Any:
    raise refused("tf.keras.optimizers", name, __all__)
