"""The pictures of README.md and docs/explain.md: python docs/images.py [FOLDER]

Each is what `tf.explain` or `tf.show_graph` draws of the numbers beside it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

import minitensor as tf

IMAGE = np.arange(1, 26).reshape(5, 5)
KERNEL = [[-1, 2, -3], [4, -5, 6], [-7, 8, -9]]


def graph() -> Any:
    """The tape of a residual step and its loss."""
    x, w = tf.constant([[1.0, 2.0]]), tf.Variable([[1.0, 0.0], [2.0, 1.0]], name="w")
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(tf.square(x + tf.nn.relu(tf.matmul(x, w))))
    return tf.show_graph(loss)


def pictures() -> dict[str, Any]:
    """By the names of their files; of a GIF there is a still SVG, too."""
    small = [[1, 2], [3, 4]]
    wide = np.arange(1, 50).reshape(7, 7)
    return {
        "conv2d.gif": tf.explain("conv2d", IMAGE, KERNEL, 2, "SAME", at=(0, 1)),
        "transposed.svg": tf.explain(
            "conv2d_transpose", small, KERNEL, [5, 5], 2, "VALID", at=(2, 2)
        ),
        "dilated.svg": tf.explain("conv2d", wide, KERNEL, dilations=2, at=(1, 1)),
        "gradient.svg": tf.explain("conv2d", IMAGE, KERNEL, 2, grad="input", at=(2, 2)),
        "max_pool.svg": tf.explain("max_pool2d", IMAGE, 3, 2, "SAME", grad="input", at=(4, 4)),
        "show_graph.svg": graph(),
    }


def main() -> None:
    """Writes them all."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "images"
    folder.mkdir(exist_ok=True)
    for name, shown in pictures().items():
        shown.save(folder / name)


if __name__ == "__main__":
    main()
