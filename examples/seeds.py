"""Takes the programs out of the course's own documents and runs them under `minitensor run`.

    python examples/seeds.py FOLDER              lists the programs found in the documents
    python examples/seeds.py FOLDER NAME...      runs some of them, or `all`
    python examples/seeds.py FOLDER --write DIR  writes them down instead

The text of a program is the document's: line numbers that were copied along are stripped, outputs
of notebook cells are left out, pieces that the book shows out of their place are put into the loop
they belong to, and long trainings are cut. Data sets are small files of the real formats, made
from the handwritten digits inside minitensor (`small_data.py`).
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

from small_data import make_small_data

from minitensor.cli import stoppable

RESULT = re.compile(r"TensorShape\(|<tf\.|\[<tf\.|Model: ")


# ----- how each document shows its code -----


def fenced(text: str) -> list[str]:
    """Code between ``` marks, without the prompts and results of a notebook."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [_undamaged(block) for block in blocks]


def _undamaged(block: str) -> str:
    """Without prompts, results and what the book's translation put in; from the left margin."""
    lines = [line for line in block.splitlines() if not re.match(r"In ?\[\d+\]:", line.strip())]
    results = (n for n, line in enumerate(lines) if re.match(r"Out ?\[\d+\]", line.strip()))
    end = next(results, len(lines))
    code = [line.removesuffix("...").replace("\\.", ".") for line in lines[:end]]
    kept = [line for line in code if not re.match(r" # ", line)]  # half a comment, at the margin
    text = textwrap.dedent("\n".join(kept)).strip("\n")
    return text + _asked(text, "\n".join(lines[end:]))


def _asked(code: str, result: str) -> str:
    """The line that shows what a cell made, where the book shows it without asking."""
    made = re.findall(r"^(\w+) = ", code, re.MULTILINE)
    if not result or not made or not re.match(r"\w+ = |    ", code.splitlines()[-1]):
        return ""
    return f"\n{made[-1]}" + (".shape" if "TensorShape" in result else "")


def cells(text: str) -> list[str]:
    """Cells of a notebook pasted as text: paragraphs after `In [n]:` until one is a result."""
    found = []
    for cell in re.split(r"^In \[\d+\]:\n", text, flags=re.MULTILINE)[1:]:
        code: list[str] = []
        for paragraph in re.split(r"\n\s*\n", cell):
            if RESULT.match(paragraph.lstrip()):
                break
            code.append(paragraph)
        found.append("\n\n".join(code).rstrip("\n"))
    return found


def numbered(text: str) -> list[str]:
    """Code whose lines carry their numbers, glued to what follows."""
    found: list[list[str]] = []
    number = 0
    for line in text.splitlines():
        following = re.match(rf"\s?{number + 1}(?!\d)(.*)$", line) if number else None
        first = re.match(r"\s?1((?:class |import |model|output|#|test|tf\.T).*)$", line)
        if following:
            found[-1].append(following[1])
            number += 1
        elif first:
            found.append([first[1]])
            number = 1
        else:
            number = 0
    return ["\n".join(lines) for lines in found]


READERS: dict[str, Callable[[str], list[str]]] = {
    "000": fenced,
    "001": cells,
    "002": numbered,
    "004": fenced,
}


def pieces(folder: Path, document: str) -> list[str]:
    """The pieces of code of one document, in its order."""
    files = list(folder.glob(f"{document}_*.txt"))
    if len(files) != 1:
        sys.exit(f"{folder}: should hold one file {document}_*.txt of the course, has {len(files)}")
    return READERS[document](files[0].read_text().replace("\xa0", " "))


# ----- the programs, put together -----

IMPORTS = """
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers, Sequential, losses, optimizers, datasets
"""
MNIST = """
(images, labels), (test_images, test_labels) = datasets.mnist.load_data()
def scaled(x, y):
    return tf.cast(x, tf.float32) / 255., tf.cast(y, tf.int32)
db = tf.data.Dataset.from_tensor_slices((images, labels)).map(scaled).batch(32)
db_test = tf.data.Dataset.from_tensor_slices((test_images, test_labels)).map(scaled).batch(64)
optimizer = optimizers.Adam(learning_rate=1e-3)
"""
CUT = ("range(50)", "range(1)")


def in_loop(head: str, *parts: str) -> str:
    """Pieces that the book shows outside the loop they belong to, in it."""
    return head + "\n" + textwrap.indent("\n".join(parts), "    ")


def shown(cell: str) -> str:
    """A notebook's cell as a program: the value of its last expression is printed."""
    tree = ast.parse(cell)
    last = tree.body[-1]
    if not isinstance(last, ast.Expr):
        return cell
    lines = cell.splitlines()
    value = "\n".join(lines[last.lineno - 1 : last.end_lineno])
    rest = [f"_shown = {value}", "if _shown is not None: print(repr(_shown))"]
    return "\n".join([*lines[: last.lineno - 1], *rest])


def seed_000(p: list[str]) -> Iterator[tuple[str, str]]:
    """VGG13, trained; ResNet18, built and asked once."""
    yield "000-vgg13", p[0].replace(*CUT)
    yield (
        "000-resnet18",
        p[1]
        + in_loop(
            "\n\nmodel = resnet18()\nfor training in (True, False):",
            "print(model(tf.random.normal([4, 32, 32, 3]), training=training).shape)",
        )
        + "\nprint(len(model.trainable_variables))\nmodel.summary()",
    )


def seed_001(p: list[str]) -> Iterator[tuple[str, str]]:
    """The notebook from the first cell to the last."""
    use = "print(BasicBlock(8, 2)(tf.random.normal([2, 6, 6, 3])).shape)"
    yield "001-notebook", "\n\n".join([*map(shown, p), use])


def seed_002(p: list[str]) -> Iterator[tuple[str, str]]:
    """The CNN on MNIST; a ready network; the window computed by hand; the loop over flowers."""
    cnn = next(piece for piece in p if piece.startswith("class CNN"))
    flowers = next(piece for piece in p if "tf_flowers" in piece)
    train = in_loop(
        "model = CNN()\nfor x, y in db:",
        "with tf.GradientTape() as tape:",
        "    loss = tf.reduce_mean(tf.keras.losses.sparse_categorical_crossentropy("
        "y_true=y, y_pred=model(tf.expand_dims(x, axis=3))))",
        "grads = tape.gradient(loss, model.trainable_variables)",
        "optimizer.apply_gradients(grads_and_vars=zip(grads, model.trainable_variables))",
    )
    yield "002-cnn", "\n".join([IMPORTS, cnn, MNIST, train, "model.summary()"])
    mobile = next(piece for piece in p if "MobileNetV2()" in piece)
    yield "002-mobilenet", IMPORTS + mobile.replace("()", "(weights=None)") + "\nmodel.summary()"
    window = "\n".join(p[p.index(flowers) + 1 :][:3])
    yield "002-window", "import numpy as np\nimport tensorflow as tf\n" + window
    voc = next(piece for piece in p if "voc2007" in piece)
    yield "002-voc2007", voc + "\nprint(next(iter(dataset))['image'].shape)"
    small = (("batch(32)", "batch(4)"), ("in dataset:", "in dataset.take(2):"))
    for old, new in small:
        flowers = flowers.replace(old, new)
    yield "002-flowers", flowers


def seed_004(p: list[str]) -> Iterator[tuple[str, str]]:
    """The chapter, section by section."""

    def program(*parts: str) -> str:
        return "\n".join([IMPORTS, *parts])

    def of(*numbers: int) -> list[str]:
        return [shown(p[n]) for n in numbers]

    sides = "top = bottom = left = right = 1\n"
    yield "004-mlp", p[0] + "\n" + p[1]
    yield "004-conv2d", program(*of(2), sides + p[3], *of(4, 5, 6, 7, 8, 9, 10, 11))
    train = in_loop("for x, y in db:", p[14], p[15])
    yield "004-lenet5", program(p[12], p[13], MNIST, train, p[16])
    loss = "    loss = criteon(tf.one_hot(y, depth=10), out)"
    train = in_loop("for x, y in db:", p[20], loss, p[15])
    yield (
        "004-lenet5-bn",
        program(*of(17), p[18], p[19], p[13], MNIST, train, p[21], "print(out.shape)"),
    )
    step = (
        "with tf.GradientTape() as tape:\n"
        "    logits = fc_net(tf.reshape(conv_net(x), [-1, 512]))\n"
        "    loss = tf.reduce_mean(tf.losses.categorical_crossentropy("
        "tf.one_hot(y, depth=10), logits, from_logits=True))"
    )
    adam = "optimizer = optimizers.Adam(lr=1e-4)"
    train = in_loop("for x, y in train_db:", step, p[26], "print('loss', float(loss))")
    yield "004-vgg13", program(p[43], p[22], p[23], p[24], p[25], adam, train)
    yield "004-dilated", program(*of(27))
    yield "004-transposed", program(*of(28, 29, 30, 31, 32, 33, 34))
    block = "\n".join([p[35], textwrap.indent(p[36], " " * 8), textwrap.indent(p[37], " " * 4)])
    use = "print(BasicBlock(8, 2)(tf.random.normal([2, 6, 6, 3])).shape)"
    yield "004-resblock", program(block, use)
    network = p[40] + "\n" + textwrap.indent(p[39], "    ")
    start = "model = resnet18()\noptimizer = optimizers.Adam(lr=1e-4)"
    loop = p[44].replace(*CUT)
    yield (
        "004-resnet18",
        program(p[38], network, p[41], p[43], p[42], start, loop, "model.summary()"),
    )


PROGRAMS = {"000": seed_000, "001": seed_001, "002": seed_002, "004": seed_004}


def programs(folder: Path) -> dict[str, str]:
    """Name and text of every program."""
    return {
        name: text
        for document, together in PROGRAMS.items()
        for name, text in together(pieces(folder, document))
    }


def run(name: str, text: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Runs one under `minitensor run`, with the data sets of `home`."""
    script = home / f"{name}.py"
    script.write_text(text)
    return subprocess.run(
        [sys.executable, "-m", "minitensor", "run", str(script)],
        env={**os.environ, "MINITENSOR_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


def main() -> int:
    """The command; 0 if every program ran."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where the documents 000_*.txt ... are")
    parser.add_argument("names", nargs="*", help="programs to run, or all")
    parser.add_argument("--write", type=Path, metavar="DIR", help="write the programs there")
    args = parser.parse_args()
    found = programs(args.folder)
    if args.write:
        args.write.mkdir(parents=True, exist_ok=True)
        for name, text in found.items():
            (args.write / f"{name}.py").write_text(text)
    if not args.names:
        print(
            "\n".join(f"{name:16} {len(text.splitlines()):4} lines" for name, text in found.items())
        )
    failed = 0
    with tempfile.TemporaryDirectory() as home:
        make_small_data(Path(home))
        for name in found if args.names == ["all"] else args.names:
            result = run(name, found[name], Path(home))
            print(f"----- {name}: exit code {result.returncode}\n{result.stdout}{result.stderr}")
            failed += result.returncode != 0
    return min(failed, 1)


if __name__ == "__main__":
    stoppable(main)
