"""`tf.explain`: an op on your own numbers, and everything that can be asked about it."""

from __future__ import annotations

import json
import operator
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from minitensor.explain import laws, ops, text, views
from minitensor.explain.arguments import FILTERS
from minitensor.explain.ops import Call, Map, Op
from minitensor.explain.shown import lines
from minitensor.explain.trace import Index, Sum
from minitensor.explain.words import legal_language


def explain(
    op: Any,
    *arguments: Any,
    at: Sequence[int] | None = None,
    grad: str | None = None,
    output_gradients: Any = None,
    lang: str = "en",
    **settings: Any,
) -> Any:
    """Explains a number that an op, or its gradient, computes: which products add up to it.

    y[at] = sum of terms, and the engine's y[at] is compared with that sum

    Args:
        op: a function of tf.nn that slides a window, normalises or is a cross entropy, or its
            name; or a layer that does; or a model, of which every layer is explained.
        arguments, settings: the op's own, by position and by name. A matrix stands for one image
            of one channel; what is left out is neutral: stride 1, VALID, scale 1, offset 0.
            Convolutions also take a `bias` (O,).
        at: which number of the output, or of the gradient: its whole index, or only its row and
            column; of a normalisation it may leave out axes of size 1. The first one by default.
        grad: explains the gradient instead, in an argument: its name, or "input", "filter", "bias".
        output_gradients: what comes back to the output; ones by default, as for loss = sum(y).
        lang: "en" or "zh".

    Returns:
        An `Explanation`; of a model a `ModelExplanation`.

    Raises:
        ValueError: an op that cannot be explained, arguments that do not fit, no such number.
        ArithmeticError: the terms are not the engine's number.

    Example:
        >>> import minitensor as tf
        >>> found = tf.explain("conv2d", [[1, 2, 3], [4, 5, 6]], [[1, 10]], at=(1, 0))
        >>> found.value, [term.value for term in found.terms()]
        (54.0, [4.0, 50.0])
        >>> print(found.shape_steps[1])
        width: floor((3 + 0 - 2)/1) + 1 = 2; SAME would pad 0 before, 1 after, because (3 - 1)*1 + \
2 - 3 = 1, for ceil(3/1) = 3; the odd pixel goes after
    """
    legal_language(lang)
    if hasattr(op, "trainable_weights") and not isinstance(op, type):
        from minitensor.explain.layers import explain_layer

        words = {"at": at, "grad": grad, "output_gradients": output_gradients, "lang": lang}
        return explain_layer(op, *arguments, **{k: v for k, v in words.items() if v is not None})
    name, row = ops.find(op)
    call = ops.run(name, row, arguments, settings, grad, output_gradients)
    return Explanation(call, row, at, lang)


