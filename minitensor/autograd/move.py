"""A tensor from one device to another: the only way there is.

Ops never move tensors. The numbers stay the same, so the derivative moves the cotangent back.
"""

from __future__ import annotations

from typing import Any

from minitensor import backend
from minitensor.autograd import recording
from minitensor.autograd.convert import as_tensor
from minitensor.autograd.tensor import Tensor
from minitensor.backend import devices
from minitensor.backend.protocol import Backend


def to_device(x: Any, device: str) -> Tensor:
    """The same numbers on another device; a tensor that is there already is returned as it is.

    Args:
        x: a tensor or variable, an array, a number or a list of them.
        device: "cpu", "gpu" or "emulator", or any of TensorFlow's spellings: "/GPU:0".

    Returns:
        A tensor on that device. The gradient moves back.

    Raises:
        ValueError: there is no device of that name.
        DeviceError: this machine lacks what the device needs; says what, and how to get it.

    Example:
        >>> import minitensor as tf
        >>> tf.to_device([1.0, 2.0], "cpu").numpy()
        array([1., 2.], dtype=float32)

    Source: tf.identity within tf.device
    """
    return _moved(as_tensor(x, what="to_device: x"), devices.backend(devices.kind_of(device)))


def _moved(tensor: Tensor, target: Backend) -> Tensor:
    source = backend.of(tensor.array)
    if source is target:
        return tensor
    result = Tensor(backend.moved(tensor.array, target))
    if recording.is_recording():
        recording.record((tensor,), (result,), lambda found, wanted: [_back(found[0], source)])
    return result


def _back(cotangent: Tensor | None, source: Backend) -> Tensor | None:
    return None if cotangent is None else _moved(cotangent, source)
