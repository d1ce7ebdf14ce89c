"""Forked children draw numbers of their own."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import os, sys
import numpy as np
import minitensor as tf
from minitensor.backend.generator import using

if sys.argv[1] != "None":
    tf.random.set_seed(int(sys.argv[1]))
    tf.random.normal([3])

inside = np.random.default_rng(5)

def draw(file):
    with using(inside):
        pid = os.fork()
        drawn = [int(tf.random.uniform([], 0, 2**31 - 1, "int32"))]
    drawn.append(int(tf.random.uniform([], 0, 2**31 - 1, "int32")))
    kept = tf.keras.layers.Dropout(0.5)(tf.ones([62]), training=True).numpy() > 0
    drawn.append(int(kept.astype("int64").dot(2 ** np.arange(62))))
    os.write(file, (" ".join(map(str, drawn)) + "\\n").encode())
    return pid

for _ in range(3):
    if draw(1) == 0:
        draw(1)  # a grandchild, and the child again
        os._exit(0)
    os.wait()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("seed", [None, 0])
def test_children_and_grandchildren_draw_other_numbers(seed):
    def lines():
        command = [sys.executable, "-c", PROGRAM, str(seed)]
        found = subprocess.run(command, capture_output=True, text=True, check=True)
        return sorted(tuple(map(int, line.split())) for line in found.stdout.splitlines())

    first = lines()
    assert len(first) == 3 * 4
    drawn = {number for line in first for number in line}
    assert len(drawn) == 3 * len(first)  # none twice
    if seed is not None:
        assert lines() == first
