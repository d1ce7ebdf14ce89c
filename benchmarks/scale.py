"""Training on several ranks of this machine, each on a core of its own: rates, bytes, overlap.

strong      a step on p ranks of the same batch for all, against one rank
weak        a step on p ranks of a batch p times as large, against one rank
bytes       what a rank sends in a step, counted by Linux where all goes over TCP (its loopback),
            against 2 (p - 1) / p of the gradients, the least that an all-reduce can send
overlap     1 - (time waited for sums in a step) / (time of the same sums with nothing beside);
            what is waited for includes the other rank, where that one is later

`--predict SECONDS BYTES` measures nothing: it tells what docs/scaling.md derives for any network of
computers from the time of a step on one of them and the bytes of the parameters.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import report
from benchmarks.measure import progress
from minitensor import pictures

NETWORKS, BATCHES, ROUNDS = ("vgg13", "resnet18"), (32, 64, 128), 3
RESNET50 = 16  # images of 224x224 of the step that docs/scaling.md starts from
STEPS = {32: 8, 64: 6, 128: 5, 2: 3}
TCP = {"MPIR_CVAR_NOLOCAL": "1", "MPIR_CVAR_CH4_NETMOD": "ofi", "FI_PROVIDER": "tcp"}
LINKS = {  # bytes a second and seconds of a message, as their makers say
    "10 Gbit Ethernet": (1.25e9, 20e-6),
    "100 Gbit Ethernet": (12.5e9, 5e-6),
    "200 Gbit InfiniBand": (25e9, 2e-6),
    "NVLink 4": (450e9, 2e-6),
}


def predicted(step: float, size: float, ranks: int, bandwidth: float, latency: float) -> float:
    """Seconds of a step on `ranks` computers that each take a batch of their own.

    max(2/3 step, sums) + 1/3 step: a third of a step is forward, and the sums travel while the
    walk back goes on; a ring sums in 2 (p - 1) messages of size / p.

    Args:
        step: seconds of a step on one.
        size: bytes of the parameters.
        bandwidth, latency: of the link, bytes a second and seconds.
    """
    sums = 2 * (ranks - 1) * (size / ranks / bandwidth + latency)
    return step / 3 + max(2 / 3 * step, sums)


def run(ranks: int, network: str, batch: int, steps: int, **more: str) -> dict[str, Any]:
    """What the first rank measured."""
    mpiexec = Path(sys.executable).with_name("mpiexec")
    command = [str(mpiexec), "-n", str(ranks), sys.executable, "-m", "benchmarks.scale_rank"]
    one = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "NUMBA")}
    found = subprocess.run(
        [*command, network, str(batch), str(steps)],
        env={**os.environ, **one, **more}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if found.returncode:
        raise RuntimeError(found.stderr[-2000:])
    answer: dict[str, Any] = json.loads(found.stdout.strip().splitlines()[-1])
    return answer


def rates(networks: Any, batches: Any, rounds: int, steps: Any) -> list[dict[str, Any]]:
    """A row per network and batch: milliseconds of a step on one and on two ranks, by turns."""
    found: dict[tuple[str, int], list[tuple[Any, Any]]] = {}
    for _ in progress(range(rounds), "scale"):
        for network in networks:
            for batch in batches:
                alone, both = (run(p, network, batch, steps[batch]) for p in (1, 2))
                found.setdefault((network, batch), []).append((alone, both))
    rows = []
    for (network, batch), pairs in found.items():
        one: list[dict[str, Any]] = [pair[0] for pair in pairs]
        two: list[dict[str, Any]] = [pair[1] for pair in pairs]
        waited, sums = (median(t[name] for t in two) for name in ("waited", "alone"))
        rows.append(
            {
                "name": f"{network}, batch {batch}",
                "one": round(median(t["step"] for t in one), 1),
                "two": round(median(t["step"] for t in two), 1),
                "strong": round(median(a["step"] / b["step"] for a, b in pairs), 2),
                "waited": round(waited, 1),
                "sums_alone": round(sums, 1),
                "overlap": round(1 - waited / sums, 2),
                "timeline": two[-1]["last_step"],
            }
        )
    return rows


def add_weak(rows: list[dict[str, Any]]) -> None:
    """Images a second of two ranks that have this batch each, against one."""
    by_name = {row["name"]: row for row in rows}
    for row in rows:
        network, batch = row["name"].split(", batch ")
        twice = by_name.get(f"{network}, batch {2 * int(batch)}")
        if twice:
            row["weak"] = round(2 * row["one"] / twice["two"], 2)


def sent(networks: Any, batch: int, steps: Any) -> list[dict[str, Any]]:
    """A row per network and number of ranks: bytes of a step, and of the least possible."""
    rows = []
    for network in networks:
        for ranks in (2, 4):
            found = run(ranks, network, batch, steps[batch], **TCP)
            names = ("sent", "over_tcp", "bound")
            rows.append(
                {"name": f"{network}, {ranks} ranks"}
                | {name: round(found[name]) for name in names}
                | {"ratio": round(found["over_tcp"] / found["bound"], 4)}
            )
    return rows


def draw(path: Path, row: dict[str, Any]) -> None:
    """The last step of a row: when each bucket of gradients left and arrived."""
    from matplotlib.figure import Figure

    buckets, end = row["timeline"]
    with pictures.style():
        figure = Figure((8, 3.2), layout="constrained")
        axes = figure.subplots()
        for number, bucket in enumerate(buckets):
            width = bucket["arrived"] - bucket["left"]
            axes.barh(number, width, left=bucket["left"], height=0.7)
            axes.text(end * 1.01, number, f"{bucket['bytes'] / 2**20:.2g} MiB", va="center")
        axes.axvline(end, color="0.4", linestyle=":")
        axes.set(xlabel="milliseconds since the step began (dotted: its end)", ylabel="sum")
        axes.set_title(f"{row['name']}, two ranks: when the sums of gradients travel")
        axes.set_xlim(0)
        axes.invert_yaxis()
        figure.savefig(path, dpi=110)
    print(f"written to {path}")


def show_prediction(step: float, size: float) -> None:
    """Images a second of p ranks against one, in percent of p."""
    counts = [2**n for n in range(1, 11)]
    print(f"{'ranks':22}" + "".join(f"{p:>7,}" for p in counts))
    for link, (bandwidth, latency) in LINKS.items():
        parts = (100 * step / predicted(step, size, p, bandwidth, latency) for p in counts)
        print(f"{link:22}" + "".join(f"{part:>6.0f}%" for part in parts))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    add = parser.add_argument
    add("--quick", action="store_true", help="a few steps of LeNet-5, to see that it runs")
    add("--rounds", type=int, default=ROUNDS, help="how often both are asked for each batch")
    add("--predict", nargs=2, type=float, metavar=("SECONDS", "BYTES"), help="only calculate")
    report.add_destination(parser)
    parser.set_defaults(parser=parser)


def main(args: argparse.Namespace) -> int:
    """Prints the rows, and writes scale_cpu.json and a picture."""
    if args.predict:
        show_prediction(*args.predict)
        return 0
    out, start = report.destination(args.parser, args), time.monotonic()
    networks, batches = (("lenet5",), (2,)) if args.quick else (NETWORKS, BATCHES)
    rows = rates(networks, batches, 1 if args.quick else args.rounds, STEPS)
    add_weak(rows)
    traffic = sent(networks, batches[0], STEPS)
    large = {} if args.quick else run(1, "resnet50", RESNET50, 3)
    for row in [*rows, *traffic]:
        print("  ".join(f"{k} {v}" for k, v in row.items() if k != "timeline"))
    if args.quick:
        return 0
    content: dict[str, Any] = {
        "what": "training steps on two ranks against one, each rank on a core of its own",
        "date": report.today(),
        "commit": report.commit(),
        "machine": report.machine(),
        "versions": report.versions(),
        "rounds": args.rounds,
        "seconds": round(time.monotonic() - start, 1),
        "bytes": traffic,
        "resnet50": {"batch": RESNET50, "step": large["step"], "bytes": large["parameters"]},
        "rows": rows,
    }
    report.write(out / "scale_cpu.json", content)
    draw(out / "scale_cpu.png", rows[-1])
    return 0
