"""`minitensor train`: from images to a trained net, its weights and two pictures."""

from __future__ import annotations

import argparse
import itertools
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minitensor.backend.devices import device
from minitensor.extras import require

if TYPE_CHECKING:
    from minitensor.data import LabelledImages
    from minitensor.digits.network import Epoch

WEIGHTS, CURVE, FILTERS = "weights.safetensors", "training-curve.png", "first-layer-filters.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `minitensor train`."""
    add_data_arguments(parser)
    shown = "default: %(default)s"
    of_seed = f"of the split, the first weights and the order of the images ({shown})"
    of_device = f"cpu, gpu, or emulator: the GPU's kernels run on the CPU, slowly ({shown})"
    of_out = (
        f"where {WEIGHTS}, {CURVE} and {FILTERS} go; made if it is not there, and files of "
        f"these names in it are replaced ({shown})"
    )
    add, folder = parser.add_argument, Path("minitensor-run")
    add("--epochs", type=_whole_from(1), default=20, metavar="N", help=shown)
    add("--batch-size", type=_whole_from(1), default=32, metavar="N", help=shown)
    add("--learning-rate", type=_positive, default=0.003, metavar="RATE", help=shown)
    add("--seed", type=_whole_from(0), default=0, metavar="N", help=of_seed)
    add("--device", default="cpu", help=of_device)
    add("--out", type=Path, default=folder, metavar="FOLDER", help=of_out)


def run(args: argparse.Namespace) -> int:
    """Trains, reports and writes; 0 when done."""
    require("minitensor train", "tqdm", "safetensors", "matplotlib", "PIL", "threadpoolctl")
    with device(args.device):
        return _train(args)


def _train(args: argparse.Namespace) -> int:
    from minitensor.data import split
    from minitensor.digits import figures, weights
    from minitensor.digits.network import accuracy, fresh, probabilities

    start = time.perf_counter()
    every, given = chosen_data(args)
    train, test = split(every, args.seed) if given is None else (every, given)
    net = fresh(len(every.names), args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / WEIGHTS).open("ab").close()  # or we would learn only after the training
    print(_description(net, train, test))
    epochs = _fit(args, net, train, test)
    card = weights.Card(every.names, every.title, every.fingerprint, args.seed)
    weights.save(args.out / WEIGHTS, net, card)
    figures.save_curve(args.out / CURVE, f"LeNet-5 on {every.title}", epochs)
    figures.save_filters(args.out / FILTERS, net, test.images[0])
    files = [str(args.out / name) for name in (WEIGHTS, CURVE, FILTERS)]
    print(f"\ntest accuracy {score(accuracy(probabilities(net, test.images), test), len(test))}")
    print(f"in {time.perf_counter() - start:.1f} s; wrote", *files, sep="\n  ")
    print(f"look closer: minitensor evaluate {files[0]}")
    return 0


def score(fraction: float, count: int) -> str:
    """An accuracy as `train` and `evaluate` print it."""
    return f"{100 * fraction:.2f} % ({round(fraction * count)} of {count})"


def _description(net: Any, train: LabelledImages, test: LabelledImages) -> str:
    from minitensor.digits.network import parameters

    lines = [
        f"{train.title}: {len(train)} images to learn from, {len(test)} to test on, "
        f"{len(train.names)} labels",
        f"LeNet-5: {net.count_params():,} parameters",
        *(
            f"  {name:14}{'x'.join(map(str, variable.shape)):>10}"
            f"{variable.shape.num_elements():>8,}"
            for name, variable in parameters(net).items()
        ),
        f"{'epoch':>5} {'loss':>8} {'train':>8} {'test':>8} {'seconds':>8}",
    ]
    return "\n".join(lines)


def _fit(
    args: argparse.Namespace, net: Any, train: LabelledImages, test: LabelledImages
) -> list[Epoch]:
    """Trains with a progress bar; one line per epoch."""
    from minitensor.digits.network import fit

    bar = _progress_bar()
    numbers = itertools.count(1)
    return fit(
        net,
        train,
        test,
        epochs=args.epochs,
        batch_size=args.batch_size,
        learning_rate=args.learning_rate,
        seed=args.seed,
        callbacks=[bar],
        report=lambda epoch: print(
            f"{next(numbers):5} {epoch.loss:8.4f} {epoch.train_accuracy:8.2%} "
            f"{epoch.test_accuracy:8.2%} {epoch.seconds:8.1f}",
            flush=True,
        ),
    )


def _progress_bar() -> Any:
    """A callback that shows the batches of an epoch as they pass."""
    from tqdm import tqdm

    from minitensor.keras.callbacks import Callback

    class Bar(Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.bar = tqdm(
                total=(self.params or {}).get("steps"),
                desc=f"epoch {epoch + 1}",
                unit="batch",
                leave=False,
                disable=None,
            )

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.bar.update()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.bar.close()

    return Bar()


# ----- the command line -----


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
    from minitensor.digits.network import SIZE

    if (args.images is None) != (args.labels is None):
        raise ValueError("--images and --labels belong together; give both or neither")
    if args.images is not None:
        if args.data is not None:
            raise ValueError("give either --data or --images with --labels, not both")
        return read_idx_pair(args.images, args.labels).resized(SIZE), None
    every, test = open_data(args.data, SIZE) if args.data else (read_digits(), None)
    return every.resized(SIZE), None if test is None else test.resized(SIZE)


def _whole_from(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} on")
        return int(text)

    return read


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number greater than 0")
    return value
