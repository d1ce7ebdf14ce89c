"""ConvLSTM1D, ConvLSTM2D and ConvLSTM3D against Keras, and what a call may be given."""

import copy
import json
import pickle

import numpy as np
import pytest
from keras_peer import close, floatx, same_weights

import minitensor as mt

LAYERS = mt.keras.layers
draw = np.random.default_rng(0)
X = draw.normal(size=(2, 3, 6, 5, 2)).astype("float32")


def both(tf, rank, shape, **settings):
    """(ours, theirs), built for inputs of a shape, with the same weights."""
    pair = [
        getattr(k.layers, f"ConvLSTM{rank}D")(
            **{n: v(k) if callable(v) else v for n, v in settings.items()}
        )
        for k in (mt.keras, tf.keras)
    ]
    for layer in pair:
        layer.build(shape)
    for a, b in zip(*(layer.weights for layer in pair), strict=True):
        assert (a.path.split("/")[-2:], a.shape) == (b.path.split("/")[-2:], b.shape)
        if "bias" in a.path:
            close(a, b, 0)
    same_weights(*pair)
    return pair


def found(lib, layer, x, state=None, calls=1, **given):
    """Of each call: outputs, and gradients by x, by the first states and by every weight."""
    out = []
    for _ in range(calls):
        tensors = [lib.constant(v) for v in (x, *(state or ()))]
        with lib.GradientTape() as tape:
            tape.watch(tensors)
            y = layer(tensors[0], initial_state=tensors[1:] or None, **given)
            ys = list(y) if isinstance(y, tuple) else [y]
            numbers = np.random.default_rng(5)
            seeds = [lib.constant(numbers.normal(size=tuple(v.shape))) for v in ys]
            loss = sum(lib.reduce_sum(a * b) for a, b in zip(ys, seeds, strict=True))
            loss = sum(layer.losses, loss)
        wrt = [*tensors, *(w if lib is mt else w.value for w in layer.trainable_weights)]
        slopes = tape.gradient(loss, wrt, unconnected_gradients="zero")
        out += [type(y) is tuple, *map(np.asarray, [*ys, loss, *slopes])]
    return out


def all_settings(random):
    """(rank, shape of an input, settings, (mask, first states)), drawn."""

    def one(*values):
        return values[random.integers(len(values))]

    rank = int(one(1, 2, 2, 3))
    taps = [int(random.integers(1 + (rank == 3), 4)) for _ in range(rank)]
    settings = {
        "filters": int(random.integers(1, 4)),
        "kernel_size": one(tuple(taps), taps[0]),
        "padding": one("valid", "same", "SAME"),
        "activation": one("tanh", "relu", None),
        "recurrent_activation": one("sigmoid", "hard_sigmoid", "softplus"),
        "bias_initializer": one("zeros", "ones"),
        "kernel_regularizer": one(None, lambda k: k.regularizers.L2(0.5)),
        "recurrent_regularizer": one(None, lambda k: k.regularizers.L1(0.5)),
        "bias_regularizer": one(None, lambda k: k.regularizers.L2(0.25)),
        "activity_regularizer": one(None, lambda k: k.regularizers.L2(0.25)),
        "kernel_constraint": one(None, "max_norm"),
        "recurrent_constraint": one(None, "non_neg"),
        "bias_constraint": one(None, "unit_norm"),
        "dropout": one(0.0, 0.3),  # not in training: nothing is dropped
        "recurrent_dropout": one(0.5, -1.0, 2.0),
        "seed": one(None, 3),
        "data_format": one(None, "channels_last"),
    }
    words = ("use_bias", "unit_forget_bias", "return_sequences", "return_state", "go_backwards")
    words += ("stateful", "unroll", "zero_output_for_mask")
    settings |= {word: bool(random.random() < 0.5) for word in words}
    if settings["go_backwards"]:  # unrolled Keras turns the outputs round, and not their mask
        settings["unroll"] = False
    step = one({}, {"strides": 2}, {"dilation_rate": 2}, {"strides": (1,) * (rank - 1) + (3,)})
    sizes = [int(random.integers(5, 8)) for _ in range(rank)]
    shape = (int(random.integers(1, 4)), int(random.integers(1, 5)), *sizes, 2)
    return rank, shape, settings | step, (random.random() < 0.5, random.random() < 0.3)


