"""200 steps of small networks in half precision, the same text for TensorFlow and for us.

python tests/support/mixed_trajectories.py records what TensorFlow answers, beside this file. It is
TensorFlow as it comes, with oneDNN: without it sums of bfloat16 are rounded at every term.
"""

import json
from pathlib import Path

import numpy as np

RECORD = Path(__file__).with_suffix(".json")
STEPS, BATCH, GROWTH, HUGE = 200, 16, 40, 77  # step HUGE gets inputs that overflow float16


def lenet5(keras):
    """For images (28, 28, 1)."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(6, 5, padding="same", activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Conv2D(16, 5, activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dense(120, activation="tanh"),
            layers.Dense(84, activation="tanh"),
            layers.Dense(10),
            layers.Activation("softmax", dtype="float32"),
        ]
    )


def resnet_block(keras):
    """For images (8, 8, 8): two convolutions with batch normalisation beside a shortcut."""
    layers = keras.layers
    x = keras.Input((8, 8, 8))
    y = layers.Conv2D(8, 3, padding="same", use_bias=False)(x)
    y = layers.ReLU()(layers.BatchNormalization()(y))
    y = layers.Conv2D(8, 3, padding="same", use_bias=False)(y)
    y = layers.ReLU()(layers.Add()([x, layers.BatchNormalization()(y)]))
    y = layers.Dense(10)(layers.GlobalAveragePooling2D()(y))
    return keras.Model(x, layers.Activation("softmax", dtype="float32")(y))


NETS = {"lenet5": lenet5, "resnet_block": resnet_block}


def trajectory(tf, net, policy, steps=STEPS):
    """Losses and loss scales after every step, steps that were made, and what is predicted then."""
    keras = tf.keras
    keras.mixed_precision.set_global_policy(policy)
    model, draw = NETS[net](keras), np.random.default_rng(0)
    rule = keras.optimizers.SGD(0.05)
    half = policy == "mixed_float16"
    if half:
        rule = keras.mixed_precision.LossScaleOptimizer(rule, 2.0**20, GROWTH)
    model.compile(rule, "sparse_categorical_crossentropy")
    model.set_weights([_start(w, draw) for w in model.get_weights()])
    classes = draw.standard_normal((10, *model.input_shape[1:]))
    losses, scales = [], []
    for step in range(steps):
        y = draw.integers(0, 10, BATCH)
        x = classes[y] + 0.7 * draw.standard_normal((BATCH, *classes.shape[1:]))
        x = x * 1e6 if step == HUGE and net == "lenet5" and half else x
        losses.append(float(model.train_on_batch(x.astype("float32"), y)))
        scales += [float(model.optimizer.dynamic_scale)] if half else []
    last = model.predict_on_batch(classes.astype("float32"))
    made = int(model.optimizer.iterations)
    keras.mixed_precision.set_global_policy("float32")
    return {"losses": losses, "scales": scales, "made": made, "last": np.asarray(last).tolist()}


def _start(weight, draw):
    """He's rule for kernels, what is there for the others."""
    if weight.ndim < 2:
        return weight
    return draw.standard_normal(weight.shape) * np.sqrt(1 / np.prod(weight.shape[:-1]))


def main():
    import tensorflow as tf

    cases = [(n, p) for n in NETS for p in ("mixed_float16", "mixed_bfloat16")]
    found = {f"{net} {policy}": trajectory(tf, net, policy) for net, policy in cases}
    short = json.loads(json.dumps(found), parse_float=lambda text: round(float(text), 7))
    RECORD.write_text(json.dumps({"tensorflow": tf.__version__, **short}) + "\n")


if __name__ == "__main__":
    main()
