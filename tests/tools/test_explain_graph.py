"""`tf.show_graph`: the nodes are those of the tape, and every kind of file opens."""

from __future__ import annotations

from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

import minitensor as tf
from minitensor.explain import graph

layers = tf.keras.layers


def test_a_forward_pass_is_told_as_a_tree():
    w = tf.Variable([[1.0], [2.0]], name="w")
    with tf.GradientTape() as tape:
        x = tf.constant([[3.0, 4.0]])
        tape.watch(x)
        y = tf.matmul(x, w)
        loss = tf.reduce_sum(y * y + y * 3.0)
    assert str(tf.show_graph(loss)).splitlines() == [
        "5 ops led to sum () float32; each line reads the one below",
        "[7] sum () float32",
        "[6] add (1, 1) float32",
        "├─ [4] multiply (1, 1) float32",
        "│  [3] product (1, 1) float32  <- watched (1, 2) float32, variable w (2, 1) float32",
        "└─ [5] multiply 3 (1, 1) float32",
        "   [3] is above",
    ]


def test_layers_and_name_scopes_say_where():
    net = tf.keras.Sequential([layers.Dense(2, name="inner")], name="outer")
    with tf.GradientTape() as tape:
        with tf.name_scope("before"):
            x = tf.constant([[1.0, 2.0]])
            tape.watch(x)
            h = tf.square(x)
        y = tf.square(net(h))
    places = {n.name: n.place for n in tf.show_graph(y).nodes if not n.is_leaf}
    assert places["product"] == ("outer", "inner")
    assert [n.place for n in tf.show_graph(y).nodes if n.name == "square"] == [("before",), ()]


def test_a_gradient_is_drawn_by_the_tape_that_was_recording():
    v = tf.Variable(2.0, name="v")
    with tf.GradientTape(persistent=True) as outer:
        with tf.GradientTape() as inner:
            y = tf.square(v)
        slope = inner.gradient(y, v)
    curvature = outer.gradient(slope, v)
    assert curvature.numpy() == 2.0
    orders = {n.name: n.order for n in tf.show_graph(slope).nodes if not n.is_leaf}
    assert set(orders.values()) == {1}
    with pytest.raises(ValueError, match="no tape knows"):  # nobody recorded the second walk
        tf.show_graph(curvature)


def test_of_a_second_order_the_order_is_said():
    v = tf.Variable(2.0)
    with tf.GradientTape() as outermost:
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                y = tf.sin(v)
            slope = inner.gradient(y, v)
        curvature = outer.gradient(slope, v)
    assert outermost
    nodes = tf.show_graph(curvature).nodes
    assert {n.order for n in nodes if n.name in ("sin", "negative")} == {2}
    assert "gradient of order 2" in str(tf.show_graph(curvature))
    assert "2 阶梯度" in str(tf.show_graph(curvature, lang="zh"))


def chain(count, place=()):
    return [graph.Node("f", "()", "op", (k - 1,) if k else (), place) for k in range(count)]


def test_a_large_graph_is_folded_by_layers_and_says_so():
    blocks = [(f"block{k // 5}",) for k in range(100)]
    nodes = [graph.Node("f", "()", "op", (k - 1,) if k else (), place)
             for k, place in enumerate(blocks)]  # fmt: skip
    shown = graph.Graph(nodes, "en")
    assert [(n.name, n.ops) for n in shown.nodes] == [(f"block{k}", 5) for k in range(20)]
    assert shown.arrows == [(k, k + 1) for k in range(19)]
    assert str(shown).startswith(
        "100 ops led to f (); folded by layer and name scope to 20 boxes; each"
    )


def test_a_layer_that_is_called_twice_makes_no_circle():
    places = [("a",), ("b",), ("a",)] * 20
    nodes = [graph.Node("f", "()", "op", (k - 1,) if k else (), place)
             for k, place in enumerate(places)]  # fmt: skip
    assert all(a < b for a, b in graph.Graph(nodes, "en").arrows)


def test_what_cannot_be_folded_is_cropped_and_says_so():
    shown = graph.Graph(chain(100), "en")
    assert len(shown.nodes) == graph.CROP
    assert "the first 20 are left out" in str(shown)
    assert shown.arrows[0] == (0, 1)


def test_resnet18_fits():
    net = tf.models.resnet18()
    with tf.GradientTape() as tape:
        y = net(tf.zeros((1, 32, 32, 3)), training=True)
    assert tape
    shown = tf.show_graph(y)
    assert len(shown.nodes) <= graph.CROP
    assert "folded" in str(shown)
    where = ["/".join([*n.place, n.name]) for n in shown.nodes]
    assert sum("/conv2d" in place for place in where) == 20  # 17, and those of 3 shortcuts


@pytest.fixture
def drawn():
    x = tf.Variable([1.0, 2.0], name="a<b")
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(x * x)
    assert tape
    return tf.show_graph(y)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_files_of_every_kind_open(drawn, tmp_path, lang):
    drawn.lang = lang
    texts = "".join(ElementTree.parse(drawn.save(tmp_path / "x.svg")).getroot().itertext())
    assert "(2) float32" in texts
    assert "a<b" in texts
    from PIL import Image

    pixels = np.asarray(Image.open(drawn.save(tmp_path / "x.png")).convert("L"))
    assert pixels.std() > 5
    assert drawn.save(tmp_path / "x.pdf").read_bytes().startswith(b"%PDF")
    HTMLParser().feed(drawn.save(tmp_path / "x.html").read_text())
    assert drawn._repr_html_().count("<svg") == 1


def test_bad_input_says_what_to_do(drawn, tmp_path):
    with pytest.raises(ValueError, match=r"legal are .svg, .png, .pdf and .html"):
        drawn.save(tmp_path / "x.bmp")
    with pytest.raises(ValueError, match="legal are en, zh"):
        tf.show_graph(tf.constant(1.0), lang="de")
    with pytest.raises(TypeError, match="does not depend on the source"):
        tf.show_graph(None)
    with pytest.raises(ValueError, match=r"persistent=True.*tape.watch"):
        tf.show_graph(tf.constant(1.0))
    x = tf.Variable(1.0)
    with tf.GradientTape() as tape:
        y = x * x
    with pytest.raises(ValueError, match="no op made it"):
        tf.show_graph(x)
    tape.gradient(y, x)
    with pytest.raises(ValueError, match="gradient makes a tape forget"):
        tf.show_graph(y)
