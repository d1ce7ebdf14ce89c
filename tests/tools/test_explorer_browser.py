"""The explorer page in a real Chromium, with the network off: driven, read, compared.

Without a browser these tests skip; with MINITENSOR_REQUIRE_BROWSER=1 that is a failure.
"""

from __future__ import annotations

import json
import math
import os
import re

import explorer_pictures
import numpy as np
import pytest
import record_launches

import minitensor as mt
from minitensor.explain import explore, presets, words
from minitensor.explain.explanation import explain

SELF_TESTED = "body[data-selftest]"
PANELS = tuple(explorer_pictures.VIEWS)


@pytest.fixture(scope="module")
def browser():
    """One Chromium for all."""
    try:
        with explorer_pictures.chromium() as found:
            yield found
    except LookupError as reason:
        if os.environ.get("MINITENSOR_REQUIRE_BROWSER") == "1":
            pytest.fail(f"MINITENSOR_REQUIRE_BROWSER=1, but: {reason}")
        pytest.skip(f"no browser: {reason}")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Of the page on this disk."""
    path = tmp_path_factory.mktemp("explorer") / "explorer.html"
    path.write_text(explore.page(), encoding="utf-8")
    return path.as_uri()


class Reader:
    """Somebody who reads the page: opens links, looks at numbers; keeps what goes wrong."""

    def __init__(self, context, address):
        self.page, self.address = context.new_page(), address
        self.messages: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.messages.append(message.text))
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def open(self, link="", lang="en", afresh=False):
        """The page at a link; `afresh`, or for the first time, it is loaded."""
        link = f"{link}{'&' if link else '#'}lang={lang}"
        if afresh or not self.page.url.startswith(self.address):
            self.page.goto("about:blank")
            self.page.goto(self.address + link)
            self.page.wait_for_selector(SELF_TESTED)
        else:  # what a change of the address does, without waiting for the event
            self.page.evaluate("link => { history.replaceState(null, '', link); start(); }", link)
        return self.page

    def value(self, number=0) -> float:
        """A number that the page shows as a result."""
        return float(self.page.locator("#panel output").nth(number).get_attribute("data-value"))

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays that the page shows, by their roles."""
        script = """() => { const p = problem(state); return ROLES.filter((r) => p[r]).map((r) =>
            [r, p[r].shape, Array.from(p[r].data)]); }"""
        found = self.page.evaluate(script)
        return {role: np.reshape(data, shape).astype(np.float32) for role, shape, data in found}

    def link(self) -> str:
        """What stands after # in the address."""
        return self.page.evaluate("location.hash")


@pytest.fixture(scope="module")
def desk(browser, address):
    """A reader with a mouse, a wide window and a light screen; nothing goes wrong meanwhile."""
    with explorer_pictures.window(browser, 1200, 900, color_scheme="light") as context:
        reader = Reader(context, address)
        yield reader
        assert reader.messages == []
        assert {url.split("#")[0] for url in reader.asked} <= {address, "about:blank"}


@pytest.fixture(scope="module")
def phone(browser, address):
    """A reader with a narrow touch screen, dark, in Chinese."""
    look = {"has_touch": True, "is_mobile": True, "color_scheme": "dark", "locale": "zh-CN"}
    with explorer_pictures.window(browser, 400, 800, **look) as context:
        reader = Reader(context, address)
        yield reader
        assert reader.messages == []


# ----- the page checks itself -----


def test_all_recorded_calls_are_computed_again(desk):
    page = desk.open(afresh=True)
    assert page.evaluate("document.body.dataset.selftest") == "150/150"
    assert "150/150" in page.locator("#selftest").inner_text()


