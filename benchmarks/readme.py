"""Writes the README's tables from what was measured: the parity ledger and the conv timings.

    minitensor parity --recorded --markdown benchmarks/results/parity.md
    python -m benchmarks.conv
    python -m benchmarks.readme

A table stands between two comments, `<!-- name:begin -->` and `<!-- name:end -->`; nothing else
of the README is touched, and `tests/test_readme.py` fails if a table is not the generated one.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
README = Path(__file__).parent.parent / "README.md"


def main() -> None:
    """Fills every table of the README."""
    README.write_text(filled(README.read_text(encoding="utf-8")), encoding="utf-8")


def filled(text: str) -> str:
    """`text` with all its tables generated anew."""
    tables = {
        "parity": (RESULTS / "parity.md").read_text(encoding="utf-8"),
        "conv-speed": conv_table(json.loads((RESULTS / "conv_cpu.json").read_text())),
    }
    for name, table in tables.items():
        begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
        pattern = re.compile(f"{begin}.*?{end}", re.DOTALL)
        assert pattern.search(text), f"the README has no place for {name}"
        text = pattern.sub(lambda _, b=begin, t=table, e=end: f"{b}\n{t.strip()}\n{e}", text)
    return text


def conv_table(report: dict[str, Any]) -> str:
    """The timings of `benchmarks.conv` as Markdown, with device, date and versions."""
    versions, machine = report["versions"], report["machine"]
    lines = [
        f"{report['what']}; {machine['cores']} cores of {machine['cpu']}, {report['date'][:10]}, "
        f"NumPy {versions['numpy']}, TensorFlow {versions['tensorflow-cpu']} (eager). A ratio "
        "above 1 means that TensorFlow is faster.",
        "",
        "| layer | input | filters | stride | ours, ms | TensorFlow, ms | ratio |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in report["layers"]:
        ours, theirs = (row["milliseconds"][side] for side in ("minitensor", "tensorflow"))
        lines.append(
            f"| {row['name']} | {tuple(row['input'])} | {tuple(row['filters'])} | {row['stride']} "
            f"| {ours:.1f} | {theirs:.1f} | {row['ratio']['minitensor']:.2f} |"
        )
    mean = report["geometric_mean_ratio"]["minitensor"]
    return "\n".join([*lines, f"| geometric mean | | | | | | {mean:.2f} |"])


if __name__ == "__main__":
    main()
