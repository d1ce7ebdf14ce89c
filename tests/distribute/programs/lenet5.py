"""LeNet-5 of course text 4, its loop written out; the four lines of tf.distribute are marked."""

import json
import sys

import numpy as np
import tensorflow as tf
from tensorflow.keras import Sequential, layers, losses, optimizers

BATCH = 24
strategy = tf.distribute.MultiWorkerMirroredStrategy()  # 1
data = np.load(sys.argv[1])
db = tf.data.Dataset.from_tensor_slices((data["x"], data["y"])).batch(BATCH)
with strategy.scope():  # 2
    network = Sequential(
        [
            layers.Conv2D(6, kernel_size=3, strides=1),
            layers.MaxPooling2D(pool_size=2, strides=2),
            layers.ReLU(),
            layers.Conv2D(16, kernel_size=3, strides=1),
            layers.MaxPooling2D(pool_size=2, strides=2),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(120, activation="relu"),
            layers.Dense(84, activation="relu"),
            layers.Dense(10),
        ]
    )
    network.build(input_shape=(None, 28, 28, 1))
    network.set_weights([data[f"w{i}"] for i in range(len(network.weights))])
    optimizer = optimizers.Adam(learning_rate=1e-3)
    criterion = losses.CategoricalCrossentropy(from_logits=True, reduction="none")
db = strategy.experimental_distribute_dataset(db)  # 3


@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        out = network(x, training=True)
        each = criterion(tf.one_hot(y, depth=10), out)
        loss = tf.nn.compute_average_loss(each, global_batch_size=BATCH)
    grads = tape.gradient(loss, network.trainable_variables)
    optimizer.apply_gradients(zip(grads, network.trainable_variables, strict=True))
    return loss


seen = []
for _ in range(2):
    for x, y in db:
        loss = strategy.run(train_step, args=(x, y))  # 4
        seen.append(float(strategy.reduce("SUM", loss, axis=None)))
print(json.dumps(seen))
