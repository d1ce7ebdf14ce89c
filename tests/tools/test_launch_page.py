"""The page of `minitensor kernel --html`, in a real Chromium with the network off."""

import json
import os

import explorer_pictures
import numpy as np
import pytest
import record_launches

from minitensor.backend import emulator
from minitensor.explain import launch_page, metrics, watch

TURNED = """
__global__ void turned(const float* x, float* y) {
    __shared__ float tile[32][32];
    const int i = threadIdx.x, k = threadIdx.y;
    for (int row = k; row < 32; row += 4) tile[row][i] = x[row * 32 + i];
    __syncthreads();
    for (int row = k; row < 32; row += 4) y[row * 32 + i] = tile[i][row] + x[i * 32 + row];
}
"""


@pytest.fixture
def launch(tmp_path, monkeypatch):
    """A transposition with a conflict, beside a strided read."""
    monkeypatch.setenv("MINITENSOR_EMULATOR", "trace")
    (tmp_path / "turned.cu").write_text(TURNED)
    own = emulator.load(tmp_path / "turned.cu")
    x, y = np.zeros((32, 32), np.float32), np.zeros((32, 32), np.float32)
    return watch.launches(lambda: own.launch("turned", 1, (32, 4), x, y), "turned")[0]


def test_the_page_asks_for_nothing_from_outside(launch):
    text = launch_page.page([launch])
    assert "default-src 'none'" in text
    assert "http://" not in text
    assert "https://" not in text
    assert len(text) < 500_000


def test_addresses_of_shared_memory_count_from_its_beginning(launch):
    shared = [step["address"] for step in launch_page.told(launch)["steps"] if step["array"] < 0]
    last = [max(at) if isinstance(at, list) else at["first"] + 31 * at["step"] for at in shared]
    assert max(last) < 2**14


def test_the_explorers_launches_are_what_the_kernels_do_today(monkeypatch):
    monkeypatch.setenv("MINITENSOR_EMULATOR", "trace")
    today = json.loads(json.dumps(record_launches.launches()))
    assert json.loads(record_launches.FILE.read_text()) == today, (
        "a kernel has changed: python tests/support/record_launches.py"
    )
    loads = [float(launch["loads"]) for launch in today]
    # Of 8 channels, a pixel and a weight for each tap that lies on the image; then tiles share.
    taps = 8 * sum(min(i + 2, 8) - max(i - 1, 0) for i in range(8)) ** 2 / 64
    assert loads[0] == 2 * taps
    assert loads[0] / 16 <= loads[1] < loads[0] / 12
    assert loads[2] < loads[1] / 3.5


def test_what_the_page_counts_is_what_the_metrics_count(launch, tmp_path):
    """Request by request: 32 wavefronts down a column of 32, 32 sectors along it in memory."""
    path = tmp_path / "page.html"
    path.write_text(launch_page.page([launch, launch]))
    try:
        browsing = explorer_pictures.chromium()
        browser = browsing.__enter__()
    except LookupError as reason:
        if os.environ.get("MINITENSOR_REQUIRE_BROWSER") == "1":
            pytest.fail(f"MINITENSOR_REQUIRE_BROWSER=1, but: {reason}")
        pytest.skip(f"no browser: {reason}")
    messages, costs = [], {}
    try:
        with explorer_pictures.window(browser, 1200, 900) as context:
            page = context.new_page()
            page.on("console", lambda message: messages.append(message.text))
            page.on("pageerror", lambda error: messages.append(str(error)))
            page.goto(path.as_uri())
            first = page.locator(".launch").first
            count = int(first.locator("input").get_attribute("max")) + 1
            for number in range(count):
                now = first.locator(".code .now").get_attribute("data-at")
                said = first.locator(".said").inner_text()
                memory = next(
                    name for name in ("shared", " x", " y") if name in said.split("lanes")[1]
                )
                cost = int(first.locator(".said b").get_attribute("data-cost"))
                key = now, memory.strip()
                costs[key] = costs.get(key, 0) + cost
                if number + 1 < count:
                    first.locator("button").last.click()
            page.keyboard.press("Home")
            page.locator("body").press("ArrowLeft")  # both launches go back together
            positions = page.locator(".steps input").evaluate_all("all => all.map((i) => i.value)")
    finally:
        browsing.__exit__(None, None, None)
    assert messages == []
    assert positions == [str(count - 2), "0"]
    expected = {}
    for line in metrics.traffic(launch):
        key = f"turned.cu:{line.place[1]}", line.memory
        expected[key] = expected.get(key, 0) + line.sectors + line.wavefronts
    assert costs == expected
    assert costs["turned.cu:7", "shared"] == 32 * 32
    assert costs["turned.cu:7", "x"] == 32 * 32
