"""Lessons in a real Chromium, as a student opens them: screenshots to look at.

python tests/support/lesson_pictures.py [NUMBER ...]     into build/lessons/, which git ignores
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from explorer_pictures import chromium

from minitensor.lesson import shelf

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "build" / "lessons"
LOOKS = (("en", 1200, "light"), ("zh", 400, "dark"))


@contextmanager
def opened(number: int, lang: str = "en", theme: str = "light", answers: str = "") -> Iterator[str]:
    """The address of a lesson as `minitensor lesson open` serves it.

    A fresh student's copy; the lines `answers`, if given, stand in the place of every `return ...`.
    """
    command = [sys.executable, "-m", "minitensor", "lesson", "open", str(number), "--lang", lang]
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / ".marimo.toml").write_text(f'[display]\ntheme = "{theme}"\n')
        if answers:
            kept = Path(home) / "minitensor" / "lessons" / shelf.find(number).path.name
            kept.parent.mkdir(parents=True)
            text = shelf.find(number).path.read_text(encoding="utf-8")
            kept.write_text(text.replace("    return ...\n", answers), encoding="utf-8")
        env = {**os.environ, "HOME": home, "XDG_DATA_HOME": home, "PYTHONPATH": str(ROOT)}
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command, cwd=home, env=env, stdout=pipe, text=True, start_new_session=True
        ) as process:
            try:
                assert process.stdout
                address = process.stdout.readline().split()[-1].replace("127.0.0.1", "localhost")
                wait_for(address)
                yield address
            finally:
                os.killpg(process.pid, signal.SIGTERM)


def wait_for(address: str) -> None:
    """Until somebody answers there."""
    for _ in range(300):
        try:
            urllib.request.urlopen(address).close()
            return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(address)


def settled(page: Any, address: str) -> None:
    """Opens a lesson and waits until its last cell has run."""
    page.goto(address)
    page.wait_for_selector("text=/^(Keep|记住)$/", timeout=90_000)
    page.wait_for_selector(".explain", timeout=60_000)
    page.wait_for_timeout(500)


def main() -> None:
    """Writes NN_lang_width.png, the whole lesson."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    numbers = [int(n) for n in sys.argv[1:]] or [lesson.number for lesson in shelf.lessons()]
    with chromium() as browser:
        for number in numbers:
            for lang, width, theme in LOOKS:
                with opened(number, lang, theme) as address:
                    page = browser.new_page(viewport={"width": width, "height": 6000})
                    settled(page, address)
                    page.screenshot(path=FOLDER / f"{number:02}_{lang}_{width}.png")
                    page.close()


if __name__ == "__main__":
    main()
