"""Masks against Keras: who makes one, who hands it on, who loses it and says so."""

import inspect
import warnings

import numpy as np
import pytest
from keras_peer import assert_same, close, floatx

import minitensor as mt

draw = np.random.default_rng(0)
X = draw.normal(size=(3, 5, 4))
X[0, 3:] = 0.0
X[1, 1] = 0.0
X[2, :, 1] = 0.0
STEPS = (X != 0).any(-1)


def mask(y):
    found = getattr(y, "_keras_mask", None)
    return None if found is None else np.asarray(found)


def same_masks(ours, theirs):
    mine, other = mask(ours), mask(theirs)
    assert (mine is None) == (other is None)
    if other is not None:
        np.testing.assert_array_equal(mine, other)


def both(tf, make):
    """What `make(library)` gives, and the warnings of each, of ours and of TensorFlow."""
    found = []
    for library in (mt, tf):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            y = make(library)
        told = [str(w.message) for w in said if "destroy the mask" in str(w.message)]
        found.append((y, len(told)))
    (ours, mine), (theirs, other) = found
    assert mine == other
    return ours, theirs


def everywhere(keras):
    """The names of layers that support masking, and of those that do not."""
    classes = {n: x for n, x in vars(keras.layers).items() if inspect.isclass(x)}
    given = {
        **dict.fromkeys(
            ("Conv1D", "Conv2D", "Conv3D", "SeparableConv1D", "SeparableConv2D"), (1, 1)
        ),
        **dict.fromkeys(("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"), (1, 1)),
        **dict.fromkeys(("Dense", "RepeatVector", "DepthwiseConv1D", "DepthwiseConv2D"), (1,)),
        **dict.fromkeys(("Dropout", "GaussianNoise", "GaussianDropout", "AlphaDropout"), (0.5,)),
        **dict.fromkeys(("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"), (0.5,)),
        **dict.fromkeys(("CenterCrop", "RandomCrop", "Resizing"), (2, 2)),
        "Activation": ("relu",),
        "Lambda": (abs,),
        "Permute": ((1,),),
        "Reshape": ((1,),),
        "Rescaling": (2.0,),
        "Dot": (1,),
        "MultiHeadAttention": (1, 1),
    }
    for name in ("AdaptiveAveragePooling", "AdaptiveMaxPooling"):
        given |= {f"{name}{rank}D": (1,) for rank in (1, 2, 3)}
    for name in sorted(classes):
        try:
            yield name, classes[name](*given.get(name, ())).supports_masking
        except (TypeError, AttributeError, ValueError):
            continue


def test_the_same_layers_support_masking(tf):
    ours, theirs = dict(everywhere(mt.keras)), dict(everywhere(tf.keras))
    common = ours.keys() & theirs.keys()
    assert len(common) > 75
    assert {n: ours[n] for n in common} == {n: theirs[n] for n in common}


@pytest.mark.parametrize("value", [0.0, 2.0])
def test_masking_is_that_of_keras(tf, value):
    x = np.where(X == 0, value, X)
    ours, theirs = assert_same(tf, lambda k: k.layers.Masking(value), x)
    assert ours.get_config()["mask_value"] == theirs.get_config()["mask_value"]
    with floatx(tf, "float64"):
        same_masks(*both(tf, lambda lib: lib.keras.layers.Masking(value)(lib.constant(x))))


CHAINS = {
    "dense": lambda k: [k.layers.Dense(3, activation="relu")],
    "norm": lambda k: [k.layers.LayerNormalization(), k.layers.ReLU(), k.layers.Dropout(0.5)],
    "convolution loses it": lambda k: [k.layers.Conv1D(2, 3, padding="same"), k.layers.ReLU()],
    "flatten loses it": lambda k: [k.layers.Flatten()],
    "pooling counts it": lambda k: [k.layers.Dense(3), k.layers.GlobalAveragePooling1D()],
    "kept": lambda k: [k.layers.GlobalAveragePooling1D(keepdims=True)],
    "lambda": lambda k: [k.layers.Lambda(lambda x: 2.0 * x)],
    "lambda makes it": lambda k: [k.layers.Lambda(lambda x: 2.0 * x, mask=lambda x, m: m)],
    "nested": lambda k: [k.Sequential([k.layers.Dense(2), k.layers.ReLU()])],
}


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
@pytest.mark.parametrize("kind", ["calls", "sequential", "functional"])
def test_a_chain_of_layers_hands_masks_on(tf, chain, kind):
    def run(library):
        k = library.keras
        layers = [k.layers.Masking(), *chain(k)]
        if kind == "sequential":
            layers = [k.Sequential([k.Input((5, 4)), *layers])]
        if kind == "functional":
            y = x = k.Input((5, 4))
            for layer in layers:
                y = layer(y)
            layers = [k.Model(x, y)]
        y = library.constant(X)
        for layer in layers:
            y = layer(y)
        return y

    with floatx(tf, "float64"):
        same_masks(*both(tf, run))