def test_settings_drawn_at_random_are_those_of_keras(tf):
    for number in range(24):
        random = np.random.default_rng(number)
        rank, shape, settings, (masked, given) = all_settings(random)
        with floatx(tf, "float64"):
            pair = both(tf, rank, shape, **settings)
            said = [layer.compute_output_shape(shape) for layer in pair]
            assert said[0] == said[1]
            h = pair[0].get_initial_state(shape[0])[0]
            state = [random.normal(size=h.shape) for _ in "hc"] if given else None
            mask = {"mask": random.random(shape[:2]) < 0.6} if masked else {}
            calls = 2 if settings["stateful"] else 1
            x = random.normal(size=shape)
            results = [
                found(lib, layer, x, state, calls, **mask)
                for lib, layer in zip((mt, tf), pair, strict=True)
            ]
            for a, b in zip(*results, strict=True):
                close(a, b, 1e-9, f"{number}: {rank} {shape} {settings}", 1e-3)
            for a, b in zip(*(layer.states or () for layer in pair), strict=True):
                close(a, b, 1e-9)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_its_config_is_that_of_keras(tf, rank):
    for settings in ({}, {"kernel_size": 2, "dropout": 2, "unroll": True, "activation": None}):
        configs = []
        for k in (mt.keras, tf.keras):
            given = {"filters": 3, "kernel_size": 3} | settings
            made = getattr(k.layers, f"ConvLSTM{rank}D")(**given)
            config = type(made).from_config(made.get_config()).get_config()
            assert config == made.get_config()
            config.pop("dtype")
            config.pop("name")
            configs.append(json.loads(json.dumps(config)))
        for name in configs[0]:
            if name.endswith("initializer"):  # what Keras says of it more than class and seed
                for config in configs:
                    config[name] = config[name]["class_name"]
        assert configs[0] == configs[1]


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_channels_first_is_channels_last_with_its_axes_moved(rank):
    x = draw.normal(size=(2, 3, *[5] * rank, 2)).astype("float32")
    moved = np.moveaxis(x, -1, 2)
    for settings in ({"return_sequences": True}, {"padding": "same"}):
        common = {"return_state": True, "dropout": 0.3, "recurrent_dropout": 0.2} | settings
        last, first = (
            getattr(LAYERS, f"ConvLSTM{rank}D")(3, 2, data_format=layout, **common)
            for layout in ("channels_last", "channels_first")
        )
        expected, _ = last(x), first(moved)
        first.set_weights(last.get_weights())
        found = first(moved)
        for a, b in zip(expected, found, strict=True):
            close(np.moveaxis(np.asarray(b), a.ndim - rank - 1, -1), a, 1e-5)
        assert first.compute_output_shape(moved.shape) == tuple(tuple(v.shape) for v in found)
        assert first(moved, training=True)[0].shape == found[0].shape


def test_second_derivatives_are_those_of_tensorflow(tf):
    x = draw.normal(size=(1, 2, 3, 2))
    with floatx(tf, "float64"):
        pair = both(tf, 1, x.shape, filters=1, kernel_size=2, unroll=True)
        second = []
        for lib, layer in zip((mt, tf), pair, strict=True):
            wrt = [lib.constant(x), *(w if lib is mt else w.value for w in layer.weights)]
            with lib.GradientTape() as outer:
                outer.watch(wrt[0])
                with lib.GradientTape() as inner:
                    inner.watch(wrt[0])
                    y = lib.reduce_sum(layer(wrt[0]) ** 2)
                first = inner.gradient(y, wrt)
                size = sum(lib.reduce_sum(g * g) for g in first)
            second.append(outer.gradient(size, wrt))
        for a, b in zip(*second, strict=True):
            close(a, b, 1e-9)