FAULTS = {
    "the odd pixel of padding before": """const right = samePad;
        samePad = (...sizes) => right(...sizes).reverse()""",
    "taps turned": """const right = links;
        links = (win) => { const all = right(win); all.t.reverse(); return all; }""",
    "the last of equals": """const right = shares;
        shares = (x, m, kind) => right(x, m.slice().reverse(), kind).reverse()""",
    "other groups": "KEYS.group = ([n, , , c], C) => n * C + c % 2",
    "momentum as PyTorch means it": "moving = (old, now, m) => [old, (1 - m) * old + m * now]",
    "a variance of n - 1": """const right = normalise;
        normalise = (x, c) => { const done = right(x, c), count = (i) => done.members[i].length;
            done.variance = done.variance.map((v, i) => v * count(i) / (count(i) - 1));
            return done; }""",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_its_arithmetic_is_seen(desk, fault):
    page = desk.open()
    good = page.evaluate(f"() => {{ {FAULTS[fault]}; return selfTest(); }}")
    assert int(good.split("/")[0]) < 150
    desk.page.goto("about:blank")


def test_it_is_ready_within_a_second(desk):
    times = [int(desk.open(afresh=True).evaluate("document.body.dataset.ready")) for _ in range(3)]
    assert min(times) < 1000


# ----- what it shows is what the engine computes -----


def conv(arrays, **settings):
    return mt.nn.conv2d(*(mt.constant(arrays[r]) for r in "mt"), **settings).numpy()


def gradient(arrays, wanted, back, **settings):
    """In "m" or "t", of a convolution with these output gradients."""
    given = {r: mt.constant(arrays[r]) for r in "mt"}
    with mt.GradientTape() as tape:
        tape.watch(given)
        y = mt.nn.conv2d(given["m"], given["t"], **settings)
    return tape.gradient(y, given[wanted], output_gradients=mt.constant(back, mt.float32)).numpy()


def drawn(shape):
    """The output gradients that are no ones."""
    return ((np.arange(math.prod(shape)) * 3 + 1) % 5 - 1.0).reshape(shape)


def of_preset(name, at):
    op, arguments = presets.preset(name)
    return lambda arrays: explain(op, **arguments, at=at).value


def pooled_back(arrays):
    x = mt.constant(arrays["m"])
    with mt.GradientTape() as tape:
        tape.watch(x)
        y = mt.nn.avg_pool2d(x, 3, 2, "SAME")
    return tape.gradient(y, x, output_gradients=mt.constant(drawn(y.shape), mt.float32)).numpy()[
        0, 2, 3, 0
    ]


SHOWN = {
    "#preset=A001-6&at=1,1": of_preset("A001-6", (1, 1)),
    "#preset=A002-2&at=1,2": of_preset("A002-2", (1, 2)),
    "#preset=A001-7&at=2,2": of_preset("A001-7", (2, 2)),
    "#preset=A001-8&at=3,1": of_preset("A001-8", (3, 1)),
    "#preset=A003-1&at=0,5,7,3": of_preset("A003-1", (0, 5, 7, 3)),
    "#preset=A002-4&at=7,7": of_preset("A002-4", (7, 7)),
    "#op=window&n=7&k=3&s=2&d=2&p=SAME&at=3,1": lambda a: conv(
        a, strides=2, padding="SAME", dilations=2
    )[0, 3, 1, 0],
    "#op=window&n=6x4&k=2x3&p=2.0.1.3&s=1x2&at=4,1": lambda a: conv(
        a, strides=[1, 2], padding=[[0, 0], [2, 0], [1, 3], [0, 0]]
    )[0, 4, 1, 0],
    "#op=channels&c=6&o=4&g=2&p=SAME&at=0,2,3,3": lambda a: conv(a, strides=1, padding="SAME")[
        0, 2, 3, 3
    ],
    "#op=gradient&n=6&s=2&p=SAME&cot=drawn&at=4,3": lambda a: gradient(
        a, "m", drawn((1, 3, 3, 1)), strides=2, padding="SAME"
    )[0, 4, 3, 0],
    "#op=gradient&n=6&d=2&p=SAME&cot=drawn&of=kernel&at=2,0": lambda a: gradient(
        a, "t", drawn((1, 6, 6, 1)), strides=1, padding="SAME", dilations=2
    )[2, 0, 0, 0],
    "#op=matrix&n=4&k=3&p=SAME&at=3,2": lambda a: conv(a, strides=1, padding="SAME")[0, 3, 2, 0],
    "#op=pool&f=avg_pool2d&n=5&k=3&s=2&p=SAME&cot=drawn&of=input&at=2,3": pooled_back,
    "#op=transposed&n=3&k=3&s=2&p=SAME&e=1&at=4,5": lambda a: mt.nn.conv2d_transpose(
        *(mt.constant(a[r]) for r in "pt"), [1, 6, 6, 1], 2, "SAME"
    ).numpy()[0, 4, 5, 0],
}


@pytest.mark.parametrize("link", SHOWN)
def test_a_linked_result_is_the_engine_s(desk, link):
    desk.open(link)
    expected = float(SHOWN[link](desk.arrays()))
    assert expected != 0
    assert desk.value() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("kind", ["batch", "layer", "instance", "group"])
def test_a_normalised_number_and_its_gradient_are_the_engine_s(desk, kind):
    desk.open(f"#op=norm&b=3&c=4&kind={kind}&at=1,0,1,2")
    x = ((np.arange(48) * 7 + 3) % 11 - 3.0).reshape(3, 2, 2, 4)
    view = {"batch": x[..., None], "layer": x[..., None]}.get(kind, x.reshape(3, 2, 2, 2, 2))
    axes = {"batch": (0, 1, 2), "layer": (1, 2, 3), "instance": (1, 2), "group": (1, 2, 4)}[kind]
    given = mt.constant(view)
    with mt.GradientTape() as tape:
        tape.watch(given)
        mean, variance = mt.nn.moments(given, axes, keepdims=True)
        standard = mt.reshape((given - mean) / mt.sqrt(variance + 0.001), x.shape)
        y = standard * np.arange(1.0, 5) + np.arange(4.0)
    dx = tape.gradient(y, given, output_gradients=mt.constant(drawn(x.shape)))
    assert desk.value(0) == pytest.approx(y.numpy()[1, 0, 1, 2])
    assert desk.value(1) == pytest.approx(dx.numpy().reshape(x.shape)[1, 0, 1, 2])


LAWS = ("#op=size&n=6&k=3&s=2&p=SAME", "#op=size&n=7&k=3&d=2&s=3", "#op=size&n=5&k=5&s=3&p=1.0.2.2",
        "#op=size&n=4&k=1&s=3&p=SAME", "#op=size&f=conv2d_transpose&n=3&k=2&s=3&e=2",
        "#op=size&f=conv2d_transpose&n=3&k=3&s=2&p=SAME")  # fmt: skip


@pytest.mark.parametrize("lang", words.LANGUAGES)
@pytest.mark.parametrize("link", LAWS)
def test_the_laws_are_those_of_explain(desk, link, lang):
    page = desk.open(link, lang)
    op, arguments = called(desk)
    steps = explain(op, **arguments).shape_steps
    assert page.locator(".laws p").all_inner_texts() == [step.text(lang) for step in steps]


def called(reader):
    """The op and the arguments of what the page is about."""
    a = reader.arrays()
    win, op = reader.page.evaluate(
        "(({stride, dilation, padding, kernel}) => [{stride, dilation, padding, kernel}, state.f])"
        "(problem(state).win)"
    )
    padding = win["padding"]
    if not isinstance(padding, str):
        padding = [[0, 0], *padding, [0, 0]]
    found = {"strides": short(win["stride"]), "padding": padding}
    if "pool" in op:
        return op, {"input": a["m"], "ksize": short(win["kernel"]), **found}
    if op == "conv2d":
        return op, {
            "input": a["m"],
            "filters": a["t"],
            **found,
            "dilations": short(win["dilation"]),
        }
    found = {"output_shape": list(a["m"].shape), **found}
    if win["dilation"] != [1, 1]:
        found["dilations"] = short(win["dilation"])
    return op, {"input": a["p"], "filters": a["t"], **found}


def short(pair):
    return pair[0] if pair[0] == pair[1] else pair


def program_of(found, library):
    """What `explain` writes; of tf.nn, where it names every argument, the call."""
    try:
        return found.code(library) if library in ("numpy", "keras") else f"= tf.nn.{found.call.op}("
    except ValueError:
        return "output = None"  # and says why


PROGRAMS = (
    "n=5&k=3&s=2&p=SAME", "n=6&k=2x3&d=2&p=1.0.2.1", "n=5&c=4&o=2&g=2",
    "f=max_pool2d&n=5&k=3&p=SAME",
    "f=avg_pool2d&n=5&k=2&s=2", "f=conv2d_transpose&n=3&k=3&s=2&e=1",
    "f=conv2d_transpose&n=3&k=3&s=2&p=SAME&e=1",
)  # fmt: skip


@pytest.mark.parametrize("link", PROGRAMS)
def test_its_programs_are_those_of_explain_and_run(desk, link):
    page = desk.open(f"#op=code&{link}")
    found = explain(called(desk)[0], **called(desk)[1])
    for library in ("numpy", "tf", "keras", "minitensor"):
        page.select_option("#c-lib", library)
        text = page.locator("#code").inner_text()
        assert program_of(found, library) in text
        if library in ("numpy", "minitensor"):
            names: dict = {}
            exec(text, names)
            assert np.allclose(names["output"], found.call.output)


@pytest.mark.parametrize("link", ["n=8&c=3&o=4&b=2&p=SAME", "n=7&c=2&o=2&k=2&s=2"])
def test_its_costs_are_those_of_explain(desk, link):
    page = desk.open(f"#op=cost&{link}")
    shown = page.locator("#panel output").first.get_attribute("data-value")
    found = explain(called(desk)[0], **called(desk)[1]).cost
    assert shown == ",".join(f"{c.macs}:{c.extra_bytes}" for c in found)


def test_the_cost_of_the_course_s_layer(desk):
    page = desk.open("#op=cost")
    page.select_option("#c-layer", "VGG13 conv1_2")
    text = page.locator("#panel").inner_text()
    for number in ("4 831 838 208", "288 MiB", "16 GiB", "36 192 256", "0.843 %"):
        assert number in text


# ----- driven -----


def test_a_layer_too_large_to_draw_is_made_smaller_or_said_to_be(desk):
    page = desk.open("#op=cost")
    page.select_option("#c-layer", "VGG13 conv1_2")
    page.locator("#tab-window").click()
    assert page.locator("#panel output").count() == 1
    desk.open("#op=window&preset=A003-1&n=200&c=8&o=8")
    assert "Too large" in page.locator(".error").inner_text()


def test_a_slider_moves_the_number_and_the_link(desk):
    page = desk.open("#preset=A001-6")
    assert desk.value() == -67
    page.locator("#c-s").fill("1")
    assert "s=1" in desk.link()
    page.locator("#c-scrub").fill("4")
    assert "at=1,1" in desk.link()
    assert desk.value() == conv(desk.arrays(), strides=1, padding="VALID")[0, 1, 1, 0]
    page.locator("#c-n").fill("7")  # the example's numbers fit no more
    assert "preset" not in desk.link()
    assert page.locator("#preset").input_value() == ""


def test_a_linked_view_is_seen_again(desk):
    page = desk.open("#preset=A001-6")
    page.locator("#c-s").fill("1")
    page.locator("#c-scrub").fill("7")
    shown, link = page.locator("#panel").inner_text(), desk.link()
    assert (
        desk.open(link.replace("&lang=en", ""), afresh=True).locator("#panel").inner_text() == shown
    )


def test_keys_move_the_picked_number(desk):
    page = desk.open("#preset=A001-6")
    for key, expected in [("Right", -77), ("Down", -127), ("Left", -117), ("Left", -117)]:
        page.keyboard.press(f"Arrow{key}")
        assert desk.value() == expected
    page.locator("#tab-window").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("state.op") == "channels"
    assert page.evaluate("document.activeElement.id") == "tab-channels"


@pytest.mark.parametrize("panel", ["transposed", "gradient", "matrix", "pool", "norm", "channels"])
def test_keys_move_on_every_panel_of_numbers(desk, panel):
    page = desk.open(f"#op={panel}&n=4&k=2&c=2&o=2")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert "at=1,1&" in desk.link()
    assert page.locator("#panel .chosen").count() >= 1


def test_the_kernels_panel_steps_through_what_was_recorded(desk):
    page = desk.open("#op=kernel")
    assert page.locator(".launch").count() == 3
    for number, launch in enumerate(json.loads(record_launches.FILE.read_text())):
        box = page.locator(".launch").nth(number)
        for at in (0, len(launch["steps"]) - 1):
            box.locator("input").fill(str(at))
            step = launch["steps"][at]
            assert box.locator(".code .now").get_attribute("data-at") == step["at"]
            lanes = len(step.get("lane", range(32)))
            assert f"{lanes} of 32 lanes" in box.locator(".said").inner_text()
            assert box.locator(".maps figure").first.locator(".on").count() == lanes
        box.locator("button").first.click()
        assert box.locator("input").input_value() == str(at - 1)


def test_every_example_on_every_panel_shows_numbers(desk):
    page = desk.open()
    bad = page.evaluate("""() => {
        const bad = [], noNumber = /NaN|undefined|null|\\[object/;
        for (const preset of Object.keys(PRESETS)) for (const panel of Object.keys(PANELS)) {
            readHash(`#preset=${preset}&lang=en`);
            open(panel);
            const shown = $("panel").cloneNode(true);  // kernels say nullptr
            shown.querySelectorAll(".launch .code").forEach((code) => code.remove());
            if (noNumber.test(shown.innerHTML)) bad.push([preset, panel]);
        }
        return bad;
    }""")
    assert bad == []


def test_padding_of_ones_own(desk):
    page = desk.open("#op=size&n=5&k=3&p=SAME")
    page.select_option("#c-p", "explicit")
    page.locator("#c-pad0").fill("2")
    assert "p=2.1.1.1" in desk.link()
    law = page.locator(".laws p").first.inner_text()
    assert "floor((5 + 3 - 3)/1) + 1 = 6; with 2 of padding before, 1 after" in law


def test_the_mouse_shows_and_a_click_keeps(desk):
    page = desk.open("#preset=A001-6")
    cell = "#panel [data-role=p]"
    page.locator(cell).nth(3).hover()
    assert desk.value() == -127
    assert page.locator("#panel figure:nth-of-type(1) .lit").count() == 9
    page.mouse.move(2, 2)
    assert desk.value() == -67
    page.locator(cell).nth(2).click()
    page.mouse.move(2, 2)
    assert desk.value() == -117
    page.locator("#panel [data-role=m]").nth(12).hover()  # the middle pixel is in all four windows
    assert desk.value() == 4


def test_a_matrix_lights_up_with_its_patch(desk):
    page = desk.open("#preset=A004-16&op=matrix")
    page.locator("#panel .way [data-role=k]").nth(5).hover()  # im2col[0, 5]: pixel 6, weight 5
    lit = page.evaluate("""() => Array.from(document.querySelectorAll("#panel figure")).map((f) =>
        f.querySelectorAll(".lit, .chosen").length)""")
    assert lit == [1] * 9 + [0]  # the bar of colours


def test_the_window_plays(desk):
    page = desk.open("#preset=A001-6")
    page.locator("#play").click()
    page.wait_for_url(re.compile("at=0,1"))
    page.locator("#play").click()


def test_ones_own_numbers(desk):
    page = desk.open()
    page.locator("#controls summary").click()
    page.locator("#c-x").fill("1 2 3; 4 5 6")
    page.locator("#c-w").fill("1 10")
    assert desk.value() == 21
    page.locator("#c-w").fill("1 ten")
    assert "error" in page.locator("#own-note").get_attribute("class")
    assert desk.value() == 21


def test_what_does_not_fit_is_said_with_its_numbers(desk):
    page = desk.open("#op=window&n=3&k=5")
    assert "floor((3 + 0 - 5)/stride) + 1" in page.locator(".error").inner_text()
    page.select_option("#c-p", "SAME")
    assert page.locator(".error").count() == 0


@pytest.mark.parametrize("name", presets.ERRATA)
def test_a_mistake_of_a_course_text_stands_beside_its_example(desk, name):
    page = desk.open()
    page.select_option("#preset", name)
    page.locator(".erratum", has_text=presets.ERRATA[name]).wait_for()


def test_language_and_light(desk):
    page = desk.open("#preset=A001-6")
    assert page.locator("h2").inner_text() == "Window"
    page.locator("#lang").click()
    assert page.locator("h2").inner_text() == "窗口"
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    assert "lang=zh" in desk.link()
    paper = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    page.locator("#theme").click()
    assert page.evaluate(paper) == "rgb(20, 22, 26)"
    assert "theme=dark" in desk.link()
    page.locator("#lang").click()


def test_a_finger_a_narrow_screen_a_reader_of_chinese(phone):
    page = phone.page
    page.goto("about:blank")
    page.goto(f"{phone.address}#preset=A001-6")
    page.wait_for_selector(SELF_TESTED)
    assert page.locator("h2").inner_text() == "窗口"  # as the browser asks
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 22, 26)"
    page.locator("#panel [data-role=p]").nth(3).tap()
    assert phone.value() == -127


@pytest.mark.parametrize("panel", PANELS)
def test_nothing_is_wider_than_a_telephone(phone, panel):
    page = phone.open(explorer_pictures.VIEWS[panel], lang="en")
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_a_broken_link_shows_the_page_all_the_same(desk):
    page = desk.open("#op=none&preset=B1&k=x&at=9,9,q&p=maybe&g=7")
    assert page.locator("h2").inner_text() == "Window"
    assert json.loads(page.evaluate("JSON.stringify(state.k)")) == [3, 3]
