"""The lessons: they run, their exercises judge rightly, in both languages, and the command."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from lesson_answers import WRONG, endless, leaves, no_return, raises, stubborn

from minitensor import cli
from minitensor.lesson import bounded, export, judge, progress, shelf
from minitensor.lesson.exercises import five_ways

marimo = pytest.importorskip("marimo", reason="the extra `lessons` brings it")

ROOT = Path(__file__).parents[2]
LESSONS = shelf.lessons()
EXERCISES = {e.name: e for lesson in LESSONS for e in lesson.exercises}
CHINESE = re.compile(r"[\u4e00-\u9fff]")
by_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.path.stem)
by_exercise = pytest.mark.parametrize("name", EXERCISES)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A student's own folder."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path / "minitensor" / "lessons"


def said(capsys, *words: str) -> str:
    """What the command prints when it succeeds."""
    assert cli.main(["lesson", *words]) == 0
    return capsys.readouterr().out


# ----- the lessons -----


@by_lesson
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_cell_runs_and_what_it_asserts_holds(lesson, lang):
    began = time.monotonic()
    outputs, _ = shelf.load(lesson.path).app.run(defs={"lang": lang})
    assert time.monotonic() - began < 60
    texts = [output.text for output in outputs if hasattr(output, "text")]
    prose = [text for text in texts if "中文" not in text]  # but for the switch
    assert len(prose) > 8
    told = [text for text in prose if CHINESE.search(text)]
    assert not told if lang == "en" else len(told) > 8


@pytest.mark.parametrize("path", sorted(shelf.folder().glob("*.py")), ids=lambda path: path.stem)
def test_it_is_a_program_too(path):
    run = [sys.executable, str(path)]
    done = subprocess.run(run, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "still empty" in done.stdout


@by_lesson
def test_what_is_to_be_built_is_the_exercise_with_a_blank(lesson):
    module = shelf.load(lesson.path)
    for exercise in lesson.exercises:
        assert judge(exercise, getattr(module, exercise.name)).state == "empty"
        assert exercise.solution.__doc__ == getattr(module, exercise.name).__doc__
        assert exercise.lesson == f"{lesson.number:02}"


@by_lesson
def test_tensorflow_is_asked_when_the_button_is_pressed(tf, lesson):
    pressed = {"lang": "en", "ask": SimpleNamespace(value=True)}
    outputs, _ = shelf.load(lesson.path).app.run(defs=pressed)
    told = [
        text for text in (getattr(o, "text", "") for o in outputs) if "largest difference" in text
    ]
    assert len(told) == 1
    assert re.search(r"largest difference \S+ over \d+ numbers", told[0])


# ----- the exercises -----


@by_exercise
def test_the_solution_passes_within_a_second(name):
    began = time.process_time()
    verdict = judge(EXERCISES[name], EXERCISES[name].solution)
    assert verdict.state == "passed"
    assert time.process_time() - began < 1


@by_exercise
def test_wrong_answers_fail_with_the_right_words(name):
    assert len(WRONG[name]) >= 3
    for given, words in WRONG[name]:
        verdict = judge(EXERCISES[name], given)
        assert verdict.state == "wrong"
        assert re.search(words, verdict.text), verdict.text
        assert CHINESE.search(judge(EXERCISES[name], given, "zh").text)


@by_exercise
@pytest.mark.parametrize("lang", [0, 1])
def test_a_known_mistake_is_called_by_its_name_and_the_solution_is_not_told(name, lang):
    exercise = EXERCISES[name]
    assert len(exercise.mistakes) >= 3
    assert len(exercise.hints) >= 2
    for words, mistake in exercise.mistakes:
        verdict = judge(exercise, mistake, ("en", "zh")[lang])
        assert verdict.state == "wrong"
        assert verdict.text.endswith(words[lang])
        lines = [line.strip() for line in exercise.source.splitlines()[2:]]
        assert not [line for line in lines if len(line) > 12 and line in verdict.text]


@by_exercise
def test_an_answer_that_stops_or_returns_nothing_is_told_so(name):
    said = judge(EXERCISES[name], raises).text
    assert "raised IndexError: tuple index out of range" in said
    assert "in your line `return arguments[99]`" in said
    assert "returned None: is there a `return`?" in judge(EXERCISES[name], no_return).text


def test_an_answer_that_changes_its_argument_is_told_so():
    from dataclasses import replace

    exercise = replace(EXERCISES["output_size"], cases=((np.ones(2), 1, 1, 1, 0),))

    def changing(n, k, stride, dilation, pad):
        n[0] = 5
        return 0

    assert "changes its argument `n`" in judge(exercise, changing).text


@pytest.mark.parametrize("given", [endless, stubborn])
def test_an_answer_that_never_ends_gets_a_word_within_seconds(monkeypatch, given):
    assert 2 < bounded.PATIENCE < 10
    monkeypatch.setattr(bounded, "PATIENCE", 0.2)
    began = time.monotonic()
    verdict = judge(EXERCISES["output_size"], given)
    assert verdict.state == "wrong"
    assert "has not ended after 0.2 seconds: is there a loop that never ends" in verdict.text
    assert "停不下来的循环" in judge(EXERCISES["output_size"], given, "zh").text
    assert time.monotonic() - began < 10


def test_a_loop_that_never_ends_is_stopped_and_its_line_is_told(monkeypatch):
    monkeypatch.setattr(bounded, "PATIENCE", 0.2)
    before = set(threading.enumerate())
    told = judge(EXERCISES["output_size"], endless).text
    assert re.search(r"in your line `(while True:|sum\(map\(np.size, arguments\)\))`", told)
    assert set(threading.enumerate()) <= before


def test_an_answer_that_is_wrong_and_then_never_ends_is_told_what_is_wrong(monkeypatch):
    monkeypatch.setattr(bounded, "PATIENCE", 0.2)

    def later(n, k, stride, dilation, pad):
        return endless() if n == 28 else 7

    assert "your answer is 7, it should be 2" in judge(EXERCISES["output_size"], later).text


def test_an_answer_that_leaves_the_program_does_not(monkeypatch):
    assert "raised SystemExit: 3" in judge(EXERCISES["output_size"], leaves).text


@pytest.mark.parametrize("way", five_ways.WAYS)
@pytest.mark.parametrize("n", [12, 31])
def test_five_ways_are_tensorflows_and_need_the_bytes_predicted(tf, way, n):
    drawn = np.random.default_rng(n)
    x, w = (drawn.normal(size=(size, size)).astype("float32") for size in (n, 3))
    theirs = tf.nn.conv2d(x[None, :, :, None], w[:, :, None, None], 1, "VALID").numpy()[0, :, :, 0]
    np.testing.assert_allclose(five_ways.WAYS[way](x, w), theirs, atol=1e-5)
    _, extra = five_ways.cost(way, n, 3)
    if extra and n > 20:  # fewer are lost among Python's own
        assert extra / 2 < five_ways.measured(way, x, w) < extra * 2


def test_a_barrier_that_is_forgotten_shows_in_the_order_of_threads():
    module = shelf.load(shelf.find(13).path)
    pressed = {"lang": "en", "orders": SimpleNamespace(value=True)}
    outputs, _ = module.app.run(defs=pressed)
    (told,) = [t for t in (getattr(o, "text", "") for o in outputs) if "With the barrier" in t]
    right = [int(n) for n in re.findall(r"(\d+) of 64 right", told)]
    assert right[:2] == [1, 63]
    assert right[3:] == [64, 64, 64]
    assert re.search(r"forward: y\[0\] = nan.* y\[63\] = 63", told)


@pytest.mark.parametrize("apart", [1, 2, 5, 8, 32])
def test_lesson_13_counts_as_the_trace_of_a_kernel_does(apart, tmp_path, monkeypatch):
    from minitensor.backend import emulator
    from minitensor.explain import metrics, watch

    monkeypatch.setenv("MINITENSOR_EMULATOR", "trace")
    (tmp_path / "apart.cu").write_text(
        f"""__global__ void apart(const float* x, float* y) {{
            __shared__ float s[1024];
            for (int k = threadIdx.x; k < 1024; k += 32) s[k] = k;
            __syncthreads();
            y[threadIdx.x] = x[{apart} * threadIdx.x] + s[{apart} * threadIdx.x];
        }}"""
    )
    x, y = np.zeros(1024, np.float32), np.zeros(32, np.float32)
    own = emulator.load(tmp_path / "apart.cu")
    (launch,) = watch.launches(lambda: own.launch("apart", 1, 32, x, y), "apart")
    loads = {line.memory: line for line in metrics.traffic(launch) if line.kind == "load"}
    exercises = {e.name: e.expected for e in shelf.find(13).exercises}
    words = apart * np.arange(32)
    assert exercises["sectors"](4 * words) == loads["x"].sectors
    assert exercises["wavefronts"](words) == loads["shared"].wavefronts


# ----- the command -----


def fill(lesson, exercises):
    """The student's copy with solutions in the place of blanks."""
    path = lesson.opened()
    text = path.read_text(encoding="utf-8")
    for exercise in exercises:
        blank = re.compile(rf"def {exercise.name}\(.*?(?=\n\n\n)", re.S)
        text, count = blank.subn(lambda _, e=exercise: e.source.rstrip(), text)
        assert count == 1
    path.write_text(text, encoding="utf-8")


