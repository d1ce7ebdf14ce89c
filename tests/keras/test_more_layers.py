"""Layers over named axes, around a layer, of attention and of noise, against Keras."""

import json

import numpy as np
import pytest
from keras_peer import assert_same, close, floatx, same_weights

import minitensor as mt

LAYERS = mt.keras.layers
draw = np.random.default_rng(0)
X = draw.normal(size=(3, 5, 4))
Y = draw.normal(size=(3, 7, 6))
IMAGES = draw.normal(size=(2, 3, 6, 5, 2))


def same_config(ours, theirs, *skipped):
    mine, other = (
        {n: v for n, v in layer.get_config().items() if n not in ("name", "dtype", *skipped)}
        for layer in (ours, theirs)
    )
    assert json.loads(json.dumps(mine)) == json.loads(json.dumps(other))


# ----- Dot, EinsumDense -----

DOTS = [
    *(((3, 5), (3, 5), axes) for axes in (1, -1, (1, 1))),
    *(((3, 5, 4), (3, 4, 6), axes) for axes in ((2, 1), (-1, 1), (-1, -2))),
    *(((3, 5, 4), (3, 6, 4), axes) for axes in (2, -1)),
    *(((3, 5, 4), (3, 5), axes) for axes in (1, (1, -1))),
    ((3, 5), (3, 4, 5), (1, 2)),
    ((3, 2, 5, 4), (3, 5, 6), (2, 1)),
    ((3, 2, 5), (3, 4, 5, 6), (-1, 2)),
]


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize(("one", "other", "axes"), DOTS)
def test_dot_is_that_of_keras(tf, one, other, axes, normalize):
    given = draw.normal(size=one), draw.normal(size=other)
    ours, theirs = assert_same(tf, lambda k: k.layers.Dot(axes, normalize), *given)
    same_config(ours, theirs)
    assert ours.compute_output_shape([one, other]) == ours([*given]).shape


@pytest.mark.parametrize("axes", [0, (0, 1), 3, (1,), (1, 1, 1), "a", 1])
def test_dot_refuses_axes_that_do_not_fit(axes):
    with pytest.raises((ValueError, TypeError), match=r"axes|axis"):
        LAYERS.Dot(axes)([mt.ones([3, 5, 4]), mt.ones([3, 4, 6])])


EINSUMS = [
    ("ab,bc->ac", 8, "c", (3, 4)),
    ("abc,cd->abd", (None, 8), "d", (3, 5, 4)),
    ("abc,cde->abde", (5, 2, 3), "de", (3, 5, 4)),
    ("abc,cde->abde", (None, 2, 3), "e", (3, 5, 4)),
    ("abc,cde->abde", (None, 2, 3), "d", (3, 5, 4)),
    ("abcd,cde->abe", (None, 8), None, (3, 5, 4, 2)),
    ("abc,bcd->ad", 6, "d", (3, 5, 4)),
    ("...x,xy->...y", 8, "y", (3, 4)),
    ("...x,xy->...y", 8, "y", (3, 5, 2, 4)),
    ("...xy,yz->...xz", (5, 3), "xz", (3, 5, 4)),
    ("...bc,cde->...bde", (None, 2, 3), "de", (2, 3, 5, 4)),
    ("ab...,bc->ac...", 6, "c", (3, 4, 2, 5)),
    ("ab...,bc->ac...", 6, None, (3, 4)),
    ("abc,d->abcd", (None, None, 2), "d", (3, 5, 4)),
    ("abc,bd->adc", (6, 4), "dc", (3, 5, 4)),
]


@pytest.mark.parametrize(("equation", "output", "bias", "shape"), EINSUMS)
def test_einsum_dense_is_that_of_keras(tf, equation, output, bias, shape):
    x = draw.normal(size=shape)

    def make(k):
        options = {"activation": "relu", "kernel_regularizer": "l2", "bias_axes": bias}
        return k.layers.EinsumDense(equation, output, **options)

    ours, theirs = assert_same(tf, make, x)
    same_config(ours, theirs, "activation", "kernel_regularizer")
    # Of "..." for two axes or more Keras' compute_output_shape turns the order round.
    said = ours.compute_output_shape(shape)
    assert sorted(map(str, said)) == sorted(map(str, theirs.compute_output_shape(shape)))
    assert all(n in (None, m) for n, m in zip(said, ours(x).shape, strict=True))
    assert ours.kernel.shape == theirs.kernel.shape


