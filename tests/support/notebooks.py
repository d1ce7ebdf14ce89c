"""What explain shows in a Jupyter notebook and in marimo: screenshots to look at.

    python tests/support/notebooks.py [FOLDER]        build/notebooks, which git ignores

Needs `pip install notebook marimo playwright` and Debian's chromium. Both
run here for the time of it, light and dark, at 1200 and 400 pixels.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

CELLS = [  # each ends with what is shown
    "import numpy as np\nimport minitensor as tf\nimage = np.arange(1, 26).reshape(5, 5)\n"
    "kernel = [[-1, 2, -3], [4, -5, 6], [-7, 8, -9]]\n"
    "tf.explain('conv2d', image, kernel, 2, 'SAME', at=(0, 1))",
    "tf.explain('conv2d', image, kernel, 2, grad='input', at=(2, 2))",
    "tf.explain('batch_norm', [[1, 2], [3, 6]])",
    "layers = tf.keras.layers\n"
    "net = tf.keras.Sequential([tf.keras.Input((8, 8, 1)), layers.Conv2D(2, 3), "
    "layers.MaxPooling2D(), layers.Flatten(), layers.Dense(3)])\n"
    "tf.explain(net, tf.ones((1, 8, 8, 1)))",
    "x = tf.ones((2, 8, 8, 1))\n"
    "with tf.GradientTape() as tape:\n    loss = tf.reduce_mean(tf.square(net(x)))\n"
    "tf.show_graph(loss)",
]  # fmt: skip
MADE = (["np", "tf", "image", "kernel"], [], [], ["net"], [])  # what later cells use
SIZES = ((1200, 900), (400, 800))
BIN = Path(sys.executable).parent
SETTINGS = Path("lab/user-settings/@jupyterlab/apputils-extension")


def main() -> None:
    """Writes {jupyter,marimo}_{light,dark}_{width}_{part}.png."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "build/notebooks")
    out.mkdir(parents=True, exist_ok=True)
    for program, serve in (("jupyter", jupyter), ("marimo", marimo)):
        for theme in ("light", "dark"):
            with tempfile.TemporaryDirectory() as folder, serve(Path(folder), theme) as address:
                photograph(address, program, theme, out)
                print(f"{out}/{program}_{theme}_*.png")


@contextmanager
def jupyter(folder: Path, theme: str) -> Iterator[str]:
    """A notebook with the cells run; the browser's own theme stays light."""
    settings = folder / "config" / SETTINGS
    settings.mkdir(parents=True)
    look = {"theme": f"JupyterLab {theme.capitalize()}"}
    (settings / "themes.jupyterlab-settings").write_text(json.dumps(look))
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    kernel = {"name": "python3", "display_name": "Python 3"}
    book = {"cells": [{**cell, "id": f"c{k}", "source": text} for k, text in enumerate(CELLS)],
            "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}  # fmt: skip
    (folder / "x.ipynb").write_text(json.dumps(book))
    env = {**os.environ, "JUPYTER_CONFIG_DIR": str(folder / "config"), "HOME": str(folder)}
    run = [BIN / "jupyter", "nbconvert", "--to", "notebook", "--execute", "--inplace", "x.ipynb"]
    subprocess.run(run, cwd=folder, env=env, check=True, capture_output=True)
    subprocess.run([BIN / "jupyter", "trust", "x.ipynb"], cwd=folder, env=env, check=True)
    port = free_port()
    words = ["--allow-root", "--no-browser", "--ServerApp.token=", f"--port={port}"]
    with served([BIN / "jupyter", "notebook", *words], folder, env, port):
        yield f"http://localhost:{port}/notebooks/x.ipynb"


@contextmanager
def marimo(folder: Path, theme: str) -> Iterator[str]:
    """A marimo app of the cells; each cell's names are the next one's arguments."""
    head = f'# /// script\n# [tool.marimo.display]\n# theme = "{theme}"\n# ///\nimport marimo\n'
    names, cells = [], []
    for text, made in zip(CELLS, MADE, strict=True):
        *before, last = text.split("\n")
        body = "\n    ".join([*before, last, f"return ({''.join(f'{n}, ' for n in made)})"])
        cells.append(f"@app.cell\ndef _({', '.join(names)}):\n    {body}\n")
        names += made
    (folder / "x.py").write_text(f"{head}app = marimo.App()\n{''.join(cells)}")
    port = free_port()
    words = ["run", "x.py", "--headless", "--no-token", f"--port={port}"]
    with served([BIN / "marimo", *words], folder, {**os.environ, "HOME": str(folder)}, port):
        yield f"http://localhost:{port}"


@contextmanager
def served(command: list[Any], folder: Path, env: dict[str, str], port: int) -> Iterator[None]:
    """A server, as long as the block lasts."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log)
        try:
            wait_for(f"http://localhost:{port}", process)
            yield
        finally:
            process.terminate()
            process.wait()


def wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    """Until somebody answers there."""
    for _ in range(300):
        assert process.poll() is None, "the server has ended"
        try:
            urllib.request.urlopen(address).close()
            return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(address)


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


def photograph(address: str, program: str, theme: str, out: Path) -> None:
    """Each explanation as it lies in the page, with one layer of the model opened."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for width, height in SIZES:
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(address)
            for part, place in enumerate(found(page)):
                place.scroll_into_view_if_needed()
                if place.locator("summary").count():
                    place.locator("summary").first.click()
                page.wait_for_timeout(300)
                page.screenshot(path=out / f"{program}_{theme}_{width}_{part}.png")
            page.close()
        browser.close()


def found(page: Page) -> list[Any]:
    """The places of the outputs."""
    shown = page.locator(".explain:not(details *), details:first-of-type, svg[role=img]")
    page.wait_for_function(
        "document.querySelectorAll('.explain').length >= 3 &&"
        "document.querySelector('svg[role=img]')",
        timeout=60_000,
    )
    return [shown.nth(k).locator("xpath=..") for k in range(shown.count())]


if __name__ == "__main__":
    main()
