"""A GPU's public figures, and how long a kernel takes there at least, from what it does.

    memory              bytes of arrays / memory bandwidth
    L2 to SM            sectors * 32 / (64 bytes a clock and SM)
    shared memory       wavefronts / (1 a clock and SM)
    FP32, FP64          operations / (2 a clock and lane: a fused multiply-add is two)
    tensor cores        operations / the data sheet's dense rate
    instructions        of the inner loop, of warps / (4 a clock and SM)

The largest is the prediction, and its line what binds; docs/kernel-metrics.md says what this leaves
out. Sources of the figures: NVIDIA's data sheets, the tuning guides of the architectures, and the
CUDA programming guide's table of arithmetic throughput (SMs, boost clock, memory, an SM's limits).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Gpu:
    """sms; clock in GHz; memory in GB/s; of an SM: threads, blocks, KiB of shared memory, lanes.

    Lanes do one fused multiply-add a clock, of float32 and of float64; half and tf32 are TFLOP/s of
    the tensor cores, dense, summed in float32.
    """

    arch: str
    sms: int
    clock: float
    memory: float
    threads: int
    blocks: int
    shared: int
    lanes: tuple[int, int]
    half: float
    tf32: float  # 0: none
    registers: int = 65536


GPUS = {
    "T4": Gpu("sm_75", 40, 1.59, 320, 1024, 16, 64, (64, 2), 65, 0),
    "A100": Gpu("sm_80", 108, 1.41, 1555, 2048, 32, 164, (64, 32), 312, 156),
    "L4": Gpu("sm_89", 58, 2.04, 300, 1536, 24, 100, (128, 2), 121, 60),
    "4090": Gpu("sm_89", 128, 2.52, 1008, 1536, 24, 100, (128, 2), 165, 83),
    "H100": Gpu("sm_90", 132, 1.98, 3350, 2048, 32, 228, (128, 64), 989, 495),
    "H200": Gpu("sm_90", 132, 1.98, 4800, 2048, 32, 228, (128, 64), 989, 495),
    "B200": Gpu("sm_100", 148, 1.96, 8000, 2048, 32, 228, (128, 64), 2250, 1100),
}
SCHEDULERS = 4  # of an SM; each begins one instruction of a warp a clock
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


@dataclass(frozen=True)
class Work:
    """What a launch does: bytes of arrays, sectors, wavefronts, operations, instructions of warps.

    Those of `single` and `double` are floating-point operations of threads, of `half` and `tf32`
    of tensor cores.
    """

    arrays: float
    sectors: float = 0
    wavefronts: float = 0
    single: float = 0
    double: float = 0
    half: float = 0
    tf32: float = 0
    instructions: float = 0

    @property
    def operations(self) -> float:
        """Of all kinds."""
        return self.single + self.double + self.half + self.tf32


def bounds(gpu: Gpu, work: Work) -> dict[str, float]:
    """Microseconds that each of the bounds above asks for, the largest first."""
    clocks = gpu.sms * gpu.clock * 1e3  # of all SMs in a microsecond
    single, double = gpu.lanes
    times = {
        "memory": work.arrays / gpu.memory / 1e3,
        "L2 to SM": work.sectors * 32 / (clocks * L2_WIDTH),
        "shared memory": work.wavefronts / clocks,
        "FP32": work.single / (2 * single * clocks),
        "FP64": work.double / (2 * double * clocks),
        "tensor cores": (work.half / gpu.half + (work.tf32 / gpu.tf32 if gpu.tf32 else 0)) / 1e6,
        "instructions": work.instructions / (SCHEDULERS * clocks),
    }
    return dict(sorted(times.items(), key=lambda pair: -pair[1]))
