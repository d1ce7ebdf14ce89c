"""model.summary(): numbers that can be computed on paper, and the text of TensorFlow 2.0."""

import numpy as np
import pytest

import minitensor as mt
from minitensor import keras, pictures
from minitensor.keras import layers
from minitensor.keras.summary import facts, picture

MLP = """\
Model: "{name}"
_________________________________________________________________
Layer (type)                 Output Shape              Param #
=================================================================
{a} (Dense)                multiple                  200960
_________________________________________________________________
{b} (Dense)              multiple                  65792
_________________________________________________________________
{c} (Dense)              multiple                  65792
_________________________________________________________________
{d} (Dense)              multiple                  2570
=================================================================
Total params: 335,114
Trainable params: 335,114
Non-trainable params: 0
_________________________________________________________________"""


def printed(model, **options):
    lines = []
    model.summary(print_fn=lines.append, **options)
    return [line.rstrip() for line in lines]


def by_name(model, expand=True):
    return {row.layer.name: row.facts for row in facts.rows_of(model, expand, None)}


def vgg13():
    stack = []
    for channels in (64, 128, 256, 512, 512):
        stack += [layers.Conv2D(channels, 3, padding="same", activation="relu") for _ in "ab"]
        stack.append(layers.MaxPooling2D(2, padding="same"))
    return keras.Sequential([keras.Input((32, 32, 3)), *stack])


def test_a001_1_the_four_layer_net_prints_what_the_seed_prints():
    names = ["dense", "dense_1", "dense_2", "dense_3"]
    sizes = (256, 256, 256, 10)
    model = keras.Sequential(
        [layers.Dense(n, name=name) for n, name in zip(sizes, names, strict=True)],
        name="sequential",
    )
    model.build(input_shape=(4, 784))
    wanted = MLP.format(name="sequential", **dict(zip("abcd", names, strict=True)))
    assert printed(model, style="tf20") == wanted.splitlines()


def test_a_model_that_was_told_its_input_shows_shapes_in_the_old_style():
    model = keras.Sequential([keras.Input((8,)), layers.Dense(3, name="one")], name="m")
    assert "one (Dense)                  (None, 3)                 27" in printed(
        model, style="tf20"
    )


def test_a_drawn_model_says_what_feeds_each_layer_in_the_old_style():
    x = keras.Input((4, 4, 1), name="image")
    y = layers.Conv2D(2, 3, name="conv")(x)
    lines = printed(keras.Model(x, layers.Flatten(name="flat")(y)), style="tf20")
    assert any(line.startswith("conv (Conv2D)") and "image[0][0]" in line for line in lines)
    assert any(line.startswith("flat (Flatten)") and "conv[0][0]" in line for line in lines)


def test_a000_2_the_multiplications_of_vgg13_are_those_of_the_paper():
    found = facts.rows_of(vgg13(), False, None)
    assert sum(row.facts.macs for row in found) == 228_261_888


def test_multiplications_of_a_layer_are_taps_times_channels_times_outputs():
    model = keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(6, 3, name="c")])
    assert by_name(model)["c"].macs == 26 * 26 * 6 * 9 * 1


def test_receptive_fields_grow_as_in_vgg():
    fields = [row.facts.field[0][0] for row in facts.rows_of(vgg13(), False, None)]
    assert fields == [3, 5, 6, 10, 14, 16, 24, 32, 36, 52, 68, 76, 108, 140, 156]


def test_a_residual_sum_sees_what_its_wider_branch_sees():
    x = keras.Input((16, 16, 4))
    body = layers.Conv2D(4, 3, padding="same")(layers.Conv2D(4, 3, padding="same")(x))
    model = keras.Model(x, layers.Add(name="sum")([x, body]))
    assert by_name(model)["sum"].field == ((5, 1), (5, 1))


def test_a_dense_layer_behind_flatten_sees_all():
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(2, name="d")])
    assert by_name(model)["d"].field == ()
    assert any("d (Dense)" in line and line.endswith("all") for line in printed(model))


class Block(layers.Layer):
    """Layers inside a layer, and an op between them."""

    def __init__(self):
        super().__init__(name="block")
        self.first = layers.Conv2D(3, 3, padding="same", name="first")
        self.second = layers.Conv2D(3, 1, name="second")

    def call(self, inputs):
        return mt.nn.relu(self.second(mt.nn.relu(self.first(inputs))) + inputs)


