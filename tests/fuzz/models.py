"""Random Keras models in float64, made by Keras and here: they compute, tell and save the same.

    python tests/fuzz/models.py --count 2000 --seed 0

Compared are results, gradients and statistics (in training and not), the numbers of `summary()`,
shapes, configs, `.keras` and `.weights.h5` files, each written by one side and read by the other.
What Keras refuses to make, or to call, must be refused.
"""

import io
import re

import numpy as np
from campaigns import Choices, main, through

ACTIVATIONS = (
    "linear relu elu selu tanh sigmoid softplus softsign gelu silu relu6 mish hard_sigmoid"
)
INITIALIZERS = "glorot_uniform he_normal lecun_normal orthogonal zeros ones random_uniform"


class Draw(Choices):
    """One model, drawn anew by the same numbers for each library."""

    def __init__(self, keras, seed, rank):
        super().__init__(seed)
        self.keras, self.layers, self.rank, self.count = keras, keras.layers, rank, 0

    def make(self, name, *args, **settings):
        """A layer of a name of its own; settings that are None are left out."""
        self.count += 1
        settings = {key: value for key, value in settings.items() if value is not None}
        return getattr(self.layers, name)(*args, name=f"{name.lower()}_{self.count}", **settings)

    def ranked(self, name, *args, **settings):
        return self.make(f"{name}{self.rank}D", *args, **settings)

    def weighted(self):
        """Settings that layers with a kernel share."""
        keras = self.keras
        return {
            "activation": self.maybe(self.one(ACTIVATIONS), 2),
            "use_bias": self.one([True, True, False]),
            "bias_initializer": self.maybe("ones"),
            "kernel_regularizer": self.maybe(keras.regularizers.L1L2(0.01, 0.02), 6),
            "kernel_constraint": self.maybe(keras.constraints.MaxNorm(3.0), 8),
            "kernel_initializer": self.maybe(self.one(INITIALIZERS)),
        }

    def sizes(self, high):
        return self.one([self.integer(1, high), [self.integer(1, high) for _ in range(self.rank)]])

    def padding(self):
        return self.one(["same", "valid"])


# ----- layers that keep the spatial axes -----


def convolution(d, x):
    strides = d.sizes(2)
    kernel = {"dilation_rate": d.sizes(2)} if d.rng.integers(4) == 0 else {"strides": strides}
    groups = d.one([g for g in (1, 1, 2) if x.shape[-1] % g == 0])
    filters = groups * d.integer(1, 2)
    return d.ranked(
        "Conv", filters, d.sizes(3), padding=d.padding(), groups=groups, **kernel, **d.weighted()
    )(x)


def transposed(d, x):
    settings = {"strides": d.sizes(2), "padding": d.padding(), **d.weighted()}
    return d.make(f"Conv{d.rank}DTranspose", d.integer(1, 3), d.sizes(3), **settings)(x)


def separable(d, x):
    if d.rank == 3:
        return convolution(d, x)
    step, multiplier = d.integer(1, 2), d.integer(1, 2)
    settings = {"strides": step, "padding": d.padding(), "depth_multiplier": multiplier}
    if d.rng.integers(2):
        return d.ranked("DepthwiseConv", d.integer(1, 3), **settings)(x)
    return d.ranked("SeparableConv", d.integer(1, 3), d.integer(1, 3), **settings)(x)


def pooling(d, x):
    kind = d.one(["MaxPooling", "AveragePooling"])
    if d.rank == 3:
        kind = "AveragePooling"  # TensorFlow has no maxima of float64 volumes, by XLA neither
    return d.ranked(kind, d.sizes(3), strides=d.maybe(d.sizes(2), 2), padding=d.padding())(x)


def resizing(d, x):
    kind = d.one(["UpSampling", "ZeroPadding", "Cropping"])
    return d.ranked(kind, d.sizes(2))(x)


