"""Pictures of explanations: what they show is compared as data, and every kind of file opens."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

import minitensor as mt
from minitensor.explain import figure

COUNTING = np.arange(1, 26).reshape(5, 5)
KERNEL = [[-1, 2, -3], [4, -5, 6], [-7, 8, -9]]
EXPLAINED = {
    "conv2d": (("conv2d", COUNTING, KERNEL, 2, "SAME"), {}),
    "conv1d": (("conv1d", [1, 2, 3, 4], [1, -1]), {}),
    "conv3d": (("conv3d", np.ones((2, 2, 2)), np.ones((2, 1, 2))), {}),
    "input gradient": (("conv2d", COUNTING, KERNEL, 2, "VALID"), {"grad": "input", "at": (2, 2)}),
    "filter gradient": (("conv2d", COUNTING, KERNEL, 2, "VALID"), {"grad": "filter"}),
    "bias gradient": (("conv2d", COUNTING, KERNEL), {"grad": "bias"}),
    "transposed": (("conv2d_transpose", [[1, 2], [3, 4]], KERNEL, [5, 5], 2, "VALID"), {}),
    "separable": (("separable_conv2d", COUNTING, KERNEL, [[2]]), {}),
    "pool": (("max_pool2d", COUNTING, 2, 2, "SAME"), {"at": (2, 2)}),
    "pool gradient": (("avg_pool2d", COUNTING, 2, 2, "SAME"), {"grad": "input"}),
    "upsampling": (("upsampling", [[1, 2], [3, 4]]), {"at": (2, 1)}),
    "bilinear": (("resize", [[1, 2], [3, 4]], (3, 4)), {"at": (1, 2)}),
    "dense": (("dense", [[1, 2, 3]], [[1, 4], [2, 5], [3, 6]]), {}),
    "dense gradient": (("dense", [[1, 2, 3]], [[1, 4], [2, 5], [3, 6]]), {"grad": "kernel"}),
    "causal": (("causal_conv1d", [1, 2, 3, 4], [1, -1]), {"at": (1,)}),
    "im2col": (("im2col", COUNTING, 3), {"at": (0, 1, 1, 4)}),
    "batch_norm": (("batch_norm", [[1, 2], [3, 6]]), {}),
    "layer_norm": (("layer_norm", [[1.0, 2.0]]), {"grad": "x"}),
    "lrn": (("lrn", np.ones((1, 1, 1, 4)), 1), {}),
    "loss": (("softmax_cross_entropy", [0, 1], [1.0, 2.0]), {}),
}


def explained(name):
    arguments, settings = EXPLAINED[name]
    return mt.explain(*arguments, **settings)


@pytest.fixture(scope="module")
def conv():
    return explained("conv2d")


@pytest.mark.parametrize("name", EXPLAINED)
def test_every_op_is_drawn_by_every_renderer(name, tmp_path):
    from PIL import Image

    found = explained(name)
    (svg,), (png,), (page,) = (
        found.save(tmp_path / f"x.{kind}") for kind in ("svg", "png", "html")
    )
    root = ElementTree.parse(svg).getroot()
    assert root.tag.endswith("svg")
    assert "= " in "".join(root.itertext())
    assert len(set(Image.open(png).convert("L").get_flattened_data())) > 20
    seen = Page(page.read_text("utf-8"))
    assert seen.links == []
    assert seen.seen
    assert seen.lit


def test_what_a_picture_shows(conv):
    shown = figure.panels(conv)
    image, kernel = shown.rows[0]
    assert (image.role, kernel.role, shown.result.role) == ("input", "kernel", "output")
    assert image.box == (-1, -1, 6, 6)  # the padding of SAME, on every side, in every frame
    assert image.cells.tolist() == [[i, j] for i in (-1, 0, 1) for j in (-1, 0, 1)]
    np.testing.assert_array_equal(image.array, COUNTING)
    assert shown.result.cells.tolist() == [[0, 0]]
    assert shown.sum == "output[0, 0, 0, 0] = -5 + 12 + 48 − 63 = -8"
    assert shown.scale == 97
    assert "9 cells outlined" in shown.alt


def test_the_panels_lie_inside_of_the_picture_and_apart_from_each_other(conv):
    drawn = conv.figure()
    boxes = [axes.get_position() for axes in drawn.axes]
    assert len(boxes) == 4  # three panels and the bar of the scale
    for k, box in enumerate(boxes):
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= 1
        assert box.y1 <= 1
        assert not any(box.overlaps(other) for other in boxes[k + 1 :])


def test_a_loss_is_drawn_as_labels_times_logarithms(tmp_path):
    """ln(1 + e) = 1.3133, and 0.3133 for the other class, by paper."""
    found = mt.explain("softmax_cross_entropy", [[0, 1], [1, 0]], [[1.0, 0.0], [1.0, 0.0]])
    shown = figure.panels(found)
    labels, logs = shown.rows[0]
    assert labels.array.tolist() == [[0, 1]]
    np.testing.assert_allclose(logs.array, [[0.313262, 1.313262]], rtol=1e-5)
    np.testing.assert_allclose(shown.result.array, [[1.313262, 0.313262]], rtol=1e-5)
    (path,) = found.save(tmp_path / "x.html")
    frames = json.loads(path.read_text("utf-8").split("const frames = ")[1].split(";\n")[0])
    assert [frame["slots"][0][0] for frame in frames] == [0, 1]  # of each loss its own labels


def test_a_large_plane_is_cropped_around_what_is_read():
    x, w = np.arange(40 * 50.0).reshape(40, 50), np.ones((3, 3))
    shown = figure.panels(mt.explain("conv2d", x, w, at=(20, 30)))
    top, left, bottom, right = shown.rows[0][0].box
    assert (bottom - top, right - left) == (8, 8)
    assert top <= 20
    assert bottom >= 23
    assert shown.rows[0][0].is_cropped


@pytest.mark.parametrize(
    "call",
    [("conv2d", np.ones((40, 40)), np.ones((3, 3))), ("batch_norm", np.ones((1, 40, 40, 2)))],
)
def test_what_is_read_beyond_a_crop_is_not_outlined(call):
    drawn = mt.explain(*call, grad="filter" if call[0] == "conv2d" else None).figure()
    for axes in drawn.axes[:-1]:
        (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
        for lines in axes.collections:
            for segment in lines.get_paths() if hasattr(lines, "get_segments") else ():
                x, y = segment.vertices.T
                assert left <= x.min() <= x.max() <= right
                assert top <= y.min() <= y.max() <= bottom
        assert right - left <= 16


def test_the_same_picture_is_the_same_file(conv, tmp_path):
    first, second = tmp_path / "a.svg", tmp_path / "b.svg"
    conv.save(first)
    conv.save(second)
    assert first.read_bytes() == second.read_bytes()


def test_png_and_pdf_are_not_blank(conv, tmp_path):
    from PIL import Image

    conv.save(tmp_path / "x.png")
    pixels = np.asarray(Image.open(tmp_path / "x.png").convert("L"))
    assert len(np.unique(pixels)) > 50
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    assert (edge == 255).all()  # nothing is clipped
    conv.save(tmp_path / "x.pdf")
    assert (tmp_path / "x.pdf").read_bytes().startswith(b"%PDF")


def test_an_animation_has_a_frame_for_each_number_and_a_still_beside_it(tmp_path):
    from PIL import Image

    found = mt.explain("conv2d", [[1, 2, 3], [4, 5, 6]], [[1, 10]])
    gif, still = found.save(tmp_path / "x.gif")
    assert Image.open(gif).n_frames == 4
    assert ElementTree.parse(still).getroot().tag.endswith("svg")


class Page(HTMLParser):
    """What a page refers to, its tables, and the cells that are lit in those that are seen."""

    def __init__(self, text):
        super().__init__()
        self.links, self.seen, self.lit = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.links += [v for k, v in attrs.items() if k in ("src", "href")]
        if tag == "div" and attrs.get("class") is None:
            self.visible = "hidden" not in attrs
        if tag == "table" and self.visible:
            self.seen.append([])
        if tag == "td" and self.visible:
            self.seen[-1].append("lit" in attrs["class"])

    def handle_data(self, data):
        if self.lasttag == "td" and self.visible and self.seen[-1][-1] and data.strip():
            self.lit.append(data.strip())


def test_a_page_holds_every_number_and_asks_nobody(conv, tmp_path):
    (path,) = mt.explain("conv2d", [[1, 2, 3]], [[1, 10]], lang="zh").save(tmp_path / "x.html")
    text = path.read_text("utf-8")
    page = Page(text)
    assert page.links == []
    assert '<html lang="zh">' in text
    assert page.seen == [[True, True, False], [True, True], [True, False]]
    assert page.lit == ["1", "2", "1", "10", "21"]
    frames = json.loads(text.split("const frames = ")[1].split(";\n")[0])
    assert [frame["slots"] for frame in frames] == [
        [[0, [0, 1]], [0, [0, 1]], [0, [0]]],
        [[0, [1, 2]], [0, [0, 1]], [0, [1]]],
    ]
    assert frames[1]["sum"] == "output[0, 0, 1, 0] = 2 + 30 = 32"
    (path,) = conv.save(tmp_path / "y.html")
    assert path.stat().st_size < 40_000


def test_json_and_other_kinds(conv, tmp_path):
    conv.save(tmp_path / "x.json")
    assert json.loads((tmp_path / "x.json").read_text())["value"] == -8
    with pytest.raises(ValueError, match=r"legal are \.svg"):
        conv.save(tmp_path / "x.bmp")
