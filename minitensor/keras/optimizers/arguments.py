"""The arguments that all optimizers share, and the rules they must keep."""

from __future__ import annotations

import sys
import warnings
from typing import Any, TypedDict


class Shared(TypedDict, total=False):
    """What every optimizer takes beside its own arguments, as keywords.

    weight_decay: x = x - rate * weight_decay * x before each step.
    clipnorm: greatest length of each gradient.
    clipvalue: greatest absolute value in a gradient.
    global_clipnorm: greatest length of all gradients together.
    use_ema: whether an average of each variable follows it.
    ema_momentum: average = ema_momentum * average + (1 - ema_momentum) * variable.
    ema_overwrite_frequency: steps after which variables become their averages; None for never.
    loss_scale_factor: gradients are divided by it.
    gradient_accumulation_steps: gradients that are averaged to one; None for no averaging.
    name: default the class, "adam".
    """

    weight_decay: float | None
    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    loss_scale_factor: float | None
    gradient_accumulation_steps: int | None
    name: str | None


DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(("weight_decay", "clipnorm", "clipvalue", "global_clipnorm")),
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    **dict.fromkeys(("loss_scale_factor", "gradient_accumulation_steps", "name")),
}


def read(cls: str, learning_rate: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The learning rate, also if it is called lr, and the shared arguments with their defaults."""
    kwargs = dict(kwargs)
    if "lr" in kwargs:
        warnings.warn(
            f"{cls}: `lr` is called `learning_rate` now; it is taken as that.",
            DeprecationWarning,
            stacklevel=outside(),
        )
        learning_rate = kwargs.pop("lr")
    if kwargs.get("decay") is not None:
        raise ValueError(
            f"{cls}: `decay` is no argument any more. For rate / (1 + decay * step) give "
            f"learning_rate=schedules.InverseTimeDecay({learning_rate!r}, 1, {kwargs['decay']!r})"
        )
    kwargs.pop("decay", None)
    if unknown := {k: v for k, v in kwargs.items() if k not in DEFAULTS}:
        raise ValueError(f"Argument(s) not recognized: {unknown}")
    values = DEFAULTS | kwargs
    _check(values)
    return learning_rate, values


def outside() -> int:
    """`stacklevel` of a warning that shall name the line of the user's program."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").startswith("minitensor."):
        level, frame = level + 1, frame.f_back
    return level


def _check(values: dict[str, Any]) -> None:
    steps, frequency = values["gradient_accumulation_steps"], values["ema_overwrite_frequency"]
    if steps and not steps >= 2:
        raise ValueError(
            "`gradient_accumulation_steps` must be an integer >= 2. Received: "
            f"gradient_accumulation_steps={steps}"
        )
    if values["use_ema"] and not 0 <= values["ema_momentum"] <= 1:
        raise ValueError(
            "`ema_momentum` must be in the range [0, 1]. Received: "
            f"ema_momentum={values['ema_momentum']}"
        )
    if values["use_ema"] and frequency and not (isinstance(frequency, int) and frequency >= 1):
        raise ValueError(
            "`ema_overwrite_frequency` must be an integer >= 1 or None. Received: "
            f"ema_overwrite_frequency={frequency}"
        )
    clips = {name: values[name] for name in ("clipnorm", "clipvalue", "global_clipnorm")}
    if sum(value is not None for value in clips.values()) > 1:
        raise ValueError(
            "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: "
            + ", ".join(f"{name}={value}" for name, value in clips.items())
        )
