"""Ten slides on transposed convolution, dilation, the gradient and batch norm, made with `explain`.

    python examples/lecture/build.py -o lecture.html

One HTML file that asks nobody for anything: arrow keys, space, Home and End, or a swipe, turn its
pages, lecture.html#7 opens the seventh, and printing gives a page for each. Every number on a
slide is added again from its terms and compared with the engine's while it is built.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from contextlib import redirect_stdout
from html import escape
from pathlib import Path

import numpy as np

import minitensor as tf

IMAGE = np.arange(1, 26).reshape(5, 5)
KERNEL = [[-1, 2, -3], [4, -5, 6], [-7, 8, -9]]
WIDE = np.arange(1, 50).reshape(7, 7)
SMALL = [[1, 2], [3, 4]]
BATCH = [[1.0, 10.0], [3.0, 30.0], [8.0, 20.0]]  # three examples of two features
ONE = np.reshape([1.0, 0, 0, 0, 0, 0], (3, 1, 1, 2))  # loss = the first number alone


def number(*call: object, **settings: object) -> str:
    """A number of an op with its planes and its terms."""
    return f'<div class="number">{tf.explain(*call, **settings)._repr_html_()}</div>'


def view(name: str, *call: object, **settings: object) -> str:
    """A view of an explanation, as the terminal shows it."""
    with redirect_stdout(io.StringIO()) as text:
        tf.explain(*call, **settings).print(name)
    _, shown = text.getvalue().split("\n\n", 1)  # without the call and its law
    blocks = "".join(f"<div>{escape(block)}</div>" for block in shown.rstrip().split("\n\n"))
    return f'<pre class="{name}">{blocks}</pre>'


def laws(*call: object, **settings: object) -> str:
    """The laws of an op's sizes."""
    steps = tf.explain(*call, **settings).shape_steps
    return f"<ul>{''.join(f'<li>{escape(str(step))}' for step in steps)}</ul>"


def back(size: int) -> tuple[object, ...]:
    """The transposed convolution of the next slides."""
    return ("conv2d_transpose", SMALL, KERNEL, [size, size], 2, "VALID")


SLIDES: list[tuple[str, str, Callable[[], list[str]]]] = [
    (
        "A convolution is a sum of products",
        "The kernel lies on the image, each pair of cells is multiplied, the products are added. "
        "Stride 2: the next window begins two cells on.",
        lambda: [number("conv2d", IMAGE, KERNEL, 2, at=(1, 0))],
    ),
    (
        "The same convolution is a matrix W'",
        "Lay the image out as a vector: each output is a row of W', nine weights and otherwise "
        "nothing. Or copy each window into a row (im2col), and the kernel is the vector.",
        lambda: [
            view("matrix", "conv2d", IMAGE, KERNEL, 2),
            view("im2col", "conv2d", IMAGE, KERNEL, 2),
        ],
    ),
    (
        "Transposed convolution: every input stamps the kernel",
        "W'^T leads back from 2x2 to 5x5. Where the stamps overlap, they add up: four of them in "
        "the middle. It is not an inverse; it only has the inverse's shapes.",
        lambda: [number(*back(5), at=(2, 2))],
    ),
    (
        "Three ways to the same number",
        "Scatter-add; or zeros between the inputs, padding, and the kernel turned by 180 degrees; "
        "or a row of W'^T. One number each time.",
        lambda: [view("scatter", *back(5), at=(2, 2))],
    ),
    (
        "Why output_shape must be said",
        "Two sizes, 5 and 6, shrink to 2 under stride 2, so the way back must name one. In the "
        "larger one the last row and column are reached by no stamp.",
        lambda: [laws(*back(6)), number(*back(6), at=(5, 5))],
    ),
    (
        "Dilation: the same nine weights see further",
        "Rate 2 reads every second pixel: a span of 5 with 9 weights, and no more arithmetic. What "
        "lies between is not seen; several layers of one rate leave a grid of holes.",
        lambda: [
            number("conv2d", WIDE, KERNEL, dilations=2, at=(1, 1)),
            view("reach", "conv2d", WIDE, KERNEL, dilations=2),
        ],
    ),
    (
        "The gradient in the input is a transposed convolution",
        "For loss = sum(output) each output sends back 1. A pixel in the middle was read by four "
        "windows, a corner by one: so the gradient has a border.",
        lambda: [number("conv2d", IMAGE, KERNEL, 2, grad="input", at=(2, 2))],
    ),
    (
        "The gradient in the filter is a convolution of image and gradient",
        "Each weight met one pixel per window: its gradient is the sum of these pixels, each times "
        "what came back to that window.",
        lambda: [number("conv2d", IMAGE, KERNEL, 2, grad="filter", at=(0, 1))],
    ),
    (
        "Batch norm: the numbers of a column share a mean",
        "In training, mean and variance come from the batch, column by column: each output depends "
        "on all three rows. In inference both are stored numbers, and no row depends on another.",
        lambda: [number("batch_norm", BATCH, at=(0, 0)), view("moving", "batch_norm", BATCH)],
    ),
    (
        "Batch norm's gradient has three parts",
        "What came back to the number itself; less the mean of what came back to its column; less "
        "the part that the variance explains. So a column's gradients add up to 0.",
        lambda: [number("batch_norm", BATCH, grad="x", at=(0, 0), output_gradients=ONE)],
    ),
]  # fmt: skip


