"""What the generators share that run both engines in one process: a draw, a campaign, a command."""

import argparse
import collections
import os
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[1] / "support")]


class Choices:
    """Random choices: a seed gives each library the same ones."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def one(self, options):
        options = options.split() if isinstance(options, str) else options
        return options[int(self.rng.integers(len(options)))]

    def integer(self, low, high):
        return int(self.rng.integers(low, high + 1))

    def maybe(self, value, often=4):
        return value if self.rng.integers(often) == 0 else None


def sharper(tf):
    """TensorFlow with what it lacks in float64, by the ledger: means of volumes, exact constants.

    Means of volumes have no kernel outside XLA. `tf.cast(0.9, "float64")` is the float32 next to
    0.9: so are the constants of gelu and leaky_relu, what Keras' optimizers are given and what its
    schedules compute.
    """
    cast, convert = tf.cast, tf.convert_to_tensor

    def exact(x, dtype, otherwise):
        of_python = isinstance(x, float) and not isinstance(x, np.floating)
        return tf.constant(x, dtype or tf.keras.config.floatx()) if of_python else otherwise()

    tf.cast = lambda x, dtype, name=None: exact(x, dtype, lambda: cast(x, dtype))
    tf.convert_to_tensor = lambda x, dtype=None, **rest: exact(
        x, dtype, lambda: convert(x, dtype, **rest)
    )
    layer = tf.keras.layers.AveragePooling3D
    layer.call = tf.function(layer.call, jit_compile=True)
    half, root = tf.constant(0.5, tf.float64), tf.sqrt(tf.constant(2.0, tf.float64))
    tf.nn.gelu = lambda x, approximate=False: half * x * (1 + tf.math.erf(x / root))
    tf.nn.leaky_relu = lambda x, alpha=0.2: tf.where(x > 0, x, x * tf.constant(alpha, tf.float64))


def through(compare, what):
    """A campaign that calls `compare(tf, ours, seed, folder)`, which gives a kind or raises.

    It prints what differs, and gives the number of those that do.
    """

    def campaign(tf, ours, count, seed, show=3):
        sharper(tf)
        kinds, differences = collections.Counter(), collections.Counter()
        for number in range(seed, seed + count):
            try:
                with tempfile.TemporaryDirectory() as folder:
                    kinds[compare(tf, ours, number, Path(folder))] += 1
            except Exception as fault:
                text = " ".join(str(fault).split())
                name = f"{type(fault).__name__} {text[:60]}"
                differences[name] += 1
                if differences[name] <= show:
                    print(f"{number}: {type(fault).__name__}: {text[:500]}", flush=True)
            if number % 50 == 0:
                tf.keras.backend.clear_session()
        print(f"{count} {what} ({dict(sorted(kinds.items()))}), {differences.total()} differ")
        return differences.total()

    return campaign


def main(doc, count, campaign):
    """Runs campaign(tf, minitensor, count, seed, show); exits 1 if anything differs."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--count", type=int, default=count)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, default=3, help="how many examples of each difference")
    chosen = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    warnings.simplefilter("ignore")
    import tensorflow

    import minitensor

    sys.exit(bool(campaign(tensorflow, minitensor, chosen.count, chosen.seed, chosen.show)))
