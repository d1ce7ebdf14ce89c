"""A GPU's public figures, and how long a kernel takes there at least, from what it moves.

    time >= bytes of arrays / memory bandwidth
    time >= sectors * 32 / (64 bytes a clock and SM)       between L2 and the SMs
    time >= wavefronts / (1 a clock and SM)                shared memory

The largest is the prediction, and its line what binds. Left out: arithmetic, latency that too few
warps cannot hide, the caches' hits, clocks that sink under load. Sources of the figures: NVIDIA's
data sheets and the tuning guides of the architectures (SMs, boost clock, memory, limits of an SM).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Gpu:
    """sms; clock in GHz; memory in GB/s; of an SM: threads, blocks, KiB of shared memory."""

    arch: str
    sms: int
    clock: float
    memory: float
    threads: int
    blocks: int
    shared: int
    registers: int = 65536


GPUS = {
    "T4": Gpu("sm_75", 40, 1.59, 320, 1024, 16, 64),
    "A100": Gpu("sm_80", 108, 1.41, 1555, 2048, 32, 164),
    "L4": Gpu("sm_89", 58, 2.04, 300, 1536, 24, 100),
    "4090": Gpu("sm_89", 128, 2.52, 1008, 1536, 24, 100),
    "H100": Gpu("sm_90", 132, 1.98, 3350, 2048, 32, 228),
    "H200": Gpu("sm_90", 132, 1.98, 4800, 2048, 32, 228),
    "B200": Gpu("sm_100", 148, 1.96, 8000, 2048, 32, 228),
}
L2_WIDTH = 64  # bytes a clock and SM
RESERVED = 1024  # bytes of shared memory that each block takes beside its own, from sm_80 on
WARP, REGISTER_UNIT, SHARED_UNIT = 32, 256, 1024


@dataclass(frozen=True)
class Occupancy:
    """Blocks on an SM at once, what part of its threads they are, and what allows no more."""

    blocks: int
    part: float
    limit: str


def occupancy(gpu: Gpu, threads: int, registers: int, shared: int) -> Occupancy:
    """Of blocks of so many threads, registers of a thread, and bytes of shared memory."""
    warps = -(-threads // WARP)
    each = -(-registers * WARP // REGISTER_UNIT) * REGISTER_UNIT  # registers of a warp
    room = -(-(shared + RESERVED) // SHARED_UNIT) * SHARED_UNIT
    limits = {
        "blocks": gpu.blocks,
        "threads": gpu.threads // (warps * WARP),
        "registers": gpu.registers // (each * warps) if registers else gpu.blocks,
        "shared memory": gpu.shared * 1024 // room,
    }
    limit = min(limits, key=lambda name: limits[name])
    return Occupancy(limits[limit], limits[limit] * warps * WARP / gpu.threads, limit)


def waves(gpu: Gpu, blocks: int, at_once: int) -> float:
    """How often all SMs are filled by a grid; the part of the last that is filled is its tail."""
    return blocks / (gpu.sms * at_once)


def bounds(gpu: Gpu, arrays: float, sectors: float, wavefronts: float) -> dict[str, float]:
    """Microseconds that each of the bounds above asks for."""
    per_second = gpu.sms * gpu.clock * 1e9
    return {
        "memory": arrays / gpu.memory / 1e3,
        "L2 to SM": sectors * 32 / (per_second * L2_WIDTH) * 1e6,
        "shared memory": wavefronts / per_second * 1e6,
    }
