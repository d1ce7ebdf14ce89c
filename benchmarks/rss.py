"""What training does to memory: nothing may grow over 10,000 small steps, in `fit` of LeNet-5.

resident       MiB of this process after 1,000 and after 10,000 steps of 32 images
page faults    of one step of ResNet18 of 32 images, minor ones: each is 4 KiB of fresh memory
               or more, which the kernel fills with zeros
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import minitensor as tf
from benchmarks import report
from benchmarks.keras_net import FitSteps, training_step
from benchmarks.measure import progress
from benchmarks.networks import NETWORKS

EPOCH = 100  # steps
EPOCHS = (10, 100)  # after which the memory is read
FAULTY = 5  # steps of ResNet18 whose page faults are counted, after two that are not


def resident() -> float:
    """MiB of this process in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def growth(epoch: int, epochs: tuple[int, int], batch: int) -> dict[str, float]:
    """Resident MiB by number of steps."""
    steps = FitSteps(tf, NETWORKS["lenet5"], batch, epoch)
    found = {}
    for number in progress(range(1, epochs[1] + 1), "rss"):
        steps()
        if number in epochs:
            found[str(number * epoch)] = round(resident(), 1)
    return found


def page_faults(network: str, batch: int, count: int) -> float:
    """Minor page faults of a training step, the mean of `count`."""
    step = training_step(tf, NETWORKS[network], batch)
    step(), step()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(count):
        step()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / count


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--quick", action="store_true", help="a few steps, to see that it runs")
    report.add_destination(parser)
    parser.set_defaults(parser=parser)


def main(args: argparse.Namespace) -> int:
    """Prints both, and writes rss_cpu.json."""
    out, start = report.destination(args.parser, args), time.monotonic()
    sizes = growth(2, (1, 2), 2) if args.quick else growth(EPOCH, EPOCHS, 32)
    asked = ("lenet5", 2, 1) if args.quick else ("resnet18", 32, FAULTY)
    with ProcessPoolExecutor(1, get_context("spawn")) as fresh:  # no memory kept from before
        faults = fresh.submit(page_faults, *asked).result()
    first, last = sizes.values()
    for steps, size in sizes.items():
        print(f"resident after {int(steps):6,} steps: {size:8.1f} MiB")
    print(f"growth: {last - first:+.1f} MiB; page faults of a step: {faults:,.0f}")
    if not args.quick:
        content: dict[str, Any] = {
            "what": "resident MiB by steps of lenet5 in fit, page faults of a resnet18 step",
            "date": report.today(),
            "commit": report.commit(),
            "machine": report.machine(),
            "seconds": round(time.monotonic() - start, 1),
            "resident": sizes,
            "page_faults": faults,
            "rows": [],
        }
        report.write(out / "rss_cpu.json", content)
    return 0
