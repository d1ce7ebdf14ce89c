"""A summary needs shapes: no pixel is computed, and the table is that of a whole forward pass."""

import tracemalloc

import numpy as np
import pytest

import minitensor as tf
from minitensor.keras.engine import calling

k = tf.keras
layers = k.layers


def lines(model, **kwargs):
    found = []
    model.summary(print_fn=found.append, **kwargs)
    return found


class Block(layers.Layer):
    """Layers inside a layer, and ops between them."""

    def __init__(self, filters, **kwargs):
        super().__init__(**kwargs)
        self.convs = [layers.Conv2D(filters, 3, padding="same") for _ in range(2)]
        self.norm = layers.BatchNormalization()

    def call(self, x, training=None):
        y = self.convs[1](tf.nn.relu(self.norm(self.convs[0](x), training=training)))
        return tf.concat([tf.nn.max_pool2d(y, 2, 2, "VALID"), x[:, ::2, ::2]], -1)


class Subclassed(k.Model):
    def __init__(self):
        super().__init__()
        self.block, self.pool = Block(3), layers.GlobalAveragePooling2D()
        self.end = k.Sequential([layers.Dense(4, "relu"), layers.Dropout(0.5), layers.Dense(2)])

    def call(self, x, training=None):
        return self.end(self.pool(self.block(x / 255.0)))


class Own(layers.Conv2D):
    """A call of a program's own, of another shape than Conv2D says."""

    def call(self, inputs):
        return tf.reduce_mean(super().call(inputs), [1, 2])


def drawn():
    x = k.Input((16, 16, 3))
    y = layers.Conv2D(4, 3, strides=2, padding="same", activity_regularizer="l2")(x)
    y = layers.Concatenate()([y, layers.Conv2D(4, 1, strides=2)(x)])
    y = layers.Lambda(lambda t: t[:, 1:])(layers.LeakyReLU()(y)) * 2.0
    y = layers.UpSampling2D()(Block(2)(layers.Conv2DTranspose(3, 2, 2)(y)))
    return k.Model(x, [layers.Dense(3)(layers.Flatten()(y)), layers.SeparableConv2D(2, 3)(y)])


def called(model, *shape, dtype="float32"):
    model(tf.zeros(shape, dtype))
    return model


def signals():
    ends = [layers.GlobalMaxPooling1D(), layers.Reshape((2, 4, 1)), layers.ZeroPadding2D()]
    first = [layers.Conv1D(8, 3, dilation_rate=2), layers.LayerNormalization()]
    return k.Sequential([k.Input((None, 3)), *first, layers.MaxPooling1D(), *ends])


def volumes():
    first = [layers.Conv3D(2, 3, data_format="channels_first"), layers.PReLU()]
    ends = [layers.AveragePooling3D(2, data_format="channels_first"), layers.Permute((2, 3, 4, 1))]
    return k.Sequential([k.Input((3, 9, 8, 7)), *first, *ends, layers.Conv3D(2, 1)])


def whole_numbers():
    first = [layers.Reshape((8, 8, 3)), layers.Resizing(6, 6), layers.Rescaling(1 / 255)]
    return k.Sequential([k.Input((192,), dtype="uint8"), *first, layers.Conv2D(2, 3)])


MODELS = {
    "drawn": drawn,
    "subclassed": lambda: called(Subclassed(), 2, 16, 16, 3),
    "a call of its own": lambda: called(k.Sequential([Own(2, 3), layers.Dense(1)]), 1, 5, 5, 2),
    "signals": signals,
    "volumes": volumes,
    "whole numbers": whole_numbers,
    "MobileNet": lambda: k.applications.MobileNetV2((32, 32, 3), weights=None, alpha=0.35),
}


@pytest.mark.parametrize("style", ["wide", "tf20"])
@pytest.mark.parametrize("name", MODELS)
def test_the_table_is_that_of_a_whole_forward_pass(monkeypatch, name, style):
    model = MODELS[name]()
    quick = lines(model, expand_nested=True, style=style)
    monkeypatch.setattr(calling, "blank_output", lambda layer, args, kwargs: None)
    assert lines(model, expand_nested=True, style=style) == quick


