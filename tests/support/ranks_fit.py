"""A fit on two ranks, of which the last meets NaN, or is slow: `ranks_fit.py nan`."""

import logging
import sys
import time

import numpy as np

import minitensor as tf
from minitensor import keras

logging.basicConfig()
strategy = tf.distribute.MultiWorkerMirroredStrategy()
last = strategy.worker == strategy.num_workers - 1


class Layer(keras.layers.Layer):
    def call(self, inputs):
        if last and sys.argv[1] == "slow":
            time.sleep(0.02)
        return inputs


x = np.ones((120, 3), np.float32)
if sys.argv[1] == "nan":
    x[-1] = np.nan  # of a batch, the last rank has the last part
with strategy.scope():
    model = keras.Sequential([keras.Input((3,)), Layer(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
model.fit(x, x[:, :1] * 0, batch_size=2, epochs=1, verbose=0, shuffle=False)
