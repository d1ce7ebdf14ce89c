"""DeviceError, which every backend may raise."""


class DeviceError(RuntimeError):
    """A device was asked for that this machine does not have; says what is missing."""
