"""The arguments that all optimizers share, and the rules they must keep."""

from __future__ import annotations

import sys
import warnings
from typing import Any, TypedDict


class Shared(TypedDict, total=False):
    """What every optimizer takes beside its own arguments, as keywords; see `Optimizer`."""

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


DEFAULTS: Shared = {
    "weight_decay": None,
    "clipnorm": None,
    "clipvalue": None,
    "global_clipnorm": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
    "name": None,
}


def read(cls: str, learning_rate: Any, kwargs: dict[str, Any]) -> tuple[Any, Shared]:
    """The learning rate, also if it is called lr, and the shared arguments with their defaults."""
    if "lr" in kwargs:
        warnings.warn(
            f"{cls}: `lr` is called `learning_rate` now; it is taken as that.",
            DeprecationWarning,
            stacklevel=user_stacklevel(),
        )
        learning_rate = kwargs.pop("lr")
    if kwargs.get("decay"):
        raise ValueError(
            f"{cls}: `decay` is no argument any more. For rate / (1 + decay * step) give "
            f"learning_rate=schedules.InverseTimeDecay({learning_rate!r}, 1, {kwargs['decay']!r})"
        )
    kwargs.pop("decay", None)
    if unknown := {k: v for k, v in kwargs.items() if k not in DEFAULTS}:
        raise ValueError(f"Argument(s) not recognized: {unknown}")
    values: Shared = {**DEFAULTS, **kwargs}  # type: ignore[typeddict-item]
    _check(values)
    return learning_rate, values


def user_stacklevel() -> int:
    """`stacklevel` of a warning that shall name the line of the user's program."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").startswith("minitensor."):
        level, frame = level + 1, frame.f_back
    return level


def _check(values: Shared) -> None:
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
    clips = {n: v for n, v in values.items() if n in ("clipnorm", "clipvalue", "global_clipnorm")}
    if sum(value is not None for value in clips.values()) > 1:
        raise ValueError(
            "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: "
            + ", ".join(f"{name}={value}" for name, value in clips.items())
        )