def page() -> str:
    """All slides in one file."""
    count = len(SLIDES)
    sections = [
        f'<section id="{k}"><h1>{escape(title)}</h1><p>{escape(words)}</p>'
        f"{''.join(parts())}<footer>{k} / {count}</footer></section>"
        for k, (title, words, parts) in enumerate(SLIDES, 1)
    ]
    return f"{HEAD}{''.join(sections)}{TAIL}"


HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Transposed convolution and its kin</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root{color-scheme:light dark}
body{margin:0;font:clamp(1rem,1.6vw,1.5rem)/1.4 sans-serif}
section{box-sizing:border-box;min-height:100vh;padding:1.2rem clamp(.8rem,4vw,4rem) 2rem}
section{position:relative}
h1{font-size:1.5em;line-height:1.2;margin:0 0 .4em}
p{max-width:60em;margin:0 0 .8em}
ul{font-size:.75em}
pre{font-size:.62em;line-height:1.25;overflow-x:auto;margin:.5em 0}
pre div{break-inside:avoid;margin-bottom:1em}
.number{display:flex;flex-wrap:wrap;gap:0 2.5rem}
.number>*{min-width:0;max-width:100%}
.number>pre{flex:1 1 30rem;white-space:pre-wrap;line-height:1.17}
section .explain .sum{margin:.3em 0}
section .explain .panels table{font-size:.9em}
section .explain .panels td{min-width:1.6em;height:1.6em}
@media(min-width:60rem){
.number{flex-wrap:nowrap}.number>.explain{max-width:60%}.number>pre{flex-basis:26rem}
pre.scatter{columns:2;font-size:.7em;white-space:pre-wrap}pre.matrix,pre.im2col{font-size:.8em}
}
footer{position:absolute;bottom:.8rem;right:1.2rem;font-size:.7em;opacity:.6}
@media print{section{break-after:page}section[hidden]{display:block!important}}
</style></head><body>
"""
TAIL = """<script>
const slides = [...document.querySelectorAll("section")];
let now = 0, began = 0;
const show = to => {
  now = Math.max(0, Math.min(slides.length - 1, to));
  slides.forEach((slide, k) => { slide.hidden = k !== now; });
  history.replaceState(null, "", "#" + (now + 1));
  scrollTo(0, 0);
};
const keys = { ArrowRight: 1, ArrowDown: 1, PageDown: 1, " ": 1, Enter: 1,
               ArrowLeft: -1, ArrowUp: -1, PageUp: -1, Backspace: -1, Home: -99, End: 99 };
addEventListener("keydown", event => {
  if (!(event.key in keys) || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  show(now + keys[event.key]);
});
addEventListener("touchstart", event => {  // what is wider than the page scrolls instead
  began = event.target.closest?.("pre, .slot") ? NaN : event.touches[0].clientX;
});
addEventListener("touchend", event => {
  const moved = event.changedTouches[0].clientX - began;
  if (Math.abs(moved) > 60) show(now - Math.sign(moved));
});
addEventListener("hashchange", () => show(location.hash.slice(1) - 1 || 0));
show(location.hash.slice(1) - 1 || 0);
</script></body></html>
"""


def main() -> None:
    """Writes the slides."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--out", type=Path, default=Path("lecture.html"))
    out = parser.parse_args().out
    out.write_text(page(), "utf-8")
    print(f"{len(SLIDES)} slides, {out.stat().st_size / 1024:.0f} KB: {out}")


if __name__ == "__main__":
    main()
