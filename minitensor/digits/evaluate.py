"""`minitensor evaluate`: how well a trained net reads images, and where it errs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from minitensor.digits.command import add_data_arguments, chosen_data, score
from minitensor.extras import require

if TYPE_CHECKING:
    from minitensor.data import LabelledImages
    from minitensor.digits.weights import Card

_WORST = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `minitensor evaluate`."""
    parser.add_argument("weights", type=Path, help="file that `minitensor train` wrote")
    add_data_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Prints accuracy, confusions and the worst mistakes; 0 when done."""
    require("minitensor evaluate", "safetensors", "PIL")
    from minitensor.digits import weights
    from minitensor.digits.network import accuracy, probabilities

    net, card = weights.load(args.weights)
    data, which = _unseen(args, card)
    probability = probabilities(net, data.images)
    print(f"{data.title}: {which}")
    print(f"accuracy {score(accuracy(probability, data), len(data))}\n")
    print(confusion_table(probability, data))
    print(worst_mistakes(probability, data))
    return 0


def _unseen(args: argparse.Namespace, card: Card) -> tuple[LabelledImages, str]:
    """Images that the net did not learn from, and a word on which they are."""
    from minitensor.data import split

    every, given = chosen_data(args)
    if args.data is None and args.images is None and every.fingerprint != card.fingerprint:
        raise ValueError(
            f"{args.weights} learned from {card.data}, not from the digits in minitensor; "
            "name the images by --data"
        )
    if given is not None:
        return given.renamed(card.labels), f"its {len(given)} test images"
    if every.fingerprint == card.fingerprint:
        unseen = split(every, card.seed)[1].renamed(card.labels)
        return unseen, f"the {len(unseen)} images kept for the test when the net was trained"
    return every.renamed(card.labels), f"all {len(every)} images; the net learned from others"


def confusion_table(probability: np.ndarray, data: LabelledImages) -> str:
    """A row per true label, a column per predicted one, counts of images; zeros as dots."""
    counts = np.zeros((len(data.names), len(data.names)), int)
    np.add.at(counts, (data.labels, probability.argmax(axis=1)), 1)
    wide = max(5, *(len(name) + 1 for name in data.names))
    head = f"{'true':>{wide}} |" + "".join(f"{name:>{wide}}" for name in data.names) + "  predicted"
    rows = [
        f"{name:>{wide}} |" + "".join(f"{count or '.':>{wide}}" for count in row)
        for name, row in zip(data.names, counts, strict=True)
    ]
    return "\n".join([head, "-" * (wide + 1) + "+" + "-" * wide * len(data.names), *rows, ""])


def worst_mistakes(probability: np.ndarray, data: LabelledImages) -> str:
    """The wrong answers that the net was surest of."""
    guesses, sureness = probability.argmax(axis=1), probability.max(axis=1)
    wrong = np.flatnonzero(guesses != data.labels)
    if not len(wrong):
        return "no mistakes"
    wrong = wrong[np.argsort(-sureness[wrong], kind="stable")]
    lines = [
        f"  {data.sources[i]} is {data.names[data.labels[i]]}, read as {data.names[guesses[i]]} "
        f"({sureness[i]:.1%} sure)"
        for i in wrong[:_WORST]
    ]
    return "\n".join([f"worst of {len(wrong)} mistakes", *lines])