def test_what_is_dropped_is_dropped_at_every_step_as_in_keras(tf, monkeypatch):
    x = draw.normal(size=(2, 4, 6, 5, 2))
    for rates in ((0.4, 0.3), (0.4, 0.0), (0.0, 0.3)):
        with floatx(tf, "float64"):
            settings = {"filters": 2, "kernel_size": 3, "return_sequences": True}
            settings |= {"dropout": rates[0], "recurrent_dropout": rates[1]}
            ours, theirs = both(tf, 2, x.shape, **settings)
            drawn, masks = [], type(ours)._masks
            monkeypatch.setattr(
                type(ours),
                "_masks",
                lambda *given, m=masks, kept=drawn: kept.append(m(*given)) or kept[-1],
            )
            mine = found(mt, ours, x, training=True)
            monkeypatch.undo()
            given = [m and [tf.constant(v.numpy()) for v in m] for m in drawn]
            theirs.cell._dropout_mask, theirs.cell._recurrent_dropout_mask = given
            for a, b in zip(mine, found(tf, theirs, x, training=True), strict=True):
                close(a, b, 1e-9)
        for rate, four in zip(rates, drawn, strict=True):
            assert (four is None) == (rate == 0)
            for mask in four or ():  # each gate has its own
                assert set(np.unique(mask)) <= {0, np.float64(1 / (1 - rate))}
            assert len({mask.numpy().tobytes() for mask in four or range(0)}) == (4 if rate else 0)


def test_a_seed_makes_the_same_draws_in_every_run():
    made = [LAYERS.ConvLSTM2D(2, 3, dropout=0.5, recurrent_dropout=0.5, seed=s) for s in (1, 1, 2)]
    runs = []
    for layer in made:
        layer.build(X.shape)
        layer.set_weights(made[0].get_weights())
        runs.append([layer(X, training=True).numpy() for _ in range(2)])
        np.testing.assert_array_equal(layer(X), made[0](X))  # and nothing without training
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])
    assert not np.array_equal(*runs[0])


def test_the_kernels_of_the_gpu_give_the_same():
    found = []
    for device in ("cpu", "emulator"):
        with mt.device(device):
            x, mask = mt.constant(X), mt.constant([[True, False, True], [True, True, True]])
            options = {"stateful": True, "dropout": 0.3, "recurrent_dropout": 0.2, "seed": 1}
            layer = LAYERS.ConvLSTM2D(2, 2, kernel_initializer="ones", **options)
            layer.recurrent_initializer = mt.keras.initializers.Orthogonal(seed=2)
            with mt.GradientTape() as tape:
                y = mt.reduce_sum(layer(x, mask=mask, training=True) ** 2)
            assert x.device == y.device == layer.states[0].device
            found.append([y, *tape.gradient(y, layer.trainable_weights), *layer.states])
    for a, b in zip(*found, strict=True):
        close(b.numpy(), a.numpy(), 1e-5)


# ----- in models -----


def film(k):
    """Looks at a film, and draws its end again, frame by frame."""
    x, other = k.Input((3, 6, 5, 2)), k.Input((2, 6, 5, 1))
    options = {"padding": "same", "return_sequences": True, "return_state": True}
    y, h, c = k.layers.ConvLSTM2D(3, 3, name="look", **options)(x)
    z, *_ = k.layers.ConvLSTM2D(3, 2, name="draw", **options)(other, initial_state=[h, c])
    z = k.layers.ConvLSTM2D(1, 2, name="end", go_backwards=True)(z)
    return k.Model([x, other], [z, k.layers.Conv3D(1, 2, name="top")(y)])


@pytest.mark.parametrize("kind", ["m.keras", "m.weights.h5", "m.h5"])
def test_files_pass_both_ways(tf, tmp_path, kind):
    given = [X, draw.normal(size=(2, 2, 6, 5, 1)).astype("float32")]
    for writer, reader in ((mt.keras, tf.keras), (tf.keras, mt.keras)):
        written = film(writer)
        written.set_weights([draw.random(w.shape) - 0.5 for w in written.get_weights()])
        expected = written.predict(given, verbose=0)
        if "weights" in kind:
            written.save_weights(tmp_path / kind)
            read = film(reader)
            read.load_weights(tmp_path / kind)
        else:
            written.save(tmp_path / kind)
            read = reader.models.load_model(tmp_path / kind, compile=False)
        for a, b in zip(read.predict(given, verbose=0), expected, strict=True):
            close(a, b, 1e-5)