class Explanation:
    """One number of an op or of a gradient: its terms, the laws of its sizes, and other views.

    `print()` shows it in the terminal, a notebook shows it by itself.
    """

    def __init__(self, call: Call, op: Op, at: Sequence[int] | None, lang: str = "en") -> None:
        self.call = call
        self.op = op
        self.map: Map = op.build(call)
        self.lang = lang
        self.at: Index = self.index(at)
        self._sum = self.terms()

    def index(self, at: Sequence[int] | None) -> Index:
        """The whole index that `at` stands for: row and column alone mean image 0, channel 0.

        Where there are no rows and columns, axes of size 1 may be left out.
        """
        shape = self.call.numbers.shape
        if at is None:
            return (0,) * len(shape)
        try:
            given = tuple(map(operator.index, at))
        except TypeError:
            raise ValueError(f"at={at!r}: legal is a list of integers, like (0, 1)") from None
        axes = self.spatial_axes or [axis for axis, n in enumerate(shape) if n > 1]
        full: Index = given
        if len(given) == len(axes) != len(shape):
            places = dict(zip(axes, given, strict=True))
            full = tuple(places.get(axis, 0) for axis in range(len(shape)))
        if len(full) != len(shape) or any(not 0 <= i < n for i, n in zip(full, shape, strict=True)):
            ranges = ", ".join(f"0..{n - 1}" for n in shape)
            short = ", ".join(f"0..{shape[axis] - 1}" for axis in axes)
            also = f", or {short} alone" if axes and len(axes) < len(shape) else ""
            raise ValueError(
                f"at={','.join(map(str, given))}: the {self.call.name} has the shape {shape}; "
                f"legal are {ranges}{also}"
            )
        return full

    @property
    def spatial_axes(self) -> list[int]:
        """The axes of the numbers asked for that are rows and columns (and depth)."""
        dims, rank = self.call.numbers.ndim, self.map.rank
        if rank is None or dims != rank + 2:
            return []
        if self.call.asked in (*FILTERS, "pointwise_filter"):
            return list(range(rank))
        first = str(self.call.arguments.get("data_format") or "").startswith("NC")
        return list(range(2, dims) if first else range(1, dims - 1))

    # ----- the number -----

    @property
    def value(self) -> float:
        """The number, as the engine computed it."""
        return self._sum.value

    def terms(self, at: Sequence[int] | None = None) -> Sum:
        """The terms of a number, by default the one explained, added again and compared."""
        return self.map.tracer.sum(self.at if at is None else self.index(at)).checked()

    # ----- around it -----

    @property
    def shape_steps(self) -> tuple[laws.Step, ...]:
        """The laws of the sizes, with their numbers."""
        return laws.shape_steps(self.map)

    @cached_property
    def im2col(self) -> views.Columns:
        """The matrix of patches near the number, and from which pixel each of its entries came."""
        return views.columns(self.map, self.at if self.call.asked == "output" else None)

    @cached_property
    def matrix(self) -> Any:
        """W', with conv2d(x).ravel() = W' @ x.ravel() for one image; transposed, x = W'.T @ y."""
        return views.matrix(self.call, self.map)

    @cached_property
    def three_ways(self) -> views.ThreeWays:
        """A number of a transposed convolution: scattered, slid over, and as a row of W'^T."""
        return views.three_ways(self.call, self.map, self.at)

    def reach(self, times: int = 1) -> list[tuple[int, np.ndarray]]:
        """Of the op so many times in a row, along each axis: how often a number reads each pixel.

        The receptive field and how it grows; zeros are the holes that dilation leaves. Of a
        transposed convolution: how often eight inputs reach each output, the checkerboard.
        """
        return views.reach(self.map, times)

    @cached_property
    def moving(self) -> views.Moving:
        """The statistics that a batch normalisation keeps after so many steps, by its momentum."""
        return views.moving(self.call, self.map, self.at)

    @cached_property
    def cost(self) -> tuple[views.Cost, ...]:
        """What each algorithm costs: multiply-adds, extra bytes, predicted and measured time."""
        return views.costs(self.call, self.op, self.map)

    def code(self, language: str = "numpy") -> str:
        """The program that computes the same: "numpy" loops, "tf", "keras" or "torch"."""
        from minitensor.explain import code

        return code.program(self.call, self.op, self.map, language)

    def check(self, library: str = "tf") -> str:
        """Compares the output, and the gradient that was asked for, with TensorFlow.

        Raises:
            ArithmeticError: they differ by more than rounding.
        """
        return views.check(self.call, self.op, library)

    # ----- shown -----

    def print(self, *views: str, lang: str | None = None) -> None:
        """Prints views of it: terms, window, im2col, matrix, scatter, reach, moving, cost, code."""
        text.show(lines(self, views, legal_language(lang or self.lang)))

    def figure(self) -> Any:
        """A matplotlib Figure: what is read outlined, padding hatched, one colour scale."""
        from minitensor.explain import figure

        return figure.figure(self)

    def save(self, path: Any) -> list[Path]:
        """Writes .svg, .png, .pdf, .json, an animated .gif (and a still .svg), or an .html page.

        Returns:
            The files that were written.
        """
        from minitensor.explain import figure

        return figure.save(self, Path(path))

    def __str__(self) -> str:
        return text.plain(lines(self, (), self.lang))

    def __repr__(self) -> str:
        return f"<Explanation of {self.call.op}: {self.call.name}{list(self.at)} = {self.value:g}>"

    def _repr_html_(self) -> str:
        """What a notebook shows: the planes as tables, and the terms."""
        from minitensor.explain import page

        return page.fragment(self)

    def to_dict(self) -> dict[str, Any]:
        """Everything as numbers and words, for JSON."""
        call = self.call
        return {
            "op": call.op,
            "arguments": {k: _plain(v) for k, v in call.arguments.items()},
            "output_shape": list(call.output.shape),
            "asked": call.name,
            "at": list(self.at),
            **_sum_dict(self._sum),
            "shape_steps": [step.text(self.lang) for step in self.shape_steps],
        }

    def to_json(self) -> str:
        """`to_dict` as JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False)


def _plain(value: Any) -> Any:
    """An argument as JSON has it: large arrays by their shape."""
    if hasattr(value, "numpy"):
        array = value.numpy()
        small = array.size <= 1024
        return {"shape": list(array.shape), **({"values": array.tolist()} if small else {})}
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def _sum_dict(found: Sum) -> dict[str, Any]:
    return {
        "name": found.name,
        "value": found.value,
        "sum": found.total,
        "exact": found.is_exact,
        "before": [_sum_dict(s) for s in found.before],
        "terms": [
            {
                "factors": [{"name": c.name, "at": c.at, "value": c.value} for c in term.cells],
                "value": term.value,
                "padding": not term.real,
            }
            for term in found
        ],
    }