def test_a_lesson_is_listed_opened_checked_and_remembered(capsys, home):
    lesson = LESSONS[0]
    number, name = str(lesson.number), lesson.exercises[0].name
    assert f"0/{len(lesson.exercises)}  {lesson.title[0]}" in said(capsys, "list")
    assert cli.main(["lesson", "check", number]) == 2
    assert f"minitensor lesson open {number}" in capsys.readouterr().err
    fill(lesson, lesson.exercises[:1])
    assert cli.main(["lesson", "check", number]) == 1
    printed = capsys.readouterr().out
    assert f"✓ {name}: passed" in printed
    assert "still empty" in printed
    kept = json.loads(said(capsys, "progress", "--json"))
    assert kept == {f"{lesson.number:02}": {name: {"tries": 1, "hints": 0, "passed": True}}}
    assert f"1/{len(lesson.exercises)}  {lesson.title[1]}" in said(capsys, "list", "--lang", "zh")
    fill(lesson, lesson.exercises[1:])
    assert said(capsys, "check").count("✓") == len(lesson.exercises)
    assert f"def {name}(" in said(capsys, "solve", number)
    assert "tries" in said(capsys, "progress")


def test_what_is_wrong_is_one_line(capsys, home):
    for words, told in (
        (["open", "99"], "no lesson 99; there are 1, 2"),
        (["solve", "99"], "no lesson 99"),
    ):
        assert cli.main(["lesson", *words]) == 2
        assert told in capsys.readouterr().err
    copy = LESSONS[0].opened()
    copy.write_text("def output_size(:\n")
    assert cli.main(["lesson", "check"]) == 2
    assert f"{copy}, line 1" in capsys.readouterr().err
    copy.write_text("x = 1\n")
    assert cli.main(["lesson", "check"]) == 2
    assert "has no function" in capsys.readouterr().err
    (home / "progress.json").write_text("{")
    assert cli.main(["lesson", "list"]) == 2
    assert "is damaged" in capsys.readouterr().err