@pytest.mark.parametrize("chain", ["pooling counts it", "kept", "norm"])
def test_values_and_gradients_heed_the_mask(tf, chain):
    def make(k):
        return k.Sequential([k.Input((5, 4)), k.layers.Masking(), *CHAINS[chain](k)])

    assert_same(tf, make, X)


@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
def test_pooling_takes_a_mask_by_name(tf, layout):
    x = X if layout == "channels_last" else X.transpose(0, 2, 1)

    def run(library):
        layer = library.keras.layers.GlobalAveragePooling1D(layout, dtype="float64")
        return layer(library.constant(x), mask=library.constant(STEPS))

    close(*(np.asarray(run(library)) for library in (mt, tf)), 1e-12)


@pytest.mark.parametrize("name", ["Add", "Multiply", "Average", "Maximum", "Concatenate"])
@pytest.mark.parametrize("masked", [(0, 1), (0,), (1,), ()])
@pytest.mark.parametrize("axis", [-1, 1])
def test_merging_merges_masks(tf, name, masked, axis):
    def run(library):
        k = library.keras
        xs = [library.constant(X), library.constant(X[::-1].copy())]
        ys = [k.layers.Masking()(x) if i in masked else x for i, x in enumerate(xs)]
        options = {"axis": axis} if name == "Concatenate" else {}
        return getattr(k.layers, name)(**options)(ys)

    with floatx(tf, "float64"):
        same_masks(*both(tf, run))


def custom(library, kind):
    k = library.keras

    class Asks(k.layers.Layer):
        def call(self, inputs, mask=None):
            return inputs if mask is None else inputs * library.cast(mask, inputs.dtype)[..., None]

    class Passes(Asks):
        def __init__(self):
            super().__init__()
            self.supports_masking = True

    class Makes(k.layers.Layer):
        def compute_mask(self, inputs, mask=None):
            return inputs[..., 0] > 0

        def call(self, inputs):
            return inputs + 1

    class Several(k.layers.Layer):
        def call(self, query, value, query_mask=None, value_mask=None):
            parts = [(query, query_mask), (value, value_mask)]
            a, b = (x if m is None else x * library.cast(m, x.dtype)[..., None] for x, m in parts)
            return a + b

    return {"Asks": Asks, "Passes": Passes, "Makes": Makes, "Several": Several}[kind]()


@pytest.mark.parametrize("kind", ["Asks", "Passes", "Makes", "Several"])
@pytest.mark.parametrize("functional", [False, True])
def test_layers_of_a_program_s_own_are_told_masks_and_make_them(tf, kind, functional):
    def run(library):
        k = library.keras
        layer, start = custom(library, kind), k.layers.Masking()

        def chain(x):
            return (
                layer(start(x), k.layers.Rescaling(2.0)(x))
                if kind == "Several"
                else layer(start(x))
            )

        if not functional:
            return chain(library.constant(X))
        x = k.Input((5, 4))
        return k.Model(x, chain(x))(library.constant(X))

    with floatx(tf, "float64"):
        ours, theirs = both(tf, run)
    close(ours, theirs, 1e-12)
    same_masks(ours, theirs)


def test_a_mask_that_is_given_counts_more_than_the_input_s(tf):
    def run(library):
        x = library.keras.layers.Masking()(library.constant(X))
        return custom(library, "Passes")(x, mask=library.constant(~STEPS))

    with floatx(tf, "float64"):
        ours, theirs = both(tf, run)
    close(ours, theirs, 1e-12)
    same_masks(ours, theirs)


def test_symbolic_tensors_have_symbolic_masks():
    keras = mt.keras
    x = keras.Input((5, 4))
    y = keras.layers.Dense(2)(keras.layers.Masking()(x))
    assert (y._keras_mask.shape, y._keras_mask.dtype) == ((None, 5), "bool")
    z = keras.layers.Concatenate()([y, x])
    assert z._keras_mask.shape == (None, 5)
    assert keras.layers.Add()([y, y])._keras_mask.shape == (None, 5)
    assert keras.layers.Flatten()(x)._keras_mask is None


