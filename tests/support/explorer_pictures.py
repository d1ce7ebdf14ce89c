"""Pictures of every panel of the explorer, and the README's animation of it.

python tests/support/explorer_pictures.py                 screenshots into build/explorer/
python tests/support/explorer_pictures.py --animation     also docs/results/explorer.gif
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from minitensor.explain import explore

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "build" / "explorer"  # git ignores it
ANIMATION = ROOT / "docs" / "results" / "explorer.gif"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
VIEWS = {  # one of each panel
    "size": "#op=size&n=6&k=3&s=2&p=SAME",
    "window": "#preset=A001-6&at=0,1",
    "channels": "#op=channels&c=4&o=4&g=2&at=0,1,1,2",
    "transposed": "#preset=A001-7&at=2,2",
    "gradient": "#op=gradient&cot=drawn&p=SAME&s=2&at=2,2",
    "matrix": "#preset=A004-16&op=matrix&at=1,0",
    "kernel": "#op=kernel",
    "pool": "#op=pool&n=5&k=3&s=2&p=SAME&cot=drawn&at=1,1",
    "norm": "#op=norm&c=4&kind=group&at=1,0,1,2",
    "cost": "#op=cost&b=128&n=32&c=64&o=64&k=3&p=SAME",
    "code": "#preset=A002-2&op=code",
}
PATIENCE = 180_000  # milliseconds
LOOKS = ((1200, "en", "light"), (400, "zh", "dark"))  # width, language, light


def executable(playwright: Any) -> str | None:
    """A Chromium of this machine, or playwright's own; None if there is none."""
    own = playwright.chromium.executable_path
    return next(filter(None, map(shutil.which, NAMES)), own if Path(own).exists() else None)


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser without a network.

    Raises:
        LookupError: there is none; says how to get one.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise LookupError("playwright is missing: pip install -e '.[test]'") from None
    with sync_playwright() as playwright:
        path = executable(playwright)
        if path is None:
            raise LookupError(
                f"none of {', '.join(NAMES)} is on PATH, and playwright has no browser of its own: "
                "apt-get install chromium"
            )
        arguments = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=path, args=arguments, timeout=PATIENCE)
        yield browser
        browser.close()


@contextmanager
def window(browser: Any, width: int, height: int, **look: Any) -> Iterator[Any]:
    """A context without a network, and patient: a busy machine is no failure."""
    size = {"width": width, "height": height}
    with browser.new_context(viewport=size, offline=True, **look) as context:
        context.set_default_timeout(PATIENCE)
        yield context


def shoot(browser: Any, page_file: Path, folder: Path) -> list[Path]:
    """Every panel, wide and narrow: the one English and light, the other Chinese and dark."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for width, lang, light in LOOKS:
        with window(browser, width, 800, color_scheme=light) as context:
            page = context.new_page()
            for name, link in VIEWS.items():
                page.goto("about:blank")
                page.goto(f"{page_file.as_uri()}{link}&lang={lang}")
                page.wait_for_selector("body[data-selftest]")
                found.append(folder / f"{name}-{width}-{lang}-{light}.png")
                page.screenshot(path=str(found[-1]), full_page=True)
    return found


def animate(browser: Any, page_file: Path, target: Path) -> None:
    """The window that steps over the image, then a transposed convolution: a GIF of few colours."""
    from PIL import Image

    frames = []
    with window(browser, 1200, 690) as context:
        page = context.new_page()
        links = [f"#preset=A001-6&at={i},{j}" for i in range(2) for j in range(2)]
        links += [f"#preset=A004-9&op=gradient&at={i},{j}" for i in range(3) for j in range(3)]
        links += [f"#preset=A001-9&at={i},{i}" for i in range(4)]
        for link in links:
            page.goto("about:blank")
            page.goto(f"{page_file.as_uri()}{link}&lang=en&theme=light")
            picture = Image.open(io.BytesIO(page.screenshot()))
            frames.append(picture.convert("RGB").resize((840, 483), Image.Resampling.LANCZOS))
    several = Image.new("RGB", (840, 3 * 483))  # one of each panel: their colours are the palette
    for row, frame in enumerate((frames[0], frames[8], frames[-1])):
        several.paste(frame, (0, 483 * row))
    colours = several.quantize(160)
    small = [frame.quantize(palette=colours, dither=Image.Dither.NONE) for frame in frames]
    frames[0].quantize(64).save(target.with_suffix(".png"), optimize=True)  # a still beside it
    first, *rest = small
    first.save(target, save_all=True, append_images=rest, duration=700, loop=0, optimize=True)


def main() -> None:
    """Writes them."""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        page_file = Path(folder) / "explorer.html"
        page_file.write_text(explore.page(), encoding="utf-8")
        print(f"{len(shoot(browser, page_file, FOLDER))} pictures in {FOLDER}")
        if "--animation" in sys.argv:
            animate(browser, page_file, ANIMATION)
            print(f"{ANIMATION}: {ANIMATION.stat().st_size} bytes")


if __name__ == "__main__":
    main()