def normalising(d, x):
    kind = d.one(["BatchNormalization"] * 3 + ["LayerNormalization", "GroupNormalization"])
    kind = d.one([kind, "UnitNormalization"]) if d.rng.integers(4) == 0 else kind
    if kind == "UnitNormalization":
        return d.make(kind)(x)
    words = {"center": d.one([True, False]), "scale": d.one([True, False]), "epsilon": 0.01}
    if kind == "BatchNormalization":
        words |= {"momentum": d.maybe(0.9, 2)}
    if kind == "GroupNormalization":
        words |= {"groups": d.one([1, x.shape[-1], 2])}
    return d.make(kind, **words)(x)


def pointwise(d, x):
    name = d.one("Activation LeakyReLU ELU ReLU Softmax PReLU Rescaling Dense Permute")
    if name == "Activation":
        return d.make(name, d.one(ACTIVATIONS))(x)
    if name == "Rescaling":
        return d.make(name, 0.5, offset=0.25)(x)
    if name == "Dense":
        return d.make(name, d.integer(1, 4), **d.weighted())(x)
    if name == "PReLU":
        axes = d.maybe(list(range(1, d.rank + 1)), 2)
        return d.make(name, alpha_initializer="ones", shared_axes=axes)(x)
    if name == "Permute":
        return d.make(name, [int(a) + 1 for a in d.rng.permutation(d.rank + 1)])(x)
    if name == "ReLU":
        return d.make(name, max_value=d.maybe(2.0), negative_slope=d.maybe(0.1))(x)
    return d.make(name)(x)


def merged(d, x):
    """Two ways that meet: x itself, or what layers make of it."""
    name = d.one(["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"])
    ways = [x, d.one([pointwise, normalising, same_convolution])(d, x)]
    if d.rng.integers(3) == 0 and name != "Subtract":
        ways.append(d.one([normalising, same_convolution])(d, x))
    return d.make(name)(ways)


def same_convolution(d, x):
    return d.ranked("Conv", x.shape[-1], d.sizes(3), padding="same", **d.weighted())(x)


def twice(d, x):
    """One layer, called two times."""
    layer = d.ranked("Conv", x.shape[-1], 3, padding="same", activation="tanh")
    return layer(layer(x))


def inner(d, x):
    """A model as a layer."""
    start = d.keras.Input(x.shape[1:])
    y = convolution(d, normalising(d, start))
    d.count += 1
    return d.keras.Model(start, y, name=f"inner_{d.count}")(x)


