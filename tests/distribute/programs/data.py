"""What each rank reads, draws and computes of one dataset: run by `test_data.py`."""

import json
import os
import sys

import numpy as np

import minitensor as tf

strategy = tf.distribute.MultiWorkerMirroredStrategy()
files = sorted(os.path.join(sys.argv[1], name) for name in os.listdir(sys.argv[1]))
tf.keras.utils.set_random_seed(1)


def parsed(text):
    numbers = tf.io.decode_raw(text, tf.float32)
    return numbers[:3], numbers[3:]


def by(policy, dataset):
    options = tf.data.Options()
    wanted = tf.data.experimental.AutoShardPolicy[policy]
    options.experimental_distribute.auto_shard_policy = wanted
    return dataset.with_options(options)


def trained(dataset):
    with strategy.scope():
        layers = [tf.keras.Input((3,)), tf.keras.layers.Dense(1, kernel_initializer="ones")]
        model = tf.keras.Sequential(layers)
        model.compile("sgd", "mse")
    losses = model.fit(dataset, epochs=2, verbose=0).history["loss"]
    weights = np.concatenate([w.ravel() for w in model.get_weights()]).tolist()
    return [losses, weights, model.evaluate(dataset, verbose=0)]


records = tf.data.TFRecordDataset(files).map(parsed).batch(12)
found = {"rank": strategy.worker}
for policy in ("AUTO", "FILE", "DATA", "OFF"):
    dataset = by(policy, records)
    parts = [len(x) for x, _ in strategy.experimental_distribute_dataset(dataset)]
    found[policy] = {"parts": parts, "trained": trained(dataset)}

drawn = tf.data.Dataset.range(8).shuffle(8).map(lambda i: (i, tf.random.uniform([]))).batch(4)
found["alike"] = [
    [i.numpy().tolist(), u.numpy().tolist()]
    for i, u in strategy.experimental_distribute_dataset(by("DATA", drawn))
]


def own(context):
    assert context.input_pipeline_id == strategy.worker
    numbers = tf.data.Dataset.range(3 + 2 * context.input_pipeline_id)  # of different lengths
    return numbers.map(lambda i: tf.random.uniform([])).batch(2)


with strategy.scope():
    kept = tf.Variable(1.0)
tf.train.Checkpoint(kept=kept).write(os.path.join(sys.argv[2], f"rank{strategy.worker}"))
parts = list(strategy.distribute_datasets_from_function(own))
found["own"] = [part.numpy().tolist() for part in parts]
found["afterwards"] = float(tf.random.uniform([]))
print(json.dumps(found))
