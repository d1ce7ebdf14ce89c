"""The mirror of tf.test, as far as it tells what the machine can do."""

from __future__ import annotations

from typing import Any

from minitensor import missing
from minitensor.config import list_physical_devices

__all__ = [
    "gpu_device_name", "is_built_with_cuda", "is_built_with_gpu_support", "is_built_with_rocm",
    "is_built_with_xla", "is_gpu_available",
]  # fmt: skip


def is_gpu_available(cuda_only: bool = False, min_cuda_compute_capability: Any = None) -> bool:
    """Whether there is a GPU to compute on.

    Args:
        cuda_only, min_cuda_compute_capability: ignored: a GPU is one of NVIDIA's that can.

    Example:
        >>> import minitensor as tf
        >>> tf.test.is_gpu_available() == bool(tf.config.list_physical_devices("GPU"))
        True

    Source: tf.test.is_gpu_available
    """
    return bool(list_physical_devices("GPU"))


def gpu_device_name() -> str:
    """The GPU's name as `tf.device` takes it; empty if there is none. Source: tf.test"""
    return "/device:GPU:0" if is_gpu_available() else ""


def is_built_with_cuda() -> bool:
    """Whether a GPU could be used: CuPy's absence shows when one is asked for. Source: tf.test"""
    return is_gpu_available()


def is_built_with_gpu_support() -> bool:
    """The same. Source: tf.test"""
    return is_built_with_cuda()


def is_built_with_rocm() -> bool:
    """No. Source: tf.test"""
    return False


def is_built_with_xla() -> bool:
    """No. Source: tf.test"""
    return False


__getattr__ = missing.refusing("tf.test", __name__)
