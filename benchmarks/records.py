"""A train set that does not fit memory: a million records through tf.data, here and by TensorFlow.

    TFRecordDataset -> shuffle(10,000) -> batch(256) -> parse_example -> prefetch

An example is 16 floats, a label and a number. Each side reads the same file in a process of its
own: records per second, and resident MiB after a tenth of the records and after all of them, which
must not differ by much.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import minitensor
from benchmarks import report
from benchmarks.rss import resident

SIDES = ("minitensor", "tensorflow")
VALUES, BATCH, SHUFFLED = 16, 256, 10_000
COUNT = 1_000_000


def write(path: Path, count: int) -> None:
    """So many examples; their bytes but for the values are those of the first."""
    train = minitensor.train
    one = train.Example(
        features=train.Features(
            feature={
                "label": train.Feature(int64_list=train.Int64List(value=[1])),
                "x": train.Feature(float_list=train.FloatList(value=[0.5] * VALUES)),
            }
        )
    ).SerializeToString()
    floats = np.full(VALUES, 0.5, "<f4").tobytes()
    before, after = one.split(floats)
    random = np.random.default_rng(0)
    with minitensor.io.TFRecordWriter(path) as file:
        for start in range(0, count, 10_000):
            for row in random.normal(size=(min(10_000, count - start), VALUES)).astype("<f4"):
                file.write(before + row.tobytes() + after)


def read(side: str, path: str, count: int) -> dict[str, float]:
    """What one side needs for a pass."""
    tf: Any = importlib.import_module(side)
    features = {
        "label": tf.io.FixedLenFeature([], tf.int64),
        "x": tf.io.FixedLenFeature([VALUES], tf.float32),
    }
    dataset = tf.data.TFRecordDataset(path).shuffle(SHUFFLED).batch(BATCH)
    dataset = dataset.map(lambda rows: tf.io.parse_example(rows, features), tf.data.AUTOTUNE)
    seen, early = 0, 0.0
    start, cpu = time.monotonic(), time.process_time()
    for batch in dataset.prefetch(tf.data.AUTOTUNE):
        seen += int(batch["x"].shape[0])
        early = early or (resident() if seen >= count / 10 else 0.0)
    if seen != count:
        raise ValueError(f"{side} read {seen} of {count} records")
    return {
        "records per second": round(seen / (time.monotonic() - start)),
        "records per CPU second": round(seen / (time.process_time() - cpu)),
        "MiB after a tenth": round(early, 1),
        "MiB after all": round(resident(), 1),
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--count", type=int, default=COUNT, help="records")
    report.add_destination(parser)
    parser.set_defaults(parser=parser)


def main(args: argparse.Namespace) -> int:
    """Prints what both sides need, and writes records_cpu.json."""
    out, found = report.destination(args.parser, args), {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "some.tfrecord"
        write(path, args.count)
        for side in SIDES:
            words = [sys.executable, "-m", "benchmarks.records", side, str(path), str(args.count)]
            answer = subprocess.run(words, capture_output=True, text=True)
            if answer.returncode:
                print(f"{side}: not measured: {answer.stderr.strip().splitlines()[-1]}")
                continue
            found[side] = json.loads(answer.stdout.splitlines()[-1])
            print(f"{side:12}", *(f"{name}: {value:,}" for name, value in found[side].items()))
    content = {
        "what": f"{args.count} records of {VALUES} floats and a label: shuffle, batch, parse",
        "date": report.today(),
        "commit": report.commit(),
        "machine": report.machine(),
        "sides": found,
        "rows": [],
    }
    report.write(out / "records_cpu.json", content)
    return 0


if __name__ == "__main__":
    print(json.dumps(read(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