@pytest.mark.parametrize(("equation", "output", "shape"), [e[:2] + e[3:] for e in EINSUMS[:4]])
def test_the_equation_says_what_the_kernel_s_fans_are(tf, equation, output, shape):
    deviations = []
    for k in (mt.keras, tf.keras):
        layer = k.layers.EinsumDense(equation, output, kernel_initializer="he_normal")
        layer.build(shape)
        big = k.layers.EinsumDense(equation, output, kernel_initializer="glorot_uniform")
        big.build((64, *(64 if n == 4 else n for n in shape[1:])))
        deviations.append(np.asarray(big.kernel).std())
    np.testing.assert_allclose(*deviations, rtol=0.15)


@pytest.mark.parametrize(
    ("equation", "output", "bias"),
    [
        ("abc,cd", 3, None),
        ("...ab...,bc->...ac...", 3, None),
        ("abc,ce->abd", (None, 3), None),
        ("abc,cd->abd", (None, 3), "z"),
        ("abc,cd->abd", 3, None),
        ("abc,cd->abd", (6, 3), None),
        ("abcd,cd->abd", (None, 3), None),
    ],
)
def test_equations_that_say_nothing_are_refused(equation, output, bias):
    with pytest.raises(ValueError, match=r"equation|dimension|Dimension"):
        LAYERS.EinsumDense(equation, output, bias_axes=bias)(X)


# ----- attention: heads of 4, whose root TensorFlow has exactly; it keeps it in float32 -----


def attention(k, shapes, *settings, masks=False, call=None, **options):
    """A model of one attention between inputs of these shapes."""
    xs = [k.Input(shape) for shape in shapes]
    layer = k.layers.MultiHeadAttention(*settings, **options)
    seen = [k.layers.Masking()(x) for x in xs] if masks else xs
    given = {"key": seen[2]} if len(xs) > 2 else {}
    y = layer(seen[0], seen[min(1, len(xs) - 1)], **given, **(call or {}))
    return k.Model(xs, y)


ATTENTION = {
    "plain": ([(5, 4), (7, 6)], (2, 4), {}),
    "itself": ([(5, 4)], (2, 4), {}),
    "a key": ([(5, 4), (7, 6), (7, 3)], (2, 4, 5), {}),
    "no bias": ([(5, 4), (7, 6)], (1, 4), {"use_bias": False}),
    "gate": ([(5, 4), (7, 6)], (2, 4), {"use_gate": True}),
    "output": ([(5, 4), (7, 6)], (2, 4), {"output_shape": (2, 5)}),
    "window": ([(5, 4), (7, 6)], (2, 4), {"sliding_window": 2}),
    "axes": ([(2, 5, 4), (2, 7, 6)], (2, 4), {"attention_axes": 2}),
    "two axes": ([(2, 3, 4), (2, 2, 6)], (2, 4), {"attention_axes": (1, 2)}),
    "all axes": ([(2, 3, 4), (2, 2, 6)], (2, 4), {}),
    "masked": ([(5, 4), (7, 6)], (2, 4), {"masks": True}),
    "causal": ([(5, 4)], (2, 4), {"call": {"use_causal_mask": True}}),
    "dropout": ([(5, 4), (7, 6)], (2, 4), {"dropout": 0.3, "masks": True}),
    "scores": ([(5, 4), (5, 6)], (2, 4), {"call": {"return_attention_scores": True}}),
    "all": ([(5, 4)], (2, 4), {"sliding_window": 3, "call": {"use_causal_mask": True}}),
}


