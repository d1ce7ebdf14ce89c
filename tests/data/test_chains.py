"""Sixty random chains of data sets; tests/fuzz/data.py runs as many as one asks for."""

import importlib.util
from pathlib import Path

import numpy as np

import minitensor as mt


def fuzzer():
    file = Path(__file__).parents[1] / "fuzz" / "data.py"
    spec = importlib.util.spec_from_file_location("fuzz_chains", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_random_chains_are_tensorflows(tf):
    fuzz = fuzzer()
    for k in range(60):
        lines = fuzz.chain(np.random.default_rng([0, k]), tf)
        assert not fuzz.difference(lines, mt, tf), lines


def test_a_difference_is_told():
    fuzz = fuzzer()

    class Other:
        data = mt.data

    lines = ["tf.data.Dataset.range(3)", "d.map(lambda n: n + 1)"]
    assert fuzz.outcome(mt, lines)[0] == fuzz.outcome(Other, lines)[0] == "elements"
    assert not fuzz.same(np.int32(1), np.int64(1))
    assert not fuzz.same((np.int32(1),), np.int32(1))
    assert not fuzz.same({"a": np.int32(1), "b": np.int32(2)}, {"b": np.int32(2), "a": np.int32(1)})
