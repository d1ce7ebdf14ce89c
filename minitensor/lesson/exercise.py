"""An exercise: a function with a blank, and what is said about the answer to it.

What is said is one of: passed; still empty; what it raised, and for which arguments; that it has
not ended; or the first element that differs, with the terms that make it and, where the mistake is
a known one, what the answer did instead. The solution is never said.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from textwrap import dedent
from typing import Any

import numpy as np

from minitensor.explain.text import number
from minitensor.explain.words import LANGUAGES, legal_language
from minitensor.lesson.bounded import EndlessError, bounded

Words = tuple[str, str]  # English, Chinese
Answer = Callable[..., Any]
SHOWN = 9  # elements of an array, terms of a sum
ROUNDING = 1e-4


@dataclass(frozen=True)
class Exercise:
    """One function to build: `solution` bears its name and its arguments."""

    lesson: str
    solution: Answer
    cases: Sequence[tuple[Any, ...]]  # arguments
    expected: Answer  # by the engine
    terms: Callable[..., str]  # (arguments, index, lang): the terms of an element
    mistakes: Sequence[tuple[Words, Answer]]  # what the answer did, and a function that does it
    hints: Sequence[Words]

    @property
    def name(self) -> str:
        """Of the function."""
        return self.solution.__name__

    @property
    def source(self) -> str:
        """The solution as text."""
        return dedent(inspect.getsource(self.solution))


@dataclass(frozen=True)
class Verdict:
    """Whether an answer passes, or is still empty, and the words for it."""

    state: str  # "passed", "empty" or "wrong"
    text: str


SAID: dict[str, Words] = {
    "passed": ("passed: {count} cases", "通过: {count} 个用例"),
    "empty": (
        "still empty: write your code in the place of `...`",
        "还没有填: 把 `...` 换成你的代码",
    ),
    "none": (
        "`{call}` returned None: is there a `return`?",
        "`{call}` 返回 None: 写 `return` 了吗?",
    ),
    "raised": ("`{call}` raised {error}{line}", "`{call}` 抛出 {error}{line}"),
    "endless": (
        "`{call}` has not ended after {seconds:g} seconds: is there a loop that never ends{line}?",
        "`{call}` 运行 {seconds:g} 秒仍未结束: 是不是有停不下来的循环{line}?",
    ),
    "line": (", in your line `{code}`", ", 出错的一行: `{code}`"),
    "no_numbers": (
        "`{call}` returned {got}, which is no array of numbers",
        "`{call}` 返回 {got}, 不是数组",
    ),
    "shape": (
        "`{call}` has the shape {got}; it should be {wanted}",
        "`{call}` 的形状是 {got}, 应为 {wanted}",
    ),
    "one": (
        "`{call}` returned one number; it should return {count}",
        "`{call}` 只返回一个数, 应返回 {count} 个",
    ),
    "differs": (
        "`{call}`{place}: your answer is {got}, it should be {wanted}: {terms}",
        "`{call}`{place}: 你的答案是 {got}, 应为 {wanted}: {terms}",
    ),
    "element": (", element {index}", ", 元素 {index}"),
    "instead": (". What your answer does instead: {mistake}", "。你的答案做的是: {mistake}"),
    "changed": (
        "`{call}` changes its argument `{name}`: work on a copy",
        "`{call}` 改动了参数 `{name}`: 请在副本上计算",
    ),
}


def say_in(lang: str, english: str, chinese: str) -> str:
    """The text in the language chosen."""
    return (english, chinese)[LANGUAGES.index(lang)]


def say(key: str, lang: str, **numbers: Any) -> str:
    """The sentence of a key."""
    return say_in(lang, *SAID[key]).format(**numbers)


def judge(exercise: Exercise, given: Answer, lang: str = "en") -> Verdict:
    """Tries an answer on every case; ends at the first that fails.

    Example:
        >>> from minitensor.lesson import judge
        >>> from minitensor.lesson.exercises.sizes import OUTPUT_SIZE
        >>> judge(OUTPUT_SIZE, lambda n, k, stride, dilation, pad: n - k + 1).text
        '`output_size(n=5, k=3, stride=2, dilation=1, pad=0)`: your answer is 3, it should be 2: \
windows start at 0, 2; one more would start at 4 and read pixel 6, but the last pixel is 4'
    """
    legal_language(lang)
    for arguments in exercise.cases:
        fault = _fault(exercise, given, arguments, lang)
        if fault is not None:
            return fault
    return Verdict("passed", say("passed", lang, count=len(exercise.cases)))


def _fault(exercise: Exercise, given: Answer, arguments: Any, lang: str) -> Verdict | None:
    """What is wrong with one case's answer, if anything is."""
    call, kept = _call(exercise, arguments), deepcopy(arguments)
    try:
        got = bounded(given, *kept)
    except (Exception, SystemExit) as error:
        return Verdict("wrong", _stopped(error, given, call, lang))
    if got is ... or (isinstance(got, tuple) and any(part is ... for part in got)):
        return Verdict("empty", say("empty", lang))
    if got is None:
        return Verdict("wrong", say("none", lang, call=call))
    for name, before, after in zip(_names(exercise), arguments, kept, strict=True):
        if not np.array_equal(before, after):
            return Verdict("wrong", say("changed", lang, call=call, name=name))
    wanted = np.asarray(exercise.expected(*deepcopy(arguments)), dtype=float)
    found = _numbers(got)
    if found is None:
        return Verdict("wrong", say("no_numbers", lang, call=call, got=repr(got)[:60]))
    words = _differs(exercise, arguments, found, wanted, lang)
    return Verdict("wrong", words + _instead(exercise, given, lang)) if words else None


