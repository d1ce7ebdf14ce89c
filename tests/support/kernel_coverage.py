"""Which lines of the kernels ran: g++ counts them while the kernel tests run on the emulator.

    python tests/support/kernel_coverage.py        prints a table; exit 1 below 95 % of the lines

A line counts as run if it ran in any instance of its template.
"""

import gzip
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
WANTED = 95.0


def main():
    """Builds with counters into a cache of its own, runs the tests, reads the counts."""
    with tempfile.TemporaryDirectory() as cache:
        env = {
            **os.environ,
            "MINITENSOR_EMULATOR": "coverage",
            "MINITENSOR_CACHE": cache,
            "PYTHONPATH": str(ROOT),
        }
        tests = sorted(str(path) for path in ROOT.glob("tests/kernels/test_*.py"))
        subprocess.run([sys.executable, "-m", "pytest", "-q", *tests], env=env, check=True)
        everything = [sys.executable, "-m", "benchmarks.sanitize_set", "--device", "emulator"]
        subprocess.run(everything, env=env, cwd=ROOT, check=True)
        lines = counted(Path(cache, "emulator"))
    return report(lines)


def counted(folder):
    """file -> line -> how often it ran."""
    lines = defaultdict(lambda: defaultdict(int))
    for notes in folder.glob("*.gcno"):
        command = ["gcov", "--json-format", "--stdout", str(notes)]
        done = subprocess.run(command, capture_output=True, cwd=folder, check=True).stdout
        text = gzip.decompress(done) if done[:2] == b"\x1f\x8b" else done
        for part in filter(None, text.decode().splitlines()):
            for file in json.loads(part)["files"]:
                name = Path(file["file"])
                if name.parent.name == "kernels" and name.exists():  # tests write some too
                    for line in file["lines"]:
                        lines[name.name][line["line_number"]] += line["count"]
    return lines


def report(lines):
    """Prints the table; the exit status."""
    ran = total = 0
    for file, counts in sorted(lines.items()):
        missed = sorted(number for number, count in counts.items() if not count)
        print(f"{file:24s} {len(counts) - len(missed):4d} of {len(counts):4d} lines", *missed)
        ran, total = ran + len(counts) - len(missed), total + len(counts)
    share = 100 * ran / max(total, 1)
    print(f"{ran} of {total} lines of the kernels ran: {share:.1f} % ({WANTED} % wanted)")
    return int(share < WANTED)


if __name__ == "__main__":
    sys.exit(main())