def test_without_marimo_one_line_says_what_to_install(capsys, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert cli.main(["lesson", "open", str(LESSONS[0].number)]) == 2
    assert f"needs marimo: pip install -e '{ROOT}[lessons]'" in capsys.readouterr().err


def test_a_try_keeps_what_was_passed_and_the_most_hints(home):
    progress.note("02", "a", passed=True, hints=2)
    progress.note("02", "a", passed=False, hints=1)
    assert progress.read() == {"02": {"a": {"tries": 2, "hints": 2, "passed": True}}}


@by_lesson
def test_the_page_asks_nobody_and_has_both_languages(lesson, tmp_path):
    path = tmp_path / "x.html"
    export.html(lesson, path)
    text = path.read_text(encoding="utf-8")
    assert len(text) < 3e6
    assert not re.search(r"https?://(?!www\.w3\.org)|<marimo-(?!tex)|src=", text)
    english, chinese = text.split("<main ")[1:]
    assert CHINESE.search(chinese)
    assert not CHINESE.search(english.replace("中文", ""))
    for exercise in lesson.exercises:
        assert english.count(f"def {exercise.name}(") == 2  # the blank, and the folded solution


@by_lesson
@pytest.mark.slow
def test_the_notebook_runs_in_jupyter(lesson, tmp_path, monkeypatch):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    path = tmp_path / "x.ipynb"
    export.ipynb(lesson, path)
    book = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(book, timeout=60, kernel_name="python3").execute()
    texts = [str(cell.get("outputs")) for cell in book.cells]
    assert any("still empty" in text for text in texts)
