"""Public programs about convolution networks, run unchanged by TensorFlow and by `minitensor run`.

    python tests/support/public_programs.py FOLDER_OF_CLONES [--only REGULAR_EXPRESSION]

prints one row of a table per program: whether either side ran it, the last loss that each printed,
and why it failed. Nothing of theirs is here but the list: repository, commit, path. Nothing is
downloaded either: what a program would fetch is replaced by little random data, the same for
both sides, and `fit`, `evaluate` and `predict` see a few batches for an epoch. A notebook's code
cells run in order, without the lines that begin with % or !.
"""

from __future__ import annotations

import argparse
import builtins
import functools
import inspect
import io
import json
import os
import re
import resource
import runpy
import signal
import subprocess
import sys
import tarfile
import tempfile
import traceback
import types
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import numpy as np


class Program(NamedTuple):
    """One program, and what stands in for the data it would fetch.

    Args:
        of: a key of `REPOSITORIES`.
        path: in that repository.
        rows: images in each half of a `keras.datasets` set, and in each split of a `tfds` one.
        steps, epochs: the most that fit, evaluate and predict may do.
        ranges: `range(key)` in the program itself, and any `Dataset.take(key)`, count to the value.
        files: pattern of file names in the program's folder to (how many, side in pixels, mode).
        fetched: part of a name or an address given to `get_file` to the file it answers with.
        image: height, width and channels of the images in a `tfds` set.
        root: the folder of the repository that the program imports from, if not its own.
        arguments: what it finds in sys.argv.
    """

    of: str
    path: str
    rows: int = 32
    steps: int = 2
    epochs: int = 1
    ranges: dict[int, int] = {}  # noqa: RUF012
    files: dict[str, tuple] = {}  # noqa: RUF012
    fetched: dict[str, str] = {}  # noqa: RUF012
    image: tuple[int, int, int] = (32, 32, 3)
    root: str = ""
    arguments: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What the table calls it."""
        return f"{REPOSITORIES[self.of][0]}: {self.path.removeprefix('examples/keras_io/')}"


REPOSITORIES = {  # name on GitHub, commit
    "keras": ("keras-team/keras", "2588a15440a10de8d0cc10b50c21ede333a2bd01"),
    "docs": ("tensorflow/docs", "7c3650212740204359d4ceae481abc79345541be"),
    "damien": ("aymericdamien/TensorFlow-Examples", "6dcbe14649163814e72a22a999f20c5e247ce988"),
    "lorna": ("Lornatang/TensorFlow2-tutorials", "df5bc050e9941f5be23ff9ff826744b18664bb8b"),
    "dragen": ("dragen1860/TensorFlow-2.x-Tutorials", "9861a308283d17693d497fdfaab20b92c0b26d08"),
    "snow": ("snowkylin/tensorflow-handbook", "ee9fbe02ceee4e2f4fe23960219dd23ad5904c55"),
}
_JPG = "picture.jpg"
_PICTURE = {"files": {_JPG: (1, 64)}, "fetched": {"": _JPG}}


def _keras_io(path: str, **more: Any) -> Program:
    """An example of keras.io, of which keras-team/keras kept copies."""
    return Program("keras", f"examples/keras_io/{path}.py", **more)


def _tutorial(path: str, **more: Any) -> Program:
    return Program("docs", f"site/en/tutorials/{path}.ipynb", **more)


def _damien(path: str, **more: Any) -> Program:
    return Program("damien", f"tensorflow_v2/notebooks/{path}.ipynb", **more)


def _snow(path: str, **more: Any) -> Program:
    root = "source/_static/code"
    return Program("snow", f"{root}/zh/{path}", root=root, **more)


PROGRAMS = (
    _keras_io("vision/mnist_convnet"),
    _keras_io("vision/autoencoder"),
    _keras_io("vision/convmixer", rows=4),
    _keras_io("vision/attention_mil_classification", rows=128, ranges={1000: 40, 300: 8}),
    _keras_io("vision/knowledge_distillation"),
    _keras_io("vision/gradient_centralization", image=(300, 300, 3), rows=4),
    _keras_io("vision/learnable_resizer", image=(64, 64, 3), rows=4),
    _keras_io(
        "vision/super_resolution_sub_pixel",
        files={f"BSR/BSDS500/data/images/{part}/{{}}.jpg": (10, 64) for part in ("train", "test")},
        fetched={"BSR": "BSR"},
    ),
    _keras_io("tensorflow/vision/involution", rows=32),
    _keras_io("generative/pixelcnn", rows=8, ranges={4: 1, 28: 2}),
    _keras_io("tensorflow/keras_recipes/antirectifier"),
    _keras_io("tensorflow/keras_recipes/trainer_pattern"),
    _keras_io("vision/cct", rows=4),
    _keras_io("tensorflow/generative/wgan_gp", rows=4),
    Program("keras", "examples/demo_mnist_convnet.py"),
    Program("keras", "guides/sequential_model.py"),
    Program("keras", "guides/custom_train_step_in_tensorflow.py"),
    Program("docs", "site/en/guide/autodiff.ipynb"),
    _tutorial("quickstart/beginner"),
    _tutorial("quickstart/advanced"),
    _tutorial("images/cnn"),
    _tutorial("keras/classification"),
    _tutorial("generative/dcgan", ranges={50: 1}, files={"image_at_epoch_0050.png": (1, 8)}),
    _tutorial("generative/adversarial_fgsm", **_PICTURE),
    _tutorial(
        "images/classification",
        files={
            f"flower_photos_extracted/flower_photos/{kind}/{{}}.jpg": (8, 64)
            for kind in ("daisy", "dandelion", "roses", "sunflowers", "tulips")
        }
        | {_JPG: (1, 64)},
        fetched={"flower_photos": "flower_photos_extracted", "sunflower": _JPG},
    ),
    _tutorial(
        "load_data/images",
        files={
            f"flowers/flower_photos/{kind}/{{}}.jpg": (8, 64)
            for kind in ("daisy", "dandelion", "roses", "sunflowers", "tulips")
        },
        fetched={"flower_photos": "flowers"},
        image=(64, 64, 3),
        rows=8,
    ),
    _damien("3_NeuralNetworks/convolutional_network", ranges={200: 10}),
    _damien("3_NeuralNetworks/convolutional_network_raw", ranges={200: 10}),
    _damien("3_NeuralNetworks/neural_network_raw", ranges={3000: 100, 2000: 100}),
    _damien("3_NeuralNetworks/dcgan", ranges={20001: 2}),
    _damien("4_Utils/build_custom_layers", ranges={500: 50}),
    Program("lorna", "Primary_tutorial/Quickstart/mnist-advanced.py", ranges={5: 1}),
    Program("dragen", "08-ResNet/main.py"),
    Program("dragen", "11-AE/main.py", rows=100, ranges={55: 1}, files={"images/0.png": (1, 8)}),
    Program("dragen", "12-VAE/main.py", rows=100, ranges={55: 1}, files={"images/0.png": (1, 8)}),
    _snow("model/mnist/main.py", rows=50),
    _snow("model/autograph/main.py", rows=50, ranges={1000: 10}),
    _snow("model/cnn/cnn_example.py"),
    _snow("model/cnn/mobilenet.py", rows=4, ranges={5: 1}),
    _snow("tools/save_and_restore/mnist.py", rows=5000),
    _snow("tools/save_and_restore/mnist_manager.py", rows=5100),
)


# What a program finds in place of its data, on either side


def _images(rng: np.random.Generator, folder: Path, files: dict[str, tuple]) -> None:
    """Little random pictures."""
    from PIL import Image

    for pattern, (count, side, *mode) in files.items():
        for number in range(count):
            path = folder / pattern.format(number)
            path.parent.mkdir(parents=True, exist_ok=True)
            kind, values = mode or ("RGB", 256)
            shape = (side, side) if kind == "L" else (side, side, 3)
            low = 1 if kind == "L" else 0
            pixels = rng.integers(low, values + low, shape).astype(np.uint8)
            Image.fromarray(pixels).save(path)


def _keras_modules(path: str) -> list[types.ModuleType]:
    """`keras.<path>` under each of the names that a program may import it by."""
    names = [f"{root}.{path}" for root in ("keras", "tensorflow.keras")]
    return [functools.reduce(getattr, name.split(".")[1:], __import__(name)) for name in names]


def _replace_datasets(rng: np.random.Generator, rows: int) -> None:
    """`keras.datasets.*.load_data` gives random images."""

    def of(shape: tuple[int, ...], classes: int, column: bool):  # type: ignore[no-untyped-def]
        def half() -> tuple[np.ndarray, np.ndarray]:
            labels = (np.arange(rows) % classes).astype(np.uint8)
            return rng.integers(0, 256, (rows, *shape), np.uint8), (
                labels[:, None] if column else labels
            )

        return lambda *args, **settings: (half(), half())

    grey, colour = ((28, 28), 10, False), ((32, 32, 3), 10, True)
    sets = {"mnist": grey, "fashion_mnist": grey, "cifar10": colour}
    for name, kind in (sets | {"cifar100": ((32, 32, 3), 100, True)}).items():
        for module in _keras_modules(f"datasets.{name}"):
            module.load_data = of(*kind)


def _replace_downloads(program: Program, folder: Path) -> None:
    """`get_file` answers with a file that is there; pretrained networks have random weights."""

    def get_file(fname: Any = None, origin: Any = None, *args: Any, **settings: Any) -> str:
        wanted = f"{fname} {origin}"
        for part, path in program.fetched.items():
            if part in wanted:
                return str(folder / path)
        raise OSError(f"no substitute for {wanted}")

    def random_weights(make: Any) -> Any:
        @functools.wraps(make)
        def made(*args: Any, weights: Any = None, **settings: Any) -> Any:
            return make(*args, weights=None, **settings)

        return made

    def decode_predictions(predictions: Any, top: int = 5) -> list[list[tuple]]:
        return [[("n0", "class", float(p)) for p in row[:top]] for row in np.asarray(predictions)]

    for module in _keras_modules("utils"):
        module.get_file = get_file
    for module in _keras_modules("applications"):
        families = [getattr(module, n) for n in dir(module) if n[0] != "_"]
        for room in (module, *(m for m in families if isinstance(m, types.ModuleType))):
            for name in dir(room):
                if name[0].isupper():
                    setattr(room, name, random_weights(getattr(room, name)))
                if name == "decode_predictions":
                    room.decode_predictions = decode_predictions


def _replace_modules(rng: np.random.Generator, program: Program) -> None:
    """`tensorflow_datasets` gives random images; modules that only show or fetch do nothing."""
    import tensorflow as tf

    def load(name: str, split: Any = None, as_supervised: bool = False, **settings: Any) -> Any:
        def one() -> Any:
            images = rng.integers(0, 256, (program.rows, *program.image)).astype(np.uint8)
            labels = np.arange(program.rows, dtype=np.int64) % 2
            both = (images, labels) if as_supervised else {"image": images, "label": labels}
            found = tf.data.Dataset.from_tensor_slices(both)
            batch = settings.get("batch_size")
            return found.batch(batch) if batch else found

        asked = split if isinstance(split, (list, tuple)) else [split]
        sets: Any = [one() for _ in asked]
        found = sets if isinstance(split, (list, tuple)) else sets[0]
        if split is None:
            found = {"train": one(), "test": one()}
        image = types.SimpleNamespace(shape=program.image)
        names = ["a", "b"]
        label = types.SimpleNamespace(num_classes=2, names=names, int2str=lambda i: names[int(i)])
        part = types.SimpleNamespace(num_examples=program.rows)
        info = types.SimpleNamespace(
            features={"image": image, "label": label}, splits={"train": part, "test": part}
        )
        return (found, info) if settings.get("with_info") else found

    tfds = types.ModuleType("tensorflow_datasets")
    tfds.load, tfds.Split = load, types.SimpleNamespace(TRAIN="train", TEST="test")  # type: ignore
    tfds.disable_progress_bar = lambda: None  # type: ignore
    sys.modules["tensorflow_datasets"] = tfds
    sys.modules["IPython"] = mock.MagicMock(version_info=(9, 0), get_ipython=lambda: None)
    for name in ("IPython.display", "imageio", "gdown", "tensorflow_docs"):
        sys.modules[name] = mock.MagicMock()
    import matplotlib

    matplotlib.pyplot = sys.modules["matplotlib.pyplot"] = _pyplot()
    for name in ("tensorflow_docs.vis", "tensorflow_docs.vis.embed"):
        sys.modules[name] = mock.MagicMock()
    for name in ("mpl_toolkits.axes_grid1", "mpl_toolkits.axes_grid1.inset_locator"):
        sys.modules[name] = mock.MagicMock()


def _pyplot() -> Any:
    """Draws nothing; `subplots` gives as many axes as were asked for."""

    def subplots(nrows: int = 1, ncols: int = 1, *args: Any, **settings: Any) -> tuple[Any, Any]:
        axes = np.empty((nrows, ncols), object)
        for place in np.ndindex(nrows, ncols):
            axes[place] = mock.MagicMock()
        return mock.MagicMock(), axes.item() if axes.size == 1 else axes.squeeze()

    return mock.MagicMock(subplots=subplots)


def _cap_training(program: Program) -> None:
    """`fit`, `evaluate` and `predict` see the first batches; `fit` for the first epochs."""
    import keras

    def cut(data: Any, batch: int) -> Any:
        if hasattr(data, "take") and hasattr(data, "batch"):
            return data.take(program.steps)
        if isinstance(data, (list, tuple)):
            return type(data)(cut(part, batch) for part in data)
        if isinstance(data, dict):
            return {key: cut(part, batch) for key, part in data.items()}
        return data[: program.steps * batch] if hasattr(data, "dtype") else data

    def capped(method: Any) -> Any:
        read = inspect.signature(method)

        @functools.wraps(method)
        def run(*args: Any, **settings: Any) -> Any:
            bound = read.bind(*args, **settings)
            given = bound.arguments
            batch = given.get("batch_size") or 32
            for name in ("x", "y", "sample_weight", "validation_data"):
                if name in given:
                    given[name] = cut(given[name], batch)
            if "epochs" in given:
                given["epochs"] = given.get("initial_epoch", 0) + min(
                    given["epochs"] - given.get("initial_epoch", 0), program.epochs
                )
            if isinstance(given.get("x"), keras.utils.PyDataset) and method.__name__ == "fit":
                given["steps_per_epoch"] = program.steps
            for name in ("steps_per_epoch", "validation_steps", "steps"):
                if given.get(name):
                    given[name] = min(given[name], program.steps)
            return method(*bound.args, **bound.kwargs)

        return run

    for name in ("fit", "evaluate", "predict"):
        setattr(keras.Model, name, capped(getattr(keras.Model, name)))


def inside(program: Program, folder: Path) -> None:
    """Runs a program with its substitutes, under whatever `tensorflow` means here."""
    import tensorflow as tf

    np.random.seed(0)  # noqa: NPY002  what programs draw from
    rng = np.random.default_rng(0)
    _replace_datasets(rng, program.rows)
    _replace_downloads(program, folder)
    _replace_modules(rng, program)
    _cap_training(program)

    take = tf.data.Dataset.take
    tf.data.Dataset.take = lambda data, count, *more: take(
        data, program.ranges.get(count, count), *more
    )

    def counted(*args: int) -> range:
        return builtins.range(*(program.ranges.get(a, a) if len(args) == 1 else a for a in args))

    path = folder / Path(program.path).with_suffix(".py").name
    root = Path(str(path).removesuffix(str(Path(program.path).with_suffix(".py")))) / program.root
    sys.argv = [str(path), *program.arguments]
    sys.path[:1] = [str(folder), *([str(root)] if program.root else [])]
    known = {"range": counted} if program.ranges else {}
    runpy.run_path(str(path), init_globals=known, run_name="__main__")


# Both sides


def _clone(clones: Path, repository: str) -> Path:
    """The clone of a repository in a folder of them."""
    owner, _, name = repository.partition("/")
    for place in (f"{owner}+{name}/repo", f"{owner}+{name}", f"{owner}/{name}", name):
        for found in (clones / place / ".git", clones / place):
            if (found / "HEAD").exists():
                return found
    raise SystemExit(
        f"{clones} has no clone of {repository}: git clone https://github.com/{repository}"
    )


def prepare(program: Program, clones: Path, work: Path) -> Path:
    """Lays the program and the substitutes for its files out in a folder; the program's folder."""
    repository, commit = REPOSITORIES[program.of]
    parent = str(Path(program.path).parent)
    notebook = program.path.endswith(".ipynb")
    alone = notebook or program.of == "keras"
    code = f"{program.root or parent}/**/*.py".removeprefix("./")
    wanted = program.path if alone else f":(glob){code}"
    git = ["git", "-C", str(_clone(clones, repository)), "archive", commit, wanted]
    packed = subprocess.run(git, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(work, filter="data")
    folder = work / parent
    if notebook:
        cells = json.loads((work / program.path).read_text("utf-8"))["cells"]
        lines = [
            line.rstrip("\n")
            for cell in cells
            if cell["cell_type"] == "code"
            for line in [*"".join(cell["source"]).split("\n"), ""]
            if not line.lstrip().startswith(("%", "!"))
        ]
        (work / program.path).with_suffix(".py").write_text("\n".join(lines), "utf-8")
    _images(np.random.default_rng(1), folder, program.files)
    return folder


def run(program: Program, clones: Path, limit: int) -> dict[str, Any]:
    """Runs a program in a fork of this process: whether it ran, why not, the last loss printed."""
    with tempfile.TemporaryDirectory() as work:
        folder = prepare(program, clones, Path(work))
        said, complained = Path(work, "stdout"), Path(work, "stderr")
        child = os.fork()
        if not child:
            os.dup2(os.open(said, os.O_CREAT | os.O_WRONLY), 1)
            os.dup2(os.open(complained, os.O_CREAT | os.O_WRONLY), 2)
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
            os.chdir(folder)
            os.environ["KERAS_HOME"] = work
            failed = 1
            try:
                inside(program, folder)
                failed = 0
            except SystemExit as left:
                failed = int(bool(left.code))
            except BaseException:
                traceback.print_exc()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(failed)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        number = r"-?\d+\.\d+(?:e[-+]?\d+)?|nan"
        printed = said.read_text("utf-8", "replace")
        losses = re.findall(rf"loss[^\d\n-]{{0,20}}({number})", printed, re.IGNORECASE)
        lines = complained.read_text("utf-8", "replace").splitlines()
        errors = [line for line in lines if re.match(r"[A-Za-z_][\w.]*(: |$)", line)] or ["?"]
        slow = f"more than {limit} s of a processor"
        why = "" if code == 0 else slow if code == -signal.SIGXCPU else errors[-1]
        trace = "" if code == 0 else "\n".join(lines[-40:])
        return {"runs": code == 0, "why": why, "loss": (losses or [""])[-1], "trace": trace}


def one_side(side: str, clones: Path, only: str, limit: int, out: Path) -> None:
    """Runs the programs by the `tensorflow` of this process; `out` keeps what came of each."""
    import keras  # noqa: F401  # before the forks: once for all programs
    import tensorflow  # noqa: F401

    for program in (p for p in PROGRAMS if re.search(only, p.name)):
        result = run(program, clones, limit)
        known = json.loads(out.read_text("utf-8")) if out.exists() else {}
        known.setdefault(program.name, {})[side] = result
        out.write_text(json.dumps(known, indent=1), "utf-8")
        print(f"{program.name}: {side} {'runs' if result['runs'] else result['why']}", flush=True)


def table(known: dict[str, dict[str, dict[str, Any]]]) -> str:
    """One row per program, and the count."""
    rows = ["| program | here | last loss | TensorFlow's |", "| --- | --- | ---: | ---: |"]
    both = [(p.name, [known.get(p.name, {}).get(side) for side in SIDES]) for p in PROGRAMS]
    for name, results in both:
        there, here = ("" if r is None else "runs" if r["runs"] else r["why"] for r in results)
        losses = [f"{float(r['loss']):.4g}" if r and r["loss"] else "" for r in results]
        last = losses[0] if there == "runs" else there[:200]  # or why there is none
        cells = [name, here[:200], losses[1], last]
        rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    theirs = [(a, b) for _, (a, b) in both if a and b and a["runs"]]
    ran = sum(b["runs"] for _, b in theirs)
    return "\n".join([*rows, "", f"Of {len(theirs)} that TensorFlow runs, {ran} run here."])


SIDES = {"tensorflow": [sys.executable], "minitensor": [sys.executable, "-m", "minitensor", "run"]}


def main() -> None:
    """Runs the programs asked for by both sides and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("clones", type=Path)
    parser.add_argument("--only", default="", help="a regular expression for names")
    parser.add_argument("--limit", type=int, default=60, help="seconds of a processor, each")
    parser.add_argument("--side", choices=tuple(SIDES), help="this one alone")
    parser.add_argument("--out", type=Path, default=Path("public_programs.json"))
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.here:
        one_side(args.side, args.clones, args.only, args.limit, args.out)
        return
    quiet = {"MPLBACKEND": "Agg", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    for side in [args.side] if args.side else SIDES:
        call = [*SIDES[side], __file__, str(args.clones), "--here", "--side", side]
        call += ["--only", args.only, "--limit", str(args.limit), "--out", str(args.out)]
        subprocess.run(call, env=os.environ | quiet, check=True)
    print(table(json.loads(args.out.read_text("utf-8"))))


if __name__ == "__main__":
    main()
