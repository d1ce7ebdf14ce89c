"""How many neighbours a memory-bound kernel moves at once.

A thread that reads 16 bytes with one instruction keeps memory busier than one that reads 4. It
takes a size that is a multiple of the pack and an address that is a multiple of 16 bytes.
"""

from __future__ import annotations

from typing import Any

from minitensor.backend.host.device import Device

BYTES = 16
_WIDEST = {"float32": 4, "float16": 8}  # numbers; double is wide enough alone


def pack_of(device: Device, size: int, first: Any, *others: Any) -> int:
    """Numbers of `first` in a pack: 16 bytes if runs of `size` and all addresses allow, else 1."""
    pack = _WIDEST.get(first.dtype.name, 1)
    aligned = all(device.address(array) % BYTES == 0 for array in (first, *others))
    return pack if aligned and size % pack == 0 else 1
