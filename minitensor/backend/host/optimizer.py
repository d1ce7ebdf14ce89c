"""Host code of the updates of weights, kernels/optimizer.cu; `in_place` is no duty."""

from __future__ import annotations

from typing import Any

from minitensor.backend.half import in_float32
from minitensor.backend.host.conversion import ctype
from minitensor.backend.host.device import Device
from minitensor.backend.host.grid import grid_size, pack_of


@in_float32
def sgd_momentum(
    device: Device,
    weight: Any,
    velocity: Any,
    gradient: Any,
    rate: float,
    momentum: float,
    nesterov: bool,
    in_place: bool = False,
) -> tuple[Any, Any]:
    """velocity = momentum * velocity - rate * gradient; weight += velocity, or looks ahead."""
    old = [device.contiguous(v) for v in (weight, velocity, gradient)]
    new = [device.empty(weight.shape, weight.dtype) for _ in range(2)]
    settings = (float(rate), float(momentum), int(nesterov))
    _launch(device, "sgd_momentum", old, new, *settings)
    return new[0], new[1]


@in_float32
def adam(
    device: Device,
    weight: Any,
    m: Any,
    v: Any,
    gradient: Any,
    rate: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    step: int,
    in_place: bool = False,
) -> tuple[Any, Any, Any]:
    """m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, weight -= size * m / (sqrt(v) + epsilon)."""
    old = [device.contiguous(array) for array in (weight, m, v, gradient)]
    new = [device.empty(weight.shape, weight.dtype) for _ in range(3)]
    size = rate * (1 - beta_2**step) ** 0.5 / (1 - beta_1**step)
    settings = (size, beta_1, 1 - beta_1, beta_2, 1 - beta_2, epsilon)
    _launch(device, "adam", old, new, *(float(number) for number in settings))
    return new[0], new[1], new[2]


def _launch(device: Device, kernel: str, old: list[Any], new: list[Any], *settings: Any) -> None:
    weight = old[0]
    if weight.size:
        pack = pack_of(device, weight.size, *old)
        name, total = f"{kernel}<{ctype(weight.dtype)}, {pack}>", weight.size // pack
        device.launch(name, grid_size(total), 256, *old, *new, *settings, total)