@pytest.mark.parametrize("case", ATTENTION.values(), ids=ATTENTION)
def test_attention_is_that_of_keras(tf, case):
    shapes, settings, options = case
    xs = [draw.normal(size=(3, *shape)) for shape in shapes]
    if options.get("masks"):
        xs[0][1, 2:] = 0
        xs[1][0, 3:] = xs[1][2, :2] = 0

    def make(k):
        return attention(k, shapes, *settings, **options)

    # The weights of a mean do not change with the key's bias: its gradient is 0.
    ours, theirs = assert_same(tf, make, *xs, least=1e-3)
    mine, other = (m.layers[-1] for m in (ours, theirs))
    same_config(mine, other)
    for a, b in zip(mine.weights, other.weights, strict=True):
        assert (a.path.split("/")[-2:], a.shape) == (b.path.split("/")[-2:], b.shape)


def test_attention_takes_masks_by_name(tf):
    mask = draw.random((3, 5, 7)) > 0.4
    mask[0, 1] = False
    heads = draw.random((3, 2, 5, 7)) > 0.4
    q, v = np.arange(5) < np.array([[5], [3], [2]]), np.arange(7) < np.array([[1], [7], [4]])
    with floatx(tf, "float64"):
        ours, theirs = (k.layers.MultiHeadAttention(2, 4) for k in (mt.keras, tf.keras))
        for layer in (ours, theirs):
            layer.build((3, 5, 4), (3, 7, 6))
        same_weights(ours, theirs)
        for given in (
            {"attention_mask": mask},
            {"attention_mask": heads},
            {"query_mask": q, "value_mask": v},
            {"attention_mask": mask, "value_mask": v, "use_causal_mask": True},
            {"attention_mask": mask, "return_attention_scores": True},
        ):
            mine, other = (
                layer(lib.constant(X), lib.constant(Y), **given)
                for lib, layer in ((mt, ours), (tf, theirs))
            )
            pairs = (
                [(mine, other)] if not isinstance(mine, tuple) else zip(mine, other, strict=True)
            )
            for a, b in pairs:
                close(a, b, 1e-10, str(given.keys()))


def test_attention_hands_on_the_mask_of_the_query(tf):
    x = X.copy()
    x[0, 3:] = 0
    for call in ({}, {"use_causal_mask": True}):
        found = []
        for lib in (mt, tf):
            k = lib.keras
            masked = k.layers.Masking()(lib.constant(x, "float32"))
            y = k.layers.MultiHeadAttention(2, 4)(masked, masked, **call)
            found.append([np.asarray(y._keras_mask), getattr(masked, "_keras_mask", None) is None])
        np.testing.assert_array_equal(found[0][0], found[1][0])
        assert found[0][1] == found[1][1]


# ----- around a layer -----

WRAPPED = {
    "dense": (lambda k: k.layers.TimeDistributed(k.layers.Dense(3, "relu")), X),
    "conv": (lambda k: k.layers.TimeDistributed(k.layers.Conv2D(3, 2)), IMAGES),
    "norm": (lambda k: k.layers.TimeDistributed(k.layers.BatchNormalization()), IMAGES),
    "pool": (lambda k: k.layers.TimeDistributed(k.layers.GlobalAveragePooling2D()), IMAGES),
    "flatten": (lambda k: k.layers.TimeDistributed(k.layers.Flatten()), IMAGES),
    "model": (
        lambda k: k.layers.TimeDistributed(
            k.Sequential([k.Input((6, 5, 2)), k.layers.Conv2D(3, 2), k.layers.BatchNormalization()])
        ),
        IMAGES,
    ),
    "spectral": (lambda k: k.layers.SpectralNormalization(k.layers.Dense(3), 3), X),
    "spectral conv": (lambda k: k.layers.SpectralNormalization(k.layers.Conv2D(3, 2)), IMAGES[0]),
    "spectral bias": (
        lambda k: k.layers.SpectralNormalization(k.layers.Conv2DTranspose(3, 2, use_bias=False)),
        IMAGES[0],
    ),
}


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("case", WRAPPED.values(), ids=WRAPPED)
def test_a_wrapped_layer_is_that_of_keras(tf, case, training):
    make, x = case
    ours, theirs = assert_same(tf, make, x, training=training, least=1e-3)
    assert ours.compute_output_shape(x.shape) == tuple(theirs.compute_output_shape(x.shape))
    assert [w.path.split("/")[-1] for w in ours.weights] == [
        w.path.split("/")[-1] for w in theirs.weights
    ]
    mine, other = ours.get_config(), theirs.get_config()
    assert set(mine) == set(other)
    assert mine["layer"]["class_name"] == other["layer"]["class_name"]


