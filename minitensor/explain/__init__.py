"""What an op does, and what a kernel does, seen from outside.

Which numbers make a number: `tf.explain(op, ...)`, and `minitensor explain`:

    trace.py        the index map of a Window; sums of products with addresses
    windowed.py     the sums of convolutions, pools, patches, and their gradients
    normalised.py   those of normalisations and of softmax cross entropy
    resampled.py    those of resized images
    composed.py     ops that tf.nn has under no name of its own
    arguments.py    how an op's own arguments are read
    ops.py          the table: how they become its map
    explanation.py  `explain`, and what can be asked about a number
    layers.py       layers are the ops that they call; every layer of a model
    graph.py        `show_graph`: the computations that led to a tensor
    laws.py         the laws of sizes, with their numbers
    views.py        im2col, W', a transposed convolution in three ways, cost, TensorFlow
    code.py         the same in NumPy, TensorFlow, Keras and PyTorch
    text.py         lines of text: styles, numbers, grids
    listing.py      a sum as text: its terms, or the products in their places
    shown.py        every view as text
    planes.py       the planes that text and pictures show, cropped
    figure.py       pictures, animations
    page.py         tables for a notebook, a page that steps through numbers
    words.py        the sentences, in two languages
    presets.py      the course texts' examples
    command.py      the command
    explore.py      one offline page of all this, that computes: `minitensor explore`

Which thread of a kernel computes what: `minitensor kernel`:

    launch_cases.py how each kernel comes to be launched
    watch.py        runs that on the emulator and writes down every access
    report.py       prints one launch
    metrics.py      sectors, wavefronts: what a warp's requests ask of memory
    chip.py         what NVIDIA's compiler makes of it: registers, spills, the inner loop
    waste.py        what of that is in vain, for every kernel of ours, held in a file
    work.py         what each kernel of ours does for one large problem, held in a file
    gpus.py         the figures of GPUs; occupancy, the time that a launch takes
    launch_page.py  launches as one offline page (explorer/launch.*)
    saved.py        launches in a file: `minitensor trace`
    own_launch.py   a launch of one's own .cu, told on the command line
    check.py        `minitensor check`: is it right, and safe?
    puzzle.py       `minitensor puzzle`: kernels to write, checked and counted
    kernel.py       the command

The room itself is called, because `tf.explain` has its name.
"""

import sys
import types
from typing import Any


class _Room(types.ModuleType):
    """A package that is called: `tf.explain(...)` is `explanation.explain(...)`."""

    def __call__(self, op: Any, *arguments: Any, **settings: Any) -> Any:
        from minitensor.explain.explanation import explain

        return explain(op, *arguments, **settings)


sys.modules[__name__].__class__ = _Room
