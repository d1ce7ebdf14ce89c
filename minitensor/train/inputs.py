"""What `train` and `evaluate` have in common on the command line: which images to read."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minitensor.data import LabelledImages


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """--data, or --images with --labels."""
    parser.add_argument(
        "--data",
        type=Path,
        metavar="PATH",
        help="folder with <label>/*.png, folder with IDX files as MNIST comes, or the beginning "
        "of an IDX pair's names (default: the handwritten digits inside minitensor)",
    )
    parser.add_argument("--images", type=Path, metavar="FILE", help="IDX file of images")
    parser.add_argument("--labels", type=Path, metavar="FILE", help="IDX file of their labels")


def chosen_data(args: argparse.Namespace) -> tuple[LabelledImages, LabelledImages | None]:
    """All images at the net's size and None; or those to learn from and those to test on.

    Raises:
        ValueError: the arguments contradict each other, or the data are damaged.
        OSError: a file cannot be opened.
    """
    from minitensor.data import open_data, read_digits, read_idx_pair
    from minitensor.train.model import SIZE

    if (args.images is None) != (args.labels is None):
        raise ValueError("--images and --labels belong together; give both or neither")
    if args.images is not None:
        if args.data is not None:
            raise ValueError("give either --data or --images with --labels, not both")
        return read_idx_pair(args.images, args.labels).resized(SIZE), None
    every, test = open_data(args.data, SIZE) if args.data else (read_digits(), None)
    return every.resized(SIZE), None if test is None else test.resized(SIZE)


def is_default(args: argparse.Namespace) -> bool:
    """Whether the command line names no images."""
    return args.data is None and args.images is None