def test_a_layer_over_time_is_told_the_mask_of_each_step(tf):
    x = np.where(draw.random((3, 5, 4, 1)) > 0.3, draw.normal(size=(3, 5, 4, 2)), 0.0)

    def run(k, lib):
        layer = k.layers.TimeDistributed(k.layers.GlobalAveragePooling1D())
        mask = (x != 0).any(-1)
        mask[..., 0] = True
        return layer(lib.constant(x), mask=lib.constant(mask))

    with floatx(tf, "float64"):
        close(run(mt.keras, mt), run(tf.keras, tf), 1e-12)


@pytest.mark.parametrize("name", ["attention", "wrapped", "einsum", "renorm"])
def test_files_pass_both_ways(tf, tmp_path, name):
    def model(k):
        x = k.Input((5, 4))
        if name == "attention":
            y = k.layers.MultiHeadAttention(2, 3, use_gate=True, name="look")(x, x)
        elif name == "wrapped":
            y = k.layers.TimeDistributed(k.layers.Dense(3, name="inner"))(x)
            y = k.layers.SpectralNormalization(k.layers.Conv1D(2, 3, name="conv"))(y)
        elif name == "einsum":
            y = k.layers.EinsumDense("...x,xy->...y", 3, bias_axes="y", activation="relu")(x)
        else:
            y = k.layers.BatchNormalization(renorm=True, renorm_clipping={"rmax": 2.0})(x)
        y = k.layers.Dot(1)([y, k.layers.GaussianDropout(0.2)(x)]) if name != "wrapped" else y
        return k.Model(x, k.layers.AlphaDropout(0.1)(y))

    for writer, reader in ((mt.keras, tf.keras), (tf.keras, mt.keras)):
        written = model(writer)
        written.set_weights([draw.random(w.shape) for w in written.get_weights()])
        expected = written.predict(X.astype("float32"), verbose=0)
        written.save(tmp_path / "m.keras")
        read = reader.models.load_model(tmp_path / "m.keras")
        close(read.predict(X.astype("float32"), verbose=0), expected, 1e-5)
        written.save_weights(tmp_path / "m.weights.h5")
        fresh = model(reader)
        fresh.load_weights(tmp_path / "m.weights.h5")
        close(fresh.predict(X.astype("float32"), verbose=0), expected, 1e-5)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda k: k.TimeDistributed(3), "wraps a layer"),
        (lambda k: k.TimeDistributed(k.Dense(1))(mt.ones([2, 3])), "at least 3"),
        (lambda k: k.SpectralNormalization(k.ReLU())(mt.ones([2, 3])), "kernel"),
        (lambda k: k.SpectralNormalization(k.Dense(1), 0), "power_iterations"),
        (lambda k: k.TimeDistributed(k.Dense(1))(X, mask=mt.ones([3, 4], bool)), "mask"),
        (lambda k: k.MultiHeadAttention(0, 1), "num_heads"),
        (lambda k: k.MultiHeadAttention(1, 1)(X, X, Y), "must be equal"),
        (lambda k: k.MultiHeadAttention(1, 1, flash_attention=True), "flash_attention"),
    ],
)
def test_what_does_not_fit_is_refused(wrong, says):
    with pytest.raises(ValueError, match=says):
        wrong(LAYERS)


