"""`minitensor explore`: one offline page, on which a convolution is slid, stepped and clicked.

The page is joined here from the files in `explorer/`: style, words, scripts, and what TensorFlow
answered to the calls that the page's own arithmetic repeats (`tests/support/record_explorer.py`),
and launches as the emulator ran them (`tests/support/record_launches.py`).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minitensor.explain import ops
from minitensor.explain.arguments import FILTERS
from minitensor.explain.presets import ERRATA, PRESETS, preset
from minitensor.explain.words import WORDS

PARTS = Path(__file__).with_name("explorer")
SCRIPTS = (
    *("tensor", "window", "links", "pool", "norm", "selftest"),  # arithmetic
    *("cost", "code"),
    *("words", "state", "problem", "draw", "launch"),
    *("panels/size", "panels/window", "panels/channels", "panels/transposed", "panels/gradient"),
    *("panels/matrix", "panels/kernel", "panels/pool", "panels/norm", "panels/cost", "panels/code"),
    *("controls", "main"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("explorer.html"), help="the file (explorer.html)"
    )


def run(args: argparse.Namespace) -> int:
    """Writes the page."""
    args.output.write_text(page(), encoding="utf-8")
    print(f"wrote {args.output}: open it in a browser; it needs no network")
    return 0


def page() -> str:
    """The page, as one HTML text without a link to anywhere."""
    words = {**WORDS, **json.loads(_text("words.json"))}
    data = {
        "WORDS": words,
        "PRESETS": {name: example(name) for name in PRESETS},
        "ERRATA": ERRATA,
        "LAUNCHES": json.loads(_text("launches.json")),
    }
    return joined("page.html", data, SCRIPTS, golden=_text("golden.json"))


def joined(template: str, data: dict[str, Any], scripts: Sequence[str], **parts: str) -> str:
    """A page of the files in `explorer/`: `data` as constants, scripts and style in one text."""
    constants = "".join(f"const {name} = {_json(value)};\n" for name, value in data.items())
    parts |= {
        "style": _text("style.css") + _text("launch.css"),
        "script": constants + "\n".join(_text(f"{name}.js") for name in scripts),
    }
    text = _text(template)
    for name, part in parts.items():
        text = text.replace(f"<!-- {name} -->", part)
    return text


def _text(name: str) -> str:
    return (PARTS / name).read_text(encoding="utf-8")


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("</", "<\\/")  # else it might end the script


def example(name: str) -> dict[str, Any]:
    """A course text's example as the page reads it: x, w (and v), the settings, its output's shape.

    A depthwise filter (kh, kw, C, M) is laid out as that of C groups, (kh, kw, 1, C*M).
    """
    op, arguments = preset(name)
    row = ops.OPS[op]
    call = ops.run(op, row, (), arguments, None, None)
    found: dict[str, Any] = {"op": op, "output": list(call.output.shape)}
    for short, names in (("x", ("input",)), ("w", FILTERS), ("v", ("pointwise_filter",))):
        array = next((a for n in names if (a := call.maybe(n)) is not None), None)
        if array is not None:
            if "depthwise_filter" in call.arguments and short == "w":
                array = array.reshape(*array.shape[:2], 1, -1)
            found[short] = _packed(array)
    links = row.build(call).links
    assert links is not None
    found["strides"], found["dilations"] = list(links.plane.stride), list(links.plane.dilation)
    if "w" not in found:
        found["ksize"] = list(links.plane.kernel)
    found["padding"] = arguments.get("padding", "VALID")
    bias = call.maybe("bias")
    if bias is not None:
        found["bias"] = bias.astype(int).tolist()
    return found


def _packed(array: np.ndarray) -> dict[str, Any]:
    """Numbers that count on by their first; else all of them, as short as float32 reads back."""
    flat, shape = array.ravel(), list(array.shape)
    if flat.size > 2 and (np.diff(flat) == 1).all():
        return {"shape": shape, "start": int(flat[0])}
    values = [int(v) if v == int(v) else float(str(v)) for v in flat]
    return {"shape": shape, "values": values}
