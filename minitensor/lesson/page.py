"""What a lesson's notebook shows; marimo is imported here, when a lesson asks for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from textwrap import dedent, fill
from typing import Any, Literal

from minitensor import pictures
from minitensor.lesson import progress
from minitensor.lesson.exercise import Answer, Exercise, judge
from minitensor.lesson.exercise import say_in as say

NAMES = {"English": "en", "中文": "zh"}
WIDTH = 72  # of a line of text
METADATA = re.compile(r"<title>.*?</title>|<metadata>.*?</metadata>", re.S)
BROKEN = re.compile(
    r"(?<=[\u3000-\u9fff])\n *(?=\*{0,2}[\u3000-\u9fff])|(?<=[。、])\n *(?=[A-Za-z`])"
)
KINDS: dict[str, Literal["success", "neutral", "warn"]] = {
    "passed": "success",
    "empty": "neutral",
    "wrong": "warn",
}
MARKS = {"passed": "✓", "empty": "…", "wrong": "✗"}


def prose(lang: str, english: str, chinese: str) -> str:
    """The text in the language chosen; between Chinese characters the end of a line is no space."""
    told = dedent(say(lang, english, chinese)).strip()
    return BROKEN.sub("", told)


def text(lang: str, english: str, chinese: str) -> Any:
    """Markdown in the language chosen."""
    import marimo as mo

    return mo.md(prose(lang, english, chinese))


def switch() -> Any:
    """English or Chinese; `minitensor lesson open N --lang zh` begins with the second."""
    import marimo as mo

    lang = mo.cli_args().get("lang") if mo.running_in_notebook() else None  # Jupyter has none
    first = next((name for name, code in NAMES.items() if code == lang), "English")
    return mo.ui.radio(NAMES, value=first, inline=True)


def slider(lang: str, low: int, high: int, value: int, english: str, chinese: str) -> Any:
    """A slider over integers, with its name and its value."""
    import marimo as mo

    label = say(lang, english, chinese)
    return mo.ui.slider(low, high, value=value, label=label, show_value=True)


def guess(lang: str, choices: Sequence[Any]) -> Any:
    """Choices, none of them chosen yet."""
    import marimo as mo

    label = say(lang, "Your guess, before you read on:", "先猜一猜, 再往下读:")
    return mo.ui.radio(list(map(str, choices)), label=label)


def answer(lang: str, guessed: Any, right: Any, english: str, chinese: str) -> Any:
    """Nothing until there is a guess; then whether it is right, and why."""
    import marimo as mo

    why = prose(lang, english, chinese)
    if guessed.value is None and not mo.running_in_notebook():  # a page on which nobody can choose
        told = mo.md(say(lang, f"**{right}.** ", f"**{right}**。") + why).text
        summary = say(lang, "Answer", "答案")
        return mo.Html(f"<details><summary>{summary}</summary>{told}</details>")
    if guessed.value is None:
        return mo.md(
            say(lang, "*The answer appears once you have guessed.*", "*猜过之后显示答案。*")
        )
    if guessed.value == str(right):
        head = say(lang, f"**Yes, {right}.** ", f"**对, 是 {right}**。")
    else:
        head = say(
            lang,
            f"**You said {guessed.value}; it is {right}.** ",
            f"**你猜 {guessed.value}, 其实是 {right}**。",
        )
    return mo.md(head + why)


def view(lang: str, found: Any, *names: str) -> Any:
    """Other views of an explanation as lines of text, without the head, which its figure has."""
    import marimo as mo

    from minitensor.explain.shown import lines
    from minitensor.explain.text import plain

    _, told = plain(lines(found, names, lang)).split("\n\n", 1)
    sentences = ((line, line[:1] != " ") for line in told.split("\n"))  # rows are indented
    folded = (fill(line, WIDTH) if prose else line for line, prose in sentences)
    return mo.Html(f'<pre style="overflow-x: auto">{escape(chr(10).join(folded))}</pre>')


def drawing(figure: Any, alt: str) -> Any:
    """A matplotlib figure, and what it shows in words; its text stays text."""
    import marimo as mo

    svg = pictures.element(pictures.written(figure, "svg", alt, alt), alt)
    bare = METADATA.sub("", svg)  # which names other hosts
    return mo.Html(bare.replace("<svg ", '<svg style="max-width: 100%; height: auto" ', 1))


def hint_button(lang: str) -> Any:
    """Counts how many hints were asked for."""
    import marimo as mo

    label = say(lang, "one hint", "给一个提示")
    return mo.ui.button(value=0, on_click=lambda count: count + 1, label=label)


def blank(lang: str, exercise: Exercise, english: str, chinese: str) -> Any:
    """What is to be built in the cell below."""
    import marimo as mo

    head = say(lang, f"**Build `{exercise.name}`.** ", f"**实现 `{exercise.name}`**。")
    return mo.md(head + prose(lang, english, chinese))


def check(lang: str, exercise: Exercise, given: Answer, hints: int = 0) -> Any:
    """The verdict, the hints asked for and, folded, the solution; a try is kept in the file."""
    import marimo as mo

    verdict = judge(exercise, given, lang)
    if verdict.state != "empty":
        progress.note(exercise.lesson, exercise.name, verdict.state == "passed", hints)
    if not mo.running_in_notebook():
        print(f"{MARKS[verdict.state]} {exercise.name}: {verdict.text}")
    lines = [f"{MARKS[verdict.state]} `{exercise.name}`: {verdict.text}"]
    shown = exercise.hints[:hints]
    lines += [f"- {say(lang, *hint)}" for hint in shown]
    if hints > len(exercise.hints):
        lines.append(say(lang, "- There are no more hints.", "- 没有更多提示了。"))
    told = mo.callout(mo.md("\n\n".join(lines)), kind=KINDS[verdict.state])
    return mo.vstack([told, mo.Html(_folded(lang, exercise.source))])


def _folded(lang: str, source: str) -> str:
    head = say(lang, "Solution (try first)", "参考答案 (先自己试)")
    return f"<details><summary>{head}</summary><pre><code>{escape(source)}</code></pre></details>"


def compare_button(lang: str) -> Any:
    """Asks TensorFlow, which takes seconds to begin."""
    import marimo as mo

    return mo.ui.run_button(label=say(lang, "ask TensorFlow", "问 TensorFlow"))


def compare(lang: str, pressed: bool, *explanations: Any) -> Any:
    """What tf.nn says to the calls explained; without TensorFlow, that it is not there."""
    import marimo as mo

    if not pressed:
        return mo.md("")
    try:
        return mo.md("\n".join(f"- `{found.check('tf')}`" for found in explanations))
    except ImportError as missing:
        head = say(lang, "TensorFlow is not installed", "没有安装 TensorFlow")
        return mo.md(f"{head}: `{missing}`")
