"""`tf.show_graph`: the computations that led to a tensor, as a tape recorded them.

A box is an op with the shape of its result; variables, watched tensors and constants are boxes
of their own, a constant of one number stands in the box of its op. What a walk back computed is
drawn as "gradient". A large graph is folded: what one layer or name scope computed in one run is
one box; what is then still too much is cropped, and both are said in the title.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from html import escape
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from minitensor import pictures
from minitensor.autograd.finite import op_name
from minitensor.autograd.recording import GRADIENT, Record
from minitensor.autograd.tape import GradientTape, knows_most, living
from minitensor.autograd.tensor import ArrayLike
from minitensor.autograd.variable import Variable
from minitensor.explain.text import number
from minitensor.explain.words import LANGUAGES, say
from minitensor.extras import require
from minitensor.pictures import Arrow, Box

FOLD, CROP = 40, 80  # more ops than this are folded; more boxes than that are cropped
FEW = 8  # boxes that say too little


@dataclass(frozen=True)
class Node:
    """An op, a run of folded ops, or something that none made.

    Args:
        name: of the op, the layer or the variable; and the numbers it is called with.
        shape: of the result, and its type.
        kind: "op", "variable", "watched" or "constant".
        reads: numbers of the nodes that it reads.
        place: the layers and scopes it was computed in, from the outside in.
        order: 0 forward, 1 of a gradient, 2 of a gradient's gradient.
        ops, variables: how many are folded into it.
    """

    name: str
    shape: str
    kind: str
    reads: tuple[int, ...] = ()
    place: tuple[str, ...] = ()
    order: int = 0
    ops: int = 1
    variables: int = 0

    @property
    def is_leaf(self) -> bool:
        """Whether no op made it."""
        return self.kind != "op"

    def lines(self, lang: str) -> list[str]:
        """What there is to say: name, shape, place."""
        words = [self.name]
        if self.is_leaf:
            words.insert(0, say(self.kind, lang))
        inside = [say("ops", lang, count=self.ops)] * (self.ops > 1)
        inside += [say("variables", lang, count=self.variables)] * bool(self.variables)
        if inside:
            words.append(f"({', '.join(inside)})")
        where = ["/".join(self.place)]
        if self.order:
            where.insert(0, say("gradient" if self.order == 1 else "of_order", lang, n=self.order))
        lines = [" ".join(filter(None, words)), self.shape, " ".join(filter(None, where))]
        return list(filter(None, lines))


def show_graph(tensor: Any, lang: str = "en") -> Graph:
    """Draws the computations that led to a tensor, as a tape recorded them.

    y = f_n(... f_1(x, w) ...), a box for each f, an arrow for each tensor

    Args:
        tensor: computed in the block of a GradientTape that is still there: a forward result, or
            a gradient that one tape gave while another was recording.
        lang: "en" or "zh".

    Returns:
        A `Graph`: a notebook shows it, `print` writes it as a tree, `save` as a file.

    Raises:
        TypeError: no tensor.
        ValueError: no tape has recorded how it was computed.

    Example:
        >>> import minitensor as tf
        >>> x = tf.constant([3.0, 4.0])
        >>> with tf.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = tf.sqrt(tf.reduce_sum(x * x))
        >>> print(tf.show_graph(y))
        3 ops led to sqrt () float32; each line reads the one below
        [4] sqrt () float32
        [3] sum () float32
        [2] multiply (2) float32  <- watched (2) float32

    Source: none; TensorBoard draws tf.function's graphs
    """
    if not isinstance(tensor, ArrayLike):
        raise TypeError(
            f"show_graph: expected a tensor that a tape recorded, got {type(tensor).__name__}"
            + ("; a gradient is None where the target does not depend on the source"
               if tensor is None else "")
        )  # fmt: skip
    if lang not in LANGUAGES:
        raise ValueError(f"lang={lang!r}: legal are {', '.join(LANGUAGES)}")
    tape = knows_most(tensor)
    if tape is None:
        raise ValueError(_why_not(tensor))
    return Graph(_nodes(tape, tape.way_to(tensor)), lang)


def _why_not(tensor: ArrayLike) -> str:
    """What to do about a tensor that no tape knows."""
    if any(tape.watches(tensor) for tape in living):
        return (
            "show_graph: a tape watches this, but no op made it; ask for what is computed from it"
        )
    what = (
        "show_graph: no tape knows how this tensor was computed. Compute it in `with "
        "tf.GradientTape(persistent=True) as tape:` from a tf.Variable, or from x after "
        "`tape.watch(x)`, and ask while `tape` is there"
    )
    return what + "; tape.gradient makes a tape forget that is not persistent"


# ----- what the tape holds -----


class _Reader:
    """Turns records into nodes, each of which reads earlier ones."""

    def __init__(self, tape: GradientTape) -> None:
        self.tape = tape
        self.nodes: list[Node] = []
        self.known: dict[int, int] = {}  # id of a tensor or variable -> number of its node

    def add(self, record: Record) -> None:
        """One computation; the read of a variable is the variable."""
        name = op_name(record)
        if isinstance(record.inputs[0], Variable) and name == "read":
            self.known[id(record.outputs[0])] = self._number(record.inputs[0])
            return
        constants = [number(float(np.asarray(x))) for x in record.inputs if self._is_constant(x)]
        reads = tuple(self._number(x) for x in record.inputs if not self._is_constant(x))
        parts = [part for part in record.place if part != GRADIENT]
        place = tuple(word for part in parts for word in part.split("/") if word)
        shapes = ", ".join(map(_shape, record.outputs))
        order = len(record.place) - len(parts)
        self.known.update(dict.fromkeys(map(id, record.outputs), len(self.nodes)))
        self.nodes.append(Node(" ".join([name, *constants]), shapes, "op", reads, place, order))

    def _is_constant(self, x: ArrayLike) -> bool:
        """Of one number: it stands in the box of its op."""
        single = x.shape.num_elements() == 1 and not isinstance(x, Variable)
        return single and id(x) not in self.known and not self.tape.watches(x)

    def _number(self, x: ArrayLike) -> int:
        """The number of the node of what an op reads."""
        if id(x) not in self.known:
            kind, name = "watched" if self.tape.watches(x) else "constant", ""
            if isinstance(x, Variable):
                kind, name = "variable", getattr(x, "path", x.name).removesuffix(":0")
            self.known[id(x)] = len(self.nodes)
            self.nodes.append(Node(name, _shape(x), kind))
        return self.known[id(x)]


def _nodes(tape: GradientTape, records: Iterable[Record]) -> list[Node]:
    reader = _Reader(tape)
    for record in records:
        reader.add(record)
    return reader.nodes


def _shape(x: ArrayLike) -> str:
    return f"({', '.join(map(str, x.shape))}) {x.dtype.name}"


# ----- large graphs -----


def _fold(nodes: list[Node]) -> list[Node]:
    """By the innermost layers that make few enough boxes; if these say too little, all of them."""
    depths = range(max(len(n.place) for n in nodes), 0, -1)
    tried = [_folded(nodes, depth) for depth in depths]
    return next((found for found in tried if FEW <= len(found) <= CROP), next(iter(tried), nodes))


def _folded(nodes: list[Node], depth: int) -> list[Node]:
    """Ops that one layer or scope, `depth` deep, made in one run become one; its variables go."""

    def key(k: int) -> Any:
        return (nodes[k].place[:depth], nodes[k].order) if nodes[k].place else k

    found = [node for node in nodes if node.kind in ("watched", "constant")]
    outside = [k for k, node in enumerate(nodes) if node.kind in ("watched", "constant")]
    new = {k: i for i, k in enumerate(outside)}
    for _, run in groupby((k for k, node in enumerate(nodes) if not node.is_leaf), key):
        inside = list(run)
        last = nodes[inside[-1]]
        reads = {r: None for k in inside for r in nodes[k].reads if r not in inside}
        weights = sum(nodes[r].kind == "variable" for r in reads)
        outer = tuple(dict.fromkeys(new[r] for r in reads if r in new))
        whole = last
        if len(inside) > 1:
            *place, name = last.place[:depth]
            whole = replace(last, name=name, place=tuple(place), ops=len(inside))
        new.update(dict.fromkeys(inside, len(found)))
        found.append(replace(whole, reads=outer, variables=weights))
    return found


def _cropped(nodes: list[Node]) -> list[Node]:
    """The last ones."""
    first = len(nodes) - CROP
    return [replace(n, reads=tuple(r - first for r in n.reads if r >= first))
            for n in nodes[first:]]  # fmt: skip


class Graph:
    """The computations that led to a tensor; a notebook shows it.

    Attributes:
        nodes: what is shown, in the order of computation, after folding and cropping.
        arrows: pairs (from, to) of numbers of nodes.
    """

    def __init__(self, nodes: list[Node], lang: str) -> None:
        self.lang = lang
        self._ops = [node for node in nodes if not node.is_leaf]
        self._is_folded = len(self._ops) > FOLD and any(node.place for node in nodes)
        nodes = _fold(nodes) if self._is_folded else nodes
        self._left_out = max(len(nodes) - CROP, 0)
        self.nodes = _cropped(nodes) if self._left_out else nodes
        self.arrows: list[Arrow] = [(r, k) for k, node in enumerate(self.nodes)
                                    for r in dict.fromkeys(node.reads)]  # fmt: skip

    def title(self, lang: str) -> list[str]:
        """How many ops there are, and how much of them is shown."""
        result = f"{self._ops[-1].name} {self._ops[-1].shape}"
        parts = [say("graph", lang, ops=len(self._ops), result=result)]
        if self._is_folded:
            boxes = len(self.nodes) + self._left_out
            parts.append(say("folded_title", lang, boxes=boxes))
        if self._left_out:
            parts.append(say("left_out", lang, count=self._left_out))
        return parts

    # ----- the picture -----

    def figure(self) -> Any:
        """A matplotlib Figure: arrows lead from what is read to what is computed."""
        require("show_graph's pictures", "matplotlib")
        lang = pictures.language(self.lang)
        shown = []
        for node in self.nodes:
            kind = "gradient" if node.order else node.kind
            shown.append(Box(tuple(node.lines(lang)), kind if kind in pictures.KINDS else "input"))
        with pictures.style(lang):
            return pictures.boxes(shown, self.arrows, "\n".join(self.title(lang)))

    def save(self, path: Any) -> Path:
        """Writes .svg, .png, .pdf or .html.

        Raises:
            ValueError: another kind of file.
        """
        path = Path(path)
        kind = path.suffix.lower()
        if kind == ".html":
            head = f'<!doctype html><html lang="{self.lang}"><meta charset="utf-8">'
            path.write_text(f"{head}<title>show_graph</title>{self._repr_html_()}</html>", "utf-8")
        elif kind in (".svg", ".png", ".pdf"):
            path.write_bytes(self._bytes(kind[1:]))
        else:
            raise ValueError(f"{path.name}: legal are .svg, .png, .pdf and .html")
        return path

    def _bytes(self, kind: str) -> bytes:
        return pictures.written(self.figure(), kind, "show_graph", str(self))

    def _repr_html_(self) -> str:
        """What a notebook shows: the picture, scrolled if large; the tree for who hears it."""
        if find_spec("matplotlib") is None:
            return f"<pre>{escape(str(self))}</pre>"
        picture = pictures.element(self._bytes("svg"), str(self))
        return f'<div style="overflow:auto;max-height:90vh;background:white">{picture}</div>'

    # ----- the tree -----

    def __repr__(self) -> str:
        return f"<Graph: {'; '.join(self.title('en'))}>"

    def __str__(self) -> str:
        head = "; ".join([*self.title(self.lang), say("tree", self.lang)])
        return "\n".join([head, *self._tree()])

    def _tree(self) -> Iterator[str]:
        """From the result down; what is read by several stands once, and is named by its number."""
        stack = [(len(self.nodes) - 1, "", "")]
        done: set[int] = set()
        while stack:
            k, first, rest = stack.pop()
            if k in done:
                yield f"{first}[{k + 1}] {say('above', self.lang)}"
                continue
            done.add(k)
            yield f"{first}[{k + 1}] {self._line(self.nodes[k])}"
            made = [r for r in dict.fromkeys(self.nodes[k].reads) if not self.nodes[r].is_leaf]
            if len(made) == 1:
                stack.append((made[0], rest, rest))
            elif made:
                *others, last = made
                stack.append((last, f"{rest}└─ ", f"{rest}   "))
                stack += [(r, f"{rest}├─ ", f"{rest}│  ") for r in reversed(others)]

    def _line(self, node: Node) -> str:
        name, shape, *place = node.lines(self.lang)
        leaves = [self.nodes[r] for r in dict.fromkeys(node.reads) if self.nodes[r].is_leaf]
        read = ", ".join(" ".join(leaf.lines(self.lang)) for leaf in leaves)
        return "  ".join([f"{name} {shape}", *place, *([f"<- {read}"] if read else [])])
