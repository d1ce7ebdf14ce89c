"""The emulator backend: the CUDA kernels of `kernels/`, compiled by g++ and run on this CPU.

The same text, the same host code and the same launcher as on a GPU. Slower by far than the NumPy
backend, and worth it: every misuse is an exception that names kernel, line and thread.
"""

from minitensor.backend.emulator.device import EmulatorDevice
from minitensor.backend.emulator.errors import KernelError
from minitensor.backend.emulator.settings import order
from minitensor.backend.host import interface

name = "emulator"
device = EmulatorDevice()
xp = device.xp
globals().update(interface.bound(device))
