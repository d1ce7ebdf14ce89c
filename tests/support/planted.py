"""Kernels with a fault planted in them: the text of a .cu with one piece replaced.

Everything else stays as it is, host code, launcher and emulator, so that what reports the fault
here is what would report it in a kernel of ours.
"""

from contextlib import contextmanager
from functools import cache

from minitensor.backend import emulator
from minitensor.backend.emulator import build
from minitensor.backend.emulator.kernel import Library
from minitensor.backend.host import source


@cache
def library(file, old, new):
    """The library of a .cu in which `old`, which must stand there once, reads `new`."""
    text = source.flat(file)
    assert text.count(old) == 1, f"{file} has {text.count(old)} times {old!r}"
    return Library(build.library(file, text.replace(old, new)))


@contextmanager
def planted(file, old, new):
    """Launches of the file's kernels run the faulty text inside the `with` block."""
    faulty = library(file, old, new)
    plain = emulator.device.function

    def function(kernel):
        if kernel.file != file:
            return plain(kernel)
        found = faulty.functions[kernel.name]
        found.names = [parameter.name for parameter in kernel.parameters]
        found.max_dynamic_shared_size_bytes = emulator.device.shared_limit
        return found

    emulator.device.function = function
    try:
        yield
    finally:
        del emulator.device.function