def test_training_is_that_of_keras(tf):
    y = draw.normal(size=(2, 3)).astype("float32")
    with floatx(tf, "float64"):
        models = [
            k.Sequential(
                [
                    k.Input((3, 6, 5, 2)),
                    k.layers.ConvLSTM2D(3, 3, return_sequences=True, kernel_constraint="max_norm"),
                    k.layers.BatchNormalization(),
                    k.layers.ConvLSTM2D(2, 2, strides=2, recurrent_regularizer="l2"),
                    k.layers.Flatten(),
                    k.layers.Dense(3),
                ]
            )
            for k in (mt.keras, tf.keras)
        ]
        same_weights(*models)
        for model in models:
            model.compile("sgd", "mse")
        losses = [m.fit(X, y, epochs=4, verbose=0).history["loss"] for m in models]
        np.testing.assert_allclose(*losses, rtol=1e-8)  # Keras' "l2" is a float32
        for a, b in zip(*(m.get_weights() for m in models), strict=True):
            close(a, b, 1e-5)


def test_states_stay_from_batch_to_batch_and_are_no_weights(tf):
    found = []
    for k in (mt.keras, tf.keras):
        layer = k.layers.ConvLSTM2D(2, 3, stateful=True, name="film")
        model = k.Sequential([k.Input(batch_shape=(2, 3, 6, 5, 2)), layer])
        same = [np.full(w.shape, 0.1) for w in model.get_weights()]
        model.set_weights(same)
        first = model.predict(X, batch_size=2, verbose=0)
        second = model.predict(X, batch_size=2, verbose=0)
        states = [np.asarray(s) for s in layer.states]
        layer.reset_state()
        again = model.predict(X, batch_size=2, verbose=0)
        layer.reset_states()
        assert not any(np.asarray(s).any() for s in layer.states)
        with pytest.raises(ValueError, match="stateful"):
            layer(X[:1])
        assert len(model.weights) == len(model.get_weights()) == 3
        assert not np.allclose(first, second)
        np.testing.assert_array_equal(first, again)
        found.append([first, second, *states])
    for a, b in zip(*found, strict=True):
        close(a, b, 1e-5)


def test_copies_have_states_of_their_own():
    layer = LAYERS.ConvLSTM2D(2, 3, stateful=True, dropout=0.5, seed=4)
    layer(X, training=True)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        before = layer.states[0].numpy()
        np.testing.assert_array_equal(other.states[0], before)
        other(X, training=True)
        np.testing.assert_array_equal(layer.states[0], before)
        assert not np.array_equal(other.states[0], before)


def test_masks_come_from_layers_and_go_on_as_in_keras(tf):
    x = X.copy()
    x[0, 1:] = 0
    x[1, 0] = 0
    x[1, 2, 3, 3] = 0
    results = []
    for lib in (mt, tf):
        k = lib.keras
        masked = k.layers.Masking()(lib.constant(x))  # (N, T, H, W): pixel by pixel
        out = []
        for settings in ({"return_sequences": True}, {}, {"zero_output_for_mask": True}):
            layer = k.layers.ConvLSTM2D(2, 3, padding="same", return_state=True, **settings)
            layer.build(x.shape)
            layer.set_weights([np.full(w.shape, 0.1) for w in layer.get_weights()])
            ys = layer(masked)
            masks = [getattr(y, "_keras_mask", None) for y in ys]
            out += [*ys, *(np.zeros(()) if m is None else m for m in masks)]
        results.append(out)
    for a, b in zip(*results, strict=True):
        close(a, b, 1e-5)


def test_the_layer_is_frozen_whole():
    layer = LAYERS.ConvLSTM2D(2, 3, trainable=False)
    layer.build(X.shape)
    assert (len(layer.weights), layer.trainable_weights) == (3, [])
    layer.trainable = True
    assert len(layer.trainable_weights) == 3


