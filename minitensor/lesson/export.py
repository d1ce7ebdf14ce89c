"""A lesson as a file to hand out: one HTML page of both languages that asks nobody, or .ipynb.

marimo's own HTML loads its program from another host, so the page is written here from what the
cells show; of a slider or a choice stays its name and its value.
"""

from __future__ import annotations

import ast
import io
import json
import re
import subprocess
import sys
from contextlib import redirect_stdout
from html import escape, unescape
from pathlib import Path
from typing import Any

from minitensor.explain.words import LANGUAGES
from minitensor.files import atomic_write
from minitensor.lesson import shelf
from minitensor.lesson.exercise import say_in
from minitensor.lesson.page import NAMES
from minitensor.lesson.shelf import Lesson

CONTROL = re.compile(
    r"<marimo-ui-element[^>]*>\s*<marimo-(\S+)([^>]*)>.*?</marimo-ui-element>", re.S
)
CALLOUT = re.compile(r"<marimo-callout-output ([^>]*)></marimo-callout-output>")


def html(lesson: Lesson, path: Path) -> None:
    """Writes the page."""
    text = page(lesson)
    with atomic_write(path) as fresh:
        fresh.write_text(text, encoding="utf-8")


def page(lesson: Lesson) -> str:
    """The page: each language in a section, which two buttons switch."""
    parts = []
    for lang in LANGUAGES:
        hidden = "" if lang == LANGUAGES[0] else " hidden"
        parts.append(
            f'<main lang="{lang}"{hidden}>{_note(lesson, lang)}{_body(lesson, lang)}</main>'
        )
    buttons = "".join(
        f"<button onclick=\"show('{lang}')\">{name}</button>" for name, lang in NAMES.items()
    )
    title = escape(lesson.title[0])
    return PAGE.format(title=title, css=CSS, buttons=buttons, body="".join(parts))


def _note(lesson: Lesson, lang: str) -> str:
    """That nothing moves here, and where it does."""
    command = f"<code>minitensor lesson open {lesson.number}</code>"
    told = say_in(
        lang,
        f"This page is for reading. {command} opens the lesson with sliders and with cells to "
        "write in.",
        f"本页仅供阅读。{command} 会打开可以拖动滑块、编写代码的版本。",
    )
    return f"<p><small>{told}</small></p>"


def _body(lesson: Lesson, lang: str) -> str:
    """What the cells show, in their order; the functions with blanks as code."""
    with redirect_stdout(io.StringIO()):  # a program would print its verdicts
        shown, _ = shelf.load(lesson.path).app.run(defs={"lang": lang})
    outputs = iter(shown)
    parts = []
    for cell in ast.parse(lesson.path.read_text(encoding="utf-8")).body:
        if not isinstance(cell, ast.FunctionDef) or "lang" in _returned(cell):
            continue  # with `lang` given, the cells that make it do not run
        output = next(outputs)
        if "switch" in _returned(cell):
            continue  # the page has its own
        if cell.name == "_":
            parts.append(f"<section>{_static(output)}</section>")
        else:
            cell.decorator_list = []
            parts.append(f"<pre><code>{escape(ast.unparse(cell))}</code></pre>")
    return "".join(part for part in parts if part != "<section></section>")


def _returned(cell: ast.FunctionDef) -> list[str]:
    last = cell.body[-1]
    names = (
        last.value.elts
        if isinstance(last, ast.Return) and isinstance(last.value, ast.Tuple)
        else []
    )
    return [name.id for name in names if isinstance(name, ast.Name)]


def _static(output: Any) -> str:
    """An output as HTML without marimo's own elements."""
    if output is None:
        return ""
    if hasattr(output, "savefig"):
        return _drawn(output)
    text: str = output._repr_html_() if hasattr(output, "_repr_html_") else escape(str(output))
    text = getattr(output, "text", text)
    text = CALLOUT.sub(lambda found: f"<aside>{_data(found[1], 'html')}</aside>", text)
    return CONTROL.sub(lambda found: _control(found[1], found[2]), text)


def _drawn(figure: Any) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg")
    return text.getvalue()


def _control(kind: str, attributes: str) -> str:
    """Of a slider or a choice, its name and its value."""
    label = re.sub(r"<[^>]*>", "", str(_data(attributes, "label") or ""))
    value = _data(attributes, "initial-value")
    if kind == "radio":
        choices = _data(attributes, "options") or []
        value = " ".join(f"{'●' if choice == value else '○'} {choice}" for choice in choices)
    elif kind != "slider":
        return ""
    return f"<p class=control>{escape(label)} <b>{escape(str(value))}</b></p>"


def _data(attributes: str, name: str) -> Any:
    """An attribute, which marimo writes as JSON."""
    found = re.search(rf"data-{name}='([^']*)'", attributes)
    return json.loads(unescape(found[1])) if found else None


def ipynb(lesson: Lesson, path: Path) -> None:
    """Writes the cells for Jupyter, by marimo.

    Raises:
        OSError: marimo could not; says why.
    """
    words = ["export", "ipynb", lesson.path, "-o", path.resolve(), "--force"]
    run = [sys.executable, "-m", "marimo", *map(str, words)]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"marimo could not write {path}: {done.stderr.strip().splitlines()[-1]}")


PAGE = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>{css}</style></head><body><nav>{buttons}</nav>{body}
<script>
function show(lang) {{
  for (const main of document.querySelectorAll("main")) main.hidden = main.lang !== lang;
}}
</script></body></html>
"""
CSS = """
:root { color-scheme: light dark; }
body { font: 16px/1.6 system-ui, "WenQuanYi Micro Hei", sans-serif; max-width: 46rem;
  margin: 0 auto; padding: 1rem; overflow-wrap: break-word; }
section { margin: 1rem 0; overflow-x: auto; }
.paragraph { display: block; margin: .6em 0; }
pre code { white-space: pre-wrap; }
pre, aside { background: #8882; padding: .6rem 1rem; border-radius: 6px; overflow-x: auto; }
aside { border-left: 4px solid #8888; }
table { border-collapse: collapse; }
th, td { padding: .15rem .6rem; border-bottom: 1px solid #8884; }
.control { margin: .2rem 0; }
svg { max-width: 100%; height: auto; }
[hidden] { display: none; }
"""
