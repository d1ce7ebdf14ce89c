"""Compiles every kernel file for the GPU at hand, several at once, so that no later job waits.

python -m benchmarks.warm_up
"""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from minitensor.backend import cuda
from minitensor.backend.cuda import nvrtc
from minitensor.backend.host import source


def compiled(file: str, arch: str) -> tuple[str, float]:
    """Puts one cubin into the cache; its name and the seconds that took."""
    start = time.perf_counter()
    nvrtc.cubin(file, arch)
    return file, time.perf_counter() - start


def main() -> None:
    """Compiles in processes of their own, then loads all here."""
    arch = f"sm_{cuda.device.xp.cuda.Device().compute_capability}"
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for file, seconds in pool.map(partial(compiled, arch=arch), source.files()):
            print(f"{file:24} {arch} {seconds:5.1f} s", flush=True)
    cuda.warm_up()
    print(f"{len(source.files())} files loaded")


if __name__ == "__main__":
    main()
