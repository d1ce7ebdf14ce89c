"""A training in which rank 1 does something else: `differ.py HOW`, run by `test_differences.py`."""

import sys

import numpy as np

import minitensor as tf

how = sys.argv[1]
strategy = tf.distribute.MultiWorkerMirroredStrategy()
other = strategy.worker == 1
with strategy.scope():
    layers = [tf.keras.Input((3,)), tf.keras.layers.Dense(5 if other and how == "shape" else 4)]
    if other and how == "layers":
        layers.append(tf.keras.layers.Dense(7))
    model = tf.keras.Sequential([*layers, tf.keras.layers.Dense(1)])
    model.compile("sgd", "mse")


def batches():
    for _ in range(4 if other and how == "data" else 3):
        yield np.ones((4, 3)), np.ones((4, 1))


class Stops(tf.keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if other and how == "stops" and batch == 1:
            self.model.stop_training = True


x = np.ones((40, 3), np.float32)
if how == "nan":
    x[27] = np.nan  # in the third batch, of which rank 1 has the second half
    model.fit(x, x[:, :1], batch_size=10, shuffle=False, verbose=0)
history = model.fit(batches(), verbose=0, callbacks=[Stops()])
print(f"{int(model.optimizer.iterations)} steps")