def test_the_table_counts_every_step(capsys):
    model = film(mt.keras)
    model.summary()
    printed = capsys.readouterr().out
    # taps, channels in and filters, for four gates, at 6 x 5 pixels of 3 and of 2 steps
    look = 3 * 30 * 4 * 3 * (9 * 2 + 9 * 3)
    second = 2 * 30 * 4 * 3 * (4 * 1 + 4 * 3)
    end = 2 * 20 * 4 * 1 * (4 * 3 + 4 * 1)
    for macs in (look, second, end):
        assert f"{macs:,}" in printed
    alone = mt.keras.Sequential([mt.keras.Input((200, 512, 512, 8)), LAYERS.ConvLSTM2D(64, 3)])
    alone.summary()  # computes no pixel: this would take minutes
    assert f"{200 * 510 * 510 * 4 * 64 * 9 * (8 + 64):,}" in capsys.readouterr().out


# ----- what is refused -----


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda k: k.ConvLSTM2D(0, 2), "filters"),
        (lambda k: k.ConvLSTM2D(2.5, 2), "filters"),
        (lambda k: k.ConvLSTM2D(2, (2, 2, 2)), "kernel_size"),
        (lambda k: k.ConvLSTM1D(2, 2, strides=0), "strides"),
        (lambda k: k.ConvLSTM2D(2, 2, padding="causal"), "padding"),
        (lambda k: k.ConvLSTM2D(2, 2, strides=2, dilation_rate=2), "compatible"),
        (lambda k: k.ConvLSTM2D(2, 2, activation="no"), "activation"),
        (lambda k: k.ConvLSTM2D(2, 2, units=1), "Unrecognized keyword"),
        (lambda k: k.ConvLSTM2D(2, 2, seed="a"), "seed"),
        (lambda k: k.ConvLSTM2D(2, 2, dropout="a"), "dropout"),
        (lambda k: k.ConvLSTM2D(2, 2, data_format="NHWC"), "data_format"),
        (lambda k: k.ConvLSTM2D(2, 2)(k.Input((3, None, 5, 1))), "static"),
        (lambda k: k.ConvLSTM2D(2, 2)(k.Input((3, 5, 5, None))), "channel"),
        (lambda k: k.ConvLSTM2D(2, 2, stateful=True)(k.Input((3, 5, 5, 1))), "batch size"),
        (lambda k: k.ConvLSTM2D(2, 2)(X[0]), "ndim=5"),
        (lambda k: k.ConvLSTM2D(2, 2)(X.astype("int32")), "float"),
        (lambda k: k.ConvLSTM2D(2, 9)(X), "zero or negative"),
        (lambda k: k.ConvLSTM2D(2, 2)(X[:, :0]), "at least one step"),
        (lambda k: k.ConvLSTM2D(2, 2)(X, initial_state=[mt.zeros([2, 5, 4, 2])]), "initial_state"),
        (lambda k: k.ConvLSTM2D(2, 2)(X, initial_state=[mt.zeros([2, 5, 4, 1])] * 2), "initial_"),
        (lambda k: k.ConvLSTM2D(2, 2)(X, initial_state=mt.zeros([2, 5, 4, 2])), "initial_state"),
        (lambda k: k.ConvLSTM2D(2, 2)(X, mask=np.ones((2, 4), bool)), "mask"),
        (lambda k: k.ConvLSTM2D(2, 2)(X, mask=np.ones((2, 3, 6), bool)), "mask"),
    ],
)
def test_what_does_not_fit_is_refused(wrong, says):
    with pytest.raises((ValueError, TypeError), match=says):
        wrong(LAYERS)


def test_other_sizes_than_it_was_built_for_are_refused():
    layer = LAYERS.ConvLSTM2D(2, 2)
    layer(X)
    for other in (X[:, :, 1:], X[..., :1]):
        with pytest.raises(ValueError, match="expected axis"):
            layer(other)
    assert layer(X[:1, :2]).shape == (1, 5, 4, 2)


def test_states_that_a_file_describes_are_under_its_budget():
    layers = [mt.keras.Input(batch_shape=(2, 3, 6, 5, 2)), LAYERS.ConvLSTM2D(2, 2, stateful=True)]
    text = mt.keras.Sequential(layers).to_json()
    assert "[2, 3, 6, 5, 2]" in text
    with pytest.raises(ValueError, match="bytes"):
        mt.keras.models.model_from_json(text.replace("[2, 3, 6, 5, 2]", "[9999999999, 3, 6, 5, 2]"))
