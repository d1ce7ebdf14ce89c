"""NCCL on the GPUs that are here: right, and how fast.

    python -m benchmarks.nccl                      one GPU: every call, nothing that travels
    mpiexec -n 2 python -m benchmarks.nccl         two GPUs, a process each

Prints microseconds of a sum and of a bucket that travels beside a product of matrices.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from minitensor.backend import cuda
from minitensor.distribute.launch import take_a_gpu
from minitensor.distribute.mpi import open_mpi
from minitensor.distribute.nccl import NCCL

SIZES = (2**10, 2**20, 50 * 2**20)  # bytes
REPEATS = 20
SIDE = 4096  # of the matrices whose product a sum travels beside


def seconds(call: Callable[[], Any]) -> float:
    """Of one call, the GPU's work included; the least of REPEATS."""
    stream = cuda.device.xp.cuda.get_current_stream()
    best = float("inf")
    for _ in range(REPEATS):
        stream.synchronize()
        begun = time.perf_counter()
        call()
        stream.synchronize()
        best = min(best, time.perf_counter() - begun)
    return best


def main() -> None:
    """Checks the sums, then times them."""
    take_a_gpu()
    nccl = NCCL(open_mpi())
    p = nccl.size
    for nbytes in SIZES:
        own = cuda.asarray(np.full(nbytes // 4, nccl.rank + 1, np.float32))
        total = cuda.to_numpy(nccl.all_reduce(own))
        if not (total == p * (p + 1) / 2).all():
            raise ValueError(f"the sum of {nbytes} bytes on {p} GPUs is wrong: {total[:4]}")
        taken = seconds(lambda own=own: nccl.start_all_reduce(own).wait())  # type: ignore[misc]
        if nccl.rank == 0:
            travelled = 2 * (p - 1) / p * nbytes / taken / 1e9
            print(f"{nbytes:>9} bytes on {p} GPU: {taken * 1e6:.0f} us, {travelled:.1f} GB/s sent")
    a = cuda.asarray(np.ones((SIDE, SIDE), np.float32))
    alone, beside = seconds(lambda: a @ a), seconds(lambda: _beside(nccl, own, a))
    if nccl.rank == 0:
        print(
            f"a product of matrices: {alone * 1e6:.0f} us, with a sum beside it {beside * 1e6:.0f}"
        )
    if p == 1:
        print(
            "A communicator of one: types, pointers, streams and events are NCCL's own, and right; "
            "nothing travelled. Two GPUs would add: that two processes find each other by MPI, the "
            "bytes over NVLink or PCIe, and how much of them the product hides: "
            "mpiexec -n 2 python -m benchmarks.nccl"
        )


def _beside(nccl: NCCL, own: Any, a: Any) -> None:
    sent = nccl.start_all_reduce(own)
    a @ a
    sent.wait()


if __name__ == "__main__":
    main()
