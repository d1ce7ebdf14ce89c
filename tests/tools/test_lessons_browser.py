"""Lessons in a real Chromium, offline, as `minitensor lesson open` serves them."""

from __future__ import annotations

import math
import os
import re

import numpy as np
import pytest
from explorer_pictures import chromium
from lesson_pictures import opened, settled

from minitensor.lesson import seen, shelf

pytest.importorskip("marimo", reason="the extra `lessons` brings it")


@pytest.fixture(scope="module")
def browser():
    """One Chromium for all."""
    try:
        with chromium() as found:
            yield found
    except LookupError as reason:
        if os.environ.get("MINITENSOR_REQUIRE_BROWSER") == "1":
            pytest.fail(f"MINITENSOR_REQUIRE_BROWSER=1, but: {reason}")
        pytest.skip(f"no browser: {reason}")


def windowed(row: int) -> float:
    """Lesson 1: 1 to 9 over the pixels 1 to 16, in the second column."""
    return float(
        (np.arange(1, 17).reshape(4, 4)[row : row + 3, 1:] * np.arange(1, 10).reshape(3, 3)).sum()
    )


def last_window(n: int) -> float:
    """Lesson 2: the sum of the last 3x3 window of stride 2 over 1, 2, ... n*n."""
    image = np.arange(1, n * n + 1).reshape(n, n)
    start = (n - 3) // 2 * 2
    return float(image[start : start + 3, start : start + 3].sum())


def filtered(number: int) -> float:
    """Lesson 4: the four filters at the top left; by tf.nn.conv2d of TensorFlow 2.21."""
    return (-5, -2, 2, -1)[number]


def under_small(row: int) -> float:
    """Lesson 5: 1 2 0, 0 -1 3, 2 0 -4 over the pixels 1 to 16, in the first column, on paper."""
    return (-6, 6)[row]


def pixel_gradient(row: int) -> float:
    """Lesson 6: the course's dx at this row, middle column."""
    return ([0, 1, 1], [2, 6, 4], [2, 5, 3])[row][1]


def stamped(row: int) -> float:
    """Lesson 7: the middle column that the course prints."""
    return (278, -710, 1620, -1210, 1942)[row]


def by_hand(row: int) -> float:
    """Lesson 3: the first column that the course prints."""
    return (6, 3, 4, 2, 1)[row]


def standardised(fourth: int) -> float:
    """Lesson 10: the first of 1, 2, 3 and this, by the definition."""
    batch = np.array([1, 2, 3, fourth])
    return float((1 - batch.mean()) / np.sqrt(batch.var() + 1e-3))


def pooled(row: int) -> float:
    """Lesson 9: the largest of the windows in the first column."""
    return (4, 2)[row]


def spread(dilation: int) -> float:
    """Lesson 8: nine pixels of 1 to 49 around the one at row and column `dilation`."""
    return 9.0 * (1 + 8 * dilation)


def ways(layer: int) -> float:
    """Lesson 11: of LeNet-5's layers, with every weight 1, in 3 x 3 x 6 and 400 products."""
    return (9, 9, 486, 486, 400 * 486)[layer]


def cross_entropy(logit: int) -> float:
    """Lesson 12: of the first of three classes with the logits this, 1 and 0, by the definition."""
    return math.log(math.exp(logit) + math.e + 1) - logit


def edge(row: int) -> float:
    """Lesson 13: 1 2 1 down the fourth column of 1 to 25, in stride 2; beyond the image is 0."""
    return (2 * 4 + 9, 9 + 2 * 14 + 19, 19 + 2 * 24)[row]


def products_of_ones(kernel: int) -> float:
    """Lesson 15: as many as the kernel has weights."""
    return float(kernel**2)


def under_filter(number: int) -> float:
    """Lesson 14: a filter of the first layer over a place of a 4, multiplied out."""
    window = seen.two_digits()[0, 15:18, 15:18, 0]
    with np.load(seen.results() / "vgg13_features.npz") as kept:
        return float((window * kept["arr_0"][:, :, 0, number].astype(float)).sum())


FIRST_SLIDER = {  # where it begins; what the first figure shows
    1: (0, windowed),
    2: (5, last_window),
    3: (0, by_hand),
    4: (0, filtered),
    5: (0, under_small),
    6: (1, pixel_gradient),
    7: (2, stamped),
    8: (1, spread),
    9: (0, pooled),
    10: (6, standardised),
    11: (0, ways),
    12: (2, cross_entropy),
    13: (1, edge),
    14: (0, under_filter),
    15: (3, products_of_ones),
}
LATER = (1, *range(3, 16))  # the others are of the same build: pytest -m slow
NUMBERS = [
    pytest.param(n, marks=pytest.mark.slow) if n in LATER else n for n in sorted(FIRST_SLIDER)
]


@pytest.mark.parametrize("number", NUMBERS)
def test_it_opens_without_error_and_its_first_slider_moves_its_first_figure(browser, number):
    begins, engine = FIRST_SLIDER[number]
    with opened(number) as address, browser.new_context(
        viewport={"width": 1200, "height": 6000}
    ) as context:  # fmt: skip
        page, asked, wrong = context.new_page(), [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        settled(page, address)
        assert math.isclose(shown(page), engine(begins), rel_tol=1e-4)
        page.locator("marimo-slider [role=slider]").first.focus()
        page.keyboard.press("ArrowRight")
        wait_for(page, engine(begins + 1))
        assert not page.locator(".marimo-error, [data-error=true]").count()
        page.get_by_text("中文", exact=True).click()
        page.wait_for_selector("text=/^记住$/")
        assert not page.locator("text=/^Keep$/").count()
        page.get_by_text("给一个提示").first.click()
        page.get_by_text(shelf.find(number).exercises[0].hints[0][1]).first.wait_for()
        assert not wrong
        assert {re.split(r"[/:]+", url)[1] for url in asked if url.startswith(("http", "ws"))} <= {
            "localhost"
        }


@pytest.mark.slow
def test_loops_that_never_end_get_a_word_and_tensorflow_is_asked_on_the_same_page(browser):
    """Lesson 6, whose two blanks loop; the rest of the page still answers."""
    loops = "    while True:\n        pass\n"
    with opened(6, answers=loops) as address, browser.new_context(
        viewport={"width": 1200, "height": 6000}
    ) as context:  # fmt: skip
        page = context.new_page()
        settled(page, address)
        assert page.get_by_text("is there a loop that never ends").count() == 2
        page.get_by_text("ask TensorFlow", exact=True).click()
        page.get_by_text("largest difference").first.wait_for(timeout=120_000)
        assert page.get_by_text("largest difference").count() >= 2


def shown(page) -> float:
    """The number that the first figure explains."""
    head = page.locator(".explain").first.inner_text().split("\n")[0]
    return float(head.split("=")[-1])


def wait_for(page, value: float) -> None:
    """Until the first figure explains this number."""
    for _ in range(100):
        if page.locator(".explain").count() and math.isclose(shown(page), value, rel_tol=1e-4):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"the first figure shows {shown(page)}; the engine computes {value}")
