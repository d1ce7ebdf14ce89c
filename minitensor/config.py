"""The mirror of tf.config: which devices there are, how much scratch memory, how many digits.

TensorFlow's memory settings are accepted and do nothing: memory is taken as it is needed.
TF32 is off until it is asked for, where TensorFlow has it on: float32 means float32.

Args: `device_type`: "CPU", "GPU", "EMULATOR", or None for all. `run_eagerly`: ignored.
Returns: a list, empty if there is no such device. Raises: nothing. Source: tf.config, under the
same name.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from minitensor import missing
from minitensor.backend import devices, settings
from minitensor.backend.numpy import threads
from minitensor.backend.settings import (
    conv_precision,
    set_conv_precision,
    set_workspace_limit,
    workspace_limit,
)
from minitensor.docstrings import examples_of

__all__ = [
    "LogicalDevice", "LogicalDeviceConfiguration", "PhysicalDevice", "conv_precision",
    "experimental", "functions_run_eagerly", "list_logical_devices", "list_physical_devices",
    "run_functions_eagerly", "set_conv_precision", "set_logical_device_configuration",
    "set_workspace_limit", "threading", "workspace_limit",
]  # fmt: skip
example = examples_of("tf.config", "")


class PhysicalDevice(NamedTuple):
    """A device of this machine. Source: tf.config.PhysicalDevice"""

    name: str
    device_type: str


class LogicalDevice(NamedTuple):
    """A device as ops see it. Source: tf.config.LogicalDevice"""

    name: str
    device_type: str


@example(
    'list_physical_devices("CPU")',
    "[PhysicalDevice(name='/physical_device:CPU:0', device_type='CPU')]",
)
def list_physical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The devices that a backend of this package can compute on.

    "EMULATOR" runs the GPU's kernels on the CPU, and is there if g++ and objcopy are. A GPU counts
    if CuPy, NVRTC and NVIDIA's driver are installed; a machine's several GPUs count as the one that
    CuPy computes on.
    """
    kinds = [kind for kind in devices.BACKENDS if device_type in (None, kind)]
    return [
        PhysicalDevice(f"/physical_device:{kind}:0", kind)
        for kind in kinds
        if not devices.lack_of(kind)
    ]


@example('list_logical_devices("CPU")', "[LogicalDevice(name='/device:CPU:0', device_type='CPU')]")
def list_logical_devices(device_type: str | None = None) -> list[LogicalDevice]:
    """The same devices by the names that ops use."""
    return [
        LogicalDevice(f"/device:{device.device_type}:{n}", device.device_type)
        for device in list_physical_devices(device_type)
        for n in range(devices.logical[device.device_type])
    ]


class LogicalDeviceConfiguration(NamedTuple):
    """A part of a device. Source: tf.config.LogicalDeviceConfiguration"""

    memory_limit: Any = None
    experimental_priority: Any = None
    experimental_device_ordinal: Any = None


def set_logical_device_configuration(device: PhysicalDevice, logical_devices: Any) -> None:
    """Makes several devices of one, by which `tf.distribute.MirroredStrategy` is tried out.

    All compute on the same device, and limits of memory are ignored.

    Args:
        device: of `list_physical_devices`.
        logical_devices: a list with a `LogicalDeviceConfiguration` for each.

    Raises:
        ValueError: there is no such device, or the list is empty.

    Example:
        >>> import minitensor as tf
        >>> cpu = tf.config.list_physical_devices("CPU")[0]
        >>> halves = [tf.config.LogicalDeviceConfiguration()] * 2
        >>> tf.config.set_logical_device_configuration(cpu, halves)
        >>> [device.name for device in tf.config.list_logical_devices("CPU")]
        ['/device:CPU:0', '/device:CPU:1']
        >>> tf.config.set_logical_device_configuration(cpu, halves[:1])

    Source: tf.config.set_logical_device_configuration
    """
    if device not in list_physical_devices() or not logical_devices:
        raise ValueError(
            "set_logical_device_configuration takes a device of list_physical_devices() and a list "
            f"with at least one LogicalDeviceConfiguration; got {device}, {logical_devices}"
        )
    devices.logical[device.device_type] = len(logical_devices)


def run_functions_eagerly(run_eagerly: bool) -> None:
    """Does nothing: all functions run eagerly. Source: tf.config.run_functions_eagerly"""


def functions_run_eagerly() -> bool:
    """True. Source: tf.config.functions_run_eagerly"""
    return True


class experimental:  # noqa: N801 -- TensorFlow's name
    """tf.config.experimental, for programs that call it before anything else."""

    list_physical_devices = staticmethod(list_physical_devices)
    list_logical_devices = staticmethod(list_logical_devices)

    @staticmethod
    def set_memory_growth(device: Any, enable: Any) -> None:
        """Does nothing: memory grows as needed. Source: tf.config.experimental"""

    @staticmethod
    def get_memory_growth(device: Any) -> bool:
        """True. Source: tf.config.experimental"""
        return True

    @staticmethod
    def enable_tensor_float_32_execution(enabled: bool) -> None:
        """Lets float32 products run on tensor cores, which keep 10 bits of each factor.

        Off at first: float32 is true float32. Only convolutions of "/GPU:0" and "/EMULATOR:0"
        heed it. Source: tf.config.experimental.enable_tensor_float_32_execution
        """
        settings.set_tensor_float_32(enabled)

    @staticmethod
    def tensor_float_32_execution_enabled() -> bool:
        """Whether they may. Source: tf.config.experimental"""
        return settings.tensor_float_32()


class threading:  # noqa: N801 -- TensorFlow's name
    """tf.config.threading: how many threads share the work of one op on a CPU."""

    @staticmethod
    def set_intra_op_parallelism_threads(num_threads: int) -> None:
        """Lets so many threads share the work of one op; 0 is all cores, as at first.

        How sums are cut does not depend on it: convolutions give the same bits with any number.
        Here it may be set at any time. Source: tf.config.threading
        """
        _check_threads("intra", num_threads)
        threads.set_num_threads(num_threads)

    @staticmethod
    def get_intra_op_parallelism_threads() -> int:
        """How many; 0 for all cores. Source: tf.config.threading"""
        return threads.num_threads()

    @staticmethod
    def set_inter_op_parallelism_threads(num_threads: int) -> None:
        """Does nothing: ops run one after another. Source: tf.config.threading"""
        _check_threads("inter", num_threads)

    @staticmethod
    def get_inter_op_parallelism_threads() -> int:
        """0. Source: tf.config.threading"""
        return 0


def _check_threads(which: str, number: object) -> None:
    name = f"set_{which}_op_parallelism_threads"
    if not isinstance(number, int) or isinstance(number, bool):
        raise TypeError(f"{name}: num_threads must be an integer, got {number!r}")
    if number < 0:
        raise ValueError(f"{name}: got {number} threads; give 0 for all cores, or more.")


__getattr__ = missing.refusing("tf.config", __name__)