def test_a_cast_keeps_the_mask():
    y = mt.keras.layers.Masking(dtype="float64")(X)
    assert mask(mt.keras.layers.ReLU(dtype="float32")(y)) is not None
    y._keras_mask = None
    assert mask(y) is None


def test_files_with_masking_pass_both_ways(tf, tmp_path):
    def model(k):
        layers = [k.layers.Masking(0.0), k.layers.Dense(3), k.layers.GlobalAveragePooling1D()]
        return k.Sequential([k.Input((5, 4)), *layers])

    for writer, reader in ((mt.keras, tf.keras), (tf.keras, mt.keras)):
        written = model(writer)
        written.save(tmp_path / "m.keras")
        read = reader.models.load_model(tmp_path / "m.keras")
        close(read.predict(X, verbose=0), written.predict(X, verbose=0), 1e-5)


def masked_softmax(layers, x):
    return layers.Softmax((1, 2))(layers.Masking()(x))


def masked_attention(layers, x):
    y = layers.Masking()(x)
    return layers.MultiHeadAttention(2, 2, attention_axes=1)(y, y)


def pixels_for_rows(layers, x):
    return layers.BatchNormalization()(x, mask=x[..., 0, 0] > 0)


def channels_for_steps(layers, x):
    return layers.TimeDistributed(layers.Softmax())(x, mask=x[:, 0, 0] > 0)


@pytest.mark.parametrize(
    "draw_layer", [masked_softmax, masked_attention, pixels_for_rows, channels_for_steps]
)
def test_a_mask_that_a_layer_cannot_take_is_refused_when_the_model_is_made(tf, draw_layer):
    """Keras tells it to the first who calls the model."""
    start = tf.keras.Input((7, 5, 2))
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match="mask"):
        tf.keras.Model(start, draw_layer(tf.keras.layers, start))(np.ones((1, 7, 5, 2)))
    with pytest.raises(ValueError, match="mask"):
        draw_layer(mt.keras.layers, mt.keras.Input((7, 5, 2)))


def test_a_mask_of_fewer_axes_than_attention_looks_along_is_refused(tf):
    """Keras makes such a mask itself, and then cannot place it."""
    for layers in (tf.keras.layers, mt.keras.layers):
        y = layers.Masking()(np.ones((2, 3, 2, 2, 2)))
        with pytest.raises(ValueError, match=r"mask|axis -7"):
            layers.MultiHeadAttention(2, 2)(y, y)


MASKED = {  # how many layers the other way has, and what becomes of the masked steps
    "pooled": (3, lambda k, y: k.layers.RepeatVector(4)(k.layers.GlobalAveragePooling1D()(y))),
    "normed": (2, lambda k, y: k.layers.BatchNormalization()(y)),
    "dense": (3, lambda k, y: k.layers.BatchNormalization()(k.layers.Dense(3)(y))),
    "merged": (3, lambda k, y: k.layers.BatchNormalization()(k.layers.Add()([y, masked(k, y)]))),
    "three": (4, lambda k, y: k.layers.BatchNormalization()(
        k.layers.Maximum()([y, masked(k, y), masked(k, y)])
    )),
    "looked at": (2, lambda k, y: k.layers.MultiHeadAttention(2, 2)(y, y)),
    "not asked for": (2, lambda k, y: y),
}  # fmt: skip


def masked(k, x):
    return k.layers.Masking()(k.layers.Dense(3)(x))


@pytest.mark.parametrize("kind", MASKED)
def test_layers_stand_in_keras_order_where_masks_are_made(tf, kind, tmp_path):
    """Where Keras makes a mask by calls of its own, what it is made of lies deeper."""

    def model(k):
        k.backend.clear_session()
        count, use = MASKED[kind]
        x = way = k.Input((4, 3))
        y = use(k, masked(k, x))
        for _ in range(count + 1):
            way = k.layers.Dense(3)(way)
        return k.Model(x, k.layers.Add()([way, y]))

    ours, theirs = model(mt.keras), model(tf.keras)
    assert [x.name for x in ours.layers] == [x.name for x in theirs.layers]
    ours.save_weights(tmp_path / "w.weights.h5")  # by class and place
    theirs.load_weights(tmp_path / "w.weights.h5")
    x = X[:, :4, :3].astype("float32")
    close(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), 1e-5)
