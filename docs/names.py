"""Writes docs/names.md and docs/stays-out.md: TensorFlow's public names, there, not there and why.

    python docs/names.py            from the record in tests/support/tf_names.json
    python docs/names.py --record   records TensorFlow's names anew; needs TensorFlow

The reasons are those that errors give: minitensor/stays_out.py.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import re
import sys
import textwrap
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import minitensor
from minitensor.stays_out import STAYS_OUT, topic_of
from minitensor.version import VERSION

HERE = Path(__file__).parent
RECORD = HERE.parent / "tests" / "support" / "tf_names.json"
CLASSES = (  # whose attributes are listed too
    *("GradientTape", "Module", "Tensor", "TensorArray", "TensorShape", "Variable"),
    *("data.Dataset", "keras.Model", "keras.layers.Layer", "keras.optimizers.Optimizer"),
    *("train.Checkpoint", "train.CheckpointManager"),
)
NOT_RECORDED = ("compat", "raw_ops", "legacy", "numpy")  # TensorFlow's other faces
ASSIGNED = re.compile(r"self\.([a-z]\w*)(?=[^=\n]* = |: )")
NOT_YET = "not yet"


TRACING = """
## Tracing the functions of tf.data

The functions of `tf.data` are called with values, not traced. So what the elements of `Dataset.map`
look like is known once the first of them is made: `element_spec` makes it. What TensorFlow refuses
while a dataset is built may be refused here when the elements come, and is not if none comes; the
cardinality after `unbatch` may be unknown where TensorFlow knows it. Instead: `from_generator`
with an `output_signature` says what elements look like before there are any.
"""


def recorded() -> dict[str, list[str]]:
    """Of each module and class, by its dotted name, the public names."""
    return json.loads(RECORD.read_text())["names"]


def of_tensorflow() -> dict[str, list[str]]:
    """The same, asked of TensorFlow."""
    tensorflow = importlib.import_module("tensorflow")
    found: dict[str, list[str]] = {}
    waiting = [""]
    for place in waiting:  # grows
        module = find(tensorflow, place)
        names = sorted(n for n in dir(module) if not n.startswith("_"))
        found[place] = names
        modules = [n for n in names if is_public_module(getattr(module, n))]
        waiting += [f"{place}.{n}".strip(".") for n in modules if n not in NOT_RECORDED]
    for place in CLASSES:
        found[place] = sorted(n for n in dir(find(tensorflow, place)) if not n.startswith("_"))
    return {place: found[place] for place in sorted(found)}


def is_public_module(value: object) -> bool:
    """Whether it is one of TensorFlow's modules of names, not one that a file imports."""
    homes = ("tensorflow._api.", "keras._tf_keras.", "tensorboard.summary.")
    return isinstance(value, ModuleType) and value.__name__.startswith(homes)


def find(library: object, place: str) -> object:
    """What a library has under a dotted name; None if nothing."""
    names = place.split(".") if place else []
    return functools.reduce(lambda value, name: getattr(value, name, None), names, library)


def sorted_out(place: str, names: list[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Of a place's names those that are there, and the others by why not."""
    mine = find(minitensor, place)
    inside = set_in(mine) if isinstance(mine, type) else set()
    there, lacking = [], defaultdict(list)
    for name in names:
        if name in inside or hasattr(mine, name):
            there.append(name)
        else:
            topic = topic_of(f"{place}.{name}".strip("."))
            lacking[topic.title if topic else NOT_YET].append(name)
    return there, dict(sorted(lacking.items(), key=lambda item: (item[0] != NOT_YET, item[0])))


def set_in(cls: type) -> set[str]:
    """The attributes that methods of a class of ours set: `self.name = `."""
    ours = [c for c in cls.__mro__ if c.__module__.startswith("minitensor")]
    return {name for c in ours for name in ASSIGNED.findall(inspect.getsource(c))}


def names_page(record: dict[str, list[str]]) -> str:
    """The page of names."""
    rows, parts = [], []
    mirrored = {p: names for p, names in record.items() if find(minitensor, p) is not None}
    for place, names in mirrored.items():
        there, lacking = sorted_out(place, names)
        title = f"tf.{place}" if place else "tf"
        missing = sum(map(len, lacking.values()))
        rows.append(f"| [`{title}`](#{anchor(title)}) | {len(there)} | {missing} |")
        parts.append(f"## {title}\n\n{paragraph('There', there)}")
        parts += [paragraph(f"Not there, {reason}", found) for reason, found in lacking.items()]
    head = f"""# TensorFlow's names

The public names of TensorFlow {VERSION} in the modules that are mirrored here, and the attributes
of some classes. *Not yet*: nobody asked. The other reasons stand in [What stays out](stays-out.md).
Made by `python docs/names.py`.

| module | there | not there |
|---|---|---|
"""
    return head + "\n".join(rows) + "\n\n" + "\n\n".join(part for part in parts if part) + "\n"


def anchor(title: str) -> str:
    """Of a heading, as Markdown makes it."""
    return title.lower().replace(".", "")


def paragraph(what: str, names: list[str]) -> str:
    """A list of names on lines of a page's width; nothing without names."""
    text = f"{what}: " + ", ".join(f"`{name}`" for name in names)
    return textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False) if names else ""


def stays_out_page(record: dict[str, list[str]]) -> str:
    """The page of what stays out, from the table that errors read."""
    text = "# What stays out\n\nWhat is not here, why, and the nearest thing, as errors say it.\n"
    named = [f"{place}.{n}".strip(".") for place, names in record.items() for n in names]
    for topic in STAYS_OUT:
        lacking = [n for n in named if topic_of(n) is topic and find(minitensor, n) is None]
        why = textwrap.fill(f"{sentence(topic.why)} Instead: {topic.instead}.", 100)
        shown = paragraph("Such as", [f"tf.{n}" for n in lacking[:8]])
        text += f"\n## {topic.title}\n\n{why}\n\n{shown}\n"
    return text + TRACING


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    return f"{text[:1].upper()}{text[1:]}."


def pages() -> dict[Path, str]:
    """Both pages, from the record."""
    record = recorded()
    return {HERE / "names.md": names_page(record), HERE / "stays-out.md": stays_out_page(record)}


def main() -> None:
    """Writes them."""
    if "--record" in sys.argv:
        lines = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in of_tensorflow().items()]
        RECORD.write_text(
            f'{{"tensorflow": "{VERSION}", "names": {{\n' + ",\n".join(lines) + "\n}}\n"
        )
    for path, text in pages().items():
        path.write_text(text)


if __name__ == "__main__":
    main()
