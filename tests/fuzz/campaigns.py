"""The command of the generators that run both engines in one process."""

import argparse
import os
import sys
import warnings


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