def _differs(
    exercise: Exercise, arguments: Any, found: np.ndarray, wanted: np.ndarray, lang: str
) -> str:
    """What is said of the shape or of the first element that is wrong; nothing if none is."""
    call = _call(exercise, arguments)
    if found.ndim == 0 and wanted.ndim == 1:
        return say("one", lang, call=call, count=wanted.size)
    if found.shape != wanted.shape:
        return say("shape", lang, call=call, got=found.shape, wanted=wanted.shape)
    wrong = np.argwhere(~_near(found, wanted))
    if not len(wrong):
        return ""
    index = tuple(map(int, wrong[0]))
    return say(
        "differs",
        lang,
        call=call,
        place=say("element", lang, index=list(index)) if index else "",
        got=number(found[index]),
        wanted=number(wanted[index]),
        terms=exercise.terms(arguments, index, lang),
    )


def _stopped(error: BaseException, given: Answer, call: str, lang: str) -> str:
    """What is said of an answer that has not come to its end."""
    if isinstance(error, EndlessError):
        line = _line(error.__cause__, given, lang)
        return say("endless", lang, call=call, seconds=error.seconds, line=line)
    raised = f"{type(error).__name__}: {error}"
    return say("raised", lang, call=call, error=raised, line=_line(error, given, lang))


def _numbers(got: Any) -> np.ndarray | None:
    try:
        return np.asarray(got, dtype=float)
    except (TypeError, ValueError):
        return None


def _near(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.isclose(
        a, b, rtol=ROUNDING, atol=ROUNDING * max(1.0, float(np.abs(b).max(initial=0)))
    )


def _instead(exercise: Exercise, given: Answer, lang: str) -> str:
    """The known mistake that gives the same answers in every case."""
    answers = _answers(exercise, given)
    for words, mistake in exercise.mistakes:
        if _same(answers, _answers(exercise, mistake)):
            return say("instead", lang, mistake=say_in(lang, *words))
    return ""


def _answers(exercise: Exercise, given: Answer) -> list[np.ndarray | None]:
    """To every case; none if one of them raises."""
    try:
        return [_numbers(bounded(given, *deepcopy(case))) for case in exercise.cases]
    except (Exception, SystemExit):
        return []


def _same(ours: Sequence[np.ndarray | None], theirs: Sequence[np.ndarray | None]) -> bool:
    return len(ours) == len(theirs) > 0 and all(
        a is not None and b is not None and a.shape == b.shape and bool(_near(a, b).all())
        for a, b in zip(ours, theirs, strict=True)
    )


def _names(exercise: Exercise) -> list[str]:
    return list(inspect.signature(exercise.solution).parameters)


def _call(exercise: Exercise, arguments: tuple[Any, ...]) -> str:
    """The call as one reads it: small arguments by value, large ones by shape."""
    given = []
    for name, value in zip(_names(exercise), arguments, strict=True):
        array = np.asarray(value)
        if array.size > SHOWN:
            shown = f"array {array.shape}"
        else:
            whole = array.astype(int) if np.array_equal(array, np.round(array)) else array
            shown = str(whole.tolist())
        given.append(f"{name}={shown}")
    return f"{exercise.name}({', '.join(given)})"


def _line(error: BaseException | None, given: Answer, lang: str) -> str:
    """The line of the answer that raised, if Python knows it."""
    frames = traceback.extract_tb(error.__traceback__) if error else []
    inside = [frame for frame in frames if frame.name == given.__name__]
    return say("line", lang, code=inside[-1].line) if inside and inside[-1].line else ""


def products(found: Any, at: tuple[int, ...]) -> str:
    """The terms of a number of an explanation as a sum of products: 1·2 + 3·(-4) = -10.

    Example:
        >>> import minitensor as tf
        >>> from minitensor.lesson import products
        >>> products(tf.explain("conv2d", [[1, 2, 3]], [[1, -1]]), (0, 1))
        '2·1 + 3·(-1) = -1'
    """
    total = found.terms(at)
    read = [term for term in total if term.real]
    parts = ["·".join(_factor(cell.value) for cell in term.cells) for term in read[:SHOWN]]
    more = " + …" if len(read) > SHOWN else ""
    return f"{' + '.join(parts)}{more} = {number(total.value)}"


def _factor(value: float) -> str:
    return f"({number(value)})" if value < 0 else number(value)