def large_net():
    x = y = k.Input((1024, 1024, 3))
    for filters in (64, 128):
        y = layers.Conv2D(filters, 3, padding="same", activation="relu")(y)
        y = layers.MaxPooling2D()(layers.BatchNormalization()(layers.Add()([y, y])))
    return k.Model(x, layers.Conv2DTranspose(8, 2, 2)(k.Sequential([layers.ReLU()])(y)))


class Large(k.Model):
    def __init__(self):
        super().__init__()
        self.convs = [layers.Conv2D(64, 3, activation="relu") for _ in range(3)]

    def call(self, x):
        for conv in self.convs:
            x = conv(x)
        return x


@pytest.mark.parametrize("make", [large_net, Large])
def test_no_pixel_is_computed(make):
    """The outputs of these layers take more than 600 MB."""
    model = make()
    tracemalloc.start()
    try:
        if not model.built:
            model.build((None, 1024, 1024, 3))
        assert lines(model)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20e6  # of which 12.6 MB are the input of zeros


@pytest.mark.parametrize(
    "between",
    [
        [layers.Reshape((36, 4)), layers.Conv1D(5, 3)],
        [layers.Reshape((6, 6, 2, 2)), layers.Conv3D(2, (2, 2, 1)), layers.Reshape((25, 4))],
        [layers.Reshape((36, 4)), layers.Conv1D(1, 3), layers.Reshape((2, 17, 1))],
        [layers.Lambda(lambda x: tf.reduce_max(x, 1)), layers.MaxPooling1D(2)],
        [layers.Lambda(lambda x: x[:, :, None]), layers.Conv3D(2, 1)],
        [layers.GlobalMaxPooling2D(), layers.Reshape((2, 2)), layers.Conv1D(3, 2)],
    ],
)
def test_the_number_of_spatial_axes_may_change(between):
    model = k.Sequential([k.Input((8, 8, 3)), layers.Conv2D(4, 3), *between])
    named = {line.split()[0]: line.split()[-1] for line in lines(model)[3:] if "(None" in line}
    assert named[model.layers[0].name] == "3x3"
    assert not any("x" in named[layer.name] for layer in between[:2])
    assert str(model.output_shape[-1]) in lines(model)[len(between) + 3]


def test_a_sum_of_tensors_of_other_ranks_has_the_field_of_its_rank():
    x = k.Input((8, 8, 3))
    y = layers.Conv2D(3, 5, padding="same")(x)
    row = layers.Lambda(lambda t: tf.reduce_mean(t, 1))(x)
    model = k.Model(x, layers.Add()([y, row]))
    assert next(line for line in lines(model) if "(Add)" in line).endswith("5x5")


def test_a_dense_layer_of_each_pixel_sees_what_the_pixel_sees():
    model = k.Sequential([k.Input((8, 8, 3)), layers.Conv2D(4, 3), layers.Dense(2)])
    assert next(line for line in lines(model) if "(Dense)" in line).endswith("3x3")


def test_build_of_a_subclassed_model_leaves_no_losses_behind():
    model = Large()
    model.convs[0].activity_regularizer = k.regularizers.get("l2")
    model.build((None, 16, 16, 3))
    assert [tuple(w.shape) for w in model.weights[:2]] == [(3, 3, 3, 64), (64,)]
    assert model.losses == []
    assert np.isfinite(model(tf.zeros([1, 16, 16, 3]))).all()


def test_a_layer_that_does_not_know_all_sizes_of_its_output_is_computed():
    class Split(layers.Layer):
        def __init__(self):
            super().__init__()
            self.heads = layers.EinsumDense("abc,cde->abde", output_shape=(None, 2, 4))

        def call(self, x):
            return self.heads(x)

    assert Split()(k.Input((5, 8))).shape == (None, 5, 2, 4)


def test_an_operation_says_the_shape_that_was_drawn(capsys):
    """That of tf.shape has no batch."""
    x = tf.keras.Input((4, 3))
    s = tf.shape(x)
    tf.keras.Model(x, [tf.reshape(x, [s[0], -1]), tf.reduce_mean(x)]).summary()
    lines = [line for line in capsys.readouterr().out.splitlines() if "(TFOp" in line]
    shapes = [line.partition("Lambda)")[2].strip().split("  ")[0] for line in lines]
    assert shapes == ["(3,)", "(None, 12)", "()"]
