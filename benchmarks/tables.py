"""Writes the tables of the pages from what was measured: the parity ledger and the timings.

    minitensor parity --recorded --markdown benchmarks/results/parity.md
    python -m benchmarks conv, conv --layers ten, conv --layers deepbench, memory, step, latency
    python -m benchmarks records
    python examples/mnist_cnn.py --data fashion_mnist --out benchmarks/results/fashion_mnist
    python -m benchmarks.on_gpu --commit        (on a machine with a GPU)
    python -m benchmarks.tables

A table stands between two comments, `<!-- name:begin -->` and `<!-- name:end -->`; nothing else
of a page is touched, and `test_readme.py` fails if a table is not the generated one. A figure of a
GPU comes from a committed result that names the device and the date, or is not there.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.report import RESULTS, ROOT, short

PAGES = {  # where each table stands
    "docs/parity.md": ("parity",),
    "docs/large-data.md": ("records",),
    "docs/speed.md": ("conv-speed", "means", "step-speed", "gpu-speed", "fashion-mnist"),
}
WORDS = {"minitensor": "ours", "minitensor fast": "ours fast", "tensorflow": "TensorFlow"}
WORDS |= {"torch nhwc": "PyTorch NHWC", "torch nchw": "PyTorch NCHW"}
MEANS = ("conv_ten", "conv_deepbench", "memory", "latency")  # results of which means are told
NOT_YET = (
    "The kernels are not yet measured on a GPU. On a machine that has one, "
    "`python -m benchmarks.on_gpu --out DIR` runs the tests, the sanitizers and these benchmarks "
    "in under nine minutes; the tables here are made from the results that are committed."
)
MATMUL = "NumPy's matrix product of the same size / time"
Report = dict[str, Any]


def main() -> None:
    """Fills every table of every page."""
    for page, names in PAGES.items():
        path = ROOT / page
        path.write_text(filled(path.read_text(encoding="utf-8"), names), encoding="utf-8")


def filled(text: str, names: Iterable[str], results: Path = RESULTS) -> str:
    """`text` with the tables of these names generated anew."""
    tables = {
        "parity": (results / "parity.md").read_text(encoding="utf-8"),
        "means": means_table(results),
        "conv-speed": conv_table(json.loads((results / "conv_cpu.json").read_text())),
        "step-speed": step_table(json.loads((results / "step_cpu.json").read_text())),
        "fashion-mnist": training_table(results / "fashion_mnist"),
        "gpu-speed": gpu_tables(results),
        "records": records_table(json.loads((results / "records_cpu.json").read_text())),
    }
    for name in names:
        table = tables[name]
        begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
        pattern = re.compile(f"{begin}.*?{end}", re.DOTALL)
        assert pattern.search(text), f"there is no place for {name}"
        whole = f"{begin}\n{table.strip()}\n{end}".replace("\\", r"\\")
        text = pattern.sub(whole, text)
    return text


def records_table(content: Report) -> str:
    """What each side needs for a pass over a train set."""
    names = next(iter(content["sides"].values()))
    lines = [f"| | {' | '.join(names)} |", "|---" + "|---:" * len(names) + "|"]
    for side, found in content["sides"].items():
        lines.append(f"| {side} | " + " | ".join(f"{value:,}" for value in found.values()) + " |")
    machine = content["machine"]
    where = f"{machine['cpu']}, {machine['cores']} cores, {content['date'][:10]}"
    return "\n".join([*lines, "", where, ""])


def conv_table(report: Report) -> str:
    """The timings of convolutions on a CPU, with device, date and versions."""
    versions, machine, rows = report["versions"], report["machine"], report["rows"]
    sides = [side for side in WORDS if side in rows[0]["milliseconds"]]
    ours = [side for side in sides if side in rows[0]["ratio"]]
    lines = [
        f"{report['what']}; {machine['cores']} cores of {machine['cpu']}, {report['date'][:10]}, "
        f"NumPy {versions['numpy']}, {_peers(versions)}. A ratio above 1 means that the fastest "
        "peer is faster.",
        "",
        *_head(
            *("layer", "shapes", "threads"),
            *(f"ratio{s.removeprefix('minitensor')}" for s in ours),
            *(f"{WORDS[s]}, ms" for s in sides),
        ),
    ]
    for row in rows:
        times = [f"{row['milliseconds'][side]:.1f}" for side in sides]
        ratios = [f"{row['ratio'][side]:.2f}" for side in ours]
        lines.append(_line(row["name"], _shapes(row), row.get("threads", "all"), *ratios, *times))
    for group, found in report["geometric_mean_ratio"].items():
        if "3x3" not in group:
            ratios = [f"{found[side]:.2f}" for side in ours]
            lines.append(_line(f"geometric mean, {group}", "", "", *ratios, *[""] * len(sides)))
    return "\n".join(lines)


def _shapes(row: Report) -> str:
    """Images, kernel, outputs and stride: "32x16x16x64, 3x3 to 128, /2"."""
    kh, kw, _, outputs = row["filters"]
    stride = f", /{row['stride']}" if row["stride"] > 1 else ""
    return f"{'x'.join(map(str, row['input']))}, {kh}x{kw} to {outputs}{stride}"


def means_table(results: Path) -> str:
    """Geometric means of the committed results that have many rows, one line per group."""
    lines = []
    for name in MEANS:
        path = results / f"{name}_cpu.json"
        if not path.exists():
            continue
        report = json.loads(path.read_text())
        products = report.get("geometric_mean_of_product", {})
        for group, found in report["geometric_mean_ratio"].items():
            cells = [_mean(found), _mean(products.get(group, {}))]
            lines.append(_line(f"`{name}`", group, *cells, report["date"][:10]))
    return "\n".join([*_head("bench", "rows", "time / fastest peer", MATMUL, "date"), *lines])


def _mean(found: dict[str, float]) -> str:
    names = ((c, c.removeprefix("minitensor").strip() or "exact") for c in found)
    return ", ".join(f"{name} {found[c]:.2f}" for c, name in names if name in ("exact", "fast"))


def step_table(report: Report) -> str:
    """Whole training steps on a CPU, and how ours stand beside the fastest peer."""
    versions, machine = report["versions"], report["machine"]
    ours = list(report["rows"][0]["ratio"])
    columns = list(report["rows"][0]["milliseconds"])
    peers = _peers(versions).replace(" (eager)", "")
    lines = [
        "Milliseconds of one training step, float32, SGD with momentum (the MNIST CNN: Adam), "
        f"median of interleaved rounds; {machine['cores']} cores of {machine['cpu']}, "
        f"{report['date'][:10]}, NumPy {versions['numpy']}, {peers}. "
        '"keras" is a Keras model with Keras\' loss and '
        "optimizer under a tape, the same text for both libraries"
        + ('; "fit" is an update in `Model.fit`' if "minitensor fit" in columns else "")
        + ". A ratio above 1 means that the fastest peer is faster.",
        "",
        *_head("network", "threads", *map(short, columns), *(f"{short(c)} / peer" for c in ours)),
    ]
    for row in report["rows"]:
        times = (_cell(row["milliseconds"].get(c)) for c in columns)
        ratios = (_cell(row["ratio"].get(c)) for c in ours)
        lines.append(_line(row["name"], row.get("threads", "all"), *times, *ratios))
    return "\n".join(lines)


def training_table(folder: Path) -> str:
    """The log of the recorded training, epoch by epoch, and what it was."""
    run = json.loads((folder / "run.json").read_text())
    with (folder / "log.csv").open() as file:
        epochs = list(csv.DictReader(file))
    lines = [
        f"`{run['command']}`, {run['images']:,} images, {run['parameters']:,} parameters, "
        f"{run['seconds']:.0f} s on {run['machine']}, {run['date']}, NumPy {run['numpy']}.",
        "",
        *_head("epoch", "loss", "accuracy", "test loss", "test accuracy"),
    ]
    for epoch in epochs:
        figures = (float(epoch[k]) for k in ("loss", "accuracy", "val_loss", "val_accuracy"))
        lines.append(_line(int(epoch["epoch"]) + 1, *(f"{figure:.4f}" for figure in figures)))
    return "\n".join(lines)


def gpu_tables(results: Path) -> str:
    """The tables of those GPU results that are there and hold times; else that there are none."""
    tables = []
    for name, table in (("conv", _conv), ("memory", _memory), ("step", _step)):
        path = results / f"{name}_gpu.json"
        report = json.loads(path.read_text()) if path.exists() else {"timed": False}
        if report["timed"]:
            tables.append("\n".join([*_origin(report), *table(report)]))
    return "\n\n".join(tables) or NOT_YET


def _origin(report: Report) -> list[str]:
    versions = report["versions"]
    words = f"**{report['what']}**, {versions['gpu']}, {report['date'][:10]}, CuPy "
    words += f"{versions['cupy']}, PyTorch {versions['torch']}, cuDNN {versions.get('cudnn', '-')}"
    commit = report["commit"]
    source = commit if commit.startswith("files") else f"commit {commit[:8]}"
    return [f"{words}, {source}; {report['method']}.", ""]


def _conv(report: Report) -> list[str]:
    """Geometric means over the layers; the layers themselves are in the JSON."""
    means = report["geometric_mean_ratio"]
    columns = list(dict.fromkeys(column for found in means.values() for column in found))
    lines = _head("speed beside the faster cuDNN", "layers", *columns)
    for group, found in means.items():
        count = sum(group in (row["group"], *row["also"]) for row in report["rows"])
        cells = [f"{1 / found[c]:.2f}" if c in found else "" for c in columns]
        lines.append(_line(group, count, *cells))
    return lines


def _memory(report: Report) -> list[str]:
    copy = report["ceilings"]["0"]["copy"] / 1e9
    lines = _head(f"fraction of a copy's {copy:.4g} GB/s", "ours", "PyTorch, its best layout")
    for row in report["rows"]:
        found = dict(row["fraction"])
        ours = found.pop("minitensor", None)
        lines.append(
            _line(row["name"], *(_cell(f) for f in (ours, max(found.values(), default=None))))
        )
    return lines


def _step(report: Report) -> list[str]:
    columns = list(dict.fromkeys(c for row in report["rows"] for c in row["milliseconds"]))
    lines = _head("milliseconds of one step", *columns)
    for row in report["rows"]:
        lines.append(_line(row["name"], *(_cell(row["milliseconds"].get(c)) for c in columns)))
    return lines


def _peers(versions: dict[str, str]) -> str:
    found = [f"TensorFlow {versions['tensorflow-cpu']} (eager)"]
    if versions.get("torch", "absent") != "absent":
        found.append(f"PyTorch {versions['torch']} (eager)")
    return ", ".join(found)


def _head(*names: str) -> list[str]:
    return [_line(*names), "|---" * len(names) + "|"]


def _line(*cells: Any) -> str:
    return f"| {' | '.join(map(str, cells))} |".replace("|  |", "| |").replace("|  |", "| |")


def _cell(figure: float | None) -> str:
    return "" if figure is None else f"{figure:.3g}"


if __name__ == "__main__":
    main()