def operated(d, x):
    """Operators of symbolic tensors, and functions of `keras.ops`."""
    ops = d.keras.ops
    size, half = x.shape[1] or 2, 0.3 * x
    ways = [
        lambda: -x,
        lambda: abs(x) + 0.1,
        lambda: (x * x + 0.5) ** 0.5,
        lambda: 2.0**half,
        lambda: x % 3.0,
        lambda: 1.5 / (2.0 + abs(x)),
        lambda: x[:, size // 2 :],
        lambda: x[..., ::-1] - half,
        lambda: ops.where(x < 0.2, half, x),
        lambda: ops.cast(x >= half, x.dtype) * x,
        lambda: x @ ops.ones((x.shape[-1], 2), dtype=x.dtype),
        lambda: ops.mean(x, axis=1, keepdims=True) + x,
        lambda: ops.concatenate([x, ops.tanh(half)], axis=-1),
        lambda: ops.clip(x, -0.7, 0.9) + ops.square(half),
        lambda: ops.softmax(x, axis=-1),
        lambda: ops.squeeze(ops.expand_dims(ops.exp(half), 1), 1),
        lambda: ops.einsum("b...c,cd->b...d", x, ops.ones((x.shape[-1], 3), dtype=x.dtype)),
        lambda: ops.maximum(x, ops.flip(x, axis=1)),
        lambda: ops.pad(x, [[0, 0], [1, 0], *[[0, 0]] * d.rank]),
        lambda: ops.roll(x, 1, axis=1) // 0.25 * 0.1 + x,
    ]
    return d.one(ways)()


def attending(d, x):
    """Heads that look along the first spatial axis, or all of them."""
    axes = d.one([None, (1,)]) if d.rank > 1 else None
    words = {"value_dim": d.maybe(3), "use_bias": d.one([True, False])}
    words |= {"output_shape": d.maybe(2), "attention_axes": axes}
    causal = {"use_causal_mask": True} if d.rank == 1 and d.rng.integers(3) == 0 else {}
    # Of one head, or of heads of one number, Keras may add the bias along another axis: the ledger.
    return d.make("MultiHeadAttention", d.integer(2, 3), d.integer(2, 3), **words)(x, x, **causal)


def contracted(d, x):
    if d.rank == 1 and d.rng.integers(2):
        y = d.make("Dense", x.shape[-1])(x)
        return d.make("Dot", axes=d.one([2, (2, 2)]), normalize=d.one([False, True]))([x, y])
    n, axes = d.integer(1, 3), "xyz"[: d.rank]  # of "..." Keras tells the axes in reverse order
    bias = {"bias_axes": d.maybe("d", 2), "activation": d.maybe("tanh", 2)}
    return d.make("EinsumDense", f"b{axes}c,cd->b{axes}d", (*x.shape[1:-1], n), **bias)(x)


def wrapped(d, x):
    """A layer inside another."""
    d.count += 1
    inside = d.layers.Dense(d.integer(1, 3), name=f"inside_{d.count}")
    if d.rank > 1:
        kind = getattr(d.layers, f"Conv{d.rank - 1}D")
        inside = d.one([inside, kind(2, 2, padding="same", name=f"inside_{d.count}")])
        return d.make("TimeDistributed", inside)(x)
    return d.make(d.one("TimeDistributed SpectralNormalization"), inside)(x)


def statistical(d, x):
    way = d.integer(0, 3)
    if way == 0:
        return d.make("Normalization", mean=0.3, variance=2.0, invert=d.one([False, True]))(x)
    if way == 1:
        clip = {"rmin": 0.5, "rmax": 2.0, "dmax": 1.0}
        words = {"renorm_momentum": d.maybe(0.7), "renorm_clipping": d.maybe(clip, 2)}
        return d.make("BatchNormalization", epsilon=0.01, renorm=True, **words)(x)
    if way == 2:
        x = d.make("Masking", 0.0)(x)
        return d.make("Dense", 2)(x) if d.rng.integers(2) else normalising(d, x)
    return d.make("SpectralNormalization", d.ranked("Conv", 2, 2, padding="same"))(x)


def remembering(d, x):
    """The first spatial axis as time."""
    if d.rank == 1:
        return same_convolution(d, x)
    gate = d.one(["sigmoid", "hard_sigmoid"])  # others let the state grow without end
    settings = {"go_backwards": d.one([False, True]), "recurrent_activation": gate}
    settings |= {"padding": d.padding(), "strides": d.integer(1, 2), **d.weighted()}
    name, filters, size = f"ConvLSTM{d.rank - 1}D", d.integer(1, 2), d.integer(1, 3)
    return d.make(name, filters, size, return_sequences=True, **settings)(x)


BODY = [convolution] * 3 + [transposed, separable, pooling, pooling, resizing, normalising]
BODY += [normalising, pointwise, pointwise, merged, merged, twice, inner, operated, operated]
BODY += [attending, contracted, wrapped, statistical, remembering]


def ending(d, x):
    way = d.integer(0, 4)
    if way == 0:
        x = d.make("Flatten")(x)
    elif way == 1:
        kind = d.one(["GlobalAveragePooling", "GlobalMaxPooling"])
        x = d.ranked(kind, keepdims=d.maybe(True))(x)
    elif way == 2:
        x = d.make("Reshape", [-1, x.shape[-1]])(x)
    else:
        return x
    return d.make("Dense", d.integer(1, 3), **d.weighted())(x)


def model(keras, seed):
    """A model of random layers; both libraries draw the same numbers, and count names from 0."""
    keras.backend.clear_session(free_memory=False)
    rank = [1, 2, 2, 2, 3][seed % 5]
    d = Draw(keras, seed, rank)
    x = start = keras.Input([d.integer(4, 7) for _ in range(rank)] + [d.integer(1, 3)], name="x")
    for _ in range(d.integer(1, 5)):
        x = d.one(BODY)(d, x)
    outputs = ending(d, x)
    if d.rng.integers(4) == 0:
        outputs = [outputs, d.make("Flatten")(x)]
    return keras.Model(start, outputs, name="model")


# ----- what is compared -----


def numbers_of(model):
    """What `summary()` counts, and the layers with their shapes, in their order."""
    out = io.StringIO()
    model.summary(print_fn=lambda line, **_: out.write(line + "\n"))
    totals = re.findall(r"(\w+(?:-trainable)?) params: ([\d,]+)", out.getvalue())
    shapes = [(layer.name, layer.output.shape) for layer in model.layers]
    return dict(totals), shapes, model.count_params(), model.input_shape, model.output_shape


# What the two libraries say in their own way. Files and JSON, read by the other, show the calls.
NOISE = "module registered_name build_config compile_config dtype synchronized quantization_config"
NOISE = (*NOISE.split(), "inbound_nodes")


def plain(config):
    """A config without noise, and without what is None."""
    if isinstance(config, dict):
        return {
            key: plain(value)
            for key, value in config.items()
            if key not in NOISE and not key.startswith("renorm") and value is not None
        }
    return [plain(v) for v in config] if isinstance(config, list | tuple) else config


def configs_of(model):
    """(the config of each layer and operation by its name, the rest)."""
    config = plain(model.get_config())
    return {layer["config"]["name"]: layer for layer in config.pop("layers")}, config


def given(model, seed):
    return np.random.default_rng([seed, 1]).normal(size=(2, *model.input_shape[1:]))


def tried(library, seed, refusals):
    """A model that was called once, or its refusal."""
    try:
        made = model(library.keras, seed)
        made(given(made, seed))
    except refusals as refusal:
        return refusal
    return made


def compare(tf, ours, seed, folder):
    """Raises an AssertionError that says what is different; returns what kind of model it was."""
    from keras_peer import assert_same, close, floatx

    tf.keras.utils.set_random_seed(seed)
    with floatx(tf, "float64"):
        theirs = tried(tf, seed, (ValueError, TypeError, tf.errors.InvalidArgumentError))
        mine = tried(ours, seed, (ValueError, TypeError))
    refused = [isinstance(m, Exception) for m in (theirs, mine)]
    assert refused[0] == refused[1], f"refusals: Keras {theirs!r}, here {mine!r}"
    if refused[0]:
        return "refused"
    x = given(theirs, seed)
    for training in (False, True):
        mine, theirs = assert_same(
            tf, lambda keras: model(keras, seed), x, training=training, tolerance=1e-9, least=1e-2
        )
    assert numbers_of(mine) == numbers_of(theirs), "summary"
    (ours_of, rest), (theirs_of, their_rest) = configs_of(mine), configs_of(theirs)
    assert rest == their_rest, f"config: here {rest}, Keras {their_rest}"
    for name, config in ours_of.items():  # Keras has operations for masks besides
        assert config == theirs_of[name], f"config: here {config}, Keras {theirs_of[name]}"
    with floatx(tf, "float64"):
        again = {
            "our JSON": tf.keras.models.model_from_json(mine.to_json()),
            "their JSON": ours.keras.models.model_from_json(theirs.to_json()),
        }
        again["our JSON"].set_weights(mine.get_weights())
        again["their JSON"].set_weights(mine.get_weights())
        theirs.set_weights(mine.get_weights())
        mine.save(folder / "ours.keras")
        theirs.save(folder / "theirs.keras")
        again["our file"] = tf.keras.models.load_model(folder / "ours.keras")
        again["their file"] = ours.keras.models.load_model(folder / "theirs.keras")
        mine.save_weights(folder / "ours.weights.h5")
        theirs.save_weights(folder / "theirs.weights.h5")
        again["our weights"], again["their weights"] = (
            model(tf.keras, seed),
            model(ours.keras, seed),
        )
        again["our weights"].load_weights(folder / "ours.weights.h5")
        again["their weights"].load_weights(folder / "theirs.weights.h5")
        expected = theirs(x, training=False)
        for how, other in again.items():
            for p, q in zip(flat(other(x, training=False)), flat(expected), strict=True):
                close(p, q, 1e-9, how, least=1e-2)
    return f"{x.ndim - 2} axes"


def flat(value):
    return list(value) if isinstance(value, list | tuple) else [value]


if __name__ == "__main__":
    main(__doc__, 2000, through(compare, "models"))
