"""What is written down: rows, ratios to the fastest peer, and the machine they were measured on."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import geometric_mean
from typing import Any

from benchmarks.measure import Measured, Plan, digits
from minitensor.files import atomic_write

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"  # committed: only `--commit` writes there
LATEST = Path("benchmark-results")
PACKAGES = ("numpy", "scipy", "threadpoolctl", "tensorflow-cpu", "torch", "cupy-cuda13x")
OURS = "minitensor"
WORDS = {OURS: "ours", "tensorflow": "TF"}
HEADS = {  # what a figure beside the milliseconds is called in a table
    "ratio": "/peer",  # the fastest
    "fraction": "/roof",
    "of_product": "of matmul",
}
PRODUCT = f"{OURS} product"  # no time of a convolution: of NumPy's product of the same size
Report = dict[str, Any]


def add_destination(parser: argparse.ArgumentParser) -> None:
    """The options that say where results go."""
    add = parser.add_argument
    add("--out", type=Path, metavar="DIR", help=f"where results go (default: {LATEST})")
    add("--commit", action="store_true", help="write them into benchmarks/results, to be committed")


def destination(parser: argparse.ArgumentParser, args: argparse.Namespace) -> Path:
    """Where results go; committed ones are not overwritten by an experiment."""
    if args.commit:
        if args.out:
            parser.error("--commit writes into benchmarks/results: it takes no --out")
        return RESULTS
    out: Path = args.out or LATEST
    if out.resolve().is_relative_to(RESULTS):
        parser.error(f"{out} holds committed results; --commit writes there, --out elsewhere")
    return out


def report(what: str, method: str, plan: Plan, found: Measured) -> Report:
    """The run as one JSON object."""
    for row in found.rows:
        row["ratio"] = ratios(row["milliseconds"])
    return {
        "what": what,
        "method": method,
        "timed": plan.timed,
        "date": today(),
        "commit": commit(),
        "machine": machine() | {"device": plan.device},
        "versions": {"python": platform.python_version()} | versions() | found.about,
        "rounds": plan.rounds,
        "absent": found.absent,
        "left_out": found.left_out,
        "rows": found.rows,
        "geometric_mean_ratio": means(found.rows),
    }


def today() -> str:
    """The date and the time, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def ratios(milliseconds: dict[str, float | None]) -> dict[str, float]:
    """Each of our columns' time over the fastest peer's; above 1 the peer is faster."""
    times = {column: ms for column, ms in milliseconds.items() if ms is not None}
    peers = [ms for column, ms in times.items() if not column.startswith(OURS)]
    if not peers:
        return {}
    ours = (c for c in times if c.startswith(OURS) and c != PRODUCT)
    return {c: digits(times[c] / min(peers)) for c in ours}


def means(rows: Iterable[Report], figure: str = "ratio") -> dict[str, dict[str, float]]:
    """Geometric means of a figure, for each group and column that answered all its rows."""
    groups: dict[str, list[dict[str, float]]] = defaultdict(list)
    for row in rows:
        for group in (row["group"], *row.get("also", ())):
            if row[figure]:
                groups[group].append(row[figure])
    return {
        group: {
            column: digits(geometric_mean(row[column] for row in members))
            for column in members[0]
            if all(column in row for row in members)
        }
        for group, members in groups.items()
    }


def write(path: Path, content: Report) -> None:
    """As JSON, one line per row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [json.dumps(row) for row in content["rows"]]
    head = json.dumps({**content, "rows": []}, indent=1)
    body = '"rows": [\n  ' + ",\n  ".join(rows) + "\n ]" if rows else '"rows": []'
    with atomic_write(path) as fresh:
        fresh.write_text(head.replace('"rows": []', body) + "\n", encoding="utf-8")
    print(f"written to {path}")


def commit() -> str:
    """The commit, with a + if files were changed; without git, a digest of kernels and package."""
    try:
        head = _git("rev-parse", "HEAD")
        return head + ("+" if _git("status", "--porcelain", "minitensor", "kernels") else "")
    except (OSError, subprocess.CalledProcessError):
        files = sorted([*ROOT.glob("kernels/*"), *ROOT.glob("minitensor/**/*.py")])
        text = b"".join(file.read_bytes() for file in files if file.is_file())
        return f"files sha256 {hashlib.sha256(text).hexdigest()[:16]}"


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def versions() -> dict[str, str]:
    """Versions of what can take part, and "absent" for what is not installed."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found


def machine() -> dict[str, Any]:
    """Processor, cores, processes that wanted one, and the NVIDIA driver if there is one."""
    found = {"cpu": _cpu(), "cores": os.cpu_count(), "load": os.getloadavg()[0]}
    driver = Path("/proc/driver/nvidia/version")
    if driver.exists():
        found["nvidia_driver"] = driver.read_text().splitlines()[0]
    return found