# ----- noise -----


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.7])
@pytest.mark.parametrize("name", ["GaussianDropout", "AlphaDropout"])
def test_noise_keeps_mean_and_spread(tf, name, rate):
    x = draw.normal(size=(200, 500)).astype("float32")
    means = []
    for lib in (mt, tf):
        layer = getattr(lib.keras.layers, name)(rate, seed=1)
        y = np.asarray(layer(lib.constant(x), training=True))
        assert np.array_equal(np.asarray(layer(lib.constant(x))), x)
        means.append([y.mean(), y.std(), (y * x).mean()])
    np.testing.assert_allclose(*means, atol=0.02)
    ours, theirs = (getattr(k.layers, name)(rate, seed=1) for k in (mt.keras, tf.keras))
    same_config(ours, theirs, "noise_shape")  # which tf.keras' AlphaDropout leaves out


def test_alpha_dropout_gives_one_value_where_it_drops(tf):
    x = draw.normal(size=(50, 40)).astype("float32")
    for shape in (None, (50, 1)):
        found = []
        for lib in (mt, tf):
            y = np.asarray(
                lib.keras.layers.AlphaDropout(0.4, shape)(lib.constant(x), training=True)
            )
            values, counts = np.unique(y, return_counts=True)
            found.append((values[counts.argmax()], y))
        np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-5)
        dropped = np.isclose(found[0][1], found[0][0])
        if shape:
            assert (dropped.all(1) | (~dropped).all(1)).all()


@pytest.mark.parametrize("name", ["GaussianDropout", "AlphaDropout"])
@pytest.mark.parametrize("rate", [-0.1, 1.0, 2])
def test_rates_that_leave_nothing_are_refused(name, rate):
    with pytest.raises(ValueError, match="rate"):
        getattr(LAYERS, name)(rate)


# ----- batch normalisation with a mask, with renormalisation -----

CLIPS = [None, {"rmin": 0.5, "rmax": 1.5, "dmax": 0.3}, {"rmax": 0.9}, {"dmax": 0.0}]


@pytest.mark.parametrize("options", [{}, {"center": False}, {"scale": False}, {"axis": 1}])
@pytest.mark.parametrize("clip", CLIPS)
def test_renormalisation_is_that_of_keras(tf, clip, options):
    def make(k):
        return k.layers.BatchNormalization(
            renorm=True, renorm_clipping=clip, renorm_momentum=0.8, momentum=0.7, **options
        )

    for training in (True, False):
        ours, theirs = assert_same(tf, make, X, training=training)
        same_config(ours, theirs, *[n for n in ours.get_config() if "initializer" in n])
        assert [w.path.split("/")[-1] for w in ours.weights] == [
            w.path.split("/")[-1] for w in theirs.weights
        ]


@pytest.mark.parametrize("renorm", [False, True])
@pytest.mark.parametrize("training", [False, True])
def test_a_mask_leaves_pixels_out_of_the_statistics(tf, renorm, training):
    mask = draw.random((3, 5)) > 0.4

    with floatx(tf, "float64"):
        ours, theirs = (k.layers.BatchNormalization(renorm=renorm) for k in (mt.keras, tf.keras))
        for layer in (ours, theirs):
            layer.build((None, 5, 4))
        same_weights(ours, theirs)
        found = []
        for lib, layer in ((mt, ours), (tf, theirs)):
            x, seed = lib.constant(X), lib.constant(X[::-1].copy())
            with lib.GradientTape() as tape:
                tape.watch(x)
                y = layer(x, mask=lib.constant(mask), training=training)
            found.append([y, *tape.gradient(y, [x, layer.gamma, layer.beta], seed), *layer.weights])
        for a, b in zip(*found, strict=True):
            close(np.asarray(a), np.asarray(b), 1e-10)


@pytest.mark.parametrize(
    "clip", [{"r": 1}, {"rmax": 1, "rmin": 2}, {"dmax": -1}], ids=["name", "order", "sign"]
)
def test_clipping_that_contradicts_itself_is_refused(clip):
    with pytest.raises(ValueError, match="renorm_clipping"):
        LAYERS.BatchNormalization(renorm=True, renorm_clipping=clip)
    with pytest.raises(ValueError, match="one dimension less"):
        LAYERS.BatchNormalization()(X, mask=mt.ones([3], bool))