def test_layers_inside_a_layer_count_for_it_and_are_listed_when_asked():
    class Net(keras.Model):
        def __init__(self):
            super().__init__(name="net")
            self.block = Block()

        def call(self, inputs):
            return self.block(inputs)

    model = Net()
    model(np.zeros((2, 6, 6, 3), np.float32))
    found = by_name(model)
    assert found["first"].macs == 36 * 3 * 27
    assert found["block"].macs == 36 * 3 * 27 + 36 * 3 * 3
    assert found["block"].field == ((3, 1), (3, 1))
    assert [row.layer.name for row in facts.rows_of(model, False, None)] == ["block"]


def test_a_layer_used_twice_counts_twice_and_stands_once():
    shared = layers.Dense(4, name="shared")
    x = keras.Input((4,))
    model = keras.Model(x, shared(shared(x)))
    assert by_name(model)["shared"].macs == 2 * 16
    assert model.count_params() == 20


def test_a_model_that_is_not_built_says_how_to_build_it():
    with pytest.raises(ValueError, match="not yet been built"):
        keras.Sequential([layers.Dense(1)]).summary()


def test_a_range_of_layers_and_the_trainable_column():
    model = vgg13()
    model.layers[1].trainable = False
    names = [layer.name for layer in model.layers]
    lines = printed(model, layer_range=[names[1], names[2]], show_trainable=True)
    rows = [line for line in lines if names[1] in line or f"{names[2]} " in line]
    assert [line.split()[-1] for line in rows] == ["N", "Y"]
    with pytest.raises(ValueError, match="layer_range"):
        model.summary(layer_range=["none", names[0]])


# ----- the picture -----


def drawn_model():
    x = keras.Input((8, 8, 3), name="image")
    body = layers.Conv2D(3, 3, padding="same", activation="relu", name="conv")(x)
    return keras.Model(x, layers.Add(name="sum")([x, body]))


def test_a_picture_has_a_box_for_each_layer_and_an_arrow_for_each_tensor(tmp_path):
    keras.utils.plot_model(
        drawn_model(), tmp_path / "net.svg", show_shapes=True, show_layer_names=True
    )
    text = (tmp_path / "net.svg").read_text()
    for word in ("image", "conv", "sum", "(None, 8, 8, 3)"):
        assert f">{word}</text>" in text
    arrows = picture._arrows(drawn_model())
    assert [(a.name, b.name) for a, b in arrows] == [
        ("image", "conv"), ("image", "sum"), ("conv", "sum"),
    ]  # fmt: skip


def test_a_layer_stands_below_all_that_feed_it():
    assert pictures.rows_of(4, [(0, 1), (0, 2), (1, 2), (3, 2)]) == [0, 1, 2, 1]
    assert pictures.rows_of(2, []) == [0, 1]  # without arrows below each other


def test_a_sequential_has_a_box_for_its_input(tmp_path):
    net = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    keras.utils.plot_model(net, tmp_path / "net.svg", show_shapes=True)
    text = (tmp_path / "net.svg").read_text()
    for word in ("Input", "(None, 4)", "Dense", "(None, 2)"):
        assert f">{word}</text>" in text


def test_arrows_meet_their_boxes_and_boxes_do_not_overlap():
    arrows = [(0, 1), (0, 3), (1, 2), (2, 3)]
    shown = [pictures.Box((name, "(None, 8, 8, 3)")) for name in "abcd"]
    for across in (False, True):
        with pictures.style():
            drawn = pictures.boxes(shown, arrows, across=across)
        patches = drawn.axes[0].patches
        boxes = [p.get_bbox() for p in patches if hasattr(p, "get_boxstyle")]
        curves = [p._path_original.vertices for p in patches if not hasattr(p, "get_boxstyle")]
        assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[k + 1 :])
        for (a, b), curve in zip(arrows, curves, strict=True):
            assert _is_on_border(boxes[a], curve[0])
            assert _is_on_border(boxes[b], curve[-1])


def _is_on_border(box, point):
    x, y = point
    inside = box.x0 <= x <= box.x1 and box.y0 <= y <= box.y1
    return inside and min(abs(x - box.x0), abs(x - box.x1), abs(y - box.y0), abs(y - box.y1)) < 1e-9


def test_a_model_that_is_not_built_has_no_picture(tmp_path):
    with pytest.raises(ValueError, match="build the model"):
        keras.utils.plot_model(keras.Sequential([layers.Dense(1)]), tmp_path / "net.png")