def _cpu() -> str:
    """The processor's name and its widest vector instructions, where Linux tells."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    fields = dict(line.split(":", 1) for line in text.split("\n\n")[0].splitlines())
    fields = {name.strip(): value.strip() for name, value in fields.items()}
    flags = set(fields.get("flags", "").split())
    widest = next((flag for flag in ("avx512f", "avx2", "avx") if flag in flags), "")
    return f"{fields.get('model name', platform.machine())} {widest}".strip()


# ----- shown to a person -----


def show(content: Report, columns: Iterable[str]) -> None:
    """The report as a table: names, milliseconds; our own of `columns`, and ratios to peers."""
    rows = content["rows"]
    timed = list(dict.fromkeys(c for row in rows for c in row["how"]))
    figures = [
        (figure, column)
        for figure in (*columns, "ratio")
        for column in dict.fromkeys(c for row in rows for c in row.get(figure, ()))
        if column.startswith(OURS) or column not in timed
    ]
    heads = ["", *map(short, timed)]
    heads += ["|", *(f"{short(column)} {HEADS[figure]}".strip() for figure, column in figures)]
    body: dict[str, list[list[str]]] = defaultdict(list)
    for row in rows:
        found = (row.get(figure, {}).get(column) for figure, column in figures)
        cells = ["|", *("-" if number is None else f"{number:.2f}" for number in found)]
        body[row["group"]].append([row["name"], *(_cell(row, c) for c in timed), *cells])
    device = content["versions"].get("gpu", _cpu())
    _print(f"{content['what']}, ms; {content['date'][:10]}, {device}", heads, body)
    for group, found in content["geometric_mean_ratio"].items():
        words = ", ".join(f"{short(column)} {figure:.2f}" for column, figure in found.items())
        print(f"time / fastest peer's, geometric mean, {group}: {words}")
    for group, found in content.get("geometric_mean_of_product", {}).items():
        words = ", ".join(f"{short(column)} {figure:.2f}" for column, figure in found.items())
        print(f"NumPy's matrix product / time, geometric mean, {group}: {words}")
    for figure in ("percent", "images_per_second"):
        for row in rows:
            numbers = [f"{short(column)} {n:.4g}" for column, n in row.get(figure, {}).items()]
            if numbers:
                what = f"{figure.replace('_', ' ')}, {row['name']}, {row['group']}"
                print(f"{what}: {', '.join(numbers)}")
    for name, reason in content["absent"].items():
        print(f"absent: {name} ({reason})")
    if content["left_out"]:
        print("no time was left for:", "; ".join(content["left_out"]))
    for column, reason in dict.fromkeys(_refusals(rows)):
        print(f"{short(column)} has no figure: {reason}")
    for failure in failures(content):
        print(failure)


def _refusals(rows: Iterable[Report]) -> Iterator[tuple[str, str]]:
    """Columns that do not offer something, with the reasons."""
    for row in rows:
        for column, words in row["how"].items():
            if words.startswith("none: "):
                yield column, words.removeprefix("none: ")


def failures(content: Report) -> list[str]:
    """The cells that failed, with the reasons, and the rows whose columns disagree."""
    rows = [(f"{row['name']} ({row['group']})", row) for row in content["rows"]]
    return [
        f"{name}, {column}: {words}"
        for name, row in rows
        for column, words in row["how"].items()
        if words.startswith("failed")
    ] + [f"{name}: results differ, norms {row['norms']}" for name, row in rows if "norms" in row]


def _cell(row: Report, column: str) -> str:
    if column not in row["milliseconds"]:
        return "FAILED" if row["how"].get(column, "").startswith("failed") else "-"
    ms = row["milliseconds"][column]
    return "ran" if ms is None else f"{ms:.4g}"


def short(column: str) -> str:
    """A column in few words: "minitensor fit" as "ours fit"."""
    library, _, option = column.partition(" ")
    return f"{WORDS.get(library, library)} {option.removeprefix('tf.')}".strip()


def _print(title: str, heads: list[str], body: dict[str, list[list[str]]]) -> None:
    """Lines below their group's name."""
    try:
        from rich import box
        from rich.console import Console
        from rich.table import Table
    except ImportError:
        print(title, "  ".join(heads), sep="\n")
        for group, lines in body.items():
            print(group, *("  ".join(line) for line in lines), sep="\n")
        return
    table = Table(title=title, box=box.SIMPLE, padding=(0, 1, 0, 0))
    lines = [line for group in body.values() for line in group]
    needed = 2
    for number, head in enumerate(heads):
        cells = [*head.split(), *(line[number] for line in lines), *(() if head else body)]
        least = max(map(len, cells), default=0)
        needed += least + 2
        words = head.replace(" ", "\n")  # narrow columns
        table.add_column(words, justify="right" if head else "left", no_wrap=True, min_width=least)
    for group, lines in body.items():
        table.add_row(f"[bold]{group}")
        for line in lines:
            table.add_row(*line)
        table.add_section()
    console = Console()
    console.width = max(console.width, needed)  # a figure is never cut
    console.print(table)
